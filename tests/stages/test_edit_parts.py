"""What an edit does to the shape, the hair, the beard and the glasses of a finished head."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from small_heads import few_expressions

from idto3d.config import EditOptions
from idto3d.head.features.eyes import eye_of
from idto3d.head.glasses.part import NAME as GLASSES
from idto3d.head.glasses.part import Build, build_of
from idto3d.head.sculpt.features import formed, forms_for
from idto3d.head.sculpt.persons import forms_of
from idto3d.head.start import Start, Trait
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.dressing import painted
from idto3d.stages.edit.beard import rebearded
from idto3d.stages.edit.glasses import PAINTED, bespectacled
from idto3d.stages.edit.hair import restyled, worn_rgb
from idto3d.stages.edit.shape import reshaped
from idto3d.stages.edit.who import forms_changed, held
from idto3d.stages.edit.work import Allowed, Work
from idto3d.stages.hair import scalp_skin
from idto3d.stages.saved import FinishedHead
from idto3d.words.asked import read_edit
from idto3d.words.edits import EditRequest
from idto3d.words.looks.eyewear import Frames
from idto3d.words.traits import COLOURS

EXPRESSIONS = ("neutral", "smile", "eyes closed")
STEPS = (reshaped, restyled, rebearded, bespectacled)
PLAIN, ANYWHERE = EditOptions(), Allowed({}, {})


@pytest.fixture(scope="module")
def man(fit, asked, embedded):
    """An old man with a short grey beard and grey hair, in three expressions."""
    options = replace(asked, prompt="old man with short grey hair and a beard", expressions=EXPRESSIONS)
    with few_expressions():
        made = fit(options)
    traits = {"age": "old", "gender": "male", "hair_style": "short", "hair_colour": "grey", "beard": "beard"}
    said = {name: Trait(word, "words") for name, word in traits.items()}
    has = forms_for(embedded.template, forms_of(traits))
    start = Start(None, said, "old man", torch.zeros(embedded.prior.size.modes), has)
    head = made.rest.head.first(len(EXPRESSIONS))
    kept = (embedded.prior, None, options, "embedded", (), painted(made.wear))
    return FinishedHead(start, head, made.rest.coefficients, {}, *kept)


@pytest.fixture(scope="module")
def work(man, embedded):
    """work(traits, options, allowed, ...) is the beginning of an edit of the old man."""

    def begun(traits=None, options=PLAIN, allowed=ANYWHERE, head=man, **asked):
        request = EditRequest(traits=traits or {}, **asked)
        return Work(head, head, request, options, embedded.template, embedded.prior, allowed)

    return begun


@pytest.fixture(scope="module")
def baby(work):
    return reshaped(work({"age": "baby"}))


@pytest.fixture(scope="module")
def bald(work):
    return restyled(work({"hair_style": "bald"})).head


@pytest.fixture(scope="module")
def shaved(work):
    return rebearded(work({"beard": "clean"})).head


def part(head, name):
    return next((one for one in head.head.parts if one.name == name), None)


def albedo(head):
    return head.painted["skin"].albedo.astype(int)


@pytest.mark.parametrize("step", STEPS)
def test_a_request_for_something_else_changes_nothing(work, step):
    begun = work({"hair_colour": "green"}, colours={"eyes": "blue"}, marks={"freckles": 1.0})
    assert step(begun) is begun


def test_a_baby_goes_the_way_that_the_word_goes_and_loses_its_years(work, baby, man, embedded):
    template, prior = embedded.template, embedded.prior
    own = template.part("skin").vertices
    alone = template.shape(prior.expected_coefficients(prior.word_shift(("baby",)) - prior.word_shift(("old",))))
    way = (alone - template.neutral + formed(template, forms_changed(work({"age": "baby"}))))[own]
    moved = part(baby.head, "skin").vertices - part(man, "skin").vertices
    alike = torch.cosine_similarity(way.flatten(), moved.flatten(), 0)
    assert alike > 0.88  # jaw, neck and skull are softer than the word alone
    assert moved.norm() == pytest.approx(float(way.norm()), rel=0.25)
    now = held(baby.head, template, prior)
    assert now["baby"] > 0.9 and now["old"] < 0.1
    assert baby.head.start.words()["age"] == "baby" and not baby.told


def test_eyes_stay_round_about_their_pivots_and_lids_still_shut(baby, man, embedded):
    vertices = torch.cat([one.vertices for one in baby.head.head.parts[: len(embedded.template.parts)]])
    for side, name in enumerate(("eye_left", "eye_right")):
        torch.testing.assert_close(part(baby.head, name).pivot, eye_of(embedded.template, vertices, side).centre)
    skin, shut = part(baby.head, "skin"), EXPRESSIONS.index("eyes closed")
    for high, low in ((37, 41), (44, 46)):
        upper, lower = (skin.positions()[:, LANDMARKS[mark]] for mark in (high, low))
        gap = (upper - lower).norm(dim=1)
        assert gap[shut] < 0.3 * gap[0]
    assert not skin.displacements[0].any()


def test_what_a_head_wears_goes_with_it(baby, man):
    assert [one.name for one in baby.head.head.parts] == [one.name for one in man.head.parts]
    for name in ("hair", "beard"):
        before, after = (cKDTree(part(one, "skin").vertices.numpy()).query(part(one, name).vertices.numpy())[0]
                         for one in (man, baby.head))  # fmt: skip
        assert np.abs(after - before).mean() < 0.002


def test_a_head_takes_the_full_change_of_its_gender(work, embedded):
    woman = reshaped(work({"gender": "female"})).head
    assert held(woman, embedded.template, embedded.prior)["female"] == pytest.approx(1.0, abs=0.1)


def test_older_and_younger_are_steps_on_one_ladder(work, man, embedded):
    younger = reshaped(work(years=-1.0)).head
    again = reshaped(work(years=1.0, head=younger)).head
    assert younger.start.words()["age"] == "middle-aged"
    gap = (part(again, "skin").vertices - part(man, "skin").vertices).norm(dim=1)
    moved = (part(younger, "skin").vertices - part(man, "skin").vertices).norm(dim=1)
    assert gap.max() < 0.2 * moved.max() and moved.max() > 0.003


@pytest.mark.parametrize("step", STEPS)
def test_an_edit_of_no_strength_changes_nothing(work, step):
    begun = work({"age": "baby", "hair_style": "long", "beard": "clean"}, EditOptions(strength=0.0), glasses=True)
    assert step(begun).head is begun.head


def test_geometry_that_is_to_be_kept_is_kept_and_said(work):
    begun = work({"age": "baby", "hair_style": "long", "beard": "clean"}, EditOptions(keep="geometry"), glasses=True)
    for step in STEPS:
        done = step(begun)
        assert done.head is begun.head and len(done.told) == 1


def test_what_may_not_move_stays_bit_for_bit_and_what_is_beside_moves_little(work, man, embedded):
    skin = part(man, "skin")
    free = torch.ones(len(skin.vertices))
    nose = (embedded.template.neutral[: len(free)] - embedded.template.neutral[LANDMARKS[30]]).norm(dim=1)
    free[nose < 0.02] = 0
    done = reshaped(work({"age": "baby"}, allowed=Allowed({}, {"skin": free}))).head
    moved = part(done, "skin")
    held_still = free == 0
    assert torch.equal(moved.vertices[held_still], skin.vertices[held_still])
    assert torch.equal(moved.displacements[:, held_still], skin.displacements[:, held_still])
    gone = (moved.vertices - skin.vertices).norm(dim=1)
    assert gone[(nose > 0.02) & (nose < 0.024)].max() < 0.35 * gone[nose > 0.06].max()


def test_bald_takes_hair_away_and_bares_the_scalp(bald, man):
    assert part(bald, "hair") is None and "hair" not in bald.painted
    assert bald.head.parts == tuple(one for one in man.head.parts if one.name != "hair")
    changed = (albedo(bald) != albedo(man)).any(-1)
    assert 0.05 < changed.mean() < 0.6
    assert bald.start.words()["hair_style"] == "bald"
    assert np.abs(np.median(albedo(bald)[changed], 0) - np.median(albedo(man)[40:48, 50:60], (0, 1))).max() < 40


def test_a_buzzcut_halves_the_hair(work, man):
    short = restyled(work({"hair_style": "buzzcut"})).head
    skin = part(man, "skin")
    outer, normals = (values[: MOUTH_SOCKET.start].numpy() for values in (skin.vertices, skin.shading()[0]))

    def height(points):
        nearest = cKDTree(outer).query(points)[1]
        return ((points - outer[nearest]) * normals[nearest]).sum(1).mean()

    assert 0 < height(part(short, "hair").vertices.numpy()) < 0.5 * height(part(man, "hair").vertices.numpy())


def test_long_hair_goes_behind_ears_that_become_pointed(work, embedded):
    long = restyled(work({"hair_style": "long"})).head
    reshaped_only = reshaped(work(head=long, features={"pointed ears": 1.0}))
    done = restyled(reshaped_only).head
    skin = scalp_skin(done.head, embedded.template)
    assert skin.pointed_ears
    ears = skin.vertices[skin.ears > 0.9]
    tips = ears[ears[:, 1] > np.quantile(ears[:, 1], 0.8)]
    outer = tips[np.abs(tips[:, 0]) > np.quantile(np.abs(tips[:, 0]), 0.5)]

    def hides(head):
        """Share of places beside the tips of the ears that lie in hair's cards."""
        gap = cKDTree(part(head, "hair").vertices.numpy()).query(outer + [0.004, 0, 0] * np.sign(outer[:, :1]))[0]
        return (gap < 0.004).mean()

    assert hides(done) < 0.1 < hides(reshaped_only.head)
    assert restyled(work(head=done, features={"pointed ears": 1.0})).head is done


