"""Hair in another colour: strands, light and dark and opacity stay, the mean becomes the colour that is asked for."""

import numpy as np

from idto3d.head.hair.atlas import coloured
from idto3d.head.paint.bytes import bytes_of, linear_of

DARKEST = 0.002  # linear; below it logarithms say more of noise than of hair
LEAST = 1e-4  # linear; below it all is black
CONTRAST = (0.26, 0.42)  # least and most deviation of the logarithm of the brightness between strands
RAISED = 1.5  # times that it is raised at most: what is flat has no strands to be shown
DEEPEST, GLOSSIEST = 1.1, 0.8  # what is left of shade and of gloss nears these at most, logarithms
BRIGHTEST = 0.90  # linear, of the brightest channel where hair is glossiest: what is brighter is white, whatever it was
ALMOST = 0.03  # what gloss there is at least
ROUNDS = 3  # in which the mean is brought back to what it shall be


def dyed(albedo: np.ndarray, rgb: tuple[float, float, float], strength: float = 1.0) -> np.ndarray:
    """The texture `albedo` [S, S, 4], uint8 sRGB with opacity, of hair whose mean becomes linear `rgb`.

    strength: 0 is as it was, 1 the colour asked for, more goes on beyond it. The mean is that of what is opaque.
    """
    linear, opaque = linear_of(albedo[..., :3]), albedo[..., 3].astype(np.float32)
    painted = coloured(rgb, tone_of(linear, opaque, max(rgb)))
    if strength != 1:
        way = np.log(np.maximum(painted, LEAST)) - np.log(np.maximum(linear, LEAST))
        painted = linear * np.exp(strength * way) if strength < 1 else painted * np.exp((strength - 1) * way)
    return np.concatenate([bytes_of(painted), albedo[..., 3:]], -1)


def tone_of(linear: np.ndarray, opaque: np.ndarray, brightest: float) -> np.ndarray:
    """[S, S] how bright hair is against its mean, 1 in the mean of what is `opaque` [S, S].

    Dark hair, of which light makes much, is brought down to the contrast that hair of any colour can have without flat
    white in it, black hair up to where light strands show: `brightest` is the largest channel of its mean, linear 0..1.
    """
    tone = np.log(np.maximum(linear.mean(-1), DARKEST))
    weight = opaque / max(float(opaque.sum()), 1e-6)
    tone = tone - (weight * tone).sum()
    spread = float(np.sqrt((weight * tone**2).sum()))
    tone = tone * min(float(np.clip(spread, *CONTRAST)) / max(spread, 1e-6), RAISED)
    gloss = float(np.clip(np.log(BRIGHTEST / max(brightest, 1e-3)), ALMOST, GLOSSIEST))
    for _ in range(ROUNDS):
        bent = np.where(tone < 0, DEEPEST * np.tanh(tone / DEEPEST), gloss * np.tanh(tone / gloss))
        tone = tone - np.log((weight * np.exp(bent)).sum())
    return np.exp(np.where(tone < 0, DEEPEST * np.tanh(tone / DEEPEST), gloss * np.tanh(tone / gloss)))


def mean_colour(albedo: np.ndarray) -> np.ndarray:
    """[3] linear, the mean of what is opaque of a texture [S, S, 4]."""
    opaque = albedo[..., 3:].astype(np.float32)
    return (linear_of(albedo[..., :3]) * opaque).sum((0, 1)) / max(float(opaque.sum()), 1e-6)
