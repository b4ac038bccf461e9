"""How alike two embeddings are."""

import numpy as np


def unit(vectors: np.ndarray) -> np.ndarray:
    """`vectors` [..., D] scaled to length 1 along the last axis, float32. Raises ValueError for a zero vector."""
    vectors = np.asarray(vectors, np.float64)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not np.all(np.isfinite(length)) or np.any(length < 1e-12):
        raise ValueError("an embedding must be finite and not zero")
    return (vectors / length).astype(np.float32)


def same_person(border: float) -> float:
    """The cosine of two unit embeddings whose distance is `border`."""
    return 1 - border**2 / 2


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of the angle between embeddings `a` and `b`, both [D]; 1 is the same direction, -1 the opposite."""
    return float(np.clip(unit(a) @ unit(b), -1.0, 1.0))
