"""`evaluate text --heads DIR`: whole heads of prompts, made where they are not there, measured and drawn one by one."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from idto3d.files import json_object, remove, write_atomic
from idto3d.head.template import FACE
from idto3d.training.measure.heads.finished import Layout, OneHead
from idto3d.training.measure.heads.made import (
    CHOOSING,
    LOADING,
    Clock,
    candidates_of,
    finished_in,
    make,
    named,
    options_of,
    seeds_apart_mm,
    with_chosen,
)
from idto3d.training.measure.heads.named import looks_named
from idto3d.training.measure.heads.report import as_text, row, summed, table, told
from idto3d.training.measure.heads.shaped import shape_named
from idto3d.training.measure.heads.sheet import sheet
from idto3d.training.measure.heads.sight import Sight
from idto3d.training.scorer.measures import Ruler, ruler_of

JSON, TABLE, SHEETS = "heads.json", "heads.md", "sheets"


@dataclass(frozen=True)
class HeadsAsked:
    """Where heads lie, or come to lie, the weights that make them, and steps of shape and colour, None: a draft's."""

    folder: Path
    weights: str = "embedded"
    steps: int | None = None
    device: str = "auto"


def measure_heads(prompts: Sequence[str], asked: HeadsAsked) -> list[dict]:
    """A row for each prompt; files in the folder are written anew after each. Raises UserError."""
    asked.folder.mkdir(parents=True, exist_ok=True)
    there, layout, rows = finished_in(asked.folder), Layout(), []
    ruler, before = ruler_of(layout.template), _seconds_before(asked.folder)
    for prompt, name in named(prompts):
        head = there.get(prompt)
        rows.append(measured(prompt, name, head, asked, (layout, ruler), before.get(prompt, {}) if head else {}))
        write_atomic(asked.folder / JSON, as_text(rows, False).encode())
        write_atomic(asked.folder / TABLE, table(rows).encode())
        _tell(rows)
    return rows


def measured(
    prompt: str, name: str, head: Path | None, asked: HeadsAsked, ground: tuple[Layout, Ruler], before: dict
) -> dict:
    """One prompt: its candidates of two seeds, its head, what is measured, and its sheet."""
    clock, options = Clock(dict(before)), options_of(prompt, asked.weights, asked.steps, device=asked.device)
    clock.seconds.pop(CHOOSING, None)
    clock.begin(CHOOSING)
    found = candidates_of(options)
    others = candidates_of(options_of(prompt, asked.weights, asked.steps, 1, asked.device), 1)
    if head is None:
        clock.begin(LOADING)
        head = make(with_chosen(options, found), asked.folder / name, clock)
    for part in ("measuring", "pictures"):
        clock.seconds.pop(part, None)
    clock.begin("measuring")
    layout, ruler = ground
    sight = Sight(prompt, OneHead(head), layout, ruler)
    traits = [(said, rows) for said, rows in (*looks_named(sight), *shape_named(sight)) if rows]
    clock.begin("pictures")
    picture = sheet(sight, [one.picture for one in found], told(traits))
    path = asked.folder / SHEETS / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    picture.save(path)
    clock.begin("")
    apart = seeds_apart_mm(found, others, layout.template.identity[:, FACE].numpy()) if found and others else 0.0
    return row(prompt, head.name, traits, apart, clock.seconds)


def _seconds_before(folder: Path) -> dict[str, dict]:
    """What making the heads took that a run before has made, by prompt."""
    file = folder / JSON
    if not file.is_file():
        return {}
    try:
        return {one["prompt"]: one["seconds"] for one in json_object(file.read_text())["rows"]}
    except (ValueError, KeyError, TypeError):
        remove(file)
        return {}


def _tell(rows: Sequence[dict]) -> None:
    """The newest row, in words, for who waits."""
    one = rows[-1]
    missing = "; ".join(trait["trait"] for trait in one["traits"] if not trait["there"])
    spent = ", ".join(f"{part} {seconds:.1f}" for part, seconds in one["seconds"].items())
    print(f"{one['prompt']}: {f'without {missing}' if missing else 'all there'} ({spent} s)", file=sys.stderr)
    print(f"  so far {summed(rows)['there']} of {summed(rows)['named']}", file=sys.stderr, flush=True)
