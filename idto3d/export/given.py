"""Parts that come with texture coordinates: all their vertices and triangles are exported as they are. Metres."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from idto3d.export.decimate import WELD, three_corners
from idto3d.export.gltf.mesh import PartMesh
from idto3d.export.gltf.tangents import vertex_tangents
from idto3d.export.surface import Correspondence, carry, pose_normals
from idto3d.export.uv import Unwrapped, cut, uv_raster
from idto3d.head.paint.atlas import Texels
from idto3d.head.parts import Part


def given_mesh(part: Part, expression: int, others: Sequence[int]) -> PartMesh:
    """`part` in one expression, its vertices split along the seams of its uvs, with displacements to the `others`.

    Raises ValueError for a part without faces.
    """
    split = split_along_seams(part)
    pivot = np.zeros(3) if part.pivot is None else _array(part.pivot)
    poses = _array(part.vertices) + _array(part.displacements)[[expression, *others]]
    normals = _shading(part, poses)[:, split.source]
    positions = poses[:, split.source] - pivot
    tangents = vertex_tangents(positions[0], normals[0], split.uvs, split.faces)
    surface = (positions[0], normals[0], tangents, split.uvs, split.faces)
    return PartMesh(part.name, part.material, *surface, positions[1:] - positions[0], normals[1:] - normals[0], pivot)


def split_along_seams(part: Part) -> Unwrapped:
    """The faces of a part that have three corners, and its vertices, several where their uvs differ.

    Raises ValueError for a part without faces.
    """
    faces = part.faces.cpu().numpy()
    intact = three_corners(faces)
    if not intact.any():
        raise ValueError(f"the part {part.name} has no faces")
    return cut(faces[intact], part.uvs.cpu().numpy()[intact])


def given_texels(parts: Sequence[Part], size: int) -> tuple[Texels, np.ndarray]:
    """The texels of a texture of `size` pixels that `parts` share, and their canonical positions [N, 3].

    Raises ValueError where no texel lies on a part.
    """
    splits = [split_along_seams(part) for part in parts]
    starts = np.cumsum([0, *(len(one.source) for one in splits[:-1])])
    faces = np.concatenate([one.faces + start for one, start in zip(splits, starts, strict=True)])
    canonical = np.concatenate([_array(part.vertices)[one.source] for part, one in zip(parts, splits, strict=True)])
    texels = uv_raster(np.concatenate([one.uvs for one in splits]), faces, size)
    return texels, carry(canonical, Correspondence(texels.corners, texels.weights))


def _shading(part: Part, poses: np.ndarray) -> np.ndarray:
    """Unit normals [P, V, 3] to shade by: the part's own, where it has any, in all poses."""
    if part.normals is not None:
        return np.broadcast_to(_array(part.normals), poses.shape)
    return _normals(poses, part.faces.cpu().numpy())


def _normals(poses: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals [P, V, 3] of `poses` [P, V, 3]; vertices that lie on one place in all poses share theirs."""
    place = _places(poses)
    merged = np.empty((len(poses), place.max() + 1, 3))
    merged[:, place] = poses
    return pose_normals(merged, place[faces])[:, place]


def _places(poses: np.ndarray) -> np.ndarray:
    """The running number [V] of the place of each vertex of `poses` [P, V, 3], as `tidied` welds them."""
    if len(np.unique(np.round(poses[0] / WELD), axis=0)) == poses.shape[1]:
        return np.arange(poses.shape[1])  # they differ in one pose already
    rounded = np.round(poses / WELD)
    return np.unique(rounded.transpose(1, 0, 2).reshape(poses.shape[1], -1), axis=0, return_inverse=True)[1].reshape(-1)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)
