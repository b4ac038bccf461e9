"""What values would be in each picture of a clip if the face were at rest, as its turn changes them.

A curve over yaw, pitch and roll is laid through a clip's own values. It is stiff, so that a short clip, in which one
turn goes with one expression, keeps most of the expression.
"""

import numpy as np

STIFF = 0.02  # weight of each term, in shares of the pictures
BELOW = 0.1  # share of the pull of values above the curve, where they are never less than at rest
ROUNDS = 20
NEAR = 0.25  # of the values' deviation, within which values pull with all their weight where they go both ways
SCALE = np.array([0.5, 0.3, 0.3])  # radians of a large turn


def lowest(values: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """`values` [T, N] at rest, where expressions only raise them: asymmetric least squares (Newey and Powell 1987).

    turns [T, 3] radians, see Track.
    """
    return _curves(values, turns, lambda left: np.where(left > 0, BELOW, 1.0))


def middle(values: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """The same, where expressions raise and lower them: what lies far off hardly counts (least absolute deviations)."""
    return _curves(values, turns, lambda left: 1 / np.maximum(abs(left), NEAR * left.std() + 1e-9))


def _curves(values: np.ndarray, turns: np.ndarray, weigh) -> np.ndarray:
    return np.stack([_curve(column, _terms(turns), weigh) for column in values.T], 1)


def _terms(turns: np.ndarray) -> np.ndarray:
    """[T, 6] one, the turns, and the squares of yaw and pitch."""
    scaled = turns / SCALE
    return np.concatenate([np.ones((len(turns), 1)), scaled, scaled[:, :2] ** 2], 1)


def _curve(values: np.ndarray, terms: np.ndarray, weigh) -> np.ndarray:
    stiff = STIFF * np.diag([0.0] + [1.0] * (terms.shape[1] - 1))
    curve = np.full_like(values, np.median(values))
    for _ in range(ROUNDS):
        weights = weigh(values - curve)
        weighted = (terms * (weights / weights.sum())[:, None]).T
        curve = terms @ np.linalg.solve(weighted @ terms + stiff, weighted @ values)
    return curve
