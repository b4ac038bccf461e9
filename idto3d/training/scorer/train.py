"""`python -m idto3d train --domain scorer`: our own image-text scorer, from drawing its pictures to scorer.safetensors.

Clay heads and dressed people are drawn into the work folder, two towers learn from them, and a shortcut from
coefficients to embeddings learns from the towers. What was interrupted goes on.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from torch.nn import functional

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.errors import run_command
from idto3d.guidance.scorer.clay import clay_of
from idto3d.guidance.scorer.file import Scoring, new_scoring, save_scoring
from idto3d.head.template_file import load_template
from idto3d.training.arguments import add_ict, add_out, add_seed, count, expect_one
from idto3d.training.people import synthetic
from idto3d.training.people.ict import read_ict
from idto3d.training.scorer.drawn import Drawn, clay_shard, dressed_shard, read_shards, write_shards
from idto3d.training.scorer.learn import Judge, agreement, draw_batch, mean_embeddings
from idto3d.training.scorer.measures import ruler_of
from idto3d.training.state import read_state, write_state
from idto3d.words.faces.table import LOOKS, TOKENS

HELD_OUT = 0.08  # share of the people who are never learned from
RATE, SHORTCUT_RATE, DECAY = 1.5e-3, 1e-3, 0.02
WARMUP = 100
SHORTCUT_BATCH, LIGHTS = 384, 2
SAVE_SECONDS, TELL_STEPS = 60.0, 50
CLAY_SEED, DRESSED_SEED = 3_000_000, 4_000_000
DRESSED_SHARE = 0.35  # of the batches
DECLINE = 0.02  # share of the rate that is left at the end


@dataclass(frozen=True)
class ScorerOptions:
    """What is drawn, and how long is learned."""

    ict: Path
    work: Path
    out: Path
    template: Path
    clay: int
    dressed: int
    steps: int
    shortcut_steps: int
    seed: int


def main(argv: Sequence[str]) -> int:
    """The command."""
    options = parse(argv)
    options.work.mkdir(parents=True, exist_ok=True)
    clay, dressed = draw(options)
    modes = clay.coefficients.shape[1]
    torch.manual_seed(options.seed)
    scoring = new_scoring(modes)
    learn_towers(scoring, clay, dressed, options)
    figures = learn_shortcut(scoring, clay, options)
    remember_hair(scoring, dressed)
    figures |= {"agreement_clay": _mean(agreement(scoring.towers, _held(clay)))}
    figures |= {"agreement_dressed": _mean(agreement(scoring.towers, _held(dressed)))}
    tell(options, figures | {"tokens": _rounded(agreement(scoring.towers, _held(clay)))})
    about = {"clay": options.clay, "dressed": options.dressed, "steps": options.steps, "seed": options.seed}
    save_scoring(scoring, options.out, about | figures)
    return 0


def draw(options: ScorerOptions) -> tuple[Drawn, Drawn]:
    """The pictures, drawn as far as the work folder has not got them."""
    template = load_template(options.template)
    clay, ruler = clay_of(template), ruler_of(template)
    folders = options.work / "clay", options.work / "dressed"
    for done in write_shards(
        folders[0], options.clay, CLAY_SEED, lambda seeds: clay_shard(clay, ruler, template.words, seeds)
    ):
        tell(options, {"drawn_clay": done})
    studio = synthetic.open_studio(read_ict(options.ict))
    for done in write_shards(
        folders[1], options.dressed, DRESSED_SEED, lambda seeds: dressed_shard(studio, ruler, seeds)
    ):
        tell(options, {"drawn_dressed": done})
    return read_shards(folders[0], options.clay), read_shards(folders[1], options.dressed)


def _split(drawn: Drawn) -> tuple[Drawn, Drawn]:
    """Those who are learned from, and those held out, who come last."""
    end = len(drawn.tokens) - max(1, round(HELD_OUT * len(drawn.tokens)))
    cut = lambda part: Drawn(  # noqa: E731
        drawn.normals[part],
        None if drawn.albedo is None else drawn.albedo[part],
        drawn.tokens[part],
        drawn.coefficients[part],
    )
    return cut(slice(None, end)), cut(slice(end, None))


def _held(drawn: Drawn) -> Drawn:
    return _split(drawn)[1]


def learn_towers(scoring: Scoring, clay: Drawn, dressed: Drawn, options: ScorerOptions) -> None:
    """Teach both towers; goes on where the work folder holds their state."""
    judge = Judge(scoring.towers)
    trained = {name: value for name, value in judge.named_parameters() if not name.startswith("towers.shortcut")}
    state = options.work / "towers.state.safetensors"
    optimiser = torch.optim.AdamW(trained.values(), RATE, weight_decay=DECAY, fused=False)
    done = (read_state(state, trained, optimiser) or {"step": 0})["step"]
    learned, losses, saved = (_split(clay)[0], _split(dressed)[0]), [], time.monotonic()
    for step in range(done, options.steps):
        random = np.random.default_rng([options.seed, step])
        for group in optimiser.param_groups:
            group["lr"] = RATE * rate_share(step, options.steps)
        loss = judge.loss(draw_batch(learned[random.random() < DRESSED_SHARE], random))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if (step + 1) % TELL_STEPS == 0:
            tell(options, {"step": step + 1, "loss": round(float(np.mean(losses[-TELL_STEPS:])), 4)})
        if time.monotonic() - saved > SAVE_SECONDS or step + 1 == options.steps:
            write_state(state, trained, optimiser, {"step": step + 1})
            saved = time.monotonic()


def rate_share(step: int, steps: int) -> float:
    """The share 0..1 of the learning rate at a step: up in WARMUP steps, then down along a cosine."""
    up = min(1.0, (step + 1) / WARMUP)
    return up * (DECLINE + (1 - DECLINE) * 0.5 * (1 + np.cos(np.pi * step / steps)))


def learn_shortcut(scoring: Scoring, clay: Drawn, options: ScorerOptions) -> dict[str, float]:
    """Teach the way from coefficients to embeddings; how far it is from drawing those who were held out."""
    learned, held = _split(clay)
    targets, truth = (mean_embeddings(scoring.towers, part, LIGHTS) for part in (learned, held))
    inputs = torch.from_numpy(learned.coefficients)
    network, random = scoring.towers.shortcut, torch.Generator().manual_seed(options.seed)
    optimiser = torch.optim.AdamW(network.parameters(), SHORTCUT_RATE, weight_decay=DECAY)
    for step in range(options.shortcut_steps):
        which = torch.randint(len(inputs), (min(SHORTCUT_BATCH, len(inputs)),), generator=random)
        for group in optimiser.param_groups:
            group["lr"] = SHORTCUT_RATE * rate_share(step, options.shortcut_steps)
        loss = functional.mse_loss(network(inputs[which]), targets[which]) * targets.shape[1]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return shortcut_figures(scoring, held, truth)


@torch.no_grad()
def shortcut_figures(scoring: Scoring, held: Drawn, truth: torch.Tensor) -> dict[str, float]:
    """Mean cosine between what is expected and what is drawn, and the rank correlation of scores over all tokens."""
    guess = functional.normalize(scoring.towers.shortcut(torch.from_numpy(held.coefficients)), dim=1)
    shape = [place for place, token in enumerate(TOKENS) if token not in LOOKS]
    said = functional.normalize(scoring.towers.text(torch.eye(len(TOKENS))[shape]), dim=1)
    ranks = [rank_correlation(guess @ one, truth @ one) for one in said]
    return {
        "shortcut_cosine": round(float((guess * truth).sum(1).mean()), 4),
        "shortcut_rank_correlation": round(float(np.mean(ranks)), 4),
        "shortcut_rank_correlation_least": round(float(np.min(ranks)), 4),
    }


def rank_correlation(first: torch.Tensor, second: torch.Tensor) -> float:
    """Spearman's, of two rows of scores; 0 where one is constant."""
    constant = min(float(first.std()), float(second.std())) < 1e-6
    return 0.0 if constant else float(spearmanr(first.numpy(), second.numpy()).statistic)


