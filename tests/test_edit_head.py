"""A saved head is edited without photos, and tells in its GLB how to make it again."""

import json
import shutil
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from small_heads import brief, few_expressions, run, small

from idto3d import pipeline
from idto3d.bundle.find import find_bundle
from idto3d.config import EditOptions, ExportOptions, HeadOptions
from idto3d.errors import UserError
from idto3d.events import Finished, StageStarted, exhausted
from idto3d.export.gltf.container import packed, unpacked
from idto3d.export.gltf.former import provenance_of
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.recipe import check_photos, recipe_of
from idto3d.files import read_metadata, read_tensors, write_atomic, write_tensors
from idto3d.head.prior import HeadPrior
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.stages.kept.shared import read_shared
from idto3d.stages.models import load_models
from idto3d.stages.saved import load_head


@pytest.fixture(scope="module")
def made(tiny_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "head"
    list(run(replace(brief(small(tiny_bundle)), prompt="a man with red hair"), folder))
    return folder


@pytest.fixture
def asked(monkeypatch):
    """What the steps of an edit are given; they make the skin bluer and leave all else."""
    return bluer(monkeypatch)


@pytest.fixture(scope="module")
def green(made, tmp_path_factory):
    """Folder of that head after the edit GREEN; it is only read."""
    folder = tmp_path_factory.mktemp("green") / "new"
    with pytest.MonkeyPatch.context() as patch:
        bluer(patch)
        list(pipeline.edit_head(made, GREEN, folder))
    return folder


def bluer(monkeypatch):
    """Let edits do that; returns the list of what they are given."""
    seen = []

    def edited(before, options, template, prior, guide=None):
        mask = None if not options.mask else np.asarray(Image.open(options.mask))
        seen.append(types.SimpleNamespace(options=options, template=template, prior=prior, mask=mask))
        yield StageStarted("edit", 1)
        skin = before.painted["skin"]
        blue = np.maximum(skin.albedo, np.array([0, 0, 200], np.uint8))
        return replace(before, painted={**before.painted, "skin": replace(skin, albedo=blue)})

    for name, said in (("edited", {"edited": edited}), ("guidance.guide", {"load_guide": None})):
        module = types.ModuleType(f"idto3d.stages.edit.{name}")
        module.__dict__.update(said)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return seen


GREEN, OLD = EditOptions(prompt="green hair", seed=3), EditOptions(prompt="older", strength=0.5, locks=("eyes",))


def test_an_edit_leaves_its_head_and_puts_the_new_one_whole_elsewhere(made, asked, tmp_path):
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    events = list(pipeline.edit_head(made, GREEN, tmp_path / "new"))
    assert events[-1] == Finished(tmp_path / "new", tmp_path / "new" / "head.glb")
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before
    assert load_asset(tmp_path / "new").textures["skin"].albedo[..., 2].mean() > 180
    assert load_head(tmp_path / "new").edits == (GREEN,) and isinstance(asked[0].prior, HeadPrior)
    list(pipeline.edit_head(tmp_path / "new", OLD))
    assert load_head(tmp_path / "new").edits == (GREEN, OLD) and not (tmp_path / "new" / ".export").exists()
    list(pipeline.export_head(tmp_path / "new", ExportOptions(faces=400, texture_size=32, render_size=32)))
    recipe = recipe_of(tmp_path / "new" / "head.glb")
    assert recipe.edits == (GREEN, OLD) and recipe.options.export.texture_size == 32
    assert (recipe.options.prompt, recipe.photos) == ("a man with red hair", 0)
    check_photos(recipe, 0)


def test_an_edit_takes_over_what_it_did_not_change(made, green, tmp_path):
    new, whole = shutil.copytree(green, tmp_path / "new"), tmp_path / "whole"
    exhausted(pipeline.write(load_head(new), whole))
    assert (new / "head.glb").read_bytes() == (whole / "head.glb").read_bytes()
    textures = {path.name for path in (whole / "textures").iterdir()}
    assert {name: (new / "textures" / name).read_bytes() for name in textures} == {
        name: (whole / "textures" / name).read_bytes() for name in textures
    }
    shared = {name for name in textures if (green / "textures" / name).samefile(made / "textures" / name)}
    assert textures - shared == {"skin_albedo.png"}
    own = {path.name for path in (new / "saved").iterdir()} - {path.name for path in (made / "saved").iterdir()}
    assert len(own) == 1 and sum((new / "saved" / name).stat().st_size for name in own) < 20_000
    assert [str(path.relative_to(new)) for path in sorted(new.rglob("*.png")) if "textures" not in path.parts] == [
        "renders/front.png"
    ]
    for name, picture in filter(None, pipeline.remaining_pictures(new)):
        write_atomic(new / name, picture)
    assert {path.name for path in (new / "renders").iterdir()} == {path.name for path in (made / "renders").iterdir()}
    assert (new / "expressions" / "contact_sheet.png").is_file() and not list(pipeline.remaining_pictures(new))


def test_of_a_glb_that_another_program_wrote_nothing_is_taken_over(made, green, asked, tmp_path):
    other = shutil.copytree(made, tmp_path / "other")
    header, binary = unpacked((other / "head.glb").read_bytes())
    header["asset"]["generator"] = "another one"
    (other / "head.glb").write_bytes(packed(header, binary[::-1]))
    list(pipeline.edit_head(other, GREEN, tmp_path / "new"))
    assert (green / "head.glb").read_bytes() == (tmp_path / "new" / "head.glb").read_bytes()


def test_a_mask_travels_in_the_recipe(made, asked, tmp_path):
    mask = np.zeros((64, 48), np.uint8)
    mask[10:30] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    list(pipeline.edit_head(made, replace(GREEN, mask=str(tmp_path / "mask.png")), tmp_path / "new"))
    (tmp_path / "mask.png").unlink()
    edit = recipe_of((tmp_path / "new" / "head.glb").read_bytes()).edits[0]
    list(pipeline.edit_head(made, edit, tmp_path / "again"))
    assert all(np.array_equal(one.mask, mask) for one in asked)
    assert str(tmp_path) not in edit.mask and not list(tmp_path.rglob("*mask*"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda extras: extras.pop("edits"), "does not say how"),
        (lambda extras: extras["options"]["shape"].update(steps=10**99), "shape.steps cannot be"),
        (lambda extras: extras["options"]["shape"].update(steps=2.5), "shape.steps is no whole number"),
        (lambda extras: extras["options"]["shape"].update(steps="many"), "shape.steps is no number"),
        (lambda extras: extras["options"].update(shape="round"), "does not say how"),
        (lambda extras: extras["options"].update(prompt=["a"]), "prompt is no text"),
        (lambda extras: extras["options"].update(prompt="a " * 5000), "prompt has 10000 characters"),
        (lambda extras: extras["options"].update(expressions="neutral"), "expressions is no list"),
        (lambda extras: extras["options"].update(wings=2), "does not say how"),
        (lambda extras: extras["options"]["subject"].update(keep="perhaps"), "neither yes nor no"),
        (lambda extras: extras.update(edits=[{"prompt": "green hair", "mask": "/etc/passwd"}]), "names a file"),
        (lambda extras: extras.update(edits=[{"sketch": "/etc/passwd"}]), "names a file of this machine as a sketch"),
        (lambda extras: extras.update(edits=[{"prompt": "green hair", "locks": "eyes"}]), "locks is no list"),
        (lambda extras: extras.update(edits=[{"prompt": "green hair", "locks": ["heart"]}]), "no value of locks"),
        (lambda extras: extras.update(edits=[{"prompt": " "}]), "Nothing is asked for"),
        (lambda extras: extras.update(edits=[{"prompt": "x"}] * 300), "300 edits"),
        (lambda extras: extras.update(photos=-1), "-1 photos"),
        (lambda extras: extras.update(photos=[]), "does not say how"),
    ],
)
def test_an_absurd_recipe_is_refused(made, change, why):
    header, binary = unpacked((made / "head.glb").read_bytes())
    change(header["asset"]["extras"])
    with pytest.raises(UserError, match=why):
        recipe_of(packed(header, binary))


