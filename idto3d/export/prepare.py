"""From a head's dense shape to the mesh and texels that are exported. numpy, metres."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from idto3d.config import ExportOptions
from idto3d.export.bake import texels_onto
from idto3d.export.decimate import LowMesh, attention, decimate, tidied
from idto3d.export.gltf.glb import HeadMesh
from idto3d.export.gltf.tangents import vertex_tangents
from idto3d.export.surface import Correspondence, carry, smooth_normals
from idto3d.export.uv import Texels, Unwrapped, unwrap, uv_raster
from idto3d.head.parts import HeadShape


@dataclass(frozen=True)
class Dense:
    """The dense mesh without loose parts: canonical [V, 3], expressions [E, V, 3], faces [F, 3]."""

    canonical: np.ndarray
    expressions: np.ndarray
    faces: np.ndarray
    names: tuple[str, ...]

    @property
    def neutral(self) -> int:
        """The index of the neutral expression."""
        return self.names.index("neutral")


@dataclass(frozen=True)
class Prepared:
    """All that the files are made of. points: [N, 3] canonical positions of the texels, for the material."""

    dense: Dense
    low: LowMesh
    unwrapped: Unwrapped
    texels: Texels
    onto: Correspondence
    points: np.ndarray


def dense_of(shape: HeadShape) -> Dense:
    """The largest part of `shape`. Raises ValueError when it has no neutral expression."""
    if "neutral" not in shape.names:
        raise ValueError(f"export needs a neutral expression; the shape has {list(shape.names)}")
    canonical, expressions = _array(shape.canonical), _array(shape.expressions)
    kept, faces = tidied(canonical, _array(shape.faces).astype(np.int64))
    return Dense(canonical[kept], expressions[:, kept], faces, tuple(shape.names))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


def simplified(dense: Dense, options: ExportOptions) -> tuple[LowMesh, Unwrapped]:
    """The neutral head at `options.faces` triangles, with texture coordinates."""
    neutral = dense.expressions[dense.neutral]
    low = decimate(neutral, dense.faces, options.faces)
    return low, unwrap(attention(carry(neutral, low.onto)), low.faces, options.texture_size)


def prepared(dense: Dense, low: LowMesh, unwrapped: Unwrapped, options: ExportOptions) -> Prepared:
    """The texels of the textures and where they lie on the dense mesh."""
    texels = uv_raster(unwrapped.uvs, unwrapped.faces, options.texture_size)
    onto = texels_onto(texels, unwrapped, low, dense.canonical, dense.faces)
    return Prepared(dense, low, unwrapped, texels, onto, carry(dense.canonical, onto))


def posed_mesh(head: Prepared, expression: int) -> HeadMesh:
    """The exported mesh in one expression, without morph targets."""
    uncut = carry(head.dense.expressions[expression], head.low.onto)
    cut = head.unwrapped
    positions, normals = uncut[cut.source], smooth_normals(uncut, head.low.faces)[cut.source]
    tangents = vertex_tangents(positions, normals, cut.uvs, cut.faces)
    return HeadMesh(positions, normals, tangents, cut.uvs, cut.faces, np.zeros((0, *positions.shape)), ())


def morphing_mesh(head: Prepared) -> HeadMesh:
    """The neutral exported mesh with every other expression as a displacement."""
    dense, base = head.dense, posed_mesh(head, head.dense.neutral)
    others = [index for index in range(len(dense.names)) if index != dense.neutral]
    moved = carry(dense.expressions[others] - dense.expressions[dense.neutral], head.low.onto)
    names = tuple(dense.names[index] for index in others)
    return HeadMesh(
        base.positions, base.normals, base.tangents, base.uvs, base.faces, moved[:, head.unwrapped.source], names
    )
