"""The numba z-buffer: which triangle each pixel sees. No gradient, one mesh per call."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit


class Holes(NamedTuple):
    """Where triangles let through what lies behind them.

    uvs: [V, 2] float32, u right and v down. page: [F] int32, which alpha picture a face wears, -1 for none. The
    pictures lie one after the other in `alpha` (uint8), square: picture n begins at start[n] and has `side[n]` pixels a
    side (int64). least: [2, 2] float32, the alpha 0..255 from which pixel (y, x), by their last bits, is solid.
    """

    uvs: np.ndarray
    page: np.ndarray
    alpha: np.ndarray
    start: np.ndarray
    side: np.ndarray
    least: np.ndarray


QUARTERS = np.array([[1, 5], [7, 3]], np.float32) / 8  # opacity from which each quarter of a pixel is solid
SOLID = Holes(
    np.zeros((0, 2), np.float32),
    np.zeros(0, np.int32),
    np.zeros(0, np.uint8),
    *(np.zeros(0, np.int64),) * 2,
    np.zeros((2, 2), np.float32),
)


def holes_of(uvs: np.ndarray, page: np.ndarray, pictures: Sequence[np.ndarray], least: np.ndarray) -> Holes:
    """Holes by the alpha `pictures`, each [S, S] uint8, that faces name by `page` [F]; SOLID where there is none.

    uvs [V, 2]; least [2, 2] 0..1, see Holes.
    """
    if not pictures:
        return SOLID
    side = np.array([len(one) for one in pictures])
    start, alpha = np.cumsum([0, *side[:-1] ** 2]), np.concatenate([one.ravel() for one in pictures])
    return Holes(uvs.astype(np.float32), page.astype(np.int32), alpha, start, side, np.float32(255) * least)


@njit(nogil=True, cache=True, fastmath=False)
def _is_hole(holes, a, b, c, f, weights, y, x):
    """Whether what face f shows at pixel (y, x) is less than solid there, read linearly between texels as by glTF."""
    page = holes.page[f]
    if page < 0:
        return False
    side, start = holes.side[page], holes.start[page]
    u = weights[0] * holes.uvs[a, 0] + weights[1] * holes.uvs[b, 0] + weights[2] * holes.uvs[c, 0]
    v = weights[0] * holes.uvs[a, 1] + weights[1] * holes.uvs[b, 1] + weights[2] * holes.uvs[c, 1]
    across, down = min(max(u * side - 0.5, 0.0), side - 1.0), min(max(v * side - 0.5, 0.0), side - 1.0)
    left, top = int(across), int(down)
    right, bottom = min(left + 1, side - 1), min(top + 1, side - 1)
    across, down = across - left, down - top
    top, bottom = start + top * side, start + bottom * side
    upper = (1 - across) * holes.alpha[top + left] + across * holes.alpha[top + right]
    lower = (1 - across) * holes.alpha[bottom + left] + across * holes.alpha[bottom + right]
    return (1 - down) * upper + down * lower < holes.least[y % 2, x % 2]


@njit(nogil=True, cache=True, fastmath=False)
def _project(clip, height, width):
    screen = np.empty((clip.shape[0], 4), np.float32)
    for v in range(clip.shape[0]):
        inverse_w = 1.0 / clip[v, 3] if clip[v, 3] > 1e-8 else 0.0
        screen[v, 0] = (clip[v, 0] * inverse_w * 0.5 + 0.5) * width - 0.5
        screen[v, 1] = (0.5 - clip[v, 1] * inverse_w * 0.5) * height - 0.5
        screen[v, 2] = clip[v, 2] * inverse_w
        screen[v, 3] = inverse_w
    return screen


@njit(nogil=True, cache=True, fastmath=False)
def _fill(screen, faces, holes, face_out, barycentric, depth):
    height, width = depth.shape
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if screen[a, 3] <= 0.0 or screen[b, 3] <= 0.0 or screen[c, 3] <= 0.0:
            continue
        ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0:
            continue
        left = max(0, int(np.ceil(min(ax, bx, cx))))
        right = min(width - 1, int(np.floor(max(ax, bx, cx))))
        top = max(0, int(np.ceil(min(ay, by, cy))))
        bottom = min(height - 1, int(np.floor(max(ay, by, cy))))
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                u = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
                v = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
                w = 1.0 - u - v
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                z = u * screen[a, 2] + v * screen[b, 2] + w * screen[c, 2]
                if z < depth[y, x] and z >= -1.0:
                    pu, pv, pw = u * screen[a, 3], v * screen[b, 3], w * screen[c, 3]
                    total = pu + pv + pw
                    weights = (pu / total, pv / total, pw / total)
                    if len(holes.page) and _is_hole(holes, a, b, c, f, weights, y, x):
                        continue
                    depth[y, x] = z
                    face_out[y, x] = f
                    barycentric[y, x, 0] = weights[0]
                    barycentric[y, x, 1] = weights[1]
                    barycentric[y, x, 2] = weights[2]


def rasterize(clip: np.ndarray, faces: np.ndarray, height: int, width: int, holes: Holes = SOLID):
    """Nearest triangle per pixel centre; row 0 is the top.

    clip: [V, 4] float32 homogeneous clip positions (OpenGL). faces: [F, 3] int32; both windings are drawn, and a
    triangle with a corner behind the camera is skipped. Where a face has a hole, what lies behind is seen.
    Returns face [H, W] int32 (-1 where nothing is hit), perspective-correct barycentric [H, W, 3] float32, and
    depth [H, W] float32 in normalised device coordinates (1 where nothing is hit).
    """
    face = np.full((height, width), -1, np.int32)
    barycentric = np.zeros((height, width, 3), np.float32)
    depth = np.ones((height, width), np.float32)
    screen = _project(np.ascontiguousarray(clip, np.float32), height, width)
    _fill(screen, np.ascontiguousarray(faces, np.int32), holes, face, barycentric, depth)
    return face, barycentric, depth
