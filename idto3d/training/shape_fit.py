"""Fitting the shape reader to the portraits of synthetic people, in closed form: ridge regression on kernels."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from idto3d.fields.head_prior import HeadPrior
from idto3d.subject.shape_reader import ReaderSize, ShapeReader, edges
from idto3d.training.augment import augmented
from idto3d.training.faces import KnownFaces, middle
from idto3d.training.portrait_targets import code_meaning

PIECE = 64  # portraits at a time
MARKS = 0.3  # weight of the landmarks beside dlib's numbers and the edges, which weigh 1 each
SHARPNESS = 0.5  # of the kernel, over the usual squared distance of two portraits
RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0)
LEFT_OUT = 5  # every so many people are left out while the ridge is chosen
EXAMPLES = 4000  # portraits that the components of the edges are found in, at most

Inputs = tuple[np.ndarray, np.ndarray, np.ndarray]  # edges [n, E], landmarks [n, 5, 2], dlib's embeddings [n, R]


def fit_reader(faces: KnownFaces, prior: HeadPrior | None, random: torch.Generator) -> ShapeReader:
    """A reader of the faces' codes, from every portrait as it is and once more as a photo-like variation.

    The code is the prior's z, else principal components. Raises UserError where the prior is of other heads.
    """
    rows = np.argwhere(faces.found())
    pieces = [*inputs(faces, rows), *inputs(faces, rows, random)]
    whole = tuple(np.concatenate(part) for part in zip(*pieces, strict=True))
    person = np.tile(rows[:, 0], 2)
    reader = measured_out(whole, code_meaning(faces.coefficients, prior), ReaderSize(), random)
    truth = reader.whitened(torch.from_numpy(faces.coefficients))[person]
    kernels = reader.kernels(reader.features(*whole)).double()
    held = torch.from_numpy(person % LEFT_OUT == 0)
    inner = reader.kernels(reader.centres).double()
    tried = {ridge: _left_out_error(reader, kernels, inner, truth, held, ridge) for ridge in RIDGES}
    solve(reader, kernels, inner, truth, min(tried, key=tried.get))
    return _balanced(reader, whole)


def inputs(faces: KnownFaces, rows: np.ndarray, random: torch.Generator | None = None) -> Iterator[Inputs]:
    """What the reader takes of portraits `rows` [n, 2] (person, portrait), in pieces; with `random` of variations."""
    for piece in np.array_split(rows, max(1, -(-len(rows) // PIECE))):
        people, portraits = piece[:, 0], piece[:, 1]
        crops, marks = faces.crops(people, portraits), faces.landmarks[people, portraits]
        if random is None:
            crops, marks = middle(crops, marks)
        else:
            varied, moved = augmented(torch.from_numpy(crops), torch.from_numpy(marks), random)
            crops, marks = (varied.permute(0, 2, 3, 1) * 255).to(torch.uint8).numpy(), moved.numpy()
        yield edges(crops), marks, faces.embedding[people, portraits]


def measured_out(
    whole: Inputs, meaning: dict[str, np.ndarray], size: ReaderSize, random: torch.Generator
) -> ShapeReader:
    """A reader that knows what its code means, how features are made, and what they are compared with.

    `size` says how many components and centres there are at most.
    """
    histograms, marks, known = whole
    count, components = len(histograms), min(size.edges, len(histograms))
    coefficients, modes = meaning["coefficient_map"].shape
    reader = ShapeReader(ReaderSize(known.shape[1], components, min(size.centres, count), coefficients, modes))
    chosen = torch.randperm(count, generator=random)
    some = histograms[chosen[:EXAMPLES].numpy()]
    _, _, directions = np.linalg.svd(some - some.mean(0), full_matrices=False)
    edges_told = {"edge_mean": some.mean(0), "edge_basis": directions[:components].T}
    for name, value in (meaning | edges_told).items():
        getattr(reader, name).copy_(torch.from_numpy(np.asarray(value)))
    _weigh(reader, whole)
    reader.centres.copy_(reader.features(*whole)[chosen[: len(reader.centres)]])
    gaps = torch.cdist(reader.centres, reader.centres).square()
    reader.sharpness.copy_(SHARPNESS / gaps[gaps > 0].median())
    return reader


def _weigh(reader: ShapeReader, whole: Inputs) -> None:
    """Centre the features, and scale each of their three parts so that it spreads as much as it should weigh."""
    reader.feature_scale.fill_(1)
    features = reader.features(*whole)
    reader.feature_mean.copy_(features.mean(0))
    widths = [reader.size.recognition, reader.size.edges, whole[1][0].size]
    parts = (features - features.mean(0)).split(widths, 1)
    scales = [
        weight / part.square().sum(1).mean().sqrt().clamp(min=1e-9)
        for weight, part in zip((1, 1, MARKS), parts, strict=True)
    ]
    reader.feature_scale.copy_(torch.cat([s.expand(w) for s, w in zip(scales, widths, strict=True)]))


def solve(reader: ShapeReader, kernels: Tensor, inner: Tensor, truth: Tensor, ridge: float) -> None:
    """Set weights and bias from `kernels` [n, m] and true codes [n, K]; the ridge is in the kernels' own space."""
    bias = truth.mean(0).double()
    system = kernels.T @ kernels + ridge * inner + 1e-6 * torch.eye(len(inner), dtype=torch.float64)
    reader.weights.copy_(torch.linalg.solve(system, kernels.T @ (truth.double() - bias)))
    reader.bias.copy_(bias)


def _left_out_error(reader, kernels: Tensor, inner: Tensor, truth: Tensor, held: Tensor, ridge: float) -> float:
    solve(reader, kernels[~held], inner, truth[~held], ridge)
    guess = kernels[held].float() @ reader.weights + reader.bias
    return float(((guess - truth[held]).square() * reader.code_share).sum(1).mean())


def _balanced(reader: ShapeReader, whole: Inputs) -> ShapeReader:
    """Set the scale at which the codes of two portraits lie as far apart as dlib's embeddings of them."""
    codes = reader.kernels(reader.features(*whole)) @ reader.weights + reader.bias
    known = torch.from_numpy(whole[2])
    reader.embedding_scale.copy_((known.var(0).sum() / codes.var(0).sum().clamp(min=1e-9)).sqrt())
    return reader
