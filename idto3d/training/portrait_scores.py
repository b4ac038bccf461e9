"""How much is known of held-out people from their portraits: the shape of the head, and words."""

import numpy as np
import torch
from torch import Tensor

from idto3d.subject.looks_net import LooksNet
from idto3d.subject.portrait_encoder import as_inputs
from idto3d.subject.shape_reader import ShapeReader
from idto3d.training.faces import KnownFaces, middle
from idto3d.training.portrait_targets import UNKNOWN, classes
from idto3d.training.shape_fit import inputs

COUNTS = (1, 2, 5)
AMONG = 50


def codes_of(reader: ShapeReader, faces: KnownFaces, random: torch.Generator | None = None) -> Tensor:
    """Codes [n, P, K] of every portrait, NaN where no face was found; with `random` of photo-like variations."""
    rows = np.argwhere(faces.found())
    codes = torch.full((*faces.landmarks.shape[:2], reader.size.modes), float("nan"))
    pieces = [reader.kernels(reader.features(*piece)) for piece in inputs(faces, rows, random)]
    codes[rows[:, 0], rows[:, 1]] = torch.cat(pieces) @ reader.weights + reader.bias
    return codes


def measure_shape(reader: ShapeReader, faces: KnownFaces) -> dict[str, dict[str, float]]:
    """Figures of people who were not fitted to, from clean portraits and from varied ones ("photo_like")."""
    truth = reader.whitened(torch.from_numpy(faces.coefficients))
    clean, varied = codes_of(reader, faces), codes_of(reader, faces, torch.Generator().manual_seed(11))
    figures = {f"portraits_{count}": compared(reader, mean_code(clean, count), truth) for count in COUNTS}
    return figures | {"photo_like_1": compared(reader, mean_code(varied, 1), truth)}


def mean_code(codes: Tensor, count: int) -> Tensor:
    """[n, K] mean over each person's first `count` portraits with a face; NaN for people without any."""
    order = codes[..., 0].isnan().float().argsort(dim=1, stable=True)[:, :count]
    return codes.gather(1, order[..., None].expand(-1, -1, codes.shape[-1])).nanmean(1)


def compared(reader: ShapeReader, codes: Tensor, truth: Tensor) -> dict[str, float]:
    """Mean cosine, shares of variance explained (of all modes alike, of the face's surface), and right heads of 50."""
    seen = ~codes.isnan().any(1)
    codes, truth, share = codes[seen], truth[seen], reader.code_share
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


@torch.no_grad()
def right_words(net: LooksNet, faces: KnownFaces) -> dict[str, float]:
    """Share of the first portraits whose likeliest word is right, for each attribute."""
    found = faces.found()
    rows = np.stack([np.arange(len(found)), found.argmax(1)], 1)[found.any(1)]
    wanted = classes([faces.looks[i] for i in rows[:, 0]], net.size.attributes)
    scores = [net(*_shown(faces, part)) for part in np.array_split(rows, max(1, len(rows) // 64))]
    hits = {}
    for name, true in wanted.items():
        guess = torch.cat([score[name] for score in scores]).argmax(1)
        hits[name] = (guess == true)[true != UNKNOWN].float().mean().item()
    return hits


def _shown(faces: KnownFaces, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    return as_inputs(*middle(faces.crops(rows[:, 0], rows[:, 1]), faces.landmarks[rows[:, 0], rows[:, 1]]))
