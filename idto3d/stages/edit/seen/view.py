"""What the standard camera sees of a head: where its points lie in the picture, and whether anything hides them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, minimum_filter

from idto3d.render.backends.kernel import rasterize
from idto3d.render.camera import FAR, NEAR, Camera, clip_positions, standard_cameras
from idto3d.stages.edit.seen.shown import holes_of_head, rest_number
from idto3d.stages.saved import FinishedHead

SIZE = 768  # of the picture by which is judged what hides what, pixels
CLOSED, EVENED = 0.02, 0.008  # of the picture's side: gaps between cards that are closed, and how far that is evened


@dataclass(frozen=True, eq=False)
class View:
    """A camera, the distance [S, S] metres of the nearest surface in its picture of `size` pixels, the positions
    [V, 3] metres of each part's vertices, by name, that it sees, and the number [S, S] of the part that is nearest, -1
    where there is none.
    """

    camera: Camera
    nearest: np.ndarray
    positions: Mapping[str, np.ndarray]
    part: np.ndarray

    SKIN_SLACK_M: ClassVar[float] = 0.004  # how far behind the nearest surface a point may lie and still be seen
    HAIR_SLACK_M: ClassVar[float] = 0.030  # the same in hair, of which what is painted over means all that lies there

    @property
    def size(self) -> int:
        """Pixels along a side."""
        return len(self.nearest)

    def sees(self, points: np.ndarray, through: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (x, y) [N, 2] at which the points [N, 3] lie, and which of them [N] bool nothing hides.

        through: also what lies in hair, HAIR_SLACK_M behind what is seen of it.
        """
        clip = clip_positions(torch.from_numpy(points).float(), self.camera)[0].numpy()
        pixels = (clip[:, :2] / clip[:, 3:] * [0.5, -0.5] + 0.5) * self.size
        cell = pixels.astype(int).clip(0, self.size - 1)
        nearest, slack = (self.envelope, self.HAIR_SLACK_M) if through else (self.nearest, self.SKIN_SLACK_M)
        return pixels, clip[:, 3] < nearest[cell[:, 1], cell[:, 0]] + slack

    @cached_property
    def envelope(self) -> np.ndarray:
        """[S, S] metres to a smooth surface before the nearest one: between cards of hair that is far behind them."""
        near = minimum_filter(self.nearest, round(CLOSED * self.size))
        known = np.isfinite(near)
        far, weight = (gaussian_filter(one, EVENED * self.size) for one in (np.where(known, near, 0.0), 1.0 * known))
        return np.where(known, far / np.maximum(weight, 1e-9), np.inf)

    def inside(self, pixels: np.ndarray) -> np.ndarray:
        """[N] bool which of `pixels` [N, 2] lie in the picture."""
        return ((pixels >= 0) & (pixels < self.size)).all(1)


def view_of(head: FinishedHead, azimuth_deg: float, elevation_deg: float) -> View:
    """The view of the head at rest from the standard camera of that direction."""
    joined, number = head.head.joined(), rest_number(head.head)
    camera = standard_cameras(azimuth_deg, elevation_deg)
    clip = clip_positions(joined.positions[number].cpu().float(), camera)[0].numpy()
    faces = joined.faces.cpu().numpy().astype(np.int32)
    face, _, depth = rasterize(clip, faces, SIZE, SIZE, holes_of_head(head))
    nearest = np.where(face >= 0, 2 * FAR * NEAR / ((FAR + NEAR) - depth * (FAR - NEAR)), np.inf)
    positions = {part.name: part.positions()[number].cpu().double().numpy() for part in head.head.parts}
    ends = np.cumsum([len(part.faces) for part in head.head.parts])
    return View(camera, nearest, positions, np.where(face >= 0, np.searchsorted(ends, face, side="right"), -1))
