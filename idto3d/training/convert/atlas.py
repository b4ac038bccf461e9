"""The template's texture coordinates: ICT-FaceKit's charts, laid out anew so that each material has one square.

ICT-FaceKit puts its materials into neighbouring unit squares, v up, and a texture wraps those onto each other. Its
charts are kept, as they are little distorted and their borders lie where hair, ears and lips hide them. They are moved
and scaled; mirrored ones are turned over. Our v points down.
"""

from dataclasses import dataclass

import numpy as np

from idto3d.head.features.charts import charts_of, connected
from idto3d.head.template import EYE_SOCKETS, MOUTH_SOCKET

Box = tuple[float, float, float, float]  # left, top, right, bottom, 0..1, v down

# The skin's square. Borders of charts lie at least 8 thousandths apart, 8 texels at 1024.
FACE: Box = (0.004, 0.004, 0.880, 0.652)
SKULL: Box = (0.004, 0.660, 0.400, 0.996)
NECK: Box = (0.408, 0.660, 0.880, 0.996)
MOUTH: Box = (0.888, 0.004, 0.996, 0.420)  # its socket, and those of the eyes
EYES: tuple[Box, Box] = ((0.888, 0.428, 0.996, 0.704), (0.888, 0.712, 0.996, 0.996))
# Both eyes share a square: the fronts as large as two equal discs can be in it, the backs in the other corners.
EYE_FRONTS = {
    "M_ScleraLeft": (0.004, 0.004, 0.578, 0.578),
    "M_ScleraRight": (0.422, 0.422, 0.996, 0.996),
}
EYE_BACKS = {
    "M_ScleraLeft": (0.004, 0.850, 0.150, 0.996),
    "M_ScleraRight": (0.850, 0.004, 0.996, 0.150),
}
GAP = 0.008  # between the charts of teeth
MAGNIFIED = 3.0  # the pole of an eye's front, the pupil, is 1 + this times as large as in ICT-FaceKit's disc
# The frontal face is given more texels than ears, crown and throat: stretches of the face's chart (from, to, v down)
# that grow by a share, and over how much of the chart the growth sets in.
GROWTH_U, GROWTH_V, ONSET = (0.17, 0.83, 0.35), (0.14, 0.72, 0.60), 0.08


@dataclass(frozen=True)
class Corners:
    """Quads of one group of materials: vertices [Q, 4], `places` [Q, 4], the numbers of their texture coordinates, and
    `uvs` [Q, 4, 2], these themselves (in tiles, v up); `material` [Q] names. A triangle repeats its first corner.
    """

    quads: np.ndarray
    places: np.ndarray
    uvs: np.ndarray
    material: np.ndarray


