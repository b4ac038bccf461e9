"""What benchmarks of written heads call a fault: overlaps, flips, and pictures that other programs show otherwise."""

from pathlib import Path

import numpy as np
import pytest

from idto3d.export.gltf.mesh import PartMesh, Pose

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """The benchmarks can be imported; they are no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture
def square():
    """A square of two triangles that faces +Z and fills a quarter of its texture."""
    positions = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    normals, none = np.tile([0.0, 0.0, 1.0], (4, 1)), np.zeros((0, 4, 3))
    uvs = positions[:, :2] / 2
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    return PartMesh("skin", "skin", positions, normals, np.zeros((4, 4)), uvs, faces, none, none, np.zeros(3))


def with_faces(part, faces):
    return PartMesh(**(vars(part) | {"faces": np.array(faces)}))


def test_neighbours_share_no_texel_and_twice_the_same_triangle_shares_all(square):
    from benchmarks.asset_faults import SIDE, overlap

    assert overlap(square) == 0
    twice = with_faces(square, [*square.faces, square.faces[0]])
    assert overlap(twice) == pytest.approx(SIDE**2 / 8, rel=0.01)


def test_what_turns_away_from_its_normals_or_lies_mirrored_is_counted(square):
    from benchmarks.asset_faults import flipped, mirrored

    pose = Pose(square.positions, square.normals)
    turned = with_faces(square, [[0, 1, 2], [0, 3, 2]])
    assert flipped(square, pose) == 0 == mirrored(square)
    assert flipped(turned, pose) == 1 == mirrored(turned)


def test_pictures_are_compared_where_either_shows_a_head():
    from benchmarks.viewers.__main__ import compared, faults
    from benchmarks.viewers.shots import Shown

    cover = np.zeros((8, 8))
    cover[2:6, 2:6] = 1.0
    own = Shown(np.full((8, 8, 3), 100, np.uint8), cover)
    moved = Shown(own.plain, np.roll(cover, 1, 1))
    assert compared(own, own) == {"outline": 1.0, "plain": 1.0}
    assert compared(own, moved) == {"outline": pytest.approx(12 / 20), "plain": 1.0}
    plain = own.plain.copy()
    plain[2, 2], plain[0, 0] = 117, 255  # the second lies outside of the head
    found = compared(own, Shown(plain, cover))
    assert found["plain"] == pytest.approx(15 / 16)
    assert faults("three", {"front": found}) == ["three: front: plain 0.9375, not 0.98"]
