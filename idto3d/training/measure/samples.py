"""Pictures of what a model draws while it trains, beside what it should draw."""

from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL, DDIMScheduler
from diffusers.utils import make_image_grid
from PIL import Image
from torch import Tensor

from idto3d.bundle.info import Timesteps
from idto3d.training.denoiser import EVERYTHING, Data, draw_batch
from idto3d.training.model import Batch, Model

# What a bundle whose base sees a morphable head says of itself. Chosen on the embedded one: above timestep 300 grey
# hair turns violet and grey beards green, and above 100 a sample is further from the truth than the head's picture.
HEAD_TIMESTEPS = Timesteps(shape_early=(200, 300), albedo=(50, 300), joint=(50, 300))
HEAD_SAMPLING_FROM = 100


@dataclass(frozen=True)
class Gallery:
    """Which views are drawn (`count`, evenly spread over `data`) and how; `scale` is the guidance scale.

    `sampling_from`: see BundleInfo; it counts where the model has a morphable head.
    """

    vae: AutoencoderKL
    data: Data
    scale: float
    count: int = 6
    steps: int = 20
    seed: int = 11
    sampling_from: int = HEAD_SAMPLING_FROM


@torch.no_grad()
def grid(model: Model, gallery: Gallery, domains: tuple[str, ...]) -> Image.Image:
    """Per domain a row of true pictures, one of the morphable head's where there is one, and one of samples.

    All are under the same conditions, the samples from fixed noise.
    """
    size = len(gallery.data.people.person)
    which = torch.linspace(0, size - 1, min(gallery.count, size)).long()
    rows = []
    for domain in domains:
        random = torch.Generator().manual_seed(gallery.seed)
        batch = draw_batch(gallery.data.people, gallery.data.latents[domain], domain, which, EVERYTHING, random)
        batch = batch.to(model.unet.device)
        drawn = [] if model.morphable is None else [model.morphable_latents(domain, batch)]
        for latents in (batch.latents, *drawn, sample(model, domain, batch, gallery, random)):
            rows.append(_decode(gallery.vae, latents))
    return make_image_grid(sum(rows, []), rows=len(rows), cols=len(which))


def sample(model: Model, domain: str, batch: Batch, gallery: Gallery, random: torch.Generator) -> Tensor:
    """Latents [B, C, h, w] by DDIM and classifier-free guidance under the conditions of `batch`.

    They begin about as those of `Guidance.sample`.
    """
    scheduler = DDIMScheduler.from_config(model.scheduler.config, timestep_spacing="trailing")  # begins at pure noise
    is_drawn = model.morphable is not None and bool(batch.camera.any(-1).all())
    share = gallery.sampling_from / len(scheduler.alphas_cumprod) if is_drawn else 1
    scheduler.set_timesteps(round(gallery.steps / share))
    visited = scheduler.timesteps[-gallery.steps :]
    latents = torch.randn(batch.latents.shape, generator=random).to(batch.latents.device)
    if is_drawn:
        latents = scheduler.add_noise(model.morphable_latents(domain, batch), latents, visited[:1])
    for timestep in visited:
        timesteps = timestep.to(latents.device).expand(len(latents))
        without = model(domain, latents, timesteps, batch.unconditional())
        predicted = without + gallery.scale * (model(domain, latents, timesteps, batch) - without)
        latents = scheduler.step(predicted.float(), timestep, latents).prev_sample
    return latents


def _decode(vae: AutoencoderKL, latents: Tensor) -> list[Image.Image]:
    images = vae.decode((latents / vae.config.scaling_factor).to(vae.device)).sample.float() / 2 + 0.5
    pixels = (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(picture) for picture in pixels]
