"""Batches with twins, views that differ in their expression alone, and what is learned from them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from idto3d.errors import UserError
from idto3d.guidance.networks.tiny import noise_scheduler
from idto3d.training import synthesize
from idto3d.training.data.dataset import read_people, read_portrayed
from idto3d.training.denoiser import DenoiserOptions, denoising_loss
from idto3d.training.twins import draw_twins, sittings


@pytest.fixture
def people(small):
    """Views of which each two that follow one another are of one sitting, except the last two."""
    made_up = small.made_up_people()
    azimuth = torch.arange(len(made_up.person)) // 2 * 10.0
    azimuth[-1] += 1
    person, expression = made_up.person // 2 * 2, torch.arange(len(azimuth)) % 13
    return replace(made_up, person=person, azimuth_deg=azimuth, elevation_deg=0 * azimuth, expression=expression)


def test_views_of_one_sitting_are_found(people):
    found = sittings(people).tolist()
    assert found[:4] == [[0, 2], [0, 2], [2, 2], [2, 2]]
    count = len(found)
    assert found[-2:] == [[count - 2, 1], [count - 1, 1]]


def test_a_twin_has_another_expression_and_the_same_conditions(people):
    latents = torch.arange(len(people.person)).float()[:, None, None, None].expand(-1, 4, 4, 4)
    options = DenoiserOptions(batch=6, drop=0.3)
    for seed in range(20):
        batch = draw_twins(people, latents, "albedo", sittings(people), options, torch.Generator().manual_seed(seed))
        views, count = batch.latents[:, 0, 0, 0].long(), batch.twins
        assert len(views) == len(batch.captions) == len(batch.identity) == len(batch.weight) == 6
        for first, twin in zip(range(count), range(6 - count, 6), strict=True):
            assert views[first] // 2 == views[twin] // 2 and views[first] != views[twin]
            assert batch.expression[twin] == people.expression[views[twin]] != batch.expression[first]
            assert batch.captions[twin] == batch.captions[first]
            assert torch.equal(batch.identity[twin], batch.identity[first])
            assert batch.no_expression[twin] == batch.no_expression[first]
    assert count > 0


def test_what_twins_have_in_common_does_not_count_in_their_difference(people):
    latents = torch.randn(len(people.person), 4, 4, 4)
    options = DenoiserOptions(batch=6, face=1.0)
    batch = draw_twins(people, latents, "albedo", sittings(people), options, torch.Generator().manual_seed(1))
    assert batch.twins > 1
    scheduler, seen = noise_scheduler(), {}

    def wrong(by):
        def predict(domain, noisy, timesteps, given):
            seen["noise"] = noisy, timesteps
            alpha_bar = scheduler.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
            noise = (noisy - alpha_bar.sqrt() * given.latents) / (1 - alpha_bar).sqrt()
            return scheduler.get_velocity(given.latents, noise, timesteps) + by

        return predict

    def loss(by, weight):
        told = replace(options, twins=weight)
        return denoising_loss(wrong(by), scheduler, "albedo", batch, told, torch.Generator().manual_seed(2)).item()

    assert loss(0.1, 10.0) == pytest.approx(0.01, rel=1e-3)
    _, timesteps = seen["noise"]
    assert torch.equal(timesteps[: batch.twins], timesteps[-batch.twins :])
    by = torch.zeros(6, 1, 1, 1)
    by[0] = 0.1
    assert loss(by, 10.0) == pytest.approx((1 + 10) * 0.01 / 6, rel=1e-3)
    assert loss(by, 0.0) == pytest.approx(0.01 / 6, rel=1e-3)


def test_no_view_has_a_twin_where_twins_weigh_nothing(people):
    latents = torch.randn(len(people.person), 4, 4, 4)
    options = DenoiserOptions(batch=6, twins=0.0)
    batch = draw_twins(people, latents, "albedo", sittings(people), options, torch.Generator().manual_seed(1))
    assert batch.twins == 0 and len(batch.latents) == len(batch.captions) == 6


def test_one_camera_draws_several_expressions_where_they_show(small_ict, tmp_path):
    told = synthesize.SynthesisOptions(small_ict, tmp_path, people=3, views=2, expressions=3, portraits=1, size=32)
    synthesize.draw_shard((told, 0))
    drawn = read_people(tmp_path, embedded=False)
    first, count = sittings(drawn).unbind(1)
    shown = drawn.azimuth_deg.abs() < synthesize.SHOWN_DEG
    assert torch.equal(count, torch.where(shown, 3, 1)) and shown.any()
    for start in first.unique():
        assert len(drawn.expression[first == start].unique()) == int((first == start).sum())


def test_people_can_be_drawn_in_portraits_alone(small_ict, tmp_path):
    told = synthesize.SynthesisOptions(small_ict, tmp_path, people=2, views=0, portraits=2, portrait_size=64)
    synthesize.draw_shard((told, 0))
    arrays = load_file(tmp_path / "0000.safetensors")
    assert arrays["portraits"].shape == (4, 64, 64, 3) and len(arrays["coefficients"]) == 2
    with pytest.raises(UserError, match="portraits alone"):
        read_people(tmp_path, embedded=False)
    with pytest.raises(UserError, match="embedded yet"):
        read_portrayed(tmp_path)
    embedding = np.random.default_rng(1).normal(size=(2, 2, 8)).astype(np.float32)
    save_file({"embedding": embedding}, tmp_path / "0000.identity.safetensors")
    known = read_portrayed(tmp_path)
    assert np.array_equal(known.embedding, embedding) and known.looks[1]["hair_style"]
    assert np.array_equal(known.coefficients, arrays["coefficients"])


def test_by_portraits_one_knows_of_people_with_views_just_the_same(small, tmp_path):
    drawn = small.made_up_people()
    folder = small.write_dataset(tmp_path / "people", drawn)
    people, known = read_people(folder), read_portrayed(folder)
    assert known.looks == people.looks
    assert torch.equal(known.embedding, people.embedding) and torch.equal(known.coefficients, people.coefficients)
