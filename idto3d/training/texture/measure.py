"""How near samples of the model of atlases come to atlases of people it never saw, by domain.

DreamFace, section 7.3.1, tells the kernel inception distance (Binkowski et al. 2018) of samples without guidance to
all atlases and to clean ones. Ours is the same kernel distance, but in the pooled latents of the base's autoencoder:
its figures compare with each other alone.
"""

from random import Random

import torch
import torch.nn.functional as F
from diffusers.utils import make_image_grid
from PIL import Image
from torch import Tensor

from idto3d.guidance.atlas import AtlasGuidance
from idto3d.guidance.networks.atlas import DOMAINS, LIT, UNLIT, AtlasModel
from idto3d.guidance.networks.base import BaseParts, encode_images
from idto3d.render.draw import to_uint8
from idto3d.training.model import known_forms
from idto3d.training.texture.atlases import SAID
from idto3d.training.texture.dataset import Encoded
from idto3d.training.texture.learn import LearnOptions, denoising_error, draw_batch
from idto3d.words.captions import varied
from idto3d.words.prompts import heard

STEPS, AT_ONCE, POOLED = 16, 8, 4
ERROR_BATCHES = 8
SHOWN = ("old african male with dark skin", "young asian female with makeup", "fair skin and freckles", "beard")


def guidance_of(model: AtlasModel, parts: BaseParts) -> AtlasGuidance:
    """The model as it is asked."""
    known = known_forms(parts.tokenizer)
    return AtlasGuidance(model, parts, lambda text: heard(text, known))


def measured(model: AtlasModel, parts: BaseParts, others: Encoded, samples: int, seed: int) -> dict[str, float]:
    """Held-out denoising error, and the distances of samples of each domain to clean and to all atlases of `others`.

    usual_error is that of linear statistics alone, clean_to_lit what two domains are apart.
    """
    guidance, random = guidance_of(model, parts), torch.Generator().manual_seed(seed)
    errors = [_errors(model, parts, others, seed + number) for number in range(ERROR_BATCHES)]
    error, usual = (sum(column) / len(errors) for column in zip(*errors, strict=True))
    every = _features(others.latents.float())
    clean = every[: len(others.looks)]
    found = {"error": error, "usual_error": usual, "clean_to_lit": kernel_distance(clean, every[2 * len(clean) :])}
    for name, domain in DOMAINS.items():
        drawn = _features(_sampled(guidance, others, domain, samples, random))
        found |= {f"{name}_to_clean": kernel_distance(drawn, clean), f"{name}_to_all": kernel_distance(drawn, every)}
    return {name: round(value, 5) for name, value in found.items()}


@torch.no_grad()
def _errors(model: AtlasModel, parts: BaseParts, others: Encoded, seed: int) -> tuple[float, float]:
    """Denoising error of one batch, of the model and of its linear statistics alone."""
    found = []
    for predict in (model, model.usual_alone):
        random = torch.Generator().manual_seed(seed)
        batch = draw_batch(model, others, LearnOptions(drop=0), random)
        found.append(float(denoising_error(model, parts, batch, random, predict)))
    return found[0], found[1]


def _sampled(guidance: AtlasGuidance, others: Encoded, domain: int, samples: int, random: torch.Generator) -> Tensor:
    """Codes of samples without guidance, of people as `others` are."""
    chance, found = Random(0), []
    subjects = [varied(look, SAID, chance) for look in (others.looks * samples)[:samples]]
    for begin in range(0, samples, AT_ONCE):
        asked = guidance.conditions(subjects[begin : begin + AT_ONCE], domain=domain)
        found.append(encode_images(guidance.parts.vae, guidance.sample(asked, STEPS, random, 1.0)).detach())
    return torch.cat(found)


def _features(codes: Tensor) -> Tensor:
    """[N, C * POOLED^2] of codes [N, C, h, w]."""
    return F.adaptive_avg_pool2d(codes, POOLED).flatten(1).cpu()


def kernel_distance(one: Tensor, other: Tensor) -> float:
    """Unbiased squared distance of the means of [N, D] and [M, D] under the kernel `(x y / D + 1)^3`."""
    kernel = lambda x, y: ((x @ y.T) / x.shape[1] + 1) ** 3  # noqa: E731
    within = sum((kernel(x, x).sum() - kernel(x, x).diagonal().sum()) / (len(x) * (len(x) - 1)) for x in (one, other))
    return float(within - 2 * kernel(one, other).mean())


def sample_sheet(model: AtlasModel, parts: BaseParts, others: Encoded, seed: int) -> Image.Image:
    """A row of held-out clean atlases as the autoencoder has them, and a row of samples for UNLIT and for LIT."""
    guidance, count = guidance_of(model, parts), len(SHOWN)
    with torch.no_grad():
        rows = [guidance.decode(others.latents[:count].float().to(guidance.device)).clamp(0, 1)]
    for domain in (UNLIT, LIT):
        random = torch.Generator().manual_seed(seed)
        rows.append(guidance.sample(guidance.conditions(list(SHOWN), domain=domain), STEPS, random, 2.0))
    images = [Image.fromarray(one) for one in to_uint8(torch.cat(rows).permute(0, 2, 3, 1))]
    return make_image_grid(images, rows=len(rows), cols=count)
