"""Whole heads from a tiny random model: from words, from a photo, cancelled, resumed, drawn again."""

import json
import shutil
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
import twins
from small_heads import brief, few_expressions, files, run, run_whole, small

from idto3d import pipeline
from idto3d.bundle.find import find_bundle
from idto3d.bundle.info import EncoderInfo
from idto3d.config import (
    ExportOptions,
    GuidanceOptions,
    MaterialOptions,
    RenderOptions,
    ShapeOptions,
    SubjectOptions,
)
from idto3d.errors import UserError
from idto3d.events import Finished, LikenessMeasured, Notice, Preview, StepDone, exhausted
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.recipe import recipe_of
from idto3d.guidance import distillation as sds
from idto3d.head.start import start_of
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.stages.models import load_encoder, load_models, make_wish
from idto3d.stages.notices import notices
from idto3d.stages.saved import load_head
from idto3d.subject.encoders import make_encoder
from idto3d.subject.identity.identity_file import save_identity
from idto3d.subject.identity.portrait_net import PortraitNet, PortraitSize


@pytest.fixture
def options(tiny_bundle):
    return small(tiny_bundle)


@pytest.fixture(autouse=True, scope="module")
def one_fit(fit_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "fit_head", fit_once)
        yield


def test_a_photo_is_read_and_the_likeness_measured_or_its_absence_told(photo_head):
    folder, events = photo_head
    told = [e for e in events if isinstance(e, LikenessMeasured) or (isinstance(e, Notice) and "likeness" in e.text)]
    assert len(told) == 1 and isinstance(events[-1], Finished)
    extras = load_asset(folder).provenance
    assert extras["photos"] == 1 and "astronaut" not in json.dumps(extras) and extras["edits"] == []
    assert recipe_of(folder / "head.glb").options == load_head(folder).options


def loaded(options, encoder):
    return exhausted(load_models(options, encoder, exhausted(find_bundle(options.weights))))


def test_a_head_from_weights_of_the_hub_is_refined_by_their_second_guidance(options, tmp_path, hub, monkeypatch):
    bundle = tmp_path / "community"
    bundle.mkdir()
    (bundle / "bundle.json").write_text(json.dumps(twins.community(hub, "pipeline")))
    asked, real = [], sds.latents_gradient
    monkeypatch.setattr(sds, "latents_gradient", lambda term, *rest: asked.append(term) or real(term, *rest))
    short = replace(brief(options), material=replace(options.material, steps=3), weights=str(bundle))
    events = list(run(short, tmp_path / "head"))
    texts = [event.text for event in events if isinstance(event, Notice)]
    assert sum("licence: " in text for text in texts) == 5 and any("asked for in words" in text for text in texts)
    assert any(isinstance(e, StepDone) and e.stage == "weights" for e in events)
    photo = ["DSLR" in term.guidance.info.prompts.get("albedo", "") for term in asked]
    assert photo[-1] and sum(photo) == 1  # of three texture steps the last one is of the refinement
    provenance = load_asset(tmp_path / "head").provenance
    assert provenance["weights"] == "community" and len(provenance["licences"]) == 6
    models = loaded(replace(options, weights=str(bundle), guidance=GuidanceOptions(refinement=False)), Dlib())
    assert models.refinement is None


class Dlib:
    name, dimension = "dlib", 128


def test_another_encoder_is_refused_before_anything_is_fetched(options, tmp_path, hub):
    class Other:
        name, dimension = "other", 512

    with pytest.raises(UserError, match="identity encoder insightface"):
        loaded(replace(options, weights="community"), Other())
    assert hub.requests == []


def found(tiny_bundle, name, dimension=128):
    bundle = exhausted(find_bundle(tiny_bundle))
    return replace(bundle, info=replace(bundle.info, identity_encoder=EncoderInfo(name, dimension)))


