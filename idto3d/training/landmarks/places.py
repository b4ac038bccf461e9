"""Where on the morphable model the landmarks lie: the middle of where portraits show them."""

import numpy as np
from scipy.spatial import cKDTree

from idto3d.head import template
from idto3d.subject.face_points import FACE, POINTS
from idto3d.training.landmarks.portraits import Readings
from idto3d.training.people.ict import IctModel

FRONTAL, MILD, LEAST = np.radians(30.0), 0.35, 6  # views and expressions of which the middle is taken; how many of them
NEIGHBOURS = 24  # triangles tried for the nearest


def landmark_places(model: IctModel, readings: Readings) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [478, 3] of the model's triangle that each landmark lies on, and its place there [478, 3].

    The median over portraits of where the ray through a landmark meets the mean head, brought to the skin, and for
    irises to the eyeballs. Raises ValueError where a landmark is seen on too few portraits.
    """
    middle = _middles(model, readings)
    corners, place = np.zeros((POINTS, 3), np.int64), np.zeros((POINTS, 3))
    for surface, rows in ((template.FACE, slice(0, FACE)), (template.EYEBALLS, slice(FACE, POINTS))):
        inside = (model.faces >= surface.start) & (model.faces < surface.stop)
        corners[rows], place[rows] = nearest_places(model.neutral, model.faces[inside.all(1)], middle[rows])
    return corners, place


def _middles(model: IctModel, readings: Readings) -> np.ndarray:
    """[478, 3] on the mean head, metres."""
    back = readings.c2w[:, :3, 2]
    calm = (np.abs(np.arctan2(back[:, 0], back[:, 2])) < FRONTAL) & (readings.weights.max(1) < MILD)
    corners = model.faces[readings.hit[calm]]
    points = np.einsum("nikc,nik->nic", model.neutral[corners], readings.place[calm])
    missed = readings.hit[calm] < 0
    missed[:, :FACE] |= (corners[:, :FACE] >= template.SKIN.stop).all(2)  # teeth and eyeballs
    points[missed] = np.nan
    if (~missed).sum(0).min() < LEAST:
        raise ValueError(f"landmark {(~missed).sum(0).argmin()} lies on the head in fewer than {LEAST} portraits")
    return np.nanmedian(points, 0)


def nearest_places(vertices: np.ndarray, faces: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vertices [N, 3] of the triangle of `faces` [F, 3] nearest to each of `points` [N, 3], and its place there.

    Of triangles whose centres are near; places are barycentric, of the triangle's nearest point.
    """
    corners = vertices[faces].astype(np.float64)
    _, near = cKDTree(corners.mean(1)).query(points, k=NEIGHBOURS)
    place = barycentric_nearest(corners[near], points[:, None])
    gap = np.linalg.norm(np.einsum("nmkc,nmk->nmc", corners[near], place) - points[:, None], axis=2)
    best = gap.argmin(1)
    rows = np.arange(len(points))
    return faces[near[rows, best]].astype(np.int64), place[rows, best]


def barycentric_nearest(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """[..., 3] barycentric place of the point of triangles `corners` [..., 3, 3] nearest to `points` [..., 3]."""
    inside = _in_plane(corners, points)
    best = inside.clip(0) / inside.clip(0).sum(-1, keepdims=True)
    gap = np.where((inside >= 0).all(-1), -1.0, np.inf)
    for one, other in ((0, 1), (1, 2), (2, 0)):
        along = corners[..., other, :] - corners[..., one, :]
        share = ((points - corners[..., one, :]) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-18)
        place = np.zeros(best.shape)
        place[..., other] = share.clip(0, 1)
        place[..., one] = 1 - place[..., other]
        far = np.linalg.norm(np.einsum("...kc,...k->...c", corners, place) - points, axis=-1)
        best, gap = np.where((far < gap)[..., None], place, best), np.minimum(far, gap)
    return best


def _in_plane(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """[..., 3] barycentric coordinates of the points' feet in the triangles' planes; may be negative."""
    one, two, to = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :], points
    to = to - corners[..., 0, :]
    a, b, c = (one * one).sum(-1), (one * two).sum(-1), (two * two).sum(-1)
    d, e = (to * one).sum(-1), (to * two).sum(-1)
    scale = np.maximum(a * c - b * b, 1e-24)
    v, w = (c * d - b * e) / scale, (a * e - b * d) / scale
    return np.stack([1 - v - w, v, w], -1)
