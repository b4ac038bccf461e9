"""Shares of regions spread over a picture as random walkers do: freely within even colour, hardly across an edge."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

LEAK = 2e-3  # of a step across the sharpest edge
ALONE = 1e-6  # of a step into what is no person: keeps the system solvable


def spread_shares(lab: np.ndarray, shares: np.ndarray, trust: np.ndarray, person: np.ndarray, contrast: float):
    """[H, W, C]: where walkers from each pixel of `lab` [H, W, 3] end, when each step may end the walk there.

    shares: [H, W, C], what a walk that ends here is counted as. trust: [H, W], how easily walks end here, against
    weights of steps of at most 1. person: [H, W], 0..1; walks keep to it. contrast: the difference in CIE L*a*b* that
    is one deviation of an edge. Grady, Random Walks for Image Segmentation, 2006, with priors (Grady 2005).
    """
    height, width = trust.shape
    numbers = np.arange(height * width).reshape(height, width)
    steps = [
        _steps(numbers, lab, person, contrast, here, there)
        for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:]))
    ]
    first, second, weight = (np.concatenate(part) for part in zip(*steps, strict=True))
    rows, columns = np.concatenate([first, second]), np.concatenate([second, first])
    steps = sparse.coo_matrix((np.tile(weight, 2), (rows, columns)), (numbers.size,) * 2).tocsr()
    ends = np.asarray(steps.sum(1)).ravel() + trust.ravel()
    system = splu((sparse.diags(ends) - steps).tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return system.solve((trust[..., None] * shares).reshape(numbers.size, -1)).reshape(shares.shape)


def _steps(numbers: np.ndarray, lab: np.ndarray, person: np.ndarray, contrast: float, here, there):
    apart = ((lab[here] - lab[there]) ** 2).sum(-1)
    weight = (np.exp(-apart / (2 * contrast**2)) + LEAK) * np.minimum(person[here], person[there]) + ALONE
    return numbers[here].ravel(), numbers[there].ravel(), weight.ravel()
