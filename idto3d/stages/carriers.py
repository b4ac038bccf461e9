"""The two ways from a start to a painted head: the fitted template, and the tetrahedral field of ID-to-3D."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.config import HDRI, HeadOptions
from idto3d.events import Event, Preview
from idto3d.fields.material_field import MaterialField
from idto3d.fields.posed_mesh import PosedMesh
from idto3d.fields.template_shape import TemplateShape
from idto3d.fields.tetrahedral import TetrahedralShape
from idto3d.geometry.registration import Surface, surface_of
from idto3d.head.features.grown import laid_onto_grown
from idto3d.head.parts import Head, Part
from idto3d.head.start import Start
from idto3d.render.backend import make_rasterizer
from idto3d.render.environment import environment_to, load_environments
from idto3d.render.painted import PaintedMaterial
from idto3d.render.rasterizer import Rasterizer
from idto3d.stages.carving.carve import carve, scene_of, with_skin
from idto3d.stages.carving.carver import Block, bare_share, block_of
from idto3d.stages.dressing import dressed_head, holes_of, painted, repainted
from idto3d.stages.fit import STAGE as FIT
from idto3d.stages.fit import Fitted, known_at, reads_relief
from idto3d.stages.material import Canvas, dressed_material, make_canvas, paint_material, relit_picture
from idto3d.stages.materials.worn import with_materials
from idto3d.stages.models import Models
from idto3d.stages.optimise import Checkpoints
from idto3d.stages.saved import as_begun
from idto3d.stages.shape import STAGE as SHAPE
from idto3d.stages.shape import grow_shape
from idto3d.stages.texture.skin import with_atlas
from idto3d.stages.wish import Wish

TEXELS_AT_ONCE = 1 << 16
TEXELS_A_PIXEL = 2  # that details have along a picture's pixel
SKIN = "skin"


@dataclass(frozen=True, eq=False)
class Shaped:
    """A head that is grown, in the template's parts: see `saved.FinishedHead` for what the entries are."""

    head: Head
    coefficients: Tensor
    carrier: Mapping[str, Tensor]
    meshes: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Tetrahedra:
    """What was grown on tetrahedra: the surface of each expression, and likewise."""

    surfaces: Mapping[str, Surface]
    coefficients: Tensor
    carrier: Mapping[str, Tensor]
    meshes: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Made:
    """A head that is grown and painted, likewise."""

    head: Head
    coefficients: Tensor
    carrier: Mapping[str, Tensor]
    field: MaterialField
    canvas: Canvas
    painted: Mapping[str, PaintedMaterial]
    meshes: Mapping[str, Part]


def on_template(
    wish: Wish, fitted: Fitted, models: Models, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, Made]:
    """The fitted template: its shape refined where photos leave it free, and painted where they saw nothing."""
    blank = yield from _shown(fitted, models, options)
    random = torch.Generator().manual_seed(options.seed)
    shape = as_begun(options.shape, checkpoints.latest(SHAPE))
    carrier = TemplateShape(fitted.rest, len(options.expressions), shape, blank.rasterizer, random)
    head = yield from grow_shape(wish, carrier, options, checkpoints, random)
    grown = Shaped(head, fitted.rest.coefficients, carrier.module.state_dict())
    return (yield from _painted(wish, grown, fitted, blank, models, options, checkpoints))


def on_tetrahedra(
    wish: Wish, start: Start, fitted: Fitted, models: Models, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, Made]:
    """The paper's way: the head prior's surface in a field of distances, onto which the fitted template is laid.

    The field starts as the head of the prior that is like the fitted one. Painted is the template, as on its own way.
    """
    blank = yield from _shown(fitted, models, options)
    random = torch.Generator().manual_seed(options.seed)
    start = replace(start, coefficients=models.prior.code_of(fitted.rest.coefficients))
    shape = as_begun(options.shape, checkpoints.latest(SHAPE))
    carrier = TetrahedralShape(start, models.prior, options.expressions, shape, random)
    if options.shape.meshes == "each":
        tets = yield from _each_alone(wish, start, carrier.finished(), carrier.skin_share, options, checkpoints)
    else:
        head = yield from grow_shape(wish, carrier, options, checkpoints, random)
        surfaces = _surfaces(head, carrier.skin_share(head.parts[0].vertices))
        tets = Tetrahedra(surfaces, carrier.coefficients(), carrier.module.state_dict())
    del carrier  # its band is large, and painting needs the memory
    laid = laid_onto_grown(fitted.template, fitted.rest.head, fitted.rest.free, tets.surfaces)
    grown = Shaped(laid, tets.coefficients, tets.carrier, tets.meshes)
    return (yield from _painted(wish, grown, fitted, blank, models, options, checkpoints))


