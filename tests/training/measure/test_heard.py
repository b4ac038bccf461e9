"""What is measured of a denoiser on held-out people: each gap tells of its own condition alone."""

from types import SimpleNamespace

import pytest
import torch

from idto3d.guidance.networks.tiny import noise_scheduler
from idto3d.training.denoiser import Data, alpha_bar
from idto3d.training.measure.heard import heard


def model_that_hears(what: str, data: Data, scheduler):
    """Its velocity is off by 0.1, and by 1.1 where the batch misstates `what` of a view."""
    latents, people = data.latents["albedo"], data.people

    def misstated(batch, view: int, row: int) -> bool:
        if what == "expression":
            return bool(batch.expression[row] != people.expression[view])
        if what == "identity":
            portraits = people.embedding[people.person[view]]  # any mean of a person's own portraits lies in their span
            given = batch.identity[row, 0]
            return bool((portraits.T @ torch.linalg.pinv(portraits.T) @ given - given).norm() > 1e-3)
        return people.looks[int(people.person[view])]["hair_colour"] not in batch.captions[row]

    def predict(domain, noisy, timesteps, batch):
        views = [int((latents == one).flatten(1).all(1).nonzero()[0]) for one in batch.latents]
        off = [1.1 if misstated(batch, view, row) else 0.1 for row, view in enumerate(views)]
        alpha = alpha_bar(scheduler, timesteps).view(-1, 1, 1, 1)
        noise = (noisy - alpha.sqrt() * batch.latents) / (1 - alpha).sqrt()
        return scheduler.get_velocity(batch.latents, noise, timesteps) + torch.tensor(off).view(-1, 1, 1, 1)

    predict.scheduler, predict.unet = scheduler, SimpleNamespace(device=torch.device("cpu"))
    return predict


@pytest.mark.parametrize("what", ["identity", "expression", "words"])
def test_a_gap_opens_for_what_the_model_hears_and_for_nothing_else(small, what):
    people = small.made_up_people()
    random = torch.Generator().manual_seed(1)
    data = Data(people, {"albedo": torch.randn(len(people.person), 4, 4, 4, generator=random)})
    found = heard(model_that_hears(what, data, noise_scheduler()), data, "albedo", count=24)
    assert found[f"{what}_gap"] > 1
    others = {"identity", "expression", "words"} - {what}
    assert all(found[f"{name}_gap"] == pytest.approx(0, abs=0.02) for name in others)
    assert 0 < found["error"] < 0.01
