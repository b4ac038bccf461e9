"""Where each skin vertex of ICT-FaceKit lies on MakeHuman's average adult head. Metres."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.sparse import csr_matrix, diags
from scipy.spatial import cKDTree

from idto3d.head.template import LANDMARKS, MOUTH_SOCKET
from idto3d.training.people.ict import IctModel

# MakeHuman vertices of the Multi-PIE landmarks 7..9 (chin) and 27..67 (nose, eyes, lips), found once on a render of
# the average young adult by a landmark detector.
CHIN = (5167, 5225, 11780)
NOSE_EYES_LIPS = (
    *(133, 131, 201, 5054, 322, 299, 307, 7065, 7124, 4851, 2, 55, 100, 47, 41, 6885, 6839, 6786, 11469, 6825, 6831),
    *(408, 5354, 450, 455, 7214, 7211, 7168, 7239, 7241, 492, 486, 484, 504, 507, 509, 7256, 7253, 7221, 494, 462),
)
MARKED_LANDMARKS = (*range(7, 10), *range(27, 68))  # which of LANDMARKS they are
SKIN = MOUTH_SOCKET.start  # vertices before this one are the skin of face, head and neck
FIT_ROUNDS = 14  # of the fit
WARP_SLACK = 1e-5  # of the thin-plate warp at the landmarks


@dataclass(frozen=True)
class Match:
    """Where on MakeHuman's skin each skin vertex of ICT-FaceKit lies: `corners`, `weights` [S, 3]; frame change."""

    corners: np.ndarray
    weights: np.ndarray
    turn: np.ndarray  # [3, 3] scale times rotation from MakeHuman's frame
    offset: np.ndarray  # [3] metres

    def read(self, vertices: np.ndarray) -> np.ndarray:
        """[S, 3] metres in ICT's frame: a MakeHuman shape [N, 3] at every skin vertex of ICT-FaceKit."""
        return (self.place(vertices)[self.corners] * self.weights[..., None]).sum(1)

    def place(self, vertices: np.ndarray) -> np.ndarray:
        """[N, 3] metres in ICT's frame of a MakeHuman shape [N, 3]."""
        return vertices @ self.turn.T + self.offset


