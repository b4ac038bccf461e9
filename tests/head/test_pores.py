"""Pores and lines of the skin: at their own places, at every size of texture, and none in the mouth."""

import numpy as np
import pytest

from idto3d.head.paint.atlas import texels_of
from idto3d.head.paint.pores import dent_places, shaded, skin_dents, widths


@pytest.fixture(scope="module")
def pages(ict):
    """Texels of the skin's texture at two sizes."""
    part = ict.part("skin")
    return {size: texels_of(part.faces.numpy(), part.uvs.numpy(), size) for size in (256, 512)}


@pytest.fixture(scope="module")
def dents(ict, pages):
    return {size: skin_dents(ict, texels, "", 0) for size, texels in pages.items()}


def page_of(texels, values):
    page = np.zeros(texels.covered.shape)
    page[texels.covered] = values
    return page


def test_a_finer_texture_shows_the_same_dents_deeper(pages, dents):
    small, large = (page_of(pages[size], dents[size]) for size in (256, 512))
    shrunk = large.reshape(256, 2, 256, 2).mean((1, 3))
    face = np.zeros_like(small, bool)
    face[40:110, 80:140] = True
    assert np.corrcoef(small[face], shrunk[face])[0, 1] > 0.9
    assert np.quantile(large, 0.999) > 1.2 * np.quantile(small, 0.999)


def test_dents_do_not_repeat(pages, dents):
    face = page_of(pages[512], dents[512])[80:208, 160:288]
    spectrum = np.abs(np.fft.fft2(face - face.mean())) ** 2
    again = np.fft.ifft2(spectrum).real / spectrum.mean()
    away = np.minimum(np.arange(128), 128 - np.arange(128))
    again[np.maximum(away[:, None], away) < 12] = 0  # a dent is like itself, and its region like its surroundings
    assert np.abs(again).max() < 0.25


def test_pores_are_on_the_skin_and_lines_on_the_lips(ict, pages, dents):
    places, texels = dent_places(ict), pages[512]
    share = {name: texels.read(place[:, None])[:, 0] for name, place in places.items()}
    assert dents[512].min() >= 0 and dents[512].max() < 0.5
    inner = sum(share.values()) == 0
    assert inner.any() and dents[512][inner].mean() < 0.1 * dents[512][share["nose"] > 0.9].mean()
    assert dents[512][share["lips"] > 0.9].mean() > dents[512][share["skin"] > 0.9].mean()


def test_the_young_have_shallow_ones_and_seeds_differ(ict, pages, dents):
    baby, other = (skin_dents(ict, pages[256], age, seed) for age, seed in (("baby", 0), ("", 1)))
    np.testing.assert_allclose(baby, 0.15 * dents[256])
    assert np.corrcoef(other, dents[256])[0, 1] < 0.55


def test_what_lies_deeper_is_darker_and_redder():
    shade = shaded(np.array([0.0, 0.05]))
    assert (shade[0] == 0).all() and shade[1, 2] < shade[1, 1] < shade[1, 0] < 0


def test_texels_of_a_face_are_a_third_of_a_millimetre_wide_at_1024(ict):
    cheeks = dent_places(ict)["cheeks"] > 0.8
    assert 0.3 < np.median(widths(ict)[cheeks]) / 1024 < 0.4


def test_pores_are_no_strokes_where_texels_are_stretched(ict, pages, dents):
    texels = pages[512]
    place = texels.read(1e3 * ict.neutral[ict.part("skin").vertices].double().numpy())
    throat = (place[:, 1] < -105) & (place[:, 1] > -130) & (place[:, 2] > 15)
    page, where = page_of(texels, np.where(throat, dents[512], np.nan)), np.full((512, 512, 3), np.nan)
    where[texels.covered] = place
    changes = []
    for axis in (0, 1):
        step = np.linalg.norm(np.diff(where, axis=axis), axis=-1)
        change = np.abs(np.diff(page, axis=axis))
        near = np.isfinite(change) & (step < 4)
        changes.append(change[near].mean() / step[near].mean())
    assert 0.4 < changes[0] / changes[1] < 2.0
