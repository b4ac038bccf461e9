"""What cannot be made is said before anything is fetched: one sentence what, one what to do, and not one request."""

import json
from dataclasses import replace

import fake_nvdiffrast
import fake_tinycudann
import pytest
import torch
import twins

from idto3d import pipeline
from idto3d.bundle import find
from idto3d.config import GuidanceOptions, HeadOptions, SubjectOptions
from idto3d.errors import UserError
from idto3d.events import Notice
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.stages import models
from idto3d.subject import encoders

COMMUNITY = HeadOptions(weights="community", device="cpu", subject=SubjectOptions(encoder="insightface"))


def begun(options, tmp_path, photos=()):
    """The events of a run until it ends."""
    return list(pipeline.create_head(list(photos), options, tmp_path / "head", Checkpointer(tmp_path / "kept", 1e9)))


def refused(options, tmp_path, hub, photos=()):
    with pytest.raises(UserError) as found:
        begun(options, tmp_path, photos)
    assert found.value.what.endswith(".") and found.value.remedy.endswith((".", ")")) and hub.requests == []
    return str(found.value)


@pytest.fixture
def no_insightface(monkeypatch):
    real = encoders.importlib.util.find_spec
    monkeypatch.setattr(
        encoders.importlib.util, "find_spec", lambda name, *rest: None if name == "insightface" else real(name, *rest)
    )


def test_auto_without_a_graphics_card_takes_no_weights_that_want_one(tmp_path, hub):
    said = refused(replace(COMMUNITY, device="auto"), tmp_path, hub)
    assert "take hours" in said and "--device cpu" in said


def test_a_device_that_nothing_draws_on_is_refused_even_before_the_hub_is_asked_who_they_are(
    tmp_path, hub, monkeypatch
):
    def none(device):
        raise UserError(f"Nothing can draw on {device}.", "Install a rasteriser.")

    monkeypatch.setattr(models, "make_rasterizer", none)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for weights in ("community", "org/bundle"):
        said = refused(replace(COMMUNITY, weights=weights, device="auto"), tmp_path, hub)
        assert said.startswith("Nothing can draw on cuda")


def test_without_insightface_photos_are_refused(tmp_path, hub, astronaut, no_insightface):
    said = refused(COMMUNITY, tmp_path, hub, [astronaut])
    assert "insightface is not installed" in said and "requirements-insightface.txt" in said


def test_an_encoder_with_terms_of_its_own_is_asked_for_by_photos_alone(tmp_path, hub, astronaut):
    unasked = replace(COMMUNITY, subject=SubjectOptions())
    assert "subject.encoder=insightface" in refused(unasked, tmp_path, hub, [astronaut])


def test_an_expression_branch_that_the_weights_lack_is_refused(tmp_path, hub):
    asked = replace(COMMUNITY, guidance=GuidanceOptions(lambda_exp=1.0))
    assert "no expression branch" in refused(asked, tmp_path, hub)


def test_networks_that_cannot_be_compiled_are_refused_before_photos_and_weights_are_looked_at(
    tmp_path, hub, astronaut, no_insightface
):
    asked = replace(COMMUNITY, weights="org/bundle", guidance=GuidanceOptions(compile="graphs"))
    assert "CUDA graphs need a CUDA device" in refused(asked, tmp_path, hub, [astronaut])


def test_hash_grids_that_do_not_compute_on_the_gpu_are_refused(tmp_path, hub, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError("no kernel image is available for execution on the device")

    fake_nvdiffrast.install(monkeypatch)
    fake_tinycudann.install(monkeypatch)
    monkeypatch.setattr(fake_tinycudann, "Encoding", broken)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    said = refused(replace(COMMUNITY, weights="org/bundle", device="auto"), tmp_path, hub)
    assert "tiny-cuda-nn does not compute on this GPU" in said


def test_words_alone_need_no_face_encoder(tmp_path, hub, monkeypatch, no_insightface):
    folder = tmp_path / "twin"
    folder.mkdir()
    listed = twins.community(hub, "words") | {"identity_encoder": {"name": "insightface", "dimension": twins.DIMENSION}}
    (folder / "bundle.json").write_text(json.dumps(listed))
    monkeypatch.setitem(find.NAMED, "community", folder)
    run = pipeline.create_head([], COMMUNITY, tmp_path / "head", Checkpointer(tmp_path / "kept", 1e9))
    assert next(event for event in run if isinstance(event, Notice)).text.startswith("Fetching")
    run.close()