@torch.no_grad()
def remember_hair(scoring: Scoring, dressed: Drawn) -> None:
    """Keep the mean embedding of each style and colour of hair."""
    seen = mean_embeddings(scoring.towers, dressed, LIGHTS)
    for kept, names in ((scoring.towers.styles, scoring.styles), (scoring.towers.colours, scoring.colours)):
        suffix = " hair" if names is scoring.styles else " hair colour"
        for place, name in enumerate(names):
            has = torch.from_numpy(dressed.tokens[:, TOKENS.index(name + suffix)] > 0.5)
            kept[place] = functional.normalize(seen[has].mean(0), dim=0) if has.any() else 0


def _mean(found: dict[str, float]) -> float:
    return round(float(np.mean(list(found.values()))), 4) if found else 0.0


def _rounded(found: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in found.items()}


def tell(options: ScorerOptions, figures: dict) -> None:
    """Print a line and append it to the work folder's log."""
    line = json.dumps(figures)
    print(line, flush=True)
    with open(options.work / "log.jsonl", "a", encoding="utf-8") as log:
        log.write(line + "\n")


def parse(argv: Sequence[str]) -> ScorerOptions:
    """The options in `argv`. Raises UserError."""
    parser = argparse.ArgumentParser(prog="idto3d train --domain scorer", description=__doc__)
    add_ict(parser, "packed ICT-FaceKit with MakeHuman's words, see training.fit.makehuman")
    parser.add_argument("--work", type=Path, required=True, help="folder of pictures, state and log")
    add_out(parser, "scorer.safetensors to write", Path("scorer.safetensors"))
    parser.add_argument("--template", type=Path, default=EMBEDDED / TEMPLATE_FILE, help="template.safetensors")
    parser.add_argument("--clay", type=count, default=6000, help="clay heads to draw")
    parser.add_argument("--dressed", type=count, default=1500, help="dressed people to draw")
    parser.add_argument("--steps", type=count, default=3000, help="steps of the towers")
    parser.add_argument("--shortcut-steps", type=count, default=3000, help="steps of the shortcut")
    add_seed(parser)
    options = ScorerOptions(**vars(parser.parse_args(list(argv))))
    expect_one("A number of people", options.clay, options.dressed)
    return options


if __name__ == "__main__":
    run_command(main)
