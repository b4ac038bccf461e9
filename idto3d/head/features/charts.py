"""Charts of texture coordinates: which polygons hang together."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def charts_of(flat: np.ndarray) -> np.ndarray:
    """[Q] which chart each polygon of `flat` [Q, N, 2] belongs to: those that share a place hang together."""
    places = np.unique((flat.reshape(-1, 2) * 1e5).round().astype(np.int64), axis=0, return_inverse=True)[1]
    return connected(places.reshape(flat.shape[:2]))


def connected(places: np.ndarray) -> np.ndarray:
    """[Q] a number, from 0, for each set of polygons that hang together by their `places` [Q, N]."""
    pairs = np.concatenate([places[:, [0, corner]] for corner in range(1, places.shape[1])])
    count = places.max() + 1
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    labels = connected_components(links, directed=False)[1]
    return np.unique(labels[places[:, 0]], return_inverse=True)[1]
