"""The linear maps from a face embedding to shape coefficients and hair styles, by ridge regression."""

from dataclasses import replace

import numpy as np

from idto3d.fields.head_prior import HAIR_STYLES, HeadPrior
from idto3d.training.prior_solid import tensor_of

FOLDS = 5
RIDGES = tuple(10.0**k for k in range(-4, 4))


def fit_regression(prior: HeadPrior, embeddings: dict[str, np.ndarray]) -> dict[str, float]:
    """Set the maps from a face embedding to z and to hair scores; returns the share of variance each explains.

    embeddings: `embedding` [n, D], `coefficients` [n, 100] ICT identity, `hair` [n] index into HAIR_STYLES. The ridge
    strength is the best of a ladder over five folds, a person's rows always in one; the shares are the left-out folds'.
    """
    inputs = embeddings["embedding"].astype(np.float64)
    mean = inputs.mean(0)
    codes = embeddings["coefficients"].astype(np.float64) @ prior.coefficient_map.double().numpy()
    styles = np.eye(len(HAIR_STYLES))[embeddings["hair"]]
    _, person = np.unique(embeddings["coefficients"], axis=0, return_inverse=True)
    shares = {}
    for name, wanted in (("shape", codes), ("style", styles)):
        tried = {s: _left_out_share(inputs - mean, wanted, s, person.ravel() % FOLDS) for s in RIDGES}
        strength = max(tried, key=tried.get)
        weights, bias = _ridge(inputs - mean, wanted, strength)
        shares[name] = tried[strength]
        setattr(prior, f"{name}_map", tensor_of(weights))
        setattr(prior, f"{name}_bias", tensor_of(bias))
    prior.embedding_mean = tensor_of(mean)
    prior.size = replace(prior.size, embedding=inputs.shape[1])
    return shares


def _ridge(inputs: np.ndarray, wanted: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
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
        weights, bias = _ridge(inputs[fold != k], wanted[fold != k], strength)
        residual[fold == k] = wanted[fold == k] - inputs[fold == k] @ weights - bias
    return float(1 - residual.var(0).sum() / wanted.var(0).sum())
