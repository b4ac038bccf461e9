"""Clay pictures show a head from three sides, whatever the light."""

import numpy as np
import pytest

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.guidance.scorer.clay import clay_normals, clay_of, light_directions, lit
from idto3d.head.template_file import load_template


@pytest.fixture(scope="module")
def normals():
    clay = clay_of(load_template(EMBEDDED / TEMPLATE_FILE))
    return clay_normals(clay, np.zeros(len(clay.modes), np.float32), 32)


def test_a_head_is_in_the_middle_of_each_picture(normals):
    shown = np.abs(normals.astype(int)).sum(-1) > 0
    assert normals.shape == (3, 32, 32, 3) and normals.dtype == np.int8
    for view in shown:
        assert 0.2 < view.mean() < 0.7 and not view[0, :8].any() and view[16].any()


def test_both_sides_mirror_each_other(normals):
    left, right = normals[1].astype(int), normals[2, :, ::-1].astype(int) * [-1, 1, 1]
    assert np.abs(left - right).mean() < 6


def test_skin_looks_at_the_camera(normals):
    seen = normals[np.abs(normals.astype(int)).sum(-1) > 100]
    assert (seen[:, 2] >= -30).mean() > 0.99


def test_lights_come_from_the_front_and_change_the_picture(normals):
    lights = light_directions()
    assert np.allclose(np.linalg.norm(lights, axis=1), 1, atol=1e-6) and (lights[:, 2] > 0).all()
    first, second = (lit(normals[0], light) for light in lights[1:6:4])
    assert first.min() >= 0 and first.max() <= 1 and np.abs(first - second).max() > 0.2
    assert np.allclose(first[0, :8], 1)  # white beside the head


def test_a_picture_has_the_albedo_it_is_given(normals):
    red = lit(normals[0], light_directions()[0], np.array([0.5, 0.05, 0.05], np.float32))
    assert red[16, 16, 0] > 1.4 * red[16, 16, 1]
