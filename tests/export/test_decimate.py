import numpy as np
import pytest

from idto3d.export.decimate import FEWEST, decimate, pieces, tidied
from idto3d.export.surface import carry


def edges_of(faces):
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    return np.unique(pairs, axis=0, return_counts=True)[1]


@pytest.fixture
def dense(head):
    return head.parts[0].vertices.double().numpy(), head.parts[0].faces.numpy()


def test_decimation_reaches_its_target_and_leaves_the_surface_closed(dense):
    vertices, faces = dense
    low = decimate(vertices, faces, 400)
    assert 300 <= len(low.faces) <= 400
    assert (edges_of(low.faces) == 2).all()


def test_decimated_vertices_lie_on_the_dense_surface_and_keep_the_volume(dense):
    vertices, faces = dense
    low = decimate(vertices, faces, 600)

    def volume(points, triangles):
        a, b, c = (points[triangles[:, k]] for k in range(3))
        return (a * np.cross(b, c)).sum() / 6

    kept = volume(carry(vertices, low.onto), low.faces) / volume(vertices, faces)
    assert 0.97 < kept < 1.01


def test_a_displacement_of_the_dense_mesh_carries_over(dense):
    vertices, faces = dense
    low = decimate(vertices, faces, 600)
    points = carry(vertices, low.onto)
    np.testing.assert_allclose(carry(vertices * 2.0 + 0.01, low.onto), points * 2.0 + 0.01, atol=1e-12)


def test_the_face_keeps_more_triangles_than_the_back(dense):
    vertices, faces = dense
    low = decimate(vertices, faces, 400)
    centre = carry(vertices, low.onto)[low.faces].mean(1)
    assert (centre[:, 2] > 0.03).sum() > 1.3 * (centre[:, 2] < -0.03).sum()


def test_a_mesh_that_is_small_enough_stays_as_it_is(dense):
    vertices, faces = dense
    low = decimate(vertices, faces, 10**6)
    assert len(low.faces) == len(faces)
    np.testing.assert_allclose(carry(vertices, low.onto), vertices, atol=1e-12)


def test_every_piece_keeps_triangles_however_small_it_is(dense):
    vertices, faces = dense
    crumbs = [vertices * 0.02 + [0.0, 0.2 + 0.01 * number, 0.0] for number in range(3)]
    many = np.concatenate([faces + number * len(vertices) for number in range(4)])
    low = decimate(np.concatenate([vertices, *crumbs]), many, 600)
    sizes = [len(rows) for rows in pieces(low.faces, len(low.onto.corners))]
    assert 500 < sizes[0] <= 600 and all(FEWEST - 8 <= size <= FEWEST for size in sizes[1:]) and len(sizes) == 4
    assert (edges_of(low.faces) == 2).all()


def test_tidying_drops_empty_faces_and_welds_doubles_but_keeps_every_piece(dense):
    vertices, faces = dense
    apart = np.array([[0.3, 0, 0], [0.31, 0, 0], [0.3, 0.01, 0]])
    doubled = np.concatenate([vertices, apart, vertices[:1]])
    last = len(doubled) - 1
    torn = np.where(faces == 0, last, faces)[:5]
    extra = np.array([[1, 1, 2], [len(vertices), len(vertices) + 1, len(vertices) + 2]])
    kept, tidy = tidied(doubled[None], np.concatenate([torn, faces[5:], extra]))
    assert len(kept) == len(vertices) + 3
    assert len(tidy) == len(faces) + 1
    assert (edges_of(tidy[:-1]) == 2).all() and len(pieces(tidy, len(kept))) == 2


def test_lips_that_touch_in_one_expression_alone_are_not_welded():
    lip = np.array([[0.0, 0, 0], [0.01, 0, 0], [0, 0.01, 0]])
    poses = np.stack([np.concatenate([lip, lip]), np.concatenate([lip, lip - [0, 0.005, 0]])])
    assert len(tidied(poses, np.array([[0, 1, 2], [3, 5, 4]]))[0]) == 6
