"""Lids on any head: shut they hide the eye, half-way they are not cut by it."""

import math

import pytest
import torch

from idto3d.head.features.assemble import displacements, settled, weights_of
from idto3d.head.features.eyes import NAMES, clearance, eye_of, looks
from idto3d.head.features.lashes import CURL_M, curled, tip_share
from idto3d.head.features.lid_skin import lids_of
from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import Camera, clip_positions, orbit

VIEWS = ((0.0, 0.0), (45.0, 0.0), (-45.0, 0.0), (0.0, 35.0), (0.0, -35.0))
PARTS = ("skin", *NAMES)


def seen(ict, vertices, side):
    """How many pixels of five close pictures show an eyeball."""
    faces = torch.cat([ict.part(name).faces + ict.part(name).vertices.start for name in PARTS])
    azimuth, elevation = torch.tensor(VIEWS).T
    centre = tuple(eye_of(ict, vertices, side).centre.tolist())
    camera = Camera(orbit(azimuth, elevation, 1.0, centre), math.radians(4.5))
    face = make_rasterizer("cpu").fragments(clip_positions(vertices, camera), faces, (160, 160)).face
    return int((face >= len(ict.part("skin").faces)).sum())


@pytest.fixture(scope="module")
def settled_people(ict, people):
    return [settled(ict, vertices) for vertices in (ict.neutral, *people)]


@pytest.mark.parametrize(("expression", "most"), [("eyes closed", 0), ("squeeze", 3)])
def test_shut_lids_hide_the_eye_from_every_side(ict, settled_people, expression, most):
    for vertices in settled_people:
        shut = vertices + displacements(ict, vertices, weights_of(ict, [expression]))[0]
        assert seen(ict, shut, 0) + seen(ict, shut, 1) <= most


def test_without_our_care_eyes_would_show(ict, people):
    blink = ict.displacement(ict.weights({"eyeBlink": 1.0}))
    assert sum(seen(ict, vertices + blink, 0) > 30 for vertices in (ict.neutral, *people)) >= 3


def test_open_eyes_stay_open(ict, settled_people):
    for vertices in settled_people:
        wide = vertices + displacements(ict, vertices, weights_of(ict, ["brow raised"]))[0]
        assert seen(ict, wide, 0) > 1.02 * seen(ict, vertices, 0) > 2000


@pytest.mark.parametrize("name", ["eyeBlinkLeft", "eyeLookDownLeft", "eyeLookUpLeft", "eyeLookInLeft", "eyeWideLeft"])
def test_no_eyeball_comes_through_a_lid_on_the_way(ict, settled_people, name):
    lid, weights = lids_of(ict)[0], weights_of(ict, [name])
    for vertices in settled_people:
        eye, moved = eye_of(ict, vertices, 0), displacements(ict, vertices, weights)[0]
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            axis = torch.nn.functional.normalize(
                (1 - share) * eye.axis + share * (looks(ict, weights, 0)[0] @ eye.axis), dim=0
            )
            clear = clearance((vertices + share * moved)[lid.skin], eye, axis, lid.rise)
            assert clear[lid.most > 0].min() > -0.0003


def test_settled_heads_stay_as_they_are(ict, settled_people):
    for vertices in settled_people[:2]:
        again = settled(ict, vertices)
        assert (again - vertices).norm(dim=1).max() < 0.0008


def test_lashes_go_with_their_lids(ict, settled_people):
    vertices = settled_people[1]
    moved = displacements(ict, vertices, weights_of(ict, ["eyes closed"]))[0]
    lid = lids_of(ict)[0]
    before = (vertices[lid.lashes] - vertices[lid.skin][lid.roots]).norm(dim=1)
    after = ((vertices + moved)[lid.lashes] - (vertices + moved)[lid.skin][lid.roots]).norm(dim=1)
    rooted = before < 0.0025
    assert rooted.sum() > 50 and after[rooted].max() < 0.006


def test_upper_lashes_curl_and_lower_ones_stay(ict):
    own = ict.part("lashes").vertices
    rise = (curled(ict, ict.neutral) - ict.neutral)[:, 1]
    assert rise[: own.start].abs().max() == 0 and rise.max() == pytest.approx(CURL_M)
    upper = tip_share(ict) > 0
    assert 0.3 < upper.mean() < 0.5 and not rise[own][~upper].any()
