"""A head ready to be written, or read from a file: a mesh per part, a displacement per expression. Metres."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from idto3d.errors import UserError
from idto3d.export.gltf.tangents import vertex_tangents
from idto3d.export.surface import normalised

SMALLEST_MOVE_M = 2e-4  # metres, less than a pixel of a head that fills 1024; normals are kept apart from it
LEAST_TURN = 0.03  # length of the difference of two unit normals: 1.7 degrees


@dataclass(frozen=True)
class PartMesh:
    """One part of a head.

    positions [V, 3] are relative to `pivot` [3], what the part turns about; normals [V, 3] unit; tangents [V, 4]; uvs
    [V, 2], v down; faces [F, 3]. displacements [K, V, 3] lead from `positions`, normal_displacements [K, V, 3] from
    `normals`, to each of the head's expressions. material: the name of the textures it wears.
    """

    name: str
    material: str
    positions: np.ndarray
    normals: np.ndarray
    tangents: np.ndarray
    uvs: np.ndarray
    faces: np.ndarray
    displacements: np.ndarray
    normal_displacements: np.ndarray
    pivot: np.ndarray


@dataclass(frozen=True)
class HeadMesh:
    """The parts of a head and the names of the K expressions of them all.

    Raises ValueError where two names become the same morph target.
    """

    parts: tuple[PartMesh, ...]
    names: tuple[str, ...]

    def __post_init__(self):
        targets = [target_name(name) for name in self.names]
        if len(set(targets)) < len(targets):
            raise ValueError(f"expressions must differ in the names of their morph targets: {targets}")


@dataclass(frozen=True)
class Pose:
    """A part in some mix of expressions, in the head's frame: positions [V, 3] metres, normals [V, 3] unit."""

    positions: np.ndarray
    normals: np.ndarray


def target_name(expression: str) -> str:
    """The morph target's name: lowerCamelCase, as engines and ARKit have it ("mouth stretch" -> "mouthStretch").

    A name of one word keeps its capitals, as ARKit's own have them ("jawOpen").
    """
    first, *rest = expression.split()
    return first[0].lower() + first[1:] + "".join(word.capitalize() for word in rest)


def posed(mesh: HeadMesh, weights: Mapping[str, float]) -> tuple[Pose, ...]:
    """Each part with each named expression at its weight, 0 for the others.

    Names are taken as in `expressions.NAMES` or as the morph targets are called. Raises UserError for an unknown one.
    """
    moving = [(_index(mesh, name), weight) for name, weight in weights.items() if target_name(name) != "neutral"]
    return tuple(_posed(part, moving) for part in mesh.parts)


def _posed(part: PartMesh, moving: list[tuple[int, float]]) -> Pose:
    positions, normals = (values.astype(np.float64) for values in (part.positions + part.pivot, part.normals))
    for index, weight in moving:
        positions += weight * part.displacements[index]
        normals += weight * part.normal_displacements[index]
    return Pose(positions, normalised(normals) if moving else normals)


def _index(mesh: HeadMesh, name: str) -> int:
    for index, known in enumerate(mesh.names):
        if name in (known, target_name(known)):
            return index
    raise UserError(f"This head has no expression '{name}'.", f"Choose from: {', '.join(mesh.names) or 'neutral'}.")


OF_VERTICES = ("positions", "normals", "tangents", "uvs")
OF_TARGETS = ("displacements", "normal_displacements")


def both_sides(part: PartMesh) -> PartMesh:
    """The part [V, F], then the same seen from behind [2 V, 2 F].

    Sheets of hair and lashes are drawn from both sides, and shade by the volume that they cover. glTF's `doubleSided`
    would turn their normals where they are seen from behind, and the rim of hair would be dark. The copy has vertices
    of its own: Blender 3.4 drops a second triangle over the same ones. Expressions do not turn the normals of sheets.
    """
    faces = np.concatenate([part.faces, part.faces[:, ::-1] + len(part.positions)])
    part = replace(part, normal_displacements=np.zeros_like(part.normal_displacements))
    return _with_vertices(part, faces, lambda values, axis: np.concatenate([values, values], axis))


def one_side(part: PartMesh) -> PartMesh:
    """The part that `both_sides` was given; another as it is."""
    count, half = len(part.positions) // 2, len(part.faces) // 2
    front, back = part.faces[:half], part.faces[half:]
    if not half or len(front) != len(back) or not np.array_equal(front, back[:, ::-1] - count):
        return part
    return _with_vertices(part, front, lambda values, axis: values.take(range(count), axis))


def _with_vertices(part: PartMesh, faces: np.ndarray, changed: Callable[[np.ndarray, int], np.ndarray]) -> PartMesh:
    """The part with other faces, and `changed` vertices: of an array and of its axis of vertices."""
    vertices = {name: changed(getattr(part, name), 0) for name in OF_VERTICES}
    targets = {name: changed(getattr(part, name), 1) for name in OF_TARGETS}
    return replace(part, faces=faces, **vertices, **targets)


def visible(part: PartMesh) -> tuple[np.ndarray, np.ndarray]:
    """Displacements and normal displacements [K, V, 3] float32 of a part as files hold them: zero where none is seen.

    A vertex that is moved less than SMALLEST_MOVE_M stays. Every turn is LEAST_TURN shorter, so that there is no border
    at which turns begin.
    """
    moved, turned = (values.astype(np.float32) for values in (part.displacements, part.normal_displacements))
    moved[np.einsum("kvc,kvc->kv", moved, moved) < SMALLEST_MOVE_M**2] = 0.0
    length = np.sqrt(np.einsum("kvc,kvc->kv", turned, turned))[..., None]
    return moved, turned * (np.maximum(length - LEAST_TURN, 0.0) / np.maximum(length, LEAST_TURN)).astype(np.float32)


def still(mesh: HeadMesh, expression: str = "neutral") -> HeadMesh:
    """The head held in one of its expressions, without morph targets."""
    if expression == "neutral":
        return HeadMesh(tuple(_without_targets(part) for part in mesh.parts), ())
    moving = [(_index(mesh, expression), 1.0)]
    return HeadMesh(tuple(_held(part, _posed(part, moving)) for part in mesh.parts), ())


def _held(part: PartMesh, pose: Pose) -> PartMesh:
    positions = pose.positions - part.pivot
    tangents = vertex_tangents(positions, pose.normals, part.uvs, part.faces)
    return _without_targets(replace(part, positions=positions, normals=pose.normals, tangents=tangents))


def _without_targets(part: PartMesh) -> PartMesh:
    return replace(part, displacements=part.displacements[:0], normal_displacements=part.normal_displacements[:0])