def test_dyed_hair_stays_dyed_in_another_style(work, man):
    hair = man.painted["hair"]
    green = hair.albedo.copy()
    green[..., :3] = [60, 165, 80]
    dyed = replace(man, painted={**man.painted, "hair": replace(hair, albedo=green)})
    grown = restyled(work({"hair_style": "bob"}, head=dyed)).head
    red, shown, blue = worn_rgb(grown.painted["hair"])
    assert shown > 2.5 * red and shown > 2.5 * blue
    asked = restyled(work({"hair_style": "bob", "hair_colour": "red"}, head=dyed)).head
    assert worn_rgb(asked.painted["hair"])[0] == pytest.approx(COLOURS["red"].rgb[0], rel=0.3)


def test_shaving_takes_the_beard_and_its_colour_off_the_skin(shaved, man):
    assert part(shaved, "beard") is None and "beard" not in shaved.painted
    changed = (albedo(shaved) != albedo(man)).any(-1)
    assert 0.02 < changed.mean() < 0.4
    assert albedo(shaved)[changed].mean() > albedo(man)[changed].mean() + 15
    for name in ("skin", "hair"):
        assert part(shaved, name) is part(man, name)


def test_a_beard_grows_on_a_shaven_face_and_stubble_is_skin(work, shaved):
    goatee = rebearded(work({"beard": "goatee"}, head=shaved)).head
    assert len(part(goatee, "beard").faces) > 50 and goatee.start.words()["beard"] == "goatee"
    stubble = rebearded(work({"beard": "stubble"}, head=shaved)).head
    assert part(stubble, "beard") is None and (albedo(stubble) != albedo(shaved)).any(-1).mean() > 0.02


