"""The guidance as a whole: conditions in one order, predictions, v-prediction, sampling and its error measure."""

from dataclasses import replace

import pytest
import torch
from diffusers import DDIMScheduler
from rounding import same_but_for_rounding

from idto3d.guidance.loading import load_bundle
from idto3d.guidance.networks.branches import detach
from idto3d.guidance.prediction import Guidance

PROMPTS = ["a front view normal map", "a back view normal map"]
TIMESTEPS = torch.tensor([30, 999])


CAMERA = torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.1]])


def asked(guidance, prompts=PROMPTS, expressions=("jaw open", "a face"), identity_scale: float = 1.0, camera=CAMERA):
    identity = identity_scale * torch.linspace(-1, 1, guidance.info.identity_encoder.dimension)
    return guidance.conditions(prompts, "albedo", identity, list(expressions), camera)


def noisy(guidance) -> torch.Tensor:
    return torch.randn(guidance.latent_shape(2), generator=torch.Generator().manual_seed(9))


def as_noise(guidance, velocity: torch.Tensor) -> torch.Tensor:
    """The noise that a predicted velocity means: `sqrt(alpha_bar) velocity + sqrt(1 - alpha_bar) noisy`."""
    level = guidance.bundle.parts.scheduler.alphas_cumprod[TIMESTEPS].reshape(2, 1, 1, 1)
    return level.sqrt() * velocity + (1 - level).sqrt() * noisy(guidance)


def test_one_call_answers_like_two_separate_ones(guidance):
    wanted = asked(guidance)
    cond, uncond = guidance.predict("geometry", noisy(guidance), TIMESTEPS, wanted)
    unet, head = guidance.bundle.parts.unet, guidance.bundle.parts.morphable

    def alone(text, said, identity, expression, camera):
        embeds = {"image_embeds": [identity[:, None], expression[:, None]]}
        with torch.no_grad():
            seen = head("geometry", said * text.mean(1), identity, expression, camera, (1.0, 0.7))
            both = torch.cat([noisy(guidance), guidance.encode(seen)], 1)
            velocity = unet(both, TIMESTEPS, text, added_cond_kwargs=embeds).sample
        return as_noise(guidance, velocity)

    given = (wanted.identity, wanted.expression, wanted.camera)
    zeros = tuple(torch.zeros_like(one) for one in given)
    assert torch.allclose(cond, alone(wanted.text, 1, *given), atol=1e-5)
    assert torch.allclose(uncond, alone(wanted.negative, 0, *zeros), atol=1e-5)
    assert not torch.allclose(cond, uncond, atol=1e-3)


def test_every_condition_reaches_its_own_picture_only(guidance):
    before, unconditional = guidance.predict("geometry", noisy(guidance), TIMESTEPS, asked(guidance))
    for changed in (
        asked(guidance, prompts=[PROMPTS[0], "a left side view"]),
        asked(guidance, expressions=("jaw open", "jaw")),
        asked(guidance, camera=torch.tensor([[0.0, 1.0, 0.0], [0.5, -0.8, 0.1]])),
    ):
        after, same = guidance.predict("geometry", noisy(guidance), TIMESTEPS, changed)
        assert torch.allclose(after[0], before[0], atol=1e-6)
        assert not torch.allclose(after[1], before[1], atol=1e-6)
        assert torch.allclose(same, unconditional, atol=1e-6)
    after, same = guidance.predict("geometry", noisy(guidance), TIMESTEPS, asked(guidance, identity_scale=3.0))
    assert not torch.allclose(after, before, atol=1e-4)
    assert torch.allclose(same, unconditional, atol=1e-6)


def test_conditions_of_the_wrong_size_are_refused(guidance):
    with pytest.raises(ValueError, match="identity"):
        guidance.conditions(PROMPTS, "", torch.zeros(99), ["a face"] * 2)
    with pytest.raises(ValueError, match="expressions"):
        asked(guidance, expressions=("a face",))


def test_an_identity_may_come_as_the_encoders_own_array(guidance):
    identity = torch.linspace(-1, 1, guidance.info.identity_encoder.dimension)
    found = guidance.conditions(PROMPTS, "", identity.numpy(), ["a face"] * 2)
    assert torch.equal(found.identity, identity.expand(2, -1))


def test_a_text_is_encoded_once(guidance, monkeypatch):
    asked(guidance)
    monkeypatch.setattr(guidance.bundle.parts.text_encoder, "forward", None)
    asked(guidance)


def test_a_word_is_sent_in_the_form_that_the_vocabulary_holds(guidance):
    assert "a" in guidance.info.vocabulary and "an" not in guidance.info.vocabulary
    assert guidance.info.unknown_words("an elf") == ["elf"]
    mine, plain = (asked(guidance, prompts=[f"{article} open jaw"] * 2).text for article in ("an", "a"))
    assert torch.equal(mine, plain)
    assert not torch.equal(mine, asked(guidance, prompts=["elf open jaw"] * 2).text)


def test_the_domains_answer_differently_and_come_back_exactly(guidance, bundle):
    first, _ = guidance.predict("geometry", noisy(guidance), TIMESTEPS, asked(guidance))
    other, _ = guidance.predict("albedo", noisy(guidance), TIMESTEPS, asked(guidance))
    again, _ = guidance.predict("geometry", noisy(guidance), TIMESTEPS, asked(guidance))
    assert same_but_for_rounding(first, again) and not torch.allclose(first, other)
    neighbour = Guidance(bundle)
    neighbour.predict("albedo", noisy(guidance), TIMESTEPS, asked(guidance))
    again, _ = guidance.predict("geometry", noisy(guidance), TIMESTEPS, asked(guidance))
    assert same_but_for_rounding(first, again)


