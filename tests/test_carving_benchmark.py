"""The benchmark of carving: waves of 1 to 5 mm are detail, longer and shorter ones are not; and what moves broadly."""

from pathlib import Path

import numpy as np
import pytest

from idto3d.evidence.completion import symmetry_of
from idto3d.evidence.skin import SkinMap
from idto3d.head.paint.atlas import texels_of
from idto3d.stages.carving.relief import normal_map_of

ROOT = Path(__file__).parents[1]
SIZE, SIDE_MM = 256, 100.0


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """The benchmarks can be imported; they are no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture(scope="module")
def skin():
    """A square of 10 cm before the face, of 41 x 41 vertices."""
    across = np.linspace(0, 1, 41)
    x, y = (one.ravel() for one in np.meshgrid(across, across))
    positions = np.stack([0.1 * x, -0.1 * y, np.full(len(x), 0.1)], -1)
    first = (np.arange(40)[:, None] * 41 + np.arange(40)).ravel()
    faces = np.concatenate(
        [np.stack([first, first + 41, first + 1], -1), np.stack([first + 1, first + 41, first + 42], -1)]
    )
    uvs = np.stack([x, y], -1)[faces]
    return SkinMap(texels_of(faces, uvs, SIZE), faces, uvs, symmetry_of(positions), positions, np.ones(len(x)))


def waves(length_mm, slope=0.1):
    """The normal map of waves of this length, whose slopes have that amplitude."""
    place = (np.arange(SIZE) + 0.5) * SIDE_MM / SIZE
    slopes = np.zeros((SIZE, SIZE, 2), np.float32)
    slopes[..., 0] = slope * np.sin(2 * np.pi * place / length_mm)
    return normal_map_of(slopes)


@pytest.mark.parametrize("length_mm, counts", [(0.9, False), (1.25, True), (2.5, True), (4.0, True), (10.0, False)])
def test_what_counts_as_detail_has_waves_of_1_to_5_mm(skin, length_mm, counts):
    from benchmarks.carving import detail_of, millimetres_a_texel

    assert millimetres_a_texel(skin) == pytest.approx(SIDE_MM / SIZE, rel=0.01)
    found = detail_of(waves(length_mm), skin)
    if counts:
        assert found.energy == pytest.approx(0.1**2 / 2, rel=0.1) and found.share > 0.95
    else:
        assert found.share < 0.1


def test_what_moves_here_and_there_does_not_move_broadly(skin):
    from benchmarks.carving import moved_mm

    normals = np.broadcast_to([0.0, 0.0, 1.0], skin.positions.shape)
    away = np.linalg.norm(skin.positions[:, :2] - skin.positions[840, :2], axis=1)
    bump = skin.positions + 2e-4 * normals * (away < 0.001)[:, None]
    most, broad = moved_mm(skin.positions, bump, normals, skin)
    assert most == pytest.approx(0.2) and broad < 0.05
    assert moved_mm(skin.positions, skin.positions - 2e-4 * normals, normals, skin) == pytest.approx((0.2, 0.2))