def test_the_weights_choose_their_encoder_but_none_with_terms_of_its_own(tiny_bundle, tmp_path):
    assert load_encoder(found(tiny_bundle, "dlib"), "auto").name == "dlib"
    with pytest.raises(UserError, match="subject.encoder=insightface"):
        load_encoder(found(tiny_bundle, "insightface", 512), "auto")
    with pytest.raises(UserError, match="need the identity encoder dlib"):
        load_encoder(found(tiny_bundle, "dlib"), "portrait")
    with pytest.raises(UserError, match="identity.safetensors is missing"):
        load_encoder(found(tiny_bundle, "portrait", 168), "auto")


def test_a_download_of_an_encoder_is_told_before_it_begins_and_none_is_needed_for_words(
    options, tiny_bundle, astronaut, monkeypatch
):
    def begin():
        raise ConnectionError("it began")

    encoder = types.SimpleNamespace(InsightFaceEncoder=begin, DOWNLOAD="300 MB", missing=lambda: True)
    monkeypatch.setitem(sys.modules, "idto3d.subject.identity.insightface_encoder", encoder)
    asked = replace(options, subject=SubjectOptions(encoder="insightface"))
    monkeypatch.setattr(pipeline, "obstacle", lambda name: None)
    assert exhausted(pipeline.meet([], asked, found(tiny_bundle, "insightface", 512))) == (None, None)
    meeting = pipeline.meet([astronaut], asked, found(tiny_bundle, "insightface", 512))
    assert next(meeting) == Notice("300 MB")
    with pytest.raises(ConnectionError, match="it began"):
        next(meeting)
    with pytest.raises(UserError, match="need the identity encoder dlib"):
        next(pipeline.meet([astronaut], asked, found(tiny_bundle, "dlib")))


def test_a_network_of_our_own_is_taken_from_the_weights(tiny_bundle, tmp_path):
    net = PortraitNet(PortraitSize(widths=(8, 8, 8, 8), blocks=(0, 0, 0, 0), hidden=8, modes=3))
    save_identity(net, tmp_path / "identity.safetensors", {})
    ours = replace(found(tiny_bundle, "portrait", 131), folder=tmp_path)
    encoder = load_encoder(ours, "auto")
    assert (encoder.name, encoder.dimension) == ("portrait", 131)
    with pytest.raises(UserError, match=r"portrait \(131 numbers\) is in use"):
        load_encoder(replace(found(tiny_bundle, "portrait", 168), folder=tmp_path), "auto")


TEMPLATE = {"skin", "eye_left", "eye_right", "teeth", "gums_tongue", "lashes", "hair"}


def of_parts(tiny_bundle):
    """A head of parts with two steps of each stage."""
    return replace(
        small(tiny_bundle),
        prompt="with green hair and a tiara",
        shape=ShapeOptions(steps=2, image_size=32),
        material=MaterialOptions(steps=2, image_size=32, refine_steps=1),
        export=ExportOptions(texture_size=128, render_size=48),
    )


@pytest.fixture(scope="module")
def parts_run(one_fit, tiny_bundle, tmp_path_factory):
    """Folder and events of a run in which words alone become a head of parts."""
    folder = tmp_path_factory.mktemp("parts") / "head"
    return folder, list(run_whole(of_parts(tiny_bundle), folder))


def test_words_alone_become_a_head_of_parts(parts_run):
    folder, events = parts_run
    assert isinstance(events[-1], Finished) and {e.stage for e in events if isinstance(e, StepDone)} == {
        *("fit", "shape", "material", "shine", "asset")
    }
    assert [e.stage for e in events if isinstance(e, Preview)][0] == "fit"
    assert {e.kind for e in events if isinstance(e, Preview)} >= {"normal", "relit", "albedo"}
    assert any(isinstance(e, Notice) and "tiara" in e.text for e in events)
    names = {node["name"] for node in json_of(folder / "head.glb")["nodes"]}
    assert names >= TEMPLATE
    asset = load_asset(folder)
    parts = {part.name: part for part in asset.mesh.parts}
    assert parts.keys() == TEMPLATE and len(asset.mesh.names) == 63
    assert asset.provenance["seed"] == 0 and asset.provenance["ai_generated"]
    count = len(load_head(folder).head.expressions) - 1
    assert all(len(part.displacements) in (0, count) for part in parts.values()) and count == 63
    assert all(np.isfinite(part.positions).all() for part in parts.values())


