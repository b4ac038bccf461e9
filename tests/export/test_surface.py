import numpy as np
import trimesh

from idto3d.export.surface import carry, closest_in_groups, eased_normals, faces_around, grouped, smooth_normals


def everything(count):
    """One cluster that holds all vertices, so that the search is exhaustive."""
    return grouped(np.zeros(count, np.int64), 1)


def test_the_closest_point_agrees_with_trimesh():
    ball = trimesh.creation.icosphere(subdivisions=2)
    points = np.random.default_rng(0).normal(size=(200, 3))
    asked = np.zeros((200, 1), np.int64)
    found = closest_in_groups(points, asked, everything(len(ball.vertices)), ball.vertices, ball.faces)
    expected, _, _ = trimesh.proximity.closest_point_naive(ball, points)
    np.testing.assert_allclose(carry(ball.vertices, found), expected, atol=1e-9)


def test_weights_are_a_convex_combination():
    ball = trimesh.creation.icosphere(subdivisions=1)
    points = np.random.default_rng(1).normal(size=(50, 3)) * 2
    asked = np.zeros((50, 1), np.int64)
    found = closest_in_groups(points, asked, everything(len(ball.vertices)), ball.vertices, ball.faces)
    assert (found.weights >= -1e-12).all()
    np.testing.assert_allclose(found.weights.sum(1), 1.0)


def test_a_point_stays_on_the_surface_it_came_from_even_where_another_touches_it():
    below = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], float)
    above = below + [0, 0, 1e-9]
    lips = np.concatenate([below, above])
    faces = np.array([[0, 1, 2], [3, 4, 5]])
    side = grouped(np.array([0, 0, 0, 1, 1, 1]), 2)
    point = np.array([[0.2, 0.2, 1e-9]])
    assert closest_in_groups(point, np.array([[0]]), side, lips, faces).corners.max() <= 2
    assert closest_in_groups(point, np.array([[1]]), side, lips, faces).corners.min() >= 3


def test_every_vertex_knows_the_faces_around_it():
    faces = np.array([[0, 1, 2], [2, 1, 3]])
    ring = faces_around(faces, 4)
    around = [set(ring.members[ring.start[v] : ring.start[v + 1]].tolist()) for v in range(4)]
    assert around == [{0}, {0, 1}, {0, 1}, {1}]


def test_eased_normals_lose_the_facets_and_keep_the_form():
    ball = trimesh.creation.icosphere(subdivisions=4)
    bumpy = ball.vertices * (1 + np.random.default_rng(0).normal(0, 0.004, (len(ball.vertices), 1)))

    def off(normals):
        return np.degrees(np.arccos((normals * ball.vertices).sum(1).clip(-1, 1))).mean()

    assert off(eased_normals(bumpy, ball.faces)) < 0.6 * off(smooth_normals(bumpy, ball.faces))
    assert off(eased_normals(ball.vertices, ball.faces)) < 0.5
