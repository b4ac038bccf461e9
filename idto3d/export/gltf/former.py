"""The asset that a head had before an edit: what of it is still right is not worked out again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pygltflib as gltf

from idto3d.config import as_json
from idto3d.errors import UserError
from idto3d.export.gltf.accessors import BufferWriter
from idto3d.export.gltf.load import part_of
from idto3d.export.gltf.mesh import PartMesh, one_side
from idto3d.export.gltf.provenance import GENERATOR, Provenance, as_extras, without_files
from idto3d.export.gltf.reading import Glb, open_glb
from idto3d.export.textures import unbroken
from idto3d.moves import link_or_copy
from idto3d.stages.edit.sealed import kept_parts, kept_textures
from idto3d.stages.saved import FinishedHead


@dataclass(frozen=True, eq=False)
class Former:
    """The asset in `folder`, whose head.glb is open; `textures`, by "MATERIAL_KIND", and `parts` did not change since.

    Raises nothing by itself: what the file does not have is not there.
    """

    folder: Path
    glb: Glb
    textures: frozenset[str]
    parts: frozenset[str]

    def image(self, name: str) -> bytes | None:
        """The file of a texture as it lies in the GLB; None where it changed, or there is none."""
        if name not in self.textures:
            return None
        views = [image.get("bufferView") for image in self.glb.all("images") if image.get("name") == name]
        return bytes(self.glb.view(views[0])) if len(views) == 1 and views[0] is not None else None

    def lay_texture(self, name: str, target: Path) -> bool:
        """Make `target` the picture of a texture that lies beside the GLB; returns whether that could be."""
        path = self.folder / "textures" / f"{unbroken(name)}.png"
        if name not in self.textures or not path.is_file():
            return False
        link_or_copy(path, target)
        return True

    def mesh(self, part: str) -> Mapping | None:
        """The mesh of a part as the GLB's header has it; None where it changed, or is none of ours."""
        found = [mesh for mesh in self.glb.all("meshes") if mesh.get("name") == part and part in self.parts]
        return found[0] if len(found) == 1 and len(found[0]["primitives"]) == 1 else None

    def part(self, name: str, material: str, pivot: np.ndarray) -> PartMesh | None:
        """A part as the GLB has it, at rest; None where `mesh` is. pivot [3] metres is what it turns about."""
        mesh = self.mesh(name)
        if mesh is None:
            return None
        primitive = {**mesh["primitives"][0], "targets": []}
        return replace(one_side(part_of(self.glb, primitive, name)), material=material, pivot=pivot)


def provenance_of(finished: FinishedHead) -> Provenance:
    """What the files of a head say of where it comes from; not what files of this machine it was made with."""
    options = without_files(finished.options)
    made = (options.seed, finished.weights, finished.licences, as_json(options))
    return Provenance(*made, finished.photos, tuple(map(as_json, finished.edits)))


def former_of(folder: Path, before: FinishedHead, after: FinishedHead) -> Former | None:
    """The asset in `folder` that this program wrote for the head `before`, seen from `after`.

    None where another one lies there.
    """
    path = folder / "head.glb"
    if not path.is_file():
        return None
    try:
        glb = open_glb(path.read_bytes(), path.name)
        asset = glb.header["asset"]
        if asset.get("generator") != GENERATOR or _told(asset["extras"]) != _told(as_extras(provenance_of(before))):
            return None
        return Former(folder, glb, frozenset(kept_textures(before, after)), frozenset(kept_parts(before, after)))
    except (ValueError, KeyError, TypeError, AttributeError, UserError):  # another program's, or damaged
        return None


def _told(extras: Mapping) -> tuple:
    """What tells one head of ours from another, and how it was exported."""
    return extras["seed"], extras["weights"], extras.get("edits", []), extras["options"]["export"]  # no edits of old


def copied_mesh(writer: BufferWriter, glb: Glb, mesh: Mapping) -> gltf.Mesh:
    """A mesh of another file of ours with all its numbers, written in the order in which `glb_bytes` writes them."""
    (old,) = mesh["primitives"]
    attributes = {name: _copied(writer, glb, index) for name, index in old["attributes"].items()}
    indices = _copied(writer, glb, old["indices"])
    targets = [{kind: _copied(writer, glb, index) for kind, index in one.items()} for one in old["targets"]]
    primitive = gltf.Primitive(attributes=gltf.Attributes(**attributes), indices=indices, targets=targets)
    return gltf.Mesh(name=mesh["name"], primitives=[primitive], weights=mesh["weights"], extras=mesh["extras"])


def _copied(writer: BufferWriter, glb: Glb, index: int) -> int:
    accessor = gltf.Accessor.from_dict(glb.one("accessors", index))
    if accessor.sparse is None and accessor.min == accessor.max == [0.0, 0.0, 0.0]:
        return writer.zeros(accessor.count)
    if accessor.sparse is None:
        accessor.bufferView = _view(writer, glb, accessor.bufferView)
    else:
        accessor.byteOffset = None
        for place in (accessor.sparse.indices, accessor.sparse.values):
            place.bufferView = _view(writer, glb, place.bufferView)
    return writer.add(accessor)


def _view(writer: BufferWriter, glb: Glb, index: int) -> int:
    return writer.view(bytes(glb.view(index)), glb.one("bufferViews", index).get("target"))
