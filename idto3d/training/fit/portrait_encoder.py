"""`python -m idto3d.training.fit.portrait_encoder`: learn to read a head's shape, hair, skin and so on from a portrait.

Learns from the portraits of synthetic people (`synthesize --views 0` draws nothing else), whose coefficients are known.
Half of every step's portraits are fresh photo-like variations, see augment.py. An interrupted training goes on where it
was; a finished one is refined by `--init`. Figures of held-out people are printed as lines of JSON.

Whom this learned from it knows better than others, so the guidance should be trained on other people.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.device import choose_device, in_half
from idto3d.errors import UserError, run_command
from idto3d.subject.identity.identity_file import load_identity, read_description, save_identity
from idto3d.subject.identity.portrait_net import SIDE, PortraitNet
from idto3d.training.arguments import add_dataset, add_ict, add_out, add_seed, add_workers
from idto3d.training.data.augment import augmented
from idto3d.training.data.faces import KnownFaces, read_known
from idto3d.training.fit.portrait_targets import classes, fresh_net
from idto3d.training.fit.surface_modes import check_people
from idto3d.training.measure.portrait_scores import measure, readings_of
from idto3d.training.people.ict import read_ict
from idto3d.training.state import is_finished, read_state, state_path, step_random, write_state

WEIGHED_PEOPLE = 100  # people from whom the weight of codes beside dlib's numbers is taken
WORDS_WEIGHT = 0.05  # weight of each attribute's cross entropy beside the codes' squared error
VARIED_SHARE = 0.5  # share of a batch that is varied like photos; the others are only shifted


@dataclass(frozen=True)
class EncoderOptions:
    """What is learned from, and how long the network is trained.

    `ict` is the model that drew the people: its modes are what the code means. `init` has a network to go on from.
    """

    data: Path
    ict: Path
    out: Path
    minutes: float
    held_out: Path | None = None
    init: Path | None = None
    batch: int = 64
    learning_rate: float = 2e-3
    ema: float = 0.998
    warmup: int = 200
    save_seconds: float = 120.0
    measure_minutes: float = 6.0
    workers: int = 1
    threads: int = 0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Lessons:
    """Faces with what is to be told of them: whitened codes [n, K], and classes [n] for each attribute.

    earlier: the provenance of the network that this one goes on from.
    """

    faces: KnownFaces
    codes: Tensor
    words: dict[str, Tensor]
    earlier: dict


def main(argv: list[str]) -> int:
    """The command."""
    options = _parse(argv)
    check_begin(options)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    learn, held = people(options)
    check_faces(learn, held)
    check_people(held.coefficients, read_ict(options.ict))
    print(json.dumps({"people": len(learn.looks), "held_out": len(held.looks)}), flush=True)
    net = begin(learn, options)
    net = train(net, lessons_of(net, learn, options), held, options)
    print(json.dumps(_rounded(measure(net, held))), flush=True)
    return 0


def check_begin(options: EncoderOptions) -> None:
    """Raises UserError where there is a finished file already, or where no network would be trained."""
    if is_finished(options.out):
        raise UserError(f"{options.out} is finished already.", "Choose another --out; --init goes on from a file.")
    if options.minutes <= 0:
        raise UserError("Without minutes the network would stay random.", "Give --minutes above 0.")
    if options.batch < 2:
        raise UserError("A batch is half varied portraits, half plain ones.", "Give a --batch of at least 2.")


def people(options: EncoderOptions) -> tuple[KnownFaces, KnownFaces]:
    """Those who are learned from and those who are held out: the other dataset, else the last shard, else a fifth."""
    learn = read_known(options.data, options.workers)
    if options.held_out is not None:
        return learn, read_known(options.held_out, options.workers)
    last = learn.place[:, 0] == learn.place[:, 0].max()
    if last.all():
        last = np.arange(len(last)) >= 0.8 * len(last)
    return learn.some(~last), learn.some(last)


def check_faces(*sets: KnownFaces) -> None:
    """Raises UserError where no face was found in a whole set of portraits."""
    for faces in sets:
        if not faces.found().any():
            raise UserError("No portrait shows a face to learn from, or to measure by.", "Draw more people.")


def begin(learn: KnownFaces, options: EncoderOptions) -> PortraitNet:
    """A fresh network, or that of `init` as far as it fits. Raises UserError for a file that cannot be read."""
    net = fresh_net(learn, read_ict(options.ict))
    if options.init is not None:
        _take(net, load_identity(options.init))
    return net


@torch.no_grad()
def _take(net: PortraitNet, other: PortraitNet) -> None:
    """Give `net` the weights of `other` as far as they fit; codes and words only where they mean the same."""
    own, earlier = dict(net.named_parameters()), dict(other.named_parameters())
    same = net.size.attributes == other.size.attributes and torch.equal(net.coefficient_map, other.coefficient_map)
    for name, value in own.items():
        if name in earlier and value.shape == earlier[name].shape and (same or not name.startswith("head.")):
            value.copy_(earlier[name])
    if same:
        ratio, modes = other.code_std / net.code_std, net.size.modes
        net.head.weight[:modes] *= ratio[:, None]
        net.head.bias[:modes] *= ratio


def lessons_of(net: PortraitNet, learn: KnownFaces, options: EncoderOptions) -> Lessons:
    """What `net` should tell of the people."""
    earlier = read_description(options.init)["provenance"] if options.init is not None else {}
    codes = net.whitened(torch.from_numpy(learn.coefficients))
    return Lessons(learn, codes, classes(learn.looks, net.size.attributes), earlier)


def train(net: PortraitNet, lessons: Lessons, held: KnownFaces, options: EncoderOptions) -> PortraitNet:
    """Train until the minutes are over; writes `out` and, while under way, its state. Returns the averaged network."""
    net.train().to(memory_format=torch.channels_last)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    state = state_path(options.out)
    trained = dict(net.named_parameters())
    optimiser = torch.optim.AdamW(trained.values(), options.learning_rate, betas=(0.9, 0.98), weight_decay=0.03)
    average = [parameter.detach().clone() for parameter in trained.values()]
    progress = read_state(state, trained, optimiser, average) or {"step": 0, "minutes": 0.0}
    step, before = progress["step"], progress["minutes"]
    started = saved = measured = time.monotonic()
    losses = []
    while (minutes := before + (time.monotonic() - started) / 60) < options.minutes:
        _set_rate(optimiser, options, step, minutes)
        losses.append(_step(net, optimiser, lessons, options, step))
        _follow(average, trained.values(), min(options.ema, (1 + step) / (10 + step)))
        step += 1
        if time.monotonic() - saved > options.save_seconds:
            write_state(state, trained, optimiser, {"step": step, "minutes": minutes}, average)
            saved = time.monotonic()
        if time.monotonic() - measured > 60 * options.measure_minutes:
            report = {"step": step, "minutes": minutes, "loss": float(np.mean(losses))}
            print(json.dumps(_rounded(report | measure(_written(net, average, lessons, options), held))), flush=True)
            measured, losses = time.monotonic(), []
    finished = _written(net, average, lessons, options)
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


def _step(net: PortraitNet, optimiser, lessons: Lessons, options: EncoderOptions, step: int) -> float:
    """One step of AdamW; returns the loss. A loss or gradient that is not finite changes nothing."""
    random = step_random(options.seed, step)
    rows, *inputs = draw(lessons.faces, options.batch, random)
    value = loss(net, inputs, lessons, rows)
    optimiser.zero_grad()
    value.backward()
    if torch.isfinite(torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)):
        optimiser.step()
    return value.item()


def draw(faces: KnownFaces, count: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Rows [B] of random people, and what the network takes of a portrait each, a part of them varied like photos."""
    rows = np.argwhere(faces.found())
    rows = rows[torch.randint(len(rows), (count,), generator=random).numpy()]
    crops, marks = faces.crops(rows[:, 0], rows[:, 1]), faces.landmarks[rows[:, 0], rows[:, 1]]
    crops, marks, varied = torch.from_numpy(crops), torch.from_numpy(marks), round(VARIED_SHARE * count)
    photos = augmented(crops[:varied], marks[:varied], random)
    plain = shifted(crops[varied:], marks[varied:], random)
    return torch.from_numpy(rows[:, 0]), *(torch.cat(pair) for pair in zip(photos, plain, strict=True))


