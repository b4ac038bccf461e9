"""The skin that words describe: tone, lips, cheeks, brows and stubble over the template. Linear albedo."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from idto3d.head.colours import USUAL_REDNESS
from idto3d.head.features.face_masks import ramp, skin_masks
from idto3d.head.hair.beard.growth import thinned
from idto3d.head.paint.atlas import Texels
from idto3d.head.paint.brows import brows
from idto3d.head.paint.complexion import complexion, lip_colours
from idto3d.head.paint.mouth_textures import GUMS, socket_light
from idto3d.head.paint.strokes import DOTS, strokes
from idto3d.head.template import EYE_SOCKETS, LANDMARKS, MOUTH_SOCKET
from idto3d.words.traits import ANCESTRY_SKINS, FACIAL_HAIR, SHAVEN, SKIN_TONES, SMALL, natural_colour

USUAL_MELANIN = 0.3  # of skin of which nothing is said
BROWN = (0.060, 0.036, 0.020)  # brows of which nothing is said
SEEN = 0.15  # share of the usual brows from which on a photo shows them
BROW, BEARD = 0.95, 0.92  # how far hair hides the skin
DARKER_BROW, DARKER_BEARD = 0.55, 0.7  # of the natural colour of the hair
LIP_BORDER_M = 0.0042  # over which the red of lips ends, metres
RIMS = (0.42, 0.20, 0.16)  # linear, of the lids' inner edges and the sockets
MOUSTACHE_Y, MOUSTACHE_X, MOUSTACHE_FALL = -0.0145, 0.006, 0.28  # metres on the mean head, slope
UNDER_CHIN_Y, UNDER_CHIN_Z = (0.064, 0.078), (0.076, 0.092)  # below the chin, and how far back there, metres
# Distances from brows, lids, lips and nostrils between which skin becomes plain, metres, and their lines by landmarks.
CLEAR_M = {"brows": (0.005, 0.010), "lids": (0.003, 0.006), "lips": (0.001, 0.003), "nostrils": (0.003, 0.006)}
OUTLINES = {
    "lids": ((36, 37, 38, 39, 40, 41, 36), (42, 43, 44, 45, 46, 47, 42)),
    "lips": ((48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 48),),
    "nostrils": ((31, 32, 33, 34, 35),),
}
CHEEKS = {"baby": 0.30, "child": 0.20}  # more redness of cheeks by age
USUAL_LIPS = 1.3
LIPS, LIPS_BY_AGE = {"female": 1.55, "male": 0.95}, {"baby": 0.95, "child": 1.0, "middle-aged": 0.95, "old": 0.88}
RAZORED = 0.20  # of a shaven beard's cover that men's skin shows
GREYS = ("grey", "white", "silver", "light grey", "dark grey")
DARKER_GREY = {"female": 0.45, "male": 0.15}  # of grey hair's brows, how far they still are dark, by gender
BESIDE_DARK = {"brown": 0.55, "dark": 0.7}  # and on dark skin, beside which they would shine
SHORTEST = next(beard.name for beard in FACIAL_HAIR.values() if beard.cover and not beard.depth_m)
PLACES = {"moustache": "moustache", "goatee": "goatee"}  # masks of beards that have their own


@dataclass(frozen=True, eq=False)
class Blemishes:
    """Where hair of the face lies: brow [N] and beard [N] 0..1, at texels, and their linear colours [3]."""

    brow: np.ndarray
    beard: np.ndarray
    brow_rgb: np.ndarray
    beard_rgb: np.ndarray


def usual_skin(mean: np.ndarray, traits: Mapping[str, str]) -> np.ndarray:
    """[V, 3] linear albedo of bare skin with `traits` at the vertices of the mean head's skin, `mean` [V, 3] metres."""
    masks, lips = skin_masks(mean), lip_share(mean)
    tone = SKIN_TONES.get(skin_word(traits))
    melanin = USUAL_MELANIN if tone is None else sum(tone.melanin) / 2
    cheeks, red = blood_of(traits)
    albedo = complexion(mean, masks, melanin, 0.8 * USUAL_REDNESS + cheeks * masks["cheeks"])
    albedo += lips[:, None] * (lip_colours(mean, lips, melanin, 0.8 * USUAL_REDNESS + red) - albedo)
    if len(mean) > MOUTH_SOCKET.start:
        albedo[MOUTH_SOCKET] = np.array(GUMS) * socket_light(mean[MOUTH_SOCKET])[:, None]
        albedo[EYE_SOCKETS] = RIMS
    return albedo


