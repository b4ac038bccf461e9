"""Synthetic people are drawn, embedded by a stand-in encoder, and a tiny model learns from them."""

import json
from copy import deepcopy

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from rounding import same_but_for_rounding

from idto3d.guidance.networks.base import with_morphable
from idto3d.guidance.networks.branches import new_branches
from idto3d.guidance.networks.tiny import TEST_SPEC, noise_scheduler, tiny_base, tiny_morphable
from idto3d.training import train
from idto3d.training.data.dataset import read_people
from idto3d.training.denoiser import (
    Data,
    DenoiserOptions,
    draw_batch,
    face_weight,
    mean_embedding,
    prediction_error,
)
from idto3d.training.loop import Stage, make_accelerator, train_denoiser
from idto3d.training.measure.heard import in_noise, in_velocity
from idto3d.training.model import Batch, Model, load_average, named_tensors, whiten
from idto3d.training.options import parse
from idto3d.training.stages import plan
from idto3d.training.vae import VaeOptions, cache_latents, psnr, scaling_factor, train_vae
from idto3d.training.watch import Watch
from idto3d.words.prompts import DOMAINS


@pytest.fixture(scope="module")
def tiny(small):
    people = small.made_up_people()
    parts = with_morphable(small.tiny_parts(), tiny_morphable(TEST_SPEC, 8))
    branches = {name: new_branches(parts.unet, 8, TEST_SPEC.text_width) for name in DOMAINS}
    return people, parts, Model(parts, branches)


def scaled_latents(parts, people, path):
    latents = cache_latents(parts.vae, people, path)
    factor = scaling_factor(latents)
    return {domain: value.float() * factor for domain, value in latents.items()}


def test_the_autoencoder_learns_to_rebuild_pictures(tiny, tmp_path):
    people, parts, _ = tiny
    losses = []
    options = VaeOptions(minutes=30, batch=4, crop=16, most_steps=60)
    train_vae(parts.vae, people, options, tmp_path / "vae.safetensors", lambda step, loss: losses.append(loss))
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert (tmp_path / "vae.safetensors").exists()


def test_a_decoder_that_learns_alone_leaves_the_latents_as_they_are(tiny, tmp_path):
    people, parts, _ = tiny
    vae = deepcopy(parts.vae).requires_grad_(True)
    options = VaeOptions(minutes=30, batch=4, crop=32, most_steps=60, decoder_only=True)
    train_vae(vae, people, options, tmp_path / "vae.safetensors", lambda step, loss: None)
    for frozen, learned in ((parts.vae.encoder, vae.encoder), (parts.vae.quant_conv, vae.quant_conv)):
        pairs = zip(frozen.parameters(), learned.parameters(), strict=True)
        assert all(torch.equal(before, after) for before, after in pairs)
    latents = [cache_latents(one, people, tmp_path / f"{i}.safetensors") for i, one in enumerate((parts.vae, vae))]
    assert all(same_but_for_rounding(latents[0][domain], latents[1][domain]) for domain in DOMAINS)
    assert psnr(vae, people.normal) > psnr(parts.vae, people.normal)


def test_a_stage_trains_only_its_own_parameters_and_can_be_loaded_again(tiny, tmp_path):
    people, parts, model = tiny
    latents = scaled_latents(parts, people, tmp_path / "latents.safetensors")
    model.requires_grad_(False)
    trained = model.branches["geometry"].branch_parameters("expression")
    for parameter in trained:
        parameter.requires_grad_(True)
    before = {name: value.detach().clone() for name, value in named_tensors(model).items()}
    path = tmp_path / "a.safetensors"
    stage = Stage("a", ("geometry",), DenoiserOptions(batch=4, most_steps=4), path)
    train_denoiser(make_accelerator("auto"), model, stage, Data(people, latents), None, Watch(tmp_path))
    own = {id(p) for p in trained}
    after = named_tensors(model)
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed
    assert all(id(after[name]) in own for name in changed)
    learned = {name: after[name].detach().clone() for name in changed}
    for name in changed:
        after[name].data.copy_(before[name])
    load_average(model, path)
    assert all(torch.equal(after[name], value) for name, value in learned.items())


def test_the_base_stage_leaves_the_text_encoder_as_it_is_so_that_words_stay_apart(small, tmp_path):
    options = parse(["--data", str(tmp_path), "--work", str(tmp_path)])
    model = small.tiny_model()
    next(plan("base", model, options))
    learning = {name for name, value in named_tensors(model).items() if value.requires_grad}
    assert learning and not any(name.startswith(("text_encoder", "vae", "morphable")) for name in learning)
    states, _ = model.encode_text(["person with green hair", "person with blonde hair"])
    assert (states[0] - states[1]).norm() > 0.1 * states[0].norm()
    said = model.descriptors()
    apart = torch.cdist(said, said)[~torch.eye(len(said), dtype=torch.bool)]
    assert apart.min() > 0.05 * said.norm(dim=-1).mean()


def test_dropped_conditions_are_empty_and_kept_ones_are_not(tiny):
    people, _, _ = tiny
    random = torch.Generator().manual_seed(0)
    which = torch.arange(8)
    latents = torch.zeros(len(people.person), 4, 4, 4)
    everything = draw_batch(people, latents, "albedo", which, DenoiserOptions(drop=1.0, drop_all=0.0), random)
    assert everything.captions == [""] * 8
    assert everything.identity.abs().sum() == 0 and everything.camera.abs().sum() == 0
    assert everything.no_expression.all()
    nothing = draw_batch(people, latents, "albedo", which, DenoiserOptions(drop=0.0, drop_all=0.0), random)
    assert all("albedo map" in text for text in nothing.captions)
    assert torch.allclose(nothing.identity.norm(dim=-1), torch.ones(8, 1), atol=1e-5)
    assert not nothing.no_expression.any() and (nothing.camera.norm(dim=-1) > 0.9).all()


