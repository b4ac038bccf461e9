"""Reading one scanned mesh (OBJ, PLY, GLB) with its colours. Every file is treated as hostile.

trimesh parses the geometry and opens textures without decoding them; their pixels go through the function that
decodes photos. Nothing outside the mesh's own folder is read, and no address is fetched.
"""

import io
import json
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image
from scipy.sparse import csr_matrix
from trimesh.resolvers import FilePathResolver

from idto3d.config import SubjectOptions
from idto3d.errors import UserError
from idto3d.subject.images import FORMATS, decoded, shown_name

FRAME_METRES = 0.38  # what a map of the standard framing shows
ACCESSORS_PER_FACE = 12  # numbers that a GLB may claim for each face we would draw


@dataclass(frozen=True)
class MeshLimits:
    """What is refused unread: larger files, larger textures, more triangles."""

    megabytes: float = 1500.0
    megapixels: float = 150.0
    faces: int = 12_000_000


@dataclass(frozen=True, eq=False)
class ScanMesh:
    """A mesh and its colours, linear; `texture_of` is -1 where a face has the colours of its corners.

    vertices [V, 3] in the file's units, normals [V, 3] unit, faces [F, 3] int32, albedo [V, 3] linear, uv [V, 2]
    with v upwards, texture_of [F] int32, textures: [H, W, 3] uint8 sRGB each, tints [T, 3] linear.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    albedo: np.ndarray
    uv: np.ndarray
    texture_of: np.ndarray
    textures: tuple[np.ndarray, ...]
    tints: np.ndarray

    @property
    def coloured(self) -> bool:
        """Whether there is a texture, or more than one colour."""
        return bool(self.textures) or bool((self.albedo != self.albedo[0]).any())

    def colours(self, face: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Linear albedo [P, 3] of P points: their `face` [P] and barycentric `weight` [P, 3]."""
        corners, texture = self.faces[face], self.texture_of[face]
        colours = (self.albedo[corners] * weight[..., None]).sum(1)
        uv = (self.uv[corners] * weight[..., None]).sum(1)
        for i, image in enumerate(self.textures):
            colours[texture == i] = sample(image, uv[texture == i]) * self.tints[i]
        return colours

    def for_pixels(self, size: int) -> "ScanMesh":
        """The same mesh, in metres, with textures of at most about two texels per pixel of a map `size` wide."""
        wanted = 2 * size / FRAME_METRES
        return replace(self, textures=tuple(self._reduced(i, wanted) for i in range(len(self.textures))))

    def _reduced(self, i: int, wanted: float) -> np.ndarray:
        """Texture `i` shrunk by a whole number to no fewer than `wanted` texels per metre."""
        image, faces = self.textures[i], self.faces[self.texture_of == i]
        metres, texels = _area(self.vertices[faces]), _area(self.uv[faces]) * image.shape[0] * image.shape[1]
        factor = int(min(np.sqrt(texels / max(metres, 1e-12)) / wanted, *image.shape[:2]))
        return np.asarray(Image.fromarray(image).reduce(factor)) if factor > 1 else image


def _area(corners: np.ndarray) -> float:
    """Summed area of triangles [F, 3, 2 or 3]."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    squared = (a * a).sum(1) * (b * b).sum(1) - (a * b).sum(1) ** 2
    return float(np.sqrt(np.maximum(squared, 0)).sum() / 2)


def sample(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Linear colours [P, 3] of `image` [H, W, 3] uint8 sRGB at `uv` [P, 2], v upwards, between texels, repeating."""
    height, width = image.shape[:2]
    x, y = uv[:, 0] * width - 0.5, (1 - uv[:, 1]) * height - 0.5
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    across, down = (x - left)[:, None], (y - top)[:, None]
    rows, columns = (top % height, (top + 1) % height), (left % width, (left + 1) % width)
    corners = ([LINEAR_OF_BYTE[image[row, column]] for column in columns] for row in rows)
    upper, lower = (first * (1 - across) + second * across for first, second in corners)
    return upper * (1 - down) + lower * down


