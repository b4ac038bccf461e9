"""`python -m idto3d evaluate text`: have heads of words what the words name, and what is each part of choosing worth?

Twelve prompts of people who are described, not named. Of each the chosen head is measured: cosines of its clay pictures
with the words, whether each named trait is there, and time. `--judge` names a scorer that was not used for choosing.

`--heads DIR` measures whole heads in place of these: see measure/heads/run.py.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from idto3d.bundle.find import find_bundle
from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED, ChoiceOptions, HeadOptions
from idto3d.device import choose_device
from idto3d.errors import UserError
from idto3d.events import exhausted
from idto3d.guidance.scorer.find import find_scorer
from idto3d.head.template_file import load_template
from idto3d.stages.models import start_prior
from idto3d.training.arguments import count
from idto3d.training.measure.heads.report import as_text, summed
from idto3d.training.measure.heads.report import table as table_of_heads
from idto3d.training.measure.heads.run import HeadsAsked, measure_heads
from idto3d.training.measure.text.ablations import Tools, rank_correlation, seeds_apart, settings, table
from idto3d.training.measure.text.prompts import HEADS, TWELVE, Asked
from idto3d.training.scorer.measures import ruler_of

FIGURES = ("direct", "relative", "there", "deviations", "made", "seconds")


def main(argv: Sequence[str]) -> int:
    """The command."""
    asked = _parser().parse_args(list(argv))
    if asked.heads is not None:
        return _heads(asked)
    prompts = TWELVE if asked.prompts is None else _prompts(asked.prompts)
    tools = _tools(asked)
    choices = settings(ChoiceOptions())
    choices = choices if asked.ablations else {"full": choices["full"]}
    rows, began = [], time.perf_counter()
    for row in table(prompts, choices, tools):
        rows.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
    apart = [seeds_apart(one, tools) for one in prompts[: asked.ranked]]
    answer = {
        "scorer": tools.scorer.title,
        "judge": tools.judge.title,
        "prompts": len(prompts),
        "threads": torch.get_num_threads(),
        "seconds": round(time.perf_counter() - began, 1),
        "settings": {name: _means([row for row in rows if row["setting"] == name]) for name in choices},
        "rank_correlation": round(float(np.mean([rank_correlation(one, tools) for one in prompts[: asked.ranked]])), 3),
        "seeds_apart_mm": {name: round(float(np.mean([one[name] for one in apart])), 2) for name in apart[0]},
        "rows": rows,
    }
    print(json.dumps(answer, indent=None if asked.json else 1))
    return 0


def _heads(asked: argparse.Namespace) -> int:
    prompts = HEADS if asked.prompts is None else tuple(one.prompt for one in _prompts(asked.prompts))
    rows = measure_heads(prompts, HeadsAsked(asked.heads, asked.weights, asked.steps, asked.device))
    print(as_text(rows, True) if asked.json else table_of_heads(rows) + "\n" + json.dumps(summed(rows)))
    return 0


def _tools(asked: argparse.Namespace) -> Tools:
    device = choose_device(asked.device)
    options, files = HeadOptions(weights=asked.weights), exhausted(find_bundle(asked.weights))
    own = files.folder / TEMPLATE_FILE
    template = load_template(own if own.is_file() else EMBEDDED / TEMPLATE_FILE, device)
    scorer = exhausted(find_scorer(asked.scorer, files, len(template.identity), device))
    if scorer is None:
        raise UserError("These weights have no scorer that could choose.", "Name one by --scorer.")
    judge = exhausted(find_scorer(asked.judge, files, len(template.identity), device)) if asked.judge else scorer
    return Tools(template, start_prior(options, files, device), scorer, judge, ruler_of(template))


def _prompts(path: Path) -> tuple[Asked, ...]:
    if not path.is_file():
        raise UserError(f"There is no file {path}.", "Give a text with a prompt in each line.")
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    if not any(lines):
        raise UserError(f"{path} holds no prompt.", "Write one in each line.")
    return tuple(Asked(line) for line in lines if line)


def _means(rows: Sequence[dict]) -> dict[str, float]:
    return {name: round(float(np.mean([row[name] for row in rows])), 3) for name in FIGURES}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="idto3d evaluate text", description="Measure heads of words.")
    parser.add_argument("--weights", default="embedded", help="embedded, community, a folder, or ORG/REPO[@REV]")
    parser.add_argument("--prompts", type=Path, help="a text with a prompt in each line; without it twelve of ours")
    parser.add_argument("--heads", type=Path, metavar="DIR", help="measure whole heads; where finished ones lie")
    parser.add_argument("--steps", type=int, help="of shape and of colour, for --heads; a draft's own without it")
    parser.add_argument("--scorer", default="auto", help="who chooses, as choice.scorer")
    parser.add_argument("--judge", default="", help="who judges what was chosen, as choice.scorer; the same without it")
    parser.add_argument("--ablations", action="store_true", help="also without choice, without either score, and more")
    parser.add_argument("--ranked", type=count, default=3, help="prompts whose seeds and guesses are compared")
    parser.add_argument("--device", default="auto", help="where to compute")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser
