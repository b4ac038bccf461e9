"""Texture coordinates and the map from texels to the surface. glTF uvs: 0..1, u to the right, v down, row 0 on top."""

from dataclasses import dataclass

import numpy as np
import xatlas

from idto3d.head.paint.atlas import Texels, texels_of


@dataclass(frozen=True)
class Unwrapped:
    """A mesh cut along its texture seams: `source` [V'] old vertex of each new one, `faces` [F, 3], `uvs` [V', 2]."""

    source: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray


def unwrap(points: np.ndarray, faces: np.ndarray, size: int) -> Unwrapped:
    """Texture coordinates by xatlas for a mesh `points` [V, 3], `faces` [F, 3] and a texture of `size` pixels.

    Charts do not overlap and lie at least 3 texels apart at 1024 pixels, in proportion at other sizes.
    """
    atlas = xatlas.Atlas()
    atlas.add_mesh(points.astype(np.float32), faces.astype(np.uint32))
    atlas.generate(_chart_options(), _pack_options(size))
    source, faces, uvs = atlas[0]
    return Unwrapped(source.astype(np.int64), faces.astype(np.int64), np.clip(uvs, 0.0, 1.0).astype(np.float32))


def cut(faces: np.ndarray, uvs: np.ndarray) -> Unwrapped:
    """The mesh of `faces` [F, 3], in their order, with the texture coordinates `uvs` [F, 3, 2] of their corners."""
    corners = np.column_stack([faces.ravel(), uvs.reshape(-1, 2)])
    found, inverse = np.unique(corners, axis=0, return_inverse=True)
    return Unwrapped(found[:, 0].astype(np.int64), inverse.reshape(-1, 3), found[:, 1:].astype(np.float32))


def _chart_options() -> xatlas.ChartOptions:
    options = xatlas.ChartOptions()
    options.max_iterations, options.max_cost = 1, 4.0  # about 170 charts for a head; more iterations gain little
    return options


def _pack_options(size: int) -> xatlas.PackOptions:
    options = xatlas.PackOptions()
    options.resolution = size  # a target: the packed atlas comes out about 0.6 as wide and its uvs are then stretched
    options.padding, options.bilinear, options.bruteForce = max(1, size // 512), True, False  # brute force is slow
    return options


def uv_raster(uvs: np.ndarray, faces: np.ndarray, size: int) -> Texels:
    """Which point of the surface each texel of a [size, size] texture shows. uvs [V, 2], faces [F, 3].

    Raises ValueError when no texel centre lies on a face.
    """
    texels = texels_of(faces, uvs[faces], size)
    if not len(texels.corners):
        raise ValueError(f"uv_raster: no texel of {size} x {size} lies on any of {len(faces)} faces")
    return texels
