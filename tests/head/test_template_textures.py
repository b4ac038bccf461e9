"""Regions and the textures of what photos do not show."""

import numpy as np
import pytest
import torch

from idto3d.head.features.eyes import eye_of
from idto3d.head.features.regions import regions_of
from idto3d.head.paint.atlas import texels_of_parts
from idto3d.head.paint.eye_texture import eye_roughness, eye_texture
from idto3d.head.paint.lash_texture import lash_texture, strands
from idto3d.head.paint.mouth_textures import mouth_texture, teeth_texture

BLUE = (0.05, 0.15, 0.45)


def test_regions_are_soft_masks_of_the_right_places(ict):
    regions = vars(regions_of(ict))
    for name, mask in regions.items():
        assert mask.shape == (len(ict.neutral),) and mask.min() >= 0 and mask.max() <= 1.0001 and mask.max() > 0.6, name
    lips, brows = (ict.neutral[regions[name] > 0.5].mean(0) for name in ("lips", "brows"))
    assert -0.05 < lips[1] < -0.02 and 0.04 < brows[1] < 0.075 and abs(lips[0]) < 0.002
    tongue = ict.neutral[regions["tongue"] > 0.5]
    assert len(tongue) > 500 and tongue[:, 0].abs().max() < 0.021
    assert (regions["neck"] * regions["lips"]).max() == 0 and (regions["scalp"] * regions["brows"]).max() < 0.5


def test_irises_and_pupils_lie_around_where_the_eyes_look(ict):
    regions = regions_of(ict)
    for side, name in enumerate(("eye_left", "eye_right")):
        own, eye = ict.part(name).vertices, eye_of(ict, ict.neutral, side)
        offset = ict.neutral[own] - eye.centre
        off_axis = (offset - (offset @ eye.axis)[:, None] * eye.axis).norm(dim=1)
        ahead = offset @ eye.axis > 0
        assert (
            off_axis[regions.iris[own] > 0].max() < 0.0068 < off_axis[ahead & (regions.iris[own] == 0)].min() + 0.0004
        )
        assert off_axis[regions.pupil[own] > 0].max() < 0.003


def test_regions_are_the_same_on_both_sides(ict):
    regions = regions_of(ict)
    for name in ("brows", "ears", "lips", "iris"):
        mask = getattr(regions, name)
        left, right = mask[ict.neutral[:, 0] > 1e-4].sum(), mask[ict.neutral[:, 0] < -1e-4].sum()
        assert left == pytest.approx(float(right), rel=0.02)


def test_an_eye_is_painted_around_where_it_looks(ict):
    texture = eye_texture(ict, BLUE, 256)
    assert texture.shape == (256, 256, 3) and texture.min() >= 0 and texture.max() <= 1
    part = ict.part("eye_left")
    texels = texels_of_parts(ict, ["eye_left"], 256)
    number = (ict.neutral - ict.neutral[part.vertices][0]).norm(dim=1, keepdim=True).numpy()
    away = np.full((256, 256), 1.0)
    away[texels.covered] = texels.read(number)[:, 0]
    pupil, iris, white = (
        texture[(away > a) & (away < b)].mean(0) for a, b in ((0, 0.0012), (0.003, 0.005), (0.008, 0.012))
    )
    assert pupil.max() < 0.03 and iris[2] > 2 * iris[0] and 0.3 < white.min() < 0.6  # no eye is white


def test_the_cornea_mirrors_and_the_upper_lid_shades_the_eye(ict):
    rough, albedo = eye_roughness(ict, 256), eye_texture(ict, BLUE, 256)
    texels = texels_of_parts(ict, ["eye_left"], 256)
    offset = ict.neutral - eye_of(ict, ict.neutral, 0).centre
    x, y, z = texels.read(offset.numpy()).T
    shown, gloss = albedo[texels.covered], rough[texels.covered]
    middle, beside = (z > 0.011) & (np.hypot(x, y) < 0.0015), (z > 0) & (np.hypot(x, y) > 0.009)
    assert gloss[middle].max() < 0.15 and gloss[beside].min() > 0.25
    above, level = (
        shown[(z > 0.006) & (np.abs(x) > 0.0068) & (np.abs(x) < 0.0085) & (np.abs(y - at) < 0.0008)].mean()
        for at in (0.0045, 0.0)
    )
    assert above < 0.8 * level


def test_textures_are_the_same_each_time_and_the_mouth_is_dark_at_its_end(ict):
    assert np.array_equal(eye_texture(ict, BLUE, 128), eye_texture(ict, BLUE, 128))
    mouth, teeth = mouth_texture(ict, 128), teeth_texture(ict, 128)
    assert np.array_equal(mouth, mouth_texture(ict, 128)) and np.array_equal(teeth, teeth_texture(ict, 128))
    texels = texels_of_parts(ict, ["gums_tongue"], 128)
    depth = texels.read(ict.neutral.numpy())[:, 2]
    brightness = mouth[texels.covered].mean(1)
    assert brightness[depth < 0.03].max() < 0.4 * brightness[depth > 0.09].mean()
    assert (mouth[..., 0] > mouth[..., 2]).all() and teeth.max() > 0.5


def test_lashes_are_strands(ict):
    lashes = lash_texture(ict, size=512)
    assert lashes.shape == (512, 512, 4) and 0.02 < (lashes[..., 3] > 0.5).mean() < 0.4
    assert np.ptp(lashes[..., :3].reshape(-1, 3), axis=0).max() == 0
    sheet = strands(64, 256, (20, 0.8, 0.006), np.random.default_rng(0))
    assert (sheet[0] > 0.5).mean() > 2 * (sheet[40] > 0.5).mean() and sheet[60:].max() == 0


def test_masks_are_on_the_device_of_the_template(ict):
    assert isinstance(regions_of(ict).lips, torch.Tensor) and regions_of(ict).lips.dtype == torch.float32
