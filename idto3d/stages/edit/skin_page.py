"""The skin's texture in the hands of an edit: read as linear albedo, made bare, and put back where it has changed."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch

from idto3d.evidence.completion import DARKEST, filled, grain, patches, vertex_means
from idto3d.evidence.projection import ramp
from idto3d.evidence.relief import relief_map
from idto3d.evidence.skin import SkinMap
from idto3d.head.hair.beard.part import BeardPart
from idto3d.head.hair.part import HairPart
from idto3d.head.paint.atlas import Texels
from idto3d.head.template_model import Template
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.render.draw import to_uint8
from idto3d.stages.dressing import skin_roughness
from idto3d.stages.edit.work import Work
from idto3d.stages.fit import skin_map

SKIN = "skin"
LEAST = 1 / 512  # share of a change under which a texel stays, byte for byte
SURE, HIDDEN = (
    0.02,
    0.2,
)  # shares of what is hidden up to which skin tells of what lies there, and from which it is made up
FACE_Z = 0.05  # depth on the mean head from which skin is the face's, metres
ROUGHENED = 0.1  # share from which skin is as rough as under hair, which is a step and no mixture
SMOOTHED = 0.35  # share from which the relief of what was there goes with it


@dataclass(frozen=True, eq=False)
class SkinPage:
    """The texture that the skin wears: what it is laid on, and its linear albedo [N, 3] at the texels."""

    map: SkinMap
    albedo: np.ndarray


def skin_page(work: Work) -> SkinPage:
    """The skin's texture as it is now."""
    image = work.head.painted[SKIN].albedo
    own = skin_map_of(work.template, len(image))
    pixels = image[own.texels.covered][:, :3]
    return SkinPage(own, linear_from_srgb(torch.from_numpy(pixels).float() / 255).double().numpy())


@lru_cache(maxsize=2)
def skin_map_of(template: Template, size: int) -> SkinMap:
    """What a skin texture of `size` pixels is laid on: it takes a second, and edits follow each other."""
    return skin_map(template, size)


def with_skin(work: Work, page: SkinPage, albedo: np.ndarray, share: np.ndarray) -> Work:
    """The work whose skin is `albedo` [N, 3] as far as `share` [N] 0..1 says and the edit is allowed to.

    Texels of which it says nothing stay as they are, byte for byte.
    """
    texels, before = page.map.texels, work.head.painted[SKIN]
    allowed = work.allowed.texels.get(SKIN)
    share = share if allowed is None else share * allowed[texels.covered]
    mixed = page.albedo + share[:, None] * (albedo - page.albedo)
    changed = _shown(share > LEAST, texels, allowed)
    image = texels.spread(to_uint8(srgb_from_linear(torch.from_numpy(mixed).float())))
    worn = replace(before, albedo=np.where(changed[..., None], image, before.albedo))
    if before.normal is not None and _read_from_tone(work):
        smoothed = _shown(share > SMOOTHED, texels, allowed)
        worn = replace(worn, normal=np.where(smoothed[..., None], relief_map(mixed, texels), before.normal))
    return replace(work, head=replace(work.head, painted={**work.head.painted, SKIN: worn}))


def _read_from_tone(work: Work) -> bool:
    """Whether the skin's relief was read from its colour. That of heads of words is painted, and no beard's.

    Of heads of before, whose options are off (see config.run_options), that of words was read, too.
    """
    options = work.head.options
    return bool(work.head.photos) or not (options.carving.relief or options.material.translate)


def roughened(work: Work, page: SkinPage, grown: HairPart | BeardPart | None, share: np.ndarray) -> Work:
    """The work whose skin is as rough as skin under what has `grown`, where hair was or is: share [N] 0..1."""
    texels, before = page.map.texels, work.head.painted[SKIN]
    rough = skin_roughness(work.template, () if grown is None else (grown,))
    image = to_uint8(torch.from_numpy(texels.spread(texels.read(rough[:, None]))[..., 0]))
    changed = _shown(share > ROUGHENED, texels, work.allowed.texels.get(SKIN))
    worn = replace(before, roughness=np.where(changed, image, before.roughness))
    return replace(work, head=replace(work.head, painted={**work.head.painted, SKIN: worn}))


def _shown(changed: np.ndarray, texels: Texels, allowed: np.ndarray | None) -> np.ndarray:
    """[S, S] bool: the texels that show one of the `changed` [N], where they may."""
    page = texels.spread(changed[:, None])[..., 0]
    return page if allowed is None else page & (allowed > 0)


def bared(page: SkinPage, hidden: np.ndarray, seed: int) -> np.ndarray:
    """[N, 3] linear albedo of the skin without what hides it: hidden [V] 0..1 says how far that does.

    Its tone is filled in from the skin around, in the person's own where none is near, and its grain is that of the
    skin that is seen.
    """
    skin, texels = page.map, page.map.texels
    logs = np.log(np.maximum(page.albedo, DARKEST))
    cover = texels.read(hidden[:, None].astype(np.float64))[:, 0]
    seen = (cover <= SURE) * texels.read(skin.plain[:, None])[:, 0]
    means, say = vertex_means(texels, logs, seen, skin.vertices)
    usual = np.broadcast_to(own_tone(page, seen), means.shape)
    tone = texels.read(filled(means, say, usual, skin.faces, skin.symmetry))
    made = tone + grain(logs - tone, seen, skin.ground, seed) + patches(skin.ground, seed)
    share = ramp(cover, SURE, HIDDEN)[:, None]
    return page.albedo * (1 - share) + np.exp(made) * share


def own_tone(page: SkinPage, seen: np.ndarray) -> np.ndarray:
    """[3] the logarithm of the person's usual skin: the median of the plain skin of the face that is `seen` [N]."""
    skin = page.map
    sure = seen * skin.texels.read((skin.plain * (skin.positions[:, 2] > FACE_Z))[:, None])[:, 0] > 0.8
    albedo = page.albedo[sure if sure.any() else slice(None)]
    return np.log(np.maximum(np.median(albedo, 0), DARKEST))
