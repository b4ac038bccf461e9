"""How well held-out people are drawn, and how much each condition matters."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import torch
from diffusers import DDIMScheduler
from torch import Tensor

from idto3d.training.data.dataset import People
from idto3d.training.denoiser import EVERYTHING, Data, alpha_bar, draw_batch, is_velocity, prediction_error
from idto3d.training.model import Batch, Model
from idto3d.words.captions import PARTS, caption, varied
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import DOMAINS, view_word


@torch.no_grad()
def heard(model: Model, data: Data, domain: str, count: int = 64) -> dict[str, float]:
    """How well held-out views are denoised, and how much worse (share) under a wrong identity, expression and subject.

    `error` is the noise error at timesteps 100..700, the same everywhere. The gaps are of the velocity's error at
    500..1000, where most of a picture is yet to be decided, the face weighed as in training. An identity gap that
    shrinks while a later stage trains is a drift of identity.
    """
    random = torch.Generator().manual_seed(7)
    which, batch = _described(model, data, domain, count, random)
    low, high = (
        torch.randint(100, 700, (count,), generator=random),
        torch.randint(500, 1000, (count,), generator=random),
    )
    right = _mean_error(in_velocity, model, domain, batch, high)
    gaps = {
        f"{name}_gap": _mean_error(in_velocity, model, domain, wrong, high) / right - 1
        for name, wrong in _mistaken(data.people, batch, domain, which, random).items()
    }
    even = replace(batch, weight=torch.ones_like(batch.weight))
    return {"error": _mean_error(in_noise, model, domain, even, low)} | gaps


@torch.no_grad()
def morphable_errors(model: Model, data: Data, most: int = 350) -> dict[str, float]:
    """Per domain the mean squared error of the morphable head's latents, of `most` random views of `data`."""
    count = min(len(data.people.person), most)
    drawn = {domain: _described(model, data, domain, count, torch.Generator().manual_seed(7))[1] for domain in DOMAINS}
    return {f"morphable_{domain}_error": _morphable_error(model, domain, batch) for domain, batch in drawn.items()}


def _morphable_error(model: Model, domain: str, batch: Batch, size: int = 32) -> float:
    missed = [model.morphable_latents(domain, piece) - piece.latents for piece in batch.pieces(size)]
    return torch.cat(missed).square().mean().item()


def _described(model: Model, data: Data, domain: str, count: int, random: torch.Generator) -> tuple[Tensor, Batch]:
    """`count` random views [B], and the batch in which everything is said of them."""
    which = torch.randint(len(data.people.person), (count,), generator=random)
    drawn = draw_batch(data.people, data.latents[domain], domain, which, EVERYTHING, random).to(model.unet.device)
    return which, replace(drawn, captions=_captions(data.people, domain, which, which))


def _mistaken(people: People, batch: Batch, domain: str, which: Tensor, random: torch.Generator) -> dict[str, Batch]:
    """The batch under the identity, and under the words, of the view before; and under any other expression."""
    hops = torch.randint(1, len(EXPRESSIONS), (len(which),), generator=random).to(batch.expression.device)
    return {
        "identity": replace(batch, identity=batch.identity.roll(1, 0)),
        "expression": replace(batch, expression=(batch.expression + hops) % len(EXPRESSIONS)),
        "words": replace(batch, captions=_captions(people, domain, which, which.roll(1))),
    }


def _captions(people: People, domain: str, which: Tensor, subjects: Tensor) -> list[str]:
    """Of the views `which` [B], saying everything of the people in the views `subjects` [B]."""
    chance = Random(7)
    said = [varied(people.looks[int(people.person[view])], PARTS, chance) for view in subjects]
    views = [view_word(float(people.azimuth_deg[view])) for view in which]
    return [caption(view, domain, subject) for view, subject in zip(views, said, strict=True)]


def _mean_error(unit: Callable, model: Model, domain: str, batch: Batch, timesteps: Tensor, size: int = 32) -> float:
    """Mean error `in_noise` or `in_velocity`, `size` views at a time, under noise that is always the same."""
    random = torch.Generator().manual_seed(1)
    pieces = zip(batch.pieces(size), timesteps.split(size), strict=True)
    errors = [prediction_error(model, model.scheduler, domain, piece, at, random) for piece, at in pieces]
    return unit(torch.cat(errors), model.scheduler, timesteps).mean().item()


def in_noise(errors: Tensor, scheduler: DDIMScheduler, timesteps: Tensor) -> Tensor:
    """`prediction_error`s [B] as those of the noise: the velocity's times alpha_bar."""
    return errors * alpha_bar(scheduler, timesteps).to(errors.device) if is_velocity(scheduler) else errors


def in_velocity(errors: Tensor, scheduler: DDIMScheduler, timesteps: Tensor) -> Tensor:
    """`prediction_error`s [B] as those of the velocity: the noise's over alpha_bar."""
    return errors if is_velocity(scheduler) else errors / alpha_bar(scheduler, timesteps).to(errors.device)
