"""Lips that meet where the mean head's do, and stay before the teeth, in every expression of every head. Metres.

The template's shapes are made for its mean head: of another the lips stay open, or cross. What touches on the mean head
in an expression is found anew for each one, so that rolled, pressed and pursed lips meet with what meets there.
"""

from dataclasses import dataclass, replace

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals
from idto3d.head.motion.lips import Lip, Mouth, mouth_of
from idto3d.head.template_model import Template

TOUCH_M = (0.0008, 0.0016)  # between which lips of the mean head count as touching less and less
MOVED_M = (0.0003, 0.0015)  # motion of the mean head's lips between which an expression begins to say where they are
TEETH_M = 0.0006  # that a lip keeps from the teeth, where the mean head's keeps as much
NEAR_TEETH_M = 0.006  # from which on teeth are no matter
ROUNDS = 2  # what one lip does the other finds
# At rest lips may be farther apart, and nothing may shine through between their vertices.
CLOSING, NEARLY_M, PRESSED_M = 3, (0.0012, 0.0024), 0.0004
CLOSE, HINGE = "mouthClose", "jawOpen"  # Apple's first is how lips stay shut while the second falls by as much


@dataclass(frozen=True, eq=False)
class _Touch:
    """What the seats of a lip are near to on the mean head in E expressions, and where from.

    lip_apart [E, P, 3] is from the vertex `against` [E, P] of the other lip, `sure` [E, P] 0..1 whether they touch.
    teeth_apart [E, P, 3] is from the vertex `teeth` [E, P] of the template.
    """

    against: Tensor
    lip_apart: Tensor
    sure: Tensor
    teeth: Tensor
    teeth_apart: Tensor


def lips_meet(template: Template, vertices: Tensor, moved: Tensor, weights: Tensor) -> Tensor:
    """[E, V, 3] metres: displacements `moved` [E, V, 3] of a head `vertices` [V, 3], its lips corrected.

    weights [E, S] are the shape strengths that `moved` comes from. Lips that touch on the mean head in an expression
    come as close here, each by half of the way; lips go before the teeth as far as they do there.
    """
    mouth, plain = mouth_of(template), template.displacement(weights)
    reach = plain[:, mouth.zone].norm(dim=-1)
    chosen = (reach.amax(1) > MOVED_M[0]).nonzero()[:, 0]
    if not len(chosen):
        return moved
    fallen = template.displacement(_fallen(template, weights[chosen]))
    mean, posed = template.neutral + plain[chosen] + fallen, vertices + moved[chosen] + fallen
    touches = [_touch(template, mouth, pair, mean, reach[chosen]) for pair in (mouth.lips, mouth.lips[::-1])]
    before = posed[:, mouth.zone]
    after = _met(mouth, touches, posed, before)
    result = moved.clone()
    result[chosen[:, None], mouth.zone] += after - before
    return result


def lips_closed(template: Template, vertices: Tensor) -> Tensor:
    """[V, 3] the head `vertices` [V, 3] metres at rest, its lips pressed together where the mean head's nearly touch.

    Where shapes of identity, or a photo of a smile, left the mouth ajar, teeth would shine through.
    """
    mouth = mouth_of(template)
    touches = [_shut(template, mouth, pair, side) for pair, side in ((mouth.lips, -1), (mouth.lips[::-1], 1))]
    closed = vertices[None, mouth.zone]
    for _ in range(CLOSING):
        closed = _met(mouth, touches, vertices.index_copy(0, mouth.zone, closed[0])[None], closed)
    return vertices.index_copy(0, mouth.zone, closed[0])


def _shut(template: Template, mouth: Mouth, pair: tuple[Lip, Lip], side: int) -> _Touch:
    """What the first lip of a `pair`, the upper (side -1) or the lower (1) one, presses against at rest."""
    mean = template.neutral[None]
    touch = _touch(template, mouth, pair, mean, mean.new_zeros(1, len(mouth.zone)))
    near = 1 - _ramp(touch.lip_apart.norm(dim=-1), *NEARLY_M)
    return replace(touch, lip_apart=mean.new_tensor([0.0, side * PRESSED_M, 0.0]).expand_as(touch.lip_apart), sure=near)


def _fallen(template: Template, weights: Tensor) -> Tensor:
    """[E, S] by how much the jaw falls beside an expression that is only ever used with it."""
    result, hinge = torch.zeros_like(weights), template.shapes.index(HINGE)
    result[:, hinge] = (weights[:, template.shapes.index(CLOSE)] - weights[:, hinge]).clamp_min(0)
    return result


