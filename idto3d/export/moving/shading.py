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


@njit(nogil=True, cache=True)
def _shade(image, face, barycentric, eye, positions, normals, uvs, tangents, faces, material, pages, light):
    for y in range(face.shape[0]):
        for x in range(face.shape[1]):
            f = face[y, x]
            if f < 0:
                continue
            point, normal, uv, tangent = np.zeros(3), np.zeros(3), np.zeros(2), np.zeros(4)
            for k in range(3):
                vertex, share = faces[f, k], barycentric[y, x, k]
                for c in range(3):
                    point[c] += share * positions[vertex, c]
                    normal[c] += share * normals[vertex, c]
                for c in range(2):
                    uv[c] += share * uvs[vertex, c]
                for c in range(4):
                    tangent[c] += share * tangents[vertex, c]
            normal /= _length(normal)
            place = pages.place[material[f]]
            base, rough, bump = _texel(pages, place[0], uv), _texel(pages, place[1], uv), _texel(pages, place[2], uv)
            normal = _relief(normal, tangent, bump)
            view = eye - point
            view /= _length(view)
            _write(image[y, x], normal, view, base, rough, pages, light)


@njit(nogil=True, cache=True)
def _length(vector):
    return max(math.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2]), 1e-12)


@njit(nogil=True, cache=True)
def _texel(pages, place, uv):
    row = min(max(int(uv[1] * place[1]), 0), place[1] - 1)
    column = min(max(int(uv[0] * place[2]), 0), place[2] - 1)
    return pages.texels[place[0] + row * place[2] + column]


@njit(nogil=True, cache=True)
def _relief(normal, tangent, bump):
    """The normal that a normal map's texel gives; see `view.relief`."""
    a, b, c = 2 * bump[0] / 255.0 - 1, 2 * bump[1] / 255.0 - 1, 2 * bump[2] / 255.0 - 1
    side = 1.0 if tangent[3] > 0 else -1.0 if tangent[3] < 0 else 0.0
    across = np.array([
        normal[1] * tangent[2] - normal[2] * tangent[1],
        normal[2] * tangent[0] - normal[0] * tangent[2],
        normal[0] * tangent[1] - normal[1] * tangent[0],
    ])  # fmt: skip
    bent = a * tangent[:3] + b * side * across + c * normal
    return bent / _length(bent)


@njit(nogil=True, cache=True)
def _write(pixel, normal, view, base, rough, pages, light):
    """The colour of one pixel: see `brdf.shade`, `color.tone_map`."""
    roughness, metallic = rough[1] / 255.0, rough[2] / 255.0
    along = normal[0] * view[0] + normal[1] * view[1] + normal[2] * view[2]
    facing = min(max(along, 1e-4), 1.0)
    scale, bias = _share(roughness, facing)
    irradiance = _diffuse(light, normal)
    mirrored = _specular(light, 2 * along * normal - view, roughness)
    colour = np.empty(3)
    for c in range(3):
        albedo = pages.linear[base[c]]
        edge = 0.04 * (1 - metallic) + albedo * metallic
        diffuse = albedo * (1 - metallic) * (1 - (0.04 * scale + bias))
        colour[c] = (diffuse * irradiance[c] + (edge * scale + bias) * mirrored[c]) * light.gain[c]
    _toned(colour)
    for c in range(3):
        pixel[c] = pages.encoded[int(min(max(colour[c], 0.0), 1.0) * CURVE + 0.5)]


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
def _diffuse(light, normal):
    x, y, z = _inside(light, normal)
    basis = (
        0.282095, 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z,
        0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
    )  # fmt: skip
    colour = np.zeros(3)
    for k in range(9):
        for c in range(3):
            colour[c] += basis[k] * light.harmonics[k, c]
    return np.maximum(colour, 0.0)


@njit(nogil=True, cache=True)
def _specular(light, direction, roughness):
    """Trilinear in level, row and column."""
    x, y, z = _inside(light, direction)
    count, height, width = light.levels.shape[0], light.levels.shape[1], light.levels.shape[2] - 2
    across = (0.5 - math.atan2(x, z) / (2 * math.pi)) * width + 0.5
    down = min(max(math.atan2(math.sqrt(x * x + z * z), y) / math.pi * height - 0.5, 0.0), height - 1.0)
    level = min(max(roughness, 0.0), 1.0) * (count - 1)
    k, j, i = min(int(level), count - 2), min(int(down), height - 2), min(max(int(across), 0), width)
    colour = np.zeros(3)
    for dk in range(2):
        for dj in range(2):
            for di in range(2):
                share = abs(1 - dk - (level - k)) * abs(1 - dj - (down - j)) * abs(1 - di - (across - i))
                for c in range(3):
                    colour[c] += share * light.levels[k + dk, j + dj, i + di, c]
    return colour


@njit(nogil=True, cache=True)
def _toned(colour):
    """Khronos PBR Neutral, in place; see `color.tone_map`."""
    low = max(min(colour[0], colour[1], colour[2]), 0.0)
    colour -= low - 6.25 * low * low if low < 0.08 else 0.04
    peak = max(colour[0], colour[1], colour[2])
    if peak < 0.76:
        return
    rolled = 1.0 - 0.0576 / (peak + 0.24 - 0.76)
    whiten = 1.0 - 1.0 / (0.15 * (peak - rolled) + 1.0)
    for c in range(3):
        colour[c] = colour[c] * rolled / peak * (1 - whiten) + rolled * whiten
