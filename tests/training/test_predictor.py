"""The initial predictor is fitted: what follows from the conditions is expected, what does not is averaged."""

from dataclasses import replace

import pytest
import torch

from idto3d.errors import UserError
from idto3d.guidance.lora import DOMAINS
from idto3d.training import train
from idto3d.training.denoiser import Data, mean_embedding
from idto3d.training.heard import expected_errors
from idto3d.training.loop import make_accelerator
from idto3d.training.options import parse
from idto3d.training.predictor import FitOptions, fit_predictor


@pytest.fixture(scope="module")
def linear(small):
    """People in two views whose latents are a linear function of their embedding, another one in each view."""
    people = small.made_up_people(count=40, views=6)
    side = torch.arange(len(people.person)) % 2
    alike = people.embedding[:, :1].expand(-1, 3, -1)
    people = replace(people, azimuth_deg=90.0 * side, embedding=alike)
    random = torch.Generator().manual_seed(3)
    maps = torch.randn(2, 8, 64, generator=random)
    embedding = mean_embedding(people.embedding)[people.person]
    latents = torch.einsum("nd,ndl->nl", embedding, maps[side]).view(-1, 4, 4, 4)
    return Data(people, {domain: latents for domain in DOMAINS})


def test_what_follows_from_the_embedding_is_expected_in_each_view(small, linear):
    model = small.tiny_model()
    fit_predictor(model, linear, FitOptions(ridge=0.01))
    errors = expected_errors(model, linear)
    spread = linear.latents["albedo"].var().item()
    assert all(error < 0.05 * spread for error in errors.values())
    model.predictor.identity.weight.data.zero_()
    assert expected_errors(model, linear)["expected_albedo_error"] > 0.5 * spread


def test_a_ridge_without_end_leaves_the_mean_of_each_view(small, linear):
    model = small.tiny_model()
    fit_predictor(model, linear, FitOptions(ridge=1e9))
    side = linear.people.azimuth_deg > 0
    own = sum(
        linear.latents["albedo"][one].var(0, correction=0).mean().item() * one.float().mean().item()
        for one in (side, ~side)
    )
    assert expected_errors(model, linear)["expected_albedo_error"] == pytest.approx(own, rel=0.01)


def test_it_is_fitted_once_and_missed_by_what_builds_on_it(small, tmp_path):
    words = ["--data", str(tmp_path / "people"), "--work", str(tmp_path), "--stages"]
    one, model, data = make_accelerator("auto"), small.tiny_model(), small.tiny_data()
    with pytest.raises(UserError, match="no initial predictor"):
        train.run_predictor(one, model, data, None, parse([*words, "base"]))
    train.run_predictor(one, model, data, None, parse([*words, "predictor"]))
    fitted = {name: value.clone() for name, value in model.predictor.state_dict().items()}
    assert fitted["maps"].any()
    another = small.tiny_model()
    train.run_predictor(one, another, data, None, parse([*words, "base"]))
    assert all(torch.equal(value, fitted[name]) for name, value in another.predictor.state_dict().items())