def test_strengths_come_from_the_bundle_unless_given(bundle):
    plain, strong, off = Guidance(bundle), Guidance(bundle, lambda_exp=3.0), Guidance(bundle, 0.0, 0.0)
    assert (plain.asking("geometry").lambda_id, plain.lambda_exp) == (1.0, 0.7)
    answers = [g.predict("geometry", noisy(g), TIMESTEPS, asked(g))[0] for g in (plain, strong, off)]
    assert not torch.allclose(answers[0], answers[1])
    detach(bundle.parts.unet)
    nobody = replace(asked(off), identity=torch.zeros(2, 6), expression=0 * asked(off).expression)
    with torch.no_grad():
        both = torch.cat([noisy(off), plain.morphable_latents("geometry", nobody)[0]], 1)
        base = bundle.parts.unet(both, TIMESTEPS, asked(off).text).sample
    assert torch.allclose(as_noise(off, base), answers[2], atol=1e-5)


def test_a_prediction_of_noise_is_taken_as_it_is(guidance):
    before, _ = guidance.predict("geometry", noisy(guidance), TIMESTEPS, asked(guidance))
    config = {**guidance.bundle.parts.scheduler.config, "prediction_type": "epsilon"}
    parts = replace(guidance.bundle.parts, scheduler=DDIMScheduler.from_config(config))
    plain = Guidance(replace(guidance.bundle, parts=parts))
    found, _ = plain.predict("geometry", noisy(guidance), TIMESTEPS, asked(guidance))
    assert torch.allclose(before, as_noise(guidance, found), atol=1e-5)


def test_encoding_has_a_gradient_and_decoding_has_the_right_range(guidance):
    images = torch.rand(2, 3, 32, 32, requires_grad=True)
    latents = guidance.encode(images)
    assert latents.shape == guidance.latent_shape(2) and latents.dtype == torch.float32
    (gradient,) = torch.autograd.grad(latents.square().sum(), images)
    assert gradient.abs().sum() > 0
    decoded = guidance.decode(100 * latents.detach())
    assert decoded.shape == images.shape and decoded.min() >= 0 and decoded.max() <= 1


def test_the_latent_scale_is_undone_by_decoding(guidance):
    images = torch.rand(1, 3, 32, 32)
    plain, shown = guidance.encode(images), guidance.decode(guidance.encode(images))
    vae = guidance.bundle.parts.vae
    vae.register_to_config(scaling_factor=0.5)
    try:
        assert torch.allclose(guidance.encode(images), 0.5 * plain)
        assert torch.allclose(guidance.decode(guidance.encode(images)), shown, atol=1e-6)
    finally:
        vae.register_to_config(scaling_factor=1.0)


@pytest.mark.parametrize("known", [False, True])
def test_sampling_agrees_with_diffusers_own_ddim(guidance, known):
    """From pure noise; with known cameras from the morphable head's pictures, whose lost detail is put back."""
    wanted, steps = asked(guidance, camera=CAMERA if known else torch.zeros(2, 3)), 4
    found = guidance.sample("geometry", wanted, steps, torch.Generator().manual_seed(0), 2.0)
    changes = {"timestep_spacing": "trailing", "set_alpha_to_one": True, "prediction_type": "epsilon"}
    scheduler = DDIMScheduler.from_config({**guidance.bundle.parts.scheduler.config, **changes})
    scheduler.set_timesteps(40 if known else 4)
    visited = scheduler.timesteps[-steps:]
    latents = torch.randn(guidance.latent_shape(2), generator=torch.Generator().manual_seed(0))
    lost = 0
    if known:
        assert visited[0] == 99
        begun = guidance.morphable_latents("geometry", wanted)[0]
        latents = scheduler.add_noise(begun, latents, visited[:1])
        lost = guidance.morphable_pictures("geometry", wanted) - guidance.decode(begun)
    for timestep in visited:
        cond, uncond = guidance.predict("geometry", latents, timestep.repeat(2), wanted)
        latents = scheduler.step(uncond + 2.0 * (cond - uncond), timestep, latents).prev_sample
    assert torch.allclose(found, (guidance.decode(latents) + lost).clamp(0, 1), atol=1e-4)
    assert same_but_for_rounding(
        found, guidance.sample("geometry", wanted, steps, torch.Generator().manual_seed(0), 2.0)
    )


def test_the_denoising_error_is_the_distance_to_the_true_noise(guidance):
    images, wanted = torch.rand(2, 3, 32, 32), asked(guidance)
    noise = torch.randn(guidance.latent_shape(2))
    found = guidance.denoising_error("albedo", images, wanted, TIMESTEPS, noise)
    mixed = guidance.add_noise(guidance.encode(images), noise, TIMESTEPS)
    predicted, _ = guidance.predict("albedo", mixed, TIMESTEPS, wanted)
    assert torch.allclose(found, ((predicted - noise) ** 2).mean(dim=(1, 2, 3)))
    assert found.shape == (2,)


def test_half_precision_stays_inside(pristine_folder, guidance):
    half = Guidance(load_bundle(pristine_folder, torch.device("cpu"), torch.bfloat16))
    images = torch.rand(2, 3, 32, 32, requires_grad=True)
    latents = half.encode(images)
    cond, uncond = half.predict("albedo", latents.detach(), TIMESTEPS, asked(half))
    exact, _ = guidance.predict("albedo", guidance.encode(images).detach(), TIMESTEPS, asked(guidance))
    assert (
        latents.dtype
        == cond.dtype
        == uncond.dtype
        == half.sample("albedo", asked(half), 1, torch.Generator()).dtype
        == torch.float32
    )
    assert torch.nn.functional.cosine_similarity(cond.flatten(), exact.flatten(), 0) > 0.99
