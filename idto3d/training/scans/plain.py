"""Scans in OBJ and PLY files, which trimesh parses; their textures are found and decoded here."""

import io
import re
from pathlib import Path

import numpy as np
import trimesh
from trimesh.resolvers import Resolver

from idto3d.errors import UserError
from idto3d.training.scans.materials import Materials, read_materials
from idto3d.training.scans.surfaces import (
    LINEAR_OF_BYTE,
    Content,
    MeshLimits,
    Surface,
    beside,
    linear_of,
    read_beside,
    texels,
)

NONE = Materials(b"", {}, ())


class _Beside(Resolver):
    """Answers trimesh with the materials of an OBJ file and the texture of a PLY file, and notes which are missing."""

    def __init__(self, folder: Path, name: str, limits: MeshLimits, materials: Materials):
        self.folder, self.name, self.limits, self.materials = folder, name, limits, materials
        self.missing, self.given = list(materials.missing), []

    def get(self, key: str) -> bytes:
        if self.materials is not NONE:
            return self.materials.text
        path = beside(self.folder, key)
        if path is None:
            self.missing.append(key)
            raise FileNotFoundError(key)
        self.given.append(read_beside(path, self.name, self.limits))
        return self.given[-1]

    def write(self, name: str, data: bytes) -> None:
        raise NotImplementedError("scans are only read")

    def namespaced(self, namespace: str) -> Resolver:
        raise NotImplementedError("scans have no archives")

    def keys(self) -> list[str]:
        return []


def read_plain(data: bytes, path: Path, name: str, limits: MeshLimits) -> Content:
    """The surfaces of an OBJ or PLY file. Raises UserError, or what broken files raise."""
    kind = path.suffix[1:].lower()
    materials = read_materials(data, path.parent, name, limits) if kind == "obj" else NONE
    painted = kind == "obj" and not materials.maps and _has_colours(data)
    if painted:  # by their vertices; a material without a texture would hide that
        materials, data = Materials(b"", {}, ()), re.sub(rb"(?m)^vt[ \t].*$", b"", data)
    files = _Beside(path.parent, name, limits, materials)
    scene = trimesh.load_scene(io.BytesIO(data), file_type=kind, resolver=files, process=False)
    placed = [(scene.graph[node][0], scene.geometry[scene.graph[node][1]]) for node in scene.graph.nodes_geometry]
    meshes = [(matrix, one) for matrix, one in placed if isinstance(one, trimesh.Trimesh)]
    count = sum(len(one.faces) for _, one in meshes)
    if count > limits.faces:
        raise UserError(f"'{name}' has {count} triangles, more than {limits.faces}.", "Decimate it first.")
    return Content([_surface(*one, files) for one in meshes], tuple(files.missing))


def _has_colours(data: bytes) -> bool:
    """Whether the vertices of an OBJ file have colours behind their coordinates."""
    first = re.search(rb"(?m)^v[ \t]+([^\r\n]*)", data)
    return first is not None and len(first[1].split()) >= 6


def _surface(matrix: np.ndarray, one: trimesh.Trimesh, files: _Beside) -> Surface:
    vertices, faces, visual = trimesh.transform_points(one.vertices, matrix), np.asarray(one.faces), one.visual
    uv, albedo = np.zeros((len(vertices), 2)), np.full((len(vertices), 3), 0.5, np.float32)
    if isinstance(visual, trimesh.visual.TextureVisuals):
        return _textured(vertices, faces, visual, files)
    if visual.kind == "vertex":
        albedo = LINEAR_OF_BYTE[np.asarray(visual.vertex_colors)[:, :3]]  # OBJ and PLY programs write sRGB
    elif visual.kind == "face":
        albedo, uv = LINEAR_OF_BYTE[np.asarray(visual.face_colors)[:, :3]].repeat(3, 0), np.zeros((3 * len(faces), 2))
        vertices, faces = vertices[faces.ravel()], np.arange(3 * len(faces)).reshape(-1, 3)
    return Surface(vertices, faces, albedo, uv)


def _textured(vertices: np.ndarray, faces: np.ndarray, visual, files: _Beside) -> Surface:
    """A surface with a material; textures are taken as they are, untinted by its colour."""
    colour, count = linear_of(np.asarray(visual.material.main_color, float)[:3] / 255), len(vertices)
    where = files.materials.maps.get(visual.material.name)
    data = read_beside(where.file, files.name, files.limits) if where else next(iter(files.given), None)
    if data is None or visual.uv is None or len(visual.uv) != count:
        return Surface(vertices, faces, np.tile(colour, (count, 1)), np.zeros((count, 2)))
    uv = np.nan_to_num(visual.uv)
    uv = uv * where.scale + where.offset if where else uv
    return Surface(vertices, faces, np.ones((count, 3), np.float32), uv, texels(data, files.name, files.limits))
