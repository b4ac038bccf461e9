"""Writes a material field and the dense mesh's relief into textures. Textures are uint8 [S, S, 3], row 0 on top."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from idto3d.export.decimate import LowMesh
from idto3d.export.surface import Correspondence, carry, closest_in_groups, normalised
from idto3d.export.uv import Unwrapped
from idto3d.head.paint.atlas import Texels
from idto3d.render.color import srgb_from_linear
from idto3d.render.material import Material

TEXELS_AT_ONCE = 1 << 17
STRETCHED = 1.5  # growth of a piece of surface up to which its relief stays as it is


SampleMaterial = Callable[[str, Tensor, int], Material]  # name, canonical points [N, 3] metres, index of the expression
SampleOne = Callable[[Tensor, int], Material]  # the same of one material


@dataclass(frozen=True)
class Canvas:
    """What a material is baked onto: its texels and their canonical positions [N, 3], metres."""

    texels: Texels
    points: np.ndarray


def texels_onto(
    texels: Texels, unwrapped: Unwrapped, low: LowMesh, canonical: np.ndarray, faces: np.ndarray
) -> Correspondence:
    """Where each texel lies on the dense mesh `canonical` [V, 3], `faces` [F, 3].

    Compared in the canonical pose, whose lips are parted, and among the dense vertices merged into the texel's corners.
    """
    corners = unwrapped.source[texels.corners]
    points = carry(carry(canonical, low.onto), Correspondence(corners, texels.weights))
    return closest_in_groups(points, corners, low.clusters, canonical, faces)


def sampled(sample: SampleOne, points: np.ndarray, expression: int, device: torch.device) -> np.ndarray:
    """Albedo (linear), roughness and metallic [N, 5] float32, 0..1, at canonical `points` [N, 3]."""
    return np.concatenate([_sampled_chunk(sample, points[part], expression, device) for part in _chunks(len(points))])


def _sampled_chunk(sample: SampleOne, points: np.ndarray, expression: int, device: torch.device) -> np.ndarray:
    with torch.no_grad():
        material = sample(torch.as_tensor(points, dtype=torch.float32, device=device), expression)
        channels = torch.cat([material.albedo, material.roughness, material.metallic], dim=-1)
        return channels.clamp(0.0, 1.0).float().cpu().numpy()


def albedo_texture(channels: np.ndarray, texels: Texels) -> np.ndarray:
    """The sRGB texture of linear albedo `channels[:, :3]` at the texels."""
    return texels.spread(as_bytes(srgb_from_linear(torch.from_numpy(channels[:, :3])).numpy()))


def metallic_roughness_texture(channels: np.ndarray, texels: Texels) -> np.ndarray:
    """The linear texture glTF asks for: roughness in green, metallic in blue, red left white."""
    return texels.spread(as_bytes(np.stack([np.ones(len(channels)), channels[:, 3], channels[:, 4]], axis=1)))


def normal_texture(
    dense_normals: np.ndarray,
    onto: Correspondence,
    normals: np.ndarray,
    tangents: np.ndarray,
    strength: np.ndarray,
    texels: Texels,
) -> np.ndarray:
    """The tangent-space normal map, green up, that shows `dense_normals` [V, 3] on the low mesh.

    normals [V', 3] and tangents [V', 4] are the exported ones, so that a viewer undoes exactly what is done here.
    strength: [V'] in 0..1, how much of the relief there is; see `relief_strength`.
    """
    here = Correspondence(texels.corners, texels.weights)
    values = np.empty((len(texels.corners), 3), np.uint8)
    for part in _chunks(len(values)):
        wanted = normalised(carry(dense_normals, _part(onto, part)))
        normal, tangent = (carry(of, _part(here, part)) for of in (normals, tangents))
        local = _in_tangent_space(wanted, normalised(normal), tangent)
        local[:, :2] *= carry(strength[:, None], _part(here, part))
        values[part] = as_bytes(0.5 * normalised(local) + 0.5)
    return texels.spread(values)


def relief_strength(expressions: np.ndarray, faces: np.ndarray, neutral: int) -> np.ndarray:
    """How much [V] of the neutral's relief bears being stretched by the `expressions` [E, V, 3]: 1, less where an
    expression makes the surface around a vertex many times as large, as in the mouth, whose folds would become stripes.
    """
    corners = expressions[:, faces]
    sides = corners[:, :, 1:] - corners[:, :, :1]
    area = np.linalg.norm(np.cross(sides[:, :, 0], sides[:, :, 1]), axis=-1)
    count = expressions.shape[1]
    around = np.stack([np.bincount(faces.ravel(), np.repeat(one, 3), count) for one in area])
    growth = around.max(0) / np.maximum(around[neutral], 1e-12)
    return np.minimum(1.0, STRETCHED / np.maximum(growth, 1.0))


def _in_tangent_space(wanted: np.ndarray, normal: np.ndarray, tangent: np.ndarray) -> np.ndarray:
    """Coordinates [N, 3] of `wanted` along tangent, bitangent and normal, which need not be at right angles."""
    along_u = normalised(tangent[:, :3])
    along_v = np.cross(normal, along_u) * np.sign(tangent[:, 3:])
    across = np.cross(along_u, along_v)
    volume = (across * normal).sum(1)
    local = [(wanted * side).sum(1) for side in (np.cross(along_v, normal), np.cross(normal, along_u), across)]
    return normalised(np.stack(local, axis=1) / np.where(volume == 0.0, 1.0, volume)[:, None])


def as_bytes(values: np.ndarray) -> np.ndarray:
    """0..1 as uint8, rounded."""
    return (np.clip(values, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _chunks(count: int) -> list[slice]:
    return [slice(start, start + TEXELS_AT_ONCE) for start in range(0, count, TEXELS_AT_ONCE)]


def _part(onto: Correspondence, part: slice) -> Correspondence:
    return Correspondence(onto.corners[part], onto.weights[part])
