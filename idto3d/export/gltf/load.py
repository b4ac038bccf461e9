"""Reads a written head back, to draw it again: as we wrote it, or as another program wrote it anew."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from idto3d.errors import UserError
from idto3d.export.gltf.mesh import OF_TARGETS, HeadMesh, PartMesh, one_side, target_name
from idto3d.export.gltf.placing import placed
from idto3d.export.gltf.reading import PLACES, Glb, Line, open_glb, texture_places, uvs_for
from idto3d.export.gltf.worn import material_names, textures_of, unique, worn
from idto3d.export.textures import Textures
from idto3d.words.expressions import NAMES

OURS = {target_name(name): name for name in NAMES}
FAULTS = (ValueError, IndexError, TypeError, AttributeError, KeyError, OSError, struct.error, OverflowError)


@dataclass(frozen=True)
class Asset:
    """A head read from head.glb: its parts (metres), the textures of each material that they name, its origin.

    provenance: what `asset.extras` says. blend: what is see-through is blended, not cut out.
    """

    mesh: HeadMesh
    textures: Mapping[str, Textures]
    provenance: Mapping[str, object]
    blend: bool = False


def load_asset(folder: Path) -> Asset:
    """The head in `folder`/head.glb, which other programs may have rewritten.

    Raises UserError when there is none, when it is no head of ours, or when it needs an extension that is not read.
    """
    path = Path(folder) / "head.glb"
    if not path.is_file():
        raise UserError(f"There is no head.glb in {folder}.", "Give the folder that `generate` wrote.")
    try:
        glb = open_glb(path.read_bytes(), path.name)
        blend = any(material.get("alphaMode") == "BLEND" for material in glb.all("materials"))
        provenance = glb.header["asset"].get("extras", {})
        return Asset(_mesh(glb), worn(glb), provenance, blend)
    except FAULTS as error:
        raise UserError(f"{path} is not a head that idto3d wrote.", "Give the folder that `generate` wrote.") from error


def _mesh(glb: Glb) -> HeadMesh:
    """All parts, each with the expressions of all of them."""
    found = [one for line in glb.placed() if "mesh" in line[-1][0] for one in _parts(glb, line)]
    if not found:
        raise ValueError("a head has parts")
    names = list(dict.fromkeys(name for _, own in found for name in own))
    titles = unique([part.name for part, _ in found])
    parts = (_with_all(part, own, names) for part, own in found)
    named = (replace(one_side(part), name=title) for part, title in zip(parts, titles, strict=True))
    return HeadMesh(tuple(named), tuple(names))


def _with_all(part: PartMesh, own: list[str], names: list[str]) -> PartMesh:
    """A part with the expressions `own` as one with all of `names`: in the others it rests."""
    if own == names:
        return part
    rows = [own.index(name) if name in own else len(own) for name in names]
    return replace(part, **{field: _rested(getattr(part, field))[rows] for field in OF_TARGETS})


def _rested(targets: np.ndarray) -> np.ndarray:
    return np.concatenate([targets, np.zeros_like(targets, shape=(1, *targets.shape[1:]))])


def _parts(glb: Glb, line: Line) -> list[tuple[PartMesh, list[str]]]:
    """The parts of a node, each with the names of its expressions. It turns about the innermost node with a name."""
    (node, matrix), mesh = line[-1], glb.one("meshes", line[-1][0]["mesh"])
    if "skin" in node:
        raise ValueError("a head has no skeleton")
    named, centre = next(((one, at) for one, at in reversed(line) if one.get("name")), line[-1])
    extras = mesh.get("extras", {})
    names = extras.get("expressions") or [OURS.get(target, target) for target in extras.get("targetNames", [])]
    if any(len(primitive.get("targets", [])) != len(names) for primitive in mesh["primitives"]):
        raise ValueError("each morph target has a name")
    title = mesh.get("name") or named.get("name", "part")
    parts = (part_of(glb, primitive, title) for primitive in mesh["primitives"])
    return [(placed(part, matrix, centre[:3, 3]), list(names)) for part in parts]


def part_of(glb: Glb, primitive: Mapping, name: str) -> PartMesh:
    """One primitive where its accessors have it. Raises what missing and odd entries of a header raise."""
    attributes = primitive["attributes"]
    positions, normals = glb.floats(attributes["POSITION"]), glb.directions(attributes["NORMAL"])
    count = len(positions)
    tangents = glb.floats(attributes["TANGENT"]) if "TANGENT" in attributes else np.zeros((count, 4))
    return PartMesh(
        name=name,
        material=material_names(glb)[primitive["material"]],
        positions=positions,
        normals=_of_vertices(normals, count),
        tangents=_of_vertices(tangents, count),
        uvs=_of_vertices(_uvs(glb, primitive, count), count),
        faces=glb.faces(primitive, count),
        displacements=_targets(glb, primitive, "POSITION", count),
        normal_displacements=_targets(glb, primitive, "NORMAL", count),
        pivot=np.zeros(3),
    )


def _uvs(glb: Glb, primitive: dict, count: int) -> np.ndarray:
    """[V, 2] for all textures of a part. Raises UserError where they want different ones."""
    textures = textures_of(glb.one("materials", primitive["material"]))
    layouts = {str(texture_places(texture)): texture for texture in textures}
    if len(layouts) > 1:
        what = f"'{glb.name}' lays out the textures of one material in different ways (texCoord, {PLACES})."
        raise UserError(what, "Save it with the same layout for all of them.")
    for texture in layouts.values():
        return uvs_for(glb, primitive, texture)
    return np.zeros((count, 2), np.float32)


def _targets(glb: Glb, primitive: dict, attribute: str, count: int) -> np.ndarray:
    """What each morph target adds to an attribute [K, V, 3]; nothing, as glTF has it, where it does not say."""
    targets = primitive.get("targets", [])
    moved = np.zeros((len(targets), count, 3), np.float32)
    for row, target in zip(moved, targets, strict=True):
        if attribute in target:
            row[:] = _of_vertices(glb.floats(target[attribute]), count)
    return moved


def _of_vertices(values: np.ndarray, count: int) -> np.ndarray:
    """`values`, where there are as many as vertices. Raises ValueError."""
    if len(values) != count:
        raise ValueError(f"{len(values)} values of {count} vertices")
    return values