def skin_atlas(corners: Corners) -> np.ndarray:
    """[Q, 4, 2] coordinates of face, skull, neck and sockets in one square, six charts."""
    flat, placed = untiled(corners.uvs), np.empty_like(corners.uvs)
    face, highest = corners.material == "M_Face", corners.quads.max(1)
    mouth = ~face & (highest >= MOUTH_SOCKET.start) & (highest < MOUTH_SOCKET.stop)
    eyes, back = highest >= EYE_SOCKETS.start, ~face & (highest < MOUTH_SOCKET.start)
    second = eyes & (highest >= (EYE_SOCKETS.start + EYE_SOCKETS.stop) // 2)
    labels = connected(corners.places)
    neck = back & (labels == labels[np.where(back, flat[..., 1].max(1), 0).argmax()])  # ICT-FaceKit's own cut
    flat[face] = _grown(_into(flat[face], (0, 0, 1, 1)))
    charts = {FACE: face, SKULL: back & ~neck, NECK: neck, MOUTH: mouth, EYES[0]: eyes & ~second, EYES[1]: second}
    for box, chart in charts.items():
        placed[chart] = _into(flat[chart], box)
    return placed


def eye_atlas(corners: Corners) -> np.ndarray:
    """[Q, 4, 2] coordinates of both eyeballs in one square, the fronts as large discs."""
    flat, placed = unmirrored(untiled(corners.uvs)), np.empty_like(corners.uvs)
    for material, box in EYE_FRONTS.items():
        ball = np.flatnonzero(corners.material == material)
        labels = charts_of(flat[ball])
        front = labels == np.bincount(labels).argmax()
        placed[ball[front]] = _into(_magnified(_into(flat[ball[front]], (0, 0, 1, 1))), box)
        placed[ball[~front]] = _into(flat[ball[~front]], EYE_BACKS[material])
    return placed


def own_atlas(corners: Corners) -> np.ndarray:
    """[Q, 4, 2] coordinates of a material that has a square for itself already."""
    return unmirrored(untiled(corners.uvs))


def teeth_atlas(corners: Corners) -> np.ndarray:
    """[Q, 4, 2] coordinates of the teeth, a chart each: half of them were mirrored, and turned over they collide.

    They are laid in rows of falling height, all at the one scale that just fills the square's height.
    """
    flat = unmirrored(untiled(corners.uvs))
    labels = charts_of(flat)
    low = np.array([flat[labels == label].min((0, 1)) for label in range(labels.max() + 1)])
    sizes = np.array([flat[labels == label].max((0, 1)) for label in range(labels.max() + 1)]) - low
    scales = [scale for scale in np.linspace(0.6, 1.4, 81) if _in_rows(sizes * scale)[1] <= 1]
    places = _in_rows(sizes * scales[-1])[0]
    return places[labels][:, None] + (flat - low[labels][:, None]) * scales[-1]


def _in_rows(sizes: np.ndarray) -> tuple[np.ndarray, float]:
    """Corners [N, 2] of boxes of `sizes` [N, 2] laid out in rows no longer than 1, and how low the last row reaches."""
    places, cursor, height = np.zeros_like(sizes), np.array([GAP, GAP]), 0.0
    for number in np.argsort(-sizes[:, 1], kind="stable"):
        if cursor[0] + sizes[number, 0] + GAP > 1:
            cursor, height = np.array([GAP, cursor[1] + height + GAP]), 0.0
        places[number] = cursor
        cursor = cursor + (sizes[number, 0] + GAP, 0)
        height = max(height, sizes[number, 1])
    return places, cursor[1] + height + GAP


def untiled(uvs: np.ndarray) -> np.ndarray:
    """`uvs` [Q, 4, 2], brought from its unit square to the first one, v turned down."""
    flat = uvs - np.array([np.floor(uvs[..., 0].min()), 0.0])
    flat[..., 1] = 1 - flat[..., 1]
    return flat


def unmirrored(flat: np.ndarray) -> np.ndarray:
    """`flat` [Q, 4, 2] (v down) with the charts turned over, in u within their own width, that were mirrored."""
    labels, result = charts_of(flat), flat.copy()
    turned = np.bincount(labels, signed_areas(flat)) < 0
    for label in np.flatnonzero(turned):
        chart = labels == label
        low, high = flat[chart, :, 0].min(), flat[chart, :, 0].max()
        result[chart, :, 0] = low + high - flat[chart, :, 0]
    return result


def signed_areas(flat: np.ndarray) -> np.ndarray:
    """[Q] areas of polygons `flat` [Q, N, 2], v down; positive where they are seen from the outside, not mirrored."""
    following = np.roll(flat, -1, 1)
    return 0.5 * (following[..., 0] * flat[..., 1] - flat[..., 0] * following[..., 1]).sum(1)


def _into(flat: np.ndarray, box: Box) -> np.ndarray:
    """`flat` [Q, 4, 2] moved and scaled, each axis for itself, to fill `box`."""
    low, high = flat.min((0, 1)), flat.max((0, 1))
    return np.array(box[:2]) + (flat - low) / (high - low) * (np.array(box[2:]) - np.array(box[:2]))


def _magnified(flat: np.ndarray) -> np.ndarray:
    """`flat` [Q, 4, 2], a disc that fills 0..1, its middle grown at the cost of its rim."""
    offset = 2 * flat - 1
    radius = np.linalg.norm(offset, axis=-1, keepdims=True)
    return 0.5 + 0.5 * offset * (1 + MAGNIFIED) / (1 + MAGNIFIED * radius)


def _grown(flat: np.ndarray) -> np.ndarray:
    """`flat` [Q, 4, 2] in 0..1, the frontal face grown at the cost of the rest: each axis by a rising function."""
    steps = np.linspace(0, 1, 2001)
    result = flat.copy()
    for axis, (start, stop, share) in enumerate((GROWTH_U, GROWTH_V)):
        inside = np.clip((steps - start) / ONSET + 0.5, 0, 1) * np.clip((stop - steps) / ONSET + 0.5, 0, 1)
        total = np.cumsum(1 + share * inside)
        result[..., axis] = np.interp(flat[..., axis], steps, (total - total[0]) / (total[-1] - total[0]))
    return result
