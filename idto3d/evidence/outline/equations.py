"""What the outlines of photos add to the normal equations of the fit."""

from dataclasses import dataclass

import numpy as np

from idto3d.evidence.camera import projected
from idto3d.evidence.normal_equations import PhotoFit, Seen, points_slope, upright
from idto3d.evidence.outline.rim import off_outline, rim_of
from idto3d.evidence.shapes import Shapes, Surface

SPREAD_M = 0.002  # standard deviation of the photo's outline from a face that reaches beyond it, metres
WIDER = 3.0  # times it where skin reaches beyond the face: that may be a neck, an ear or a border that blooms as well
TOGETHER_M = 0.01  # length of outline whose points err alike, metres
TRUSTED = 2.0  # standard deviations; a point farther off counts less


@dataclass(frozen=True, eq=False)
class Outline:
    """N points of the template that lay on a photo's outline when it was last looked at, and where that was.

    shapes are those of the points. target [N, 2]: a place on the photo's outline that each belongs to, and outward
    [N, 2] the unit normal of the template's there, x right, y down, pixels. weight [N], 1 / square metres.
    """

    shapes: Shapes
    target: np.ndarray
    outward: np.ndarray
    weight: np.ndarray


def seen_outline(surface: Surface, seen: Seen, taken: PhotoFit, coefficients: np.ndarray) -> Outline | None:
    """The outline of a photo, looked for around the head as it is fitted so far; None where it shows none."""
    if seen.shows is None:
        return None
    posed, camera, whole = surface.posed(coefficients, taken.expression), taken.camera, surface.shapes
    rim, beyond = off_outline(posed, camera, rim_of(posed, camera, surface.outlined), seen.shows)
    if not len(beyond):
        return None
    points = rim.read(posed.positions)
    scale = camera.focal / -camera.seen(points)[:, 2]
    target = camera.project(points) + (beyond * scale)[:, None] * rim.outward
    spread = np.where(beyond < 0, SPREAD_M, WIDER * SPREAD_M)
    weight = rim.length / TOGETHER_M / spread**2 / (1 + (beyond / spread / TRUSTED) ** 2)
    shapes = Shapes(*(rim.read(one).astype(np.float64) for one in (whole.neutral, whole.identity, whole.expression)))
    return Outline(shapes, target, rim.outward, weight)


def outline_evidence(outline: Outline, coefficients: np.ndarray, taken: PhotoFit) -> tuple[np.ndarray, np.ndarray]:
    """What it adds to the normal equations: [K + 7 + E] squared, and [K + 7 + E]."""
    camera = taken.camera
    seen = camera.seen(outline.shapes.points(coefficients, taken.expression))
    plane = upright(camera, seen)  # a rotation times metres per pixel
    missing = (outline.target - projected(seen, camera.focal, camera.centre)) * outline.outward
    outward = outline.outward * [1, -1] @ plane.T / np.linalg.norm(plane[0])
    slope = np.einsum("nc,ncu->nu", outward, points_slope(outline.shapes, coefficients, taken))
    weighted = slope * outline.weight[:, None]
    return weighted.T @ slope, weighted.T @ (missing.sum(1) * np.linalg.norm(plane[0]))
