"""What one step of training the denoiser is: its options, its batch and its loss.

The base stage stands in for the portrait-tuned Stable Diffusion that the paper starts from: all weights learn, both
domains, all conditions. The two later stages are the paper's: style by LoRA with the base frozen, then the expression
branch alone. Loss: the squared error of what the base predicts: the noise in Stable Diffusion's kind, the velocity in
ours. Each condition is dropped at random for classifier-free guidance.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import torch
from diffusers import DDIMScheduler
from torch import Tensor

from idto3d.config import option
from idto3d.guidance.cameras import camera_codes
from idto3d.training.data.dataset import People
from idto3d.training.model import Batch
from idto3d.words.captions import PARTS, caption, varied
from idto3d.words.prompts import view_word

FACE_PLACE, FACE_SIZE, FACE_DEPTH = (0.5, 0.47), (0.18, 0.18), 0.2  # of a front view; shares of the picture


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
    drop: float = option(0.1, "chance that text, identity, expression or camera is left out, each for itself")
    drop_all: float = option(0.05, "chance that all of them are left out")
    face: float = option(4.0, "how much more than other places the face counts in the loss; 1: no more")
    twins: float = option(10.0, "weight of the error of what differs between two expressions in one view")
    late: float = option(0.8, "exponent on uniform draws of the timestep; below 1 there are more noisy ones")
    early_stop: int = option(0, "evaluations without a lower held-out error after which a stage ends; 0: never")
    evaluate_steps: int = option(500, "steps between evaluations on held-out people")
    save_seconds: float = option(120.0, "seconds between savings of the state")
    seed: int = 0

    def rate(self, step: int, share: float) -> float:
        """Share of the peak learning rate at `step`, when `share` 0..1 of the stage is over."""
        return min(1, (step + 1) / self.warmup) * max(self.final_rate, 1 - share)


EVERYTHING = DenoiserOptions(drop=0.0, drop_all=0.0)  # nothing is left out
PAPER = DenoiserOptions(  # ID-to-3D, supplement, section 2: 200k iterations with early stopping, rate 1e-4, plain loss
    learning_rate=1e-4,
    condition_rate=1e-4,
    final_rate=1.0,
    most_steps=200_000,
    early_stop=10,
    face=1.0,
    twins=0.0,
    late=1.0,
)


@dataclass(frozen=True)
class Data:
    """People and the scaled latents [N, C, h, w] of their views, per domain."""

    people: People
    latents: Mapping[str, Tensor]


def draw_batch(people: People, latents: Tensor, domain: str, which: Tensor, options: DenoiserOptions, random) -> Batch:
    """Conditions for views `which` [B], with random omissions; `latents` [N, C, h, w] scaled."""
    size = len(which)
    chances = torch.rand(5, size, generator=random)
    nothing = chances[3] < options.drop_all
    parts = [[p for p in PARTS if torch.rand((), generator=random) < 0.6] for _ in range(size)]
    chance = Random(int(torch.randint(1 << 31, (), generator=random)))
    captions = [
        "" if empty else _caption(people, int(view), domain, tuple(said), chance)
        for view, said, empty in zip(which, parts, (chances[0] < options.drop) | nothing, strict=True)
    ]
    identity = mean_embedding(people.embedding[people.person[which]], random)
    identity[(chances[1] < options.drop) | nothing] = 0
    dropped = (chances[2] < options.drop) | nothing
    azimuth, elevation = people.azimuth_deg[which], people.elevation_deg[which]
    camera = camera_codes(azimuth, elevation)
    camera[(chances[4] < options.drop) | nothing] = 0
    weight = face_weight(azimuth, latents.shape[-1], options.face)
    expression = people.expression[which]
    return Batch(latents[which].float(), captions, identity[:, None], expression, dropped, camera, weight)


def face_weight(azimuth_deg: Tensor, size: int, face: float) -> Tensor:
    """[B, 1, size, size] of mean 1: about `face` times as much where the face is in the framing of the bundle's images.

    The face is small and its expressions smaller; among hair, neck and background they would hardly be learned.
    """
    azimuth = torch.deg2rad(azimuth_deg.float())[:, None, None]
    y, x = torch.meshgrid(*[(torch.arange(size) + 0.5) / size] * 2, indexing="ij")
    across = (x - FACE_PLACE[0] + FACE_DEPTH * azimuth.sin()) / (FACE_SIZE[0] * azimuth.cos().clamp(min=0.5))
    seen = (azimuth.cos() + 0.2).clamp(0, 1).sqrt()
    weight = 1 + (face - 1) * seen * torch.exp(-(across**2) - ((y - FACE_PLACE[1]) / FACE_SIZE[1]) ** 2)
    return (weight / weight.mean((1, 2), keepdim=True))[:, None]


def _caption(people: People, view: int, domain: str, parts: tuple[str, ...], random: Random) -> str:
    subject = varied(people.looks[int(people.person[view])], parts, random)
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
    predict: Callable[..., Tensor],
    scheduler: DDIMScheduler,
    domain: str,
    batch: Batch,
    options: DenoiserOptions,
    random: torch.Generator,
) -> Tensor:
    """Mean squared error of the prediction at random timesteps.

    Twins share noise and timestep. With the weight `options.twins` the error of their difference counts too: there
    everything cancels but the expression, which moves so little of a picture that the plain error hardly teaches it.
    """
    share = torch.rand(len(batch.latents), generator=random) ** options.late
    missed = _missed(predict, scheduler, domain, batch, (1000 * _repeated(share, batch.twins)).long(), random)
    loss = (batch.weight * missed.square()).mean()
    if not batch.twins:
        return loss
    gap = missed[: batch.twins] - missed[-batch.twins :]
    return loss + options.twins * (batch.weight[: batch.twins] * gap.square()).sum() / missed.numel()


def prediction_error(
    predict: Callable[..., Tensor],
    scheduler: DDIMScheduler,
    domain: str,
    batch: Batch,
    timesteps: Tensor,
    random: torch.Generator,
) -> Tensor:
    """[B] weighted squared error of what `predict` (a Model, or what wraps it) says of latents noised to `timesteps`.

    That is the noise or the velocity `sqrt(alpha_bar) noise - sqrt(1 - alpha_bar) latents` (Salimans and Ho 2022), as
    `scheduler` tells.
    """
    missed = _missed(predict, scheduler, domain, batch, timesteps, random)
    return (batch.weight * missed.square()).mean((1, 2, 3))


def _missed(predict, scheduler: DDIMScheduler, domain: str, batch: Batch, timesteps: Tensor, random) -> Tensor:
    """[B, C, h, w] prediction minus what it should be. Noise is drawn on the CPU, so that a seed means the same."""
    device = batch.latents.device
    noise = _repeated(torch.randn(batch.latents.shape, generator=random), batch.twins).to(device)
    timesteps = timesteps.to(device)
    predicted = predict(domain, scheduler.add_noise(batch.latents, noise, timesteps), timesteps, batch)
    wanted = scheduler.get_velocity(batch.latents, noise, timesteps) if is_velocity(scheduler) else noise
    return predicted.float() - wanted


def _repeated(values: Tensor, twins: int) -> Tensor:
    """`values` [B, ...] with the first `twins` again as the last."""
    return torch.cat([values[: len(values) - twins], values[:twins]])


def alpha_bar(scheduler: DDIMScheduler, timesteps: Tensor) -> Tensor:
    """[B] cumulative signal level of `timesteps` [B]."""
    return scheduler.alphas_cumprod.to(timesteps.device)[timesteps]


def is_velocity(scheduler: DDIMScheduler) -> bool:
    """Whether the base predicts the velocity, and not the noise."""
    return scheduler.config.prediction_type == "v_prediction"
