"""How each domain is asked: its own scale, background, words for views, strength of the identity, and LoRA."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from idto3d.bundle.asking import Asking
from idto3d.guidance.asked import likeness_at, settled
from idto3d.guidance.conditions import joined
from idto3d.guidance.distillation import Distillation, Term, distil
from idto3d.guidance.prediction import Guidance
from idto3d.words.prompts import VIEWS, view_word

TIMESTEPS = torch.tensor([30, 999])
HOW = Distillation("sds", 7.0)
CAMERA = torch.tensor([[0.0, 1.0, 0.0], [0.0, -1.0, 0.1]])


def with_asking(bundle, lambda_id=None, **domains) -> Guidance:
    return Guidance(replace(bundle, info=replace(bundle.info, asking=domains)), lambda_id)


def asked(guidance, **more):
    identity = torch.linspace(-1, 1, guidance.info.identity_encoder.dimension)
    prompts = ["a front view normal map", "a back view normal map"]
    return guidance.conditions(prompts, "albedo", identity, ["jaw open", "a face"], CAMERA, **more)


def noisy(guidance) -> torch.Tensor:
    return torch.randn(guidance.latent_shape(2), generator=torch.Generator().manual_seed(9))


def predicted(guidance, domain="geometry", **more):
    return guidance.predict(domain, noisy(guidance), TIMESTEPS, asked(guidance, **more))


def test_what_a_domain_leaves_open_is_as_the_bundle_says_and_a_given_strength_is_for_all(info):
    info = replace(info, lambda_id=0.9, guidance_scale=5.0, asking={"geometry": Asking(50.0, lambda_id=0.2)})
    geometry, albedo = settled(info, "geometry"), settled(info, "albedo")
    assert (geometry.guidance_scale, geometry.lambda_id) == (50.0, 0.2)
    assert (albedo.guidance_scale, albedo.lambda_id, albedo.views) == (5.0, 0.9, VIEWS)
    assert [settled(info, domain, 0.0).lambda_id for domain in ("geometry", "albedo")] == [0.0, 0.0]


def test_words_for_views_are_those_of_equal_sectors_towards_the_persons_left():
    four = ("front", "left side", "back", "right side")
    angles = {0.0: 0, 44.0: 0, 46.0: 1, 90.0: 1, 134.0: 1, 136.0: 2, 180.0: 2, -136.0: 2, -134.0: 3, -46.0: 3, 316.0: 0}
    assert [view_word(angle, four) for angle in angles] == [four[place] for place in angles.values()]
    assert [view_word(angle) for angle in (0.0, 44.0, 91.0, -90.0)] == [
        "front",
        "front left",
        "left side",
        "right side",
    ]
    assert view_word(170.0, ("any",)) == "any"


def test_likeness_falls_evenly_between_two_turns_on_both_sides():
    fades = Asking(identity_fades_deg=(60.0, 110.0))
    shares = [likeness_at(fades, angle) for angle in (0.0, 60.0, 85.0, -85.0, 275.0, 110.0, 180.0)]
    assert shares == [1.0, 1.0, 0.5, 0.5, 0.5, 0.0, 0.0]
    assert likeness_at(Asking(identity_fades_deg=(90.0, 90.0)), 91.0) == 0.0
    assert likeness_at(Asking(), 180.0) == 1.0


def test_each_domain_has_its_own_strengths(bundle):
    own = with_asking(bundle, geometry=Asking(lambda_id=0.0), albedo=Asking(lambda_id=0.4))
    for domain, strength in (("geometry", 0.0), ("albedo", 0.4)):
        assert torch.equal(predicted(own, domain)[0], predicted(Guidance(bundle, strength), domain)[0])


def test_a_lora_has_its_weight_and_comes_back_exactly(bundle):
    whole = predicted(Guidance(bundle))[0]
    none, half = (predicted(with_asking(bundle, geometry=Asking(lora=weight)))[0] for weight in (0.0, 0.5))
    assert not torch.allclose(whole, half, atol=1e-4) and not torch.allclose(none, half, atol=1e-4)
    bundle.parts.unet.disable_adapters()
    assert torch.equal(predicted(with_asking(bundle, geometry=Asking(lora=0.0)))[0], none)
    assert torch.equal(predicted(Guidance(bundle))[0], whole)
    assert not any(parameter.requires_grad for parameter in bundle.parts.unet.parameters())


def test_likeness_fades_picture_by_picture_in_both_halves_of_the_answer(bundle):
    guidance = Guidance(bundle)
    whole, nobody = predicted(guidance), predicted(Guidance(bundle, 0.0))
    faded = predicted(guidance, likeness=(1.0, 0.0))
    for faded_half, whole_half, nobody_half in zip(faded, whole, nobody, strict=True):
        assert torch.allclose(faded_half[0], whole_half[0], atol=1e-5)
        assert torch.allclose(faded_half[1], nobody_half[1], atol=1e-5)
        assert not torch.allclose(whole_half[1], nobody_half[1], atol=1e-3)
    halved, weak = predicted(guidance, likeness=(0.5, 0.5)), predicted(Guidance(bundle, 0.5))
    assert torch.allclose(halved[0], weak[0], atol=1e-5)
    assert torch.equal(predicted(guidance, likeness=(1.0, 1.0))[0], whole[0])


def test_conditions_join_in_order_with_their_likeness(guidance):
    fading, whole = asked(guidance, likeness=(1.0, 0.25)), asked(guidance)
    both = joined([whole, fading])
    assert both.likeness == (1.0, 1.0, 1.0, 0.25) and len(both) == 4
    assert torch.equal(both.text[2:], fading.text) and joined([whole, whole]).likeness is None


def test_the_empty_picture_has_the_background_of_its_domain(bundle):
    guidance = with_asking(bundle, geometry=Asking(background="black"))
    assert (guidance.background("geometry"), guidance.background("albedo")) == (0.0, 1.0)
    for domain, level in (("geometry", 0.0), ("albedo", 1.0)):
        _, empty = guidance.morphable_latents(domain, asked(guidance))
        assert torch.equal(empty[0], guidance.encode(torch.full((1, 3, 32, 32), level))[0])
        assert (guidance.morphable_pictures(domain, asked(guidance))[:, :, 0, 0] == level).all()


def test_samples_are_drawn_at_the_scale_of_their_domain(bundle):
    own = with_asking(bundle, geometry=Asking(guidance_scale=3.0))

    def drawn(guidance, domain, scale=None):
        return guidance.sample(domain, asked(guidance), 2, torch.Generator().manual_seed(0), scale)

    assert torch.equal(drawn(own, "geometry"), drawn(Guidance(bundle), "geometry", 3.0))
    assert torch.equal(drawn(own, "albedo"), drawn(Guidance(bundle), "albedo"))


@pytest.fixture
def encodings(monkeypatch):
    """The pictures that are encoded."""
    seen, encode = [], Guidance.encode
    monkeypatch.setattr(Guidance, "encode", lambda self, images: seen.append(images) or encode(self, images))
    return seen


def gradient(terms, images, timesteps=TIMESTEPS, how=HOW):
    leaf = images.clone().requires_grad_()
    generator = torch.Generator().manual_seed(6)
    distil([term(leaf) for term in terms], "geometry", leaf, timesteps, generator, how).backward()
    return leaf.grad


def test_a_term_has_its_own_scale_timesteps_and_pictures(guidance, encodings):
    images, conditions = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(5)), asked(guidance)
    plain = gradient([lambda leaf: Term(guidance, 1.0, conditions)], images)
    scaled = gradient([lambda leaf: Term(guidance, 1.0, conditions, guidance_scale=3.0)], images)
    assert torch.equal(
        scaled, gradient([lambda leaf: Term(guidance, 1.0, conditions)], images, how=Distillation("sds", 3.0))
    )
    assert not torch.allclose(scaled, plain)
    later = torch.tensor([500, 600])
    timed = gradient([lambda leaf: Term(guidance, 1.0, conditions, timesteps=later)], images)
    assert torch.equal(timed, gradient([lambda leaf: Term(guidance, 1.0, conditions)], images, later))
    shown = gradient([lambda leaf: Term(guidance, 1.0, conditions, images=1 - leaf)], images)
    assert torch.equal(shown, -gradient([lambda leaf: Term(guidance, 1.0, conditions)], 1 - images))


def test_pictures_that_are_seen_through_one_vae_are_encoded_once(guidance, bundle, encodings):
    images, conditions = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(5)), asked(guidance)
    guidance.morphable_latents("geometry", conditions)
    encodings.clear()
    common, own = Term(guidance, 1.0, conditions), partial(Term, guidance, 1.0, conditions)
    gradient([lambda leaf: common] * 2, images)
    assert len(encodings) == 1
    gradient([lambda leaf: common, lambda leaf: own(images=1 - leaf)], images)
    assert len(encodings) == 3
