"""Writes everything an artist takes away: head.glb, textures, renders, expressions."""

from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import torch

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
from idto3d.export.gltf.glb import HeadMesh, ImageFiles, glb_bytes, target_name
from idto3d.export.gltf.load import Asset
from idto3d.export.gltf.provenance import Provenance, as_extras, as_notes
from idto3d.export.images import jpeg_bytes, png_bytes, write_png
from idto3d.export.prepare import Prepared, dense_of, morphing_mesh, posed_mesh, prepared, simplified
from idto3d.export.sheet import contact_sheet
from idto3d.export.surface import carry, eased_normals
from idto3d.export.video import turntable_angles, write_video
from idto3d.export.view import find_light, picture
from idto3d.files import write_atomic
from idto3d.head.parts import HeadShape

STAGE = "asset"
STILLS = {"front": 0.0, "left": 90.0, "back": 180.0, "right": -90.0}  # azimuth in degrees, the person's own sides


def write_asset(
    shape: HeadShape,
    sample: SampleMaterial,
    folder: Path,
    options: ExportOptions,
    provenance: Provenance,
) -> Generator[Event, None, Path]:
    """Write the asset into `folder`, reporting each file; returns the path of head.glb.

    Each file appears whole or not at all, and head.glb comes first. Raises ValueError without a neutral expression.
    """
    steps = 4 + len(shape.names) + options.turntable_frames
    number = count(1)
    yield StageStarted(STAGE, steps)
    dense = dense_of(shape)
    low, unwrapped = simplified(dense, options)
    yield StepDone(STAGE, next(number), steps)
    head = prepared(dense, low, unwrapped, options)
    yield StepDone(STAGE, next(number), steps)
    mesh, device = morphing_mesh(head), shape.canonical.device
    textures = _bake(head, mesh, sample, device)
    yield Preview(STAGE, "albedo", textures.albedo)
    yield StepDone(STAGE, next(number), steps)
    glb = _write_head(folder, mesh, textures, provenance)
    yield StepDone(STAGE, next(number), steps)
    for event in _expressions(head, textures, sample, device, folder, options, provenance):
        yield event or StepDone(STAGE, next(number), steps)
    for _ in _views(Asset(mesh, textures, as_extras(provenance)), folder, options, provenance):
        yield StepDone(STAGE, next(number), steps)
    return glb


def _bake(head: Prepared, mesh: HeadMesh, sample: SampleMaterial, device: torch.device) -> Textures:
    """The textures of the neutral expression."""
    dense = head.dense
    channels = sampled(sample, head.points, dense.neutral, device)
    relief = eased_normals(dense.expressions[dense.neutral], dense.faces)
    uncut = relief_strength(carry(dense.expressions, head.low.onto), head.low.faces, dense.neutral)
    strength = uncut[head.unwrapped.source]
    return Textures(
        albedo_texture(channels, head.texels),
        metallic_roughness_texture(channels, head.texels),
        normal_texture(relief, head.onto, mesh.normals, mesh.tangents, strength, head.texels),
    )


def _write_head(folder: Path, mesh: HeadMesh, textures: Textures, provenance: Provenance) -> Path:
    """head.glb and the textures beside it."""
    notes = as_notes(provenance)
    rough = png_bytes(textures.metallic_roughness, notes)
    normal = png_bytes(textures.normal, notes)
    images = ImageFiles(jpeg_bytes(textures.albedo), rough, normal)
    glb = write_atomic(folder / "head.glb", glb_bytes(mesh, images, provenance))
    write_png(folder / "textures" / "albedo.png", textures.albedo, notes)
    write_atomic(folder / "textures" / "metallic_roughness.png", rough)
    write_atomic(folder / "textures" / "normal.png", normal)
    return glb


def _expressions(
    head: Prepared,
    textures: Textures,
    sample: SampleMaterial,
    device: torch.device,
    folder: Path,
    options: ExportOptions,
    provenance: Provenance,
) -> Iterator[Preview | None]:
    """One GLB without morph targets per expression, with the colours it has; relief and roughness are the neutral's.

    None for each that is done, then the contact sheet.
    """
    shared, pictures = ImageFiles(b"", png_bytes(textures.metallic_roughness), jpeg_bytes(textures.normal, 95)), []
    for index, name in enumerate(head.dense.names):
        albedo = albedo_texture(sampled(sample, head.points, index, device), head.texels)
        mesh, images = posed_mesh(head, index), replace(shared, albedo=jpeg_bytes(albedo))
        write_atomic(folder / "expressions" / f"{target_name(name)}.glb", glb_bytes(mesh, images, provenance))
        pictures.append(_picture(Asset(mesh, replace(textures, albedo=albedo), {}), options))
        yield None
    sheet = contact_sheet(pictures, list(head.dense.names))
    write_png(folder / "expressions" / "contact_sheet.png", sheet, as_notes(provenance))
    yield Preview(STAGE, "sheet", sheet)


def _views(asset: Asset, folder: Path, options: ExportOptions, provenance: Provenance) -> Iterator[int]:
    """Stills and the turntable of the neutral head, whose frames are counted."""
    notes = as_notes(provenance)
    for name, azimuth_deg in STILLS.items():
        write_png(folder / "renders" / f"{name}.png", _picture(asset, options, azimuth_deg), notes)
    if options.turntable_frames:
        frames = (_picture(asset, options, azimuth_deg) for azimuth_deg in turntable_angles(options.turntable_frames))
        yield from write_video(folder / "renders" / "turntable.mp4", frames, notes["Software"])


def _picture(asset: Asset, options: ExportOptions, azimuth_deg: float = 0.0) -> np.ndarray:
    view = RenderOptions(size=options.render_size, azimuth_deg=azimuth_deg)
    return picture(asset, asset.mesh.positions, view, find_light(view.light))
