"""A lit ball of one colour shows its light; without it, it is one colour again."""

import numpy as np
import pytest

from idto3d.evidence.light import brightness, fit_light, harmonics, shading, unlit

SKIN = np.array([0.42, 0.25, 0.18])
LIGHT = np.array([1.0, 0.3, 0.25, 0.35, 0.05, -0.04, 0.08, -0.06, 0.03])


@pytest.fixture(scope="module")
def normals():
    """[1500, 3] unit, of the half of a ball that looks to +Z."""
    drawn = np.random.default_rng(0).standard_normal((1500, 3))
    drawn[:, 2] = np.abs(drawn[:, 2])
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def lit(normals, light=LIGHT):
    return SKIN * shading(light, normals)


def test_harmonics_are_those_of_a_slow_loop(normals):
    slow = [[1, x, y, z, x * y, y * z, z * x, x * x - y * y, 3 * z * z - 1] for x, y, z in normals[:20].tolist()]
    assert np.allclose(harmonics(normals[:20]), slow)


def test_a_light_that_is_known_is_found_and_taken_away(normals):
    colours = lit(normals)
    share = np.linspace(0.3, 1, len(normals))
    albedo = unlit(fit_light(normals, colours, share), normals, colours)
    before, after = (np.std(np.log(brightness(one))) for one in (colours, albedo))
    assert before > 0.25 and after < 0.05
    tint = albedo / albedo.sum(1, keepdims=True)
    assert np.allclose(tint, SKIN / SKIN.sum())


def test_a_light_of_any_strength_gives_the_same_shading(normals):
    share = np.ones(len(normals))
    weak, strong = (fit_light(normals, lit(normals) * gain, share) for gain in (0.2, 3.0))
    assert np.allclose(weak, strong)


def test_what_shines_is_dulled_and_keeps_its_tint(normals):
    colours, share = lit(normals), np.ones(len(normals))
    shiny = normals @ [0.3, 0.3, 0.9] > 0.97
    colours[shiny] *= 1.8
    albedo = unlit(fit_light(normals, colours, share), normals, colours)
    ratio = brightness(albedo[shiny]).mean() / brightness(albedo[~shiny]).mean()
    assert 10 < shiny.sum() < 100 and 1.0 < ratio < 1.4
    assert np.allclose(albedo[shiny] / albedo[shiny].sum(1, keepdims=True), SKIN / SKIN.sum())


def test_a_dark_patch_is_no_shadow(normals):
    colours, share = lit(normals), np.ones(len(normals))
    plain = shading(fit_light(normals, colours, share), normals)
    patched = colours.copy()
    patch = normals @ [0.8, 0.0, 0.6] > 0.93
    patched[patch] *= 0.3
    change = (shading(fit_light(normals, patched, share), normals) / plain)[:, 0]
    assert 30 < patch.sum() < 150 and change[patch].mean() / change[~patch].mean() > 0.93


def test_deep_shade_does_not_become_a_lamp():
    away = np.array([[0.0, 0.0, -1.0]])
    albedo = unlit(np.array([1.0, 0, 0, 1.0, 0, 0, 0, 0, 0]), away, np.array([[0.02, 0.02, 0.02]]))
    assert albedo.max() < 0.06
