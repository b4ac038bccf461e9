"""How much is known of held-out people from their portraits: the shape of the head, and words."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from idto3d.subject.identity.portrait_encoder import read_heads
from idto3d.subject.identity.portrait_net import PortraitNet
from idto3d.training.data.augment import augmented
from idto3d.training.data.faces import KnownFaces
from idto3d.training.fit.portrait_targets import UNKNOWN_CLASS, classes

PORTRAIT_COUNTS = (1, 2, 5)
PEOPLE_AMONG = 50
PORTRAITS_AT_A_TIME = 64  # portraits at a time
Answer = tuple[Tensor, dict[str, Tensor]]  # codes [n, K], and scores [n, words] of each attribute


@dataclass(frozen=True)
class Readings:
    """What the network says of every portrait of n people: codes [n, P, K], NaN where no face was found, and the
    scores [n, P, words] of each attribute."""

    codes: Tensor
    scores: dict[str, Tensor]


@torch.no_grad()
def readings_of(net: PortraitNet, faces: KnownFaces, random: torch.Generator | None = None) -> Readings:
    """Asks for every portrait as it is, as the encoder does; with `random` once for a photo-like variation of it."""
    rows, shape = np.argwhere(faces.found()), faces.landmarks.shape[:2]
    pieces = np.array_split(rows, max(1, -(-len(rows) // PORTRAITS_AT_A_TIME)))
    answers = [_answer(net, faces, piece, random) for piece in pieces]

    def placed(values: list[Tensor]) -> Tensor:
        whole = torch.full((*shape, values[0].shape[1]), float("nan"))
        whole[rows[:, 0], rows[:, 1]] = torch.cat(values)
        return whole

    scores = {name: placed([said[name] for _, said in answers]) for name in net.size.attributes}
    return Readings(placed([code for code, _ in answers]), scores)


def _answer(net: PortraitNet, faces: KnownFaces, rows: np.ndarray, random: torch.Generator | None) -> Answer:
    crops, marks = faces.crops(rows[:, 0], rows[:, 1]), faces.landmarks[rows[:, 0], rows[:, 1]]
    if random is None:
        return read_heads(net, crops, marks)
    return net(*augmented(torch.from_numpy(crops), torch.from_numpy(marks), random))


def measure(net: PortraitNet, faces: KnownFaces) -> dict:
    """Figures of people who were not learned from: how much of their shapes is known, and the share of first portraits
    whose likeliest word is right. Clean portraits are read as the encoder does, varied ones ("photo_like") once."""
    truth = net.whitened(torch.from_numpy(faces.coefficients))
    clean, varied = readings_of(net, faces), readings_of(net, faces, torch.Generator().manual_seed(11))
    shape = {f"portraits_{count}": compared(net, mean_code(clean.codes, count), truth) for count in PORTRAIT_COUNTS}
    shape["photo_like_1"] = compared(net, mean_code(varied.codes, 1), truth)
    return {"shape": shape, "words": right_words(net, clean, faces)}


def mean_code(codes: Tensor, count: int) -> Tensor:
    """[n, K] mean over each person's first `count` portraits with a face; NaN for people without any."""
    order = codes[..., 0].isnan().float().argsort(dim=1, stable=True)[:, :count]
    return codes.gather(1, order[..., None].expand(-1, -1, codes.shape[-1])).nanmean(1)


def compared(net: PortraitNet, codes: Tensor, truth: Tensor) -> dict[str, float]:
    """Mean cosine, shares of variance explained (of all modes alike, of the head's surface), and right heads among
    50 or as many as there are."""
    seen = ~codes.isnan().any(1)
    codes, truth, share = codes[seen], truth[seen], net.code_share
    left = (codes - truth).square().mean(0) / truth.square().mean(0)
    return {
        "cosine": torch.cosine_similarity(codes, truth).mean().item(),
        "explained": 1 - left.mean().item(),
        "explained_surface": 1 - (left * share).sum().item(),
        "right_head": right_heads(codes, truth, share),
        "among": min(PEOPLE_AMONG, len(codes)),
    }


def right_heads(codes: Tensor, truth: Tensor, share: Tensor, among: int = PEOPLE_AMONG) -> float:
    """Share of `codes` [n, K] whose nearest of the true codes of 50 people is the right one; by both measures' mean.

    Distances count each mode by the root of its share of the surface, which neither drowns the fine modes nor hears
    the noise in them.
    """
    weight = share**0.25
    hits, step = [], min(among, len(codes))
    for first in range(0, len(codes) - step + 1, step):
        gaps = torch.cdist(codes[first : first + step] * weight, truth[first : first + step] * weight)
        hits.append((gaps.argmin(1) == torch.arange(step)).float())
    return torch.cat(hits).mean().item()


def right_words(net: PortraitNet, readings: Readings, faces: KnownFaces) -> dict[str, float]:
    """Share of the first found portraits whose likeliest word is right, for each attribute."""
    found = faces.found()
    people, first = np.flatnonzero(found.any(1)), found.argmax(1)[found.any(1)]
    hits = {}
    for name, true in classes(faces.looks, net.size.attributes).items():
        guess, wanted = readings.scores[name][people, first].argmax(1), true[people]
        hits[name] = (guess == wanted)[wanted != UNKNOWN_CLASS].float().mean().item()
    return hits
