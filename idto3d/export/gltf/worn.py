"""The textures of a GLB's materials. A picture of one tone, which programs replace by a factor, is one texel."""

from collections.abc import Mapping
from itertools import count

import numpy as np
import torch

from idto3d.export.gltf.reading import GLOSS, Glb, refusal
from idto3d.export.gltf.specular import SPECULAR
from idto3d.export.images import read_image
from idto3d.export.textures import Textures
from idto3d.render.color import linear_from_srgb, srgb_from_linear


def material_names(glb: Glb) -> list[str]:
    """A name for each material, none twice."""
    return unique([material.get("name") or "material" for material in glb.all("materials")])


def unique(names: list[str]) -> list[str]:
    """`names`, with a number behind each that was there before."""
    told: list[str] = []
    for name in names:
        others = (f"{name}_{number}" for number in count(2))
        told.append(name if name not in told else next(other for other in others if other not in told))
    return told


def textures_of(material: Mapping) -> list[Mapping]:
    """The `textureInfo` of each texture that a material has and we read."""
    surface = material.get("pbrMetallicRoughness", {})
    named = (surface.get("baseColorTexture"), surface.get("metallicRoughnessTexture"), material.get("normalTexture"))
    return [texture for texture in (*named, _shine(material).get("specularColorTexture")) if texture is not None]


def _shine(material: Mapping) -> Mapping:
    """What a material says of its reflectance."""
    return material.get("extensions", {}).get(SPECULAR, {})


def worn(glb: Glb) -> dict[str, Textures]:
    """The textures of each material by its name."""
    return {
        name: _textures(glb, material) for name, material in zip(material_names(glb), glb.all("materials"), strict=True)
    }


def _textures(glb: Glb, material: Mapping) -> Textures:
    surface, normal = material.get("pbrMetallicRoughness", {}), material.get("normalTexture")
    if GLOSS in material.get("extensions", {}):
        raise refusal(glb.name, {GLOSS})
    if normal is not None and normal.get("scale", 1.0) != 1.0:
        raise ValueError("a normal map that is scaled is not ours")
    relief = None if normal is None else _picture(glb, normal)
    albedo = _albedo(glb, surface, material.get("alphaMode", "OPAQUE") != "OPAQUE")
    return Textures(albedo, _gloss(glb, surface), relief, _specular(glb, _shine(material)))


def _albedo(glb: Glb, surface: Mapping, alpha: bool) -> np.ndarray:
    """[S, S, 3 or 4] uint8 sRGB: the picture times the factor, which is linear."""
    factor = np.array(surface.get("baseColorFactor", (1, 1, 1, 1)), np.float32)[: 4 if alpha else 3]
    texture = surface.get("baseColorTexture")
    picture = _picture(glb, texture, alpha) if texture else np.full((1, 1, len(factor)), 255, np.uint8)
    if (factor == 1).all():
        return picture
    share = torch.from_numpy(picture.astype(np.float32) / 255)
    share[..., :3] = srgb_from_linear(linear_from_srgb(share[..., :3]) * torch.from_numpy(factor[:3]))
    share[..., 3:] *= torch.from_numpy(factor[3:])
    return (share.numpy() * 255 + 0.5).astype(np.uint8)


def _gloss(glb: Glb, surface: Mapping) -> np.ndarray:
    """[S, S, 3] uint8: 255, roughness, metallic."""
    texture = surface.get("metallicRoughnessTexture")
    picture = _picture(glb, texture) if texture else np.full((1, 1, 3), 255, np.uint8)
    factors = [1.0, surface.get("roughnessFactor", 1.0), surface.get("metallicFactor", 1.0)]
    return (picture * np.array(factors) + 0.5).astype(np.uint8)


def _specular(glb: Glb, shine: Mapping) -> np.ndarray | None:
    """[S, S] uint8 linear: the share of the reflectance of plastics, whatever its tint; None where nothing is said."""
    if not shine:
        return None
    texture = shine.get("specularColorTexture")
    picture = _picture(glb, texture) if texture else np.full((1, 1, 3), 255, np.uint8)
    share = linear_from_srgb(torch.from_numpy(picture.astype(np.float32) / 255)).numpy()
    share = share * np.array(shine.get("specularColorFactor", (1, 1, 1)), np.float32) * shine.get("specularFactor", 1.0)
    return (share.mean(-1).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _picture(glb: Glb, texture: Mapping, alpha: bool = False) -> np.ndarray:
    image = glb.image(texture)
    if "bufferView" not in image:
        raise ValueError("a head has its pictures inside")
    return read_image(bytes(glb.view(image["bufferView"])), alpha)
