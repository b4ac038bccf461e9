"""The skin around the eyes, measured once on the template's mean head: which vertices are lids, and how they move."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from idto3d.head.features.eyes import Eye, clearance, eye_of, heights
from idto3d.head.template import EYE_SOCKETS, FACE
from idto3d.head.template_model import Template

REACH = 1.75  # how far from an eye's centre lids are corrected, in the eyeball's radii
FULL_REACH = 1.35  # and up to where fully
LEAST_M = 0.0004  # clearance that every vertex of a lid keeps
MOST_M = 0.0014  # clearance of the mean head that others must keep; a lid's thickness
INNER_RINGS = 2  # of vertices along the socket's border lie behind the lids' edge
CORNER_DEG = 5.0  # gap of the mean head's lids from which on they shut like in the middle


@dataclass(frozen=True, eq=False)
class Lid:
    """The skin around the left (`side` 0) or right (1) eye, measured once on the mean head: N vertices, `skin`.

    Their edges are upper [U] and lower [L], numbers within `skin`. share [N] 0..1 says how far each vertex goes with
    the upper edge, of which it follows two vertices, columns [N, 2] within upper, between [N] the one (0) and the other
    (1). corner [U] is 0 at the corners of the eye, where both lids are one, to 1. Vertices keep at least margin [N]
    metres from the eyeball, and what they have on the mean head up to most [N]. A push fades out by fade [N] 0..1.
    faces [F, 3] and neighbours [N, 8] are within `skin`, a vertex its own neighbour where it has fewer. The template's
    vertices lashes [K] grow from the vertices roots [K] within `skin`. rise [61] is the cornea, see eyes.heights.
    """

    side: int
    skin: Tensor
    upper: Tensor
    lower: Tensor
    share: Tensor
    columns: Tensor
    between: Tensor
    corner: Tensor
    margin: Tensor
    most: Tensor
    fade: Tensor
    faces: Tensor
    neighbours: Tensor
    lashes: Tensor
    roots: Tensor
    rise: Tensor


def lids_of(template: Template) -> tuple[Lid, Lid]:
    """The lids of the left and of the right eye."""
    return _lid(template, 0), _lid(template, 1)


def _lid(template: Template, side: int) -> Lid:
    eye, rise = eye_of(template, template.neutral, side), heights(template, side)
    far = (template.neutral[FACE] - eye.centre).norm(dim=1) / eye.radius
    skin = (far < REACH).nonzero()[:, 0]
    points, place = template.neutral[skin], torch.full((len(template.neutral),), -1, device=skin.device)
    place[skin] = torch.arange(len(skin), device=skin.device)
    shut = points + template.displacement(template.weights({"eyeBlink_" + "LR"[side]: 1.0}))[skin]
    falls = angles(shut, eye)[..., 1] - angles(points, eye)[..., 1]
    rim = place[template.lid_rims[side]]
    upper, lower = _halves(points, falls, rim, eye)
    columns, between = _columns(angles(points, eye)[:, 0], angles(points[upper], eye)[:, 0])
    fall = lerp(falls[upper][columns], between)
    clear = clearance(points, eye, eye.axis, rise)
    lashes = template.part("lashes").vertices
    own = (template.neutral[lashes][:, 0] * eye.centre[0] > 0).nonzero()[:, 0] + lashes.start
    nearest = torch.cdist(template.neutral[own], points[rim]).argmin(1)
    return Lid(
        side=side,
        skin=skin,
        upper=upper,
        lower=lower,
        share=(falls / fall).clamp(0, 1) * (falls < 0),
        columns=columns,
        between=between,
        margin=torch.where(_inner(template, skin), -eye.radius, clear.clamp_max(LEAST_M)),
        most=torch.where(_inner(template, skin), -eye.radius, MOST_M),
        corner=(gaps_between(points[upper], points[lower], eye) / math.radians(CORNER_DEG)).clamp(0, 1),
        fade=((REACH - far[skin]) / (REACH - FULL_REACH)).clamp(0, 1),
        faces=_faces(template, place),
        neighbours=_neighbours(_faces(template, place), len(skin)),
        lashes=own,
        roots=rim[nearest],
        rise=rise,
    )


def _inner(template: Template, skin: Tensor) -> Tensor:
    """[N] bool: which of `skin` lie behind the lids' edge, two rings along the socket's border; they may touch the eye.

    They are only pushed along with their neighbours, never through the lid in front of them.
    """
    faces = template.part("skin").faces
    behind = ((faces >= EYE_SOCKETS.start) & (faces < EYE_SOCKETS.stop)).any(1)
    for _ in range(INNER_RINGS - 1):
        behind = torch.isin(faces, faces[behind]).any(1)
    return torch.isin(skin, faces[behind])


def _halves(points: Tensor, falls: Tensor, rim: Tensor, eye: Eye) -> tuple[Tensor, Tensor]:
    """The upper and the lower edge between the corners of the eye, each in the order of its azimuth."""
    azimuth, height = angles(points[rim], eye).unbind(-1)
    middle = (height[azimuth.argmin()] + height[azimuth.argmax()]) / 2
    line = middle + (azimuth - azimuth.mean()) * _slope(azimuth, height)
    upper = (height > line) & (falls[rim] < 0)
    halves = (rim[upper], rim[~upper])
    return tuple(half[angles(points[half], eye)[:, 0].argsort()] for half in halves)


def _slope(azimuth: Tensor, height: Tensor) -> Tensor:
    """Of the line through the two corners of the eye."""
    first, last = azimuth.argmin(), azimuth.argmax()
    return (height[last] - height[first]) / (azimuth[last] - azimuth[first])


def _columns(azimuth: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
    """Between which two of the rising azimuths `edge` [U] each of `azimuth` [N] lies, [N, 2], and where, [N] 0..1."""
    after = torch.searchsorted(edge.contiguous(), azimuth.contiguous()).clamp(1, len(edge) - 1)
    columns = torch.stack([after - 1, after], -1)
    low, high = edge[columns].unbind(-1)
    return columns, ((azimuth - low) / (high - low)).clamp(0, 1)


def lerp(pairs: Tensor, between: Tensor) -> Tensor:
    return pairs[..., 0] + between * (pairs[..., 1] - pairs[..., 0])


def _faces(template: Template, place: Tensor) -> Tensor:
    """[F, 3] the skin's faces of which `place` [V] gives a number to every corner, as these numbers."""
    faces = place[template.part("skin").faces]
    return faces[(faces >= 0).all(1)]


