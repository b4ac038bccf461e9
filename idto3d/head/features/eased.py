"""A change of shape without the creases that modes of adults make of a child's jaw, neck and skull. Metres."""

import numpy as np
import torch
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.head.features.face_masks import ramp
from idto3d.head.features.regions import TemplateRegions, regions_of
from idto3d.head.template import LANDMARKS
from idto3d.head.template_model import Template

FRONT_M, CHIN_M = (0.055, 0.085), (-0.075, -0.055)  # z and y between which the face begins to keep some of it
FRONT_SHARE = 0.03
CORNERS, CORNER_M = LANDMARKS[48:55:6], (0.005, 0.013)  # of the mouth, within which nothing is kept: modes crease them
STIFFNESS = 3e4  # weight of the squared bi-Laplacian beside that of the change


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
