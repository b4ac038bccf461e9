"""`python -m idto3d.training.materials.train`: learn from painted skins what a skin's colour says of shine and relief.

A few people at a time are at hand as pages; after every so many steps the oldest makes room for the next. Who is at
hand, and what of them a step sees, follow from the seed and the step, so that an interrupted training goes on as if it
had never stopped. Errors on people that are held out are printed as lines of JSON, beside those of the regions' means.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.config import EMBEDDED
from idto3d.errors import UserError, run_command
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.stages.materials.network import HEIGHT, MaterialNet, MaterialSize, as_colours, save_materials
from idto3d.training.arguments import add_out, add_seed, count
from idto3d.training.materials.truth import Ground, Skin, drawn_skin, ground_of
from idto3d.training.state import is_finished, read_state, state_path, step_random, write_state

SIZES = (1024, 1024, 1024, 1024, 1024, 2048)  # of the pages of people in turn
HELD = 1_000_000  # number of the first person of whom nothing is learned
SLOPES, HEIGHTS = 1.0, 1.0  # weights of squared errors of the height's slopes and of itself, beside the shine's
TEXEL_MM = 0.36  # of a texel of a face, at 1024
DECAY = 0.99  # of the moving average


@dataclass(frozen=True)
class MaterialsOptions:
    """Where the network goes, and how long it learns."""

    out: Path
    template: Path
    minutes: float
    steps: int
    batch: int = 6
    crop: int = 96
    people: int = 3
    steps_each: int = 100
    learning_rate: float = 5e-3
    save_seconds: float = 40.0
    held_out: int = 2
    seed: int = 0
    threads: int = 1
    sizes: tuple[int, ...] = SIZES
    net: MaterialSize = MaterialSize()


@dataclass(frozen=True, eq=False)
class Page:
    """A person as a square of texels: inputs [C, S, S] and truth [4, S, S] (the last: which texels count), halves."""

    inputs: Tensor
    truth: Tensor
    texel_mm: Tensor


@dataclass(eq=False)
class People:
    """Those who are at hand; `at_hand` by their number."""

    template: Template
    options: MaterialsOptions
    grounds: dict[int, Ground] = field(default_factory=dict)
    at_hand: dict[int, Page] = field(default_factory=dict)

    def page(self, number: int) -> Page:
        """The person of that number, painted where it is not at hand."""
        if number not in self.at_hand:
            size = self.options.sizes[number % len(self.options.sizes)]
            ground = self.grounds.setdefault(size, ground_of(self.template, size))
            self.at_hand[number] = page_of(ground, drawn_skin(ground, self.options.seed, number))
        return self.at_hand[number]

    def for_step(self, step: int) -> list[Page]:
        """Those of whom a step sees something."""
        last = step // self.options.steps_each
        numbers = range(max(0, last - self.options.people + 1), last + 1)
        for number in [one for one in self.at_hand if one < numbers[0]]:
            del self.at_hand[number]
        return [self.page(number) for number in numbers]


def page_of(ground: Ground, skin: Skin) -> Page:
    """A skin as a page."""
    texels = ground.map.texels
    colours = torch.from_numpy(texels.spread(skin.albedo.astype(np.float32))).permute(2, 0, 1)
    about = torch.from_numpy(texels.spread(ground.about)).permute(2, 0, 1)
    told = np.stack([skin.roughness, skin.specular, skin.height / HEIGHT], 1).astype(np.float32)
    truth = torch.from_numpy(texels.spread(told)).permute(2, 0, 1)
    inputs = torch.cat([as_colours(colours[None])[0], about])
    counts = torch.from_numpy(texels.covered)[None].float()
    return Page(inputs.half(), torch.cat([truth, counts]).half(), about[0].exp().half())


def main(argv: list[str]) -> int:
    """The command."""
    options = _parse(argv)
    if is_finished(options.out):
        raise UserError(f"{options.out} is finished already.", "Choose another --out, or remove it.")
    if options.minutes <= 0 or options.steps < 1:
        raise UserError("Without minutes and steps the network would stay random.", "Give --minutes above 0.")
    torch.set_num_threads(options.threads)
    people = People(load_template(options.template), options)
    print(json.dumps(train(people, options)), flush=True)
    return 0


def train(people: People, options: MaterialsOptions) -> dict:
    """Learn until the minutes or the steps are over; writes `out` and, while under way, its state; returns errors."""
    torch.manual_seed(options.seed)
    net = MaterialNet(options.net).to(memory_format=torch.channels_last)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    trained, state = dict(net.named_parameters()), state_path(options.out)
    optimiser = torch.optim.AdamW(trained.values(), options.learning_rate, betas=(0.9, 0.98), weight_decay=0.01)
    average = [parameter.detach().clone() for parameter in trained.values()]
    progress = read_state(state, trained, optimiser, average) or {"step": 0, "minutes": 0.0}
    step, before, started = progress["step"], progress["minutes"], time.monotonic()
    saved, losses = started, []
    while step < options.steps and (minutes := before + (time.monotonic() - started) / 60) < options.minutes:
        _set_rate(optimiser, options, max(step / options.steps, minutes / options.minutes), step)
        losses.append(_step(net, optimiser, people, options, step))
        _follow(average, trained.values(), min(DECAY, (1 + step) / (10 + step)))
        step += 1
        if time.monotonic() - saved > options.save_seconds:
            write_state(state, trained, optimiser, {"step": step, "minutes": minutes}, average)
            print(json.dumps({"step": step, "minutes": round(minutes, 2), "loss": float(np.mean(losses))}), flush=True)
            saved, losses = time.monotonic(), []
    finished = _averaged(net, average)
    found = measured(finished, people, options)
    save_materials(finished, options.out, {"seed": options.seed, "steps": step, "errors": found})
    state.unlink(missing_ok=True)
    return found


def _set_rate(optimiser: torch.optim.Optimizer, options: MaterialsOptions, share: float, step: int) -> None:
    rate = options.learning_rate * min(1.0, (step + 1) / 50) * (0.01 + 0.99 * math.cos(share * math.pi / 2) ** 2)
    for group in optimiser.param_groups:
        group["lr"] = rate


def _step(net: MaterialNet, optimiser, people: People, options: MaterialsOptions, step: int) -> float:
    """One step; returns the loss. One that is not finite changes nothing."""
    inputs, *known = crops(people.for_step(step), options, step_random(options.seed, step))
    value = loss(net, inputs.contiguous(memory_format=torch.channels_last), *known)
    optimiser.zero_grad()
    value.backward()
    if torch.isfinite(torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)):
        optimiser.step()
    return value.item()


def crops(pages: Sequence[Page], options: MaterialsOptions, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, truth and millimetres a texel of random squares of random people, turned over at random."""
    side, found = options.crop, []
    for _ in range(options.batch):
        page = pages[int(torch.randint(len(pages), (), generator=random))]
        y, x = torch.randint(page.truth.shape[1] - side + 1, (2,), generator=random).tolist()
        turned = [axis for axis in (1, 2) if torch.rand((), generator=random) < 0.5]
        cut = (slice(None), slice(y, y + side), slice(x, x + side))
        found.append([one[cut].float().flip(turned) for one in (page.inputs, page.truth, page.texel_mm[None])])
    return tuple(torch.stack(one) for one in zip(*found, strict=True))


