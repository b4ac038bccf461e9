"""Learning to tell atlases from noise: velocity or noise, whichever the base predicts, words dropped now and then.

The text encoder and the autoencoder are the base's and stay as they are; the UNet and the words of the two domains
learn, as in DreamFace, section 5.1.2.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor

from idto3d.config import option
from idto3d.files import read_tensors, unfit, write_tensors
from idto3d.guidance.networks.atlas import NONE, AtlasModel
from idto3d.guidance.networks.base import BaseParts
from idto3d.training.denoiser import is_velocity
from idto3d.training.model import encode_text
from idto3d.training.state import read_state, state_path, step_random, write_state
from idto3d.training.texture.atlases import SAID
from idto3d.training.texture.dataset import Encoded
from idto3d.training.vae import progress
from idto3d.words.captions import filled, varied

CHECKPOINT = "atlas.safetensors"


@dataclass(frozen=True)
class LearnOptions:
    """How the model of atlases is trained: `minutes` of time or `most_steps`, whichever is over first."""

    minutes: float = option(60.0, "most minutes")
    batch: int = option(8, "atlases per step")
    learning_rate: float = option(1e-3, "peak AdamW rate")
    final_rate: float = option(0.05, "share of the peak rate that is left at the end")
    warmup: int = option(50, "steps until the peak rate")
    most_steps: int = option(10**9, "most steps")
    ema: float = option(0.995, "decay of the moving average, which is the result")
    drop: float = option(0.1, "chance that the words are left out")
    drop_domain: float = option(0.05, "chance that the domain is left out")
    say: float = option(0.7, "chance that each trait is said")
    save_seconds: float = option(120.0, "seconds between savings of the state")
    seed: int = 0

    def rate(self, step: int, share: float) -> float:
        """The learning rate at `step`, when `share` 0..1 of the training is over."""
        return self.learning_rate * min(1, (step + 1) / self.warmup) * max(self.final_rate, 1 - share)


@dataclass(frozen=True)
class Batch:
    """Latents [B, C, h, w] as the UNet sees them, masks [B, 1, h, w], domains [B], and captions."""

    seen: Tensor
    mask: Tensor
    domain: Tensor
    captions: tuple[str, ...]


def draw_batch(model: AtlasModel, data: Encoded, options: LearnOptions, random: torch.Generator) -> Batch:
    """Atlases at random with what is said of them."""
    which = torch.randint(len(data.person), (options.batch,), generator=random)
    chances = torch.rand(2, options.batch, generator=random)
    chance = Random(int(torch.randint(1 << 31, (), generator=random)))
    looks = [data.looks[int(person)] for person in data.person[which]]
    captions = [
        "" if unsaid else said_of(look, model.about.prompt, chance, options.say)
        for look, unsaid in zip(looks, chances[0] < options.drop, strict=True)
    ]
    domain = torch.where(chances[1] < options.drop_domain, NONE, data.domain[which])
    device = model.mean.device
    latents, mask = data.latents[which].float().to(device), data.mask[which].float().to(device)
    return Batch(model.inward(latents), mask, domain.to(device), tuple(captions))


def said_of(look: Mapping, prompt: str, random: Random, share: float = 1.0) -> str:
    """A caption of an atlas of a person of that `look`, of which the `share` of the traits is said."""
    parts = [part for part in SAID if random.random() < share]
    return filled(prompt, "", varied(look, parts, random))


def denoising_error(
    model: AtlasModel, parts: BaseParts, batch: Batch, random: torch.Generator, predict: Callable | None = None
) -> Tensor:
    """Mean squared error of what is predicted at random timesteps, by `predict` in the model's place where given."""
    scheduler, device = parts.scheduler, batch.seen.device
    timesteps = torch.randint(len(scheduler.alphas_cumprod), (len(batch.seen),), generator=random).to(device)
    noise = torch.randn(batch.seen.shape, generator=random).to(device)
    noisy = scheduler.add_noise(batch.seen, noise, timesteps)
    wanted = scheduler.get_velocity(batch.seen, noise, timesteps) if is_velocity(scheduler) else noise
    with torch.no_grad():
        text, _ = encode_text(parts, list(batch.captions))
    predicted = (predict or model)(noisy, timesteps, model.states(text, batch.domain), batch.mask)
    return (predicted - wanted).square().mean()


def learn(
    model: AtlasModel,
    parts: BaseParts,
    data: Encoded,
    options: LearnOptions,
    work: Path,
    report: Callable[[int, float, float], None],
) -> None:
    """Train in place; ends with the moving average, which is kept in `work`. Goes on from a state that it finds there.

    `report` is told the step, the seconds and the loss. Raises UserError for a state of another model.
    """
    checkpoint = work / CHECKPOINT
    model.unet.to(memory_format=torch.channels_last)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    optimiser = torch.optim.AdamW(trained.values(), lr=0.0, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
    average = EMAModel(trained.values(), decay=options.ema, foreach=True)
    state = read_state(state_path(checkpoint), trained, optimiser, average.shadow_params) or {"step": 0, "seconds": 0.0}
    saved, step = time.monotonic(), state["step"]
    average.optimization_step, started = step, saved - state["seconds"]
    while (share := progress(started, options.minutes, step, options.most_steps)) < 1:
        random = step_random(options.seed, step)
        loss = denoising_error(model, parts, draw_batch(model, data, options, random), random)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for group in optimiser.param_groups:
            group["lr"] = options.rate(step, share)
        if torch.nn.utils.clip_grad_norm_(trained.values(), 1.0).isfinite():
            optimiser.step()
        average.step(trained.values())
        step += 1
        report(step, time.monotonic() - started, float(loss.detach()))
        if time.monotonic() - saved > options.save_seconds:
            _save(checkpoint, trained, optimiser, average, {"step": step, "seconds": time.monotonic() - started})
            saved = time.monotonic()
    average.copy_to(trained.values())
    write_tensors(checkpoint, trained)
    state_path(checkpoint).unlink(missing_ok=True)


def _save(checkpoint: Path, trained, optimiser, average: EMAModel, about: dict) -> None:
    write_state(state_path(checkpoint), trained, optimiser, about, average.shadow_params)
    write_tensors(checkpoint, dict(zip(trained, average.shadow_params, strict=True)))


def load_learned(model: AtlasModel, work: Path) -> None:
    """Put the moving average that lies in `work` into `model`. Raises UserError where there is none, or of another."""
    path, found = work / CHECKPOINT, dict(model.named_parameters())
    tensors = read_tensors(path)
    if {name: value.shape for name, value in tensors.items()} != {name: p.shape for name, p in found.items()}:
        raise unfit(path, "it is of a model of other sizes")
    for name, value in tensors.items():
        found[name].data.copy_(value)
