from functools import partial

import numpy as np
import pytest

from idto3d.export.bake import (
    albedo_texture,
    metallic_roughness_texture,
    normal_texture,
    relief_strength,
    sampled,
)
from idto3d.export.gltf.tangents import vertex_tangents
from idto3d.export.prepare import dense_surfaces, posed_surface, prepared, simplified
from idto3d.export.surface import Correspondence, carry, normalised, smooth_normals
from idto3d.export.uv import uv_raster

UPRIGHT = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], float)
MIRRORED = UPRIGHT * [-1, 1] + [1, 0]
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)  # in the plane that faces +Z
FACES = np.array([[0, 1, 2], [0, 2, 3]])
FACING = np.tile([0.0, 0.0, 1.0], (4, 1))


def flat_normal_map(uvs, wanted):
    """The normal map of a square whose dense normals all point towards `wanted`."""
    texels = uv_raster(uvs, FACES, 4)
    onto = Correspondence(texels.corners, texels.weights)
    tangents = vertex_tangents(CORNERS, FACING, uvs, FACES)
    return normal_texture(normalised(np.tile(wanted, (4, 1))), onto, FACING, tangents, np.ones(4), texels)


def test_a_surface_without_relief_bakes_to_the_neutral_blue():
    assert flat_normal_map(UPRIGHT, [0.0, 0.0, 1.0])[2, 2].tolist() == [128, 128, 255]


def test_green_is_up_and_red_is_right():
    up, right = flat_normal_map(UPRIGHT, [0.0, 1.0, 1.0])[2, 2], flat_normal_map(UPRIGHT, [1.0, 0.0, 1.0])[2, 2]
    assert up.tolist() == [128, 218, 218]
    assert right.tolist() == [218, 128, 218]


def test_a_mirrored_chart_says_so_in_its_tangents_and_turns_red_around():
    upright = vertex_tangents(CORNERS, FACING, UPRIGHT, FACES)
    mirrored = vertex_tangents(CORNERS, FACING, MIRRORED, FACES)
    np.testing.assert_allclose(upright, np.tile([1, 0, 0, 1], (4, 1)), atol=1e-6)
    np.testing.assert_allclose(mirrored, np.tile([-1, 0, 0, -1], (4, 1)), atol=1e-6)
    assert flat_normal_map(MIRRORED, [1.0, 0.0, 1.0])[2, 2].tolist() == [37, 128, 218]
    assert flat_normal_map(MIRRORED, [0.0, 1.0, 1.0])[2, 2].tolist() == [128, 218, 218]


@pytest.fixture
def small(head):
    dense = dense_surfaces(head)["skin"]
    return prepared(dense, *simplified(dense, 500, 128), 128)


def test_a_viewer_that_applies_the_normal_map_sees_the_dense_relief(small):
    (_, normals, tangents), dense = posed_surface(small, 0), small.dense
    relief = smooth_normals(dense.expressions[0], dense.faces)
    image = normal_texture(relief, small.onto, normals, tangents, np.ones(len(normals)), small.texels)
    here = Correspondence(small.texels.corners, small.texels.weights)
    normal, tangent = normalised(carry(normals, here)), carry(tangents, here)
    across = np.cross(normal, normalised(tangent[:, :3])) * np.sign(tangent[:, 3:])
    rows = np.unique(small.texels.nearest, return_index=True)[1]
    red, green, blue = (image.reshape(-1, 3)[rows] / 127.5 - 1.0).T[..., None]
    seen = normalised(red * normalised(tangent[:, :3]) + green * across + blue * normal)
    wanted = normalised(carry(relief, small.onto))
    bare, mapped = ((one * wanted).sum(1).clip(-1, 1) for one in (normal, seen))
    assert np.degrees(np.arccos(mapped)).mean() < 0.5
    assert np.degrees(np.arccos(bare)).mean() > 1.0


def test_relief_fades_where_an_expression_stretches_the_surface():
    beside = CORNERS + [5.0, 0.0, 0.0]  # stays as it is
    stretched = np.concatenate([CORNERS * [1, 6, 1], beside])
    expressions, faces = np.stack([np.concatenate([CORNERS, beside]), stretched]), np.concatenate([FACES, FACES + 4])
    np.testing.assert_allclose(relief_strength(expressions, faces, 0), [0.25] * 4 + [1.0] * 4)


def test_texels_lie_on_the_dense_canonical_surface(small):
    corners = Correspondence(small.unwrapped.source[small.texels.corners], small.texels.weights)
    low = carry(carry(small.dense.canonical, small.low.onto), corners)
    assert np.linalg.norm(small.points - low, axis=1).max() < 0.004
    np.testing.assert_allclose(small.points, carry(small.dense.canonical, small.onto))


def test_albedo_is_written_in_srgb_and_on_the_right_side(small, sample):
    channels = sampled(lambda p, e: sample("skin", p, 2), small.points, 0, "cpu")
    image = albedo_texture(channels, small.texels)
    flat, rows = image.reshape(-1, 3), np.unique(small.texels.nearest, return_index=True)[1]
    left = small.points[:, 0] > 1e-6
    assert (flat[rows][left] == [0, 255, 188]).all()  # 0.5 in linear light is 188 of 255 in sRGB
    assert (flat[rows][~left][:, 0] == 255).all()


def test_roughness_is_green_and_metal_is_blue(small, sample):
    image = metallic_roughness_texture(sampled(partial(sample, "skin"), small.points, 0, "cpu"), small.texels)
    assert (image == [255, 153, 26]).all()