def loss(net: MaterialNet, inputs: Tensor, truth: Tensor, texel_mm: Tensor) -> Tensor:
    """Errors of roughness, specular, height and its slopes where skin is."""
    rough, specular, height = net(inputs)
    counts = truth[:, 3]
    shine = (rough - truth[:, 0]).abs() * 3 + (specular - truth[:, 1]).abs() * 2
    off = height / HEIGHT - truth[:, 2]
    value = (counts * (shine + HEIGHTS * off.square())).mean()
    return value + SLOPES * _slope(off, counts, texel_mm[:, 0])


def _slope(off: Tensor, counts: Tensor, texel_mm: Tensor) -> Tensor:
    """Mean square of the slopes of `off` [B, H, W], in HEIGHT per TEXEL_MM, between texels that count."""
    total = off.new_zeros(())
    for axis in (1, 2):
        inside = counts.narrow(axis, 1, counts.shape[axis] - 1) * counts.narrow(axis, 0, counts.shape[axis] - 1)
        width = texel_mm.narrow(axis, 1, counts.shape[axis] - 1).clamp(min=0.1)
        total = total + (inside * (off.diff(dim=axis) / (width / TEXEL_MM)).square()).mean()
    return total


@torch.no_grad()
def measured(net: MaterialNet, people: People, options: MaterialsOptions) -> dict[str, float]:
    """Mean errors on people that are held out, beside those of what stays when a skin's colour is not looked at."""
    found: dict[str, list[float]] = {}
    for number in range(HELD, HELD + options.held_out):
        page = people.page(number)
        inputs, truth = page.inputs.float(), page.truth.float()
        rough, specular, height = (one[0] for one in net(inputs[None]))
        skin, plain = truth[3] > 0, _plain(inputs, truth)
        for name, told, true, mean in (
            ("roughness", rough, truth[0], plain[0]),
            ("specular", specular, truth[1], plain[1]),
            ("slope", *(_slopes(one, page.texel_mm) for one in (height, truth[2] * HEIGHT, plain[2] * HEIGHT))),
        ):
            found.setdefault(name, []).append(float((told - true).abs()[skin].mean()))
            found.setdefault(f"{name} by region", []).append(float((mean - true).abs()[skin].mean()))
    return {name: round(float(np.mean(values)), 5) for name, values in found.items()}


