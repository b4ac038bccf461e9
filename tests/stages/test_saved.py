"""A run that is stopped becomes what it would have been, and a finished head can be opened again."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small_heads import brief, files, run, small

from idto3d import pipeline
from idto3d.config import SubjectOptions
from idto3d.errors import UserError
from idto3d.events import Finished, StageStarted, StepDone
from idto3d.fields.material_field import MaterialField
from idto3d.fields.tcnn_grid import TcnnHashGrid
from idto3d.files import read_metadata, read_tensors, write_tensors
from idto3d.geometry.tet_grid import BOX_HIGH, BOX_LOW
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.saved import load_head, save_head


@pytest.fixture
def options(tiny_bundle):
    return small(tiny_bundle)


@pytest.fixture
def made(plain_head, tmp_path):
    """A copy of the head of a run that nobody stopped."""
    return shutil.copytree(plain_head, tmp_path / "made")


@pytest.fixture
def left_alone(plain_head):
    """What that run left."""
    return files(plain_head)


@pytest.fixture(autouse=True, scope="module")
def one_fit(fit_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "fit_head", fit_once)
        yield


def steps_until(options, folder, last=None):
    """(stage, number) of the steps of a run that is closed after the step `last`, or where the stage `last` begins."""
    done = []
    for event in (events := run(options, folder)):
        if isinstance(event, StepDone):
            done.append((event.stage, event.step))
        if done[-1:] == [last] or isinstance(event, StageStarted) and event.stage == last:
            events.close()
    return [step for step in done if step[0] in ("shape", "material")]


def test_a_run_that_is_killed_anywhere_becomes_what_it_would_have_been(options, tmp_path, left_alone):
    folder, all_steps = tmp_path / "head", [(stage, step) for stage in ("shape", "material") for step in range(1, 6)]
    stops, done = [("shape", 3), "material", ("material", 2), ("material", 5)], []
    for stop in stops:
        done += steps_until(options, folder, stop)
    assert done == all_steps  # what was reported is saved when the run is closed: none is done twice
    assert steps_until(options, folder) == [] and files(folder) == left_alone


def test_a_run_on_tetrahedra_that_is_killed_becomes_what_it_would_have_been(tiny_bundle, tmp_path, no_asset):
    options = brief(small(tiny_bundle, "tets"))
    options = replace(options, shape=replace(options.shape, steps=4))
    list(run(options, tmp_path / "whole"))
    for event in (events := run(options, tmp_path / "head")):
        if isinstance(event, StepDone) and (event.stage, event.step) == ("shape", 3):
            events.close()
    assert [e.step for e in run(options, tmp_path / "head") if isinstance(e, StepDone) and e.stage == "shape"] == [4]
    assert files(tmp_path / "head") == files(tmp_path / "whole")


def test_the_asset_is_made_again_from_the_saved_head_without_photos_or_weights(options, tmp_path, photo_head):
    folder = shutil.copytree(photo_head[0], tmp_path / "head")
    before = files(folder)
    expect_embedding(folder, True)
    expect_embedding(without := without_embedding(folder, tmp_path / "without"), False)
    list(pipeline.export_head(without))
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".safetensors":
            path.unlink()
    events = list(pipeline.export_head(folder))
    assert isinstance(events[-1], Finished) and files(folder) == before
    list(pipeline.export_head(folder, replace(options.export, texture_size=32)))
    coarse = files(folder)
    assert coarse["head.glb"] != before["head.glb"] and load_head(folder).options.export.texture_size == 32
    list(pipeline.export_head(folder))
    assert files(folder) == coarse


def test_what_an_export_was_asked_for_goes_when_it_no_longer_is(options, made):
    plain = set(files(made))
    list(pipeline.export_head(made, replace(options.export, clip=True, formats=("glb", "obj"))))
    more = {"expressions/clip.glb", "head.obj", "head.mtl"}
    greys = {f"textures/{name}_roughness.png" for name in load_head(made).painted}
    assert set(files(made)) - plain == more | greys | {f"textures/{name}_opacity.png" for name in ("hair", "lashes")}
    lods = {"head_lod1.glb", "head_lod2.glb"}  # which take long to make
    for name in lods:
        (made / name).touch()
    list(pipeline.export_head(made, replace(options.export, clip=True)))
    assert set(files(made)) & (more | lods) == {"expressions/clip.glb"}


def test_painted_textures_are_kept_with_the_head(made):
    albedo, gloss = np.full((4, 4, 4), 9, np.uint8), np.full((4, 4), 7, np.uint8)
    save_head(made, replace(load_head(made), painted={"eyes": PaintedMaterial(albedo, gloss)}))
    kept = load_head(made).painted["eyes"]
    assert (kept.albedo == albedo).all() and (kept.roughness == gloss).all() and kept.normal is None


def test_a_mesh_of_an_expression_is_kept_with_the_head(made):
    ball = load_head(made).head.parts[1]
    own = replace(ball, uvs=None, pivot=None, displacements=torch.zeros(1, *ball.vertices.shape))
    save_head(made, replace(load_head(made), meshes={"mouth stretch": own}))
    kept = load_head(made).meshes["mouth stretch"]
    assert torch.equal(kept.vertices, own.vertices) and torch.equal(kept.faces, own.faces) and kept.uvs is None


def test_an_export_that_is_stopped_leaves_the_asset_of_before(options, made):
    before, smaller = files(made), replace(options.export, texture_size=32)
    for stop in (1, 3, 6, 8):
        for count, _event in enumerate(events := pipeline.export_head(made, smaller), 1):
            if count == stop:
                break
        events.close()
        assert files(made) == before


def test_a_head_that_a_gpu_painted_on_another_lattice_is_read_here(made):
    before = load_head(made)
    grid = replace(before.options.material.hash_grid, kind="tcnn")
    painting = replace(before.options.material, hash_grid=grid)
    box = (BOX_LOW, BOX_HIGH)
    field = MaterialField(before.options.expressions, painting, box, generator=torch.Generator().manual_seed(3))
    save_head(made, replace(before, field=field))
    after = load_head(made).field
    points = torch.rand(9, 3, generator=torch.Generator().manual_seed(0)) * 0.1
    assert isinstance(after.encoding.encoding, TcnnHashGrid)
    assert torch.equal(after.material(points, 0).albedo, field.material(points, 0).albedo)


def without_embedding(folder, other):
    """`other`, where the head in `folder` is saved by somebody who does not want the embedding kept."""
    head = load_head(folder)
    other.mkdir()
    save_head(other, replace(head, options=replace(head.options, subject=SubjectOptions(keep=False))))
    return other


def expect_embedding(folder, kept):
    assert (load_head(folder).start.embedding is not None) == kept
    assert ("start.embedding" in load_file(folder / "head.safetensors")) == kept


@pytest.mark.parametrize("harm", ["gone", "cut", "text", "version"])
def test_a_saved_head_that_cannot_be_read_is_refused_in_words(made, harm):
    path = made / "head.safetensors"
    if harm == "gone":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif harm == "text":
        path.write_text("a head")
    else:
        words = json.loads(read_metadata(path)["head"]) | {"version": 99}
        write_tensors(path, read_tensors(path), {"head": json.dumps(words)})
    with pytest.raises(UserError, match="There is no head.safetensors|damaged or of another version"):
        list(pipeline.export_head(made))
