"""The camera that took a photo, as the fit finds it."""

from dataclasses import dataclass

import numpy as np

NEAR, FAR = 0.05, 20.0  # of the clip space, metres


@dataclass(frozen=True, eq=False)
class PhotoCamera:
    """A pinhole camera with square pixels, its axis through the middle of the photo.

    rotation [3, 3] and translation [3] take world points to the camera's axes: OpenGL, looks along -Z, metres.
    focal: pixels; centre [2]: (x, y) of the axis, pixels of the photo.
    """

    rotation: np.ndarray
    translation: np.ndarray
    focal: float
    centre: np.ndarray

    @property
    def position(self) -> np.ndarray:
        """[3] where the camera stands, world, metres."""
        return -self.rotation.T @ self.translation

    def seen(self, points: np.ndarray) -> np.ndarray:
        """`points` [N, 3] of the world in the camera's axes."""
        return points @ self.rotation.T + self.translation

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (x, y) [N, 2] of world points [N, 3]."""
        return projected(self.seen(points), self.focal, self.centre)

    def angles(self) -> tuple[float, float]:
        """Azimuth and elevation of the camera about the head, radians; azimuth is positive at the person's left."""
        back = self.rotation[2]
        return float(np.arctan2(back[0], back[2])), float(np.arcsin(np.clip(back[1], -1, 1)))

    def roll(self) -> float:
        """How far the head leans in the picture, radians, counter-clockwise."""
        return float(np.arctan2(self.rotation[1, 0], self.rotation[0, 0]))

    def clip(self, points: np.ndarray, box: tuple[float, float, float]) -> np.ndarray:
        """Clip-space positions [N, 4] float32 of world points [N, 3], of a picture of the square `box` of the photo.

        box: (left, top, side), pixels. Conventions as in `render.camera`.
        """
        seen, (left, top, side) = self.seen(points), box
        pixel = projected(seen, self.focal, self.centre)
        distance = np.maximum(-seen[:, 2], NEAR)
        x, y = 2 * (pixel[:, 0] - left) / side - 1, 1 - 2 * (pixel[:, 1] - top) / side
        depth = (distance * (FAR + NEAR) - 2 * FAR * NEAR) / (FAR - NEAR)
        return np.stack([x * distance, y * distance, depth, distance], 1).astype(np.float32)


def projected(seen: np.ndarray, focal: float, centre: np.ndarray) -> np.ndarray:
    """Pixels [N, 2] of points [N, 3] in the camera's axes."""
    scale = focal / -seen[:, 2]
    return np.stack([centre[0] + scale * seen[:, 0], centre[1] - scale * seen[:, 1]], 1)
