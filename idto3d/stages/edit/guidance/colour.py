"""Colours of an edit under the albedo guidance: a smooth glaze over what changed, held near the colours it lies on.

On the skin the glaze is a small network over a coarse hash grid, so that no border of the texture shows; hair and
beard, whose strands share texels all over the head, get one tint each. It is laid on as thick as the change is: nothing
where nothing changed.
"""

from collections.abc import Collection, Generator, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from idto3d.config import HDRI, HashGridOptions
from idto3d.events import StepDone
from idto3d.fields.hash_grid import BoxEncoding
from idto3d.fields.material_field import DARKEST
from idto3d.fields.modulated import SmallMlp
from idto3d.geometry.tet_grid import BOX_HIGH, BOX_LOW
from idto3d.guidance.distillation import distil
from idto3d.guidance.schedules import draw_timesteps
from idto3d.head.paint.atlas import texels_of
from idto3d.head.parts import Head, Part
from idto3d.render.backend import make_rasterizer
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.render.draw import paint, sample, to_uint8
from idto3d.render.dressed import read_dressed
from idto3d.render.environment import environment_to, load_environment
from idto3d.render.painted import PaintedMaterial
from idto3d.render.rasterizer import Rasterizer
from idto3d.stages.dressing import Worn, dressed_head, holes_of, worn_from
from idto3d.stages.edit.guidance.guide import STAGE, VIEWS
from idto3d.stages.edit.guidance.masks import SKIN
from idto3d.stages.material import PREVIEW_LIGHT, Canvas, make_canvas, seen
from idto3d.stages.optimise import Optimiser
from idto3d.stages.saved import FinishedHead
from idto3d.stages.wish import Wish, as_pictures, draw_views, terms

# With these, eight steps lower the albedo guidance's error on pictures that it was not shown, of green hair and of aged
# skin, by up to 1.4 %, and change colours by 1 to 4 of 255.
RATE = 0.1
ANCHOR = 4000.0  # as material.anchor
GRID = HashGridOptions(levels=4, log2_size=12, base=4, growth=1.6)  # its finest cells are two centimetres wide


class Glaze(nn.Module):
    """What is added to the linear albedo of `materials` before its sigmoid; zero at first."""

    def __init__(self, head: Head, materials: Collection[str], generator: torch.Generator):
        super().__init__()
        skin = next(part.vertices for part in head.parts if part.material == SKIN)
        self.tints = nn.ParameterDict({name: nn.Parameter(skin.new_zeros(3)) for name in materials if name != SKIN})
        self.field = None
        if SKIN in materials:
            self.encoding = BoxEncoding(GRID, (BOX_LOW, BOX_HIGH), skin.device, generator)
            self.field = SmallMlp(self.encoding.out_channels, 3, generator=generator).to(skin.device)
            self._prepared = self.encoding.prepare(skin)

    def forward(self, head: Head) -> Tensor:
        """[V, 3] at the vertices of all parts of `head`, in their order."""
        return torch.cat([self.of(part) for part in head.parts])

    def of(self, part: Part) -> Tensor:
        """[V, 3] at the vertices of a part."""
        material = part.material
        if material == SKIN and self.field is not None:
            return self.field(self.encoding.lookup(self._prepared))
        tint = self.tints[material] if material in self.tints else part.vertices.new_zeros(3)
        return tint.expand(len(part.vertices), 3)


def glazed(
    wish: Wish, finished: FinishedHead, shares: Mapping[str, np.ndarray], steps: int, generator: torch.Generator
) -> Generator[StepDone, None, FinishedHead]:
    """The head after `steps` of the albedo guidance on the materials of which `shares` [S, S] say how far, 0..1."""
    canvas = canvas_of(finished, shares)
    head = finished.head.first(len(wish.expressions))
    glaze = Glaze(head, shares, generator)
    optimiser = Optimiser(glaze, [(list(glaze.parameters()), RATE)], steps)
    for step in range(1, steps + 1):
        finite = optimiser.step(_loss(wish, canvas, head, glaze, generator))
        yield StepDone(STAGE, step, steps, {"finite": float(finite)})
    optimiser.settle()
    with torch.no_grad():
        laid = {name: _laid(finished, name, glaze, share) for name, share in shares.items()}
    return replace(finished, painted=dict(finished.painted) | laid)


def canvas_of(finished: FinishedHead, shares: Mapping[str, np.ndarray] | None = None) -> Canvas:
    """A finished head ready to be drawn in its textures, of which all is certain but what `shares` leave open."""
    device = finished.coefficients.device
    wear = worn_from(finished.painted, shares or {})
    light = environment_to(load_environment(HDRI / f"{PREVIEW_LIGHT}.hdr"), device)
    head = finished.head.first(len(finished.options.expressions))
    return make_canvas(head, (light,), _rasterizer(head, wear, device), dressed_head(head, wear, device))


def _rasterizer(head: Head, wear: Mapping[str, Worn], device: torch.device) -> Rasterizer:
    return make_rasterizer(device, holes_of(head, wear))


def _loss(wish: Wish, canvas: Canvas, head: Head, glaze: Glaze, generator: torch.Generator) -> Tensor:
    views = draw_views(wish, VIEWS, generator)
    size = wish.guidances[0][0].info.stages.material_image_size
    surface = seen(canvas, views.expression_ids, views.camera, size)
    start, _, certain = read_dressed(canvas.dressed, surface).split([3, 1, 1], -1)
    was = srgb_from_linear(start)
    now = srgb_from_linear(_under(start, (1 - certain) * sample(surface, glaze(head))))
    image, _ = paint(surface, now, wish.background("albedo"))
    timesteps = draw_timesteps(wish.timesteps().joint, VIEWS, generator)
    sds = distil(terms(wish, "albedo", views), "albedo", as_pictures(image), timesteps, generator, wish.distillation())
    return sds + ANCHOR * (now - was).square().mean()


def _under(albedo: Tensor, glaze: Tensor) -> Tensor:
    """Linear `albedo` under a glaze of the same shape."""
    return torch.sigmoid(torch.logit(albedo, DARKEST) + glaze)


def _laid(finished: FinishedHead, material: str, glaze: Glaze, share: np.ndarray) -> PaintedMaterial:
    """The texture of a material under its glaze; bytes without a share stay as they are."""
    part = next(part for part in finished.head.parts if part.material == material)
    added, was = glaze.of(part).cpu().numpy(), finished.painted[material]
    if material == SKIN:
        texels = texels_of(part.faces.cpu().numpy(), part.uvs.cpu().numpy(), len(share))
        added = texels.spread(texels.read(added))
    else:
        added = np.broadcast_to(added[0], (*share.shape, 3))
    linear = linear_from_srgb(torch.from_numpy(was.albedo[..., :3]).float() / 255)
    thick = torch.from_numpy(share[..., None] * added).float()
    now = was.albedo.copy()
    now[..., :3] = np.where(share[..., None] > 0, to_uint8(srgb_from_linear(_under(linear, thick))), now[..., :3])
    return replace(was, albedo=now)