def _slopes(height: Tensor, texel_mm: Tensor) -> Tensor:
    """[S, S] slope down the page of a height, millimetres per millimetre."""
    return F.pad(height.diff(dim=0), (0, 0, 0, 1)) / texel_mm.float().clamp(min=0.02)


def _plain(inputs: Tensor, truth: Tensor) -> Tensor:
    """[3, S, S] what a linear map of the regions alone would tell, fitted to this very truth."""
    skin = truth[3] > 0
    about = torch.cat([inputs[3:][:, skin].T, torch.ones(int(skin.sum()), 1)], 1).double()
    fitted = torch.linalg.lstsq(about[::7], truth[:3, skin].T.double()[::7]).solution
    plain = torch.zeros_like(truth[:3])
    plain[:, skin] = (about @ fitted).T.float()
    return plain


@torch.no_grad()
def _follow(average: list[Tensor], parameters, decay: float) -> None:
    torch._foreach_lerp_(average, [parameter.detach() for parameter in parameters], 1 - decay)


def _averaged(net: MaterialNet, average: Sequence[Tensor]) -> MaterialNet:
    result = MaterialNet(net.size)
    result.load_state_dict(dict(zip(dict(net.named_parameters()), average, strict=True)))
    return result.eval()


def _parse(argv: list[str]) -> MaterialsOptions:
    parser = argparse.ArgumentParser(prog="idto3d.training.materials.train", description=__doc__.split("\n")[0])
    add_out(parser, "where to write materials.safetensors")
    parser.add_argument("--template", type=Path, default=EMBEDDED / "template.safetensors", help="a bundle's template")
    parser.add_argument("--minutes", type=float, default=120.0, help="of training, at most")
    parser.add_argument("--steps", type=count, default=500, help="of training, at most")
    parser.add_argument("--threads", type=count, default=1, help="processor threads")
    add_seed(parser)
    return MaterialsOptions(**vars(parser.parse_args(argv)))


if __name__ == "__main__":
    run_command(main)
