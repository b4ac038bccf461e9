"""What a drawing on skin is made of: colour as it is, ink below the skin, paint on it, pigment of it, a scar, or hair.

Each takes the skin's linear albedo [N, 3] and a drawing, and gives the albedo with the drawing on it.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from idto3d.head.paint.strokes import DOTS, strokes
from idto3d.head.skin import HAEMOGLOBIN, MELANIN
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.stages.edit.drawn.drawing import Drawing
from idto3d.stages.edit.paint.place import Place
from idto3d.stages.edit.paint.tone import logs

INK_UNDER, VEIL = 0.88, 0.07  # how much of its light ink takes, and how much of it the skin over the ink gives back
SPREAD = 0.9  # texels of a texture of 1024 over which ink and pigment run out
HAIRS = (0.25, 1.15)  # of a hair's cover where there is none, and where there is one
LIGHT = 0.40  # linear brightness of skin whose scars are no paler
PALE, RED = 0.35, 0.85  # melanin that a scar on the darkest skin has lost, and redness that one has more
SMOOTH = 0.5  # of the skin's detail that shows through what is painted on it

DENTED = 0.20  # logarithm by which skin in a dent is darker

Laying = Callable[[np.ndarray, Drawing, Place, int], np.ndarray]


def as_drawn(linear: np.ndarray, drawing: Drawing, place: Place, seed: int) -> np.ndarray:
    """The drawing's own colours, mixed with the skin's as pictures are, in sRGB."""
    share = drawing.share[:, None]
    return _linear(_srgb(linear) * (1 - share) + drawing.colour * share)


def ink(linear: np.ndarray, drawing: Drawing, place: Place, seed: int) -> np.ndarray:
    """A tattoo: ink lies in the skin, so that it takes light like a pigment, and pores and shade stay over it."""
    share = INK_UNDER * _run(place, drawing.share)[:, None]
    return linear * (np.exp(share * logs(drawing.linear)) + VEIL * share)


def paint(linear: np.ndarray, drawing: Drawing, place: Place, seed: int) -> np.ndarray:
    """Face paint: it hides the skin, and lies in its pores."""
    rgb, detail = drawing.linear, _detail(linear, place)
    shade = np.exp(SMOOTH * np.clip(detail, -0.9, 0.6))[:, None]
    share = drawing.share[:, None]
    return linear * (1 - share) + np.clip(rgb * shade, 0, 1) * share


def pigment(linear: np.ndarray, drawing: Drawing, place: Place, seed: int) -> np.ndarray:
    """A birthmark: skin of another colour, with the skin's own detail and a soft border."""
    share = _run(place, drawing.share, 3.0)[:, None]
    around = np.average(logs(linear), 0, weights=drawing.share + 1e-9)
    return linear * np.exp(share * (logs(drawing.linear) - around))


def scar(linear: np.ndarray, drawing: Drawing, place: Place, seed: int) -> np.ndarray:
    """A scar: skin that has lost of its brown, the more the darker it is, and shows more red."""
    share = _run(place, drawing.share)[:, None]
    dark = np.clip(1 - linear.mean(-1, keepdims=True) / LIGHT, 0, 1)
    return linear * np.exp(share * (PALE * dark * MELANIN - RED * HAEMOGLOBIN))


def dent(linear: np.ndarray, drawing: Drawing, place: Place, seed: int) -> np.ndarray:
    """Skin that lies deeper: in its own shade; its relief is carved besides, see adorned."""
    return linear * np.exp(-DENTED * drawing.share[:, None])


def hair(linear: np.ndarray, drawing: Drawing, place: Place, seed: int) -> np.ndarray:
    """Hair of the face: single hairs where it is drawn thin, no skin where it is drawn thick."""
    dots = HAIRS[0] + (HAIRS[1] - HAIRS[0]) * strokes(place.texels, DOTS, seed)
    share = np.clip(drawing.share * (drawing.share + (1 - drawing.share) * dots), 0, 1) * np.clip(dots + 0.25, 0, 1)
    return linear * (1 - share[:, None]) + drawing.linear * share[:, None]


INKS: Mapping[str, Laying] = {
    **{"ink": ink, "paint": paint, "pigment": pigment, "scar": scar, "dent": dent, "hair": hair, "beard": hair}
}


def laid(linear: np.ndarray, drawing: Drawing, place: Place, strength: float, seed: int) -> np.ndarray:
    """The albedo [N, 3] with a drawing on it: as it is drawn at a strength of 0, what it is made of at 1."""
    plain = as_drawn(linear, drawing, place, seed)
    if not drawing.made_of or not strength:
        return plain
    share = min(strength, 1.0)
    return (1 - share) * plain + share * INKS[drawing.made_of](linear, drawing, place, seed)


def _run(place: Place, share: np.ndarray, texels: float = SPREAD) -> np.ndarray:
    """`share` [N] as it has run out over the skin by `texels` of a texture of 1024, inside of where it is."""
    whole = place.texels.spread(share[:, None].astype(np.float32))[..., 0]
    soft = gaussian_filter(whole, texels * len(whole) / 1024)[place.texels.covered]
    return np.where(share > 0, np.minimum(soft * 1.15, 1), 0)


def _detail(linear: np.ndarray, place: Place) -> np.ndarray:
    """[N] logarithm of how much brighter the skin is than all around it."""
    tone = place.texels.spread(logs(linear).mean(-1)[:, None].astype(np.float32))[..., 0]
    return (tone - gaussian_filter(tone, 8.0 * len(tone) / 1024))[place.texels.covered]


def _srgb(linear: np.ndarray) -> np.ndarray:
    return srgb_from_linear(torch.from_numpy(np.ascontiguousarray(linear)).float()).numpy()


def _linear(srgb: np.ndarray) -> np.ndarray:
    return linear_from_srgb(torch.from_numpy(np.ascontiguousarray(srgb)).float()).numpy()
