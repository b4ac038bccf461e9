"""`python -m idto3d.training.portrait_encoder`: learn to read a head's shape, hair, skin and so on from a portrait.

Learns from the portraits of synthetic people (`synthesize --views 0` draws nothing else), whose coefficients are known.
The shape is fitted in closed form, see shape_fit.py; a small network that says how people look is trained for some
minutes, every step on fresh variations of the portraits, see augment.py. An interrupted training goes on where it was;
a finished one is refined by `--init`. Figures of held-out people are printed as lines of JSON.

Whom this learned from it knows better than others, so the guidance should be trained on other people.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.errors import UserError
from idto3d.fields.head_prior import load_prior
from idto3d.subject.identity_file import load_identity, read_description, save_identity
from idto3d.subject.looks_net import LooksNet, LooksSize
from idto3d.subject.shape_reader import ShapeReader
from idto3d.training.augment import augmented
from idto3d.training.faces import KnownFaces, read_known
from idto3d.training.portrait_scores import measure_shape, right_words
from idto3d.training.portrait_targets import classes, vocabularies
from idto3d.training.shape_fit import fit_reader
from idto3d.training.state import is_finished, read_state, state_path, step_random, write_state


@dataclass(frozen=True)
class EncoderOptions:
    """What is learned from, and how long the network is trained; `init` has a network to go on from."""

    data: Path
    out: Path
    minutes: float
    prior: Path | None = None
    held_out: Path | None = None
    init: Path | None = None
    batch: int = 32
    learning_rate: float = 1.5e-3
    ema: float = 0.998
    warmup: int = 100
    save_seconds: float = 120.0
    measure_minutes: float = 6.0
    workers: int = 1
    threads: int = 0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Lessons:
    """Faces with what is to be told of them: classes [n] for each attribute; and what is written along.

    That is the reader, and the provenance of the network that this one goes on from.
    """

    faces: KnownFaces
    words: dict[str, Tensor]
    reader: ShapeReader
    earlier: dict


def main(argv: list[str]) -> int:
    """The command."""
    options = _parse(argv)
    check_begin(options)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    learn, held = people(options)
    print(json.dumps({"people": len(learn.looks), "held_out": len(held.looks)}), flush=True)
    reader, net = begin(learn, options)
    print(json.dumps({"shape": _rounded(measure_shape(reader, held))}), flush=True)
    earlier = read_description(options.init)["provenance"] if options.init is not None else {}
    lessons = Lessons(learn, classes(learn.looks, net.size.attributes), reader, earlier)
    net = train(net, lessons, held, options)
    print(json.dumps({"words": _rounded(right_words(net, held))}), flush=True)
    return 0


def check_begin(options: EncoderOptions) -> None:
    """Raises UserError where there is a finished file already, or where no network would be trained or taken."""
    if is_finished(options.out):
        raise UserError(f"{options.out} is finished already.", "Choose another --out; --init goes on from a file.")
    if options.minutes == 0 and options.init is None:
        raise UserError("Without minutes the network would stay random.", "Give minutes, or a network by --init.")


def people(options: EncoderOptions) -> tuple[KnownFaces, KnownFaces]:
    """Those who are learned from and those who are held out: the other dataset, else the last shard, else a fifth."""
    learn = read_known(options.data, options.workers)
    if options.held_out is not None:
        return learn, read_known(options.held_out, options.workers)
    last = learn.place[:, 0] == learn.place[:, 0].max()
    if last.all():
        last = np.arange(len(last)) >= 0.8 * len(last)
    return learn.some(~last), learn.some(last)


def begin(learn: KnownFaces, options: EncoderOptions) -> tuple[ShapeReader, LooksNet]:
    """The fitted reader, and a fresh network or that of `init`. Raises UserError for a file that cannot be read."""
    prior = load_prior(options.prior) if options.prior is not None else None
    reader = fit_reader(learn, prior, torch.Generator().manual_seed(options.seed))
    net = LooksNet(LooksSize(attributes=vocabularies(learn.looks)))
    if options.init is not None:
        own, other = net.state_dict(), load_identity(options.init)[1].state_dict()
        net.load_state_dict(own | {k: v for k, v in other.items() if k in own and v.shape == own[k].shape})
    return reader, net


def train(net: LooksNet, told: Lessons, held: KnownFaces, options: EncoderOptions) -> LooksNet:
    """Train until the minutes are over; writes `out` and, while under way, its state. Returns the averaged network."""
    net.train().to(memory_format=torch.channels_last)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    state = state_path(options.out)
    trained = dict(net.named_parameters())
    optimiser = torch.optim.AdamW(trained.values(), options.learning_rate, weight_decay=0.02)
    average = [parameter.detach().clone() for parameter in trained.values()]
    progress = read_state(state, trained, optimiser, average) or {"step": 0, "minutes": 0.0}
    step, before = progress["step"], progress["minutes"]
    started = saved = measured = time.monotonic()
    losses = []
    while (minutes := before + (time.monotonic() - started) / 60) < options.minutes:
        _set_rate(optimiser, options, step, minutes)
        losses.append(_step(net, optimiser, told, options, step))
        _follow(average, trained.values(), min(options.ema, (1 + step) / (10 + step)))
        step += 1
        if time.monotonic() - saved > options.save_seconds:
            write_state(state, trained, optimiser, {"step": step, "minutes": minutes}, average)
            saved = time.monotonic()
        if time.monotonic() - measured > 60 * options.measure_minutes:
            report = {"step": step, "minutes": minutes, "loss": float(np.mean(losses))}
            print(json.dumps(_rounded(report | right_words(_written(net, average, told, options), held))), flush=True)
            measured, losses = time.monotonic(), []
    finished = _written(net, average, told, options)
    state.unlink(missing_ok=True)
    return finished


def _set_rate(optimiser: torch.optim.Optimizer, options: EncoderOptions, step: int, minutes: float) -> None:
    share = min(minutes / options.minutes, 1.0)
    rate = (
        options.learning_rate
        * min(1.0, (step + 1) / options.warmup)
        * (0.01 + 0.99 * math.cos(share * math.pi / 2) ** 2)
    )
    for group in optimiser.param_groups:
        group["lr"] = rate


def _step(net: LooksNet, optimiser, told: Lessons, options: EncoderOptions, step: int) -> float:
    """One step of AdamW; returns the loss. A loss or gradient that is not finite changes nothing."""
    random = step_random(options.seed, step)
    people, *inputs = draw(told.faces, options.batch, random)
    value = loss(net, inputs, told, people)
    optimiser.zero_grad()
    value.backward()
    if torch.isfinite(torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)):
        optimiser.step()
    return value.item()


def draw(faces: KnownFaces, count: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Rows [B] of random people, and what the network takes of a portrait each, the crop varied."""
    rows = np.argwhere(faces.found())
    rows = rows[torch.randint(len(rows), (count,), generator=random).numpy()]
    crops, marks = faces.crops(rows[:, 0], rows[:, 1]), faces.landmarks[rows[:, 0], rows[:, 1]]
    return torch.from_numpy(rows[:, 0]), *augmented(torch.from_numpy(crops), torch.from_numpy(marks), random)


