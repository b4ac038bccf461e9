"""What is written only where it is asked for: levels of detail, a clip, a file per expression, OBJ, USDZ, a video."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from idto3d.config import ExportOptions, RenderOptions
from idto3d.errors import UserError
from idto3d.export.collapse import coarser
from idto3d.export.formats.obj import write_obj
from idto3d.export.formats.own_mesh import clothes_of, own_mesh_glb
from idto3d.export.gltf.glb import ImageFiles, Layout, glb_bytes
from idto3d.export.gltf.load import Asset
from idto3d.export.gltf.mesh import HeadMesh, posed, still, target_name
from idto3d.export.gltf.provenance import Provenance, as_notes
from idto3d.export.images import jpeg_bytes
from idto3d.export.textures import Textures
from idto3d.export.video import turntable_angles, write_video
from idto3d.export.view import find_light, picture
from idto3d.files import write_atomic
from idto3d.head.parts import Part

LODS = {"head_lod1.glb": 0.5, "head_lod2.glb": 0.25}  # share of the triangles of head.glb
FILES = ("head_lod*.glb", "head.obj", "head.mtl", "head.usdz", "expressions/*.glb", "renders/turntable.mp4")
OF_PARTS = ("textures/*.png",)  # which an edit may take away

ExpressionAlbedo = Callable[[str, str], np.ndarray | None]  # material, expression -> texture, or None: the neutral one


@dataclass(frozen=True)
class Made:
    """What head.glb was made of: its mesh with all expressions, its textures by material, and these as files.

    own: the expressions that were grown as a mesh of their own, by name.
    """

    mesh: HeadMesh
    textures: Mapping[str, Textures]
    images: Mapping[str, ImageFiles]
    provenance: Provenance
    own: Mapping[str, Part]


def check_requested(options: ExportOptions) -> None:
    """Raise UserError where what is asked for needs a package that is not there."""
    if "usdz" in options.formats and find_spec("pxr") is None:
        raise UserError("USDZ files need the package usd-core.", "Install it: python -m pip install usd-core.")


def count_requested(options: ExportOptions, expressions: int) -> int:
    """How often `write_requested` yields for a head of so many expressions, neutral among them."""
    formats = sum(name in options.formats for name in ("obj", "usdz"))
    files = expressions * options.expression_files + len(LODS) * options.lods + options.clip
    return formats + files + options.turntable_frames


def write_requested(
    made: Made, asset: Asset, folder: Path, options: ExportOptions, albedo: ExpressionAlbedo
) -> Iterator[None]:
    """Write what `options` ask for beside head.glb into `folder`, yielding after each file and each turntable frame."""
    wanted = replace(made, mesh=made.mesh if options.only == "all" else still(made.mesh))
    layout = Layout(dense=options.morphs == "dense", blend=options.alpha == "blend")
    if options.lods:
        yield from _lods(wanted, folder, layout)
    if options.clip:
        clip = glb_bytes(made.mesh, made.images, made.provenance, replace(layout, clip=True))
        write_atomic(folder / "expressions" / "clip.glb", clip)
        yield
    if options.expression_files:
        yield from _expressions(made, folder, options, albedo)
    if "obj" in options.formats:
        write_obj(wanted.mesh, made.textures, folder)
        yield
    if "usdz" in options.formats:
        from idto3d.export.formats.usdz import write_usdz  # its library takes a while to load

        write_usdz(wanted.mesh, made.images, made.provenance, folder / "head.usdz")
        yield
    if options.turntable_frames:
        yield from _turntable(made, asset, folder, options)


def _lods(made: Made, folder: Path, layout: Layout) -> Iterator[None]:
    """Each with the vertices and morph targets of head.glb; only the triangles differ."""
    for name, share in LODS.items():
        faces = coarser(made.mesh.parts, share)
        parts = (replace(part, faces=own) for part, own in zip(made.mesh.parts, faces, strict=True))
        lod = replace(made.mesh, parts=tuple(parts))
        write_atomic(folder / name, glb_bytes(lod, made.images, made.provenance, layout))
        yield


def _expressions(made: Made, folder: Path, options: ExportOptions, albedo: ExpressionAlbedo) -> Iterator[None]:
    """One GLB without morph targets per expression, with the colours it has; relief and roughness are the neutral's.

    One that was grown as a mesh of its own shows that mesh.
    """
    layout = Layout(dense=options.morphs == "dense", blend=options.alpha == "blend")
    for expression in ("neutral", *made.mesh.names):
        path, images = folder / "expressions" / f"{target_name(expression)}.glb", {}
        if expression in made.own:
            clothes = clothes_of(still(made.mesh, expression), made.textures)
            write_atomic(path, own_mesh_glb(made.own[expression], clothes, options, made.provenance))
            yield
            continue
        for name, files in made.images.items():
            own = albedo(name, expression)
            images[name] = files if own is None else replace(files, albedo=jpeg_bytes(own))
        content = glb_bytes(still(made.mesh, expression), images, made.provenance, layout)
        write_atomic(path, content)
        yield


def _turntable(made: Made, asset: Asset, folder: Path, options: ExportOptions) -> Iterator[None]:
    light, poses = find_light(""), posed(asset.mesh, {})
    angles = turntable_angles(options.turntable_frames)
    views = (RenderOptions(size=options.render_size, azimuth_deg=azimuth_deg) for azimuth_deg in angles)
    frames = (picture(asset, poses, view, light) for view in views)
    for _ in write_video(folder / "renders" / "turntable.mp4", frames, as_notes(made.provenance)["Software"]):
        yield


def outdated(folder: Path, newer: Path) -> list[Path]:
    """The files of parts, or on request, in `folder` that a newer asset, in the folder `newer`, is without."""
    left = [path for pattern in FILES + OF_PARTS for path in sorted(folder.glob(pattern))]
    return [path for path in left if not (newer / path.relative_to(folder)).is_file()]
