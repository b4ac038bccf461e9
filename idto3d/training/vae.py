"""Training the small autoencoder on normal and albedo maps, and caching a dataset's latents."""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from idto3d.device import in_half
from idto3d.files import write_tensors
from idto3d.training.data.dataset import People, pictures
from idto3d.training.state import read_state, state_path, step_random, write_state

MADE_OF = "made_of"


@dataclass(frozen=True)
class VaeOptions:
    """How the autoencoder is trained: on crops of `crop` pixels for the first `crop_share` of the time, then whole.

    `noise` is the fixed spread given to latents, `size` the weight that keeps them about unit size. A learned spread
    with the usual KL weight let six of eight channels collapse on pictures this uniform.
    """

    minutes: float = 15.0
    batch: int = 16
    crop: int = 64
    crop_share: float = 0.75
    learning_rate: float = 1.5e-3
    noise: float = 0.05
    size: float = 5e-4
    edges: float = 1.0
    save_seconds: float = 120.0
    seed: int = 0
    most_steps: int = 10**9
    decoder_only: bool = False


def progress(started: float, minutes: float, step: int, most_steps: int) -> float:
    """Share 0..1 of a training run that is over, by time or by steps, whichever is further. `started` is monotonic."""
    spent = (time.monotonic() - started) / (60 * minutes) if minutes else 1.0
    return max(spent, step / most_steps)


def reconstruction_loss(output: Tensor, target: Tensor, edges: float) -> Tensor:
    """Absolute error of pixels and of their horizontal and vertical differences; images [B, 3, S, S]."""
    error = output - target
    return error.abs().mean() + edges * (error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean())


def train_vae(
    vae: AutoencoderKL, people: People, options: VaeOptions, checkpoint: Path, report: Callable[[int, float], None]
) -> None:
    """Train in place for `options.minutes`; weights and state go to `checkpoint` and beside it every `save_seconds`.

    Continues from a state that it finds. Raises UserError for one of another network.
    """
    if options.decoder_only:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    trained = {name: p for name, p in vae.named_parameters() if p.requires_grad}
    optimiser = torch.optim.AdamW(
        trained.values(), lr=options.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4, fused=True
    )
    state = read_state(state_path(checkpoint), trained, optimiser) or {"step": 0, "seconds": 0.0}
    saved = time.monotonic()
    step, started = state["step"], saved - state["seconds"]
    while (share := progress(started, options.minutes, step, options.most_steps)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = options.learning_rate * min(1, (step + 1) / 100) * max(0.03, 1 - share)
        crop = options.crop if share < options.crop_share else people.normal.shape[1]
        random = step_random(options.seed, step)
        loss = _vae_step(vae, _draw(people, options.batch, crop, random).to(vae.device), options, random)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimiser.step()
        step += 1
        if time.monotonic() - saved > options.save_seconds:
            about = {"step": step, "seconds": time.monotonic() - started}
            write_state(state_path(checkpoint), trained, optimiser, about)
            saved = time.monotonic()
        report(step, loss.item())
    write_tensors(checkpoint, vae.state_dict())
    state_path(checkpoint).unlink(missing_ok=True)


def _draw(people: People, batch: int, crop: int, random: torch.Generator) -> Tensor:
    which = torch.randint(len(people.normal), (batch,), generator=random)
    half = batch // 2
    room = people.normal.shape[1] - crop
    y, x = (int(torch.randint(room + 1, (), generator=random)) for _ in range(2))
    images = torch.cat([people.normal[which[:half]], people.albedo[which[half:]]])
    return pictures(images[:, y : y + crop, x : x + crop]).to(memory_format=torch.channels_last)


def _vae_step(vae: AutoencoderKL, images: Tensor, options: VaeOptions, random: torch.Generator) -> Tensor:
    with in_half(vae.device):
        mean = vae.encode(images * 2 - 1).latent_dist.mean
        output = vae.decode(mean + options.noise * torch.randn(mean.shape, generator=random).to(mean.device)).sample
    loss = reconstruction_loss(output.float() / 2 + 0.5, images, options.edges)
    return loss + options.size * mean.float().square().mean()


@torch.no_grad()
def cache_latents(
    vae: AutoencoderKL, people: People, path: Path, pieces: Iterable[People] | None = None, batch: int = 8
) -> dict[str, Tensor]:
    """Latent means [N, C, h, w] float16 of both domains, unscaled, from `path` or computed and written there.

    `pieces` hold the pictures of `people` in turn where it has none itself.
    A file that another autoencoder made, or of other views or sizes, is written anew; of other pixels it is not known.
    Larger batches than 8 leave a processor's cache and take half as long again.
    """
    made_of = _made_of(vae, people)
    if path.exists() and _says(path) == made_of:
        return load_file(path)
    parts: dict[str, list[Tensor]] = {"geometry": [], "albedo": []}
    for piece in [people] if pieces is None else pieces:
        for domain, images in (("geometry", piece.normal), ("albedo", piece.albedo)):
            parts[domain] += [_encode(vae, images[i : i + batch]) for i in range(0, len(images), batch)]
    cached = {domain: torch.cat(encoded) for domain, encoded in parts.items()}
    write_tensors(path, cached, {MADE_OF: made_of})
    return cached


def _made_of(vae: AutoencoderKL, people: People) -> str:
    """A digest of the encoder's weights, of which views the dataset holds and of their size."""
    digest = hashlib.sha256()
    views = (people.person, people.expression, people.azimuth_deg, torch.tensor(people.normal.shape[1:]))
    for tensor in (*vae.encoder.parameters(), *vae.quant_conv.parameters(), *views):
        digest.update(tensor.detach().cpu().contiguous().numpy())
    return digest.hexdigest()


def _says(path: Path) -> str | None:
    with safe_open(path, "pt") as file:
        return (file.metadata() or {}).get(MADE_OF)


def _encode(vae: AutoencoderKL, images: Tensor) -> Tensor:
    with in_half(vae.device):
        return vae.encode(pictures(images).to(vae.device) * 2 - 1).latent_dist.mean.half().cpu()


def scaling_factor(latents: dict[str, Tensor]) -> float:
    """1 / standard deviation of all latents, the factor that gives them unit variance."""
    everything = torch.cat([value.flatten()[:: max(1, value.numel() // 2_000_000)] for value in latents.values()])
    return 1.0 / everything.float().std().item()


def psnr(vae: AutoencoderKL, images: Tensor) -> float:
    """Peak signal-to-noise ratio (dB) of reconstructions of [B, S, S, 3] uint8 images."""
    with torch.no_grad():
        wanted = pictures(images).to(vae.device)
        output = vae.decode(vae.encode(wanted * 2 - 1).latent_dist.mean).sample / 2 + 0.5
    return (-10 * F.mse_loss(output.clamp(0, 1), wanted).log10()).item()
