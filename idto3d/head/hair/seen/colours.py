"""The colour of hair from photos: its mid-tone, and the pixels themselves laid onto the cards that face the camera."""

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.head.hair.scalp import smoothstep
from idto3d.head.hair.seen.view import SURE, HairView

BROAD = 0.022  # metres over which light on hair is taken to change
EVENED = 0.55  # exponent of the light that is taken out; 1 would leave strands alone
LIMITS = (0.45, 1.9)  # of that light about its median
FACING = (0.12, 0.45)  # cosines between which a card begins to show the photo
INNER = (0.5, 3.5)  # pixels inside the outline between which a pixel is trusted


def mid_tone(views: list[HairView]) -> tuple[float, float, float]:
    """The median linear RGB of the pixels that are surely hair, over all views."""
    sure = [view.colour[(view.hair > SURE) & (view.to_hair < -INNER[1])] for view in views]
    return tuple(float(value) for value in np.median(np.concatenate(sure), 0))


def evened(view: HairView, rgb: tuple[float, float, float]) -> np.ndarray:
    """[S, S, 3] linear colours of the view with the broad light on the hair taken out in part, about `rgb`."""
    inner = (view.to_hair < -INNER[0]).astype(float)
    grey = view.colour.mean(-1)
    spread = BROAD / view.metres_per_pixel()
    broad = gaussian_filter(grey * inner, spread) / np.maximum(gaussian_filter(inner, spread), 1e-3)
    light = np.clip(broad / max(float(np.mean(rgb)), 1e-4), *LIMITS) ** EVENED
    filled = _filled(view.colour, inner)
    return filled / light[..., None]


def _filled(colour: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The picture with the colours of hair drawn over its outline, so that no background bleeds in."""
    result, known = colour * inner[..., None], inner
    for spread in (1.5, 4.0, 12.0):
        near = gaussian_filter(inner, spread)
        drawn = np.stack([gaussian_filter(colour[..., k] * inner, spread) for k in range(3)], -1)
        drawn /= np.maximum(near, 1e-4)[..., None]
        take = (known < 0.5) & (near > 0.02)
        result[take], known = drawn[take], np.maximum(known, take)
    return result


def seen_colour(view: HairView, even: np.ndarray, points, normals) -> tuple[np.ndarray, np.ndarray]:
    """[N, 3] colours of `even` at `points` [N, 3] with unit `normals`, and their worth [N] 0..1."""
    pixels, _ = view.project(points)
    inside = ((pixels > 1) & (pixels < view.size - 1)).all(1)
    worth = smoothstep(normals @ view.back, *FACING) * view.sees(points) * inside
    worth = worth * smoothstep(-view.read(view.to_hair, pixels), -INNER[1], INNER[0])
    return view.read(even, pixels), worth
