"""Whole heads from a tiny random model: from words, from a photo, cancelled, resumed, drawn again."""

import json
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
import twins
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data

from idto3d import pipeline
from idto3d.bundle.find import find_bundle
from idto3d.bundle.info import EncoderInfo
from idto3d.config import (
    ExportOptions,
    GuidanceOptions,
    HeadOptions,
    MaterialOptions,
    RenderOptions,
    ShapeOptions,
    SubjectOptions,
)
from idto3d.errors import UserError
from idto3d.events import Finished, LikenessMeasured, Notice, Preview, StepDone, exhausted
from idto3d.export.gltf.load import load_asset
from idto3d.fields.shape_field import ShapeStart
from idto3d.guidance import distillation as sds
from idto3d.head.prior import HeadPrior, PriorSize, read_description, save_prior
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.subject.identity_file import save_identity
from idto3d.subject.portrait_net import PortraitNet, PortraitSize
from idto3d.words.looks import BEARDS

BEARDED = ("", "with a goatee", "without a goatee")


@pytest.fixture
def options(tiny_bundle):
    return HeadOptions(
        weights=str(tiny_bundle),
        device="cpu",
        expressions=("neutral", "mouth stretch"),
        preview_every=1,
        checkpoint_seconds=0.0,
        shape=ShapeOptions(resolution=20, steps=4, image_size=32, refresh=2),
        material=MaterialOptions(steps=4, image_size=32, refine_steps=1),
        export=ExportOptions(faces=400, texture_size=64, turntable_frames=2, render_size=32),
    )


def run(options, folder, photos=(), resume=False):
    checkpoints = Checkpointer(folder / "checkpoints", options.checkpoint_seconds)
    return pipeline.create_head(list(photos), options, folder, checkpoints, resume)


@pytest.fixture
def astronaut(tmp_path):
    path = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path


def test_words_alone_become_a_head_with_its_expression(options, tmp_path):
    events = list(run(replace(options, prompt="with green hair and a tiara"), tmp_path / "head"))
    assert isinstance(events[-1], Finished)
    assert {e.kind for e in events if isinstance(e, Preview)} >= {"normal", "relit", "albedo"}
    assert any(isinstance(e, Notice) and "tiara" in e.text for e in events)
    asset = load_asset(tmp_path / "head")
    assert asset.mesh.displacements.shape[0] == 1 and len(asset.mesh.faces) > 100
    assert np.isfinite(asset.mesh.positions).all()
    assert asset.provenance["seed"] == 0 and asset.provenance["ai_generated"]


def test_a_photo_is_read_and_the_likeness_measured_or_its_absence_told(options, tmp_path, astronaut):
    events = list(run(options, tmp_path / "head", [astronaut]))
    told = [e for e in events if isinstance(e, LikenessMeasured) or (isinstance(e, Notice) and "likeness" in e.text)]
    assert len(told) == 1 and isinstance(events[-1], Finished)


def test_the_same_seed_gives_the_same_head(options, tmp_path):
    for name in ("a", "b"):
        list(run(options, tmp_path / name))
    first, second = (load_asset(tmp_path / name).mesh.positions for name in ("a", "b"))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("stage", ["shape", "material"])
def test_a_run_closed_in_a_stage_goes_on_from_its_last_checkpoint(options, tmp_path, stage):
    folder = tmp_path / "head"
    events = run(options, folder)
    for event in events:
        if isinstance(event, StepDone) and event.stage == stage and event.step == 3:
            events.close()
    again = list(run(options, folder, resume=True))
    steps = [e.step for e in again if isinstance(e, StepDone) and e.stage == stage]
    assert steps[0] > 1 and steps[-1] == 4
    assert isinstance(again[-1], Finished) and load_asset(folder)


def loaded(options, encoder):
    return exhausted(pipeline.load_models(options, encoder, exhausted(find_bundle(options.weights))))


