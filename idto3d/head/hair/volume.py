"""The space that hair fills between the skin and its outer surface, as fields of signed distance. Metres."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, label
from scipy.spatial import cKDTree

from idto3d.head.hair.comb import Comb
from idto3d.head.hair.lattice import Field, Lattice, head_lattice, normalised
from idto3d.head.hair.scalp import MeanSpace, Skin, distance_field, recession, smoothstep
from idto3d.head.hair_volumes import HIDING, loose_distance
from idto3d.words.traits import HairStyle

SPACING = 0.006  # metres between the lattice's points
OVER_EARS = 0.008  # metres over which hair that hides the ears smooths them out
GROOVE = (0.007, 0.007)  # depth of a parting in the hair and half its width, metres
LAYERS = 0.016  # metres under the outside of thick hair that cards lie in
LOCKS, HEM = (6, 11, 17), (0.012, 0.005)  # waves around a hem, and how much lower it hangs behind and in locks, metres
# Of hair that is tucked behind the ears: heights, how thick it is there before them, and their depth, metres.
TUCKED_M, BEHIND_EARS = ((0.026, 0.045, 0.105), (-0.004, 0.006, 0.022)), -0.030
CLEAR = 0.007  # metres of air around ears that are free


@dataclass(frozen=True, eq=False)
class HairVolume:
    """skin: distance from the skin. hair: distance from the hair's outer surface. Both negative inside.

    ears: distance from the ears where hair leaves them free, None where it hides them.
    """

    skin: Field
    hair: Field
    ears: Field | None

    def thickness(self, points: np.ndarray) -> np.ndarray:
        """[N] metres from the skin to the hair's outer surface near `points` [N, 3]; under 0 where there is no hair."""
        return self.skin.at(points) - self.hair.at(points)

    def outward(self, points: np.ndarray, level: np.ndarray) -> np.ndarray:
        """[N, 3] unit normals of the layer at `level` [N], 0 on the skin and 1 on the hair's surface."""
        level = level[:, None]
        return normalised((1 - level) * self.skin.slope(points) + level * self.hair.slope(points))

    def to_level(self, points: np.ndarray, level: np.ndarray, risen: np.ndarray, least: float) -> np.ndarray:
        """`points` [N, 3] moved towards the layer at `level` [N], at least `least` metres off the skin.

        Layers keep to the outer LAYERS metres of thick hair. risen [N]: 0..1, how much of the way up there is taken.
        """
        thickness = self.thickness(points)
        depth = (1 - level) * np.minimum(thickness, LAYERS)
        step = np.maximum(risen * (thickness - depth), least) - self.skin.at(points)
        return points + np.clip(step, -SPACING, SPACING)[:, None] * self.outward(points, level * risen)


def volume_of_words(skin: Skin, style: HairStyle, comb: Comb, space: MeanSpace | None = None) -> HairVolume:
    """The volume of a named style on this head: that of the mean head, with this one's skin and carried to its places.

    space: the way between the two heads, where it is known already.

    Raises ValueError for a style that does not grow.
    """
    if not style.grows:
        raise ValueError(f"no hair grows in the style '{style.name}'")
    lattice = head_lattice(SPACING)
    hides = style.sides_m >= HIDING and not skin.pointed_ears
    bald = distance_field(skin, lattice, ears=hides)
    base = _smoothed(bald) if hides else bald
    mean = (space or MeanSpace(skin)).to_mean(lattice.points)
    lowered = mean - (recession(mean) - hem(mean))[:, None] * [0, 1, 0]
    arrays = (lowered, base.values.reshape(-1), _rise(mean, style))
    hair = loose_distance(style, *map(torch.from_numpy, arrays)).numpy().reshape(lattice.shape)
    hair = one_piece(gaussian_filter(hair + groove(mean, comb).reshape(lattice.shape), 0.8))
    if hides:
        return HairVolume(base, Field(lattice, hair), None)
    ears = ear_field(skin, lattice)
    hair = np.maximum(hair, CLEAR - ears.values)
    if skin.pointed_ears:
        hair = np.maximum(hair, _tucked(mean, base.values.reshape(-1)).reshape(lattice.shape))
    return HairVolume(base, Field(lattice, hair), ears)


def _tucked(mean: np.ndarray, bald: np.ndarray) -> np.ndarray:
    """[N] metres inside of where hair that is tucked behind the ears is not, at `mean` [N, 3]; under 0 outside.

    bald [N]: distance from the skull, on which it lies close.
    """
    high = np.interp(mean[:, 1], *TUCKED_M)
    return np.minimum(np.minimum(TUCKED_M[0][-1] - mean[:, 1], mean[:, 2] - BEHIND_EARS), bald - high)


def hem(mean: np.ndarray) -> np.ndarray:
    """[N] metres by which hanging hair ends lower at `mean` [N, 3] than its style says: more behind, nowhere even."""
    turn = np.arctan2(mean[:, 0], mean[:, 2])
    uneven = sum(np.sin(count * turn + 2 * count) for count in LOCKS) / len(LOCKS)
    behind = smoothstep(np.abs(turn), 1.6, np.pi)
    return smoothstep(mean[:, 1], -0.01, -0.06) * (HEM[0] * behind + HEM[1] * uneven)


def groove(mean: np.ndarray, comb: Comb) -> np.ndarray:
    """[N] metres that a parting lowers the hair at points of the mean head, [N, 3]; it has one where it has a depth."""
    from_line = comb.from_source(mean) / GROOVE[1]
    return comb.parted * GROOVE[0] * np.exp(-(from_line**2)) * smoothstep(mean[:, 1], 0.06, 0.10)


def _rise(mean: np.ndarray, style: HairStyle) -> np.ndarray:
    """[N] metres above the hairline at which hair is full: slowly in front, soon at the sides and behind."""
    turn = np.abs(np.degrees(np.arctan2(mean[:, 0], mean[:, 2])))
    front = smoothstep(turn, 80, 45)
    return (0.008 + 0.8 * style.sides_m) * (1 - front) + (0.012 + 1.3 * style.crown_m) * front


def one_piece(hair: np.ndarray) -> np.ndarray:
    """`hair` [X, Y, Z] in which only the largest solid is left."""
    parts, count = label(hair < 0)
    if count < 2:
        return hair
    main = np.argmax(np.bincount(parts[parts > 0]))
    return np.where((parts > 0) & (parts != main), SPACING, hair)


def ear_field(skin: Skin, lattice: Lattice) -> Field:
    """Distance in metres from the ears' skin, positive everywhere."""
    ears = skin.vertices[skin.hairless_ears > 0.5]
    return Field(lattice, cKDTree(ears).query(lattice.points)[0].reshape(lattice.shape))


def _smoothed(bald: Field) -> Field:
    """The skin's distance with what is finer than OVER_EARS evened out, outside it."""
    even = gaussian_filter(bald.values, OVER_EARS / bald.lattice.spacing)
    return Field(bald.lattice, np.minimum(bald.values, even))
