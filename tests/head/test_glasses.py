"""A frame of glasses: a closed surface that rests on any face and touches neither skin nor eyes."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from idto3d.geometry.mesh import vertex_normals
from idto3d.head.glasses.forms import FORMS, POINTS
from idto3d.head.glasses.part import Build, build_of, frame_material, glasses_for
from idto3d.head.glasses.sweep import SIDES
from idto3d.head.hair.scalp import Skin
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET
from idto3d.words.looks.eyewear import FORMS as NAMED
from idto3d.words.looks.eyewear import SIZES, THICKNESS


@pytest.fixture(scope="module")
def skins(ict, people):
    faces = ict.part("skin").faces
    outer = faces[(faces < MOUTH_SOCKET.start).all(1)].numpy()
    mean = ict.neutral[: MOUTH_SOCKET.start].double().numpy()
    return [Skin(one[: MOUTH_SOCKET.start].double().numpy(), mean, outer) for one in (ict.neutral, *people)]


@pytest.fixture(scope="module")
def frames(skins):
    return [glasses_for(skin, 2) for skin in skins]


def closed(part):
    """Whether a part is a closed surface that faces outwards."""
    points, faces = part.vertices.double(), part.faces
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ways, counts = torch.unique(edges, dim=0, return_counts=True)
    whole = (counts == 1).all() and {tuple(way) for way in ways.tolist()} == {(b, a) for a, b in ways.tolist()}
    a, b, c = points[faces].unbind(1)
    return bool(whole) and float((a * torch.linalg.cross(b, c)).sum() / 6) > 1e-6


def test_all_frames_are_one_mesh_in_other_places(frames):
    first = frames[0]
    assert first.name == first.material == "glasses" and not first.displacements.any()
    assert first.uvs.min() >= 0 and first.uvs.max() <= 1 and 1000 < len(first.faces) < 6000
    for other in frames[1:]:
        assert torch.equal(first.faces, other.faces) and torch.equal(first.uvs, other.uvs)
        assert (first.vertices - other.vertices).norm(dim=1).max() > 0.002


def test_the_frame_is_closed_and_faces_outwards(frames):
    for frame in frames:
        assert closed(frame) and vertex_normals(frame.vertices.double(), frame.faces).isfinite().all()


@pytest.mark.parametrize("thick", sorted({1.0, *THICKNESS.values()}))
def test_how_thick_a_frame_is_is_read_back_as_it_was_said(skins, thick):
    assert all(build_of(glasses_for(skin, 1, Build("oval", False, thick))).thick == thick for skin in skins[:2])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("larger", sorted({*SIZES.values()}))
def test_how_large_glasses_are_is_read_back_as_it_was_said_and_rims_stay_apart(skins, form, larger):
    for skin in skins[:3]:
        part, usual = glasses_for(skin, 1, Build(form, larger=larger)), glasses_for(skin, 1, Build(form))
        assert build_of(part) == Build(form, larger=larger) and build_of(usual) == Build(form) and closed(part)
        rims = [one.vertices[: POINTS * SIDES, 0].numpy() for one in (part, usual)]
        assert np.ptp(rims[0]) / np.ptp(rims[1]) == pytest.approx(larger, rel=0.02)
        assert rims[0].min() > 0.001  # beside the nose


@pytest.mark.parametrize("form", FORMS)
def test_frames_of_every_form_are_told_by_their_mesh_and_lie_clear_of_the_face(skins, form):
    skin, build = skins[-1], Build(form, dark=True, thick=1.6)
    part = glasses_for(skin, 1, build)
    assert build_of(part) == build and closed(part)
    front = part.vertices.double().numpy()
    front = front[front[:, 2] > skin.vertices[list(LANDMARKS[36:48]), 2].min()]
    gap, nearest = cKDTree(skin.vertices).query(front)
    height = ((front - skin.vertices[nearest]) * skin.normals[nearest]).sum(1)
    assert height[gap < 0.01].min() > -0.0013
    assert {*FORMS} == {"", *NAMED}


def test_dark_lenses_are_dark_and_a_frame_may_have_a_colour(skins):
    material, part = frame_material(Build(dark=True), (0.4, 0.02, 0.02)), glasses_for(skins[0], 1, Build(dark=True))
    lens = part.uvs[-1].numpy() * len(material.albedo)
    column, row = lens.mean(0).astype(int)
    assert material.albedo[row, column].max() < 30 and material.roughness[row, column] < 40
    assert material.albedo[2, 2, 0] > 2 * material.albedo[2, 2, 1]


def test_no_part_of_it_before_the_ears_is_inside_of_the_head(skins, frames):
    for skin, frame in zip(skins, frames, strict=True):
        points = frame.vertices.double().numpy()
        points = points[points[:, 2] > skin.vertices[skin.ears > 0.05, 2].max()]
        gap, nearest = cKDTree(skin.vertices).query(points)
        height = ((points - skin.vertices[nearest]) * skin.normals[nearest]).sum(1)
        assert height[gap < 0.01].min() > -0.0005 and (gap < 0.01).sum() > 50


def test_eyes_look_through_the_rims_and_the_nose_carries_them(skins, frames):
    for skin, frame in zip(skins, frames, strict=True):
        marks, points = skin.vertices[list(LANDMARKS)], frame.vertices.numpy()
        ahead = points[points[:, 2] > marks[36:48, 2].min()]
        for corners in ((36, 39), (42, 45)):
            middle = marks[list(corners)].mean(0)
            assert np.linalg.norm((ahead - middle)[:, :2], axis=1).min() > 0.010
        assert cKDTree(skin.vertices).query(ahead)[0].min() < 0.004


def test_temples_lie_between_ear_and_head(skins, frames):
    for skin, frame in zip(skins, frames, strict=True):
        for side in (1, -1):
            ear = skin.vertices[(skin.ears > 0.5) & (skin.vertices[:, 0] * side > 0)]
            temple = frame.vertices[frame.vertices[:, 0] * side > 0].numpy()
            over = temple[temple[:, 2] < np.median(ear[:, 2]) + 0.003]
            assert len(over) and over[:, 1].max() < ear[:, 1].max() + 0.003
            assert np.abs(over[:, 0]).max() < np.abs(ear[:, 0]).max()


def test_the_frame_is_dark_and_smooth():
    material = frame_material()
    assert material.albedo.max() < 60 and material.roughness.max() < 128 and material.normal is None
