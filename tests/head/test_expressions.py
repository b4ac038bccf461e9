"""Expressions of the template: Apple's names, eyes that look, jaws that take their teeth along, parts for an artist."""

import pytest
import torch

from idto3d.errors import UserError
from idto3d.head.features.assemble import displacements, head_of, recipe_of, weights_of
from idto3d.head.features.eyes import eye_of, gaze_rotation
from idto3d.head.features.folds import _turned, unfolded
from idto3d.head.features.mouth import mouth_inside
from idto3d.head.parts import head_from, head_names, head_tensors
from idto3d.words.arkit import ARKIT, TONGUE_OUT
from idto3d.words.expressions import NAMES


def moved(ict, name, part):
    return displacements(ict, ict.neutral, weights_of(ict, [name]))[0][ict.part(part).vertices]


def test_there_are_52_names_and_all_but_one_move_the_head(ict):
    assert len(set(ARKIT)) == 52
    able = [name for name in ARKIT if name != TONGUE_OUT]
    assert (weights_of(ict, able).sum(1) > 0).all()
    assert (ict.displacement(weights_of(ict, able)).norm(dim=-1).amax(1) > 0.001).all()
    with pytest.raises(ValueError, match="tongueOut"):
        recipe_of(TONGUE_OUT)
    with pytest.raises(UserError, match="smirk"):
        recipe_of("smirk")


def test_every_shape_that_a_face_shows_has_one_of_apples_names(ict):
    used = weights_of(ict, [name for name in ARKIT if name != TONGUE_OUT]).sum(0) > 0
    left_out = {name for name, there in zip(ict.shapes, used, strict=True) if not there}
    assert left_out == {f"{name}_{side}" for name in ("PupilDilate", "cheekRaiser") for side in "LR"}


def test_both_halves_of_a_split_shape_move_together(ict):
    puff = ict.displacement(weights_of(ict, ["cheekPuff"])[0])[:, 0]
    assert puff.max() > 0.005 and puff.min() < -0.005


@pytest.mark.parametrize("name", ["jawLeft", "mouthLeft"])
def test_a_jaw_and_a_mouth_go_to_the_persons_left(ict, name):
    skin = moved(ict, name, "skin")
    assert skin[skin.norm(dim=1) > 0.004][:, 0].mean() > 0.003


def test_a_jaw_that_opens_takes_lower_teeth_and_tongue_along_and_shows_them(ict):
    teeth = moved(ict, "jawOpen", "teeth")
    lower = ict.original[ict.part("teeth").vertices] >= 19247  # ICT-FaceKit's lower teeth come after the upper ones
    assert (teeth[lower][:, 1] < -0.008).all() and (teeth[~lower].abs() < 1e-5).all()
    gums = moved(ict, "jawOpen", "gums_tongue")
    assert gums[:, 1].min() < -0.03 and gums[:, 1].max() < 0.005
    assert (
        torch.pdist(ict.neutral[ict.part("teeth").vertices][lower][::40])
        .sub(torch.pdist((ict.neutral[ict.part("teeth").vertices] + teeth)[lower][::40]))
        .abs()
        .max()
        < 0.001
    )  # teeth stay as they are


def test_a_gaze_turns_to_the_left_and_upwards():
    ahead = torch.tensor([0.0, 0.0, 1.0])
    assert (gaze_rotation(30.0, 0.0) @ ahead)[0] == pytest.approx(0.5) and (gaze_rotation(0.0, 30.0) @ ahead)[1] == (
        pytest.approx(0.5)
    )
    turn = gaze_rotation(torch.tensor([10.0, -20.0]), torch.tensor([5.0, 7.0]))
    assert torch.allclose(turn @ turn.transpose(1, 2), torch.eye(3).expand(2, 3, 3), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "eye", "axis", "sign"),
    [
        ("eyeLookUpLeft", "eye_left", 1, 1),
        ("eyeLookDownRight", "eye_right", 1, -1),
        ("eyeLookInLeft", "eye_left", 0, -1),
    ]
    + [("eyeLookOutLeft", "eye_left", 0, 1), ("eyeLookOutRight", "eye_right", 0, -1)],
)
def test_eyeballs_look_where_the_name_says_and_stay_where_they_are(ict, name, eye, axis, sign):
    ball = moved(ict, name, eye)
    assert ball[0, axis] * sign > 0.005  # the middle of the cornea
    rest, centre = ict.neutral[ict.part(eye).vertices], eye_of(ict, ict.neutral, int(eye == "eye_right")).centre
    assert torch.allclose((rest + ball - centre).norm(dim=1), (rest - centre).norm(dim=1), atol=1e-6)
    other = {"eye_left": "eye_right", "eye_right": "eye_left"}[eye]
    assert moved(ict, name, other).abs().max() < 1e-6


def test_a_head_has_its_parts_pivots_and_expressions_and_is_saved_with_them(ict, people):
    head = head_of(ict, people[0], ["neutral", "eyes closed", "jawOpen"])
    again = head_from(head_tensors(head), head_names(head))
    for number, name in enumerate(("eye_left", "eye_right")):
        part = next(part for part in again.parts if part.name == name)
        assert torch.equal(part.pivot, eye_of(ict, people[0], number).centre)
        reach = (part.vertices - part.pivot).norm(dim=1)
        assert reach.max() < 1.12 * reach.min()
    assert all(part.pivot is None for part in again.parts if part.material != "eyes")
    assert all((part.displacements[0] == 0).all() for part in again.parts)


def test_what_is_added_is_added_to_every_part(ict):
    extra = torch.full((1, *ict.neutral.shape), 0.001)
    plain, more = (head_of(ict, ict.neutral, ["smile"], added) for added in (None, extra))
    for one, other in zip(plain.parts, more.parts, strict=True):
        assert torch.allclose(other.displacements - one.displacements, torch.tensor(0.001), atol=1e-6)


def test_the_thirteen_expressions_differ(ict):
    moved = displacements(ict, ict.neutral, weights_of(ict, NAMES)).flatten(1)
    assert torch.pdist(moved).min() > 0.05


def test_a_baby_keeps_its_throat_inside(ict, people):
    inside = mouth_inside(ict, people[2])
    assert (inside - people[2]).norm(dim=1).max() > 0.003
    assert torch.equal(mouth_inside(ict, ict.neutral), ict.neutral)


def test_what_is_seen_through_open_lips_is_not_drawn_in(ict, people):
    for person in (people[0], people[3]):
        inside = mouth_inside(ict, person)
        assert (inside - person).norm(dim=1).max() < 0.003  # the nearest skin of the gums is the lips' inner side


def test_folds_of_the_skin_are_smoothed_out_where_they_are(ict, people):
    assert torch.equal(unfolded(ict, ict.neutral), ict.neutral)
    skin = ict.part("skin")
    tip = int(ict.neutral[skin.vertices][:, 2].argmax())  # of the nose
    pushed = people[1].clone()
    pushed[tip, 0] += 0.012
    smooth = unfolded(ict, pushed)
    moved = (smooth - pushed).norm(dim=1) > 0
    assert _turned(pushed[skin.vertices], skin.faces).any() and not _turned(smooth[skin.vertices], skin.faces).any()
    assert moved[tip] and moved.sum() < 40 and not moved[skin.vertices.stop :].any()