def test_who_is_shaven_already_is_told(work, shaved):
    done = rebearded(work({"beard": "clean"}, head=shaved))
    assert done.head is shaved and done.told


@pytest.mark.parametrize("traits", [{"age": "baby"}, {"gender": "female"}])
def test_babies_and_women_lose_a_beard_that_is_not_asked_for(work, traits):
    assert part(rebearded(work(traits)).head, "beard") is None
    assert part(rebearded(work({**traits, "beard": "beard"})).head, "beard") is not None


def test_texels_that_may_not_change_stay_byte_for_byte(work, man):
    allowed = np.ones(man.painted["skin"].roughness.shape, np.float32)
    allowed[:, : len(allowed) // 2] = 0
    done = rebearded(work({"beard": "clean"}, allowed=Allowed({"skin": allowed}, {}))).head
    assert (albedo(done)[allowed == 0] == albedo(man)[allowed == 0]).all()
    assert (albedo(done) != albedo(man)).any()


def test_glasses_come_and_go_and_fit_a_baby(work, man, baby, embedded):
    worn = bespectacled(work(glasses=True)).head
    frame = part(worn, GLASSES)
    assert not frame.displacements.any() and isinstance(worn.painted[GLASSES], PaintedMaterial)
    off = bespectacled(work(glasses=False, head=worn)).head
    assert off.head.parts == man.head.parts and off.painted == man.painted
    smaller = reshaped(work({"age": "baby"}, head=worn)).head
    again = bespectacled(work(glasses=True, head=baby.head)).head
    torch.testing.assert_close(part(smaller, GLASSES).vertices, part(again, GLASSES).vertices)


def test_exchanged_glasses_keep_what_is_not_named(work, man):
    def exchanged(head, **said):
        begun = work(glasses=True, head=head)
        return bespectacled(replace(begun, request=replace(begun.request, frames=Frames(**said)))).head

    red = exchanged(man, dark=True, colour="red", thick=0.55)
    rounded = exchanged(red, form="round")
    assert build_of(part(rounded, GLASSES)) == Build("round", True, 0.55)
    assert np.array_equal(rounded.painted[GLASSES].albedo, red.painted[GLASSES].albedo)
    blue = exchanged(rounded, colour="blue", thick=1.6)
    assert build_of(part(blue, GLASSES)) == Build("round", True, 1.6)
    assert blue.painted[GLASSES].albedo[0, 0].argmax() == 2


def test_frames_that_are_compared_go_on_from_those_that_are_worn(work, man):
    def compared(head, prompt):
        begun, asked = work(glasses=True, head=head), read_edit(prompt)
        done = bespectacled(replace(begun, request=replace(begun.request, frames=asked.frames))).head
        return done, build_of(part(done, GLASSES))

    head, _ = compared(man, "thick round sunglasses")
    for prompt, thick in (("less thick glasses", 1.0), ("thinner frames", 0.55), ("thinner glasses", 0.55)):
        head, build = compared(head, prompt)
        assert build == Build("round", True, thick)
    head, build = compared(head, "make the glasses bigger")
    assert build.larger > 1 and build.thick == 0.55
    assert compared(head, "smaller glasses with clear lenses")[1] == Build("round", False, 0.55)


def test_glasses_that_are_not_there_cannot_be_taken_off(work):
    done = bespectacled(work(glasses=False))
    assert done.told == (PAINTED,)
