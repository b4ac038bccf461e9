"""Noise in space: the same to all sides, on a neck whose texels are stretched, too."""

import numpy as np
import pytest

from idto3d.evidence.completion import patches, plain_grain
from idto3d.head.paint.atlas import texels_of
from idto3d.head.paint.clouds import clouds, ground_of, shown_clouds


@pytest.fixture(scope="module")
def ground(ict):
    part = ict.part("skin")
    faces, uvs = part.faces.numpy(), part.uvs.numpy()
    return ground_of(texels_of(faces, uvs, 512), faces, uvs, ict.neutral[part.vertices].double().numpy())


def test_clouds_are_as_wide_to_all_sides_and_the_same_each_time():
    places = np.random.default_rng(0).uniform(-80, 80, (4000, 3))
    here = clouds(places, 4.0, np.random.default_rng(1))
    assert 0.7 < here.std() < 1.2 and np.array_equal(here, clouds(places, 4.0, np.random.default_rng(1)))
    likeness = [
        [np.corrcoef(here, clouds(places + step * way, 4.0, np.random.default_rng(1)))[0, 1] for way in np.eye(3)]
        for step in (0.5, 8.0)
    ]
    assert min(likeness[0]) > 0.9 and np.abs(likeness[1]).max() < 0.25 and np.ptp(likeness[0]) < 0.05


def slopes(ground, values):
    """Mean change per mm of `values` [N] on the throat, between texels that lie above each other and beside."""
    covered, (x, y, z) = ground.texels.covered, ground.places.T
    page, place = np.full(covered.shape, np.nan), np.full((*covered.shape, 3), np.nan)
    throat = (y < -100) & (y > -135) & (z > 10) & (np.abs(x) < 40)
    page[covered], place[covered] = values, np.where(throat[:, None], ground.places, np.nan)
    found = []
    for axis in (0, 1):
        step = np.linalg.norm(np.diff(place, axis=axis), axis=-1)
        near = step < 4  # on one chart, and on the throat
        found.append(np.abs(np.diff(page, axis=axis))[near].mean() / step[near].mean())
    return found


def test_nothing_runs_in_streaks_down_the_neck(ground):
    for values in (plain_grain(ground, 3)[:, 0], patches(ground, 3)[:, 1]):
        down, across = slopes(ground, values)
        assert 0.5 < down / across < 1.5  # waves are shorter than texels are high, so that it is less than across


def test_what_is_finer_than_a_texel_is_not_shown(ground):
    values = shown_clouds(ground, 1.0, np.random.default_rng(0))
    coarse, fine = ground.side > 3.0, ground.side < 0.8
    assert coarse.any() and fine.any() and not values[coarse].any() and values[fine].std() > 0.8
