import numpy as np
import pytest

from idto3d.export.uv import cut, unwrap, uv_raster

SQUARE = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], float)  # lower left, lower right, upper right, upper left
TWO_FACES = np.array([[0, 1, 2], [0, 2, 3]])


@pytest.fixture
def unwrapped(head):
    return unwrap(head.parts[0].vertices.numpy(), head.parts[0].faces.numpy(), 256)


def test_unwrapping_keeps_every_face_and_only_doubles_vertices(head, unwrapped):
    np.testing.assert_array_equal(unwrapped.source[unwrapped.faces], head.parts[0].faces.numpy())
    assert unwrapped.uvs.min() >= 0 and unwrapped.uvs.max() <= 1
    count = len(head.parts[0].vertices)
    assert count < len(unwrapped.uvs) < 2 * count


def test_given_coordinates_cut_a_mesh_only_where_its_corners_differ():
    faces, corners = np.array([[0, 1, 2], [0, 2, 3], [3, 2, 4]]), SQUARE[[[0, 1, 2], [0, 2, 3], [3, 2, 1]]]
    corners[2] = 0.25 + 0.5 * corners[2]  # a chart of its own
    pieces = cut(faces, corners)
    np.testing.assert_array_equal(pieces.source[pieces.faces], faces)
    np.testing.assert_allclose(pieces.uvs[pieces.faces], corners)
    assert len(pieces.uvs) == 7


def test_charts_do_not_overlap(unwrapped):
    a, b, c = (unwrapped.uvs[unwrapped.faces[:, k]].astype(float) for k in range(3))
    area = 0.5 * np.abs(np.linalg.det(np.stack([b - a, c - a], axis=1))).sum()
    texels = uv_raster(unwrapped.uvs, unwrapped.faces, 512)
    assert len(texels.corners) / 512**2 == pytest.approx(area, rel=0.02)


def test_most_of_the_texture_is_used(unwrapped):
    assert len(uv_raster(unwrapped.uvs, unwrapped.faces, 256).corners) > 0.45 * 256**2


def test_the_first_texel_is_the_upper_left_one():
    texels = uv_raster(SQUARE, TWO_FACES, 8)
    where = (SQUARE[texels.corners] * texels.weights[..., None]).sum(1)
    np.testing.assert_allclose(where[0], [1 / 16, 1 / 16], atol=1e-6)
    np.testing.assert_allclose(where[-1], [15 / 16, 15 / 16], atol=1e-6)


def test_texels_beyond_a_chart_take_the_colour_of_the_closest_one_on_it():
    quarter = SQUARE * 0.5
    texels = uv_raster(quarter, TWO_FACES, 8)
    numbers = texels.spread(np.arange(len(texels.corners))[:, None])[..., 0]
    np.testing.assert_array_equal(numbers[:4, 4:], numbers[:4, 3:4].repeat(4, axis=1))
    np.testing.assert_array_equal(numbers[4:, :4], numbers[3:4, :4].repeat(4, axis=0))


def test_a_texture_that_shows_nothing_is_refused():
    with pytest.raises(ValueError, match="no texel"):
        uv_raster(SQUARE * 1e-4, TWO_FACES, 8)