def test_a_head_from_weights_of_the_hub_is_refined_by_their_second_guidance(options, tmp_path, hub, monkeypatch):
    bundle = tmp_path / "community"
    bundle.mkdir()
    (bundle / "bundle.json").write_text(json.dumps(twins.community(hub, "pipeline")))
    asked, real = [], sds.latents_gradient
    monkeypatch.setattr(sds, "latents_gradient", lambda term, *rest: asked.append(term) or real(term, *rest))
    events = list(run(replace(options, weights=str(bundle)), tmp_path / "head"))
    texts = [event.text for event in events if isinstance(event, Notice)]
    assert sum("Fetching" in text for text in texts) == 4 and any("asked for in words" in text for text in texts)
    assert any(isinstance(e, StepDone) and e.stage == "weights" for e in events)
    names = [term.guidance.info.prompts.get("geometry") is None for term in asked]
    assert names == [False] * 7 + [True]  # four shape steps, three texture steps, one step of refinement
    provenance = load_asset(tmp_path / "head").provenance
    assert provenance["weights"] == "community" and len(provenance["licences"]) == 5
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
    assert pipeline.encoder_for(found(tiny_bundle, "dlib"), "auto").name == "dlib"
    with pytest.raises(UserError, match="subject.encoder=insightface"):
        pipeline.encoder_for(found(tiny_bundle, "insightface", 512), "auto")
    with pytest.raises(UserError, match="need the identity encoder dlib"):
        pipeline.encoder_for(found(tiny_bundle, "dlib"), "portrait")
    with pytest.raises(UserError, match="identity network .* is missing"):
        pipeline.encoder_for(found(tiny_bundle, "portrait", 168), "auto")


def test_a_download_of_an_encoder_is_told_before_it_begins(options, tiny_bundle, tmp_path, monkeypatch):
    def begin():
        raise ConnectionError("it began")

    encoder = types.SimpleNamespace(InsightFaceEncoder=begin, DOWNLOAD="300 MB", missing=lambda: True)
    monkeypatch.setitem(sys.modules, "idto3d.subject.insightface_encoder", encoder)
    asked = replace(options, subject=SubjectOptions(encoder="insightface"))
    meeting = pipeline.meet([], asked, found(tiny_bundle, "insightface", 512))
    assert next(meeting) == Notice("300 MB")
    with pytest.raises(ConnectionError, match="it began"):
        next(meeting)
    with pytest.raises(UserError, match="need the identity encoder dlib"):
        next(pipeline.meet([], asked, found(tiny_bundle, "dlib")))


@pytest.mark.parametrize("harm", ["cut", "text", "version", "sizes", "gone"])
def test_a_damaged_head_prior_is_refused_in_words(tmp_path, harm):
    path = tmp_path / "head_prior.safetensors"
    prior = HeadPrior(PriorSize(modes=2, coarse=0.03, fine=0.02, motion_width=8, colour_width=8))
    save_prior(prior, path, {})
    tensors, told = load_file(path), read_description(path)
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif harm == "text":
        path.write_text("version https://git-lfs.github.com/spec/v1\n")
    elif harm == "gone":
        path.unlink()
    else:
        told |= {"version": 99} if harm == "version" else {"size": told["size"] | {"modes": 3}}
        save_file(tensors, path, metadata={"head_prior": json.dumps(told)})
    with pytest.raises(UserError, match="damaged or of another version") as refused:
        pipeline.load_start(path, torch.device("cpu"), 128)
    assert refused.value.remedy.endswith(".")


def test_a_network_of_our_own_is_taken_from_the_weights(tiny_bundle, tmp_path):
    net = PortraitNet(PortraitSize(widths=(8, 8, 8, 8), blocks=(0, 0, 0, 0), hidden=8, modes=3))
    save_identity(net, tmp_path / "identity.safetensors", {})
    ours = replace(found(tiny_bundle, "portrait", 131), folder=tmp_path)
    encoder = pipeline.encoder_for(ours, "auto")
    assert (encoder.name, encoder.dimension) == ("portrait", 131)
    with pytest.raises(UserError, match=r"portrait \(131 numbers\) is in use"):
        pipeline.encoder_for(replace(found(tiny_bundle, "portrait", 168), folder=tmp_path), "auto")