def blood_of(traits: Mapping[str, str]) -> tuple[float, float]:
    """How much redder cheeks and lips are than usual ones: lips of women more, and of children and the old less."""
    age, gender = traits.get("age", ""), traits.get("gender", "")
    lips = LIPS_BY_AGE.get(age, 1.0) * LIPS.get(gender if age not in SMALL else "", USUAL_LIPS)
    return CHEEKS.get(age, 0.0), lips - USUAL_LIPS


def lip_share(mean: np.ndarray) -> np.ndarray:
    """[V] 0..1 how far lips are red at the vertices of the mean head's skin, `mean` [V, 3] metres.

    It is read from the distance to their line, so that their border does not run from vertex to vertex.
    """
    inside, marks = skin_masks(mean)["lips"], mean[list(LANDMARKS)]
    gap, _ = cKDTree(np.concatenate([_line(marks[list(one)]) for one in OUTLINES["lips"]])).query(mean)
    share = np.clip(0.5 + np.where(inside > 0, gap, -gap) / LIP_BORDER_M, 0, 1)
    return share * (np.arange(len(mean)) < MOUTH_SOCKET.start) if len(mean) > MOUTH_SOCKET.start else share


def plain_skin(mean: np.ndarray) -> np.ndarray:
    """[V] 0..1 where the mean head's skin, `mean` [V, 3] metres, is but skin: no brows, lips, lashes and nostrils."""
    marks = mean[list(LANDMARKS)]
    plain = ramp(skin_masks(mean)["brow_gap"], *CLEAR_M["brows"]) * (1 - skin_masks(mean)["lips"])
    for name, lines in OUTLINES.items():
        gap, _ = cKDTree(np.concatenate([_line(marks[list(one)]) for one in lines])).query(mean)
        plain = plain * ramp(gap, *CLEAR_M[name])
    plain[MOUTH_SOCKET.start :] = 0
    return plain


def _line(marks: np.ndarray) -> np.ndarray:
    """Points close together on the line through `marks` [N, 3]."""
    steps = np.linspace(0, 1, 12)[:, None, None]
    return (marks[:-1] * (1 - steps) + marks[1:] * steps).reshape(-1, 3)


def skin_word(traits: Mapping[str, str]) -> str:
    """The word for the skin's tone: as it is said, or the likeliest of the ancestry that is; "" where neither is."""
    likely = ANCESTRY_SKINS.get(traits.get("ancestry", ""))
    return traits.get("skin", "") or (max(likely.skins, key=likely.skins.get) if likely else "")


def beard_place(mean: np.ndarray, word: str) -> np.ndarray:
    """[V] 0..1 where the beard of that word may grow at the vertices `mean` [V, 3] metres of the mean head's skin."""
    beard = FACIAL_HAIR.get(word, FACIAL_HAIR[SHAVEN])
    x, (y, z) = np.abs(mean[:, 0]), mean[:, 1:].T
    # Over the lip its border falls to both sides, and thins out below the nose.
    border = MOUSTACHE_Y - MOUSTACHE_FALL * np.maximum(x - MOUSTACHE_X, 0)
    over_lip = (x < 0.036) & (y > -0.040) & (z > 0.062)
    arched = np.where(over_lip, np.clip((border - y) / 0.004 + 0.5, 0, 1), 1.0)
    # A goatee ends soon behind the chin.
    under = ramp(-y, *UNDER_CHIN_Y) * (beard.name in PLACES)
    behind = 1 - under * (1 - ramp(z, *UNDER_CHIN_Z))
    return skin_masks(mean)[PLACES.get(beard.name, "beard")] * arched * behind * (beard.cover > 0)


def beard_of_words(mean: np.ndarray, word: str) -> np.ndarray:
    """[V] 0..1 how full a beard is there of which words alone tell: a full one thins out upwards on the cheeks."""
    own = FACIAL_HAIR.get(word, FACIAL_HAIR[SHAVEN]).name in PLACES
    return beard_place(mean, word) * (1.0 if own else thinned(mean))


