"""Colours that change and keep their detail: in logarithms of linear colours light and pigments add up."""

import numpy as np

OWN = 0.45  # what a hair differs from the others at most, logarithm
DARKEST = 0.004  # linear; below it logarithms say more of noise than of colour


def logs(linear: np.ndarray) -> np.ndarray:
    """[..., 3] logarithms of `linear` [..., 3]."""
    return np.log(np.maximum(linear, DARKEST))


def median(linear: np.ndarray, share: np.ndarray, least: float = 0.5) -> np.ndarray | None:
    """[3] the median of `linear` [N, 3] where `share` [N] is more than `least`; None where that is nowhere."""
    chosen = linear[share > least]
    return np.median(chosen, 0) if len(chosen) else None


def between(linear: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """[N] 0..1 how far `linear` [N, 3] lies on the way from the colour `first` [3] to `second` [3]."""
    way = logs(second) - logs(first)
    return np.clip((logs(linear) - logs(first)) @ way / max(float(way @ way), 1e-9), 0, 1)


def apart(first: np.ndarray, second: np.ndarray) -> float:
    """How different two colours [3] are: 0 the same, about 1 for brown hair on fair skin."""
    return float(np.linalg.norm(logs(second) - logs(first)))


def regrown(linear: np.ndarray, share: np.ndarray, bare: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """`linear` [N, 3] of skin of the colour `bare`, [3] or [N, 3], under a `share` [N] of hair, whose colour `old` [3]
    becomes `new` [3].

    What a texel has of its own over such a mixture stays on skin, and on hair as far as hair may differ from its mean.
    """
    share = share[:, None]
    own = logs(linear) - (1 - share) * logs(bare) - share * logs(old)
    tone = OWN * np.tanh(own.mean(-1, keepdims=True) / OWN)
    return np.exp((1 - share) * (logs(bare) + own) + share * (logs(new) + tone))


def part_way(before: np.ndarray, after: np.ndarray, strength: float) -> np.ndarray:
    """[N, 3] from linear colours `before` to `after` by `strength`: 0 is before, exactly, more than 1 beyond after."""
    return before * np.exp(strength * (logs(after) - logs(before)))


def covered(linear: np.ndarray, share: np.ndarray, rgb: np.ndarray, detail: float = 0.7) -> np.ndarray:
    """`linear` [N, 3] under paint of the colour `rgb` [3] that hides the `share` [N] of it; `detail` shows through."""
    tone = np.log(np.maximum(linear.mean(-1), DARKEST))
    middle = np.average(tone, weights=share + 1e-9)
    shade = np.exp(detail * np.clip(tone - middle, -0.9, 0.6))[:, None]
    return linear * (1 - share[:, None]) + np.clip(np.asarray(rgb) * shade, 0, 1) * share[:, None]


def tinted(linear: np.ndarray, share: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """`linear` [N, 3] under a thin wash of the colour `rgb` [3] over the `share` [N]: its tint, little of its light."""
    rgb = np.maximum(np.asarray(rgb, np.float32), DARKEST)
    tint = np.log(rgb / rgb.mean())
    return linear * np.exp(share[:, None] * (0.55 * (tint - tint.max()) + 0.12 * np.log(rgb.mean() / 0.3)))
