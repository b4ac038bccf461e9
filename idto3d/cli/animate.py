"""`animate`: a clip of a face drives a finished head."""

import argparse
import sys
from contextlib import closing
from pathlib import Path

from idto3d.checks import checked_motion, path_of
from idto3d.cli.common import DONE, add_option
from idto3d.config import AnimateOptions
from idto3d.errors import UserError, shown
from idto3d.events import Event, Finished, Notice, StepDone

PLAIN = ("strength", "smoothing", "turn", "fps", "size", "max_seconds", "max_megabytes", "max_megapixels")
ANIMATIONS = "animations"  # in a run folder


def add_animate(parser: argparse.ArgumentParser) -> None:
    """The words of `animate`."""
    parser.add_argument("folder", type=path_of, metavar="DIR", help="run folder of a finished head")
    parser.add_argument("clip", type=path_of, metavar="CLIP", help="film of one face: MP4, MOV, WEBM, MKV or AVI")
    for name in PLAIN:
        add_option(parser, AnimateOptions, name)
    text = "a new folder for the animation (default: DIR/animations/NAME, after the clip)"
    parser.add_argument("--out", type=path_of, metavar="DIR2", help=text)


def animate(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Animate a finished head in this process; nothing stays when that fails."""
    options = motion_options(arguments)
    if not (arguments.folder / "head.glb").is_file():
        raise UserError(f"There is no finished head in '{shown(arguments.folder)}'.", "Run generate first.")
    into = arguments.out or _free(arguments.folder / ANIMATIONS, arguments.clip.stem)
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise UserError(f"'{shown(into)}' is there already.", "Choose a new folder.")
    from idto3d.animation import animate as animated

    with closing(animated(arguments.folder, arguments.clip, options, into)) as events:
        for event in events:
            tell(event)
    return DONE


def motion_options(arguments: argparse.Namespace) -> AnimateOptions:
    """How the clip is to drive the head. Raises UserError for what cannot be."""
    given = {name: getattr(arguments, name) for name in PLAIN if getattr(arguments, name) is not None}
    return checked_motion(AnimateOptions(**given))


def tell(event: Event) -> None:
    """Say an event at the terminal: tenths of each stage, what should be known, and the end."""
    match event:
        case StepDone(step=step, steps=steps) if step * 10 // steps > (step - 1) * 10 // steps:
            print(f"{event.stage:<9} {step}/{steps}", file=sys.stderr, flush=True)
        case Notice():
            print(event.text, file=sys.stderr, flush=True)
        case Finished():
            print(event.glb)


def _free(folder: Path, name: str) -> Path:
    """A folder that is not there yet, called after a clip."""
    plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:60] or "clip"
    numbered = (folder / (plain if number == 1 else f"{plain}_{number}") for number in range(1, 10_000))
    return next(path for path in numbered if not path.exists())
