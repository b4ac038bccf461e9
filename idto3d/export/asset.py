"""Writes everything an artist takes away: head.glb, textures, renders, expressions."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from idto3d.config import ExportOptions, RenderOptions
from idto3d.events import Event, Preview, StageStarted, StepDone
from idto3d.export.bake import (
    SampleMaterial,
    Textures,
    albedo_texture,
    metallic_roughness_texture,
    normal_texture,
    relief_strength,
    sampled,
)
from idto3d.export.decimate import LowMesh
from idto3d.export.gltf.glb import HeadMesh, ImageFiles, glb_bytes, target_name
from idto3d.export.gltf.load import Asset, posed
from idto3d.export.gltf.provenance import Provenance, as_extras, as_notes
from idto3d.export.images import jpeg_bytes, png_bytes, write_png
from idto3d.export.prepare import (
    Dense,
    Prepared,
    dense_surfaces,
    morphing_mesh,
    posed_mesh,
    posed_surface,
    prepared,
    shares,
    simplified,
)
from idto3d.export.sheet import contact_sheet
from idto3d.export.surface import carry, eased_normals
from idto3d.export.uv import Unwrapped
from idto3d.export.video import turntable_angles, write_video
from idto3d.export.view import find_light, picture
from idto3d.files import write_atomic
from idto3d.head.parts import Head

STAGE = "asset"
STILLS = {"front": 0.0, "left": 90.0, "back": 180.0, "right": -90.0}  # azimuth in degrees, the person's own sides


@dataclass(frozen=True)
class Order:
    """What is asked for: see `write_asset`."""

    head: Head
    sample: SampleMaterial
    folder: Path
    options: ExportOptions
    provenance: Provenance


def write_asset(
    head: Head,
    sample: SampleMaterial,
    folder: Path,
    options: ExportOptions,
    provenance: Provenance,
) -> Generator[Event, None, Path]:
    """Write the asset into `folder`, reporting each file; returns the path of head.glb.

    sample(material, points, expression): what the material of that name is made of at canonical `points` [N, 3],
    metres, in the expression of that index. Each file appears whole or not at all, and head.glb comes first.
    Raises ValueError where `dense_surfaces` does.
    """
    order = Order(head, sample, folder, options, provenance)
    steps = 4 + len(head.expressions) + options.turntable_frames
    number = count(1)
    yield StageStarted(STAGE, steps)
    dense = dense_surfaces(head)
    low = _simplified(dense, options)
    yield StepDone(STAGE, next(number), steps)
    materials = {name: prepared(one, *low[name], options.texture_size) for name, one in dense.items()}
    yield StepDone(STAGE, next(number), steps)
    mesh = morphing_mesh(head, materials)
    textures = {name: _bake(order, name, own) for name, own in materials.items()}
    yield Preview(STAGE, "albedo", textures[head.parts[0].material].albedo)
    yield StepDone(STAGE, next(number), steps)
    glb = _write_head(order, mesh, textures)
    yield StepDone(STAGE, next(number), steps)
    for event in _expressions(order, materials, textures):
        yield event or StepDone(STAGE, next(number), steps)
    for _ in _views(order, Asset(mesh, textures, as_extras(provenance))):
        yield StepDone(STAGE, next(number), steps)
    return glb


def _simplified(dense: Mapping[str, Dense], options: ExportOptions) -> dict[str, tuple[LowMesh, Unwrapped]]:
    faces = shares(dense, options.faces)
    return {name: simplified(one, faces[name], options.texture_size) for name, one in dense.items()}


def _channels(order: Order, material: str, own: Prepared, expression: int) -> np.ndarray:
    """Albedo, roughness and metallic of a material at its texels; see `sampled`."""
    device = order.head.parts[0].vertices.device
    return sampled(partial(order.sample, material), own.points, expression, device)


def _bake(order: Order, material: str, own: Prepared) -> Textures:
    """The textures of a material in the neutral expression."""
    dense = own.dense
    channels = _channels(order, material, own, dense.neutral)
    relief = eased_normals(dense.expressions[dense.neutral], dense.faces)
    uncut = relief_strength(carry(dense.expressions, own.low.onto), own.low.faces, dense.neutral)
    _, normals, tangents = posed_surface(own, dense.neutral)
    return Textures(
        albedo_texture(channels, own.texels),
        metallic_roughness_texture(channels, own.texels),
        normal_texture(relief, own.onto, normals, tangents, uncut[own.unwrapped.source], own.texels),
    )


def _write_head(order: Order, mesh: HeadMesh, textures: Mapping[str, Textures]) -> Path:
    """head.glb and the textures beside it."""
    notes = as_notes(order.provenance)
    images = {
        name: ImageFiles(jpeg_bytes(one.albedo), png_bytes(one.metallic_roughness, notes), png_bytes(one.normal, notes))
        for name, one in textures.items()
    }
    glb = write_atomic(order.folder / "head.glb", glb_bytes(mesh, images, order.provenance))
    for name, files in images.items():
        start = order.folder / "textures" / name
        write_png(Path(f"{start}_albedo.png"), textures[name].albedo, notes)
        write_atomic(Path(f"{start}_metallic_roughness.png"), files.metallic_roughness)
        write_atomic(Path(f"{start}_normal.png"), files.normal)
    return glb


def _expressions(
    order: Order, materials: Mapping[str, Prepared], textures: Mapping[str, Textures]
) -> Iterator[Preview | None]:
    """One GLB without morph targets per expression, with the colours it has; relief and roughness are the neutral's.

    None for each that is done, then the contact sheet.
    """
    names, pictures, folder = order.head.expressions, [], order.folder / "expressions"
    shared = {name: _lighter(one) for name, one in textures.items()}
    for index, expression in enumerate(names):
        albedo = {name: _albedo(order, name, own, index) for name, own in materials.items()}
        mesh = posed_mesh(order.head, materials, index)
        images = {name: replace(shared[name], albedo=jpeg_bytes(one)) for name, one in albedo.items()}
        write_atomic(folder / f"{target_name(expression)}.glb", glb_bytes(mesh, images, order.provenance))
        painted = {name: replace(textures[name], albedo=one) for name, one in albedo.items()}
        pictures.append(_picture(order, Asset(mesh, painted, {})))
        yield None
    sheet = contact_sheet(pictures, list(names))
    write_png(folder / "contact_sheet.png", sheet, as_notes(order.provenance))
    yield Preview(STAGE, "sheet", sheet)


def _albedo(order: Order, material: str, own: Prepared, expression: int) -> np.ndarray:
    return albedo_texture(_channels(order, material, own, expression), own.texels)


def _lighter(textures: Textures) -> ImageFiles:
    """Files without albedo, and with less precise normals than those of head.glb."""
    return ImageFiles(b"", png_bytes(textures.metallic_roughness), jpeg_bytes(textures.normal, 95))


def _views(order: Order, asset: Asset) -> Iterator[int]:
    """Stills and the turntable of the neutral head, whose frames are counted."""
    notes, folder, turns = as_notes(order.provenance), order.folder / "renders", order.options.turntable_frames
    for name, azimuth_deg in STILLS.items():
        write_png(folder / f"{name}.png", _picture(order, asset, azimuth_deg), notes)
    if turns:
        frames = (_picture(order, asset, azimuth_deg) for azimuth_deg in turntable_angles(turns))
        yield from write_video(folder / "turntable.mp4", frames, notes["Software"])


def _picture(order: Order, asset: Asset, azimuth_deg: float = 0.0) -> np.ndarray:
    view = RenderOptions(size=order.options.render_size, azimuth_deg=azimuth_deg)
    return picture(asset, posed(asset.mesh, {}), view, find_light(view.light))
