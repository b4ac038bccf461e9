"""How much the portrait network knows of held-out people, beside a ridge regression from dlib's embedding."""

import numpy as np
import torch
from torch import Tensor

from idto3d.subject.portrait_encoder import as_inputs
from idto3d.subject.portrait_net import PortraitNet
from idto3d.training.augment import augmented
from idto3d.training.faces import KnownFaces, middle
from idto3d.training.portrait_targets import UNKNOWN, classes
from idto3d.training.prior_regression import FOLDS, best_ridge

COUNTS = (1, 2, 5)
AMONG = 50


def codes_of(net: PortraitNet, faces: KnownFaces, random: torch.Generator | None = None) -> Tensor:
    """Unlimited codes [n, P, K] of every portrait, NaN where no face was found; with `random` of augmented ones."""
    found = np.argwhere(faces.found())
    codes = torch.full((*faces.landmarks.shape[:2], net.size.modes), float("nan"))
    for rows in np.array_split(found, max(1, len(found) // 64)):
        codes[rows[:, 0], rows[:, 1]] = net(*_inputs(faces, rows, random))[0]
    return codes


def _inputs(faces: KnownFaces, rows: np.ndarray, random: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
    crops, marks = faces.crops(rows[:, 0], rows[:, 1]), faces.landmarks[rows[:, 0], rows[:, 1]]
    known = faces.embedding[rows[:, 0], rows[:, 1]]
    if random is not None:
        return *augmented(torch.from_numpy(crops), torch.from_numpy(marks), random), torch.from_numpy(known)
    return as_inputs(*middle(crops, marks), known)


@torch.no_grad()
def measure(net: PortraitNet, faces: KnownFaces) -> dict[str, float]:
    """Figures of people who were not trained on, from clean portraits and from augmented ones ("photo_like")."""
    truth = net.whitened(torch.from_numpy(faces.coefficients))
    clean, varied = codes_of(net, faces), codes_of(net, faces, torch.Generator().manual_seed(11))
    figures = {f"portraits_{count}": compared(net, mean_code(clean, count), truth) for count in COUNTS}
    figures["photo_like_1"] = compared(net, mean_code(varied, 1), truth)
    return figures | {"right_words": right_words(net, faces)}


def mean_code(codes: Tensor, count: int) -> Tensor:
    """[n, K] mean over each person's first `count` portraits with a face; NaN for people without any."""
    order = codes[..., 0].isnan().float().argsort(dim=1, stable=True)[:, :count]
    return codes.gather(1, order[..., None].expand(-1, -1, codes.shape[-1])).nanmean(1)


def compared(net: PortraitNet, codes: Tensor, truth: Tensor) -> dict[str, float]:
    """Mean cosine, shares of variance explained (of all modes alike, of the face's surface), and right heads of 50."""
    seen = ~codes.isnan().any(1)
    codes, truth, share = codes[seen], truth[seen], net.code_share
    left = (codes - truth).square().mean(0) / truth.square().mean(0)
    return {
        "cosine": torch.cosine_similarity(codes, truth).mean().item(),
        "explained": 1 - left.mean().item(),
        "explained_surface": 1 - (left * share).sum().item(),
        f"right_of_{AMONG}": right_heads(codes, truth, share),
    }


def right_heads(codes: Tensor, truth: Tensor, share: Tensor, among: int = AMONG) -> float:
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


def right_words(net: PortraitNet, faces: KnownFaces) -> dict[str, float]:
    """Share of the first portraits whose likeliest word is right, for each attribute."""
    found = faces.found()
    rows = np.stack([np.arange(len(found)), found.argmax(1)], 1)[found.any(1)]
    wanted = classes([faces.looks[i] for i in rows[:, 0]], net.size.attributes)
    scores = [net(*_inputs(faces, part, None))[1] for part in np.array_split(rows, max(1, len(rows) // 64))]
    hits = {}
    for name, true in wanted.items():
        guess = torch.cat([score[name] for score in scores]).argmax(1)
        hits[name] = (guess == true)[true != UNKNOWN].float().mean().item()
    return hits


@torch.no_grad()
def measure_dlib(net: PortraitNet, faces: KnownFaces) -> dict[str, dict[str, float]]:
    """The same figures for what dlib's embeddings alone tell of the code."""
    truth = net.whitened(torch.from_numpy(faces.coefficients))
    known = torch.from_numpy(np.where(faces.found()[..., None], faces.embedding, np.nan))
    guesses = net.linear_guess(known)
    return {f"portraits_{count}": compared(net, mean_code(guesses, count), truth) for count in COUNTS}


def fit_linear_guess(net: PortraitNet, faces: KnownFaces) -> None:
    """Set what the network adds to: the ridge regression from dlib's embedding of one portrait to the code."""
    rows = np.argwhere(faces.found())
    codes = net.whitened(torch.from_numpy(faces.coefficients)).double().numpy()[rows[:, 0]]
    inputs = faces.embedding[rows[:, 0], rows[:, 1]].astype(np.float64)
    weights, bias, _ = best_ridge(inputs, codes, rows[:, 0] % FOLDS)
    net.recognition_map.copy_(torch.from_numpy(weights))
    net.recognition_bias.copy_(torch.from_numpy(bias))
