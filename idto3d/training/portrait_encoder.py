"""`python -m idto3d.training.portrait_encoder`: train the network that reads a head's shape from a portrait.

Learns from the portraits of synthetic people (`synthesize`), whose coefficients are known; embedded or not. Every step
sees fresh variations of them, see augment.py. An interrupted training goes on where it was; a finished one is refined
by `--init`. Figures of held-out people are printed as lines of JSON.
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
from idto3d.subject.portrait_net import PortraitNet, load_portrait_net, read_description, save_portrait_net
from idto3d.training.augment import augmented
from idto3d.training.faces import KnownFaces, read_known
from idto3d.training.portrait_scores import codes_of, fit_linear_guess, mean_code, measure, measure_dlib
from idto3d.training.portrait_targets import classes, new_net
from idto3d.training.state import is_finished, read_state, state_path, step_random, write_state

EVEN = 0.3  # of the loss in which all modes count alike; in the rest, as much as they move the face
WORDS = 0.03  # weight of the attributes' cross entropy
BELIEVED = 0.99  # share of the training portraits whose code is shorter than the longest that is believed


@dataclass(frozen=True)
class EncoderOptions:
    """What the network learns from, and for how long; `init` is a network to go on from."""

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
    """Faces with what is to be told of them: whitened codes [n, K], and classes [n] for each attribute."""

    faces: KnownFaces
    codes: Tensor
    words: dict[str, Tensor]


def main(argv: list[str]) -> int:
    """The command."""
    options = _parse(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    learn, held = people(options)
    net = begin(learn, options)
    print(json.dumps({"people": len(learn.looks), "held_out": len(held.looks), "modes": net.size.modes}), flush=True)
    print(json.dumps({"dlib": _rounded(measure_dlib(net, held))}), flush=True)
    if not is_finished(options.out) or options.init is not None:
        net = train(net, learn, held, options)
    print(json.dumps({"final": _rounded(measure(net, held))}), flush=True)
    return 0


def people(options: EncoderOptions) -> tuple[KnownFaces, KnownFaces]:
    """Those who are trained on and those who are held out: the other dataset, else the last shard, else a fifth."""
    learn = read_known(options.data, options.workers)
    if options.held_out is not None:
        return learn, read_known(options.held_out, options.workers)
    last = learn.place[:, 0] == learn.place[:, 0].max()
    if last.all():
        last = np.arange(len(last)) >= 0.8 * len(last)
    return learn.some(~last), learn.some(last)


def begin(learn: KnownFaces, options: EncoderOptions) -> PortraitNet:
    """A fresh network for the dataset; with `init` it takes over from that one whatever fits.

    The code of `init` keeps its meaning unless a prior is given or the heads have another number of coefficients.
    Raises UserError for a file that cannot be read.
    """
    prior = load_prior(options.prior) if options.prior is not None else None
    net = new_net(learn.coefficients, learn.looks, prior)
    if options.init is not None:
        take_over(net, load_portrait_net(options.init), prior is None)
    if options.init is None or prior is not None or not net.recognition_map.any():
        fit_linear_guess(net, learn)
        with torch.no_grad():  # the network's own part starts at nothing
            net.head.weight[: net.size.modes], net.head.bias[: net.size.modes] = 0, 0
    return net


def take_over(net: PortraitNet, given: PortraitNet, meaning: bool) -> None:
    """Put into `net` whatever fits of `given`; with `meaning` also what its code means, where that fits as a whole."""
    own, other = net.state_dict(), given.state_dict()
    targets = {name for name, _ in net.named_buffers()}
    kept = meaning and all(name in other and other[name].shape == own[name].shape for name in targets)
    fits = {k: v for k, v in other.items() if k in own and v.shape == own[k].shape and (kept or k not in targets)}
    net.load_state_dict(own | fits)


def lessons(net: PortraitNet, faces: KnownFaces) -> Lessons:
    """What `net` should tell of `faces`."""
    codes = net.whitened(torch.from_numpy(faces.coefficients))
    return Lessons(faces, codes, classes(faces.looks, net.size.attributes))


def train(net: PortraitNet, learn: KnownFaces, held: KnownFaces, options: EncoderOptions) -> PortraitNet:
    """Train until the minutes are over; writes `out` and, while under way, its state. Returns the averaged network."""
    net.train().to(memory_format=torch.channels_last)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    state, told = state_path(options.out), lessons(net, learn)
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
            print(json.dumps(_rounded(report | measure(_written(net, average, told, options), held))), flush=True)
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


def _step(net: PortraitNet, optimiser, told: Lessons, options: EncoderOptions, step: int) -> float:
    """One step of AdamW; returns the loss. A loss or gradient that is not finite changes nothing."""
    random = step_random(options.seed, step)
    people, *inputs = draw(told.faces, options.batch, random)
    value = loss(net, inputs, told, people)
    optimiser.zero_grad()
    value.backward()
    if torch.isfinite(torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)):
        optimiser.step()
    return value.item()


def draw(faces: KnownFaces, count: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rows [B] of random people, and what the network takes of a portrait each, the crop augmented."""
    rows = np.argwhere(faces.found())
    rows = rows[torch.randint(len(rows), (count,), generator=random).numpy()]
    crops, marks = faces.crops(rows[:, 0], rows[:, 1]), faces.landmarks[rows[:, 0], rows[:, 1]]
    known = torch.from_numpy(faces.embedding[rows[:, 0], rows[:, 1]])
    return torch.from_numpy(rows[:, 0]), *augmented(torch.from_numpy(crops), torch.from_numpy(marks), random), known