def test_whitened_embeddings_are_told_apart_however_alike_they_are():
    torch.manual_seed(0)
    parts = tiny_base(TEST_SPEC, train.known_words())
    branches = new_branches(parts.unet, 8, TEST_SPEC.text_width)
    embeddings = torch.nn.functional.normalize(torch.randn(500, 8) * torch.linspace(0.2, 1, 8) * 0.01 + 2, dim=-1)
    layer = branches.projection.image_projection_layers[0]
    assert layer(embeddings).std(0).mean() < 0.1
    whiten(branches, "identity", embeddings)
    first = layer.ff.net[0].proj
    hidden = embeddings @ first.weight.T + first.bias
    assert torch.allclose(hidden.mean(0), torch.zeros(16), atol=1e-3)
    assert 0.5 < hidden.std(0).mean() < 2
    assert layer(embeddings).std(0).mean() > 0.5


def test_the_face_counts_more_where_it_is():
    weight = face_weight(torch.tensor([0.0, 45.0, -90.0, 180.0]), 16, 4.0)[:, 0]
    assert torch.allclose(weight.mean((1, 2)), torch.ones(4)) and weight.max() < 4
    assert weight[0].argmax() == 7 * 16 + 7 and torch.allclose(weight[0], weight[0].flip(1), atol=1e-5)
    columns = weight.max(1).values.argmax(1)  # a camera on the person's left sees the face on the left of its picture
    assert columns[1] < 7 < columns[2]
    assert torch.equal(weight[3], torch.ones(16, 16))
    assert torch.equal(face_weight(torch.zeros(1), 8, 1.0), torch.ones(1, 1, 8, 8))


def test_the_loss_is_the_error_of_what_the_base_predicts():
    scheduler, latents = noise_scheduler(), torch.randn(3, 4, 8, 8)
    assert scheduler.config.prediction_type == "v_prediction"
    timesteps, nothing = torch.tensor([10, 500, 990]), torch.zeros(3, dtype=torch.int64)
    unsaid = (["", "", ""], torch.zeros(3, 1, 2), nothing, nothing.bool(), torch.zeros(3, 3))
    batch = Batch(latents, *unsaid, torch.ones(3, 1, 8, 8))
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(4))
    alpha_bar = scheduler.alphas_cumprod[timesteps].view(3, 1, 1, 1)
    velocity = alpha_bar.sqrt() * noise - (1 - alpha_bar).sqrt() * latents
    given = (scheduler, "geometry", batch, timesteps)
    error = prediction_error(lambda *_: velocity + 0.1, *given, torch.Generator().manual_seed(4))
    assert torch.allclose(error, torch.full((3,), 0.01), atol=1e-5)
    # predicted noise = sqrt(alpha_bar) velocity + sqrt(1 - alpha_bar) noisy, so its error is alpha_bar times as large
    assert torch.allclose(in_noise(error, scheduler, timesteps), 0.01 * alpha_bar.flatten(), atol=1e-5)
    assert torch.equal(in_velocity(error, scheduler, timesteps), error)
    published = DDIMScheduler.from_config(scheduler.config, prediction_type="epsilon")
    plain = (published, *given[1:])
    error = prediction_error(lambda *_: noise + 0.1, *plain, torch.Generator().manual_seed(4))
    assert torch.allclose(error, torch.full((3,), 0.01), atol=1e-5)
    assert torch.equal(in_noise(error, published, timesteps), error)
    assert torch.allclose(in_velocity(error, published, timesteps) * alpha_bar.flatten(), error)


def test_a_mean_embedding_skips_portraits_without_a_face():
    good = torch.nn.functional.normalize(torch.ones(1, 1, 4), dim=-1)
    mean = mean_embedding(torch.cat([good, torch.zeros(1, 1, 4)], 1))
    assert torch.allclose(mean, good[:, 0])


def test_while_training_an_identity_is_the_unit_mean_of_a_random_subset_that_is_never_empty():
    embedding = torch.nn.functional.normalize(torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    embedding[0, 2] = 0  # no face was found
    first, second = embedding[0, :2]
    random = torch.Generator().manual_seed(1)
    drawn = mean_embedding(embedding.expand(200, -1, -1), random)
    assert torch.allclose(drawn.norm(dim=-1), torch.ones(200), atol=1e-5)
    possible = torch.nn.functional.normalize(torch.stack([first, second, first + second]), dim=-1)
    nearest = (drawn @ possible.T).max(-1)
    assert torch.allclose(nearest.values, torch.ones(200), atol=1e-5)
    assert all(count > 20 for count in nearest.indices.bincount(minlength=3))
    assert not torch.equal(drawn, mean_embedding(embedding.expand(200, -1, -1), random))


def test_a_dataset_is_the_same_for_the_same_seed_and_can_be_read(small_ict, tmp_path):
    from idto3d.training import synthesize

    for name in ("a", "b"):
        told = synthesize.SynthesisOptions(small_ict, tmp_path / name, people=2, views=2, portraits=1, size=32)
        (tmp_path / name).mkdir()
        synthesize.draw_shard((told, 0))
    first, second = (tmp_path / name / "0000.safetensors" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    words = json.loads((tmp_path / "a" / "0000.json").read_text())["people"][0]
    assert words["subject"].startswith("person with") and "normal map" in words["captions"][0][0]
    people = read_people(tmp_path / "a", embedded=False)
    assert people.normal.shape == (4, 32, 32, 3) and people.person.tolist() == [0, 0, 1, 1]
