"""What `export.view` shows of a finished head, in a tenth of the time: for films, one fused kernel per picture.

The formulas are those of `render.brdf`, `render.environment` and `render.color`, where their sources are named; a test
holds the two side by side. Reflectance is that of plastics for all materials: a map of it is not read. Textures are
read at the nearest texel: a film's pixels are larger than those.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numba import njit

from idto3d.export.textures import Textures
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.render.environment import Environment

FLAT, KINDS = np.full((1, 1, 3), (128, 128, 255), np.uint8), 3
CURVE = 4096  # steps of the table from linear light to sRGB


class Pages(NamedTuple):
    """The textures of all materials in one row of texels [N, 3] uint8.

    place [M, 3, 3] int64: of each material and kind (albedo, metallic-roughness, normal) start, height and width.
    linear [256] and encoded [CURVE + 1] float32: from sRGB bytes to linear light, and from linear 0..1 to sRGB.
    """

    texels: np.ndarray
    place: np.ndarray
    linear: np.ndarray
    encoded: np.ndarray


class Light(NamedTuple):
    """An Environment as float32 arrays: levels [L, H, W + 2, 3], harmonics [9, 3], gain [3], and sine and cosine."""

    levels: np.ndarray
    harmonics: np.ndarray
    gain: np.ndarray
    turned: np.ndarray


@dataclass(frozen=True, eq=False)
class Worn:
    """What does not change of a head's V vertices and F faces: uvs [V, 2], tangents [V, 4], material [F]."""

    uvs: np.ndarray
    tangents: np.ndarray
    faces: np.ndarray
    material: np.ndarray


def pages_of(materials: Sequence[Textures]) -> Pages:
    """The textures of `materials`, in their order."""
    pictures, place, start = [], np.zeros((len(materials), KINDS, 3), np.int64), 0
    for number, one in enumerate(materials):
        for kind, image in enumerate((one.albedo, one.metallic_roughness, FLAT if one.normal is None else one.normal)):
            pictures.append(np.ascontiguousarray(image[..., :3]).reshape(-1, 3))
            place[number, kind] = start, image.shape[0], image.shape[1]
            start += len(pictures[-1])
    steps = torch.arange(256) / 255, torch.arange(CURVE + 1) / CURVE
    tables = linear_from_srgb(steps[0]).numpy(), srgb_from_linear(steps[1]).numpy()
    return Pages(np.concatenate(pictures), place, *tables)


def light_of(environment: Environment) -> Light:
    """A light as the kernel takes it."""
    turned = np.array([math.sin(environment.rotation), math.cos(environment.rotation)], np.float32)
    levels = np.ascontiguousarray(environment.levels.numpy().transpose(1, 2, 3, 0))
    return Light(levels, environment.harmonics.numpy(), environment.gain.numpy(), turned)


def shaded(
    face: np.ndarray,
    barycentric: np.ndarray,
    positions: np.ndarray,
    normals: np.ndarray,
    eye: np.ndarray,
    worn: Worn,
    pages: Pages,
    light: Light,
) -> np.ndarray:
    """[S / 2, S / 2, 3] uint8 sRGB on white, four pixels of a raster to one.

    face [S, S] and barycentric [S, S, 3]: see `kernel.rasterize`; positions and unit normals [V, 3] float32; eye [3].
    """
    image = np.ones((*face.shape, 3), np.float32)
    seen = (positions, normals, worn.uvs, worn.tangents, worn.faces, worn.material)
    _shade(image, face, barycentric, np.asarray(eye, np.float32), *seen, pages, light)
    half = face.shape[0] // 2
    return (image.reshape(half, 2, half, 2, 3).mean((1, 3)) * 255 + 0.5).astype(np.uint8)


# Nothing below makes an array: doing so for every pixel took longer than all the rest.


@njit(nogil=True, cache=True)
def _shade(image, face, barycentric, eye, positions, normals, uvs, tangents, faces, material, pages, light):
    for y in range(face.shape[0]):
        for x in range(face.shape[1]):
            f = face[y, x]
            if f < 0:
                continue
            at = faces[f, 0], faces[f, 1], faces[f, 2]
            shares = float(barycentric[y, x, 0]), float(barycentric[y, x, 1]), float(barycentric[y, x, 2])
            place, uv = pages.place[material[f]], (_mixed(uvs, at, shares, 0), _mixed(uvs, at, shares, 1))
            base, rough, bump = _texel(place[0], uv), _texel(place[1], uv), _texel(place[2], uv)
            point, normal = _mixed3(positions, at, shares), _unit(_mixed3(normals, at, shares))
            side = _mixed(tangents, at, shares, 3)
            normal = _relief(normal, _mixed3(tangents, at, shares), side, pages.texels[bump])
            view = _unit((eye[0] - point[0], eye[1] - point[1], eye[2] - point[2]))
            _write(image[y, x], normal, view, pages.texels[base], pages.texels[rough], pages, light)


@njit(nogil=True, cache=True)
def _mixed(values, at, shares, c):
    """Column `c` of the rows `at` of `values`, in these shares."""
    return shares[0] * values[at[0], c] + shares[1] * values[at[1], c] + shares[2] * values[at[2], c]


@njit(nogil=True, cache=True)
def _mixed3(values, at, shares):
    return _mixed(values, at, shares, 0), _mixed(values, at, shares, 1), _mixed(values, at, shares, 2)


