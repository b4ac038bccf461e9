"""What is to be told of synthetic heads from their portraits: a code of their shape, and words."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from idto3d.errors import UserError
from idto3d.fields.head_prior import FACE_BOX, HeadPrior, lattice

MODES = 40
ATTRIBUTES = ("hair_style", "hair_colour", "beard", "skin", "age", "gender", "ancestry")
UNKNOWN = -100  # class of a word that a look lacks; cross entropy leaves it out
SURFACE = 0.0015  # metres from the mean face within which points count as its surface


def code_meaning(coefficients: np.ndarray, prior: HeadPrior | None) -> dict[str, np.ndarray]:
    """What the code of heads with `coefficients` [n, C] means, as `ShapeReader` names it: the prior's z, whitened.

    Without a prior, their principal components. Raises UserError where the prior belongs to heads of another kind.
    """
    chosen, share = (_from_prior if prior is not None else _components)(coefficients, prior)
    z = coefficients.astype(np.float64) @ chosen
    moved = share * z.var(0)
    return {
        "coefficient_map": chosen,
        "code_mean": z.mean(0),
        "code_std": z.std(0) + 1e-6,
        "code_share": moved / moved.sum(),
    }


def _from_prior(coefficients: np.ndarray, prior: HeadPrior) -> tuple[np.ndarray, np.ndarray]:
    chosen = prior.coefficient_map.double().numpy()
    if len(chosen) != coefficients.shape[1]:
        what = (
            f"The head prior is of heads with {len(chosen)} coefficients, the dataset's have {coefficients.shape[1]}."
        )
        raise UserError(what, "Give the prior that was fitted to heads of this kind, or none.")
    return chosen, _surface_share(prior)


def _surface_share(prior: HeadPrior) -> np.ndarray:
    """[K] mean squared movement of the face's surface per unit of each mode."""
    points = lattice(FACE_BOX, 0.004).view(-1, 3)
    points = points[prior.mean_distance(points).abs() < SURFACE]
    with torch.no_grad():
        return prior.basis(points).modes.square().mean(0).double().numpy()


def _components(coefficients: np.ndarray, _: None) -> tuple[np.ndarray, np.ndarray]:
    """The principal components [C, K] with most variance; each counts as much as it varies, which `z` brings along."""
    centred = coefficients.astype(np.float64) - coefficients.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    chosen = directions[: min(MODES, len(directions))].T
    return chosen, np.ones(chosen.shape[1])


def vocabularies(looks: Sequence[dict]) -> dict[str, tuple[str, ...]]:
    """For each attribute that the looks have, the words that occur, in alphabetical order."""
    found = {name: tuple(sorted({look[name] for look in looks if look.get(name)})) for name in ATTRIBUTES}
    return {name: words for name, words in found.items() if len(words) > 1}


def classes(looks: Sequence[dict], attributes: dict[str, tuple[str, ...]]) -> dict[str, Tensor]:
    """For each attribute the place [n] int64 of every look's word among its words; -100 where it has none."""
    return {
        name: torch.tensor([words.index(look[name]) if look.get(name) in words else UNKNOWN for look in looks])
        for name, words in attributes.items()
    }