def facial_hair(
    mean: np.ndarray, traits: Mapping[str, str], texels: Texels, seed: int, place: np.ndarray | None = None
) -> Blemishes:
    """Brows, and what a beard shows on the skin, of `traits`, at the texels of the skin.

    place [V] 0..1: where the beard grows; None: where one of its word does.
    """
    natural = natural_colour(traits.get("hair_colour", ""))
    rgb = np.array(BROWN if natural is None else natural.rgb, np.float64)
    brow, beard = BROW * brows(mean, traits, texels, seed), _beard_cover(mean, traits, texels, seed, place)
    return Blemishes(brow, beard, brow_colour(rgb, traits), DARKER_BEARD * rgb)


def _beard_cover(mean: np.ndarray, traits: Mapping[str, str], texels: Texels, seed: int, place) -> np.ndarray:
    """[N] 0..1 how far the beard of `traits` hides the skin at its texels; place: as of facial_hair."""
    word = traits.get("beard") or SHAVEN
    beard = FACIAL_HAIR.get(word, FACIAL_HAIR[SHAVEN])
    if not beard.cover:
        return np.zeros(len(texels.corners))
    grown, dots = _at(texels, beard_of_words(mean, word) if place is None else place), strokes(texels, DOTS, seed)
    # Where a beard ends, hairs stand alone; stubble is nothing else.
    cover = np.clip(2.2 * grown - 1.2 * (1 - dots), 0, 1) if beard.depth_m else grown * (0.25 + 0.75 * dots)
    return BEARD * beard.cover * cover


def brow_colour(rgb: np.ndarray, traits: Mapping[str, str]) -> np.ndarray:
    """[3] linear, of brows beside hair of the colour `rgb` [3]: beside grey they keep some of what they were."""
    if traits.get("hair_colour", "") not in GREYS:
        return DARKER_BROW * rgb
    kept = max(DARKER_GREY.get(traits.get("gender", ""), 0.0), BESIDE_DARK.get(skin_word(traits), 0.0))
    return DARKER_BROW * ((1 - kept) * rgb + kept * rgb.mean() * 0.1)


def razored(albedo: np.ndarray, mean: np.ndarray, traits: Mapping[str, str], texels: Texels, seed: int) -> np.ndarray:
    """`albedo` [N, 3] with what a razor leaves on the skin of grown-up men without a beard; the same of others."""
    if not shaves(traits):
        return albedo
    cover, rgb = shadow_of(mean, traits, texels, seed)
    return albedo * (1 - cover[:, None]) + np.minimum(rgb, albedo) * cover[:, None]


def shaves(traits: Mapping[str, str]) -> bool:
    """Whether somebody with `traits` is a grown-up man without a beard."""
    shaven = traits.get("beard", "") in ("", SHAVEN)
    return shaven and traits.get("gender") == "male" and traits.get("age", "") not in SMALL


def shadow_of(mean: np.ndarray, traits: Mapping[str, str], texels: Texels, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What a razor leaves: [N] 0..1 how far it hides the skin at its texels, and its linear colour [3]."""
    natural = natural_colour(traits.get("hair_colour", ""))
    rgb = DARKER_BEARD * np.array(BROWN if natural is None else natural.rgb, np.float64)
    return RAZORED * _beard_cover(mean, {"beard": SHORTEST}, texels, seed, None), rgb


def unseen_hair(hair: Blemishes, known: np.ndarray, asked: bool = False) -> Blemishes:
    """The face's hair where photos, which know `known` [N] 0..1, do not show what there is.

    Brows of which they know a part are all in them. asked: a beard that is asked for grows also where they show none.
    """
    seen = float((hair.brow * known).sum()) > SEEN * max(float(hair.brow.sum()), 1e-6)
    brow = np.zeros_like(hair.brow) if seen else hair.brow * (1 - known)
    return replace(hair, brow=brow, beard=hair.beard if asked else hair.beard * (1 - known))


def grown_over(albedo: np.ndarray, hair: Blemishes) -> np.ndarray:
    """`albedo` [N, 3] with the face's hair over it."""
    for cover, rgb in ((hair.beard[:, None], hair.beard_rgb), (hair.brow[:, None], hair.brow_rgb)):
        albedo = albedo * (1 - cover) + rgb * cover
    return albedo


def _at(texels: Texels, mask: np.ndarray) -> np.ndarray:
    return texels.read(mask[:, None].astype(np.float64))[:, 0]