def json_of(glb):
    """The JSON chunk of a GLB."""
    data = glb.read_bytes()
    return json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])


def test_a_head_of_parts_is_kept_with_its_textures_and_written_again_from_them(parts_run, tmp_path):
    folder = shutil.copytree(parts_run[0], tmp_path / "head")
    saved, before = load_head(folder), files(folder)
    assert saved.painted.keys() == {"skin", "eyes", "teeth", "mouth", "lashes", "hair"}
    assert saved.painted["skin"].albedo.shape == (128, 128, 3) and saved.painted["skin"].normal is not None
    assert saved.painted["hair"].albedo.shape[2] == 4 and {part.name for part in saved.head.parts} == TEMPLATE
    for name in before:
        if not name.endswith(".safetensors"):
            (folder / name).unlink()
    assert isinstance(list(pipeline.export_head(folder))[-1], Finished) and files(folder) == before


def test_guidance_parameters_never_hold_a_gradient(options, tmp_path):
    models = loaded(options, make_encoder("dlib"))
    with few_expressions():
        exhausted(pipeline.make(None, models, brief(options), Checkpointer(tmp_path, 1000)))
    parts = models.guidance.bundle.parts
    for network in (parts.unet, parts.vae, parts.text_encoder):
        assert all(p.grad is None and not p.requires_grad for p in network.parameters())


def test_a_finished_head_is_drawn_in_every_mode_and_expressions_change_it(plain_head):
    pictures = {}
    for mode in ("relit", "normal", "albedo", "roughness", "clay"):
        pictures[mode] = pipeline.render_view(plain_head, RenderOptions(mode=mode, size=48))
        assert pictures[mode].shape == (48, 48, 3) and pictures[mode].std() > 0
    left, right = (
        pipeline.render_view(plain_head, RenderOptions(mode="clay", light=f"light_{side}", size=48)).astype(int)
        for side in ("left", "right")
    )
    half = slice(0, 24)
    assert left[:, half].mean() < right[:, half].mean()  # the person's right is the left of the picture
    with pytest.raises(UserError):
        pipeline.render_view(plain_head, RenderOptions(expressions=(("frown", 1.0),)))
    with pytest.raises(UserError):
        pipeline.render_view(plain_head, RenderOptions(light="the moon"))


def test_another_encoder_than_the_weights_were_trained_with_is_refused(options):
    class Other:
        name, dimension = "other", 512

    with pytest.raises(UserError, match="dlib"):
        loaded(options, Other())


def test_steps_that_are_not_finite_are_skipped_and_counted():
    from idto3d.stages.optimise import Optimiser

    field = torch.nn.Linear(2, 1)
    optimiser = Optimiser(field, [(list(field.parameters()), 0.1)], 10)
    before = field.weight.detach().clone()
    assert not optimiser.step(field(torch.ones(1, 2)).sum() * float("nan"))
    assert optimiser.skipped == 1 and torch.equal(field.weight, before)
    assert optimiser.step(field(torch.ones(1, 2)).sum())
    assert not torch.equal(field.weight, before)


def said(options, prompt):
    """What a user is told before the work on `prompt` begins."""
    models, options = loaded(options, make_encoder("dlib")), replace(options, prompt=prompt)
    start = start_of(None, options, models.prior)
    return [notice.text for notice in notices(options, start, make_wish(start, options, models))]


def test_what_a_prompt_is_too_long_for_is_said(options):
    assert not any("too long" in text for text in said(options, "old"))
    assert any("too long" in text and text.endswith("old man.") for text in said(options, "old man " * 99))


def test_a_prompt_without_latin_letters_is_not_ignored_in_silence(options):
    assert any("English" in text for text in said(options, "男性"))
