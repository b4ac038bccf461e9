"""The options of `python -m idto3d evaluate guidance`, from the command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from idto3d.errors import UserError
from idto3d.training.arguments import add_ict, add_seed

LEAST_VALUES = {"people": 1, "among": 2, "steps": 1, "processes": 1}


@dataclass(frozen=True)
class EvaluateOptions:
    """What is measured. `among`: candidates of the identity question; `scale`: guidance scale, the bundle's if None."""

    bundle: str
    ict: Path
    people: int
    portraits: tuple[int, ...]
    among: int
    steps: int
    scale: float | None
    ablations: bool
    seed: int
    processes: int = 1


def parse(argv: list[str]) -> tuple[EvaluateOptions, bool]:
    """The options in `argv`, and whether the answer is to be one line. Raises UserError for numbers that cannot be."""
    values = vars(_parser().parse_args(argv))
    as_line, _ = values.pop("json"), values.pop("what")
    options = EvaluateOptions(**values | {"portraits": _counts(values["portraits"])})
    _check(options)
    return options, as_line


def _counts(text: str) -> tuple[int, ...]:
    counts = tuple(int(word) if word.isdecimal() else 0 for word in text.replace(" ", "").split(","))
    if min(counts) < 1:
        raise UserError(f"'{text}' are no numbers of portraits.", "Give whole numbers from 1, as in --portraits 1,2,5.")
    return counts


def _check(options: EvaluateOptions) -> None:
    for name, least in LEAST_VALUES.items():
        if getattr(options, name) < least:
            raise UserError(f"--{name} {getattr(options, name)} measures nothing.", f"Give at least {least}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="idto3d evaluate", description="Measure a bundle's guidance.")
    parser.add_argument("what", choices=("guidance", "text"), help="text: see `evaluate text --help`")
    parser.add_argument("bundle", help="embedded, community, a folder, or ORG/REPO[@REV]")
    add_ict(parser)
    parser.add_argument("--people", type=int, default=300, help="held-out people")
    parser.add_argument("--portraits", default="1,2,5", help="how many portraits' mean embedding is given, a row each")
    parser.add_argument("--among", type=int, default=50, help="candidates of the identity question")
    parser.add_argument("--steps", type=int, default=20, help="sampling steps")
    parser.add_argument("--scale", type=float, default=None, help="guidance scale; the bundle's own when absent")
    parser.add_argument("--ablations", action="store_true", help="three more rows: without one branch each, and unsaid")
    add_seed(parser, "added to the first held-out person's seed")
    parser.add_argument("--processes", type=int, default=1, help="people at a time")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser
