"""What the parts of a template head wear: textures by material, for drawing while the head is made and for the file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from idto3d.evidence.relief import raised, relief_map
from idto3d.evidence.skin import SkinColour, SkinMap
from idto3d.head.features.regions import regions_of
from idto3d.head.hair.beard.part import BeardPart
from idto3d.head.hair.part import HairPart
from idto3d.head.paint.age import Aged
from idto3d.head.paint.eye_texture import eye_roughness, eye_texture
from idto3d.head.paint.hollows import dulled
from idto3d.head.paint.lash_texture import lash_texture
from idto3d.head.paint.mouth_textures import mouth_texture, teeth_texture
from idto3d.head.paint.pores import widths
from idto3d.head.parts import Head, Part
from idto3d.head.start import WORDS, Start
from idto3d.head.template_model import Template
from idto3d.render.backends import kernel
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.render.draw import to_uint8
from idto3d.render.dressed import Dressed
from idto3d.render.painted import PaintedMaterial
from idto3d.words.traits import SKIN_TONES

SKIN_ROUGHNESS = 0.52
SHEEN = {"lips": -0.15, "nose": -0.10, "lids": -0.06, "cheeks": 0.05, "scalp": 0.06, "neck": 0.08}
WET = {"mouth": 0.28, "sockets": 0.22}  # roughness of what saliva and tears cover
FOREHEAD, FOREHEAD_M = -0.09, ((0.0, 0.066), (0.035, 0.020))  # its sheen, its middle and its extent (x, y), metres
HAIR_ROUGHNESS, HAIR_SPECULAR = 0.88, 0.25  # of brows and stubble: light is lost among hairs
TEETH_ROUGHNESS, MOUTH_ROUGHNESS, LASH_ROUGHNESS = 0.3, 0.35, 0.6


def melanin_of(start: Start) -> float | None:
    """Of the skin that words ask for, 0..1; None where they ask for none: a guess at a photo knows no more than it."""
    said = start.traits.get("skin")
    return sum(SKIN_TONES[said.word].melanin) / 2 if said is not None and said.source == WORDS else None


@dataclass(frozen=True, eq=False)
class Worn:
    """What parts of one material wear: map [S, S, 5], see `render.dressed`; opacity [S, S] and normal [S, S, 3] uint8.

    opacity is None where all is opaque, normal where there is no relief. specular and known: see `PaintedMaterial`.
    """

    map: Tensor
    opacity: np.ndarray | None = None
    normal: np.ndarray | None = None
    specular: np.ndarray | None = None
    known: np.ndarray | None = None


def worn_textures(
    template: Template,
    skin: SkinMap,
    colour: SkinColour,
    grown: Sequence[HairPart | BeardPart],
    iris: tuple[float, float, float],
    years: Aged | None = None,
) -> dict[str, Worn]:
    """The textures of all parts by material, before the guidance has painted.

    grown: the hair that the head has; iris: linear RGB; years: what they have left on the skin.
    """
    lashes = torch.from_numpy(lash_texture(template))
    wear = {
        "skin": skin_worn(template, skin, colour, years, grown),
        "eyes": _certain(eye_texture(template, iris), eye_roughness(template)),
        "teeth": _certain(teeth_texture(template), TEETH_ROUGHNESS),
        "mouth": _certain(mouth_texture(template), MOUTH_ROUGHNESS),
        "lashes": replace(_certain(lashes[..., :3].numpy(), LASH_ROUGHNESS), opacity=to_uint8(lashes[..., 3])),
    }
    return wear | {hair.part.material: hair_worn(hair) for hair in grown}


def skin_worn(
    template: Template,
    skin: SkinMap,
    colour: SkinColour,
    years: Aged | None = None,
    grown: Sequence[HairPart | BeardPart] = (),
) -> Worn:
    """The skin's texture of linear albedo, roughness by region and certainty; what has `grown` makes it rough."""
    bare = dulled(skin_roughness(template, grown), skin.dry)
    rough = haired(skin.texels.read(bare[:, None]), colour, HAIR_ROUGHNESS)
    values = np.concatenate([colour.albedo, rough, colour.known[:, None]], 1)
    return Worn(torch.from_numpy(skin.texels.spread(values)).float(), normal=_relief(template, skin, colour, years))


