"""The command line. Exit codes: 0 done, 2 something the user can fix, 1 a fault of ours, 130 cancelled."""

import argparse
import sys
import traceback
from contextlib import closing, nullcontext
from dataclasses import fields, replace
from pathlib import Path

from idto3d import config
from idto3d.checks import checked, checked_view, expression_weight, named_expressions, path_of
from idto3d.config import HDRI, ExportOptions, HeadOptions, RenderOptions
from idto3d.determinism import repeatable
from idto3d.errors import UserError, shown
from idto3d.options import option_names, with_option
from idto3d.stop import CANCELLED, leave, stops_when_asked
from idto3d.words import expressions
from idto3d.words.prompts import one_line

DONE, FAULT, FIXABLE = 0, 1, 2
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
FORWARDED = {  # verb: the module that knows it, and what it does
    "batch": ("jobs.batch.command", "make heads of many people, a row of a table each"),
    "synthesize": ("training.synthesize", "make synthetic heads to train on"),
    "scans": ("training.scans.convert", "turn scans of people into a dataset to train on"),
    "train": ("training.train", "train a bundle"),
    "evaluate": ("training.measure.evaluate", "measure how well a bundle's guidance obeys"),
    "publish": ("training.publish", "upload a bundle with its model card to the Hub"),
}


def entry() -> None:
    """The console script."""
    leave(main(sys.argv[1:]))


def main(argv: list[str]) -> int:
    """Run one verb; returns the exit code."""
    repeatable()
    try:
        arguments, rest = _parsed(argv)
        # Those of other rooms have processes of their own to end.
        with nullcontext() if arguments.verb in FORWARDED else stops_when_asked():
            return VERBS[arguments.verb](arguments, rest)
    except UserError as error:
        print(f"{error.what}\n{error.remedy}", file=sys.stderr)
        return FIXABLE
    except KeyboardInterrupt:
        print("\ncancelled", file=sys.stderr)
        return CANCELLED
    except Exception:
        traceback.print_exc()
        print("\nThis is a fault of idto3d. Please report it with the lines above.", file=sys.stderr)
        return FAULT


