"""Fitting what is usual of atlases: principal directions, and by ridge regression what words, domain and mask shift."""

from random import Random

import torch
from torch import Tensor

from idto3d.guidance.networks.atlas import NONE, AtlasSpec
from idto3d.guidance.networks.base import BaseParts
from idto3d.guidance.networks.usual_atlas import facts_of
from idto3d.training.model import encode_text
from idto3d.training.texture.dataset import Encoded
from idto3d.training.texture.learn import said_of

DIRECTIONS, CAPTIONS = 32, 4  # at most; captions of each atlas
RIDGE, SPREAD_RIDGE = 0.02, 0.3  # weight, of a fact's own variance: for what is expected, and for how it varies
LOG_BELOW = 1.27  # the mean logarithm of a squared normal number lies so far below that of its variance
SAID = (1.0, 0.8, 0.5)  # shares of traits that are said in the first captions; the last one says nothing


@torch.no_grad()
def usual_of(data: Encoded, parts: BaseParts, spec: AtlasSpec, seed: int) -> dict[str, Tensor]:
    """All tensors of an AtlasModel but its UNet, for words drawn from torch's random numbers (seed them first).

    The mean is that of clean atlases, the deviation that of all kinds about it.
    """
    latents = data.latents.float()
    mean = latents[: len(data.looks)].mean(0)
    deviation = (latents - mean).square().mean((0, 2, 3), keepdim=True)[0].sqrt().clamp(min=1e-3)
    seen = ((latents - mean) / deviation).flatten(1)
    count = min(DIRECTIONS, len(seen) - 1)
    basis = torch.linalg.svd(seen, full_matrices=False).Vh[:count]
    words = torch.randn(2, spec.domain_words, parts.text_encoder.config.hidden_size)
    along, facts = seen @ basis.T, _facts(data, parts, spec.prompt, words, seed)
    reading = _ridge(facts, along.repeat(CAPTIONS, 1))
    left = along.repeat(CAPTIONS, 1) - facts @ reading
    rest = (seen - along @ basis).square().sum() / (len(seen) * (seen.shape[1] - count))
    basis = basis.view(count, *mean.shape)
    found = {"words": words, "mean": mean, "deviation": deviation, "basis": basis, "reading": reading}
    spread = _ridge(facts, left.square().clamp(min=1e-4).log() + LOG_BELOW, SPREAD_RIDGE)
    return found | {"spread": spread, "rest": rest.clamp(min=1e-4).reshape(1)}


def _facts(data: Encoded, parts: BaseParts, prompt: str, words: Tensor, seed: int) -> Tensor:
    """[CAPTIONS N, F] of every atlas under captions that say less and less."""
    random, rows = Random(seed), []
    domains = torch.cat([words, torch.zeros_like(words[:1])])
    for number in range(CAPTIONS):
        looks = [data.looks[int(person)] for person in data.person]
        said = [said_of(look, prompt, random, SAID[number]) if number < len(SAID) else "" for look in looks]
        texts = torch.cat([encode_text(parts, said[i : i + 64])[0].float().cpu() for i in range(0, len(said), 64)])
        domain = data.domain if number != 1 else torch.where(torch.arange(len(said)) % 4 == 0, NONE, data.domain)
        rows.append(facts_of(texts, domains[domain], data.mask.float()))
    return torch.cat(rows)


def _ridge(facts: Tensor, wanted: Tensor, weight: float = RIDGE) -> Tensor:
    """[F, K] that leads from facts [N, F], of which the first is 1, to [N, K]; the first is not held."""
    middle, target = facts.mean(0), wanted.mean(0)
    scale = (facts - middle).square().mean(0).sqrt()
    plain = torch.where(scale > 1e-5, (facts - middle) / scale.clamp(min=1e-5), 0.0).double()
    held = weight * len(facts) * torch.eye(plain.shape[1], dtype=torch.float64)
    slope = torch.linalg.solve(plain.T @ plain + held, plain.T @ (wanted - target).double()).float()
    slope = torch.where(scale[:, None] > 1e-5, slope / scale.clamp(min=1e-5)[:, None], 0.0)
    slope[0] = target - (middle[1:] @ slope[1:])
    return slope