def test_a_recipe_asks_for_no_network_that_lies_somewhere_else(made):
    header, binary = unpacked((made / "head.glb").read_bytes())
    told = header["asset"]["extras"]["options"]
    told["choice"]["scorer"], told["export"]["upscaler"] = "somebody/clip", "/home/somebody/net.safetensors"
    options = recipe_of(packed(header, binary)).options
    assert (options.choice.scorer, options.export.upscaler) == ("auto", "")


def test_a_glb_names_no_file_that_its_head_was_made_with(made):
    saved = load_head(made)
    export = replace(saved.options.export, upscaler="/home/somebody/net.safetensors")
    told = provenance_of(replace(saved, options=replace(saved.options, export=export)))
    assert "somebody" not in str(told)


@pytest.mark.parametrize("content", [b"", b"glTF", b"a photo", b"glTF\x02\0\0\0" + bytes(20)])
def test_what_is_no_glb_has_no_recipe(tmp_path, content):
    (tmp_path / "x.glb").write_bytes(content)
    with pytest.raises(UserError, match="'x.glb' does not say how"):
        recipe_of(tmp_path / "x.glb")
    with pytest.raises(UserError, match="cannot be read"):
        recipe_of(tmp_path / "nothing.glb")


def test_photos_are_asked_for_where_there_were_some(made):
    header, binary = unpacked((made / "head.glb").read_bytes())
    header["asset"]["extras"]["photos"] = 2
    recipe = recipe_of(packed(header, binary))
    with pytest.raises(UserError, match="made from 2 photos, which its GLB does not hold"):
        check_photos(recipe, 0)
    check_photos(recipe, 1)


