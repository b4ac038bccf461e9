"""Hair as closed-form signed distances over a bald head: one volume per named style. Metres, negative inside.

A style is the scalp thickened, diving under the skin at the hairline, with a curtain where it hangs; the table of
traits says how thick and how far. What only one style has is grown by a function that BULGES or TIED name.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from idto3d.words.traits import STYLES, HairStyle

NOWHERE = 0.05  # distance from hair where there is none, metres
CEILING = 0.165  # the highest hair, metres
DOME = (0.10, 0.012)  # radius of the round top of the highest hair, width of its blend into the sides, metres
# Height of the hairline on the skin (metres) by azimuth from the front (degrees).
HAIRLINE_DEG = (0.0, 25.0, 42.0, 54.0, 66.0, 80.0, 100.0, 118.0, 140.0, 180.0)
HAIRLINE_Y = (0.094, 0.094, 0.086, 0.062, 0.030, 0.040, 0.030, -0.012, -0.034, -0.042)
# Metres: an ear's middle (height, depth) and its radii; how far from the head's middle nothing is but ears; how thick
# hair is that hides them.
EAR, BESIDE, HIDING = ((0.010, -0.008), (0.048, 0.040)), (0.082, 0.086), 0.012
# The horizontal section of the skull that hair hangs from: half width, half depth, centre z (metres).
CURTAIN = (0.080, 0.089, 0.002)
BALL = ((0.0, 0.042, -0.008), 0.122)  # of an afro: centre and radius
# A ponytail: points along its middle and its radii there; a bun: centre and radius.
TAIL = (((0.0, 0.088, -0.088), 0.017), ((0.0, 0.066, -0.119), 0.026), ((0.0, -0.090, -0.114), 0.012))
KNOT = ((0.0, 0.127, -0.073), 0.030)


def hair_distances(points: Tensor, bald: Tensor) -> Tensor:
    """[N, S] signed distance in metres of each style's hair volume; `bald` [N] is the bald head's at `points` [N, 3].

    S counts HAIR_STYLES, in their order; a style that does not grow is nowhere.
    """
    above = points[:, 1] - hairline_height(points)
    return torch.stack([_volume(style, points, bald, above) for style in STYLES.values()], -1)


def loose_distance(style: HairStyle, points: Tensor, bald: Tensor, rise: Tensor) -> Tensor:
    """[N] signed distance in metres of a style's hair without what is tied of it.

    points [N, 3] and bald [N] as for `hair_distances`; rise [N]: metres above the hairline at which it is full.
    """
    return _loose(style, points, bald, points[:, 1] - hairline_height(points), rise)


def _volume(style: HairStyle, points: Tensor, bald: Tensor, above: Tensor) -> Tensor:
    if not style.grows:
        return torch.full_like(bald, NOWHERE)
    volume = _loose(style, points, bald, above, torch.full_like(above, 0.008 + 0.8 * style.sides_m))
    return torch.minimum(volume, TIED[style.name](points)) if style.name in TIED else volume


def _loose(style: HairStyle, points: Tensor, bald: Tensor, above: Tensor, rise: Tensor) -> Tensor:
    volume = _shell(points, bald, above / rise, above, style.crown_m, style.sides_m)
    if style.ends_m is not None:
        volume = torch.minimum(volume, _curtain(points, style.ends_m))
    if style.name in BULGES:
        volume = torch.minimum(volume, BULGES[style.name](points, above))
    return rounded_intersection(volume, _dome(points), DOME[1])


def _shell(points: Tensor, bald: Tensor, risen: Tensor, above: Tensor, crown: float, side: float) -> Tensor:
    top = smooth(points[:, 1], 0.06, 0.13)
    sunk = 0.005 + 0.1 * (-above).clamp(min=0)
    scalp = smooth(risen, 0.0, 1.0)
    if side < HIDING:
        scalp = scalp * (1 - _on_ears(points))
    return bald - (side + (crown - side) * top) * scalp + sunk * (1 - scalp)


def _on_ears(points: Tensor) -> Tensor:
    """[N] 1 where only the ears are: around them, beyond the skull; 0 elsewhere."""
    (y, z), (high, deep) = EAR
    around = (((points[:, 1] - y) / high) ** 2 + ((points[:, 2] - z) / deep) ** 2).sqrt()
    return smooth(points[:, 0].abs(), *BESIDE) * smooth(around, 1.1, 0.9)


def hairline_height(points: Tensor) -> Tensor:
    """[N] height y in metres of the hairline at the azimuth of `points` [N, 3]."""
    angle = torch.rad2deg(torch.atan2(points[:, 0].abs(), points[:, 2]))
    knots, heights = points.new_tensor(HAIRLINE_DEG), points.new_tensor(HAIRLINE_Y)
    upper = torch.bucketize(angle, knots).clamp(1, len(knots) - 1)
    blend = (angle - knots[upper - 1]) / (knots[upper] - knots[upper - 1])
    return heights[upper - 1] + blend.clamp(0, 1) * (heights[upper] - heights[upper - 1])


def _sphere(points: Tensor, centre: tuple, radius: float) -> Tensor:
    return (points - points.new_tensor(centre)).square().sum(-1).add(1e-12).sqrt() - radius


def _ball(points: Tensor, above: Tensor) -> Tensor:
    """[N] distance of an afro's ball, which ends at the hairline `above` [N] metres of which the points lie."""
    return rounded_intersection(_sphere(points, *BALL), -0.45 * above, 0.030)