def loss(net: PortraitNet, inputs: Sequence[Tensor], told: Lessons, people: Tensor) -> Tensor:
    """Squared error of the codes, modes weighted by their share, and the attributes' cross entropy."""
    codes, scores = net(inputs[0].contiguous(memory_format=torch.channels_last), *inputs[1:])
    weight = EVEN + (1 - EVEN) * net.code_share * net.size.modes
    total = ((codes - told.codes[people]).square() * weight).mean()
    for name, score in scores.items():
        wanted = told.words[name][people]
        if (wanted >= 0).any():
            total = total + WORDS * F.cross_entropy(score, wanted)
    return total


@torch.no_grad()
def _follow(average: list[Tensor], parameters, decay: float) -> None:
    torch._foreach_lerp_(average, [parameter.detach() for parameter in parameters], 1 - decay)


def _written(net: PortraitNet, average: list[Tensor], told: Lessons, options: EncoderOptions) -> PortraitNet:
    """The averaged network, calibrated and saved."""
    result = PortraitNet(net.size)
    names = [name for name, _ in net.named_parameters()]
    result.load_state_dict(net.state_dict() | dict(zip(names, average, strict=True)))
    calibrate(result.eval().requires_grad_(False), told.faces)
    provenance = {"people": len(told.faces.looks), "minutes": options.minutes, "seed": options.seed}
    save_portrait_net(result, options.out, provenance | {"earlier": _earlier(options)})
    return result


def _earlier(options: EncoderOptions) -> dict:
    return read_description(options.init)["provenance"] if options.init is not None else {}


@torch.no_grad()
def calibrate(net: PortraitNet, faces: KnownFaces, most: int = 300) -> None:
    """Set the longest code that is believed, and the scale at which codes of two people lie as far apart as dlib's."""
    some = faces.some(np.arange(len(faces.looks))[:most])
    codes = codes_of(net, some, torch.Generator().manual_seed(5)).flatten(0, 1)
    net.longest.copy_(codes[~codes[:, 0].isnan()].norm(dim=1).quantile(BELIEVED))
    known = torch.from_numpy(np.where(some.found()[..., None], some.embedding, np.nan))
    spreads = []
    for part in (mean_code(known, 1), mean_code(codes_of(net, some), 1)):
        spreads.append(part[~part[:, 0].isnan()].var(0, correction=0).sum())
    net.embedding_scale.copy_((spreads[0] / spreads[1].clamp(min=1e-9)).sqrt())


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _parse(argv: list[str]) -> EncoderOptions:
    parser = argparse.ArgumentParser(prog="idto3d.training.portrait_encoder", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="dataset written by synthesize")
    parser.add_argument("--out", type=Path, required=True, help="where to write identity.safetensors")
    parser.add_argument("--minutes", type=float, required=True, help="of training")
    parser.add_argument("--prior", type=Path, help="head prior whose z is told; else principal components")
    parser.add_argument("--held-out", type=Path, help="dataset never trained on; else the last shard is held out")
    parser.add_argument("--init", type=Path, help="a trained network to go on from")
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
