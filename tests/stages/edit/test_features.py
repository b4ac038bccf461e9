"""Features by words: ears, cheeks, a nose that are sculpted, on heads of words and by edits, and nothing beside."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from small_heads import few_expressions

from idto3d.config import EditOptions, ExportOptions, HeadOptions
from idto3d.errors import UserError
from idto3d.events import exhausted
from idto3d.head.sculpt.features import sculpted
from idto3d.head.sculpt.persons import FORMS
from idto3d.head.start import Trait, start_of
from idto3d.stages.edit.edited import edited
from idto3d.stages.edit.paint.place import place_of
from idto3d.stages.edit.paint.told import as_told
from idto3d.stages.fit import fit_head
from idto3d.stages.notices import unused
from idto3d.stages.saved import load_head, save_head
from idto3d.words.asked import features_of
from idto3d.words.figures.table import MODES, SCULPTED

SIZE = 256


@pytest.fixture(scope="module")
def edit(finished, ground):
    """edit(prompt): what becomes of the head."""
    return lambda prompt: exhausted(edited(finished, EditOptions(prompt), ground.template, ground.prior))


@pytest.fixture(scope="module")
def pointed(edit):
    """The head after an edit to pointed ears."""
    return edit("pointed ears")


@pytest.fixture(scope="module")
def chubby(edit):
    """The head after an edit to a build."""
    return edit("chubby")


@pytest.mark.parametrize("name", SCULPTED)
def test_a_feature_pushes_some_of_the_face_alike_on_both_sides(ground, name):
    moved = sculpted(ground.template, {name: 1.0})
    far = moved.norm(dim=-1)
    assert 0.0015 < far.max() < 0.035 and (far > 1e-4).float().mean() < 0.75
    for part in ("teeth", "gums_tongue"):
        assert not moved[ground.template.part(part).vertices].any()
    left, right = (float(far[ground.template.neutral[:, 0] * side > 0.005].sum()) for side in (1, -1))
    assert left == pytest.approx(right, rel=0.05)
    assert torch.allclose(sculpted(ground.template, {name: -0.5}), -0.5 * moved)


@pytest.mark.parametrize("name", MODES)
def test_modes_of_the_template_are_not_sculpted(ground, name):
    assert not sculpted(ground.template, {name: 1.0}).any()


def test_an_edit_to_pointed_ears_moves_ears_alone(pointed, finished, ground):
    after = pointed
    place = place_of(ground.template, SIZE)
    before, now = (one.head.parts[0].vertices for one in (finished, after))
    moved = (now != before).any(-1).numpy()
    beside = np.abs(place.mean[:, 0]) < 0.070
    assert (now - before)[:, 1].max() > 0.015 and not moved[beside].any()
    for was, one in zip(finished.head.parts, after.head.parts, strict=True):
        assert one.name not in ("teeth", "gums_tongue", "eye_left", "eye_right") or one.vertices is was.vertices
    assert all(after.painted[name] is material for name, material in finished.painted.items())
    assert after.head.expressions == finished.head.expressions and "pointed ears" in after.start.subject


def test_green_skin_leaves_hair_brows_and_shape(edit, finished, ground):
    after = edit("green skin")
    place = place_of(ground.template, SIZE)
    skin, was = (one.painted["skin"].albedo[place.texels.covered].astype(int) for one in (after, finished))
    plain = place.at("plain") * place.at("face") * (1 - place.at("beard_zone")) * (1 - place.at("scalp")) > 0.95
    assert (skin[plain][:, 1] > skin[plain][:, 0]).mean() > 0.95
    assert (skin[~place.outer] == was[~place.outer]).all()
    assert after.painted["hair"] is finished.painted["hair"] and after.head is not None
    assert all(a.vertices is b.vertices for a, b in zip(after.head.parts, finished.head.parts, strict=True))


def test_builds_change_the_shape_and_no_colour(chubby, finished):
    before, now = (one.head.parts[0].vertices for one in (finished, chubby))
    assert (now - before).norm(dim=-1).max() > 0.005
    assert all(chubby.painted[name] is material for name, material in finished.painted.items())


def fitted(ground, prompt):
    options = HeadOptions(device="cpu", prompt=prompt, expressions=("neutral",), export=ExportOptions(texture_size=64))
    with few_expressions():
        fit = exhausted(fit_head(None, start_of(None, options, ground.prior), ground, options))
    return fit.rest.head.parts[0].vertices


def test_heads_of_words_have_the_features_that_are_named(ground):
    plain, elf = (fitted(ground, f"a bald {who}") for who in ("person", "chubby person with elf ears"))
    aside = ground.template.neutral[: len(plain), 0].abs()
    assert (elf - plain)[aside > 0.080][:, 1].max() > 0.015
    assert (elf - plain)[aside < 0.060].norm(dim=-1).max() > 0.006


def test_a_head_of_photos_keeps_its_face_unless_a_being_is_named(finished, ground):
    options = replace(finished.options, prompt="a chubby man with big eyes")
    photographed = replace(finished, options=options, photos=2)
    assert as_told(photographed, ground.template, ground.prior) is photographed
    elf = replace(photographed, options=replace(options, prompt="as an elf"))
    after = as_told(elf, ground.template, ground.prior)
    assert (after.head.parts[0].vertices - finished.head.parts[0].vertices)[:, 1].max() > 0.015


def raised(before, after):
    """Metres by which the skin of one head lies higher than that of another at most."""
    return float((after.head.parts[0].vertices - before.head.parts[0].vertices)[:, 1].max())


@pytest.fixture
def again(ground):
    """again(head, prompt, **options): what becomes of a head."""
    return lambda head, prompt, **options: exhausted(
        edited(head, EditOptions(prompt, **options), ground.template, ground.prior)
    )


def test_a_feature_that_is_there_is_not_added_again_and_can_be_taken_back(again, finished, pointed, tmp_path):
    once = pointed
    assert again(once, "pointed ears") is once
    save_head(tmp_path, once)
    opened = load_head(tmp_path)
    assert opened.start.features == once.start.features == {"pointed ears": 1.0}
    back = again(opened, "without pointed ears")
    far = (back.head.parts[0].vertices - finished.head.parts[0].vertices).norm(dim=-1)
    assert (far > 0.001).float().mean() < 0.02 and far.max() < 0.007  # where the ears' folds were opened
    assert "pointed ears" not in back.start.subject and not back.start.features["pointed ears"]


def test_more_of_a_feature_goes_on_up_to_a_bound(again, pointed):
    heads = [pointed]
    for _ in range(3):
        heads.append(again(heads[-1], "more pointed ears"))
    assert [head.start.features.get("pointed ears") for head in heads] == [1.0, 1.5, 2.0, 2.0]
    assert heads[3] is heads[2] and raised(heads[0], heads[1]) > 0.008


def test_less_of_a_feature_goes_back_and_on_to_its_contrary(again, chubby):
    less = again(chubby, "less chubby")
    assert 0 < less.start.features["full cheeks"] < 0.5 * chubby.start.features["full cheeks"]
    thin = again(less, "less chubby")
    assert thin.start.features["hollow cheeks"] > 0 == thin.start.features["full cheeks"]
    assert thin.start.features["double chin"] == 0


def test_contrary_features_are_one(again, finished):
    small = again(again(finished, "a big nose"), "a small nose")
    assert small.start.features == {"large nose": 0.0, "small nose": 1.0} and "large nose" not in small.start.subject
    assert again(small, "a bigger nose").start.features == {"large nose": 0.0, "small nose": 0.0}


def test_a_build_leaves_more_of_what_goes_with_it(again, finished):
    deep = again(finished, "sunken eyes")
    assert again(deep, "gaunt").start.features["sunken eyes"] == 1.0
    assert again(deep, "gaunt with slightly sunken eyes").start.features["sunken eyes"] == 0.5


def test_half_an_edit_gives_half_of_a_feature(again, finished):
    assert again(finished, "pointed ears", strength=0.5).start.features == {"pointed ears": 0.5}


def test_a_head_of_words_knows_the_features_it_was_made_with(finished, ground):
    options = replace(finished.options, prompt="an elf with a round face")
    elf = as_told(replace(finished, options=options), ground.template, ground.prior)
    said = {name: amount for name, amount in elf.start.features.items() if name not in FORMS}
    assert said == features_of("an elf with a round face") and "round face" in said
    photographed = replace(finished, photos=2, options=replace(options, prompt="an elf with a beard"))
    assert as_told(photographed, ground.template, ground.prior).start.features["pointed ears"] == 1
    grown = replace(options, shape=replace(options.shape, carrier="tets"))
    assert set(as_told(replace(finished, options=grown), ground.template, ground.prior).start.features) == {
        "round face"
    }


def test_an_elf_is_given_pointed_ears_once(again, finished):
    elf = replace(finished, start=replace(finished.start, features=features_of("an elf")))
    assert again(elf, "pointed ears") is elf


def test_children_are_pushed_less_by_edits_too(again, finished, pointed):
    traits = {**finished.start.traits, "age": Trait("child", "words")}
    child = replace(finished, start=replace(finished.start, traits=traits))
    assert raised(child, again(child, "pointed ears")) < 0.7 * raised(finished, pointed)


def test_a_sketch_is_told_of_once_and_in_words_that_are_known(again, finished, tmp_path):
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    picture[60:200, 60:200] = (90, 20, 20, 255)
    Image.fromarray(picture).save(tmp_path / "sketch.png")
    after = again(finished, "pointed ears and a scar of quuxness", sketch=str(tmp_path / "sketch.png"))
    subject = after.start.subject
    assert subject.count("pointed ears") == subject.count("scar") == 1 and "quuxness" not in subject


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_a_sketch_that_is_transparent_nowhere_is_refused(again, finished, tmp_path, mode):
    Image.new(mode, (64, 64), 255 if mode == "L" else (255,) * len(mode)).save(tmp_path / "sketch.png")
    with pytest.raises(UserError, match="transparent nowhere"):
        again(finished, "", sketch=str(tmp_path / "sketch.png"))


def test_features_beside_photos_are_named_as_unused():
    (notice,) = unused("a gaunt man with a beard")
    assert notice.text == "Photos say what the face is like; 'gaunt' is not used. Ask for it as a change."
    assert not list(unused("an elf with pointed ears"))
