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


def disagreements(embeddings: np.ndarray) -> np.ndarray:
    """Distance [n] of each unit embedding of `embeddings` [n, D] from the others, 0 when alone.

    It is the median, of two in the middle the smaller: who is seen in half of the photos is nobody else. A mean of the
    others would lie near everybody where they show many people.
    """
    count = len(embeddings)
    if count < 2:
        return np.zeros(count, np.float32)
    apart = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=-1)
    return np.sort(apart, axis=1)[:, count // 2]  # the first of each row is the distance from itself
