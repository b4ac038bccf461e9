"""A finished head as a picture, drawn from what is saved of it, without its asset."""

from dataclasses import replace

import numpy as np
import torch

from idto3d.config import HDRI
from idto3d.head.paint.bytes import linear_of
from idto3d.head.parts import Head
from idto3d.render.backend import make_rasterizer
from idto3d.render.backends.kernel import Holes
from idto3d.render.environment import environment_to, load_environment
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.dressing import Worn, dressed_head, holes_of
from idto3d.stages.material import PREVIEW_LIGHT, Canvas, make_canvas, relit_picture
from idto3d.stages.saved import FinishedHead

REST = "neutral"


def canvas_of(head: FinishedHead) -> Canvas:
    """The head in its textures, at rest alone, ready to be drawn under the preview light."""
    device = head.head.parts[0].vertices.device
    wear = wear_of(head)
    light = environment_to(load_environment(HDRI / f"{PREVIEW_LIGHT}.hdr"), device)
    rasterizer = make_rasterizer(device, holes_of(head.head, wear))
    return make_canvas(at_rest(head.head), (light,), rasterizer, dressed_head(head.head, wear, device))


def picture_of(head: FinishedHead, size: int, azimuth_deg: float = 0.0) -> np.ndarray:
    """A relit picture [S, S, 3] uint8 sRGB of the head at rest."""
    return relit_picture(canvas_of(head), None, size, azimuth_deg=azimuth_deg)


def wear_of(head: FinishedHead) -> dict[str, Worn]:
    """What the parts of a finished head wear, by material; what its colours are is known."""
    return {name: _worn(head.painted[name]) for name in dict.fromkeys(part.material for part in head.head.parts)}


def _worn(painted: PaintedMaterial) -> Worn:
    linear = linear_of(painted.albedo[..., :3])
    rough = painted.roughness[..., None].astype(np.float32) / 255
    opacity = np.ascontiguousarray(painted.albedo[..., 3]) if painted.albedo.shape[-1] == 4 else None
    return Worn(torch.from_numpy(np.concatenate([linear, rough, np.ones_like(rough)], -1)), opacity, painted.normal)


def holes_of_head(head: FinishedHead) -> Holes:
    """Where the parts of a finished head let through what lies behind them."""
    return holes_of(head.head, wear_of(head))


def rest_number(head: Head) -> int:
    """The number of the expression in which a head is at rest."""
    return head.expressions.index(REST) if REST in head.expressions else 0


def at_rest(head: Head) -> Head:
    """The head with no other expression than the one in which it is at rest."""
    number = rest_number(head)
    parts = [replace(part, displacements=part.displacements[number : number + 1]) for part in head.parts]
    return Head(head.expressions[number : number + 1], tuple(parts))
