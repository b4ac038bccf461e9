"""The skin's colour from photos: each without its light, blended, and completed where no photo shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from idto3d.evidence.completion import (
    DARKEST,
    Symmetry,
    filled,
    grain,
    mirrored_places,
    patches,
    plain_grain,
    read_texture,
    single_uvs,
    vertex_means,
)
from idto3d.evidence.light import fit_light, light_left, unlit
from idto3d.evidence.projection import Look, ramp
from idto3d.evidence.tone import likely_skin
from idto3d.head.paint.atlas import Texels
from idto3d.head.paint.clouds import Ground, ground_of
from idto3d.head.paint.hollows import hidden_share
from idto3d.head.template import MOUTH_SOCKET

LIT_FROM = 0.3  # share from which a texel tells of the light
SURE = 0.6  # and of the skin's colour
CREASED_LESS = 0.8  # of its worth a photo loses where its expression folds the skin
SEEN, UNSEEN = 0.35, 0.02  # shares from which a texel is as the photo has it, and below which it is made up
MIRROR_SEEN, MIRROR_UNSEEN = 0.5, 0.1
FIRM = 4.0  # how much more a photo counts than a neighbouring vertex
LINES_TAKEN = 0.7  # of fine lines where an expression creases the skin
LIPS_KEPT = 0.35  # of what differs from the redder half of the lips: those of a smile are shown thinner than they are
LIPS_WET = 0.15  # of their shelter in which lips shine in spite of it
SHADE = 0.65  # of the shade below brows and jaw that is theirs, or paint
SHADED = 0.25  # logarithm by which skin there is darker than usual where it counts as in the shade
TINT_KEPT = 0.6  # of slow changes in tint
GRAIN_OF_WORDS = 0.6  # of the usual grain
LEAST_SEEN = 200  # texels; a photo that shows less of the skin says nothing of its colour


@dataclass(frozen=True, eq=False)
class SkinMap:
    """What the skin's texture is laid on: texels, faces [F, 3] and uvs [F, 3, 2] of the skin, and its symmetry.

    positions: [V, 3] metres of a head of usual shape. plain: [V] 0..1, where skin has no brows, lips and lashes.
    lips, shaded: [V] 0..1, where lips are, and what lies in the shade of brows and jaw; None where nobody knows.
    """

    texels: Texels
    faces: np.ndarray
    uvs: np.ndarray
    symmetry: Symmetry
    positions: np.ndarray
    plain: np.ndarray
    lips: np.ndarray | None = None
    shaded: np.ndarray | None = None

    @property
    def vertices(self) -> int:
        """How many vertices the skin has."""
        return len(self.symmetry.partner)

    @cached_property
    def ground(self) -> Ground:
        """Where its texels lie on the mean head."""
        return ground_of(self.texels, self.faces, self.uvs, self.positions)

    @cached_property
    def hidden(self) -> np.ndarray:
        """[V] 0..1 how much of the sky the head hides from its skin."""
        return hidden_share(self.positions, self.faces)

    @property
    def dry(self) -> np.ndarray:
        """[V] the same of what does not shine there; lips and the inside of the mouth are wet, and open."""
        wet = np.arange(self.vertices) >= MOUTH_SOCKET.start
        return self.hidden * (1 - wet) * (1 - (0 if self.lips is None else LIPS_WET * self.lips))


@dataclass(frozen=True, eq=False)
class SkinColour:
    """Linear albedo [N, 3] at the texels, and how far photos vouch for it [N], 0..1.

    depth [N]: millimetres that skin lies deeper where pores and lines were painted; None where none were.
    hairs [N]: how far brows and stubble, which do not shine as skin does, hide it, 0..1; None of skin without.
    """

    albedo: np.ndarray
    known: np.ndarray
    depth: np.ndarray | None = None
    hairs: np.ndarray | None = None


def skin_from(looks: Sequence[Look], usual: np.ndarray, skin: SkinMap, melanin: float | None, seed: int) -> SkinColour:
    """The whole skin as `looks` of it say, each of which shows LEAST_SEEN texels or more.

    usual: linear albedo [V, 3] of such a person's skin, which fills what nothing tells of. melanin: what words say of
    the skin's, 0..1.
    """
    logs = _in_one_tone([_unlit(one, usual, skin) for one in looks], looks, skin, melanin)
    worths = np.stack([one.share * (1 - CREASED_LESS * one.creased) for one in looks])
    share = np.max([one.share for one in looks], 0)
    shown, say = vertex_means(skin.texels, _blend(logs, worths), share, skin.vertices)
    expected = np.log(np.maximum(_matched(usual, shown, say), DARKEST))
    means = _about_eyes_and_mouth(shown, say, expected, skin)
    logs = [one + skin.texels.read(means - shown) for one in logs]
    off = np.concatenate([means, _own_tint(means, expected)], 1) - np.tile(expected, 2)  # what is usual goes on below
    off = filled(off, FIRM * say, np.zeros_like(off), skin.faces, skin.symmetry)
    smooth = skin.texels.read(off + np.tile(expected, 2))
    fine = _best(logs, means, worths, [one.density for one in looks], skin)
    detail = _less_of_paint(np.where(share[:, None] > 0, fine - smooth[:, :3], 0.0), skin)
    return SkinColour(np.exp(smooth[:, 3:] + _detail(detail, share, skin, seed)), ramp(share, UNSEEN, SEEN))


def _in_one_tone(logs, looks: Sequence[Look], skin: SkinMap, melanin: float | None) -> list[np.ndarray]:
    """Logarithms [N, 3] of each photo's albedo with the median of the person's likely skin."""
    plain = skin.texels.read(skin.plain[:, None])[:, 0]
    medians = []
    for one, look in zip(logs, looks, strict=True):
        worth = look.share * plain * (1 - look.grown)
        worth = worth if (worth > LIT_FROM).any() else look.share  # what shows is beard, lips or brows alone
        medians.append(np.median(one[worth >= min(SURE, np.quantile(worth[worth > LIT_FROM], 0.5))], 0))
    likely = np.log(likely_skin([np.exp(one) for one in medians], melanin))
    return [one + likely - own for one, own in zip(logs, medians, strict=True)]


def _best(logs, means: np.ndarray, worths: np.ndarray, densities: Sequence[np.ndarray], skin: SkinMap) -> np.ndarray:
    """[N, 3] at each texel the logarithms of the photo that shows its surroundings best, on the slow `means` of all.

    Photos that lie a pixel off each other would blur one another's pores, if they were averaged.
    """
    around, moved = [], []
    for one, worth, density in zip(logs, worths, densities, strict=True):
        own, say = vertex_means(skin.texels, one, worth, skin.vertices)
        off = np.where(say[:, None] > 0, own - means, 0.0)
        moved.append(one - skin.texels.read(off))
        sharp, _ = vertex_means(skin.texels, (worth * density)[:, None], np.ones(len(worth)), skin.vertices)
        around.append(np.where(worth > 0, skin.texels.read(sharp)[:, 0], -1.0))
    return np.take_along_axis(np.stack(moved), np.argmax(around, 0)[None, :, None], 0)[0]


def _about_eyes_and_mouth(means: np.ndarray, say: np.ndarray, expected: np.ndarray, skin: SkinMap) -> np.ndarray:
    """Logarithms `means` [V, 3] with less shade below brows and jaw, and lips of one colour, the person's own."""
    if skin.lips is None or skin.shaded is None:
        return means
    off = means - expected
    dark = ramp(-off.mean(1), 0.0, SHADED)
    means = means - SHADE * (skin.shaded * dark)[:, None] * off
    seen = (skin.lips > 0.9) & (say > SURE)
    if not seen.any():
        return means
    redness = off[:, 0] - off[:, 1]
    own = off[seen & (redness >= np.median(redness[seen]))].mean(0)
    return means - (1 - LIPS_KEPT) * skin.lips[:, None] * (off - own)


