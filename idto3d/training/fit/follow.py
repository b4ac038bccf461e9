"""What is not skin follows a change of it: eyeballs, teeth, gums, sockets; lips stay shut, lids on the eyes."""

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import factorized
from scipy.spatial import cKDTree

from idto3d.head.template import EYE_SOCKETS, EYEBALLS, FACE, LANDMARKS, MOUTH_SOCKET
from idto3d.training.fit.register import SKIN, neighbour_mean
from idto3d.training.people.ict import IctModel

LID_WIDTH = 0.004  # width of the skin around an eye that keeps its distance from the eyeball, metres
SEAM_WIDTH = 0.004  # width of the border of the lips that stays shut, metres


def complete(model: IctModel, delta: np.ndarray) -> np.ndarray:
    """[V, 3] metres: a change of the skin `delta` [S, 3] with eyes, teeth, gums and sockets that follow it."""
    neutral, full = model.neutral.astype(np.float64), np.zeros_like(model.neutral, np.float64)
    full[:SKIN] = _with_shut_lips(neutral[:SKIN], delta)
    lips = np.array(LANDMARKS[48:])
    full[SKIN:] = _followed(neutral[SKIN:], neutral[lips], full[lips])
    for side in (1, -1):
        _carry_eye(model, full, side)
    _fill_sockets(model, full)
    return full


def _with_shut_lips(neutral: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """`delta` [S, 3] made continuous across the seam of the lips, which touch although no edge joins them."""
    corners = neutral[list(LANDMARKS[60:])]
    seam = np.concatenate([corners + (np.roll(corners, 1, 0) - corners) * t for t in np.linspace(0, 1, 5)])
    gap = cKDTree(seam).query(neutral)[0]
    near = np.flatnonzero(gap < 4 * SEAM_WIDTH)
    spread = np.exp(-(((neutral[near, None] - neutral[None, near]) / SEAM_WIDTH) ** 2).sum(-1))
    even = spread @ delta[near] / spread.sum(1, keepdims=True)
    share = np.exp(-((gap[near, None] / SEAM_WIDTH / 1.5) ** 2))
    result = delta.copy()
    result[near] += share * (even - delta[near])
    return result


def _followed(points: np.ndarray, around: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """[N, 3] movement of `points` that move and grow as the points `around` [R, 3] do, which move by `moved`."""
    centred = around - around.mean(0)
    growth = np.clip((centred * moved).sum() / (centred**2).sum(), -0.3, 0.3)
    return moved.mean(0) + growth * (points - around.mean(0))


def _carry_eye(model: IctModel, full: np.ndarray, side: int) -> None:
    """Move an eyeball, and all that is nearer to it than to the mouth, with its lids; keep the lids on the eyeball."""
    neutral = model.neutral.astype(np.float64)
    ball = np.arange(EYEBALLS.start, EYEBALLS.stop)
    ball = ball[neutral[ball, 0] * side > 0]
    centre = (neutral[ball].min(0) + neutral[ball].max(0)) / 2
    own = np.r_[EYE_SOCKETS.start : EYE_SOCKETS.stop, ball, EYEBALLS.stop : len(neutral)]
    own = own[neutral[own, 0] * side > 0]
    lids = np.array(LANDMARKS[42:48] if side > 0 else LANDMARKS[36:42])
    full[own] = _followed(neutral[own], neutral[lids], full[lids])
    offset = neutral[FACE] - centre
    reach = np.linalg.norm(offset, axis=1)
    near = np.exp(-((np.maximum(reach - np.linalg.norm(neutral[lids] - centre, axis=1).max(), 0) / LID_WIDTH) ** 2))
    outward = offset / reach[:, None]
    wanted = ((_followed(neutral[FACE], neutral[lids], full[lids]) - full[FACE]) * outward).sum(1)
    full[FACE] += (near * wanted)[:, None] * outward


def _fill_sockets(model: IctModel, full: np.ndarray) -> None:
    """Mouth and eye sockets hang smoothly between the skin and what does not touch it."""
    free = np.arange(MOUTH_SOCKET.start, EYE_SOCKETS.stop)
    free = free[np.isin(free, model.faces)]
    count = EYE_SOCKETS.stop
    full[:count] = relaxed(full[:count], neighbour_mean(model, count), free, 1e-3)


def relaxed(field: np.ndarray, mean: csr_matrix, free: np.ndarray, hold: float) -> np.ndarray:
    """`field` [N, C] with the values at `free` indices smooth between the others; `hold` pulls to what was there."""
    result = field.copy()
    if len(free):
        result[free] = 0
        known = mean[free] @ result + hold * field[free]
        solve = factorized((diags(np.full(len(free), 1 + hold)) - mean[free][:, free]).tocsc())
        result[free] = np.stack([solve(column) for column in known.T], 1)
    return result
