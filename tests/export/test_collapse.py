from dataclasses import replace

import numpy as np
import pytest
import trimesh

from idto3d.export.collapse import coarser
from idto3d.export.given import given_mesh


@pytest.fixture
def parts(portrait):
    return [given_mesh(part, 0, [1, 2]) for part in portrait.parts]


def edges_of(faces):
    """How many faces each edge has, by its two vertices."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    found, counts = np.unique(edges, axis=0, return_counts=True)
    return dict(zip(map(tuple, found.tolist()), counts.tolist(), strict=True))


def turned(points, faces):
    a, b, c = (points[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


@pytest.mark.parametrize("share", [0.5, 0.25])
def test_triangles_are_as_few_as_asked_and_name_only_vertices_that_there_are(parts, share):
    faces = coarser(parts, share)
    assert sum(map(len, faces)) == pytest.approx(share * sum(len(part.faces) for part in parts), abs=2)
    for part, own in zip(parts, faces, strict=True):
        assert own.min() >= 0 and set(own.ravel()) <= set(part.faces.ravel())
        assert (np.sort(own, axis=1)[:, :-1] < np.sort(own, axis=1)[:, 1:]).all()


def test_the_surface_stays_where_it_was(parts):
    skin, own = parts[0], coarser(parts, 0.25)[0]
    gone = np.setdiff1d(skin.faces, own)
    coarse = trimesh.Trimesh(skin.positions, own, process=False)
    _, distance, _ = trimesh.proximity.closest_point_naive(coarse, skin.positions[gone])
    assert len(gone) > 400 and distance.mean() < 0.002 and distance.max() < 0.005  # on a ball of 10 cm
    assert (turned(skin.positions, own) * skin.positions[own].mean(1)).sum(1).min() > 0  # all look outwards


def test_no_triangle_turns_over_in_the_texture_or_in_an_open_mouth(parts):
    skin, own = parts[0], coarser(parts, 0.25)[0]
    flat = np.concatenate([skin.uvs, np.zeros((len(skin.uvs), 1))], 1)
    assert len(np.unique(np.sign(turned(flat, skin.faces)[:, 2]))) == 1
    assert (turned(flat, own)[:, 2] * turned(flat, skin.faces)[0, 2] > 0).all()
    opened = skin.positions + skin.displacements[0]
    assert (turned(opened, own) * turned(skin.positions, own)).sum(1).min() > 0


def test_seams_do_not_open_and_borders_keep_their_course(parts):
    skin, _, hair = parts
    fewer, _, fringe = coarser(parts, 0.4)
    places, group = np.unique(skin.positions, axis=0, return_inverse=True)
    whole = edges_of(group.reshape(-1)[fewer])
    assert set(whole.values()) == {2}  # closed, as it was, across the seam of its texture
    border = {edge for edge, count in edges_of(fringe).items() if count == 1}
    corners = [0, 2, 15, 17]
    assert {vertex for edge in border for vertex in edge} >= set(corners)
    rim = hair.positions[sorted({vertex for edge in border for vertex in edge})]
    sides = np.stack([np.abs(rim[:, 0]) - 0.04, rim[:, 1] - 0.11, rim[:, 1] - 0.06])
    assert (np.abs(sides).min(0) < 1e-6).all() and len(fringe) < len(hair.faces)


def test_what_cannot_be_thinned_stays_whole(parts):
    hair = parts[2]
    lone = replace(hair, faces=hair.faces[:1])
    assert coarser([lone], 0.25)[0].tolist() == hair.faces[:1].tolist()


def test_detail_that_an_expression_needs_outlives_detail_that_none_does(parts):
    skin = parts[0]
    bump = 0.004 * np.sin(400 * skin.positions[:, :1]) * np.array([0.0, 0.0, 1.0]) * (skin.positions[:, 2:] > 0.05)
    wrinkled = replace(skin, displacements=np.stack([bump]), normal_displacements=np.zeros((1, *bump.shape)))
    front = np.flatnonzero(bump.any(1))

    def left(part):
        return np.isin(front, coarser([part], 0.3)[0]).sum()

    assert left(wrinkled) > 1.3 * left(replace(skin, displacements=skin.displacements[:0]))
