"""Skin is uneven between pores and folds: by region and age, alike at every size of texture, and without seams."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.head.paint.atlas import texels_of
from idto3d.head.paint.unevenness import KINDS, Waves, regions, strength, uneven, waves
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET
from idto3d.head.template_file import load_template


@pytest.fixture(scope="module")
def template():
    return load_template(EMBEDDED / TEMPLATE_FILE, "cpu")


@pytest.fixture(scope="module")
def mean(template):
    return template.neutral[template.part("skin").vertices].double().numpy()


@pytest.fixture(scope="module")
def texels(template):
    part = template.part("skin")
    return {size: texels_of(part.faces.numpy(), part.uvs.numpy(), size) for size in (128, 256, 384)}


def test_waves_are_as_long_and_deep_as_they_say_and_lie_as_they_say():
    line = np.zeros((4000, 3), np.float32)
    for axis, fewer in ((0, True), (1, False)):
        points = line.copy()
        points[:, axis] = np.linspace(0, 400, len(line))
        wave = waves(points, Waves("", (2.0, 4.0), 1.0, level=0.9), np.random.default_rng(0))
        assert 0.8 < wave.std() < 1.2
        spectrum = np.abs(np.fft.rfft(wave)) ** 2
        per_mm = (spectrum * np.fft.rfftfreq(len(line), 0.1)).sum() / spectrum.sum()
        assert (per_mm < 0.1) == fewer and (fewer or 1 / 4.0 < per_mm < 1 / 2.0)


def test_every_texel_of_a_place_lies_as_deep_at_each_size_of_texture_and_across_seams(mean, texels):
    small, large = (uneven(mean, {}, texels[size], 3) for size in (128, 384))  # their centres lie on each other
    one, other = (np.einsum("nk,nkc->nc", t.weights, mean[t.corners]) for t in (texels[128], texels[384]))
    gap, near = cKDTree(other).query(one)
    close = (gap < 1e-6) & (np.abs(small) > 0)
    assert close.sum() > 2000 and np.abs(small - large[near])[close].max() < 1e-4


def test_a_face_has_them_and_the_mouth_lips_and_the_back_have_not(mean, texels):
    depth, corners = uneven(mean, {}, texels[256], 0), texels[256].corners
    face = (mean[corners, 2] > 0.07).all(1) & (corners < MOUTH_SOCKET.start).all(1)
    assert 0.01 < depth[face].std() < 0.04
    assert (
        not depth[(corners >= MOUTH_SOCKET.start).all(1)].any() and not depth[(mean[corners, 2] < -0.03).all(1)].any()
    )
    share = regions(mean)
    assert set(share) == {kind.name for kind in KINDS}
    assert share["chin"].argmax() != share["eyes"].argmax() and share["skin"][LANDMARKS[51]] < 0.5


def test_years_deepen_them_and_a_baby_has_hardly_any():
    steps = [strength({"age": age}) for age in ("baby", "child", "young", "middle-aged", "old")]
    assert steps == sorted(steps) and steps[0] < 0.3 and steps[2] == strength({}) == 1.0
    assert strength({"gender": "female"}) < 1 < strength({"gender": "male"})


def test_another_seed_is_another_skin(mean, texels):
    one, again, other = (uneven(mean, {}, texels[128], seed) for seed in (0, 0, 1))
    assert (one == again).all() and np.corrcoef(one, other)[0, 1] < 0.2
