"""Values over time without the tremble of reading each picture for itself, and without a lag."""

import numpy as np

CALMEST_HZ, FREEST_HZ = 0.6, 12.0  # least cut-off of a value at rest, at smoothing 1 and near 0
EASE_HZ = 1.0  # cut-off of a speed, as in the paper


def smoothed(values: np.ndarray, fps: float, smoothing: float, quick: float) -> np.ndarray:
    """`values` [T, N] filtered by the one-euro filter (Casiez et al. 2012) forwards and backwards, and their mean.

    What moves fast is let through: `quick` is the rise of the cut-off, hertz for a change of 1 per second. smoothing:
    0 leaves all as it is, 1 is very smooth. The mean of both directions has no lag.
    """
    if smoothing <= 0 or len(values) < 3:
        return values.copy()
    least = FREEST_HZ * (CALMEST_HZ / FREEST_HZ) ** smoothing
    there, back = (_filtered(one, fps, least, quick) for one in (values, values[::-1]))
    return (there + back[::-1]) / 2


def _filtered(values: np.ndarray, fps: float, least: float, quick: float) -> np.ndarray:
    result, speed = values.astype(np.float64), np.zeros(values.shape[1])
    for now in range(1, len(values)):
        speed += _share(EASE_HZ, fps) * ((values[now] - values[now - 1]) * fps - speed)
        share = _share(least + quick * abs(speed), fps)
        result[now] = result[now - 1] + share * (values[now] - result[now - 1])
    return result


def _share(cut_off, fps: float):
    """How much of what is new a low-pass filter takes at each step."""
    return 1 / (1 + fps / (2 * np.pi * cut_off))


def led_over(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`values` [T, N] with those that are not `known` [T] on a line between their neighbours that are, or held."""
    times, given = np.arange(len(values)), np.flatnonzero(known)
    return np.stack([np.interp(times, given, column[given]) for column in values.T], 1)
