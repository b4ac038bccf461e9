"""The two ways from a start to a painted head: the fitted template, and the tetrahedral field of ID-to-3D."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from idto3d.config import HDRI, HeadOptions
from idto3d.events import Event, Preview
from idto3d.fields.material_field import MaterialField
from idto3d.fields.template_shape import TemplateShape
from idto3d.fields.tetrahedral import TetrahedralShape
from idto3d.head.parts import Head
from idto3d.head.start import Start
from idto3d.render.backend import make_rasterizer
from idto3d.render.backends.numba_raster import NumbaRasterizer
from idto3d.render.environment import environment_to, load_environments
from idto3d.render.painted import PaintedMaterial
from idto3d.render.rasterizer import Rasterizer
from idto3d.stages.dressing import dressed_head, holes_of, painted, repainted
from idto3d.stages.fit import STAGE as FIT
from idto3d.stages.fit import Fitted
from idto3d.stages.material import Canvas, dressed_material, make_canvas, paint_material, relit_picture
from idto3d.stages.models import Models
from idto3d.stages.saved import Checkpoints, colours_of
from idto3d.stages.shape import grow_shape
from idto3d.stages.wish import Wish

TEXELS_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class Made:
    """A head that is grown and painted: see `saved.FinishedHead` for what the entries are."""

    head: Head
    coefficients: Tensor
    carrier: Mapping[str, Tensor]
    field: MaterialField
    canvas: Canvas
    painted: Mapping[str, PaintedMaterial] = field(default_factory=dict)


def on_tetrahedra(
    wish: Wish, start: Start, models: Models, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, Made]:
    """The paper's way: the head prior's surface in a field of distances, of one part."""
    random = torch.Generator().manual_seed(options.seed)
    carrier = TetrahedralShape(start, models.prior, options.expressions, options.shape, random)
    head = yield from grow_shape(wish, carrier, options, checkpoints, random)
    coefficients, learned = carrier.coefficients(), carrier.module.state_dict()
    del carrier  # its band is large, and painting needs the memory
    canvas = make_canvas(head, _lights(models), make_rasterizer(models.device))
    colours = colours_of(models.prior, coefficients, start)
    material = yield from paint_material(wish, canvas, colours, options, checkpoints)
    return Made(head, coefficients, learned, material, canvas)


def on_template(
    wish: Wish, fitted: Fitted, models: Models, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, Made]:
    """The fitted template: its shape refined where photos leave it free, and painted where they saw nothing."""
    rasterizer = rasterizer_of(fitted, models.device)
    dressed = dressed_head(fitted.rest.head, fitted.wear, models.device)
    first = make_canvas(fitted.rest.head.first(len(options.expressions)), _lights(models), rasterizer, dressed)
    yield Preview(FIT, "relit", relit_picture(first, None, options.preview_size))
    random = torch.Generator().manual_seed(options.seed)
    carrier = TemplateShape(fitted.rest, len(options.expressions), options.shape, rasterizer, random)
    head = yield from grow_shape(wish, carrier, options, checkpoints, random)
    canvas = make_canvas(head.first(len(options.expressions)), first.lights, rasterizer, dressed)
    material = yield from paint_material(wish, canvas, None, options, checkpoints)
    wear = repainted(fitted.wear, fitted.skin, _baked(material, head, fitted))
    worn = replace(canvas, dressed=dressed_head(head, wear, models.device))
    return Made(head, fitted.rest.coefficients, carrier.module.state_dict(), material, worn, painted(wear))


def rasterizer_of(fitted: Fitted, device: torch.device) -> Rasterizer:
    """What draws a head with hair and lashes: on the CPU with their holes, elsewhere as if they had none."""
    if device.type != "cpu":
        return make_rasterizer(device)
    return NumbaRasterizer(holes_of(fitted.rest.head, fitted.wear))


def _lights(models: Models):
    return tuple(environment_to(light, models.device) for light in load_environments(HDRI))


@torch.no_grad()
def _baked(material: MaterialField, head: Head, fitted: Fitted) -> np.ndarray:
    """Linear albedo [N, 3] at the texels of the skin: what photos know, and what the field has learned elsewhere."""
    points = fitted.skin.texels.read(head.parts[0].vertices.cpu().numpy().astype(np.float64))
    worn = np.concatenate([fitted.colour.albedo, np.full((len(points), 1), 0.5), fitted.colour.known[:, None]], 1)
    device = head.parts[0].vertices.device
    pairs = zip(_chunks(points, device), _chunks(worn, device), strict=True)
    return np.concatenate([dressed_material(material, *pair, 0).albedo[0].cpu().numpy() for pair in pairs])


def _chunks(values: np.ndarray, device: torch.device) -> tuple[Tensor, ...]:
    return torch.from_numpy(values).float().to(device).split(TEXELS_AT_ONCE)
