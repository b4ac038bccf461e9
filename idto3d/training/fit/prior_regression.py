"""The linear maps from a face embedding to shape coefficients and hair styles, by ridge regression."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from idto3d.head.prior import HeadPrior
from idto3d.training.data.dataset import read_portrayed
from idto3d.training.denoiser import mean_embedding
from idto3d.training.fit.prior_solid import tensor_of
from idto3d.words.traits import TAUGHT_STYLES

FOLDS = 5
RIDGES = tuple(10.0**k for k in range(-4, 4))


@dataclass(frozen=True)
class Faces:
    """Unit embeddings [n, D], each one's ICT identity coefficients [n, 100] and hair [n], an index of TAUGHT_STYLES."""

    embedding: np.ndarray
    coefficients: np.ndarray
    hair: np.ndarray


def read_faces(dataset: Path) -> Faces:
    """Mean embeddings of each, of some and of all portraits of every synthetic person, so that any number is met.

    Raises UserError where there is no dataset or its portraits are not embedded.
    """
    people = read_portrayed(dataset)
    count = people.embedding.shape[1]
    hair = np.array([TAUGHT_STYLES.index(look["hair_style"]) for look in people.looks])
    rows = []
    for first, last in sorted({*((k, k + 1) for k in range(count)), (0, (count + 1) // 2), (0, count)}):
        mean = mean_embedding(people.embedding[:, first:last]).numpy()
        seen = np.linalg.norm(mean, axis=1) > 0.5  # a portrait without a face is a row of zeros
        rows.append((mean[seen], people.coefficients.numpy()[seen], hair[seen]))
    return Faces(*(np.concatenate(part) for part in zip(*rows, strict=True)))


def fit_regression(prior: HeadPrior, faces: Faces) -> dict[str, float]:
    """Set the maps from a face embedding to z and to hair scores; returns the share of variance each explains.

    The ridge strength is the best of a ladder over five folds, a person's rows always in one; the shares are the
    left-out folds'.
    """
    inputs = faces.embedding.astype(np.float64)
    mean = inputs.mean(0)
    codes = faces.coefficients.astype(np.float64) @ prior.coefficient_map.double().numpy()
    styles = np.eye(len(TAUGHT_STYLES))[faces.hair]
    _, person = np.unique(faces.coefficients, axis=0, return_inverse=True)
    shares = {}
    for name, wanted in (("shape", codes), ("style", styles)):
        weights, bias, shares[name] = best_ridge(inputs - mean, wanted, person.ravel() % FOLDS)
        setattr(prior, f"{name}_map", tensor_of(weights))
        setattr(prior, f"{name}_bias", tensor_of(bias))
    prior.embedding_mean, prior.styles = tensor_of(mean), TAUGHT_STYLES
    prior.size = replace(prior.size, embedding=inputs.shape[1])
    return shares


def best_ridge(inputs: np.ndarray, wanted: np.ndarray, fold: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """(weights [D, C], bias [C], share of variance explained in left-out folds) with the best of a ladder of strengths.

    fold: [n] the fold of each row.
    """
    tried = {strength: _left_out_share(inputs, wanted, strength, fold) for strength in RIDGES}
    strength = max(tried, key=tried.get)
    return *ridge(inputs, wanted, strength), tried[strength]


def ridge(inputs: np.ndarray, wanted: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """(weights [D, C], bias [C]) of ridge regression; `strength` is relative to the inputs' mean variance."""
    centre, bias = inputs.mean(0), wanted.mean(0)
    centred = inputs - centre
    gram = centred.T @ centred
    penalty = strength * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram + penalty, centred.T @ (wanted - bias))
    return weights, bias - centre @ weights


def _left_out_share(inputs: np.ndarray, wanted: np.ndarray, strength: float, fold: np.ndarray) -> float:
    residual = np.zeros_like(wanted)
    for k in np.unique(fold):
        weights, bias = ridge(inputs[fold != k], wanted[fold != k], strength)
        residual[fold == k] = wanted[fold == k] - inputs[fold == k] @ weights - bias
    return float(1 - residual.var(0).sum() / wanted.var(0).sum())
