"""From a head's dense parts without texture coordinates to the meshes and texels that are exported. Metres.

The parts of one material go together. Parts that come with texture coordinates are not touched here; see given.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from idto3d.export.bake import texels_onto
from idto3d.export.decimate import LowMesh, areas, attention, decimate, tidied
from idto3d.export.gltf.mesh import PartMesh
from idto3d.export.gltf.tangents import vertex_tangents
from idto3d.export.surface import Correspondence, carry, pose_normals, smooth_normals
from idto3d.export.uv import Unwrapped, unwrap, uv_raster
from idto3d.head.paint.atlas import Texels
from idto3d.head.parts import Head, Part


@dataclass(frozen=True)
class Dense:
    """The clean surface of all parts of one material, in metres.

    canonical [V, 3], expressions [E, V, 3], the neutral one at index `neutral`; faces [F, 3]. part [V]: the place in
    the head of the part that each vertex belongs to.
    """

    canonical: np.ndarray
    expressions: np.ndarray
    faces: np.ndarray
    part: np.ndarray
    neutral: int


@dataclass(frozen=True)
class Slice:
    """One part of an unwrapped mesh: its place in the head, its vertices [V'], and its faces [F', 3] into those."""

    part: int
    vertices: np.ndarray
    faces: np.ndarray


@dataclass(frozen=True)
class Prepared:
    """All that the files say of one material's parts. points: [N, 3] canonical positions of the texels."""

    dense: Dense
    low: LowMesh
    unwrapped: Unwrapped
    texels: Texels
    onto: Correspondence
    points: np.ndarray
    slices: tuple[Slice, ...]


def dense_surfaces(head: Head) -> dict[str, Dense]:
    """The clean surface of each material without texture coordinates, in the order of the parts.

    Raises ValueError for a head without a neutral expression, a part without faces, and parts of one material of which
    only some have uvs.
    """
    if "neutral" not in head.expressions:
        raise ValueError(f"export needs a neutral expression; the head has {list(head.expressions)}")
    materials = dict.fromkeys(part.material for part in head.parts)
    return {material: _dense(head, material) for material in materials if not _given(head, material)}


def _given(head: Head, material: str) -> bool:
    """Whether the parts of a material have texture coordinates. Raises ValueError where only some have."""
    parts = [part for part in head.parts if part.material == material]
    given = {part.uvs is not None for part in parts}
    if len(given) > 1:
        raise ValueError(f"of the parts of {material} some have uvs and some have not: {[p.name for p in parts]}")
    return given.pop()


def _dense(head: Head, material: str) -> Dense:
    numbers = [number for number, part in enumerate(head.parts) if part.material == material]
    poses, faces = zip(*(_clean(head.parts[number]) for number in numbers), strict=True)
    counts = [one.shape[1] for one in poses]
    faces = [one + start for one, start in zip(faces, np.cumsum([0, *counts[:-1]]), strict=True)]
    canonical, *expressions = np.concatenate(poses, 1)
    part, neutral = np.repeat(numbers, counts), head.expressions.index("neutral")
    return Dense(canonical, np.stack(expressions), np.concatenate(faces), part, neutral)


def _clean(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Canonical and expressions [1 + E, V, 3] and faces [F, 3] without what has no extent."""
    canonical = _array(part.vertices)
    poses = np.concatenate([canonical[None], canonical + _array(part.displacements)])
    kept, faces = tidied(poses, part.faces.cpu().numpy())
    if not len(faces):
        raise ValueError(f"the part {part.name} has no faces")
    return poses[:, kept], faces


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


def shares(surfaces: Mapping[str, Dense], faces: int) -> dict[str, int]:
    """How many of the `faces` that a head may have are each material's, by area."""
    area = {name: areas(attention(_neutral(one)), one.faces).sum() for name, one in surfaces.items()}
    return {name: round(faces * own / sum(area.values())) for name, own in area.items()}


def _neutral(dense: Dense) -> np.ndarray:
    return dense.expressions[dense.neutral]


def simplified(dense: Dense, faces: int, size: int) -> tuple[LowMesh, Unwrapped]:
    """The neutral surface at about `faces` triangles with texture coordinates for `size` pixels."""
    neutral = _neutral(dense)
    low = decimate(neutral, dense.faces, faces)
    return low, unwrap(attention(carry(neutral, low.onto)), low.faces, size)


def prepared(dense: Dense, low: LowMesh, unwrapped: Unwrapped, size: int) -> Prepared:
    """The texels of textures of `size` pixels and where they lie on the dense mesh."""
    texels = uv_raster(unwrapped.uvs, unwrapped.faces, size)
    onto = texels_onto(texels, unwrapped, low, dense.canonical, dense.faces)
    slices = tuple(_slices(dense.part[low.onto.corners[unwrapped.source, 0]], unwrapped.faces))
    return Prepared(dense, low, unwrapped, texels, onto, carry(dense.canonical, onto), slices)


def _slices(part: np.ndarray, faces: np.ndarray) -> Iterator[Slice]:
    of_face = part[faces[:, 0]]
    for number in np.unique(part):
        vertices, flat = np.unique(faces[of_face == number], return_inverse=True)
        yield Slice(int(number), vertices, flat.reshape(-1, 3))


def posed_surface(own: Prepared, expression: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions [V, 3], normals [V, 3] and tangents [V, 4] of the unwrapped mesh in one expression."""
    uncut, mesh = carry(own.dense.expressions[expression], own.low.onto), own.unwrapped
    positions, normals = uncut[mesh.source], smooth_normals(uncut, own.low.faces)[mesh.source]
    return positions, normals, vertex_tangents(positions, normals, mesh.uvs, mesh.faces)


def part_meshes(head: Head, own: Prepared, expression: int, others: Sequence[int]) -> dict[int, PartMesh]:
    """The parts by their place in the head, at `expression`, with displacements to `others`."""
    mesh = own.unwrapped
    surface, moved = (*posed_surface(own, expression), mesh.uvs), _displacements(own, expression, others)
    meshes = {}
    for one in own.slices:
        part, attributes = head.parts[one.part], (values[one.vertices] for values in surface)
        pivot = np.zeros(3) if part.pivot is None else _array(part.pivot)
        shape = PartMesh(
            part.name, part.material, *attributes, one.faces, *(way[:, one.vertices] for way in moved), pivot
        )
        meshes[one.part] = replace(shape, positions=shape.positions - pivot)
    return meshes


def _displacements(own: Prepared, expression: int, others: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Of positions and of normals, [K, V, 3] each, from `expression` to `others`."""
    poses = carry(own.dense.expressions[[expression, *others]], own.low.onto)
    normals = pose_normals(poses, own.low.faces)
    return tuple((values[1:] - values[0])[:, own.unwrapped.source] for values in (poses, normals))
