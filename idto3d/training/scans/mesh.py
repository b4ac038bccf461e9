"""Reading one scanned mesh (OBJ, PLY, GLB) with its colours. Every file is treated as hostile.

The pixels of textures go through the function that decodes photos. Nothing outside the mesh's own folder is read, and
no address is fetched.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.sparse import csr_matrix

from idto3d.errors import UserError
from idto3d.subject.images import shown_name
from idto3d.training.scans.glb import read_glb
from idto3d.training.scans.plain import read_plain
from idto3d.training.scans.surfaces import LINEAR_OF_BYTE, Content, MeshLimits, Surface

FRAME_METRES = 0.38  # what a map of the standard framing shows


@dataclass(frozen=True, eq=False)
class ScanMesh:
    """A mesh and its colours, linear; `texture_of` is -1 where a face has the colours of its corners alone.

    vertices [V, 3] in the file's units, normals [V, 3] unit, faces [F, 3] int32, albedo [V, 3] linear, uv [V, 2]
    with v upwards, texture_of [F] int32, textures: [H, W, 3] uint8 sRGB each, which albedo is multiplied by. missing:
    what the file names for its colours and is not there.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    albedo: np.ndarray
    uv: np.ndarray
    texture_of: np.ndarray
    textures: tuple[np.ndarray, ...]
    missing: tuple[str, ...] = ()

    @property
    def coloured(self) -> bool:
        """Whether there is a texture, or more than one colour, and none is missing."""
        return not self.missing and (bool(self.textures) or bool((self.albedo != self.albedo[0]).any()))

    def colours(self, face: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Linear albedo [P, 3] of P points: their `face` [P] and barycentric `weight` [P, 3]."""
        corners, texture = self.faces[face], self.texture_of[face]
        colours = (self.albedo[corners] * weight[..., None]).sum(1)
        uv = (self.uv[corners] * weight[..., None]).sum(1)
        for i, image in enumerate(self.textures):
            colours[texture == i] *= sample(image, uv[texture == i])
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


def read_mesh(path: Path, limits: MeshLimits) -> ScanMesh:
    """The mesh in `path`. Raises UserError where it is missing, too large, damaged, not understood, or empty."""
    name = f"{shown_name(path.parent)}/{shown_name(path)}"
    content = _read(path, name, limits)
    if not sum(len(surface.faces) for surface in content.surfaces):
        raise UserError(f"'{name}' holds no triangles.", "Export it as a mesh, not as points.")
    for surface in content.surfaces:
        if len(surface.faces) and not 0 <= surface.faces.min() <= surface.faces.max() < len(surface.vertices):
            raise UserError(f"'{name}' has triangles without corners.", "Open it in a 3D program and save it anew.")
    return _joined(content, name)


def _read(path: Path, name: str, limits: MeshLimits) -> Content:
    try:
        if path.stat().st_size > limits.megabytes * 1e6:
            raise UserError(f"'{name}' is larger than {limits.megabytes:g} MB.", "Decimate it first.")
        data = path.read_bytes()
        if path.suffix.lower() == ".glb":
            return read_glb(data, path.parent, name, limits)
        return read_plain(data, path, name, limits)
    except UserError:
        raise
    except Exception as fault:  # parsers raise many kinds on broken files
        raise UserError(f"'{name}' cannot be read as a mesh.", "Open it in a 3D program and save it anew.") from fault


def _joined(content: Content, name: str) -> ScanMesh:
    parts = content.surfaces
    first = np.cumsum([0] + [len(part.vertices) for part in parts])
    textures = list({id(part.image): part.image for part in parts if part.image is not None}.values())
    texture_of = [np.full(len(part.faces), _place(part, textures), np.int32) for part in parts]
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
        textures=tuple(textures),
        missing=content.missing,
    )


def _place(part: Surface, textures: list[np.ndarray]) -> int:
    """Which of `textures` a surface has, -1 for none."""
    return next((i for i, image in enumerate(textures) if image is part.image), -1)


def smooth_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals [V, 3] weighted by area; corners at one place share theirs, whatever seams the texture has."""
    places, place = np.unique(vertices, axis=0, return_inverse=True)
    corners = place.reshape(-1)[faces]
    a, b, c = (places[corners[:, i]].astype(np.float64) for i in range(3))
    shape = (len(places), len(faces))
    spread = csr_matrix((np.ones(faces.size), (corners.ravel(), np.arange(len(faces)).repeat(3))), shape=shape)
    summed = (spread @ np.cross(b - a, c - a))[place.reshape(-1)]
    return (summed / (np.linalg.norm(summed, axis=1, keepdims=True) + 1e-20)).astype(np.float32)
