"""How our scorer learns: a picture lies near words that fit it, and far from words that do not.

Every pair of a picture and a caption in a batch is judged, for it is known how much of each token everybody has. The
loss is that of SigLIP (Zhai et al. 2023), both answers weighing the same.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from idto3d.guidance.scorer.clay import light_directions, lit
from idto3d.guidance.scorer.towers import Towers
from idto3d.training.scorer.drawn import Drawn
from idto3d.words.faces.table import FACES, LOOKS, TOKENS, WHO

BATCH = 128
SAID = {"who": 0.4, "face": 0.07, "look": 0.35}  # chances that a caption says what somebody has
HELD = 0.6  # from how much of a token on a caption may say it
SILENT = 0.05  # share of captions that say nothing, and so fit everybody
LEAST = 1e-4
KINDS = np.array([*("who" for _ in WHO), *("face" for _ in FACES), *("look" for _ in LOOKS)])
LIGHTEST = (0.6, 1.4)  # factors on a picture's exposure


@dataclass(frozen=True)
class Batch:
    """Pictures [B, 3, S, S], captions [B, T] 0 or 1, and how much each caption fits each picture [B, B]."""

    pictures: Tensor
    captions: Tensor
    fits: Tensor


class Judge(nn.Module):
    """The towers with the scale and the threshold of the loss."""

    def __init__(self, towers: Towers):
        super().__init__()
        self.towers = towers
        self.scale, self.bias = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.tensor(-2.0))

    def loss(self, batch: Batch) -> Tensor:
        """The mean of both answers' losses."""
        seen = functional.normalize(self.towers.picture(batch.pictures), dim=1)
        said = functional.normalize(self.towers.text(batch.captions), dim=1)
        logits = self.scale.exp() * seen @ said.T + self.bias
        fit, unfit = batch.fits, 1 - batch.fits
        yes = -(fit * functional.logsigmoid(logits)).sum() / fit.sum().clamp_min(1)
        no = -(unfit * functional.logsigmoid(-logits)).sum() / unfit.sum().clamp_min(1)
        return (yes + no) / 2


def draw_batch(drawn: Drawn, random: np.random.Generator, size: int = BATCH) -> Batch:
    """A batch of people in one view and one light each, and a caption of each of them."""
    who = random.choice(len(drawn.tokens), min(size, len(drawn.tokens)), replace=False)
    view = random.integers(drawn.normals.shape[1], size=len(who))
    pictures = shown(drawn, who, view, random)
    held = drawn.tokens[who]
    chance = np.vectorize(SAID.get)(KINDS)
    captions = (held > HELD) & (random.random(held.shape) < chance) & (random.random((len(who), 1)) > SILENT)
    fits = np.exp(np.log(held + LEAST) @ captions.T.astype(np.float32)).clip(0, 1)
    return Batch(pictures, torch.from_numpy(captions.astype(np.float32)), torch.from_numpy(fits.astype(np.float32)))


def shown(drawn: Drawn, who: np.ndarray, view: np.ndarray, random: np.random.Generator) -> Tensor:
    """[B, 3, S, S] sRGB 0..1: pictures of people `who` [B] in views [B], each under a light drawn at random."""
    lights = light_directions()
    light = lights[random.integers(len(lights), size=len(who))] * random.uniform(*LIGHTEST, (len(who), 1))
    albedo = () if drawn.albedo is None else ((drawn.albedo[who, view] / np.float32(255)) ** 2.2,)
    return torch.from_numpy(lit(drawn.normals[who, view], light.astype(np.float32), *albedo)).permute(0, 3, 1, 2)


@torch.no_grad()
def mean_embeddings(towers: Towers, drawn: Drawn, lights: int, seed: int = 0) -> Tensor:
    """[N, D] of length 1: the mean embeddings of people over their views, each under `lights` lights."""
    random, found = np.random.default_rng(seed), []
    views = drawn.normals.shape[1]
    for start in range(0, len(drawn.tokens), BATCH):
        who = np.arange(start, min(start + BATCH, len(drawn.tokens)))
        every = [
            functional.normalize(towers.picture(shown(drawn, who, np.full(len(who), view), random)), dim=1)
            for view in range(views)
            for _ in range(lights)
        ]
        found.append(torch.stack(every).mean(0))
    return functional.normalize(torch.cat(found), dim=1)


def agreement(towers: Towers, drawn: Drawn) -> dict[str, float]:
    """By token the chance that of two people the one who has more of it lies nearer to it; of one view and light."""
    random = np.random.default_rng(1)
    who = np.arange(len(drawn.tokens))
    with torch.no_grad():
        parts = [shown(drawn, part, np.zeros(len(part), int), random) for part in np.array_split(who, 8)]
        seen = functional.normalize(torch.cat([towers.picture(part) for part in parts]), dim=1)
        said = functional.normalize(towers.text(torch.eye(len(TOKENS))), dim=1)
    scores, found = (seen @ said.T).numpy(), {}
    for place, token in enumerate(TOKENS):
        more, less = (scores[part, place] for part in (drawn.tokens[:, place] > 0.8, drawn.tokens[:, place] < 0.2))
        if min(len(more), len(less)) >= 5:
            found[token] = float((more[:, None] > less[None]).mean())
    return found
