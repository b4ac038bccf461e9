"""Which of many scored candidates are shown: the best, and others that fit well and differ from each other."""

import numpy as np

POOL = 0.02  # share of the candidates, the best ones, among which those that differ are looked for
LEAST_POOL, MOST_POOL = 64, 600
APART = 0.6  # weight of how far a candidate is from those chosen before, against how well it fits


def pool_size(count: int) -> int:
    """How many of so many candidates are looked through."""
    return int(np.clip(POOL * count, LEAST_POOL, MOST_POOL))


def pick(coefficients: np.ndarray, scores: np.ndarray, weights: np.ndarray, count: int) -> list[int]:
    """Numbers of `count` of a pool of candidates [N, K], the best first.

    Each next one fits, and is far from those before. weights [K]: how far a coefficient moves the surface, metres.
    """
    pool = np.argsort(-scores, kind="stable")
    places, fit = coefficients[pool] * weights, _spread(scores[pool])
    chosen = [0]
    gap = np.linalg.norm(places - places[0], axis=1)
    while len(chosen) < min(count, len(pool)):
        value = fit + APART * gap / max(gap.max(), 1e-12)
        value[chosen] = -np.inf
        chosen.append(int(value.argmax()))
        gap = np.minimum(gap, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return [int(pool[place]) for place in chosen]


def _spread(values: np.ndarray) -> np.ndarray:
    """0..1 from the least to the most."""
    return (values - values.min()) / max(values.max() - values.min(), 1e-12)
