"""What a pixel of a person likely is by its place alone: skin, hair, clothing or beard."""

from dataclasses import dataclass

import numpy as np

from idto3d.subject.parsing.frame import LOWER_LIP, NOSE_BASE, SIDES, Frame

LEAST = 2e-3  # nothing is impossible
EAR = (0.10, 0.17)  # width and height of the spot where an ear may show, face heights


@dataclass(frozen=True, eq=False)
class Hints:
    """What was seen of a person before looking closely.

    long: [H, W], 0..1, that hair hangs beside the jaw on this side. bald: 0..1, that the crown looks like skin.
    beard: [H, W], 0..1, that a beard shows, should one grow here.
    """

    long: np.ndarray
    bald: float
    beard: np.ndarray


def place_priors(frame: Frame, hints: Hints) -> np.ndarray:
    """[H, W, 4], sums to 1: the chances of skin, hair, clothing and beard for a pixel that shows the person.

    The figures were set by eye on photographs.
    """
    v, inner = frame.below_chin, within(frame)
    outer, below, neck = 1 - inner, ramp(v, -0.1, 0.35), _neck(frame)
    forehead = inner * ramp(-v, -frame.brow_line - 0.02, -frame.brow_line + 0.22)
    high_forehead = ramp(-v, 0.85, 0.95) * ramp(-frame.outside, -0.2, -0.05)
    crown = hints.bald * ramp(-v, 0.7, 0.95)
    ear = np.maximum(*(frame.ear(side, *EAR) for side in SIDES))
    skin = inner - 0.3 * forehead + outer * (0.06 + 0.55 * ear + 0.2 * below + 0.8 * crown + 0.15 * high_forehead)
    near = 0.2 + 0.8 * np.exp(-np.maximum(frame.outside - 0.5, 0) / 0.3)
    hanging = 1 - 0.97 * ramp(v, -0.2, 0.05) * (1 - hints.long)
    hair = outer * (0.75 - 0.5 * below) * near * hanging * (1 - 0.6 * neck) * (1 - 0.85 * crown) * (1 - 0.5 * ear)
    hair = hair + 0.02 * inner + 0.3 * forehead * (1 - 0.7 * hints.bald)
    high = 0.2 * ramp(v, -0.2, 0.05) * (1 - hints.long)  # a collar, where no hair hangs
    clothing = outer * (0.004 + 0.6 * ramp(v, 0.02, 0.4) + high) * (1 - 0.6 * neck)
    beard = hints.beard * beard_zone(frame)
    skin, beard = np.maximum(skin, 0.7 * neck) * (1 - beard), 0.9 * beard
    priors = np.stack([skin + LEAST, hair * (1 - 0.9 * beard) + LEAST, clothing + LEAST, beard + 1e-6], -1)
    return priors / priors.sum(-1, keepdims=True)


def within(frame: Frame) -> np.ndarray:
    """[H, W], 0..1: how surely a pixel lies within the face's outline."""
    return ramp(-frame.outside, -0.03, 0.06)


def beard_zone(frame: Frame) -> np.ndarray:
    """[H, W], 0..1: where a beard may grow: from the nose's base to under the chin, and along the jaw to the ears."""
    mouth = (frame.level(NOSE_BASE) + frame.level(LOWER_LIP)) / 2
    side = ramp(np.abs(frame.across), 0.45 * frame.half_width, 0.75 * frame.half_width)
    start = frame.level(NOSE_BASE) + (mouth - frame.level(NOSE_BASE)) * 0.3 * (1 - side) - 0.1 * side
    reach = ramp(-np.abs(frame.across), -1.15 * frame.half_width, -1.0 * frame.half_width)
    return reach * ramp(frame.below_chin - start, -0.03, 0.03) * ramp(-frame.below_chin, -0.16, -0.02)


def _neck(frame: Frame) -> np.ndarray:
    """[H, W], 0..1: the column under the jaw."""
    column = ramp(-np.abs(frame.across), -1.05 * frame.half_width, -0.65 * frame.half_width)
    return column * ramp(frame.below_chin, -0.2, 0.02) * ramp(-frame.below_chin, -0.55, -0.15)


def ramp(x: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 up to `start`, 1 from `end` on, smooth between."""
    t = np.clip((x - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)
