"""The skin that words describe: tone, lips, cheeks, brows and stubble over the template. Linear albedo."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.head.colours import USUAL_REDNESS
from idto3d.head.features.face_masks import skin_masks
from idto3d.head.paint.atlas import Texels
from idto3d.head.paint.mouth_textures import GUMS, socket_light
from idto3d.head.skin import skin_colour
from idto3d.head.template import EYE_SOCKETS, MOUTH_SOCKET
from idto3d.words.traits import ANCESTRY_SKINS, BEARDS, FACIAL_HAIR, SHAVEN, SKIN_TONES, natural_colour

USUAL_MELANIN = 0.3  # of skin of which nothing is said
BROWN = (0.060, 0.036, 0.020)  # brows of which nothing is said
BROW_HALF_M, BROW_SOFT_M = 0.0038, 0.0030  # half the height of a brow in its middle, and over how much it thins out
STROKES, STROKE_TEXELS = 0.55, (1.1, 3.2)  # how far strokes thin a brow out; across and along, of 1024 texels
SEEN = 0.15  # share of the usual brows from which on a photo shows them
BROW, BEARD = 0.8, 0.75  # how far hair hides the skin
RIMS = (0.42, 0.20, 0.16)  # linear, of the lids' inner edges and the sockets
PLACES = {"moustache": "moustache", "goatee": "goatee"}  # masks of beards that have their own


@dataclass(frozen=True, eq=False)
class Blemishes:
    """Where hair of the face lies: brow [N] and beard [N] 0..1, at texels, and their linear colour [3]."""

    brow: np.ndarray
    beard: np.ndarray
    colour: np.ndarray


def usual_skin(mean: np.ndarray, traits: Mapping[str, str]) -> np.ndarray:
    """[V, 3] linear albedo of bare skin with `traits` at the vertices of the mean head's skin, `mean` [V, 3] metres."""
    masks = skin_masks(mean)
    tone = SKIN_TONES.get(skin_word(traits))
    melanin = USUAL_MELANIN if tone is None else sum(tone.melanin) / 2
    redness = USUAL_REDNESS * 0.8 + 0.35 * masks["cheeks"] + 0.5 * masks["flush"] + 1.3 * masks["lips"]
    pigment = melanin * (1 - 0.25 * masks["lips"]) + 0.06 * masks["lips"] + 0.05 * masks["lids"]
    albedo = skin_colour(pigment, redness).astype(np.float64)
    if len(mean) > MOUTH_SOCKET.start:
        albedo[MOUTH_SOCKET] = np.array(GUMS) * socket_light(mean[MOUTH_SOCKET])[:, None]
        albedo[EYE_SOCKETS] = RIMS
    return albedo


def skin_word(traits: Mapping[str, str]) -> str:
    """The word for the skin's tone: as it is said, or the likeliest of the ancestry that is; "" where neither is."""
    likely = ANCESTRY_SKINS.get(traits.get("ancestry", ""))
    return traits.get("skin", "") or (max(likely.skins, key=likely.skins.get) if likely else "")


def facial_hair(mean: np.ndarray, traits: Mapping[str, str], texels: Texels, seed: int) -> Blemishes:
    """Brows and beard that `traits` say, in strokes, at the texels of the skin."""
    masks = skin_masks(mean)
    natural = natural_colour(traits.get("hair_colour", ""))
    strokes = _strokes(texels, seed)
    beard = FACIAL_HAIR[traits.get("beard") or SHAVEN]
    kind = PLACES.get(beard.name, "beard")
    grown = _at(texels, masks[kind]) * beard.cover if beard.name in BEARDS and beard.cover else np.zeros(len(strokes))
    colour = np.array(BROWN if natural is None else natural.rgb, np.float64)
    return Blemishes(BROW * _brows(masks, texels) * strokes, BEARD * grown * strokes, 0.75 * colour)


def unseen_hair(hair: Blemishes, known: np.ndarray) -> Blemishes:
    """The face's hair without what photos show anyway: brows of which they know [N] a part, 0..1, are all in them."""
    seen = float((hair.brow * known).sum()) > SEEN * max(float(hair.brow.sum()), 1e-6)
    return replace(hair, brow=np.zeros_like(hair.brow)) if seen else hair


def grown_over(albedo: np.ndarray, hair: Blemishes, share: np.ndarray) -> np.ndarray:
    """`albedo` [N, 3] with the face's hair over it, each texel by `share` [N]."""
    cover = (np.maximum(hair.brow, hair.beard) * share)[:, None]
    return albedo * (1 - cover) + hair.colour * cover


def _brows(masks: Mapping[str, np.ndarray], texels: Texels) -> np.ndarray:
    gap, along = _at(texels, masks["brow_gap"]), np.clip(_at(texels, masks["brow_along"]), -1, 1)
    half = BROW_HALF_M * (1 - 0.45 * np.clip(along, 0, 1)) * (1 - 0.2 * np.clip(-along - 0.6, 0, 1))
    return np.clip((half + BROW_SOFT_M / 2 - gap) / BROW_SOFT_M, 0, 1)


def _strokes(texels: Texels, seed: int) -> np.ndarray:
    """[N] 1 - STROKES..1, darker and lighter strokes across the texture."""
    size = texels.covered.shape
    across, along = (side * size[0] / 1024 for side in STROKE_TEXELS)
    noise = np.random.default_rng([seed, 5]).standard_normal(size)
    band = gaussian_filter(noise, (along, across)) - gaussian_filter(noise, (2 * along, 3 * across))
    lifted = np.clip(0.5 + 0.5 * band / (2 * band.std()), 0, 1)
    return 1 - STROKES + STROKES * lifted[texels.covered]


def _at(texels: Texels, mask: np.ndarray) -> np.ndarray:
    return texels.read(mask[:, None].astype(np.float64))[:, 0]
