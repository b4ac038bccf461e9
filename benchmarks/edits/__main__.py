"""Edits of finished heads: whether what was asked for comes, all else stays, and how long it takes.

    python -m benchmarks.edits HEAD... [--requests WORD ...] [--steps N] [--out DIR] [--sheet OUT.png] [--table OUT.md]

A HEAD is the run folder of a finished head, a photo, or words in quotation marks; of the latter two a head is made
first. On each, fifteen requests are made as the product makes them, one by one and each on the head as it was made. Of
each it is measured: whether the asked region has changed in the asked direction; how many texels and vertices differ
elsewhere, by their bits; whether expressions keep names and number; how alike the face is, by the embedded weights'
encoder on renders from three sides; and seconds, after one edit that warms the process up. Where GLTF_VALIDATOR is set
(see benchmarks/check_glb.py) each file is validated.

Prints JSON. --sheet draws every head after every request, --table writes the figures as a table in Markdown; both are
written anew after each request. Heads are taken one after another. Exit code 1 where something is not as wanted.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.edits.requests import Asked, chosen
from benchmarks.edits.run import edit, measured
from benchmarks.edits.sheet import write_sheet
from benchmarks.edits.table import table
from benchmarks.likeness import tell
from benchmarks.machine import machine
from idto3d.bundle.find import find_bundle
from idto3d.config import EMBEDDED, preset
from idto3d.device import choose_device
from idto3d.errors import UserError, run_command
from idto3d.events import exhausted
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.pipeline import create_head
from idto3d.stages.models import load_encoder
from idto3d.stages.saved import FILE
from idto3d.training.measure.heads.finished import Layout, OneHead

THUMB = 200  # side of a picture of the sheet, pixels
AZIMUTH_DEG = 25.0  # from which it is seen


def head_of(given: str, folder: Path) -> Path:
    """The run folder of a HEAD, which is made in `folder` where it is a photo or words. Raises UserError."""
    path = Path(given)
    if (path / FILE).is_file():
        return path
    if path.is_dir():
        raise UserError(f"There is no finished head in '{given}'.", "Give the folder that `generate` wrote.")
    tell(f"making a head of '{given}'")
    photos = [path] if path.is_file() else []
    options = preset("draft") if photos else replace(preset("draft"), prompt=given)
    for _ in create_head(photos, options, folder, Checkpointer(folder / "checkpoints", options.checkpoint_seconds)):
        pass
    return folder


@dataclass(frozen=True)
class Report:
    """What was measured so far, by head and request, with a row of pictures of each head, and where it is written."""

    requests: Sequence[Asked]
    sheet: Path | None
    table: Path | None
    found: dict[str, dict[str, dict]] = field(default_factory=dict)
    rows: dict[str, list[np.ndarray | None]] = field(default_factory=dict)

    def write(self) -> None:
        """The files anew, so that a run that is broken off has left what it measured."""
        if self.table:
            self.table.write_text(table(self.found, [asked.name for asked in self.requests]))
        if self.sheet:
            wide = len(self.requests) + 1
            rows = {name: [*row, *[None] * (wide - len(row))] for name, row in self.rows.items()}
            write_sheet(self.sheet, rows, ["", *(asked.name for asked in self.requests)])

    @property
    def right(self) -> bool:
        return all(one["right"] for head in self.found.values() for one in head.values())


def measure(given: Sequence[str], report: Report, out: Path, steps: int | None) -> None:
    """Every request on every head, one head after another; the report's files are written after each request."""
    layout, encoder = Layout(), load_encoder(exhausted(find_bundle(EMBEDDED)), "auto")
    for place, one in enumerate(given):
        name = name_of(one)
        head = head_of(one, out / "heads" / name)
        if not place:
            edit(head, report.requests[0], out / "warm", steps)
        report.found[name], report.rows[name] = {}, [OneHead(head).picture(AZIMUTH_DEG, THUMB)]
        for number, asked in enumerate(report.requests):
            made = edit(head, asked, out / "edits" / name / f"{number:02d}", steps)
            report.found[name][asked.name] = measured(head, asked, made, layout, encoder)
            report.rows[name].append(OneHead(made.folder).picture(AZIMUTH_DEG, THUMB))
            report.write()
            tell(f"{name}, {asked.name}: {wrong(report.found[name][asked.name]) or 'right'}")


def wrong(measures: dict) -> str:
    """What is not as wanted, in words."""
    return "; ".join(
        f"{one['what']} {one['value']:.3g}, not {one['wanted']}" for one in measures["found"] if not one["right"]
    )


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heads", nargs="+", metavar="HEAD", help="a run folder, a photo, or words")
    parser.add_argument(
        "--requests", nargs="*", default=[], metavar="WORD", help="only requests that hold one of these"
    )
    parser.add_argument("--steps", type=int, help="guided steps of an edit; its own where not given")
    parser.add_argument("--out", type=Path, help="keep the edited heads in this folder, which must be new")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet to this PNG")
    parser.add_argument("--table", type=Path, help="write the figures to this Markdown file")
    return parser


def main(argv: list[str]) -> int:
    """The command."""
    told = make_parser().parse_args(argv)
    requests = chosen(told.requests)
    if not requests:
        raise UserError("No request holds such a word.", "Leave --requests out to see all in the report.")
    report = Report(requests, told.sheet, told.table)
    with tempfile.TemporaryDirectory() as scratch:
        measure(told.heads, report, told.out or Path(scratch), told.steps)
    print(json.dumps({"heads": report.found} | machine(choose_device("cpu")), indent=1))
    return 0 if report.right else 1


def name_of(given: str) -> str:
    """What a head is called in reports."""
    return Path(given).stem.replace(" ", "_")


if __name__ == "__main__":
    run_command(main)