def register(model: IctModel, young: np.ndarray, faces: np.ndarray, ears: tuple[np.ndarray, np.ndarray]) -> Match:
    """Lay the skin of `model` onto MakeHuman's average adult `young` [N, 3] metres, skin `faces` [F, 3].

    A similarity and a thin-plate warp by landmarks, then steps towards the closest points, smoothed less each time.
    """
    own = model.neutral[:SKIN].astype(np.float64)
    marks, wanted = _landmarks(model, young, np.unique(faces), ears)
    mirror = np.array([-1, 1, 1])  # both heads are symmetric, the landmarks not quite
    known, wanted = np.concatenate([own[marks], own[marks] * mirror]), np.concatenate([wanted, wanted * mirror])
    turn, offset = similarity(wanted, known)
    surface = _dense(young @ turn.T + offset, faces)
    warp = RBFInterpolator(known * 10, wanted @ turn.T + offset - known, smoothing=WARP_SLACK)
    fitted, mean = own + warp(own * 10), neighbour_mean(model, SKIN)
    for step in range(FIT_ROUNDS):
        move = surface.points[_closest(surface, fitted, model)] - fitted
        for _ in range(60 // (1 + step)):
            move = mean @ move
        fitted = fitted + move
    closest = _closest(surface, fitted, model)
    return Match(surface.corners[closest], surface.weights[closest], turn, offset)


def _landmarks(model: IctModel, young: np.ndarray, skin: np.ndarray, ears) -> tuple[np.ndarray, np.ndarray]:
    """Skin vertices [L] of `model` and the places [L, 3] on `young` that correspond: landmarks, ears and skull."""
    own = model.neutral[:SKIN]
    marks = [LANDMARKS[i] for i in MARKED_LANDMARKS]
    places = [young[i] for i in (*CHIN, *NOSE_EYES_LIPS)]
    for side, indices in zip((1, -1), ears, strict=True):
        ear = (own[:, 0] * side > 0.072) & (np.abs(own[:, 1] - 0.005) < 0.05) & (np.abs(own[:, 2]) < 0.045)
        marks += list(_extremes(own, np.flatnonzero(ear), side))
        places += list(young[_extremes(young, indices, side)])
    marks += [int(own[:, 1].argmax()), int(np.where(own[:, 1] > 0.03, own[:, 2], 1).argmin())]
    above = young[:, 1] > np.mean(young[list(NOSE_EYES_LIPS[9:21]), 1])
    places += [young[skin[young[skin, 1].argmax()]], young[skin[np.where(above, young[:, 2], 9)[skin].argmin()]]]
    return np.array(marks), np.array(places, np.float64)


def _extremes(points: np.ndarray, among: np.ndarray, side: int) -> np.ndarray:
    """The highest, lowest, rearmost and outermost vertex `among` indices."""
    x, y, z = points[among].T
    return among[[y.argmax(), y.argmin(), z.argmin(), (x * side).argmax()]]


@dataclass(frozen=True)
class Surface:
    """Points [P, 3] strewn over a mesh, their unit normals, and each one's corners and weights [P, 3]."""

    points: np.ndarray
    normals: np.ndarray
    corners: np.ndarray
    weights: np.ndarray


def _dense(vertices: np.ndarray, faces: np.ndarray, levels: int = 5) -> Surface:
    steps = [(i, j, levels - i - j) for i in range(levels + 1) for j in range(levels + 1 - i)]
    weights = np.tile(np.array(steps) / levels, (len(faces), 1))
    corners = np.repeat(faces, len(steps), 0)
    normals = vertex_normals(vertices, faces)
    points, directions = ((field[corners] * weights[..., None]).sum(1) for field in (vertices, normals))
    return Surface(points, directions, corners, weights)


def _closest(surface: Surface, fitted: np.ndarray, model: IctModel) -> np.ndarray:
    """[S] the nearest surface point that faces as the fitted vertex does; the nearest one where none does."""
    faces = model.faces[(model.faces < SKIN).all(1)]
    normals = vertex_normals(fitted, faces)
    _, near = cKDTree(surface.points).query(fitted, k=40)
    alike = (surface.normals[near] * normals[:, None]).sum(-1) > 0.3
    return near[np.arange(len(near)), alike.argmax(1)]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[V, 3] unit normals of a mesh, zero at vertices without a face."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    crossed, normals = np.cross(b - a, c - a), np.zeros((len(vertices), 3))
    for i in range(3):
        np.add.at(normals, faces[:, i], crossed)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def similarity(source: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(scale times rotation [3, 3], offset [3]) that lays `source` [L, 3] onto `wanted` [L, 3] (Umeyama 1991)."""
    a, b = source - source.mean(0), wanted - wanted.mean(0)
    u, sizes, v = np.linalg.svd(b.T @ a)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ v))])
    turn = (u * signs) @ v * ((sizes * signs).sum() / (a**2).sum())
    return turn, wanted.mean(0) - turn @ source.mean(0)


def neighbour_mean(model: IctModel, count: int) -> csr_matrix:
    """[count, count] averages over the neighbours among the first `count` vertices; alone a vertex keeps its value."""
    faces = model.faces[(model.faces < count).all(1)]
    a, b = np.concatenate([faces, faces[:, [1, 2, 0]]]).ravel(), np.concatenate([faces[:, [1, 2, 0]], faces]).ravel()
    joined = csr_matrix((np.ones(len(a)), (a, b)), shape=(count, count))
    joined.data[:] = 1
    joined = joined + diags((np.asarray(joined.sum(1)).ravel() == 0).astype(float))
    return csr_matrix(diags(1 / np.asarray(joined.sum(1)).ravel()) @ joined)
