"""Losses and clean-up that keep a mesh smooth and whole."""

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor


def laplacian_loss(vertices: Tensor, faces: Tensor, rim: Tensor | None = None, like: Tensor | None = None) -> Tensor:
    """Mean squared distance of a vertex to the centre of its neighbours, in squared mean edge lengths; a scalar.

    vertices [..., V, 3], faces [F, 3]. On a closed mesh every edge is walked once from each of its ends, so the faces'
    own edges serve and no list of edges is made; an open mesh also needs its `rim_edges`, which the faces walk only
    one way. Free of units, so one weight serves every grid resolution. Of a displacement of vertices, `like` [V, 3] are
    those vertices: the edges are theirs.
    """
    first, second = faces.reshape(-1), faces.roll(-1, -1).reshape(-1)
    if rim is not None:
        first, second = torch.cat([first, rim[:, 0]]), torch.cat([second, rim[:, 1]])
    along = vertices.index_select(-2, second) - vertices.index_select(-2, first)
    total = torch.zeros_like(vertices).index_add(-2, first, along)
    neighbours = torch.bincount(first, minlength=vertices.shape[-2]).clamp_min(1)
    edges = along if like is None else like.index_select(-2, second) - like.index_select(-2, first)
    scale = edges.detach().square().sum(-1).mean()
    return (total / neighbours[:, None]).square().sum(-1).mean() / scale


def rim_edges(faces: Tensor) -> Tensor:
    """The boundary edges [R, 2] int64 of a mesh, from end to start as `faces` [F, 3] walk them; R is 0 if it is closed.

    The faces must agree on which side is outside, and no more than two may share an edge.
    """
    first, second = faces.reshape(-1), faces.roll(-1, -1).reshape(-1)
    count = int(faces.max()) + 1 if len(faces) else 0
    lone = ~torch.isin(second * count + first, first * count + second)
    return torch.stack([second[lone], first[lone]], -1)


def largest_component(faces: Tensor, vertex_count: int) -> tuple[Tensor, Tensor]:
    """The connected part of a mesh with the most faces.

    faces [F, 3] over `vertex_count` vertices -> (kept [V'] int64 vertex indices, ascending; faces [F', 3] into them).
    """
    ends = faces.cpu().numpy()
    rows, columns = ends[:, [0, 1]].ravel(), ends[:, [1, 2]].ravel()
    links = coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(vertex_count, vertex_count))
    part_of_vertex = connected_components(links, directed=False)[1]
    part_of_face = part_of_vertex[ends[:, 0]]
    kept = part_of_face == np.bincount(part_of_face).argmax()
    vertices, places = np.unique(ends[kept], return_inverse=True)
    device = faces.device
    return torch.from_numpy(vertices).to(device), torch.from_numpy(places.reshape(-1, 3)).to(device)
