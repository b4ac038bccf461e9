"""What a head looks like, in numbers: hues, lightness, fine detail of the skin, and how its hair lies.

Colours are sRGB 0..1 where nothing else is said, lengths metres.
"""

import colorsys
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from skimage.color import rgb2lab

from idto3d.head.hair.atlas import BAND
from idto3d.head.parts import Part
from idto3d.render.color import srgb_from_linear
from idto3d.training.measure.heads.finished import Layout, OneHead

PLAIN_SATURATION = 0.12  # under which a colour has no hue
COUNTED = 20_000  # colours at most of which shares are counted
FINE, LINES = (1.0, 6.0), (2.0, 10.0)  # texels of 1024 between which marks on skin lie, and folds
NEAR = 8  # faces of hair that are compared with each one
FOREHEAD_M, BESIDE_M = (0.066, 0.090), 0.045  # heights on the mean head, and how far off its middle


@dataclass(frozen=True)
class Found:
    """A measured `value` in words of what it is, and whether it is as `wanted`."""

    what: str
    value: float
    wanted: str
    right: bool


def at_least(what: str, value: float, least: float) -> Found:
    """A value that shall be `least` or more."""
    return Found(what, float(value), f">= {least:g}", bool(value >= least))


def within(what: str, value: float, low: float, high: float) -> Found:
    """A value that shall lie between two."""
    return Found(what, float(value), f"{low:.3g}..{high:.3g}", bool(low <= value <= high))


def hue_share(colours: np.ndarray, low: float, high: float, least: float = PLAIN_SATURATION) -> float:
    """The share of `colours` [N, 3] whose hue lies in low..high degrees and whose saturation is at least `least`."""
    if not len(colours):
        return 0.0
    hues = np.array([colorsys.rgb_to_hsv(*colour) for colour in colours[:: max(len(colours) // COUNTED, 1)]])
    inside = (hues[:, 0] * 360 - low) % 360 <= (high - low) % 360
    return float((inside & (hues[:, 1] >= least)).mean())


def plain_share(colours: np.ndarray, most: float) -> float:
    """The share of `colours` [N, 3] that have next to no hue: a saturation of at most `most`."""
    high, low = colours.max(-1), colours.min(-1)
    return float(((high - low) <= most * np.maximum(high, 1e-6)).mean()) if len(colours) else 0.0


def srgb_of(rgb) -> np.ndarray:
    """[3] sRGB of a linear colour of a table."""
    return srgb_from_linear(torch.tensor(rgb, dtype=torch.float32)).numpy()


def hair_volume(head: OneHead) -> float:
    """Cubic metres below the hair: over each vertex of the skin, its area times how high hair stands nearest to it."""
    hair, skin = head.part("hair"), head.part("skin")
    if hair is None:
        return 0.0
    height, area = _below(hair, skin)
    return float((height * area).sum())


def hair_height(head: OneHead) -> float:
    """Metres that hair stands off the skin on average where it does."""
    hair, skin = head.part("hair"), head.part("skin")
    if hair is None:
        return 0.0
    height, area = _below(hair, skin)
    return float((height * area).sum() / max(area[height > 0].sum(), 1e-9))


def _below(hair: Part, skin: Part) -> tuple[np.ndarray, np.ndarray]:
    """[V] of the skin's vertices: how high hair stands over each, and its area."""
    points, vertices, faces = (values.numpy() for values in (hair.vertices, skin.vertices, skin.faces))
    gap, near = cKDTree(vertices).query(points)
    height = np.zeros(len(vertices))
    np.maximum.at(height, near, gap)
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return height, np.bincount(faces.ravel(), area.repeat(3), len(vertices))


def hair_parallel(hair: Part) -> float:
    """How alike neighbouring cards of hair lie, mean cosine: about 1 combed, less the more they curl."""
    corners, places = hair.vertices.numpy()[hair.faces.numpy()], hair.uvs.numpy()
    card = places[..., 1].max(1) < BAND
    corners, places = corners[card], places[card]
    if len(corners) <= NEAR:
        return 1.0
    edge, step = corners[:, 1:] - corners[:, :1], places[:, 1:] - places[:, :1]
    along = step[:, 1, :1] * edge[:, 0] - step[:, 0, :1] * edge[:, 1]  # where the texture runs down a card
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    near = cKDTree(corners.mean(1)).query(corners.mean(1), NEAR + 1)[1][:, 1:]
    return float(np.abs((along[near] * along[:, None]).sum(-1)).mean())


def iris_colours(head: OneHead, layout: Layout, side: int = 0) -> np.ndarray:
    """[N, 3] the colours of the irises' texels, pupils left out; side: 1 of the left eye alone, -1 of the right one."""
    albedo = head.albedo("eyes")
    share = [layout.shares("eyes", name, len(albedo)) for name in ("iris", "pupil")]
    across = layout.spread("eyes", side * layout.template.neutral[:, 0].numpy(), len(albedo))
    return albedo[(share[0] > 0.9) & (share[1] < 0.1) & (across >= 0)]


def mean_lab(head: OneHead, region: str, layout: Layout) -> np.ndarray:
    """[3] the mean CIE Lab of a region of the skin's texture."""
    albedo = head.albedo("skin")
    share = layout.shares("skin", region, len(albedo))
    return (rgb2lab(albedo) * share[..., None]).sum((0, 1)) / share.sum()


def fine_deviation(
    head: OneHead, kind: str, region: np.ndarray, layout: Layout, band: tuple[float, float] = FINE
) -> float | None:
    """Standard deviation of the fine part of the skin's "albedo" or "normal" map in a region, [V] of the template.

    Of 255; None where there is no such map.
    """
    image = getattr(head.saved.painted["skin"], kind)
    if image is None:
        return None
    image = (image[..., :3].astype(np.float32).mean(-1) if kind == "albedo" else image[..., 1]).astype(np.float32)
    scale = len(image) / 1024
    fine = gaussian_filter(image, band[0] * scale) - gaussian_filter(image, band[1] * scale)
    return float(fine[layout.spread("skin", region, len(image)) > 0.5].std())


def region_of(name: str, layout: Layout) -> np.ndarray:
    """[V] 0..1 a region of the template by its name, or its "forehead"."""
    if name != "forehead":
        return getattr(layout.regions, name).numpy()
    x, y, _ = layout.template.neutral.numpy().T
    inside = (y > FOREHEAD_M[0]) & (y < FOREHEAD_M[1]) & (np.abs(x) < BESIDE_M)
    return layout.regions.face.numpy() * inside
