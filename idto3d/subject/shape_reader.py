"""What a portrait tells of the shape of a head: a kernel regression from dlib's numbers, edges and landmarks.

It is fitted in closed form to synthetic portraits alone (training/shape_fit.py). Where a photo is unlike all of them
its code goes to that of the average head.
"""

from dataclasses import dataclass

import numpy as np
import torch
from skimage.feature import hog
from torch import Tensor, nn

CELL, ORIENTATIONS, BLOCK = 8, 9, 2  # of the histograms of oriented gradients, Dalal and Triggs 2005
EDGES = (64 // CELL - BLOCK + 1) ** 2 * BLOCK**2 * ORIENTATIONS


@dataclass(frozen=True)
class ReaderSize:
    """How many numbers there are of everything.

    recognition: R of dlib's unit embedding. edges: P components of the edge histograms. centres: m portraits that
    others are compared with. coefficients: C of a synthetic head. modes: K of the code.
    """

    recognition: int = 128
    edges: int = 128
    centres: int = 1024
    coefficients: int = 100
    modes: int = 48


class ShapeReader(nn.Module):
    """Codes of heads from portraits: Gaussian kernels around `centres`, times `weights` (a Nystroem approximation).

    z = `code * code_std + code_mean` are the coefficients `coefficients @ coefficient_map` of the head; `code_share`
    [K] is each mode's share of how faces differ. `embedding_scale` makes a code weigh as much as dlib's unit embedding
    where both are put together. `sharpness` is the kernel's, per squared distance of features.
    """

    def __init__(self, size: ReaderSize = ReaderSize()):
        super().__init__()
        self.size = size
        features = size.recognition + size.edges + 10
        for name, shape in {
            "edge_mean": (EDGES,),
            "edge_basis": (EDGES, size.edges),
            "feature_mean": (features,),
            "feature_scale": (features,),
            "centres": (size.centres, features),
            "sharpness": (),
            "weights": (size.centres, size.modes),
            "bias": (size.modes,),
            "coefficient_map": (size.coefficients, size.modes),
            "code_mean": (size.modes,),
            "code_std": (size.modes,),
            "code_share": (size.modes,),
            "embedding_scale": (),
        }.items():
            self.register_buffer(name, torch.zeros(shape))

    def forward(self, crops: np.ndarray, landmarks: np.ndarray, recognition: np.ndarray) -> Tensor:
        """Whitened codes [n, K] of head crops [n, 64, 64, 3] uint8, landmarks [n, 5, 2], dlib's embeddings [n, R]."""
        return self.kernels(self.features(edges(crops), landmarks, recognition)) @ self.weights + self.bias

    def features(self, edges: np.ndarray, landmarks: np.ndarray, recognition: np.ndarray) -> Tensor:
        """[n, F] what the kernel compares, from edge histograms [n, E]."""
        seen = (torch.from_numpy(edges).float() - self.edge_mean) @ self.edge_basis
        marks = torch.from_numpy(np.ascontiguousarray(landmarks)).float().flatten(1)
        known = torch.from_numpy(np.ascontiguousarray(recognition)).float()
        return (torch.cat([known, seen, marks], 1) - self.feature_mean) * self.feature_scale

    def kernels(self, features: Tensor) -> Tensor:
        """[n, m] likeness 0..1 of `features` [n, F] to each centre."""
        return torch.exp(-self.sharpness * torch.cdist(features, self.centres).square())

    def whitened(self, coefficients: Tensor) -> Tensor:
        """The true codes [..., K] of synthetic heads of `coefficients` [..., C]."""
        return (coefficients @ self.coefficient_map - self.code_mean) / self.code_std


def edges(crops: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients [n, E] of the grey crops [n, 64, 64, 3] uint8."""
    cells, block = (CELL, CELL), (BLOCK, BLOCK)
    grey = np.asarray(crops, np.float32).mean(-1)
    found = [hog(one, orientations=ORIENTATIONS, pixels_per_cell=cells, cells_per_block=block) for one in grey]
    return np.asarray(found, np.float32).reshape(len(grey), EDGES)
