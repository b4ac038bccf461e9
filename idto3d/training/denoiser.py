"""What one step of training the denoiser is: its options, its batch, its loss, and what is measured on held-out people.

The base stage stands in for the portrait-tuned Stable Diffusion that the paper starts from: all weights learn, both
domains, all conditions. The two later stages are the paper's: style by LoRA with the base frozen, then the expression
branch alone. Loss: plain epsilon error. Each condition is dropped at random for classifier-free guidance.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler
from torch import Tensor

from idto3d.config import option
from idto3d.prompts import caption, view_word
from idto3d.training.dataset import People
from idto3d.training.model import Batch, Model
from idto3d.training.people import PARTS, describe

LATE = 0.75  # exponent on uniform draws of the timestep; below 1 there are more noisy ones, where conditions matter


@dataclass(frozen=True)
class DenoiserOptions:
    """How one stage is trained: `minutes` of time or `most_steps`, whichever is over first."""

    minutes: float = math.inf
    batch: int = option(16, "views per step and process")
    learning_rate: float = option(4e-4, "peak AdamW rate of the UNet and its LoRA adapters")
    condition_rate: float = option(1.2e-3, "peak AdamW rate of what reads words and embeddings")
    final_rate: float = option(0.03, "share of the peak rate that is left at the end; 1 keeps it constant")
    warmup: int = option(100, "steps until the peak rate")
    most_steps: int = option(10**9, "most steps of a stage; style and expression count them for each domain")
    ema: float = option(0.998, "decay of the moving average, which is a stage's result")
    drop: float = option(0.1, "chance that text, identity or expression is left out, each for itself")
    drop_all: float = option(0.05, "chance that all three are left out")
    early_stop: int = option(0, "evaluations without a lower held-out error after which a stage ends; 0: never")
    evaluate_steps: int = option(500, "steps between evaluations on held-out people")
    save_seconds: float = option(120.0, "seconds between savings of the state")
    seed: int = 0

    def rate(self, step: int, share: float) -> float:
        """Share of the peak learning rate at `step`, when `share` 0..1 of the stage is over."""
        return min(1, (step + 1) / self.warmup) * max(self.final_rate, 1 - share)


PAPER = DenoiserOptions(  # ID-to-3D, supplement, section 2: 200k iterations with early stopping, rate 1e-4
    learning_rate=1e-4, condition_rate=1e-4, final_rate=1.0, most_steps=200_000, early_stop=10
)


@dataclass(frozen=True)
class Data:
    """People and the scaled latents [N, C, h, w] of their views, per domain."""

    people: People
    latents: Mapping[str, Tensor]


def draw_batch(people: People, latents: Tensor, domain: str, which: Tensor, drop: DenoiserOptions, random) -> Batch:
    """Conditions for views `which` [B], with random omissions; `latents` [N, C, h, w] scaled."""
    size = len(which)
    chances = torch.rand(4, size, generator=random)
    nothing = chances[3] < drop.drop_all
    parts = [[p for p in PARTS if torch.rand((), generator=random) < 0.6] for _ in range(size)]
    chance = Random(int(torch.randint(1 << 31, (), generator=random)))
    captions = [
        "" if empty else _caption(people, int(view), domain, tuple(said), chance)
        for view, said, empty in zip(which, parts, (chances[0] < drop.drop) | nothing, strict=True)
    ]
    identity = mean_embedding(people.embedding[people.person[which]], random)
    identity[(chances[1] < drop.drop) | nothing] = 0
    dropped = (chances[2] < drop.drop) | nothing
    return Batch(latents[which].float(), captions, identity[:, None], people.expression[which], dropped)


def _caption(people: People, view: int, domain: str, parts: tuple[str, ...], random: Random) -> str:
    subject = describe(people.looks[int(people.person[view])], parts, random)
    return caption(view_word(float(people.azimuth_deg[view])), domain, subject)


def mean_embedding(embedding: Tensor, random: torch.Generator | None = None) -> Tensor:
    """Unit mean [B, D] of each row's portraits [B, P, D]; of a random non-empty subset when `random` is given."""
    weights = (embedding.norm(dim=-1) > 0.5).float()
    if random is not None:
        chosen = weights * (torch.rand(weights.shape, generator=random) < 0.6)
        weights = torch.where(chosen.sum(-1, keepdim=True) > 0, chosen, weights)
    mean = (embedding * weights[..., None]).sum(1)
    return mean / mean.norm(dim=-1, keepdim=True).clamp(min=1e-6)


def denoising_loss(
    predict: Callable[..., Tensor], scheduler: DDIMScheduler, domain: str, batch: Batch, random: torch.Generator
) -> Tensor:
    """Mean squared error of the predicted noise at random timesteps, the noisier ones more often."""
    share = torch.rand(len(batch.latents), generator=random) ** LATE
    return noise_error(predict, scheduler, domain, batch, (1000 * share).long(), random).mean()


def noise_error(
    predict: Callable[..., Tensor],
    scheduler: DDIMScheduler,
    domain: str,
    batch: Batch,
    timesteps: Tensor,
    random: torch.Generator,
) -> Tensor:
    """[B] squared error of the noise that `predict` (a Model, or what wraps it) finds at `timesteps` [B].

    Noise is drawn on the CPU, so that a seed means the same everywhere.
    """
    device = batch.latents.device
    noise, timesteps = torch.randn(batch.latents.shape, generator=random).to(device), timesteps.to(device)
    predicted = predict(domain, scheduler.add_noise(batch.latents, noise, timesteps), timesteps, batch)
    return F.mse_loss(predicted.float(), noise, reduction="none").mean((1, 2, 3))


@torch.no_grad()
def identity_gap(model: Model, data: Data, domain: str, count: int = 128) -> tuple[float, float]:
    """Held-out noise error with the right identity, and how much larger it is (share) with someone else's.

    A gap that shrinks while a later stage trains is a drift of identity.
    """
    random = torch.Generator().manual_seed(7)
    which = torch.randint(len(data.people.person), (count,), generator=random)
    keep = DenoiserOptions(drop=0.0, drop_all=0.0)
    batch = draw_batch(data.people, data.latents[domain], domain, which, keep, random).to(model.unet.device)
    wrong = replace(batch, identity=batch.identity.roll(1, 0))
    timesteps = torch.randint(100, 700, (count,), generator=random)
    right, wrong = (_mean_error(model, domain, given, timesteps) for given in (batch, wrong))
    return right, wrong / right - 1


def _mean_error(model: Model, domain: str, batch: Batch, timesteps: Tensor, size: int = 32) -> float:
    """Mean `noise_error`, `size` views at a time, under noise that is always the same."""
    random = torch.Generator().manual_seed(1)
    pieces = zip(batch.pieces(size), timesteps.split(size), strict=True)
    errors = [noise_error(model, model.scheduler, domain, piece, at, random) for piece, at in pieces]
    return torch.cat(errors).mean().item()
