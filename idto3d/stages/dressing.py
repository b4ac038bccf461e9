"""What the parts of a template head wear: textures by material, for drawing while the head is made and for the file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from idto3d.evidence.light import brightness
from idto3d.evidence.projection import Look
from idto3d.evidence.relief import relief_map
from idto3d.evidence.skin import LIT_FROM, SkinColour, SkinMap
from idto3d.head.colours import skin_tone
from idto3d.head.features.regions import regions_of
from idto3d.head.hair.part import HairPart
from idto3d.head.paint.eye_texture import eye_texture
from idto3d.head.paint.lash_texture import lash_texture
from idto3d.head.paint.mouth_textures import mouth_texture, teeth_texture
from idto3d.head.parts import Head, Part
from idto3d.head.start import Start
from idto3d.head.template_model import Template
from idto3d.render.backends import kernel
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.render.draw import to_uint8
from idto3d.render.dressed import Dressed
from idto3d.render.painted import PaintedMaterial

USUAL_TONE = 0.30
PHOTO_TONE = (0.10, 0.45)  # least and greatest luminance of skin
SKIN_ROUGHNESS = 0.52
SHEEN = {"lips": -0.16, "nose": -0.08, "flush": -0.03, "cheeks": 0.02, "scalp": 0.08, "neck": 0.06, "mouth": -0.2}
EYE_ROUGHNESS, TEETH_ROUGHNESS, MOUTH_ROUGHNESS, LASH_ROUGHNESS = 0.12, 0.3, 0.35, 0.6


def tone_of(start: Start, looks: list[Look]) -> float:
    """The luminance, linear, that the median skin shall have: that of its tone in words, else halfway to the photos'.

    How bright a photo is says as much of the camera as of the skin.
    """
    if (tone := skin_tone(start.words())) is not None:
        return float(brightness(np.array(tone)))
    seen = [brightness(one.colours[one.share > LIT_FROM]) for one in looks]
    return float(np.sqrt(USUAL_TONE * np.clip(np.median(np.concatenate(seen)), *PHOTO_TONE)))


@dataclass(frozen=True, eq=False)
class Worn:
    """What parts of one material wear: map [S, S, 5], see `render.dressed`; opacity [S, S] and normal [S, S, 3] uint8.

    opacity is None where all is opaque, normal where there is no relief.
    """

    map: Tensor
    opacity: np.ndarray | None = None
    normal: np.ndarray | None = None


def worn_textures(
    template: Template, skin: SkinMap, colour: SkinColour, hair: HairPart | None, iris: tuple[float, float, float]
) -> dict[str, Worn]:
    """The textures of all parts by material, before the guidance has painted; `iris` is linear RGB."""
    lashes = torch.from_numpy(lash_texture(template))
    wear = {
        "skin": skin_worn(template, skin, colour),
        "eyes": _certain(eye_texture(template, iris), EYE_ROUGHNESS),
        "teeth": _certain(teeth_texture(template), TEETH_ROUGHNESS),
        "mouth": _certain(mouth_texture(template), MOUTH_ROUGHNESS),
        "lashes": replace(_certain(lashes[..., :3].numpy(), LASH_ROUGHNESS), opacity=to_uint8(lashes[..., 3])),
    }
    return wear if hair is None else wear | {hair.part.material: _hair_worn(hair)}


def skin_worn(template: Template, skin: SkinMap, colour: SkinColour) -> Worn:
    """The skin's texture of linear albedo, roughness by region and certainty at its texels."""
    rough = skin.texels.read(_roughness(template)[:, None])
    values = np.concatenate([colour.albedo, rough, colour.known[:, None]], 1)
    return Worn(torch.from_numpy(skin.texels.spread(values)).float(), normal=relief_map(colour.albedo, skin.texels))


def _roughness(template: Template) -> np.ndarray:
    """[V] of the skin: lips and the middle of the face shine, the scalp and the neck do not."""
    masks, own = regions_of(template), template.part("skin").vertices
    rough = np.full(own.stop - own.start, SKIN_ROUGHNESS)
    for name, change in SHEEN.items():
        rough += change * getattr(masks, name)[own].cpu().numpy()
    return np.clip(rough, 0.25, 0.75)


def _certain(albedo: np.ndarray, roughness: float) -> Worn:
    rest = torch.tensor([roughness, 1.0]).expand(*albedo.shape[:2], 2)
    return Worn(torch.cat([torch.from_numpy(albedo).float(), rest], -1))


def _hair_worn(hair: HairPart) -> Worn:
    albedo = linear_from_srgb(torch.from_numpy(hair.albedo[..., :3]).float() / 255)
    rest = torch.tensor([hair.roughness, 1.0]).expand(*albedo.shape[:2], 2)
    return Worn(torch.cat([albedo, rest], -1), np.ascontiguousarray(hair.albedo[..., 3]), hair.normal)


def dressed_head(head: Head, wear: Mapping[str, Worn], device: torch.device) -> Dressed:
    """All parts of a head in what their materials wear."""
    names = list(wear)
    worn = [torch.full((len(part.faces),), names.index(part.material)) for part in head.parts]
    uvs = torch.cat([part.uvs for part in head.parts])
    return Dressed(uvs.to(device), torch.cat(worn).to(device), tuple(one.map.to(device) for one in wear.values()))


def holes_of(head: Head, wear: Mapping[str, Worn]) -> kernel.Holes:
    """Where the parts of a head let through what lies behind them; a pixel's four quarters decide each for itself."""
    pages = [(name, one.opacity) for name, one in wear.items() if one.opacity is not None]
    numbers = {name: number for number, (name, _) in enumerate(pages)}
    page = np.concatenate([np.full(len(part.faces), numbers.get(part.material, -1)) for part in head.parts])
    uvs = np.concatenate([_vertex_uvs(part) for part in head.parts])
    return kernel.holes_of(uvs, page, [opacity for _, opacity in pages], kernel.QUARTERS)


def _vertex_uvs(part: Part) -> np.ndarray:
    """[V, 2] float32 texture coordinates of a part's vertices; of one on a seam, those of one side."""
    uvs = np.zeros((len(part.vertices), 2), np.float32)
    uvs[part.faces.reshape(-1).cpu().numpy()] = part.uvs.reshape(-1, 2).cpu().numpy()
    return uvs


def painted(wear: Mapping[str, Worn]) -> dict[str, PaintedMaterial]:
    """The finished textures as they are saved and written."""
    return {name: _painted(one) for name, one in wear.items()}


def _painted(worn: Worn) -> PaintedMaterial:
    albedo = to_uint8(srgb_from_linear(worn.map[..., :3]))
    if worn.opacity is not None:
        albedo = np.concatenate([albedo, worn.opacity[..., None]], -1)
    return PaintedMaterial(albedo, to_uint8(worn.map[..., 3]), worn.normal)


def repainted(wear: Mapping[str, Worn], skin: SkinMap, albedo: np.ndarray) -> dict[str, Worn]:
    """The same textures with the linear `albedo` [N, 3] at the texels of the skin."""
    image = wear["skin"].map.clone()
    image[..., :3] = torch.from_numpy(skin.texels.spread(albedo)).to(image)
    return dict(wear) | {"skin": replace(wear["skin"], map=image)}
