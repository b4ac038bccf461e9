"""The bust ends in an even, symmetrical edge and is closed below."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from idto3d.geometry.mesh import face_normals, volume
from idto3d.geometry.regularisers import rim_edges
from idto3d.head.features.bust import QUARTER, ROUNDING_M, rim_of
from idto3d.head.template import EYE_SOCKETS, LANDMARKS


@pytest.fixture(scope="module")
def rim(ict):
    """The row of skin vertices that the base begins at."""
    skin = ict.part("skin")
    faces = skin.faces[(skin.faces < EYE_SOCKETS.stop).all(1)]
    return rim_of(replace(ict, parts=(replace(skin, faces=faces), *ict.parts[1:]))).vertices


def based(ict):
    faces = ict.part("skin").faces
    return faces[(faces >= ict.base.start).any(1)]


def test_the_skin_of_every_head_is_closed(ict, people):
    faces = ict.part("skin").faces
    assert len(rim_edges(faces)) == 0
    assert (volume(people[:, : ict.base.stop].double(), faces) > 0.002).all()


def test_the_base_faces_down_and_no_face_of_it_is_folded(ict, people):
    faces = based(ict)
    flat = faces[(faces >= ict.base.start + len(QUARTER) * 54).any(1)]  # within the rounded edge of 54 vertices
    assert (torch.nn.functional.normalize(face_normals(people.double(), flat), dim=-1)[..., 1] < -0.3).all()
    assert (face_normals(people.double(), faces).norm(dim=-1) > 1e-8).all()


def test_the_edge_is_the_same_on_both_sides_and_bends_slowly_on_every_head(ict, people, rim):
    for head in people.double().numpy():
        row = head[rim]
        mirrored = np.roll(row[::-1], 1, 0) * [-1, 1, 1]
        assert np.abs(row - mirrored).max() < 2e-6
        sides = np.roll(row, -1, 0) - row
        sides /= np.linalg.norm(sides, axis=1, keepdims=True)
        assert (sides * np.roll(sides, 1, 0)).sum(1).min() > np.cos(np.radians(32))


def test_the_edge_is_rounded_by_its_radius(ict, rim):
    ring = ict.neutral[ict.base][(len(QUARTER) - 1) * len(rim) :][: len(rim)]
    torch.testing.assert_close(
        (ring - ict.neutral[rim]).norm(dim=1), torch.full((len(rim),), ROUNDING_M * 2**0.5), atol=5e-5, rtol=0
    )


def test_the_base_lies_still_in_every_expression(ict, rim):
    moves = ict.dense_moves()
    assert not moves[:, ict.base].any() and not moves[:, rim].any()


def test_the_face_is_as_it_was(ict):
    """Modes and moves are changed near the edge alone."""
    marks = ict.neutral[list(LANDMARKS)]
    assert (torch.cdist(marks, ict.neutral[ict.base]).min(1).values > 0.061).all()


def test_a_skin_with_two_borders_is_refused(ict):
    skin = ict.part("skin")
    open_twice = replace(ict, parts=(replace(skin, faces=skin.faces[50:-50]), *ict.parts[1:]))
    with pytest.raises(ValueError, match="closed row"):
        rim_of(open_twice)


def test_behind_the_bust_goes_on_as_a_back_that_light_reaches(ict, people):
    """What looks straight down is black under most lights."""
    faces = based(ict)
    for head in people.double():
        normals = face_normals(head, faces)
        area = -normals[:, 2].clamp(max=0)  # as seen from behind
        height = torch.nn.functional.normalize(normals, dim=-1)[:, 1]
        assert (area * height).sum() / area.sum() > -0.7


def test_the_base_hides_behind_the_edge_in_front(ict, people, rim):
    for head in people:
        base = head[ict.base]
        assert base[len(QUARTER) * len(rim) :, 1].min() > base[: len(QUARTER) * len(rim), 1].min()