@njit(nogil=True, cache=True)
def _unit(v):
    length = max(math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]), 1e-12)
    return v[0] / length, v[1] / length, v[2] / length


@njit(nogil=True, cache=True)
def _texel(place, uv):
    """The number of the texel at `uv` of the texture at `place`."""
    row = min(max(int(uv[1] * place[1]), 0), place[1] - 1)
    column = min(max(int(uv[0] * place[2]), 0), place[2] - 1)
    return place[0] + row * place[2] + column


@njit(nogil=True, cache=True)
def _relief(n, t, side, bump):
    """The normal that a normal map's texel gives; see `view.relief`."""
    a, b, c = 2 * bump[0] / 255.0 - 1, 2 * bump[1] / 255.0 - 1, 2 * bump[2] / 255.0 - 1
    b *= 1.0 if side > 0 else -1.0 if side < 0 else 0.0
    x = a * t[0] + b * (n[1] * t[2] - n[2] * t[1]) + c * n[0]
    y = a * t[1] + b * (n[2] * t[0] - n[0] * t[2]) + c * n[1]
    z = a * t[2] + b * (n[0] * t[1] - n[1] * t[0]) + c * n[2]
    return _unit((x, y, z))


@njit(nogil=True, cache=True)
def _write(pixel, normal, view, base, rough, pages, light):
    """The colour of one pixel: see `brdf.shade`, `color.tone_map`."""
    roughness, metallic = rough[1] / 255.0, rough[2] / 255.0
    along = normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2]
    scale, bias = _share(roughness, min(max(along, 1e-4), 1.0))
    mirror = 2 * along * normal[0] - view[0], 2 * along * normal[1] - view[1], 2 * along * normal[2] - view[2]
    basis, mirrored = _basis(light, normal), _specular(light, mirror, roughness)
    red = _lit(0, pages, base, metallic, scale, bias, basis, mirrored[0], light)
    green = _lit(1, pages, base, metallic, scale, bias, basis, mirrored[1], light)
    blue = _lit(2, pages, base, metallic, scale, bias, basis, mirrored[2], light)
    toned = _toned(red, green, blue)
    for c in range(3):
        pixel[c] = pages.encoded[int(min(max(toned[c], 0.0), 1.0) * CURVE + 0.5)]


@njit(nogil=True, cache=True)
def _lit(c, pages, base, metallic, scale, bias, basis, mirrored, light):
    albedo, irradiance = pages.linear[base[c]], 0.0
    for k in range(9):
        irradiance += basis[k] * light.harmonics[k, c]
    edge = 0.04 * (1 - metallic) + albedo * metallic
    diffuse = albedo * (1 - metallic) * (1 - (0.04 * scale + bias))
    return (diffuse * max(irradiance, 0.0) + (edge * scale + bias) * mirrored) * light.gain[c]


@njit(nogil=True, cache=True)
def _share(roughness, facing):
    a, b = 1 - roughness, 0.0425 - 0.0275 * roughness
    c, d = 1.04 - 0.572 * roughness, 0.022 * roughness - 0.04
    grazing = min(a * a, 2.0 ** (-9.28 * facing)) * a + b
    return c - 1.04 * grazing, grazing * 1.04 + d


@njit(nogil=True, cache=True)
def _inside(light, direction):
    sine, cosine = light.turned[0], light.turned[1]
    x, y, z = direction[0], direction[1], direction[2]
    return cosine * x - sine * z, y, sine * x + cosine * z


@njit(nogil=True, cache=True)
def _basis(light, normal):
    x, y, z = _inside(light, normal)
    return (
        0.282095, 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z,
        0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
    )  # fmt: skip


@njit(nogil=True, cache=True)
def _specular(light, direction, roughness):
    """Trilinear in level, row and column."""
    x, y, z = _inside(light, direction)
    count, height, width = light.levels.shape[0], light.levels.shape[1], light.levels.shape[2] - 2
    across = (0.5 - math.atan2(x, z) / (2 * math.pi)) * width + 0.5
    down = min(max(math.atan2(math.sqrt(x * x + z * z), y) / math.pi * height - 0.5, 0.0), height - 1.0)
    level = min(max(roughness, 0.0), 1.0) * (count - 1)
    k, j, i = min(int(level), count - 2), min(int(down), height - 2), min(max(int(across), 0), width)
    red, green, blue = 0.0, 0.0, 0.0
    for dk in range(2):
        for dj in range(2):
            for di in range(2):
                share = abs(1 - dk - (level - k)) * abs(1 - dj - (down - j)) * abs(1 - di - (across - i))
                red += share * light.levels[k + dk, j + dj, i + di, 0]
                green += share * light.levels[k + dk, j + dj, i + di, 1]
                blue += share * light.levels[k + dk, j + dj, i + di, 2]
    return red, green, blue


@njit(nogil=True, cache=True)
def _toned(red, green, blue):
    """Khronos PBR Neutral; see `color.tone_map`."""
    low = max(min(red, green, blue), 0.0)
    off = low - 6.25 * low * low if low < 0.08 else 0.04
    red, green, blue = red - off, green - off, blue - off
    peak = max(red, green, blue)
    if peak < 0.76:
        return red, green, blue
    rolled = 1.0 - 0.0576 / (peak + 0.24 - 0.76)
    whiten = 1.0 - 1.0 / (0.15 * (peak - rolled) + 1.0)
    factor, white = rolled / peak * (1 - whiten), rolled * whiten
    return red * factor + white, green * factor + white, blue * factor + white