def loss(net: LooksNet, inputs: Sequence[Tensor], told: Lessons, people: Tensor) -> Tensor:
    """Mean over the attributes of their cross entropy, each over the people who have it."""
    scores = net(inputs[0].contiguous(memory_format=torch.channels_last), *inputs[1:])
    wanted = {name: told.words[name][people] for name in scores}
    known = [name for name in scores if (wanted[name] >= 0).any()]
    nothing = 0.0 * sum(score.sum() for score in scores.values())
    return sum((F.cross_entropy(scores[name], wanted[name]) for name in known), nothing) / max(len(known), 1)


@torch.no_grad()
def _follow(average: list[Tensor], parameters, decay: float) -> None:
    torch._foreach_lerp_(average, [parameter.detach() for parameter in parameters], 1 - decay)


def _written(net: LooksNet, average: list[Tensor], told: Lessons, options: EncoderOptions) -> LooksNet:
    """The averaged network, saved beside the reader."""
    result = LooksNet(net.size)
    names = [name for name, _ in net.named_parameters()]
    result.load_state_dict(net.state_dict() | dict(zip(names, average, strict=True)))
    provenance = {"people": len(told.faces.looks), "minutes": options.minutes, "seed": options.seed}
    save_identity(told.reader, result.eval(), options.out, provenance | {"earlier": told.earlier})
    return result


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _parse(argv: list[str]) -> EncoderOptions:
    parser = argparse.ArgumentParser(prog="idto3d.training.portrait_encoder", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="dataset written by synthesize")
    parser.add_argument("--out", type=Path, required=True, help="where to write identity.safetensors")
    parser.add_argument("--minutes", type=float, required=True, help="of training the network; 0: only fit the shape")
    parser.add_argument("--prior", type=Path, help="head prior whose z is told; else principal components")
    parser.add_argument("--held-out", type=Path, help="dataset never trained on; else the last shard is held out")
    parser.add_argument("--init", type=Path, help="an identity.safetensors whose network to go on from")
    parser.add_argument("--batch", type=int, default=32, help="portraits per step")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3, help="peak rate of AdamW")
    parser.add_argument("--workers", type=int, default=1, help="processes that find faces")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: as many as there are")
    parser.add_argument("--seed", type=int, default=0)
    return EncoderOptions(**vars(parser.parse_args(argv)))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        print(f"{error.what}\n{error.remedy}", file=sys.stderr)
        sys.exit(2)
