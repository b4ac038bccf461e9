"""The jaw moves as a bone: every head's turns about its own joints, by the angles that the mean head's does. Metres."""

from dataclasses import dataclass

import torch
from torch import Tensor

from idto3d.head.template import FACE
from idto3d.head.template_model import Template

SHAPES = ("jawForward", "jawLeft", "jawOpen", "jawRight")  # what moves the lower teeth
HINGE = "jawOpen"  # whose axis goes through the joints
JOINT_M, NEAR_M = 0.055, 0.02  # from the middle to the skin over a joint, and how far around it the skin tells where


@dataclass(frozen=True, eq=False)
class Jaw:
    """The mean head's jaw: what SHAPES, numbers `shapes` [4] of the template's, do to it.

    A point of the bone at x, seen from the joints' middle, moves by (turn - 1) x + slide: turn [4, 3, 3], slide [4, 3].
    joints [3] is that middle on the mean head, `around` [N] the skin's vertices that tell where it is on another.
    """

    shapes: tuple[int, ...]
    turn: Tensor
    slide: Tensor
    joints: Tensor
    around: Tensor

    def joints_of(self, template: Template, vertices: Tensor) -> Tensor:
        """[3] the middle of the joints of a head `vertices` [V, 3]."""
        shift = vertices[self.around] - template.neutral[self.around]
        return self.joints + shift.mean(0)

    def motion(self, points: Tensor, joints: Tensor) -> Tensor:
        """[4, N, 3] how the bone moves at `points` [N, 3] of a head with these `joints` [3]."""
        offset = (self.turn - torch.eye(3).to(points)).unsqueeze(1) @ (points - joints)[:, :, None]
        return offset[..., 0] + self.slide[:, None]


def jaw_of(template: Template) -> Jaw:
    """The jaw that the template's shapes were made with: the rigid motion of its lower teeth."""
    teeth, moves = template.part("teeth").vertices, template.dense_moves()
    shapes = tuple(template.shapes.index(name) for name in SHAPES)
    own = moves[shapes[SHAPES.index(HINGE)], teeth].abs().amax(1) > 0
    points = template.neutral[teeth][own]
    motions = [_rigid(points, points + moves[number, teeth][own]) for number in shapes]
    turn, offset = (torch.stack(part) for part in zip(*motions, strict=True))
    joints = _fixed(turn[SHAPES.index(HINGE)], offset[SHAPES.index(HINGE)])
    slide = offset + (turn - torch.eye(3).to(turn)) @ joints
    face = template.neutral[FACE]
    over = torch.stack([joints + joints.new_tensor([side * JOINT_M, 0, 0]) for side in (-1.0, 1.0)])
    around = (torch.cdist(face, over).amin(1) < NEAR_M).nonzero()[:, 0]
    return Jaw(shapes, turn, slide, joints, around)


def with_jaw(template: Template, vertices: Tensor, moves: Tensor) -> Tensor:
    """[S, V, 3] the shapes `moves` [S, V, 3] with teeth, gums and tongue of a head `vertices` [V, 3] on its own jaw.

    What goes with the jaw only in part, as gums and tongue, takes as much of the difference.
    """
    jaw, result = jaw_of(template), moves.clone()
    joints = jaw.joints_of(template, vertices)
    for name in ("teeth", "gums_tongue"):
        own = template.part(name).vertices
        plain = jaw.motion(template.neutral[own], jaw.joints)
        change = jaw.motion(vertices[own], joints) - plain
        for place, number in enumerate(jaw.shapes):
            result[number, own] += share_of(moves[number, own], plain[place])[:, None] * change[place]
    return result


def share_of(moved: Tensor, bone: Tensor) -> Tensor:
    """[N] 0..1 how much of the bone's motion `bone` [N, 3] is in `moved` [N, 3]."""
    return ((moved * bone).sum(-1) / bone.square().sum(-1).clamp_min(1e-12)).clamp(0, 1)


def _rigid(before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """The rotation [3, 3] and offset [3] that take `before` [N, 3] nearest to `after` [N, 3] (Kabsch 1976)."""
    first, second = before.double(), after.double()
    middle, target = first.mean(0), second.mean(0)
    left, _, right = torch.linalg.svd((second - target).T @ (first - middle))
    sign = torch.ones(3).to(first)
    sign[2] = torch.linalg.det(left @ right).sign()
    turn = (left * sign) @ right
    return turn.to(before), (target - turn @ middle).to(before)


def _fixed(turn: Tensor, offset: Tensor) -> Tensor:
    """[3] the point in the middle of the head that a turn about an axis across it moves least."""
    still = (torch.eye(3).to(turn) - turn)[:, 1:]
    found = torch.linalg.lstsq(still.double(), offset.double()[:, None]).solution[:, 0]
    return torch.cat([found.new_zeros(1), found]).to(turn)
