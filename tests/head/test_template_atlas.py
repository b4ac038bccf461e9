"""The texture squares: no texel belongs to two faces, nothing is mirrored, most of the skin's square is the face's."""

import numpy as np
import pytest
from numba import njit
from scipy.ndimage import distance_transform_edt, label

from idto3d.head.features.charts import charts_of
from idto3d.head.template import FACE

MATERIALS = ("skin", "eyes", "teeth", "mouth", "lashes")


def corners(ict, material):
    return np.concatenate([part.uvs.numpy() for part in ict.parts if part.material == material]).astype(np.float64)


@njit
def times_covered(uvs, size):
    """How many faces hold the centre of each texel, those on an edge left out."""
    count = np.zeros((size, size), np.int32)
    for face in range(len(uvs)):
        x, y = uvs[face, :, 0] * size - 0.5, uvs[face, :, 1] * size - 0.5
        area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
        for row in range(int(np.ceil(y.min())), int(np.floor(y.max())) + 1):
            for column in range(int(np.ceil(x.min())), int(np.floor(x.max())) + 1):
                a = ((x[1] - column) * (y[2] - row) - (x[2] - column) * (y[1] - row)) / area
                b = ((x[2] - column) * (y[0] - row) - (x[0] - column) * (y[2] - row)) / area
                if a > 1e-7 and b > 1e-7 and 1 - a - b > 1e-7:
                    count[row, column] += 1
    return count


@pytest.mark.parametrize("material", MATERIALS)
@pytest.mark.parametrize("size", [1024, 2048])
def test_no_texel_is_covered_twice(ict, material, size):
    count = times_covered(corners(ict, material), size)
    assert count.max() == 1 and (count > 0).mean() > 0.4


@pytest.mark.parametrize("material", MATERIALS)
def test_no_triangle_is_turned_over_or_outside_of_the_square(ict, material):
    uvs = corners(ict, material)
    first, second = uvs[:, 1] - uvs[:, 0], uvs[:, 2] - uvs[:, 0]
    assert (first[:, 1] * second[:, 0] - first[:, 0] * second[:, 1] > 0).all()  # v points down
    assert uvs.min() >= 0 and uvs.max() <= 1


@pytest.mark.parametrize("material", MATERIALS)
def test_charts_lie_more_than_four_texels_apart(ict, material):
    islands, count = label(times_covered(corners(ict, material), 1024) > 0, structure=np.ones((3, 3)))
    assert count == charts_of(corners(ict, material)).max() + 1
    for island in range(1, count + 1):
        others = (islands > 0) & (islands != island)
        assert distance_transform_edt(islands != island)[others].min() > 5


def test_the_skin_has_few_charts_and_the_face_most_of_them(ict):
    skin = ict.part("skin")
    charts = charts_of(skin.uvs.numpy())
    face = charts == np.bincount(charts).argmax()
    first, second = (skin.uvs[face][:, k] - skin.uvs[face][:, 0] for k in (1, 2))
    area = 0.5 * (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).abs().sum()
    assert charts.max() + 1 <= 7 and area > 0.52
    assert (skin.faces[face] < FACE.stop).all()


def test_up_is_up_in_the_square(ict):
    skin = ict.part("skin")
    heights, rows = ict.neutral[skin.faces][:, :, 1].mean(1), skin.uvs[:, :, 1].mean(1)
    front = (skin.faces < FACE.stop).all(1) & (ict.neutral[skin.faces][:, :, 2].mean(1) > 0.06)
    assert np.corrcoef(heights[front], rows[front])[0, 1] < -0.9
