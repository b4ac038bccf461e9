"""Numbers of a head in few bytes, and back. Both directions stand here, so that a test can hold one to the other."""

import numpy as np

STEPS = 65535  # of a side of a box
LARGEST = 32767  # of a signed coordinate on the octahedron


def rounded(values: np.ndarray) -> tuple[np.ndarray, list[float], float]:
    """`values` [N, C] as uint16 [N, C], with the corner [C] and the step by which `restored` undoes it."""
    low = values.min(0).astype(np.float64)
    step = max(float((values.max(0) - low).max()) / STEPS, 1e-12)
    return np.rint((values - low) / step).astype(np.uint16), low.tolist(), step


def restored(places: np.ndarray, corner: list[float], step: float) -> np.ndarray:
    """The values [N, C] float64 of `rounded`."""
    return places * step + np.asarray(corner)


def rounded_targets(values: np.ndarray, kind: type) -> tuple[np.ndarray, float]:
    """`values` [N, 3] as signed integers of a `kind`, and what they are to be multiplied by."""
    step = float(np.abs(values).max(initial=0.0)) / np.iinfo(kind).max or 1.0
    return np.rint(values / step).astype(kind), step


def rounded_directions(directions: np.ndarray) -> np.ndarray:
    """Directions [N, 3] as places [N, 2] int16 on an octahedron that is folded into a square (Cigolle et al. 2014)."""
    x, y, z = (directions / np.maximum(np.abs(directions).sum(1, keepdims=True), 1e-12)).T
    folded = np.stack([(1 - np.abs(y)) * np.where(x < 0, -1, 1), (1 - np.abs(x)) * np.where(y < 0, -1, 1)], 1)
    flat = np.where((z < 0)[:, None], folded, np.stack([x, y], 1))
    return np.rint(flat * LARGEST).astype(np.int16)


def restored_directions(places: np.ndarray) -> np.ndarray:
    """The unit directions [N, 3] float64 of `rounded_directions`."""
    x, y = (places / LARGEST).T
    z = 1 - np.abs(x) - np.abs(y)
    back = np.maximum(-z, 0)
    x, y = x - np.where(x < 0, -back, back), y - np.where(y < 0, -back, back)
    vectors = np.stack([x, y, z], 1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def gaps_of(indices: np.ndarray) -> np.ndarray:
    """Rising `indices` [N] as the first and the differences of the others: mostly ones, which pack well."""
    return np.diff(indices, prepend=0)


def indices_of(gaps: np.ndarray) -> np.ndarray:
    """The indices [N] int64 of `gaps_of`."""
    return np.cumsum(gaps, dtype=np.int64)