def linear_of(srgb: np.ndarray) -> np.ndarray:
    """Linear values of sRGB ones, 0..1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


LINEAR_OF_BYTE = linear_of(np.arange(256) / 255)


@dataclass(frozen=True, eq=False)
class _Part:
    """One geometry of a file in the file's own space; no `image` where the corners have colours."""

    vertices: np.ndarray
    faces: np.ndarray
    albedo: np.ndarray
    uv: np.ndarray
    image: np.ndarray | None
    tint: np.ndarray


def read_mesh(path: Path, limits: MeshLimits) -> ScanMesh:
    """The mesh in `path`. Raises UserError when it is missing, too large, damaged, or holds no triangles."""
    name = f"{shown_name(path.parent)}/{shown_name(path)}"
    scene = _open_scene(path, name, limits)
    nodes = (scene.graph[node] for node in scene.graph.nodes_geometry)
    parts = [(transform, scene.geometry[geometry]) for transform, geometry in nodes]
    parts = [(transform, one) for transform, one in parts if isinstance(one, trimesh.Trimesh)]
    count = sum(len(one.faces) for _, one in parts)
    if count > limits.faces:
        raise UserError(f"'{name}' has {count} triangles, more than {limits.faces}.", "Decimate it first.")
    if not count:
        raise UserError(f"'{name}' holds no triangles.", "Export it as a mesh, not as points.")
    return _joined([_part(transform, one, path, name, limits) for transform, one in parts], name)


def _open_scene(path: Path, name: str, limits: MeshLimits) -> trimesh.Scene:
    try:
        size = path.stat().st_size
        if size > limits.megabytes * 1e6:
            raise UserError(f"'{name}' is larger than {limits.megabytes:g} MB.", "Decimate it first.")
        data = path.read_bytes()
        if path.suffix.lower() == ".glb":
            _check_claims(data, name, limits)
        return trimesh.load_scene(
            io.BytesIO(data), file_type=path.suffix[1:].lower(), resolver=FilePathResolver(path.parent), process=False
        )
    except UserError:
        raise
    except Exception as fault:  # parsers raise many kinds on broken files
        raise UserError(f"'{name}' cannot be read as a mesh.", "Open it in a 3D program and save it anew.") from fault


def _check_claims(data: bytes, name: str, limits: MeshLimits) -> None:
    """Refuse a GLB whose header claims arrays that would not fit, before anything is allocated."""
    (length,) = struct.unpack_from("<I", data, 12)
    header = json.loads(data[20 : 20 + length])
    claimed = sum(int(accessor.get("count", 0)) for accessor in header.get("accessors", ()))
    if claimed > ACCESSORS_PER_FACE * limits.faces:
        raise UserError(f"'{name}' claims {claimed} vertices and indices.", "Decimate it first.")


def _part(transform: np.ndarray, one: trimesh.Trimesh, path: Path, name: str, limits: MeshLimits) -> _Part:
    vertices = trimesh.transform_points(one.vertices, transform)
    faces, visual, plain = np.asarray(one.faces), one.visual, np.ones(3, np.float32)
    if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise UserError(f"'{name}' has triangles without corners.", "Open it in a 3D program and save it anew.")
    uv, albedo, image = np.zeros((len(vertices), 2)), np.full((len(vertices), 3), 0.5, np.float32), None
    if isinstance(visual, trimesh.visual.TextureVisuals):
        picture, plain = _material(visual.material)
        albedo[:] = plain
        if picture is not None and visual.uv is not None and len(visual.uv) == len(vertices):
            uv, image = np.nan_to_num(visual.uv), _texels(picture, name, limits)
    elif visual.kind == "vertex":
        albedo = _vertex_albedo(visual.vertex_colors, path)
    elif visual.kind == "face":
        albedo, uv = _vertex_albedo(visual.face_colors, path).repeat(3, 0), np.zeros((3 * len(faces), 2))
        vertices, faces = vertices[faces.ravel()], np.arange(3 * len(faces)).reshape(-1, 3)
    return _Part(vertices, faces, albedo, uv, image, plain)