def _parsed(argv: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """The words as arguments, and those that a verb of another room is to read. Raises UserError."""
    parser = make_parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.verb not in FORWARDED:
        parser.error(f"unrecognized arguments: {shown(' '.join(rest))}")
    return arguments, rest


def make_parser() -> argparse.ArgumentParser:
    """The parser; help texts and choices come from the option dataclasses."""
    parser = argparse.ArgumentParser(prog="idto3d", description="Photos in, an expressive, relightable 3D head out.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_generate(verbs.add_parser("generate", help="make a head from photos, words, or both"))
    _add_export(verbs.add_parser("export", help="make the asset of a finished head again, without its photos"))
    _add_render(verbs.add_parser("render", help="draw a finished head"))
    for verb, (_, text) in FORWARDED.items():
        verbs.add_parser(verb, help=text, add_help=False)
    _add_doctor(verbs.add_parser("doctor", help="say what is installed and what is missing, or what is kept of whom"))
    return parser


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--privacy", action="store_true", help="say what is kept of people; the others need it")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="the runs of the page (IDTO3D_RUNS)")
    parser.add_argument("--prompts", action="store_true", help="show the prompts too")
    parser.add_argument("--delete", metavar="ID|all", help="remove one run, or all there is")
    parser.add_argument("--yes", action="store_true", help="do not ask before")


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("photos", nargs="*", type=path_of, metavar="PHOTO", help="photos of one person")
    parser.add_argument("--out", required=True, type=path_of, metavar="DIR", help="run folder, new or empty")
    parser.add_argument("--resume", action="store_true", help="continue the run in DIR")
    sets = "|".join(expressions.SETS)
    parser.add_argument("--expressions", metavar=f"{sets}|NAME,NAME", help="which expressions the head learns")
    for name in ("preset", "prompt", "negative_prompt", "weights", "seed", "device"):
        _add_option(parser, HeadOptions, name)
    _add_set(parser, "any other option, e.g. --set shape.steps=50")


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=path_of, metavar="DIR", help="run folder of a finished head")
    _add_set(parser, f"an option of the export, e.g. --set export.formats=glb,usdz; they are: {_export_names()}")


def _export_names() -> str:
    return "; ".join(f"export.{f.name} ({f.metadata['help']})" for f in fields(ExportOptions)).replace("%", "%%")


def _add_render(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=path_of, metavar="DIR", help="run folder of a finished head")
    parser.add_argument("--out", required=True, type=path_of, metavar="IMAGE|VIDEO.mp4", help="file to write")
    for name in ("mode", "light", "light_rotation_deg", "azimuth_deg", "elevation_deg", "size"):
        _add_option(parser, RenderOptions, name)
    parser.add_argument("--expression", action="append", default=[], metavar="NAME=WEIGHT", help="may be repeated")
    parser.add_argument("--turntable", action="store_true", help="turn the head once; needs an .mp4")


def _add_set(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=text)


def _add_option(parser: argparse.ArgumentParser, kind: type, name: str) -> None:
    """A flag for one field of an option dataclass; absent flags are None."""
    option = next(f for f in fields(kind) if f.name == name)
    flag = "--" + name.replace("_", "-")
    text = f"{option.metadata['help']} (default: {option.default})" if option.default != "" else option.metadata["help"]
    parser.add_argument(
        flag, dest=name, type=type(option.default), choices=option.metadata.get("choices"), help=text.replace("%", "%%")
    )


def generate(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Make a head in this process, recording it in the run folder."""
    lock, job = _claim(arguments)
    return _work(arguments.out, lock, job, arguments.resume)


def export(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Make the asset of a finished head again in this process; when that fails, the run stays what it was."""
    from idto3d.jobs.record import EXPORT
    from idto3d.jobs.run_folder import finished, reopen

    options = export_options(arguments.set, finished(arguments.folder).options)
    lock, job = reopen(arguments.folder, EXPORT, options)
    return _work(arguments.folder, lock, job)


def _work(folder: Path, lock, job, resume: bool = False) -> int:
    """Do the work of a claimed run folder in this process and tell its progress."""
    from idto3d.jobs.narrator import Narrator
    from idto3d.jobs.produce import produce
    from idto3d.jobs.run_folder import perform

    narrator = Narrator(folder, sys.stderr)
    with lock, closing(perform(folder, job, produce, resume)) as events:
        for event in events:
            narrator.tell(event)
    return DONE


def _claim(arguments: argparse.Namespace):
    """The lock and the job to run, new or continued. Raises UserError."""
    from idto3d.jobs.run_folder import begin, resumable, take_up

    if arguments.resume:
        _check_same(arguments, resumable(arguments.out))
        return take_up(arguments.out)
    options = head_options(arguments)
    if not arguments.photos and not options.prompt.strip():
        raise UserError("There is nothing to make a head from.", "Give at least one photo, or a --prompt.")
    return begin(arguments.out, arguments.photos, options)


def head_options(arguments: argparse.Namespace, start: HeadOptions | None = None) -> HeadOptions:
    """The options asked for: the preset (or `start`), then the named flags, then each --set. Raises UserError."""
    options = config.preset(arguments.preset) if arguments.preset else start or HeadOptions()
    named = {name: getattr(arguments, name) for name in ("prompt", "negative_prompt", "weights", "seed", "device")}
    named |= {name: one_line(named[name]) for name in ("prompt", "negative_prompt") if named[name] is not None}
    if arguments.expressions is not None:
        named["expressions"] = named_expressions(arguments.expressions)
    options = replace(options, **{name: value for name, value in named.items() if value is not None})
    return _all_assigned(options, arguments.set)


def export_options(assignments: list[str], options: HeadOptions) -> HeadOptions:
    """`options` with each --set in them. Raises UserError for one that is not of the export."""
    for name in (assignment.partition("=")[0].strip() for assignment in assignments):
        if not name.startswith("export."):
            names = ", ".join(f"export.{known}" for known in option_names(options.export))
            raise UserError(f"'{name}' cannot be set of a head that is finished.", f"Choose from: {names}.")
    return _all_assigned(options, assignments)


def _all_assigned(options: HeadOptions, assignments: list[str]) -> HeadOptions:
    """`options` with each --set in them. Raises UserError."""
    for assignment in assignments:
        name, _, value = assignment.partition("=")
        options = _assigned(options, name.strip(), value.strip())
    return checked(options)


def _assigned(options: HeadOptions, name: str, value: str) -> HeadOptions:
    """`options` with one --set in them. Raises UserError."""
    if name == "preset":
        raise UserError("A preset is many options and cannot be --set like one.", f"Give --preset {value}.")
    if name == "expressions":
        return replace(options, expressions=named_expressions(value))
    return with_option(options, name, value)


def _check_same(arguments: argparse.Namespace, job) -> None:
    """Raise UserError when what stands beside --resume asks for something else than the run was started with."""
    from idto3d.jobs.record import photo_record

    if head_options(arguments, job.options) != job.options:
        what = f"The run in '{arguments.out}' was started with other options."
        raise UserError(what, "Leave the options out to continue it, or choose another folder.")
    given = {photo_record(photo).sha256 for photo in arguments.photos}
    if given and given != {photo.sha256 for photo in job.photos}:
        what = f"The run in '{arguments.out}' was started with other photos."
        raise UserError(what, "Leave the photos out to continue it, or choose another folder.")


def render(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Draw a finished head into a picture or a turntable."""
    options = render_options(arguments)
    if not (arguments.folder / "head.glb").is_file():
        raise UserError(f"There is no finished head in '{arguments.folder}'.", "Run generate first.")
    if not arguments.out.resolve().parent.is_dir():
        raise UserError(f"The folder of '{arguments.out}' does not exist.", "Make it, or choose another one.")
    from idto3d import pipeline

    image = pipeline.render_view(arguments.folder, options)
    if not options.video:
        from PIL import Image

        Image.fromarray(image).save(arguments.out)
    print(arguments.out)
    return DONE


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
    """Raise UserError unless `light` is empty, the name of an environment of ours, or an .hdr file."""
    if light.endswith(".hdr") and not path_of(light).is_file():
        raise UserError(f"The light '{shown(light)}' cannot be read.", "Check the name of the file.")
    known = sorted(path.stem for path in HDRI.glob("*.hdr"))
    if light and not light.endswith(".hdr") and light not in known:
        what = f"There is no light named '{shown(light)}'."
        raise UserError(what, f"Choose from: {', '.join(known)}; or give an .hdr file.")


def forward(arguments: argparse.Namespace, rest: list[str]) -> int:
    """Hand the remaining words to the verb's own program."""
    from importlib import import_module

    return import_module(f"idto3d.{FORWARDED[arguments.verb][0]}").main(rest) or DONE


def doctor(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Say what is there, or with --privacy what is kept of whom."""
    from idto3d.jobs.doctor import examine
    from idto3d.jobs.privacy.report import tell

    if arguments.privacy:
        tell(arguments.runs, arguments.prompts, arguments.delete, arguments.yes)
        return DONE
    findings = examine()
    for finding in findings:
        print(finding.line())
    return DONE if all(finding.fine for finding in findings) else FIXABLE


VERBS = {
    "generate": generate,
    "export": export,
    "render": render,
    "doctor": doctor,
    **dict.fromkeys(FORWARDED, forward),
}