def _neighbours(faces: Tensor, vertices: int) -> Tensor:
    """[N, 8] the neighbours of each of the `vertices` along `faces` [F, 3], itself where there are fewer."""
    pairs = torch.cat([faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2))]).unique(dim=0)
    count = torch.bincount(pairs[:, 0], minlength=vertices)
    slot = torch.arange(len(pairs), device=faces.device) - (count.cumsum(0) - count)[pairs[:, 0]]
    table = torch.arange(vertices, device=faces.device)[:, None].repeat(1, 8)
    kept = slot < 8
    table[pairs[kept, 0], slot[kept]] = pairs[kept, 1]
    return table


def angles(points: Tensor, eye: Eye) -> Tensor:
    """[..., N, 2] azimuth (to the person's left) and height of `points` seen from an eye's centre, radians."""
    x, y, z = (points - eye.centre).unbind(-1)
    return torch.stack([torch.atan2(x, z), torch.atan2(y, (x.square() + z.square()).sqrt())], -1)


def gaps_between(upper: Tensor, lower: Tensor, eye: Eye) -> Tensor:
    """[..., U] radians: how much higher the edge `upper` [..., U, 3] lies than `lower` [..., L, 3], at its vertices."""
    upper, lower = angles(upper, eye), angles(lower, eye)
    return upper[..., 1] - interpolated(upper[..., 0], lower[..., 0], lower[..., 1])


def interpolated(at: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """[..., Q] the `values` [..., L] known at `places` [..., L], linear between them, `at` [..., Q]."""
    order = places.argsort(-1)
    places, values = places.gather(-1, order), values.gather(-1, order)
    after = torch.searchsorted(places.contiguous(), at.contiguous()).clamp(1, places.shape[-1] - 1)
    low, high = places.gather(-1, after - 1), places.gather(-1, after)
    share = ((at - low) / (high - low).clamp_min(1e-6)).clamp(0, 1)
    return values.gather(-1, after - 1) + share * (values.gather(-1, after) - values.gather(-1, after - 1))
