"""A head that grows asks each guidance in its own way: what is said, at which scale, about which pictures."""

import shutil
from dataclasses import dataclass, field, replace

import pytest
import torch
from small_heads import run, small

from benchmarks.tiny_bundle import DIMENSION
from idto3d import pipeline
from idto3d.bundle.asking import Asking
from idto3d.bundle.info import read_info, write_info
from idto3d.config import GuidanceOptions
from idto3d.events import StepDone
from idto3d.guidance import distillation
from idto3d.guidance.loading import load_bundle
from idto3d.guidance.prediction import Guidance
from idto3d.stages.models import plain_wish
from idto3d.stages.wish import Companion, draw_views, terms
from idto3d.words.prompts import DOMAINS

FOUR = ("front", "left side", "back", "right side")
GEOMETRY = Asking(50.0, "ugly", "black", FOUR, lambda_id=0.5, identity_fades_deg=(0.0, 1.0))
DEPTH = Asking(40.0, "flat", "black", ("view",))


@dataclass
class Heard:
    """What the guidances were asked: terms in order, and prompts, negative prompts and likeness by their tensors."""

    terms: list = field(default_factory=list)
    said: list = field(default_factory=list)


@pytest.fixture
def weights(tiny_bundle, tmp_path):
    """A tiny bundle whose geometry is asked in its own way."""
    folder = shutil.copytree(tiny_bundle, tmp_path / "own")
    write_info(replace(read_info(folder), asking={"geometry": GEOMETRY}), folder)
    return folder


@pytest.fixture
def heard(weights, fit_once, tmp_path, monkeypatch):
    """A function that makes a head up to its last step of texture, with a depth guidance beside."""
    bundle, wished = load_bundle(weights, torch.device("cpu"), torch.float32), pipeline.make_wish
    info = replace(bundle.info, prompts={"geometry": "a {view} depth of {subject}"}, asking={"geometry": DEPTH})
    beside = (Companion(Guidance(replace(bundle, info=info)), "geometry", "depth", 0.5),)
    found, gradient, conditions = Heard(), distillation.latents_gradient, Guidance.conditions

    def watched(term, *rest):
        found.terms.append(term)
        return gradient(term, *rest)

    def listened(self, prompts, negative, identity, expressions, camera=None, likeness=None):
        found.said.append((prompts, negative, likeness))
        return conditions(self, prompts, negative, identity, expressions, camera, likeness)

    def grow():
        monkeypatch.setattr(pipeline, "make_wish", lambda *given: replace(wished(*given), beside=beside))
        monkeypatch.setattr(distillation, "latents_gradient", watched)
        monkeypatch.setattr(Guidance, "conditions", listened)
        monkeypatch.setattr(pipeline, "fit_head", fit_once)
        options = small(weights)
        options = replace(
            options,
            shape=replace(options.shape, steps=2),
            material=replace(options.material, steps=2, refine_steps=1, lit_share=1.0),
        )
        events = run(options, tmp_path / "head")
        for event in events:
            if isinstance(event, StepDone) and (event.stage, event.step) == ("material", 2):
                break
        events.close()
        return found

    return grow


def corners(images):
    return images[:, :, 0, 0].unique().tolist()


def test_each_guidance_is_asked_in_its_own_way(heard):
    asked = heard()
    normal, depth, albedo = asked.terms[0:4:2], asked.terms[1:4:2], asked.terms[4:]
    assert [term.guidance_scale for term in (*normal, *depth, *albedo)] == [50.0] * 2 + [40.0] * 2 + [7.5] * 2
    assert [term.weight for term in (normal[0], depth[0])] == [1.0, 0.5]
    assert [corners(term.images) for term in (*normal, *depth, *albedo)] == [[0.0]] * 4 + [[1.0]] * 2
    assert torch.equal(depth[0].images[:, 0], depth[0].images[:, 2]) and depth[0].images.max() > 0.9
    assert not torch.equal(normal[0].images[:, 0], normal[0].images[:, 2])
    assert any(not torch.equal(one.timesteps, other.timesteps) for one, other in zip(normal, depth, strict=True))
    for place, ((prompts, negative, likeness), term) in enumerate(zip(asked.said, asked.terms, strict=True)):
        own = term.guidance.asking("geometry" if place < 4 else "albedo")
        assert negative == own.negative_prompt and all(any(view in text for view in own.views) for text in prompts)
        assert (0.0 in likeness) == (place in (0, 2)) and term.conditions.likeness == tuple(likeness)


def test_words_and_a_scale_of_the_users_take_the_place_of_the_bundles(weights, monkeypatch):
    guidance, said = Guidance(load_bundle(weights, torch.device("cpu"), torch.float32)), []
    conditions = guidance.conditions
    monkeypatch.setattr(
        guidance, "conditions", lambda texts, no, *rest: said.append(no) or conditions(texts, no, *rest)
    )
    options, nobody = replace(small(weights), negative_prompt="beard"), torch.zeros(DIMENSION)
    wish = plain_wish("person", nobody, options, GuidanceOptions(guidance_scale=2.0), guidance)
    views = draw_views(wish, 2, torch.Generator().manual_seed(0))
    for domain in DOMAINS:
        (term,) = terms(wish, domain, views)
        assert term.guidance_scale == 2.0 and said.pop() == "beard"
    silent = replace(wish, guidance_scale=None, negative_prompt="")
    assert [terms(silent, domain, views)[0].guidance_scale for domain in DOMAINS] == [50.0, 7.5]
    assert said == ["ugly", ""]
    halved = replace(silent, words=0.5)
    assert [terms(halved, domain, views)[0].guidance_scale for domain in DOMAINS] == [25.0, 3.75]
