"""Shapes without the creases that modes of adults make of a child's jaw, neck, skull and cheeks. Metres."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals
from idto3d.head.features.face_masks import ramp
from idto3d.head.features.regions import TemplateRegions, regions_of
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET
from idto3d.head.template_model import Template

FRONT_M, CHIN_M = (0.055, 0.085), (-0.075, -0.055)  # z and y between which the face begins to keep some of it
FRONT_SHARE = 0.03
CORNERS, CORNER_M = LANDMARKS[48:55:6], (0.005, 0.013)  # of the mouth, within which nothing is kept: modes crease them
STIFFNESS = 3e4  # weight of the squared bi-Laplacian beside that of the change
# Beside a corner of the mouth, where a chubby cheek folds: how far it goes outwards, inwards and up, and from where on
# the mean head, metres off the corner; the weights of the shape where it ends and in its midst.
FOLD_M, FOLD_FROM, FOLD_WEIGHTS = (0.026, 0.006, 0.013), (0.0015, -0.0020), (50.0, 0.02)
FIXED = 1e6  # weight of what is beyond


def eased(template: Template, change: Tensor) -> Tensor:
    """`change` [V, 3] of the template's vertices, smooth on the skin except at eyes, nose, mouth, ears and base.

    It is the minimum of sum w |x - change|^2 + STIFFNESS |L x|^2 over the skin, L the graph's Laplacian; other parts
    keep their change.
    """
    own = template.part("skin")
    kept = _kept(template)
    weight = diags(1 + STIFFNESS * kept)
    laplacian = _laplacian(own.faces.cpu().numpy(), len(kept))
    system = (weight + STIFFNESS * laplacian @ laplacian).tocsc()
    skin = splu(system).solve(weight @ change[own.vertices].cpu().double().numpy())
    result = change.clone()
    result[own.vertices] = torch.from_numpy(skin).to(change)
    return result


def soft_cheeks(template: Template, vertices: Tensor) -> Tensor:
    """[V, 3] a head `vertices` [V, 3] of a child whose cheeks go over into the mouth's corners without a fold.

    The skin moves along its normals to where sum w |x - vertices|^2 + |L x|^2 is least, L the graph's Laplacian.
    """
    fold, own = _fold(template), template.part("skin")
    skin = vertices[own.vertices]
    before = skin[fold.places]
    smooth = torch.from_numpy(fold.solve(before.cpu().double().numpy())).to(before)
    normals = vertex_normals(skin, own.faces - own.vertices.start)[fold.places]
    off = ((smooth - before) * normals).sum(1) * torch.from_numpy(fold.share).to(before)
    result = vertices.clone()
    result[own.vertices.start + fold.places] += off[:, None] * normals
    return result


@dataclass(frozen=True, eq=False)
class Fold:
    """Skin around the corners of the mouth: its places [P] among the skin's vertices, how far each may move [P] 0..1,
    and what makes it smooth.
    """

    places: Tensor
    share: np.ndarray
    solve: Callable[[np.ndarray], np.ndarray]


@lru_cache(maxsize=1)
def _fold(template: Template) -> Fold:
    own = template.part("skin")
    points = template.neutral[own.vertices].cpu().double().numpy()
    share = _fold_share(points)
    laplacian = _laplacian(own.faces.cpu().numpy(), len(points))
    places = np.flatnonzero(abs(laplacian) @ (abs(laplacian) @ (share > 0)))  # with what its Laplacian reaches
    share, most, least = share[places], *FOLD_WEIGHTS
    weight = diags(np.where(share > 0, least + most * (1 - share), FIXED))
    near = laplacian[places][:, places]
    solver = splu((weight + near.T @ near).tocsc())
    return Fold(torch.from_numpy(places), share, lambda shape: solver.solve(weight @ shape))


def _fold_share(points: np.ndarray) -> np.ndarray:
    """[V] 0..1 how far the mean head's skin `points` [V, 3] lies beside a corner of the mouth, outside of it."""
    corner, (outwards, inwards, up) = points[CORNERS[1]], FOLD_M
    x = np.abs(points[:, 0]) - corner[0] - FOLD_FROM[0]
    y = points[:, 1] - corner[1] - FOLD_FROM[1]
    away = np.hypot(np.where(x > 0, x / outwards, x / inwards), y / up)
    share = ramp(1.5 - away, 0.0, 1.0) * (points[:, 2] > FRONT_M[0])
    share[MOUTH_SOCKET.start :] = 0
    return share


def _kept(template: Template) -> np.ndarray:
    """[V of the skin] 0..1 how firmly each vertex keeps its change."""
    own, masks = template.part("skin").vertices, regions_of(template)
    points = template.neutral[own].cpu().double().numpy()
    corners = cKDTree(points[list(CORNERS)]).query(points)[0]
    features = features_of(masks)[own].cpu().numpy() * ramp(corners, *CORNER_M)
    front = ramp(points[:, 2], *FRONT_M) * ramp(points[:, 1], *CHIN_M)
    kept = np.maximum(features, FRONT_SHARE * front)
    kept[template.base] = 1.0
    return kept


def features_of(masks: TemplateRegions) -> Tensor:
    """[V] 0..1 where the features are that keep their change."""
    around = (masks.lips, masks.nose, masks.lids, masks.ears, masks.mouth, masks.sockets)
    return torch.stack(around).amax(0)


def _laplacian(faces: np.ndarray, count: int):
    """The graph's Laplacian [V, V] of a surface: at each vertex its neighbours' number times itself, less them."""
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    joined = coo_matrix((np.ones(len(start)), (start, end)), (count, count))
    joined = ((joined + joined.T) > 0).astype(float)
    return diags(np.asarray(joined.sum(1)).ravel()) - joined