def _each_alone(
    wish: Wish, start: Start, first: Head, skin_share: Callable[[Tensor], Tensor], options: HeadOptions, checkpoints
) -> Generator[Event, None, Tetrahedra]:
    """A field for each expression, which starts as the head `first` in it; the same views and noise for all.

    skin_share says how much of its rest is skin, [N] at points [N, 3].
    """
    (part,), bare = first.parts, replace(start, traits={})
    share, surfaces, meshes, learned = skin_share(part.vertices), {}, {}, {}
    for name, pose in zip(first.expressions, part.positions(), strict=True):
        random = torch.Generator().manual_seed(options.seed)
        prior = PosedMesh(pose, part.faces, len(start.coefficients))
        kept_as = f"{SHAPE} {name}"
        shape = as_begun(options.shape, checkpoints.latest(kept_as))
        carrier = TetrahedralShape(bare, prior, (name,), shape, random)
        alone = replace(wish, expressions=(name,))
        head = yield from grow_shape(alone, carrier, options, checkpoints, random, kept_as)
        learned |= {f"{name}.{key}": value for key, value in carrier.module.state_dict().items()}
        (own,) = head.parts
        grown = own.positions()[0]
        near = cKDTree(pose.cpu().numpy()).query(grown.cpu().numpy())[1]
        surfaces[name] = surface_of(grown, own.faces, share[torch.from_numpy(near).to(share.device)])
        meshes[name] = replace(own, vertices=grown, displacements=torch.zeros_like(own.displacements))
    return Tetrahedra(surfaces, start.coefficients, learned, meshes)


def _surfaces(head: Head, share: Tensor) -> dict[str, Surface]:
    """What the template is laid onto, by expression: a grown `head` of one part, of which `share` [V] is skin."""
    (part,) = head.parts
    poses = zip(head.expressions, part.positions(), strict=True)
    return {name: surface_of(positions, part.faces, share) for name, positions in poses}


def _shown(fitted: Fitted, models: Models, options: HeadOptions) -> Generator[Event, None, Canvas]:
    """Show the fitted head; what it is drawn with serves the grown one too."""
    rasterizer = rasterizer_of(fitted, models.device)
    dressed = dressed_head(fitted.rest.head, fitted.wear, models.device)
    blank = make_canvas(fitted.rest.head.first(len(options.expressions)), _lights(models), rasterizer, dressed)
    yield Preview(FIT, "relit", relit_picture(blank, None, options.preview_size), options.expressions[0])
    return blank


def _painted(
    wish: Wish, grown: Shaped, fitted: Fitted, blank: Canvas, models: Models, options: HeadOptions, checkpoints
) -> Generator[Event, None, Made]:
    """A grown head of the template's parts with its skin carved and painted where no photo saw it."""
    if options.carving.steps:
        grown, fitted = yield from _carved(wish, grown, fitted, blank, options, checkpoints)
    drawn = (blank.lights, blank.rasterizer, blank.dressed)
    canvas = make_canvas(grown.head.first(len(options.expressions)), *drawn)
    fitted, canvas = yield from with_atlas(wish, fitted, canvas, models, options, checkpoints)
    material = yield from paint_material(wish, canvas, options, checkpoints)
    wear = repainted(fitted.wear, fitted.skin, _baked(material, grown.head, fitted))
    if models.materials is not None:
        how = (models.materials, reads_relief(options.material))
        wear = yield from with_materials(wear, fitted.template, fitted.skin, fitted.colour, *how)
    worn = replace(canvas, dressed=dressed_head(grown.head, wear, grown.head.parts[0].vertices.device))
    return Made(grown.head, grown.coefficients, grown.carrier, material, worn, painted(wear), grown.meshes)


def _carved(
    wish: Wish, grown: Shaped, fitted: Fitted, blank: Canvas, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, tuple[Shaped, Fitted]]:
    """A grown head whose skin has details, and what it wears with their relief."""
    head, skin = grown.head, fitted.wear[SKIN]
    neutral = options.expressions.index("neutral") if "neutral" in options.expressions else 0
    scene = scene_of(head, neutral, blank.dressed, blank.rasterizer)
    carver = yield from carve(wish, block_in(head, fitted, options), scene, options, checkpoints)
    wear = dict(fitted.wear) | {SKIN: replace(skin, normal=carver.worn(skin.normal))}
    return replace(grown, head=with_skin(head, carver.finished())), replace(fitted, wear=wear)


def block_in(head: Head, fitted: Fitted, options: HeadOptions) -> Block:
    """The skin of a grown head, to be carved where no photo shows it."""
    skin, template = head.parts[0], fitted.template
    free = fitted.rest.free * (1 - known_at(fitted.rest))
    bare = bare_share(fitted.rest.free, fitted.colour.known, fitted.skin)
    side = TEXELS_A_PIXEL * (options.carving.image_size or options.material.image_size)
    modes = template.identity[:, template.part(SKIN).vertices]
    return block_of(skin, modes, free, bare, fitted.wear[SKIN].normal, min(side, len(bare)))


def rasterizer_of(fitted: Fitted, device: torch.device) -> Rasterizer:
    """What draws a head with hair and lashes, with their holes."""
    return make_rasterizer(device, holes_of(fitted.rest.head, fitted.wear))


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
