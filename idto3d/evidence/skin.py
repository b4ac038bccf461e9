"""The skin's colour from photos: each without its light, blended, and completed where no photo shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from idto3d.evidence.completion import (
    DARKEST,
    Symmetry,
    filled,
    grain,
    mirrored_places,
    plain_grain,
    read_texture,
    single_uvs,
    vertex_means,
)
from idto3d.evidence.light import brightness, fit_light, unlit
from idto3d.evidence.projection import Look, ramp
from idto3d.evidence.tone import tint_gains
from idto3d.head.paint.atlas import Texels

LIT_FROM = 0.3  # share from which a texel tells of the light
SURE = 0.6  # and of the skin's colour
SHARPER = 4  # power of the share by which the best photo rules the fine detail
SEEN, UNSEEN = 0.35, 0.02  # shares from which a texel is as the photo has it, and below which it is made up
MIRROR_SEEN, MIRROR_UNSEEN = 0.5, 0.1
FIRM = 4.0  # how much more a photo counts than a neighbouring vertex
TINT_KEPT = 0.6  # of slow changes in tint
LEAST_SEEN = 200  # texels; a photo that shows less of the skin says nothing of its colour


@dataclass(frozen=True, eq=False)
class SkinMap:
    """What the skin's texture is laid on: texels, faces [F, 3] and uvs [F, 3, 2] of the skin, and its symmetry."""

    texels: Texels
    faces: np.ndarray
    uvs: np.ndarray
    symmetry: Symmetry

    @property
    def vertices(self) -> int:
        """How many vertices the skin has."""
        return len(self.symmetry.partner)


@dataclass(frozen=True, eq=False)
class SkinColour:
    """Linear albedo [N, 3] at the texels, and how far photos vouch for it [N], 0..1."""

    albedo: np.ndarray
    known: np.ndarray


def skin_from(looks: Sequence[Look], usual: np.ndarray, skin: SkinMap, tone: float, seed: int) -> SkinColour:
    """The whole skin as `looks` of it say, at least one of which shows LEAST_SEEN texels.

    usual: linear albedo [V, 3] of such a person's skin, which fills what nothing tells of. tone: the luminance that the
    median skin shall have, linear.
    """
    told = [(albedo, one.share) for one in looks if (albedo := _unlit(one, tone, np.median(usual, 0))) is not None]
    shares = np.stack([share for _, share in told])
    logs = [np.log(np.maximum(albedo, DARKEST)) for albedo, _ in told]
    share = shares.max(0)
    broad = _blend(logs, shares)
    means, say = vertex_means(skin.texels, broad, share, skin.vertices)
    expected = np.log(np.maximum(_matched(usual, means, say), DARKEST))
    both = np.concatenate([means, _own_tint(means, expected)], 1)
    smooth = skin.texels.read(filled(both, FIRM * say, np.tile(expected, 2), skin.faces, skin.symmetry))
    detail = np.where(share[:, None] > 0, _blend(logs, shares**SHARPER) - smooth[:, :3], 0.0)
    return SkinColour(np.exp(smooth[:, 3:] + _detail(detail, share, skin, seed)), ramp(share, UNSEEN, SEEN))


def _own_tint(means: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Logarithms `means` [V, 3] with less of the tint in which they differ from those `expected` of such skin.

    What changes slowly over a face in tint, but not from cheeks to lips, is mostly light thrown back by surroundings.
    """
    off = means - expected
    shade = off.mean(1, keepdims=True)
    return expected + shade + TINT_KEPT * (off - shade)


def skin_of_words(usual: np.ndarray, skin: SkinMap, seed: int) -> SkinColour:
    """The skin that no photo shows: the `usual` linear albedo [V, 3], with grain."""
    albedo = skin.texels.read(usual) * np.exp(plain_grain(skin.texels, seed))
    return SkinColour(albedo, np.zeros(len(albedo)))


def _unlit(look: Look, tone: float, usual: np.ndarray) -> np.ndarray | None:
    """Albedo [N, 3] of what a photo shows, its median of luminance `tone`; None where it shows too little."""
    lit = look.share > LIT_FROM
    if lit.sum() < LEAST_SEEN:
        return None
    albedo, shown = np.zeros_like(look.colours), look.share > 0
    light = fit_light(look.normals[lit], look.colours[lit], look.share[lit])
    albedo[shown] = unlit(light, look.normals[shown], look.colours[shown])
    sure = look.share >= min(SURE, np.quantile(look.share[lit], 0.5))
    albedo = albedo * tint_gains(np.median(albedo[sure], 0), usual)
    return albedo * (tone / max(np.median(brightness(albedo[sure])), 1e-4))


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
    return own * detail + other * mirrored[:, :3] + (1 - own - other) * grain(detail, share, texels, seed)
