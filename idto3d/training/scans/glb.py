"""Scans in GLB files, read by our own reader of glTF.

trimesh 5.2 takes normalised integers for metres, leaves out sparse values over a base view, texture transforms and
second texture coordinates, and says nothing.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from idto3d.errors import UserError
from idto3d.export.gltf.reading import GLOSS, UNDERSTOOD, Glb, open_glb, uvs_for
from idto3d.training.scans.surfaces import Content, MeshLimits, Surface, beside, read_beside, texels

ACCESSORS_PER_FACE = 12  # numbers that a GLB may claim for each face we would draw


def read_glb(data: bytes, folder: Path, name: str, limits: MeshLimits) -> Content:
    """The surfaces of a GLB file in the world of its scene. Raises UserError, or what broken files raise."""
    glb = open_glb(data, name, UNDERSTOOD | {GLOSS})
    claimed = sum(int(accessor.get("count", 0)) for accessor in glb.all("accessors"))
    if claimed > ACCESSORS_PER_FACE * limits.faces:
        raise UserError(f"'{name}' claims {claimed} vertices and indices.", "Decimate it first.")
    pictures = _Pictures(glb, folder, limits)
    surfaces, count = [], 0
    for line in glb.placed():
        for surface in _surfaces(glb, *line[-1], pictures):
            count += len(surface.faces)
            if count > limits.faces:
                raise UserError(f"'{name}' has {count} triangles, more than {limits.faces}.", "Decimate it first.")
            surfaces.append(surface)
    return Content(surfaces, tuple(pictures.missing))


class _Pictures:
    """The textures of a file, each decoded once."""

    def __init__(self, glb: Glb, folder: Path, limits: MeshLimits):
        self.glb, self.folder, self.limits = glb, folder, limits
        self.missing: list[str] = []
        self._known: dict[int, np.ndarray | None] = {}

    def texels(self, texture: Mapping) -> np.ndarray | None:
        """[H, W, 3] of a material's texture; None, and its name is missing, where it is a file that is not there."""
        image = self.glb.image(texture)
        if id(image) not in self._known:
            data = self._data(image)
            self._known[id(image)] = None if data is None else texels(data, self.glb.name, self.limits)
        return self._known[id(image)]

    def _data(self, image: Mapping) -> bytes | None:
        if "bufferView" in image:
            return bytes(self.glb.view(image["bufferView"]))
        kind, _, body = image["uri"].partition(",")
        if kind.startswith("data:"):
            return base64.b64decode(body)
        path = beside(self.folder, unquote(image["uri"]))
        if path is None:
            self.missing.append(image["uri"])
        return None if path is None else read_beside(path, self.glb.name, self.limits)


def _surfaces(glb: Glb, node: dict, matrix: np.ndarray, pictures: _Pictures) -> list[Surface]:
    """What is drawn at a node."""
    if "mesh" not in node:
        return []
    if "skin" in node:
        raise UserError(f"'{glb.name}' has a skeleton, which is not read.", "Apply its pose and save it without.")
    mesh = glb.one("meshes", node["mesh"])
    weights = node.get("weights", mesh.get("weights", []))
    found = (_surface(glb, primitive, weights, matrix, pictures) for primitive in mesh["primitives"])
    return [surface for surface in found if surface is not None]


def _surface(
    glb: Glb, primitive: Mapping, weights: list[float], matrix: np.ndarray, pictures: _Pictures
) -> Surface | None:
    """One primitive; None of points and lines."""
    points = glb.floats(primitive["attributes"]["POSITION"]).astype(np.float64)
    faces = glb.faces(primitive, len(points))
    if not len(faces):
        return None
    for weight, target in zip(weights, primitive.get("targets", []), strict=False):
        if weight and "POSITION" in target:
            points += weight * glb.floats(target["POSITION"])
    tint, texture = _colour(glb, primitive)
    albedo = np.broadcast_to(tint, points.shape).astype(np.float32)
    if "COLOR_0" in primitive["attributes"]:
        albedo = albedo * glb.floats(primitive["attributes"]["COLOR_0"])[:, :3]
    image = None if texture is None else pictures.texels(texture)
    uv = np.zeros((len(points), 2)) if image is None else _upwards(_uvs(glb, primitive, texture))
    mirrored = np.linalg.det(matrix[:3, :3]) < 0
    return Surface(points @ matrix[:3, :3].T + matrix[:3, 3], faces[:, ::-1] if mirrored else faces, albedo, uv, image)


def _colour(glb: Glb, primitive: Mapping) -> tuple[np.ndarray, Mapping | None]:
    """A primitive's colour [3] linear, and the texture that it is multiplied by. Its alpha is no colour."""
    if "material" not in primitive:
        return np.ones(3), None
    material = glb.one("materials", primitive["material"])
    surface, gloss = material.get("pbrMetallicRoughness", {}), material.get("extensions", {}).get(GLOSS)
    factor, texture = surface.get("baseColorFactor", (1, 1, 1)), surface.get("baseColorTexture")
    if gloss is not None:
        factor, texture = gloss.get("diffuseFactor", (1, 1, 1)), gloss.get("diffuseTexture")
    return np.array(factor, float)[:3], texture


def _uvs(glb: Glb, primitive: Mapping, texture: Mapping) -> np.ndarray:
    try:
        return uvs_for(glb, primitive, texture)
    except KeyError as fault:
        what = f"'{glb.name}' has a texture, but no coordinates for it ({fault.args[0]})."
        raise UserError(what, "Open it in a 3D program and save it anew.") from fault


def _upwards(uvs: np.ndarray) -> np.ndarray:
    return np.stack([uvs[:, 0], 1 - uvs[:, 1]], 1)
