"""The command line. Exit codes: 0 done, 2 something the user can fix, 1 a fault of ours, 130 cancelled."""

import argparse
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path

from idto3d.cli.animate import add_animate, animate
from idto3d.cli.candidates import add_candidates, candidates
from idto3d.cli.common import DONE, FAULT, FIXABLE
from idto3d.cli.edit import add_edit, add_versions, edit, versions
from idto3d.cli.finished import add_export, add_render, export, render
from idto3d.cli.generate import add_generate, generate, head_options
from idto3d.determinism import repeatable
from idto3d.errors import UserError, shown
from idto3d.stop import CANCELLED, leave, stops_when_asked

__all__ = ["entry", "head_options", "main", "make_parser"]

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
    add_generate(verbs.add_parser("generate", help="make a head from photos, words, or both"))
    add_candidates(verbs.add_parser("candidates", help="show heads that words could mean, to choose one of them"))
    add_export(verbs.add_parser("export", help="make the asset of a finished head again, without its photos"))
    add_render(verbs.add_parser("render", help="draw a finished head"))
    add_animate(verbs.add_parser("animate", help="let a film of a face drive a finished head"))
    add_edit(verbs.add_parser("edit", help='change a finished head by words, e.g. "green hair"'))
    add_versions(verbs.add_parser("versions", help="list what became of a head, and go back and forth in it"))
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
    "animate": animate,
    "candidates": candidates,
    "edit": edit,
    "versions": versions,
    "export": export,
    "render": render,
    "doctor": doctor,
    **dict.fromkeys(FORWARDED, forward),
}
