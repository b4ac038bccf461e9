"""How this head's expressions differ from the mean head's: a layer for each expression, from the head's geometry.

After DreamFace's cross-identity hypernetwork (section 6): there a U-Net reads the neutral head as a geometry image and
a code of the expression. Here a head is told by a hundred numbers, and what comes out for each expression are weights
of a basis of displacements. A network of both, two layers deep, knew the people it learned from better and others
half as well. Heads are read by their vertices, not by who they started as: a head that was grown, displaced or
edited moves as it looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.spatial import cKDTree
from torch import Tensor

ASYMMETRY_M = 2e-4  # of the mean head
STILL_M = (2e-5, 3e-4)  # motion of the mean head between which a vertex begins to have one of its own


@dataclass(frozen=True, eq=False)
class Personal:
    """What a bundle's personal.safetensors holds; vertices are the template's.

    A head is read at the vertices points [P], as they lie off the mean head's, less their mean: directions [3 P, D],
    per metre. weights [D, H, R] are for the shapes `left` [H], those of the left half of the face and those of both;
    the shapes `right` [H] are their mirror images, and what a head does to them is what its mirror image does to those.
    basis [R, N, 3] metres moves the vertices moved [N] of the skin. points_mirror [P] and moved_mirror [N] say which of
    points and of moved lies on the other side.
    """

    points: Tensor
    points_mirror: Tensor
    directions: Tensor
    weights: Tensor
    left: Tensor
    right: Tensor
    moved: Tensor
    moved_mirror: Tensor
    basis: Tensor

    def code_of(self, mean: Tensor, vertices: Tensor) -> Tensor:
        """[..., 2, D] what a head `vertices` [..., V, 3] and its mirror image are, beside the mean head [V, 3]."""
        off = vertices[..., self.points, :] - mean[self.points]
        off = off - off.mean(-2, keepdim=True)
        return torch.stack([off, mirrored(off, self.points_mirror)], -3).flatten(-2) @ self.directions

    def differences(self, mean: Tensor, vertices: Tensor) -> Tensor:
        """[S, N, 3] metres by which each shape moves the vertices `moved` of a head `vertices` [V, 3] otherwise."""
        mixed = (self.code_of(mean, vertices) @ self.weights.flatten(1)).unflatten(-1, self.weights.shape[1:])
        own, other = (mixed @ self.basis.flatten(1)).unflatten(-1, (-1, 3))
        other = mirrored(other, self.moved_mirror)
        both = (self.left == self.right)[:, None, None]
        result = own.new_zeros(int(self.right.max()) + 1, *own.shape[1:])
        result[self.right] = other
        result[self.left] = torch.where(both, (own + other) / 2, own)
        return result


def mirrored(vectors: Tensor, places: Tensor) -> Tensor:
    """[..., N, 3] the mirror image in x of `vectors` [..., N, 3], the image of each of which is that of places [N]."""
    return vectors[..., places, :] * vectors.new_tensor([-1.0, 1.0, 1.0])


def halves(shapes: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Personal.left and Personal.right of expression `shapes`. Raises ValueError where one has no mirror image."""
    left = [number for number, name in enumerate(shapes) if not name.endswith(("_R", "Right"))]
    return torch.tensor(left), torch.tensor([shapes.index(_opposite(shapes[number])) for number in left])


def _opposite(name: str) -> str:
    if name.endswith("_L"):
        return name.removesuffix("_L") + "_R"
    return name.removesuffix("Left") + "Right" if name.endswith("Left") else name


def mirror_of(mean: Tensor, vertices: Tensor) -> Tensor:
    """[N] which of `vertices` [N] of the mean head [V, 3] lies where the mirror image of each does.

    Raises ValueError where none does.
    """
    points = mean[vertices].cpu().double().numpy()
    gap, place = cKDTree(points).query(points * [-1.0, 1.0, 1.0])
    if gap.max() > ASYMMETRY_M:
        raise ValueError("its vertices are not the same on both sides")
    return torch.from_numpy(place).to(vertices.device)


def personal_moves(personal: Personal, mean: Tensor, vertices: Tensor, moves: Tensor) -> Tensor:
    """[S, V, 3] the shapes of a head `vertices` [V, 3] from those of the mean head, `moves` [S, V, 3] of `mean` [V, 3].

    What a shape leaves alone stays alone.
    """
    own = moves[:, personal.moved]
    share = ((own.norm(dim=-1, keepdim=True) - STILL_M[0]) / (STILL_M[1] - STILL_M[0])).clamp(0, 1)
    return moves.index_copy(1, personal.moved, own + share * personal.differences(mean, vertices))
