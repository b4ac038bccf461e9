"""Distillation gradients against the written-out formula, by autograd, on a tiny model."""

import pytest
import torch

from idto3d.guidance.distillation import (
    Distillation,
    Term,
    distil,
    distillation_gradient,
    draw_noise,
    sds_loss,
)

DRAW = torch.Generator().manual_seed(4)
COND, UNCOND, NOISE = (torch.randn(2, 4, 3, 3, generator=DRAW) for _ in range(3))
ALPHA_BAR = torch.tensor([0.9, 0.2])[:, None, None, None]


@pytest.fixture
def asked(guidance):
    prompts = ["a front view normal map", "a back view normal map"]
    identity = torch.linspace(-1, 1, guidance.info.identity_encoder.dimension)
    return guidance.conditions(prompts, "albedo", identity, ["jaw open", "a face"])


@pytest.mark.parametrize("form", ["sds", "sds_shared"])
def test_sds_is_the_weighted_difference_to_the_noise(form):
    found = distillation_gradient(Distillation(form, 7.0), COND, UNCOND, NOISE, ALPHA_BAR)
    assert torch.equal(found, (1 - ALPHA_BAR) * (UNCOND + 7.0 * (COND - UNCOND) - NOISE))


def test_csd_is_the_weighted_classifier_score_and_knows_no_noise():
    how = Distillation("csd", 7.0)
    found = distillation_gradient(how, COND, UNCOND, NOISE, ALPHA_BAR)
    assert torch.equal(found, (1 - ALPHA_BAR) * (COND - UNCOND))
    assert torch.equal(found, distillation_gradient(how, COND, UNCOND, 5 * NOISE, ALPHA_BAR))


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="form"):
        Distillation("ism")


def test_shared_noise_is_the_same_for_all_views():
    shared = draw_noise("sds_shared", (3, 4, 5, 5), torch.Generator().manual_seed(0))
    own = draw_noise("sds", (3, 4, 5, 5), torch.Generator().manual_seed(0))
    assert shared.shape == own.shape == (3, 4, 5, 5)
    assert torch.equal(shared[0], shared[2]) and not torch.equal(own[0], own[2])


def test_the_losss_gradient_is_the_given_one_over_b():
    latents = COND.clone().requires_grad_()
    sds_loss(latents, UNCOND).backward()
    assert torch.equal(latents.grad, UNCOND / 2)


def test_a_non_finite_gradient_shows_in_the_loss():
    broken = UNCOND.clone()
    broken[0, 0, 0, 0] = float("nan")
    assert not torch.isfinite(sds_loss(COND, broken))


@pytest.mark.parametrize("form", ["sds", "csd", "sds_shared"])
def test_images_get_the_gradient_of_the_formula_through_the_encoder(guidance, asked, form):
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    timesteps, how = torch.tensor([50, 700]), Distillation(form, 3.0)
    leaf = images.clone().requires_grad_()
    distil([Term(guidance, 2.0, asked)], "geometry", leaf, timesteps, torch.Generator().manual_seed(6), how).backward()

    latents, pull = torch.func.vjp(guidance.encode, images)
    noise = draw_noise(form, latents.shape, torch.Generator().manual_seed(6))
    level = guidance.bundle.parts.scheduler.alphas_cumprod[timesteps].reshape(2, 1, 1, 1)
    noisy = level.sqrt() * latents + (1 - level).sqrt() * noise
    cond, uncond = guidance.predict("geometry", noisy, timesteps, asked)
    score = cond - uncond if form == "csd" else uncond + 3.0 * (cond - uncond) - noise
    (expected,) = pull(2.0 * (1 - level) * score / 2)
    assert leaf.grad.abs().max() > 1e-3
    assert torch.allclose(leaf.grad, expected, rtol=1e-4, atol=1e-5)


def test_several_guidances_add_up_by_weight(guidance, asked):
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(7))

    def gradient(weights: list[float]) -> torch.Tensor:
        leaf = images.clone().requires_grad_()
        terms = [Term(guidance, weight, asked) for weight in weights]
        generator = torch.Generator().manual_seed(8)
        distil(terms, "albedo", leaf, torch.tensor([100, 300]), generator, Distillation("csd")).backward()
        return leaf.grad

    one = gradient([1.0])
    two = gradient([1.0, 0.0])
    assert torch.allclose(one, two)
    assert not torch.allclose(gradient([1.0, 1.0]), one)


def test_distilling_leaves_no_gradient_on_the_guidance(guidance, asked):
    images = torch.rand(2, 3, 32, 32, requires_grad=True)
    for domain in ("geometry", "albedo"):
        generator = torch.Generator().manual_seed(0)
        distil([Term(guidance, 1.0, asked)], domain, images, torch.tensor([1, 2]), generator, Distillation()).backward()
    parts = guidance.bundle.parts
    networks = [parts.unet, parts.vae, parts.text_encoder, *guidance.bundle.branches.values()]
    for network in networks:
        assert all(p.grad is None and not p.requires_grad for p in network.parameters())