def haired(values: np.ndarray, colour: SkinColour, of_hair: float) -> np.ndarray:
    """`values` [N, 1] of the skin, `of_hair` where painted hair hides it."""
    return values if colour.hairs is None else values + colour.hairs[:, None] * (of_hair - values)


def _relief(template: Template, skin: SkinMap, colour: SkinColour, years: Aged | None) -> np.ndarray:
    """The skin's normal map: by brightness, or, where pores were painted, by their depth; with what years carved."""
    texels, carved = skin.texels, None if years is None else years.depth
    if colour.depth is None:
        return relief_map(colour.albedo, texels, carved)
    width = texels.read(widths(template)[:, None])[:, 0] / len(texels.covered)
    shown = relief_map(colour.albedo, texels, carved, colour.known)
    return raised(shown, texels.spread((-colour.depth / width)[:, None])[..., 0])


def skin_roughness(template: Template, grown: Sequence[HairPart | BeardPart] = ()) -> np.ndarray:
    """[V] of the skin: lips, forehead and nose shine, the scalp, the neck and what hair has `grown` over do not."""
    masks, own = regions_of(template), template.part("skin").vertices
    rough = np.full(own.stop - own.start, SKIN_ROUGHNESS)
    for name, change in SHEEN.items():
        rough += change * getattr(masks, name)[own].cpu().numpy()
    mean, (middle, extent) = template.neutral[own].cpu().double().numpy(), FOREHEAD_M
    away = ((mean[:, :2] - middle) / extent) ** 2
    rough += FOREHEAD * np.exp(-away.sum(1)) * (mean[:, 2] > 0)
    for name, wet in WET.items():
        share = getattr(masks, name)[own].cpu().numpy()
        rough += share * (wet - rough)
    rough = np.clip(rough, 0.2, 0.7)
    for one in grown:
        cover = one.scalp_cover.cpu().double().numpy()
        rough[: len(cover)] += cover * (one.roughness - rough[: len(cover)])
    return rough


def _certain(albedo: np.ndarray, roughness: float | np.ndarray) -> Worn:
    sure = np.ones(albedo.shape[:2])
    return Worn(torch.from_numpy(np.concatenate([albedo, np.stack([roughness * sure, sure], -1)], -1)).float())


def hair_worn(hair: HairPart | BeardPart) -> Worn:
    """What the cards of hair or of a beard wear."""
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
    return PaintedMaterial(albedo, to_uint8(worn.map[..., 3]), worn.normal, worn.specular, worn.known)


def worn_from(painted: Mapping[str, PaintedMaterial], open_to: Mapping[str, np.ndarray]) -> dict[str, Worn]:
    """What finished textures are to drawing; certain but for the shares [S, S], 0..1, that are `open_to` change."""
    return {name: _worn(one, open_to.get(name)) for name, one in painted.items()}


def _worn(material: PaintedMaterial, share: np.ndarray | None) -> Worn:
    albedo, opacity = material.albedo[..., :3], material.albedo[..., 3] if material.albedo.shape[-1] == 4 else None
    rough = torch.from_numpy(material.roughness).float() / 255
    certain = torch.ones_like(rough) if share is None else 1 - torch.from_numpy(share).float()
    linear = linear_from_srgb(torch.from_numpy(albedo).float() / 255)
    whole = None if opacity is None else np.ascontiguousarray(opacity)
    image = torch.cat([linear, rough[..., None], certain[..., None]], -1)
    return Worn(image, whole, material.normal, material.specular, material.known)


def repainted(wear: Mapping[str, Worn], skin: SkinMap, albedo: np.ndarray) -> dict[str, Worn]:
    """The same textures with the linear `albedo` [N, 3] at the texels of the skin."""
    image = wear["skin"].map.clone()
    image[..., :3] = torch.from_numpy(skin.texels.spread(albedo)).to(image)
    return dict(wear) | {"skin": replace(wear["skin"], map=image)}
