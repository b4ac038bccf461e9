"""Lids that shut without a sliver and slide over the eyeball without being cut by it, on every head.

The template's shapes are made for its mean head. On another head the shut upper lid misses the lower one, and eyeballs
come through. What is kept of the mean head is the clearance between lid and eyeball, and how far a gap is shut.
"""

import math

import torch
from torch import Tensor

from idto3d.head.features.eyes import NAMES, Eye, clearance, eye_of, looks
from idto3d.head.features.lashes import lashes_outside, outside
from idto3d.head.features.lid_skin import Lid, angles, gaps_between, interpolated, lerp
from idto3d.head.template_model import Template

SHUT = 0.12  # share of the open gap at which the mean head's lids count as shut
MOVED = 0.98  # share of the open gap from which on an expression leaves the lids alone
OVERLAP_DEG = 3.0  # by which a shut upper lid reaches over the lower one, seen from the eye's centre
SPREADS = 10  # rounds in which a push reaches the neighbours


def shut_and_clear(
    template: Template, vertices: Tensor, moved: Tensor, weights: Tensor, lids: tuple[Lid, ...]
) -> Tensor:
    """[E, V, 3] metres: displacements `moved` [E, V, 3] of a head `vertices` [V, 3], its lids corrected.

    weights [E, S] are the shape strengths that `moved` comes from. Where the mean head's lids shut in that expression
    these shut too; where an eyeball would come through on the way there, or in the end, the lid is pushed outwards.
    Lashes go with the edge they grow from.
    """
    plain = template.displacement(weights)
    result = moved.clone()
    for lid in lids:
        eye, mean = eye_of(template, vertices, lid.side), eye_of(template, template.neutral, lid.side)
        turn = looks(template, weights, lid.side)
        rest, model = vertices[lid.skin], template.neutral[lid.skin]
        posed = model + plain[:, lid.skin]
        left = _gaps(lid, posed, mean).clamp_min(0).sum(-1, keepdim=True) / _gaps(lid, model, mean).clamp_min(0).sum()
        keeps = clearance(shut(lid, model, posed, mean, left), mean, turn @ mean.axis, lid.rise)
        goal = shut(lid, rest, rest + moved[:, lid.skin], eye, left)
        goal = pushed(lid, rest, goal, eye, turn @ eye.axis, keeps.minimum(lid.most).maximum(lid.margin))
        change = met(lid, goal, eye, left) - rest - moved[:, lid.skin]
        result[:, lid.skin] += change
        result[:, lid.lashes] += change[:, lid.roots]
        result[:, lid.lashes] = lashes_outside(lid, vertices, result)
    return result


def shut(lid: Lid, rest: Tensor, posed: Tensor, eye: Eye, left: Tensor) -> Tensor:
    """[E, N, 3] the skin `posed` [E, N, 3] with as much of its gap at `rest` [N, 3] as is `left` [E, 1] of the mean's.

    SHUT of it counts as none. The upper lid is lowered around the eye, its skin the less the less it goes with the
    edge.
    """
    overlap = math.radians(OVERLAP_DEG) * _is_shut(left)
    wanted = ((left - SHUT) / (1 - SHUT)).clamp_min(0) * _gaps(lid, rest, eye).clamp_min(0) - overlap
    drop = lid.corner * torch.where(left < MOVED, _gaps(lid, posed, eye) - wanted, 0.0)
    return _lowered(posed, eye, lid.share * lerp(drop[:, lid.columns], lid.between))


def _is_shut(left: Tensor) -> Tensor:
    return (2 - left / SHUT).clamp(0, 1)


def met(lid: Lid, goal: Tensor, eye: Eye, left: Tensor) -> Tensor:
    """[E, N, 3] the skin `goal` [E, N, 3] with lower lids that reach as far forward as upper ones that are shut.

    Otherwise one would see between them from below.
    """
    upper, lower = goal[:, lid.upper] - eye.centre, goal[:, lid.lower] - eye.centre
    azimuths = (torch.atan2(edge[..., 0], edge[..., 2]) for edge in (lower, upper))
    short = (interpolated(*azimuths, upper.norm(dim=-1)) - lower.norm(dim=-1)).clamp_min(0) * _is_shut(left)
    return _outwards(lid, goal, eye, torch.zeros_like(goal[..., 0]).index_add(1, lid.lower, short))


