"""`export` and `render`: a finished head as files, and as a picture or a turntable."""

import argparse
from dataclasses import fields
from pathlib import Path

from idto3d.checks import checked_view, expression_weight, path_of
from idto3d.cli.common import DONE, add_option, add_set, all_assigned, work_here
from idto3d.config import HDRI, ExportOptions, HeadOptions, RenderOptions
from idto3d.errors import UserError, shown
from idto3d.options import option_names

PICTURES = (".png", ".jpg", ".jpeg", ".webp")


def add_export(parser: argparse.ArgumentParser) -> None:
    """The words of `export`."""
    parser.add_argument("folder", type=path_of, metavar="DIR", help="run folder of a finished head")
    add_set(parser, f"an option of the export, e.g. --set export.formats=glb,usdz; they are: {_export_names()}")


def _export_names() -> str:
    return "; ".join(f"export.{f.name} ({f.metadata['help']})" for f in fields(ExportOptions)).replace("%", "%%")


def add_render(parser: argparse.ArgumentParser) -> None:
    """The words of `render`."""
    parser.add_argument("folder", type=path_of, metavar="DIR", help="run folder of a finished head")
    parser.add_argument("--out", required=True, type=path_of, metavar="IMAGE|VIDEO.mp4", help="file to write")
    for name in ("mode", "light", "light_rotation_deg", "azimuth_deg", "elevation_deg", "size"):
        add_option(parser, RenderOptions, name)
    parser.add_argument("--expression", action="append", default=[], metavar="NAME=WEIGHT", help="may be repeated")
    parser.add_argument("--version", metavar="ID", help="a version of the head that is not the current one")
    parser.add_argument("--turntable", action="store_true", help="turn the head once; needs an .mp4")


def export(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Make the asset of a finished head again in this process; when that fails, the run stays what it was."""
    from idto3d.jobs.record import EXPORT
    from idto3d.jobs.run_folder import finished, reopen

    options = export_options(arguments.set, finished(arguments.folder).options)
    lock, job = reopen(arguments.folder, EXPORT, options)
    return work_here(arguments.folder, lock, job)


def export_options(assignments: list[str], options: HeadOptions) -> HeadOptions:
    """`options` with each --set in them. Raises UserError for one that is not of the export."""
    for name in (assignment.partition("=")[0].strip() for assignment in assignments):
        if not name.startswith("export."):
            names = ", ".join(f"export.{known}" for known in option_names(options.export))
            raise UserError(f"'{name}' cannot be set of a head that is finished.", f"Choose from: {names}.")
    return all_assigned(options, assignments)


def render(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Draw a finished head into a picture or a turntable."""
    options = render_options(arguments)
    if not (arguments.folder / "head.glb").is_file():
        raise UserError(f"There is no finished head in '{arguments.folder}'.", "Run generate first.")
    if not arguments.out.resolve().parent.is_dir():
        raise UserError(f"The folder of '{arguments.out}' does not exist.", "Make it, or choose another one.")
    from idto3d import pipeline

    image = pipeline.render_view(_version(arguments.folder, arguments.version), options)
    if not options.video:
        from PIL import Image

        Image.fromarray(image).save(arguments.out)
    print(arguments.out)
    return DONE


def _version(folder: Path, wanted: str | None) -> Path:
    """Where the version lies that is `wanted`, the current one where none is. Raises UserError where there is none."""
    from idto3d.jobs.history.state import folder_of
    from idto3d.jobs.history.store import heals, version

    heals(folder)
    return folder_of(folder, version(folder, wanted).id) if wanted else folder


def render_options(arguments: argparse.Namespace) -> RenderOptions:
    """The view asked for. Raises UserError for a light, an expression, or a file name that cannot be."""
    suffix = arguments.out.suffix.lower()
    if suffix not in (*PICTURES, ".mp4"):
        raise UserError(f"'{shown(arguments.out)}' has no known ending.", f"Use one of {', '.join(PICTURES)} or .mp4.")
    if arguments.turntable and suffix != ".mp4":
        raise UserError("A turntable is a video.", "Give an --out that ends in .mp4.")
    names = ("mode", "light", "light_rotation_deg", "azimuth_deg", "elevation_deg", "size")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    options = RenderOptions(
        **given,
        expressions=tuple(expression_weight(text) for text in arguments.expression),
        video=str(arguments.out) if suffix == ".mp4" else "",
    )
    check_light(options.light)
    return checked_view(options)


def check_light(light: str) -> None:
    """Raise UserError unless `light` is empty, the name of an environment of ours, or a panorama."""
    panorama = light.lower().endswith((".hdr", ".exr"))
    if panorama and not path_of(light).is_file():
        raise UserError(f"The light '{shown(light)}' cannot be read.", "Check the name of the file.")
    known = sorted(path.stem for path in HDRI.glob("*.hdr"))
    if light and not panorama and light not in known:
        what = f"There is no light named '{shown(light)}'."
        raise UserError(what, f"Choose from: {', '.join(known)}; or give an .hdr or .exr file.")