def shifted(crops: Tensor, landmarks: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Crops [B, W, W, 4] uint8 cut to [B, 3, 96, 96] in 0..1 at one random place, and their landmarks in pixels."""
    x, y = torch.randint(crops.shape[1] - SIDE + 1, (2,), generator=random).tolist()
    pictures = crops[:, y : y + SIDE, x : x + SIDE, :3].permute(0, 3, 1, 2).float() / 255
    return pictures, landmarks - torch.tensor([x, y])


def loss(net: PortraitNet, inputs: Sequence[Tensor], lessons: Lessons, rows: Tensor) -> Tensor:
    """Squared error of the codes, each mode by the root of its share, and the cross entropy of every attribute."""
    with in_half(choose_device("cpu")):
        codes, scores = net(inputs[0].contiguous(memory_format=torch.channels_last), *inputs[1:])
    weight = net.code_share.sqrt()
    error = ((codes.float() - lessons.codes[rows]).square() * weight / weight.mean()).mean()
    known = [(said.float(), lessons.words[name][rows]) for name, said in scores.items()]
    return error + WORDS_WEIGHT * sum(F.cross_entropy(said, true) for said, true in known if (true >= 0).any())


@torch.no_grad()
def _follow(average: list[Tensor], parameters, decay: float) -> None:
    torch._foreach_lerp_(average, [parameter.detach() for parameter in parameters], 1 - decay)


def _written(net: PortraitNet, average: list[Tensor], lessons: Lessons, options: EncoderOptions) -> PortraitNet:
    """The averaged network, saved."""
    result = PortraitNet(net.size)
    names = [name for name, _ in net.named_parameters()]
    result.load_state_dict(net.state_dict() | dict(zip(names, average, strict=True)))
    weigh(result.eval(), lessons.faces)
    provenance = {"people": len(lessons.faces.looks), "minutes": options.minutes, "seed": options.seed}
    save_identity(result, options.out, provenance | {"earlier": lessons.earlier})
    return result


def weigh(net: PortraitNet, faces: KnownFaces) -> None:
    """Set the scale at which the codes of two portraits lie as far apart as dlib's embeddings of them."""
    some = faces.some(np.arange(min(WEIGHED_PEOPLE, len(faces.looks))))
    found = some.found()
    codes, known = readings_of(net, some).codes[torch.from_numpy(found)], torch.from_numpy(some.embedding[found])
    net.embedding_scale.copy_((known.var(0).sum() / codes.var(0).sum().clamp(min=1e-9)).sqrt())


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _parse(argv: list[str]) -> EncoderOptions:
    parser = argparse.ArgumentParser(prog="idto3d.training.fit.portrait_encoder", description=__doc__.split("\n")[0])
    add_dataset(parser, "--data", "dataset written by synthesize", required=True)
    add_out(parser, "where to write identity.safetensors")
    add_ict(parser, "ICT-FaceKit, .npz or folder, that drew the people")
    parser.add_argument("--minutes", type=float, required=True, help="of training")
    add_dataset(parser, "--held-out", "dataset never trained on; else the last shard is held out")
    parser.add_argument("--init", type=Path, help="an identity.safetensors whose network to go on from")
    parser.add_argument("--batch", type=int, default=64, help="portraits per step")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="peak rate of AdamW")
    add_workers(parser, "processes that find faces", default=1)
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: as many as there are")
    add_seed(parser)
    return EncoderOptions(**vars(parser.parse_args(argv)))


if __name__ == "__main__":
    run_command(main)
