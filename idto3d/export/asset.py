"""Writes everything an artist takes away: head.glb, its textures, renders, a sheet of expressions, more on request."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from idto3d.config import ExportOptions
from idto3d.events import Event, Preview, StageStarted, StepDone
from idto3d.export.bake import (
    Canvas,
    SampleMaterial,
    albedo_texture,
    metallic_roughness_texture,
    normal_texture,
    relief_strength,
    sampled,
)
from idto3d.export.enlarging.enlarged import enlarged
from idto3d.export.enlarging.network import load_enlarger
from idto3d.export.given import given_mesh, given_texels
from idto3d.export.gltf.former import Former
from idto3d.export.gltf.glb import ImageFiles, Layout, glb_bytes
from idto3d.export.gltf.load import Asset
from idto3d.export.gltf.mesh import HeadMesh, still
from idto3d.export.gltf.provenance import Provenance, as_extras, as_notes
from idto3d.export.gltf.specular import coded
from idto3d.export.images import png_bytes, six_bits, small_jpeg, write_png
from idto3d.export.prepare import Prepared, dense_surfaces, part_meshes, posed_surface, prepared, shares, simplified
from idto3d.export.requested import Made, check_requested, count_requested, write_requested
from idto3d.export.stills import FRONT, PICTURES, SHEET, drawn
from idto3d.export.surface import carry, eased_normals
from idto3d.export.textures import Textures, painted_textures, unbroken
from idto3d.files import write_atomic
from idto3d.head.parts import Head, Part
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.parted import kind_of

STAGE = "asset"
# At most, of what lies as JPEG in a GLB.
BYTES_PER_TEXEL = {"albedo": 0.3, "metallic_roughness": 0.12, "normal": 0.35, "specular": 0.12}
SKIN, HAIR = "skin", "hair"  # materials whose textures are larger than those of small parts
ENOUGH_FOR_HAIR = 1024  # pixels; where the skin has more than twice as many, half of them


@dataclass(frozen=True)
class Order:
    """What is asked for: see `write_asset`."""

    head: Head
    sample: SampleMaterial
    painted: Mapping[str, PaintedMaterial]
    folder: Path
    options: ExportOptions
    provenance: Provenance
    former: Former | None = None


def write_asset(
    head: Head,
    sample: SampleMaterial,
    folder: Path,
    options: ExportOptions,
    provenance: Provenance,
    painted: Mapping[str, PaintedMaterial] | None = None,
    meshes: Mapping[str, Part] | None = None,
    pictures: Sequence[Path] = PICTURES,
    former: Former | None = None,
) -> Generator[Event, None, Path]:
    """Write the asset into `folder`, reporting each file; returns the path of head.glb.

    sample(material, points, expression): what the material of that name is made of at canonical `points` [N, 3],
    metres, in the expression of that index. painted: materials that have their textures already and are not sampled.
    meshes: expressions that were grown as a mesh of their own, which their files show. pictures: those of PICTURES that
    are drawn; the others are for `stills.remaining`. former: the asset of before, whose parts and textures are taken
    over as far as it knows them to be right, where nothing but head.glb and its front is asked for.
    Each file appears whole or not at all, and head.glb comes first. Raises ValueError where `dense_surfaces` does, and
    for a painted material whose parts have no texture coordinates; UserError where a package is missing.
    """
    check_requested(options)
    more = count_requested(options, len(head.expressions))
    former = former if not more and options.only == "all" and pictures == (FRONT,) else None
    order = Order(head, sample, painted or {}, folder, options, provenance, former)
    steps, number = 4 + len(pictures) + more, count(1)
    yield StageStarted(STAGE, steps)
    materials = _simplified(order)
    yield StepDone(STAGE, next(number), steps)
    mesh = _morphing(order, materials)
    yield StepDone(STAGE, next(number), steps)
    canvases = _canvases(order, materials)
    textures = {name: _textures(order, name, canvases, materials) for name in _materials(head)}
    yield Preview(STAGE, "albedo", np.ascontiguousarray(textures[head.parts[0].material].albedo[..., :3]))
    yield StepDone(STAGE, next(number), steps)
    images = {name: _files(order, name, one) for name, one in textures.items()}
    made = Made(mesh, textures, images, provenance, meshes or {})
    glb = _write_head(order, made)
    yield StepDone(STAGE, next(number), steps)
    asset = Asset(mesh, textures, as_extras(provenance), options.alpha == "blend")
    for name in pictures:
        image = drawn(asset, name, options.render_size)
        write_png(folder / name, image, as_notes(provenance))
        if name == SHEET:
            yield Preview(STAGE, "sheet", image)
        yield StepDone(STAGE, next(number), steps)
    for _ in write_requested(made, asset, folder, options, partial(_albedo, order, canvases)):
        yield StepDone(STAGE, next(number), steps)
    return glb


def _materials(head: Head) -> list[str]:
    return list(dict.fromkeys(part.material for part in head.parts))


def _size(order: Order, material: str) -> int:
    """Pixels of the textures of a material. Other parts are small, and fewer texels do."""
    full = order.options.texture_size
    if material == SKIN or len(_materials(order.head)) == 1:
        return full
    return max(full // 2, min(full, ENOUGH_FOR_HAIR)) if kind_of(material) == HAIR else full // 2


def _simplified(order: Order) -> dict[str, Prepared]:
    """What the materials without texture coordinates of their own become."""
    dense = dense_surfaces(order.head)
    if bare := [name for name in order.painted if name in dense]:
        raise ValueError(f"{bare} are painted, but their parts have no texture coordinates")
    faces = shares(dense, order.options.faces) if dense else {}
    sizes = {name: _size(order, name) for name in dense}
    return {name: prepared(one, *simplified(one, faces[name], sizes[name]), sizes[name]) for name, one in dense.items()}


def _morphing(order: Order, materials: Mapping[str, Prepared]) -> HeadMesh:
    """The neutral head with every other expression as a displacement."""
    head, former = order.head, order.former
    neutral = head.expressions.index("neutral")
    others = [index for index in range(len(head.expressions)) if index != neutral]
    meshes = {}
    for own in materials.values():
        meshes |= part_meshes(head, own, neutral, others)
    for number, part in enumerate(head.parts):
        if part.uvs is not None:
            pivot = np.zeros(3) if part.pivot is None else part.pivot.cpu().double().numpy()
            known = former and former.part(part.name, part.material, pivot)
            meshes[number] = known or given_mesh(part, neutral, others)
    parts = tuple(meshes[number] for number in range(len(head.parts)))
    return HeadMesh(parts, tuple(head.expressions[index] for index in others))


def _canvases(order: Order, materials: Mapping[str, Prepared]) -> dict[str, Canvas]:
    """What is baked, by material."""
    canvases = {name: Canvas(own.texels, own.points) for name, own in materials.items()}
    for name in _materials(order.head):
        if name not in canvases and name not in order.painted:
            parts = [part for part in order.head.parts if part.material == name]
            canvases[name] = Canvas(*given_texels(parts, _size(order, name)))
    return canvases


def _textures(order: Order, name: str, canvases: Mapping[str, Canvas], materials: Mapping[str, Prepared]) -> Textures:
    """The textures of a material in the neutral expression."""
    if name in order.painted:
        size = _size(order, name)
        return painted_textures(_large(order, name, size), size)
    canvas, relief = canvases[name], _relief(materials[name]) if name in materials else None
    channels = _channels(order, name, canvas, order.head.expressions.index("neutral"))
    colours = albedo_texture(channels, canvas.texels)
    return Textures(colours, metallic_roughness_texture(channels, canvas.texels), relief)


def _large(order: Order, name: str, size: int) -> PaintedMaterial:
    """A painted material; the skin's enlarged to `size` pixels where a network is named for it."""
    painted, upscaler = order.painted[name], order.options.upscaler
    if name != SKIN or not upscaler or len(painted.albedo) >= size:
        return painted
    net = load_enlarger(upscaler, order.head.parts[0].vertices.device)
    return enlarged(painted, size, net, order.provenance.photos > 0)


