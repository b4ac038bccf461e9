"""What a clip says of how a head moves."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Track:
    """How a head moves, picture by picture of a clip of T, `fps` a second.

    names: N of Apple's expressions; weights [T, N], 0..1. turns [T, 3]: yaw to the person's left, pitch downwards, roll
    to the person's right shoulder, radians, of a head that else looks into the camera. seen [T]: whether there was a
    face; what lies between is led over.
    """

    fps: float
    names: tuple[str, ...]
    weights: np.ndarray
    turns: np.ndarray
    seen: np.ndarray

    @property
    def times(self) -> np.ndarray:
        """[T] seconds from the beginning, float32."""
        return (np.arange(len(self.weights)) / self.fps).astype(np.float32)

    def as_json(self) -> dict:
        """The same as plain JSON, rounded; turns in degrees."""
        return {
            "fps": round(self.fps, 3),
            "names": list(self.names),
            "weights": np.round(self.weights, 4).tolist(),
            "turns_deg": np.round(np.degrees(self.turns), 2).tolist(),
            "seen": self.seen.tolist(),
        }