def _knot(points: Tensor) -> Tensor:
    """[N] distance of a bun's knot."""
    return _sphere(points, *KNOT)


def _tail(points: Tensor) -> Tensor:
    """[N] distance of the ponytail: from its pieces' middle lines, less their radii there."""
    pieces = []
    for (start, first), (end, last) in zip(TAIL[:-1], TAIL[1:], strict=True):
        a, along = points.new_tensor(start), points.new_tensor(end) - points.new_tensor(start)
        place = (((points - a) @ along) / along.square().sum()).clamp(0, 1)
        gap = (points - a - place[:, None] * along).square().sum(-1).add(1e-12).sqrt()
        pieces.append(gap - (first + (last - first) * place))
    return torch.stack(pieces, -1).amin(-1)


def _dome(points: Tensor) -> Tensor:
    """[N] distance from a paraboloid open below, its top at CEILING; about metres."""
    across = points[:, [0, 2]].square().sum(1)
    return (points[:, 1] - CEILING + across / (2 * DOME[0])) / (1 + across / DOME[0] ** 2).sqrt()


def rounded_intersection(first: Tensor, second: Tensor, blend: float) -> Tensor:
    """The greater of two distances [N], its edge rounded where they differ by less than `blend` metres."""
    overlap = (blend - (first - second).abs()).clamp_min(0) / blend
    return torch.maximum(first, second) + overlap.square() * (blend / 4)


def _curtain(points: Tensor, end: float) -> Tensor:
    width, depth, centre = CURTAIN
    x, y, z = points[:, 0], points[:, 1], points[:, 2] - centre
    radius = torch.sqrt((x / width) ** 2 + (z / depth) ** 2 + 1e-8)
    outside = (radius - 1) * (width + depth) / 2 - 0.016 * smooth(y, end - 0.03, end + 0.06)
    front = z - 0.36 * x.abs() + 0.006  # the plane at 70 degrees from the front, on either side
    return torch.stack([outside, front, end - y, y - 0.05], -1).amax(-1)


def smooth(x: Tensor, low: float, high: float) -> Tensor:
    """0 below `low`, 1 above `high`, a smooth step between."""
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


# By style, what it has beside its shell: below the highest hair (points [N, 3], height above the hairline [N]), or tied
# behind the head (points [N, 3]); [N] signed distance, metres.
BULGES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"afro": _ball}
TIED: Mapping[str, Callable[[Tensor], Tensor]] = {"ponytail": _tail, "bun": _knot}