def _relief(own: Prepared) -> np.ndarray:
    """The normal map of what the dense surface has and the simplified one lost."""
    dense = own.dense
    relief = eased_normals(dense.expressions[dense.neutral], dense.faces)
    uncut = relief_strength(carry(dense.expressions, own.low.onto), own.low.faces, dense.neutral)
    _, normals, tangents = posed_surface(own, dense.neutral)
    return normal_texture(relief, own.onto, normals, tangents, uncut[own.unwrapped.source], own.texels)


def _channels(order: Order, material: str, canvas: Canvas, expression: int) -> np.ndarray:
    """Albedo, roughness and metallic of a material at its texels; see `sampled`."""
    device = order.head.parts[0].vertices.device
    return sampled(partial(order.sample, material), canvas.points, expression, device)


def _albedo(order: Order, canvases: Mapping[str, Canvas], material: str, expression: str) -> np.ndarray | None:
    """The albedo texture of a material in an expression; None for one that has the same in all."""
    if material not in canvases:
        return None
    canvas = canvases[material]
    return albedo_texture(_channels(order, material, canvas, order.head.expressions.index(expression)), canvas.texels)


def _files(order: Order, name: str, textures: Textures) -> ImageFiles:
    """The textures as they lie in a GLB: PNG where an alpha or what was baked has to stay exact, otherwise JPEG."""
    metal = bool(textures.metallic_roughness[..., 2].any())
    packed = {}
    for kind, share in BYTES_PER_TEXEL.items():
        image = getattr(textures, kind)
        if image is None:
            packed[kind] = None
        elif order.former and (known := order.former.image(f"{name}_{kind}")):
            packed[kind] = known
        elif kind == "specular":
            packed[kind] = small_jpeg(coded(image), share)
        elif name in order.painted or kind == "albedo":
            packed[kind] = png_bytes(six_bits(image)) if image.shape[-1] == 4 else small_jpeg(image, share)
        else:
            packed[kind] = png_bytes(image, as_notes(order.provenance))
    return ImageFiles(**packed, see_through=textures.see_through, metal=metal)


def _write_head(order: Order, made: Made) -> Path:
    """head.glb and the textures beside it."""
    options, notes = order.options, as_notes(order.provenance)
    mesh = made.mesh if options.only == "all" else still(made.mesh)
    layout = Layout(dense=options.morphs == "dense", blend=options.alpha == "blend")
    glb = write_atomic(order.folder / "head.glb", glb_bytes(mesh, made.images, order.provenance, layout, order.former))
    for name, textures in made.textures.items():
        for kind in BYTES_PER_TEXEL:
            if (image := getattr(textures, kind)) is not None:
                _write_texture(order, f"{name}_{kind}", image, notes)
    return glb


def _write_texture(order: Order, name: str, image: np.ndarray, notes: Mapping[str, str]) -> None:
    """A texture as a picture beside head.glb; the one of before where it is the same."""
    path = order.folder / "textures" / f"{unbroken(name)}.png"
    if order.former is None or not order.former.lay_texture(name, path):
        write_png(path, image, notes)