def _material(material) -> tuple[Image.Image | None, np.ndarray]:
    """A material's unread colour texture, and its colour [3] linear; OBJ textures are taken as they are, untinted."""
    if isinstance(material, trimesh.visual.material.PBRMaterial):
        factor = material.baseColorFactor
        tint = np.ones(3) if factor is None else np.asarray(factor, float)[:3] / 255
        return material.baseColorTexture, tint.astype(np.float32)
    picture = getattr(material, "image", None)
    colour = np.asarray(material.main_color, float)[:3] / 255 if picture is None else np.ones(3)
    return picture, linear_of(colour)


def _vertex_albedo(colours: np.ndarray, path: Path) -> np.ndarray:
    """[N, 3] linear from uint8: glTF defines its vertex colours as linear, OBJ and PLY programs write sRGB."""
    rgb = np.asarray(colours)[:, :3]
    return (rgb / 255).astype(np.float32) if path.suffix.lower() == ".glb" else LINEAR_OF_BYTE[rgb]


def _texels(picture: Image.Image, name: str, limits: MeshLimits) -> np.ndarray:
    """[H, W, 3] uint8 sRGB, at most 2048 on a side. Raises UserError."""
    megapixels = picture.width * picture.height / 1e6
    if megapixels > limits.megapixels:
        remedy = f"Save it smaller; at most {limits.megapixels:g} are decoded."
        raise UserError(f"A texture of '{name}' has {megapixels:.0f} megapixels.", remedy)
    if picture.format not in FORMATS:
        raise UserError(f"A texture of '{name}' is in the format {picture.format}.", "Save it as PNG or JPEG.")
    return decoded(picture, f"texture of {name}", SubjectOptions(max_megapixels=limits.megapixels), upright=False)


def _joined(parts: list[_Part], name: str) -> ScanMesh:
    first = np.cumsum([0] + [len(part.vertices) for part in parts])
    textured = [part for part in parts if part.image is not None]
    number = {id(part): i for i, part in enumerate(textured)}
    texture_of = [np.full(len(part.faces), number.get(id(part), -1), np.int32) for part in parts]
    faces = np.concatenate([part.faces + start for part, start in zip(parts, first, strict=False)]).astype(np.int32)
    vertices = np.concatenate([part.vertices for part in parts]).astype(np.float32)
    used = vertices[faces]
    if not np.isfinite(used).all() or not np.ptp(used.reshape(-1, 3), axis=0).max() > 0:
        raise UserError(f"'{name}' has corners that are no points in space.", "Open it in a 3D program and repair it.")
    return ScanMesh(
        vertices=np.nan_to_num(vertices),
        normals=smooth_normals(np.nan_to_num(vertices), faces),
        faces=faces,
        albedo=np.concatenate([part.albedo for part in parts]),
        uv=np.concatenate([part.uv for part in parts]).astype(np.float32),
        texture_of=np.concatenate(texture_of),
        textures=tuple(part.image for part in textured),
        tints=np.array([part.tint for part in textured], np.float32).reshape(-1, 3),
    )


def smooth_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals [V, 3] weighted by area; corners at one place share theirs, whatever seams the texture has."""
    places, place = np.unique(vertices, axis=0, return_inverse=True)
    corners = place.reshape(-1)[faces]
    a, b, c = (places[corners[:, i]].astype(np.float64) for i in range(3))
    shape = (len(places), len(faces))
    spread = csr_matrix((np.ones(faces.size), (corners.ravel(), np.arange(len(faces)).repeat(3))), shape=shape)
    summed = (spread @ np.cross(b - a, c - a))[place.reshape(-1)]
    return (summed / (np.linalg.norm(summed, axis=1, keepdims=True) + 1e-20)).astype(np.float32)