def _less_of_paint(detail: np.ndarray, skin: SkinMap) -> np.ndarray:
    """Fine `detail` [N, 3] without the colour of what lies beside the lips on them, and with less of lids' paint."""
    if skin.lips is None or skin.shaded is None:
        return detail
    lips, shaded = skin.texels.read(np.stack([skin.lips, skin.shaded], 1)).T[..., None]
    detail = detail + (1 - LIPS_KEPT) * lips * (detail.mean(1, keepdims=True) - detail)
    return detail * (1 - SHADE * shaded)


def _own_tint(means: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Logarithms `means` [V, 3] with less of the tint in which they differ from those `expected` of such skin.

    What changes slowly over a face in tint, but not from cheeks to lips, is mostly light thrown back by surroundings.
    """
    off = means - expected
    shade = off.mean(1, keepdims=True)
    return expected + shade + TINT_KEPT * (off - shade)


def skin_of_words(usual: np.ndarray, skin: SkinMap, seed: int, shades: np.ndarray | float = 0.0) -> SkinColour:
    """The skin that no photo shows: the `usual` linear albedo [V, 3], with grain, and `shades` [N, 3] of its logarithm.

    These are what pores and lines take from its light; they are most of the fine detail.
    """
    grain_of_words = GRAIN_OF_WORDS * plain_grain(skin.ground, seed) + patches(skin.ground, seed)
    albedo = skin.texels.read(usual) * np.exp(grain_of_words + shades)
    return SkinColour(albedo, np.zeros(len(albedo)))


def _unlit(look: Look, usual: np.ndarray, skin: SkinMap) -> np.ndarray:
    """Logarithm of the albedo [N, 3] of what a photo shows, but for exposure and white balance."""
    lit, shown = look.share > LIT_FROM, look.share > 0
    albedo = np.zeros_like(look.colours)
    light = fit_light(look.normals[lit], look.colours[lit], look.share[lit])
    albedo[shown] = unlit(light, look.normals[shown], look.colours[shown])
    return _evened(np.log(np.maximum(albedo, DARKEST)), look, usual, skin)


def _evened(logs: np.ndarray, look: Look, usual: np.ndarray, skin: SkinMap) -> np.ndarray:
    """Logarithms [N, 3] of a photo's colours without what shadows, shine and creases leave in them."""
    means, say = vertex_means(skin.texels, logs, look.share, skin.vertices)
    about, _ = vertex_means(skin.texels, np.stack([look.creased, look.grown], 1), np.ones(len(logs)), skin.vertices)
    off = means - np.log(np.maximum(_matched(usual, means, say), DARKEST))
    plain = say * skin.plain * (1 - about[:, 1])
    left = light_left(off, plain, about[:, 0], skin.positions, skin.faces)
    logs, means = logs - skin.texels.read(left), means - left
    fine = logs - skin.texels.read(means)  # dark where skin folds, and bright and reddish beside
    return logs - LINES_TAKEN * look.creased[:, None] * (1 - look.grown[:, None]) * fine


def _blend(values: Sequence[np.ndarray], shares: np.ndarray) -> np.ndarray:
    """Mean [N, C] of each photo's `values` [N, C] by its `shares` [P, N]."""
    say = shares / np.maximum(shares.sum(0), 1e-12)
    return sum(one * own[:, None] for one, own in zip(values, say, strict=True))


def _matched(usual: np.ndarray, means: np.ndarray, say: np.ndarray) -> np.ndarray:
    """`usual` [V, 3] in the tint of the skin that is seen: the median of both, where it is, brought together."""
    sure = say > SURE
    if not sure.any():
        return usual
    return usual * np.exp(np.median(means[sure], 0) - np.median(np.log(np.maximum(usual[sure], DARKEST)), 0))


def _detail(detail: np.ndarray, share: np.ndarray, skin: SkinMap, seed: int) -> np.ndarray:
    """[N, 3] fine detail everywhere: the photo's, else its mirror image, else grain like it."""
    texels, size = skin.texels, len(skin.texels.covered)
    picture = np.zeros((size, size, 4))
    picture[texels.covered] = np.concatenate([detail, share[:, None]], 1)
    places, told = mirrored_places(texels, single_uvs(skin.faces, skin.uvs, skin.vertices), skin.symmetry)
    mirrored = read_texture(picture, places)
    own = ramp(share, UNSEEN, SEEN)[:, None]
    other = (1 - own) * (told * ramp(mirrored[:, 3], MIRROR_UNSEEN, MIRROR_SEEN))[:, None]
    made = grain(detail, share, skin.ground, seed) + patches(skin.ground, seed)
    return own * detail + other * mirrored[:, :3] + (1 - own - other) * made