def _touch(template: Template, mouth: Mouth, pair: tuple[Lip, Lip], mean: Tensor, reach: Tensor) -> _Touch:
    """What the first lip of a `pair` is near to on the `mean` head [E, V, 3], moved by reach [E, Z] metres."""
    lip, other = pair
    own = template.part("teeth").vertices
    hard = torch.arange(own.start, own.stop, device=mouth.zone.device)
    zone = mean[:, mouth.zone]
    seats = zone[:, lip.seats]
    against = other.own[_nearest(seats, zone[:, other.own])]
    teeth = hard[_nearest(seats, mean[:, hard])]
    apart = seats - _of(zone, against)
    sure = (1 - _ramp(apart.norm(dim=-1), *TOUCH_M)) * _ramp(reach[:, lip.seats], *MOVED_M)
    return _Touch(against, apart, sure, teeth, seats - _of(mean, teeth))


def _nearest(points: Tensor, others: Tensor) -> Tensor:
    """[E, P] which of `others` [E, N, 3] is nearest to each of `points` [E, P, 3]."""
    pairs = zip(points.cpu().numpy(), others.cpu().numpy(), strict=True)
    return torch.stack([torch.from_numpy(cKDTree(b).query(a)[1]) for a, b in pairs]).to(points.device)


def _of(points: Tensor, numbers: Tensor) -> Tensor:
    """[E, P, 3] those of `points` [E, N, 3] with these `numbers` [E, P]."""
    return points.gather(1, numbers[..., None].expand(-1, -1, 3))


def _met(mouth: Mouth, touches: list[_Touch], posed: Tensor, zone: Tensor) -> Tensor:
    """[E, Z, 3] the skin `zone` [E, Z, 3] of heads `posed` [E, V, 3] with lips that touch as the mean head's do."""
    around = torch.cat([lip.around for lip in mouth.lips])
    for _ in range(ROUNDS):
        normals = vertex_normals(zone, mouth.faces)
        change = [_towards(lip, one, zone, normals) for lip, one in zip(mouth.lips, touches, strict=True)]
        zone = zone.index_add(1, around, torch.cat(change, 1))
        change = [_before(lip, one, zone, posed) for lip, one in zip(mouth.lips, touches, strict=True)]
        zone = zone.index_add(1, around, torch.cat(change, 1))
    return zone


def _towards(lip: Lip, touch: _Touch, zone: Tensor, normals: Tensor) -> Tensor:
    """[E, M, 3] how the lip goes half of what is missing between it and what it touches on the mean head."""
    way = torch.nn.functional.normalize(_of(normals, touch.against) - normals[:, lip.seats], dim=-1)
    apart = zone[:, lip.seats] - _of(zone, touch.against)
    wanted, found = ((one * way).sum(-1, keepdim=True) for one in (touch.lip_apart, apart))
    least = wanted.clamp_max(-PRESSED_M)  # what is pressed at rest may stay so
    missing = (wanted - found).clamp_max(0) + (least - found).clamp_min(0)
    return _spread(lip, 0.5 * missing * way, touch.sure)


def _before(lip: Lip, touch: _Touch, zone: Tensor, posed: Tensor) -> Tensor:
    """[E, M, 3] how the lip goes away from the teeth where it is nearer than it may be."""
    gap = touch.teeth_apart.norm(dim=-1)
    way = touch.teeth_apart / gap.clamp_min(1e-9)[..., None]
    short = gap.clamp_max(TEETH_M) - ((zone[:, lip.seats] - _of(posed, touch.teeth)) * way).sum(-1)
    sure = (short > 0) & (gap < NEAR_TEETH_M) & (touch.teeth_apart[..., 2] > 0)
    return _spread(lip, short.clamp_min(0)[..., None] * way, sure.to(gap))


def _spread(lip: Lip, change: Tensor, sure: Tensor) -> Tensor:
    """[E, M, 3] a `change` [E, P, 3] of a lip's seats, each `sure` [E, P] 0..1, on all that goes with them.

    The mean of what is sure around, and less where there is little of it.
    """
    total = (sure @ lip.follows.T)[..., None]
    mean = torch.einsum("mp,epk->emk", lip.follows, sure[..., None] * change) / total.clamp_min(1e-6)
    most = torch.stack([(lip.follows * one).amax(1) for one in sure])
    return (lip.fade * most)[..., None] * mean


def _ramp(value: Tensor, low: float, high: float) -> Tensor:
    return ((value - low) / (high - low)).clamp(0, 1)