def _gaps(lid: Lid, points: Tensor, eye: Eye) -> Tensor:
    return gaps_between(points[..., lid.upper, :], points[..., lid.lower, :], eye)


def _lowered(points: Tensor, eye: Eye, angle: Tensor) -> Tensor:
    """`points` [E, N, 3] lower by `angle` [E, N] seen from the eye's centre, at their azimuth and distance."""
    offset = points - eye.centre
    reach, (azimuth, height) = offset.norm(dim=-1), angles(points, eye).unbind(-1)
    height = height - angle
    level = height.cos()
    way = torch.stack([level * azimuth.sin(), height.sin(), level * azimuth.cos()], -1)
    return eye.centre + reach[..., None] * way


def pushed(lid: Lid, rest: Tensor, goal: Tensor, eye: Eye, axis: Tensor, keeps: Tensor) -> Tensor:
    """[E, N, 3] the skin `goal` [E, N, 3], outwards where it is nearer to the eyeball than `keeps` [E, N] metres.

    Half-way from rest to there it keeps lid.margin. axis [E, 3]: where the eye looks in the end.
    """
    short = (keeps - clearance(goal, eye, axis, lid.rise)).clamp_min(0)
    goal = _outwards(lid, goal, eye, short)
    half = torch.nn.functional.normalize(axis + eye.axis, dim=-1)
    short = (lid.margin - clearance((rest + goal) / 2, eye, half, lid.rise)).clamp_min(0)
    return _outwards(lid, goal, eye, 2 * short)


def _outwards(lid: Lid, points: Tensor, eye: Eye, amount: Tensor) -> Tensor:
    """`points` [E, N, 3] away from the eye's centre by `amount` [E, N] metres, their neighbours nearly as much."""
    for _ in range(SPREADS):
        amount = amount.maximum(amount[:, lid.neighbours].mean(-1))
    way = torch.nn.functional.normalize(points - eye.centre, dim=-1)
    return points + way * (amount * lid.fade)[..., None]


def seated(template: Template, vertices: Tensor, lids: tuple[Lid, ...]) -> Tensor:
    """[V, 3] the head `vertices` [V, 3] at rest with eyeballs that lie behind its lids as on the mean head.

    Each eyeball is moved (three numbers, least squares of the clearances of the lids' edges); where it still came
    through, the skin is pushed outwards.
    """
    result = vertices.clone()
    for lid in lids:
        own, mean = template.part(NAMES[lid.side]).vertices, eye_of(template, template.neutral, lid.side)
        rim = torch.cat([lid.upper, lid.lower])
        keeps = clearance(template.neutral[lid.skin], mean, mean.axis, lid.rise)
        eye = eye_of(template, vertices, lid.side)
        moved = _moved_to(vertices[lid.skin][rim], keeps[rim], eye, lid.rise)
        result[own] += moved.centre - eye.centre
        skin = vertices[lid.skin]
        short = (keeps.minimum(lid.most).maximum(lid.margin) - clearance(skin, moved, moved.axis, lid.rise)).clamp_min(
            0
        )
        change = _outwards(lid, skin[None], moved, short[None])[0] - skin
        result[lid.skin] += change
        result[lid.lashes] = outside(lid, result[lid.skin], result[lid.lashes] + change[lid.roots])
    return result


def _moved_to(edge: Tensor, keeps: Tensor, eye: Eye, rise: Tensor) -> Eye:
    """The eyeball moved so that `edge` [M, 3] is `keeps` [M] metres away: Gauss-Newton steps, a little held back."""
    for _ in range(6):
        off = clearance(edge, eye, eye.axis, rise) - keeps
        way = torch.nn.functional.normalize(edge - eye.centre, dim=-1)
        hold = 0.02 * len(edge) * torch.eye(3, device=edge.device)
        normal = (way[:, :, None] * way[:, None]).sum(0) + hold
        eye = Eye(eye.centre + torch.linalg.solve(normal, (way * off[:, None]).sum(0)), eye.radius, eye.axis)
    return eye
