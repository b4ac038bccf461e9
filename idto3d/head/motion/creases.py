"""Folds of the skin that go with expressions: without them a raised brow is a smooth forehead moved up. Metres.

The template's shapes move skin and hardly crease it. A fold is a groove along a line, with the skin beside it raised on
one side or on both, on the mean head seen from the front; it goes in and out along the normals of the head it is on.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals
from idto3d.head.template import FACE, LANDMARKS
from idto3d.head.template_model import Template

EYES = (LANDMARKS[36], LANDMARKS[45])  # outer corners, whose distance says how large a face is
FRONT_M = 0.05  # before the ears, from which on skin is seen from the front
BESIDE = 1.9  # widths of a groove from its middle to where the skin stands highest
ENDS = 0.3  # share of a line over which its fold fades out to both ends


@dataclass(frozen=True)
class Crease:
    """A fold of the left half of the face, and of the right one, in the expression shape `shape` without its side.

    line: millimetres to the left and up of points on it. depth and width: millimetres of the groove; inner and outer:
    how high the skin stands beside it, in shares of the depth, to the right and to the left of who goes along the line.
    """

    shape: str
    line: tuple[tuple[float, float], ...]
    depth: float
    width: float
    inner: float = 0.5
    outer: float = 0.5


CREASES = (
    # From the wings of the nose around the corners of the mouth; the cheek stands over it.
    Crease("mouthSmile", ((17, -2), (27, -13), (34, -27), (37, -40), (35, -48)), 1.5, 3.0, 0.1, 0.9),
    Crease("noseSneer", ((15, 2), (24, -8), (31, -20), (33, -30)), 1.3, 3.0, 0.1, 0.7),
    # Across the forehead.
    *(Crease("browInnerUp", ((-2, y + 1), (12, y + 1), (26, y)), 0.9, 2.8) for y in (76, 86, 96)),
    *(Crease("browOuterUp", ((8, y + 1), (24, y + 2), (42, y - 3)), 0.8, 2.8) for y in (76, 86, 96)),
    # Upright between the brows.
    Crease("browDown", ((6, 44), (7, 56), (9, 68)), 1.3, 2.6),
    # Down from the corners of the mouth.
    Crease("mouthFrown", ((27, -36), (31, -46), (32, -57)), 1.2, 2.8, 0.3, 0.6),
)


def creased(template: Template, vertices: Tensor, weights: Tensor) -> Tensor:
    """[E, V, 3] metres: what folds do to a head `vertices` [V, 3] in expressions of strengths `weights` [E, S]."""
    size, mean = (_breadth(points) for points in (vertices, template.neutral))
    skin = template.part("skin")
    normals = vertex_normals(vertices[skin.vertices], skin.faces)
    amount = weights.clamp(0, 1) @ _heights(template)
    moved = vertices.new_zeros(len(weights), *vertices.shape)
    moved[:, skin.vertices] = (size / mean) * amount[..., None] * normals
    return moved


def _breadth(points: Tensor) -> Tensor:
    return (points[EYES[0]] - points[EYES[1]]).norm()


def _heights(template: Template) -> Tensor:
    """[S, N] metres by which each shape raises the N vertices of the skin along their normals."""
    skin = template.neutral[template.part("skin").vertices]
    seen = torch.zeros_like(skin[:, 0])
    seen[FACE] = (skin[FACE, 2] > FRONT_M).to(skin)
    heights = skin.new_zeros(len(template.shapes), len(skin))
    for crease in CREASES:
        for side, sign in (("_L", 1.0), ("_R", -1.0)):
            places = skin[:, :2] * skin.new_tensor([sign, 1.0])
            heights[template.shapes.index(crease.shape + side)] += seen * _height(crease, places)
    return heights


def _height(crease: Crease, places: Tensor) -> Tensor:
    """[N] metres of one fold at `places` [N, 2] metres to the left and up."""
    across, along = _seen_from(places.new_tensor(crease.line) / 1000, places)
    across = 1000 * across / crease.width
    fade = (torch.minimum(along, 1 - along) / ENDS).clamp(0, 1)
    profile = -_bump(across) + crease.inner * _bump(across + BESIDE) + crease.outer * _bump(across - BESIDE)
    return crease.depth / 1000 * fade * fade * (3 - 2 * fade) * profile


def _bump(place: Tensor) -> Tensor:
    return (-place.square()).exp()


def _seen_from(line: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """[N] metres across from the nearest point of a `line` [P, 2], to the left of its way positive; and how far along
    it that is, 0..1.
    """
    start, way = line[:-1], line[1:] - line[:-1]
    length = way.norm(dim=1)
    offset = places[:, None] - start
    share = ((offset * way).sum(-1) / length.square()).clamp(0, 1)
    off = offset - share[..., None] * way
    gap, piece = off.norm(dim=-1).min(1)
    rows = torch.arange(len(places), device=places.device)
    side = (way[piece, 0] * off[rows, piece, 1] - way[piece, 1] * off[rows, piece, 0]).sign()
    before = torch.cat([length.new_zeros(1), length.cumsum(0)])
    along = (before[piece] + share[rows, piece] * length[piece]) / before[-1]
    return gap * side, along