def test_heads_that_lie_in_one_file_are_read_and_edited(made, green, asked, tmp_path):
    old = shutil.copytree(made, tmp_path / "old")
    path, tensors = old / "head.safetensors", {}
    words = json.loads(read_metadata(path)["head"])
    for name in (*words.pop("files"), path.name):
        tensors |= read_shared(old, [name]) if name != path.name else read_tensors(path)
    shutil.rmtree(old / "saved")
    write_tensors(path, tensors, {"head": json.dumps(words | {"version": 2})})
    list(pipeline.edit_head(old, GREEN))
    assert (old / "head.glb").read_bytes() == (green / "head.glb").read_bytes()
    assert load_head(old).edits == (GREEN,) and (old / "saved").is_dir()


def test_a_new_head_is_painted_as_its_words_say(made, tiny_bundle, tmp_path):
    options = replace(brief(small(tiny_bundle)), prompt="a man with red hair, green eyes and freckles")
    models = exhausted(load_models(options, None, exhausted(find_bundle(options.weights))))
    with few_expressions():
        after, _ = exhausted(pipeline.make(None, models, options, Checkpointer(tmp_path, 1e9)))
    before = load_head(made)
    for name, told in {"eyes": True, "skin": True, "teeth": False}.items():
        assert np.array_equal(before.painted[name].albedo, after.painted[name].albedo) != told
    assert after.edits == () and after.start.subject != before.start.subject


def test_heads_of_before_have_no_edits(made, monkeypatch, tmp_path):
    from idto3d.stages import saved

    words = saved._words

    def of_before(finished):
        told = words(finished)
        return {name: told[name] for name in told if name not in ("edits", "photos")}

    monkeypatch.setattr(saved, "_words", of_before)
    saved.save_head(tmp_path, load_head(made))
    assert (load_head(tmp_path).edits, load_head(tmp_path).photos) == ((), 0)
    assert load_head(tmp_path).options.prompt == "a man with red hair" and HeadOptions().prompt == ""
