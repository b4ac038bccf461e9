"""The volume of the hair that photos show: inside all outlines, off the skin that is seen, usual where nothing is."""

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.head.hair.lattice import Field, Lattice, head_lattice, normalised
from idto3d.head.hair.scalp import MeanSpace, Skin, above_hairline, distance_field, smoothstep
from idto3d.head.hair.seen.outline import MIDDLE, Fall, Outline, blended_thickness, measure_fall, measure_outline
from idto3d.head.hair.seen.view import FACE, HairView
from idto3d.head.hair.volume import SPACING, HairVolume, one_piece
from idto3d.head.hair_volumes import CURTAIN

FRINGE = 0.009  # metres of hair over the forehead
RIM = (0.0015, 0.4)  # metres of it at the outline that a photo shows, and by how much it thickens per metre inwards
FALLS_UNDER = -0.005  # height under which hair beside the head hangs, metres
HANGS_TO = -0.06  # height that it reaches at least; what ends higher lies on the head
BELOW = 0.008  # metres of hair on the skin under hair that hangs
HANGING = (0.055, 0.015)  # heights between which hair comes to hang, metres
CARD = 0.002  # metres that cards stand out of it
TAPER = (0.03, 0.10)  # heights between which it comes off the head
JOIN = 0.02  # metres over which it joins the hair on the head
FRONTAL = 0.8  # cosine of the turn up to which a view tells how hair hangs
NAPE = (0.006, 0.55)  # most that unseen hair is thick behind: metres, and as a share of its height above the hairline
RISE = 0.014  # metres above the usual hairline at which unseen hair is full


def volume_of_views(skin: Skin, views: list[HairView], space: MeanSpace) -> HairVolume:
    """The volume of the hair in `views`, of which each is trusted where it sees the head."""
    lattice = head_lattice(SPACING)
    bald = distance_field(skin, lattice, ears=False)
    middle = space.from_mean(MIDDLE[None])[0]
    outlines = [measure_outline(view, skin, middle) for view in views]
    falls = falls_of(views)
    hair = _shell(bald, views, outlines, space, bool(falls))
    for fall in falls:
        hair = _joined(hair, _curtain(lattice, fall))
    hair = np.maximum(hair, _carved(lattice, views, bool(falls)))
    return HairVolume(bald, Field(lattice, one_piece(gaussian_filter(hair, 0.7))), None)


def _shell(bald: Field, views: list[HairView], outlines: list[Outline], space: MeanSpace, hangs: bool) -> np.ndarray:
    """[X, Y, Z] distance from a shell as thick as the outlines say: thin over the forehead, ended by the hairline.

    Where hair `hangs`, what is low belongs to it, and the shell below is thin.
    """
    lattice = bald.lattice
    points, depth = lattice.points, bald.values.reshape(-1)
    above = above_hairline(space.to_mean(points))
    thickness = blended_thickness(outlines, points)
    normal = normalised(bald.slope(points))
    front = smoothstep(normal[:, 2], 0.35, 0.8)
    over_face = front * (1 - smoothstep(above, -0.004, 0.045))
    thickness = thickness * (1 - over_face) + np.minimum(thickness, _fringe(points, normal, views)) * over_face
    shown = _shown_as_hair(points, views)
    unseen = smoothstep(normal[:, 2], 0.0, -0.5) * (1 - shown)
    at_nape = np.minimum(thickness, NAPE[0] + NAPE[1] * np.maximum(above, 0))
    thickness = thickness * (1 - unseen) + at_nape * unseen
    low = smoothstep(points[:, 1], *HANGING) * hangs
    thickness = thickness * (1 - low) + np.minimum(thickness, BELOW) * low
    grown = np.maximum(smoothstep(above, 0.0, RISE), shown * (1 - low))
    sunk = 0.005 + 0.1 * np.maximum(-above, 0)
    return (depth - thickness * grown + sunk * (1 - grown)).reshape(lattice.shape)


def _fringe(points: np.ndarray, normal: np.ndarray, views: list[HairView]) -> np.ndarray:
    """[N] metres that hair over the forehead is thick at most: it thins out towards the outlines of the photos."""
    thick = np.full(len(points), FRINGE)
    for view in views:
        inside = -view.read(view.to_hair, view.project(points)[0]) * view.metres_per_pixel()
        rim = RIM[0] + RIM[1] * np.maximum(inside, 0)
        thick = np.where(normal @ view.back > 0.5, np.minimum(thick, rim), thick)
    return thick


def _shown_as_hair(points: np.ndarray, views: list[HairView]) -> np.ndarray:
    """[N] 0..1 how much `points` show as hair in some view that sees them."""
    shown = np.zeros(len(points))
    for view in views:
        seen = view.sees(points)
        share = smoothstep(view.read(view.to_hair, view.project(points)[0]) * view.metres_per_pixel(), 0.003, -0.003)
        shown = np.maximum(shown, share * seen)
    return shown


def _carved(lattice: Lattice, views: list[HairView], hangs: bool) -> np.ndarray:
    """[X, Y, Z] distance into the space that some view sees and that is no hair there; far outside it elsewhere.

    Hair that `hangs` is carved where a view sees past the head alone: its shade looks like something else.
    """
    points = lattice.points
    carved, low = np.full(len(points), -1.0), smoothstep(points[:, 1], *HANGING) * smoothstep(points[:, 2], *FACE)
    for view in views:
        seen, pixels = view.sees(points), view.project(points)[0]
        outside = view.read(view.to_hair, pixels)
        if hangs:
            outside = outside * (1 - low) + view.read(view.to_head, pixels) * low
        carved = np.maximum(carved, np.where(seen, outside * view.metres_per_pixel(), -1.0))
    return carved.reshape(lattice.shape)


def falls_of(views: list[HairView]) -> list[Fall]:
    """How hair hangs in the views that tell it; nothing where it ends above the jaw."""
    found = [measure_fall(view, -0.21, FALLS_UNDER) for view in views if view.back[2] > FRONTAL]
    return [fall for fall in found if fall is not None and fall.end < HANGS_TO]


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The smaller of two distances, rounded where they differ by less than JOIN."""
    overlap = np.maximum(JOIN - np.abs(first - second), 0) / JOIN
    return np.minimum(first, second) - overlap**2 * JOIN / 4


def _curtain(lattice: Lattice, fall: Fall) -> np.ndarray:
    """[X, Y, Z] distance from hair that hangs beside and behind the head, as wide as the outline at every height."""
    _, depth, centre = CURTAIN
    x, y, z = lattice.points.T
    z = z - centre
    half = np.where(x < 0, np.interp(y, fall.heights, fall.right), np.interp(y, fall.heights, fall.left)) - CARD
    up = smoothstep(y, *TAPER)
    half = np.maximum(half * (1 - up) + np.minimum(half, CURTAIN[0]) * up, 0.03)
    radius = np.sqrt((x / half) ** 2 + (z / (depth + 0.012)) ** 2 + 1e-8)
    outside = (radius - 1) * np.minimum(half, depth)
    front = z - 0.36 * np.abs(x) + 0.002
    return np.stack([outside, front, fall.end - y, y - TAPER[1]]).max(0).reshape(lattice.shape)
