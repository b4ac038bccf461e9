"""Every preset with published weights: tiny twins of them move a surface off its start, in the weights' own way."""

import json
from dataclasses import replace

import pytest
import torch
import twins
from small_heads import few_expressions

from idto3d.bundle.find import find_bundle
from idto3d.bundle.resolved import resolved
from idto3d.config import PRESETS, HashGridOptions, preset
from idto3d.events import exhausted
from idto3d.fields.template_shape import TemplateShape
from idto3d.fields.tetrahedral import TetrahedralShape
from idto3d.guidance import distillation
from idto3d.guidance.prediction import Guidance
from idto3d.head.start import start_of
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.render.backend import make_rasterizer
from idto3d.stages.fit import fit_head
from idto3d.stages.models import load_models, make_wish
from idto3d.stages.shape import grow_shape

STEPS = 1
LEAST_MM = 2e-5  # that a single step must move a surface


def of_words(name, folder):
    """A preset as it is, but for how long it takes and how fine its grids are."""
    options = preset(name)
    short = {"steps": STEPS, "resolution": 20, "refresh": 4, "views": 1, "hash_grid": HashGridOptions(log2_size=12)}
    return replace(
        options,
        weights=str(folder),
        device="cpu",
        prompt="old man",
        preview_size=32,
        expressions=("neutral", "smile"),
        shape=replace(options.shape, **short),
        export=replace(options.export, texture_size=64),
    )


@pytest.fixture
def community(hub, tmp_path):
    folder = tmp_path / "community"
    folder.mkdir()
    (folder / "bundle.json").write_text(json.dumps(twins.community(hub, "presets")))
    return folder


def carrier_of(options, models, start, fitted, random):
    """What a preset grows, at its start."""
    if options.shape.carrier == "tets":
        return TetrahedralShape(start, models.prior, options.expressions, options.shape, random)
    return TemplateShape(fitted.rest, len(options.expressions), options.shape, make_rasterizer("cpu"), random)


def strayed_mm(carrier):
    """Root mean square of the way that its networks have moved a surface."""
    return float(carrier.grow([0]).strayed.detach()) ** 0.5


def test_every_preset_moves_a_surface_off_its_start_which_is_the_fitted_template(community, tmp_path, monkeypatch):
    encode, conditions, gradient = Guidance.encode, Guidance.conditions, distillation.latents_gradient
    sides, corners, scales, prompts = set(), set(), set(), set()

    def encoded(self, images):
        sides.add(images.shape[-1])
        corners.update(images[..., 0, 0].flatten().tolist())
        return encode(self, images)

    def asked_with(term, *rest):
        scales.add(term.guidance_scale)
        return gradient(term, *rest)

    monkeypatch.setattr(Guidance, "encode", encoded)
    monkeypatch.setattr(
        Guidance, "conditions", lambda self, said, *rest: prompts.update(said) or conditions(self, said, *rest)
    )
    monkeypatch.setattr(distillation, "latents_gradient", asked_with)
    asked = {name: of_words(name, community) for name in PRESETS}
    models = exhausted(load_models(asked["draft"], None, exhausted(find_bundle(str(community)))))
    start = start_of(None, asked["draft"], models.prior)
    with few_expressions():
        fitted = exhausted(fit_head(None, start, models, asked["draft"]))
    start = replace(start, coefficients=models.prior.code_of(fitted.rest.coefficients))
    face = fitted.rest.head.parts[0].vertices
    face = face[face[:, 2] > 0.06]
    assert models.prior.distance(face, start.coefficients).abs().median() < 0.002  # the start on tetrahedra is the same
    assert start.coefficients.abs().max() > 0.1 and not models.prior.reads_faces  # old, as the words say
    for name in PRESETS:
        options, random = resolved(asked[name], models.guidance.info), torch.Generator().manual_seed(0)
        carrier, wish = carrier_of(options, models, start, fitted, random), make_wish(start, options, models)
        assert strayed_mm(carrier) == 0
        exhausted(grow_shape(wish, carrier, options, Checkpointer(tmp_path / name, 1e9), random))
        assert strayed_mm(carrier) > LEAST_MM, name
        assert options.shape.anchor == models.guidance.info.stages.shape_anchor < 10
    assert (sides, corners, scales) == ({512}, {0.0}, {50.0})
    ends = {prompt.partition("black background, ")[2] for prompt in prompts}
    views = ("front", "left side", "back", "right side")
    assert ends <= {f"{one} map, only head, {view} view" for one in ("normal", "depth") for view in views}
    assert {end.split()[0] for end in ends} == {"normal", "depth"} and "" not in ends