def test_guidance_parameters_never_hold_a_gradient(options, tmp_path):
    encoder = pipeline.make_encoder("dlib")
    models = loaded(options, encoder)
    wish = pipeline.make_wish(None, options, models)
    from idto3d.render.backend import make_rasterizer
    from idto3d.stages.shape import grow_shape

    checkpoints = Checkpointer(tmp_path, 1000)
    list(grow_shape(wish, models.prior, ShapeStart(), options, make_rasterizer(models.device), checkpoints))
    parts = models.guidance.bundle.parts
    for network in (parts.unet, parts.vae, parts.text_encoder):
        assert all(p.grad is None and not p.requires_grad for p in network.parameters())


def test_a_finished_head_is_drawn_in_every_mode_and_expressions_change_it(options, tmp_path):
    list(run(options, tmp_path / "head"))
    pictures = {}
    for mode in ("relit", "normal", "albedo", "roughness", "clay"):
        pictures[mode] = pipeline.render_view(tmp_path / "head", RenderOptions(mode=mode, size=48))
        assert pictures[mode].shape == (48, 48, 3) and pictures[mode].std() > 0
    left, right = (
        pipeline.render_view(tmp_path / "head", RenderOptions(mode="clay", light=f"light_{side}", size=48)).astype(int)
        for side in ("left", "right")
    )
    half = slice(0, 24)
    assert left[:, half].mean() < right[:, half].mean()  # the person's right is the left of the picture
    with pytest.raises(UserError):
        pipeline.render_view(tmp_path / "head", RenderOptions(expressions=(("frown", 1.0),)))
    with pytest.raises(UserError):
        pipeline.render_view(tmp_path / "head", RenderOptions(light="the moon"))


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


def test_words_of_the_prompt_shift_the_shape_that_a_head_starts_from():
    prior = HeadPrior(PriorSize(modes=2, coarse=0.03, fine=0.02, motion_width=8, colour_width=8, words=("old", "male")))
    prior.word_codes.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.5]]))
    models = pipeline.Models(None, prior, torch.device("cpu"), None, "")
    z = pipeline.first_shape(None, HeadOptions(prompt="an old man"), models).z
    assert z.tolist() == [1.0, 0.5]
    assert pipeline.first_shape(None, HeadOptions(prompt="green hair"), models).z.tolist() == [0, 0]


def test_a_beard_that_is_said_is_part_of_the_start_and_one_that_is_denied_is_not():
    prior = HeadPrior(PriorSize(modes=2, coarse=0.03, fine=0.02, motion_width=8, colour_width=8))
    models = pipeline.Models(None, prior, torch.device("cpu"), None, "")
    starts = [pipeline.first_shape(None, HeadOptions(prompt=f"a man {beard}"), models) for beard in BEARDED]
    assert starts[0].beard is None and starts[2].beard is None
    assert BEARDS[int(starts[1].beard.argmax())] == "goatee" and starts[1].beard.sum() == 1


def test_what_a_prompt_is_too_long_for_is_told(options):
    models = loaded(options, pipeline.make_encoder("dlib"))
    short, long = (pipeline.make_wish(None, replace(options, prompt=text), models) for text in ("old", "old man " * 99))
    assert list(pipeline.say_cut(short)) == []
    (notice,) = pipeline.say_cut(long)
    assert "too long" in notice.text and notice.text.endswith("old man.")


def test_a_prompt_without_latin_letters_is_not_ignored_in_silence(options):
    models = loaded(options, pipeline.make_encoder("dlib"))
    (notice,) = pipeline.say_unknown(replace(options, prompt="男性"), models.guidance.info)
    assert "English" in notice.text
