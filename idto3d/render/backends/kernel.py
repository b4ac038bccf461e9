"""The numba z-buffer: which triangle each pixel sees. No gradient, one mesh per call."""

import numpy as np
from numba import njit


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
def _fill(screen, faces, face_out, barycentric, depth):
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
                    depth[y, x] = z
                    face_out[y, x] = f
                    pu, pv, pw = u * screen[a, 3], v * screen[b, 3], w * screen[c, 3]
                    total = pu + pv + pw
                    barycentric[y, x, 0] = pu / total
                    barycentric[y, x, 1] = pv / total
                    barycentric[y, x, 2] = pw / total


def rasterize(clip: np.ndarray, faces: np.ndarray, height: int, width: int):
    """Nearest triangle per pixel centre; row 0 is the top.

    clip: [V, 4] float32 homogeneous clip positions (OpenGL). faces: [F, 3] int32; both windings are drawn, and a
    triangle with a corner behind the camera is skipped.
    Returns face [H, W] int32 (-1 where nothing is hit), perspective-correct barycentric [H, W, 3] float32, and
    depth [H, W] float32 in normalised device coordinates (1 where nothing is hit).
    """
    face = np.full((height, width), -1, np.int32)
    barycentric = np.zeros((height, width, 3), np.float32)
    depth = np.ones((height, width), np.float32)
    screen = _project(np.ascontiguousarray(clip, np.float32), height, width)
    _fill(screen, np.ascontiguousarray(faces, np.int32), face, barycentric, depth)
    return face, barycentric, depth
