"""The template's eyeballs: where they are, how they turn, and how far from the centre their surface lies.

Of each eye, spherical measures are those of its own ball: the centre and radius of its white. Angles in radians but
where a name says degrees; yaw turns to the person's left, pitch upwards.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from idto3d.head.template_model import Template

NAMES = ("eye_left", "eye_right")
POLE = 0  # an eyeball's first vertex is its cornea's middle
WHITE_DEG = 32.0  # from the optical axis; beyond, the eyeball is a sphere
PROFILE_DEG = torch.linspace(0, 60, 61)  # angles at which the cornea's height over the ball is read off
# How far an eyeball turns in ARKit's looks at full strength: as far as ICT-FaceKit's lids follow them.
OUT_DEG, IN_DEG, UP_DEG, DOWN_DEG = 30.0, 30.0, 22.0, 27.0
# A blink draws the eyeball back by one to two millimetres (Evinger et al., "Blinking and associated eye movements in
# humans, guinea pigs, and rabbits", 1984); here by half a millimetre, which is enough for the lid.
DRAWN_BACK_M = 0.0005


@dataclass(frozen=True, eq=False)
class Eye:
    """One eyeball of a head: centre [3] metres, the sphere's radius [] metres, axis [3] unit, where it looks."""

    centre: Tensor
    radius: Tensor
    axis: Tensor


def eye_of(template: Template, vertices: Tensor, side: int) -> Eye:
    """The left (side 0) or right (1) eyeball of a head `vertices` [V, 3] metres; differentiable."""
    own = template.part(NAMES[side]).vertices
    centre, radius = _sphere(vertices[own][_white(template.neutral[own])])
    return Eye(centre, radius, torch.nn.functional.normalize(vertices[own][POLE] - centre, dim=0))


def _white(ball: Tensor) -> Tensor:
    """[N] bool: which vertices of the mean head's eyeball [N, 3] are no cornea."""
    offset = ball - (ball.amin(0) + ball.amax(0)) / 2
    axis = torch.nn.functional.normalize(offset[POLE], dim=0)
    return offset @ axis < math.cos(math.radians(WHITE_DEG)) * offset.norm(dim=1)


def _sphere(points: Tensor) -> tuple[Tensor, Tensor]:
    """Centre and radius of the sphere next to `points` [N, 3], by linear least squares about their mean.

    In double precision and without a matrix product of many rows: MKL adds those in an order that depends on where the
    memory lies, and the same head must come out to the last bit.
    """
    mean = points.mean(0)
    local = (points - mean).double()
    system = torch.cat([2 * local, torch.ones_like(local[:, :1])], 1)
    squared = local.square().sum(1)
    normal = (system[:, :, None] * system[:, None]).sum(0)
    solved = torch.linalg.solve(normal, (system * squared[:, None]).sum(0)).to(points.dtype)
    return mean + solved[:3], (solved[3] + solved[:3].square().sum()).sqrt()


def heights(template: Template, side: int) -> Tensor:
    """[61] by how much of its radius the mean head's eyeball rises over its sphere, at angles PROFILE_DEG off the axis.

    The highest vertex within three degrees, so that a lid that clears the profile clears the eyeball.
    """
    eye, own = eye_of(template, template.neutral, side), template.part(NAMES[side]).vertices
    offset = template.neutral[own] - eye.centre
    reach = offset.norm(dim=1)
    angle = torch.rad2deg(torch.acos((offset @ eye.axis / reach).clamp(-1, 1)))
    near = (angle[None] - PROFILE_DEG.to(angle)[:, None]).abs() < 3
    rise = torch.where(near, reach / eye.radius - 1, -1.0).amax(1)
    return rise.clamp_min(0)


def clearance(points: Tensor, eye: Eye, axis: Tensor, rise: Tensor) -> Tensor:
    """[..., N] metres from the surface of an eyeball that looks along `axis` [..., 3] outwards to `points` [..., N, 3].

    Along the line from its centre; negative inside. `rise` is heights().
    """
    offset = points - eye.centre
    reach = offset.norm(dim=-1)
    cosine = (offset * axis[..., None, :]).sum(-1) / reach
    place = torch.rad2deg(torch.acos(cosine.clamp(-0.99999, 0.99999))).clamp_max(len(rise) - 1.001)
    low = place.floor().long()
    over = rise[low] + (place - low) * (rise[low + 1] - rise[low])
    return reach - eye.radius * (1 + over)


def gaze_rotation(yaw_deg: Tensor | float, pitch_deg: Tensor | float) -> Tensor:
    """[..., 3, 3] the rotation that turns an eye about its pivot to the person's left by yaw and upwards by pitch."""
    yaw, pitch = (torch.deg2rad(torch.as_tensor(angle, dtype=torch.float32)) for angle in (yaw_deg, pitch_deg))
    yaw, pitch = torch.broadcast_tensors(yaw, pitch)
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)
    rows = (yaw.cos(), zero, yaw.sin(), zero, one, zero, -yaw.sin(), zero, yaw.cos())
    turn = torch.stack(rows, -1).unflatten(-1, (3, 3))
    rows = (one, zero, zero, zero, pitch.cos(), pitch.sin(), zero, -pitch.sin(), pitch.cos())
    return turn @ torch.stack(rows, -1).unflatten(-1, (3, 3))


def looks(template: Template, weights: Tensor, side: int) -> Tensor:
    """[..., 3, 3] how the left (side 0) or right (1) eye turns under shape strengths `weights` [..., S]."""
    suffix = "_LR"[side + 1]

    def of(name: str) -> Tensor:
        return weights[..., template.shapes.index(f"eyeLook{name}_{suffix}")]

    outwards = OUT_DEG * of("Out") - IN_DEG * of("In")
    return gaze_rotation(outwards if side == 0 else -outwards, UP_DEG * of("Up") - DOWN_DEG * of("Down"))


def eye_displacement(template: Template, vertices: Tensor, weights: Tensor, side: int) -> Tensor:
    """[..., N, 3] metres by which the eyeball of a head `vertices` [V, 3] moves under `weights` [..., S].

    It turns with a look and is drawn back a little by a blink.
    """
    eye, own = eye_of(template, vertices, side), template.part(NAMES[side]).vertices
    turn = looks(template, weights, side)
    offset = vertices[own] - eye.centre
    blink = weights[..., template.shapes.index("eyeBlink_" + "LR"[side])]
    back = -DRAWN_BACK_M * blink[..., None, None] * eye.axis
    return offset @ (turn - torch.eye(3, device=turn.device)).transpose(-1, -2) + back
