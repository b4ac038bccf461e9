"""From a head's dense parts to the meshes and texels that are exported, the parts of one material together. Metres."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from idto3d.export.bake import texels_onto
from idto3d.export.decimate import LowMesh, areas, attention, decimate, tidied
from idto3d.export.gltf.glb import HeadMesh, PartMesh
from idto3d.export.gltf.tangents import vertex_tangents
from idto3d.export.surface import Correspondence, carry, smooth_normals
from idto3d.export.uv import Texels, Unwrapped, cut, unwrap, uv_raster
from idto3d.head.parts import Head, Part


@dataclass(frozen=True)
class Dense:
    """The clean surface of all parts of one material, in metres.

    canonical [V, 3], expressions [E, V, 3], the neutral one at index `neutral`; faces [F, 3]; uvs [F, 3, 2] of the
    faces' corners, or None. part [V]: the place in the head of the part that each vertex belongs to.
    """

    canonical: np.ndarray
    expressions: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray | None
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
    """The clean surface of each material, in the order of the parts.

    Raises ValueError for a head without a neutral expression, a part without faces, and parts of one material of which
    only some have uvs.
    """
    if "neutral" not in head.expressions:
        raise ValueError(f"export needs a neutral expression; the head has {list(head.expressions)}")
    materials = dict.fromkeys(part.material for part in head.parts)
    return {material: _dense(head, material) for material in materials}


def _dense(head: Head, material: str) -> Dense:
    numbers = [number for number, part in enumerate(head.parts) if part.material == material]
    parts = [head.parts[number] for number in numbers]
    given = [part.uvs is not None for part in parts]
    if any(given) and not all(given):
        raise ValueError(f"of the parts of {material} some have uvs and some have not: {[p.name for p in parts]}")
    poses, faces, uvs = zip(*(_clean(part) for part in parts), strict=True)
    counts = [one.shape[1] for one in poses]
    faces = [one + start for one, start in zip(faces, np.cumsum([0, *counts[:-1]]), strict=True)]
    canonical, *expressions = np.concatenate(poses, 1)
    return Dense(
        canonical,
        np.stack(expressions),
        np.concatenate(faces),
        np.concatenate(uvs) if all(given) else None,
        np.repeat(numbers, counts),
        head.expressions.index("neutral"),
    )


def _clean(part: Part) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Canonical and expressions [1 + E, V, 3], faces [F, 3] and uvs [F, 3, 2] without what has no extent."""
    canonical = _array(part.vertices)
    poses = np.concatenate([canonical[None], canonical + _array(part.displacements)])
    kept, faces, intact = tidied(poses, part.faces.cpu().numpy())
    if not len(faces):
        raise ValueError(f"the part {part.name} has no faces")
    return poses[:, kept], faces, None if part.uvs is None else _array(part.uvs)[intact]


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


def shares(surfaces: Mapping[str, Dense], faces: int) -> dict[str, int]:
    """How many of the `faces` that a head may have are each material's, by area."""
    area = {name: areas(attention(_neutral(one)), one.faces).sum() for name, one in surfaces.items()}
    return {name: round(faces * own / sum(area.values())) for name, own in area.items()}


def _neutral(dense: Dense) -> np.ndarray:
    return dense.expressions[dense.neutral]


def simplified(dense: Dense, faces: int, size: int) -> tuple[LowMesh, Unwrapped]:
    """The neutral surface at about `faces` triangles with texture coordinates for `size` pixels.

    A surface that came with texture coordinates keeps them, and all its triangles.
    """
    neutral = _neutral(dense)
    if dense.uvs is not None:
        return decimate(neutral, dense.faces, len(dense.faces)), cut(dense.faces, dense.uvs)
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


def posed_mesh(head: Head, materials: Mapping[str, Prepared], expression: int) -> HeadMesh:
    """The exported head in one expression, without morph targets."""
    return _head_mesh(head, materials, expression, [])


def morphing_mesh(head: Head, materials: Mapping[str, Prepared]) -> HeadMesh:
    """The neutral exported head with every other expression as a displacement."""
    neutral = head.expressions.index("neutral")
    others = [index for index in range(len(head.expressions)) if index != neutral]
    return _head_mesh(head, materials, neutral, others)


def _head_mesh(head: Head, materials: Mapping[str, Prepared], expression: int, others: list[int]) -> HeadMesh:
    meshes = {}
    for own in materials.values():
        meshes |= _part_meshes(head, own, expression, others)
    parts = tuple(meshes[number] for number in range(len(head.parts)))
    return HeadMesh(parts, tuple(head.expressions[index] for index in others))


def _part_meshes(head: Head, own: Prepared, expression: int, others: list[int]) -> dict[int, PartMesh]:
    """The parts by their place in the head, at `expression`, with displacements to `others`."""
    dense, mesh = own.dense, own.unwrapped
    moved = carry(dense.expressions[others] - dense.expressions[expression], own.low.onto)[:, mesh.source]
    surface = (*posed_surface(own, expression), mesh.uvs)
    meshes = {}
    for one in own.slices:
        part, attributes = head.parts[one.part], (values[one.vertices] for values in surface)
        meshes[one.part] = PartMesh(part.name, part.material, *attributes, one.faces, moved[:, one.vertices])
    return meshes
