"""From where a photo shows a face, told from its landmarks alone."""

import numpy as np

from idto3d.subject.parsing.frame import CHIN, SIDES, TOP


def direction(points: np.ndarray) -> tuple[float, float]:
    """Where the camera stood: azimuth (0 in front, positive towards the person's left) and elevation, degrees.

    points: [478, 3], x right, y down, z away from the camera.
    """
    points = np.asarray(points, np.float64)
    left = _unit(points[SIDES[1]] - points[SIDES[0]])  # the person's own, which is on the right of a photo
    up = points[TOP] - points[CHIN]
    up = _unit(up - left * (up @ left))
    forward = np.cross(left, up)
    camera = np.array([0.0, 0.0, -1.0])
    azimuth = np.degrees(np.arctan2(camera @ left, camera @ forward))
    return float(azimuth), float(np.degrees(np.arcsin(np.clip(camera @ up, -1, 1))))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
