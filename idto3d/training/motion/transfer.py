"""Expressions of the mean head carried over to another one: what they do to the skin, not where they take it. Metres.

Deformation transfer (Sumner and Popovic, "Deformation transfer for triangle meshes", 2004). A triangle is turned,
stretched and thinned as the same one of the mean head, so that a wide mouth smiles more widely, a long jaw falls
further, and lips and cheeks keep their volume as those of the mean do. A motion turns with the skin it is in: brows
slide along a forehead that falls back instead of rising off it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import SuperLU, splu

TURN_ROUNDS = 40  # averages over neighbours of a surface whose triangles say how the skin is turned
PULL = 0.05  # weight of a vertex that lies on the jaw's bone, beside one edge
STILL_HOLD = 1.0  # weight of the vertices that no expression moves, beside one edge
FREE_HOLD = 1e-7  # and of all others, so that nothing floats


@dataclass(frozen=True, eq=False)
class Transfer:
    """What is worked out once for the mean head `mean` [V, 3] with triangles `faces` [F, 3].

    stretch [S, F, 3, 3] is what each expression does to each triangle, less the identity. `smoothing` [V, V] averages
    over neighbours, `gather` [V, 3 F] sums what the corners of triangles ask of vertices, `solver` finds the motions
    that come nearest to it, and `held` those that also come near to a motion that is known at vertices, as `pull` [V]
    says.
    """

    mean: np.ndarray
    faces: np.ndarray
    stretch: np.ndarray
    smoothing: csr_matrix
    gather: csr_matrix
    solver: SuperLU
    held: SuperLU
    pull: np.ndarray

    def onto(self, head: np.ndarray, known: Mapping[int, np.ndarray]) -> np.ndarray:
        """[S, V, 3] metres by which the expressions move a `head` [V, 3]; on the mean head they are its own.

        Sought are the motions whose differences along edges come nearest to what both triangles of an edge ask for.
        known: of some expressions, by number, a motion [V, 3] that skin over bone comes near to.
        """
        turn, corners = self._turns(head).astype(np.float32), head[self.faces].astype(np.float32)
        ways = turn.transpose(0, 2, 1) @ (3 * corners - corners.sum(1, keepdims=True)).transpose(0, 2, 1)
        asked = 0.5 * (turn @ (self.stretch @ ways))  # [S, F, 3, corner]
        asked = asked.transpose(1, 3, 0, 2).reshape(3 * len(self.faces), -1)
        sides = self.gather @ asked
        moved = self.solver.solve(sides).reshape(len(head), -1, 3).transpose(1, 0, 2)
        for number, motion in known.items():
            moved[number] = self.held.solve(sides[:, 3 * number : 3 * number + 3] + self.pull[:, None] * motion)
        return moved

    def _turns(self, head: np.ndarray) -> np.ndarray:
        """[F, 3, 3] how the skin of `head` is turned against the mean head's, finest shapes left out."""
        before, after = self.mean.astype(np.float64), head.astype(np.float64)
        for _ in range(TURN_ROUNDS):
            before, after = self.smoothing @ before, self.smoothing @ after
        left, _, right = np.linalg.svd(gradients(before, after, self.faces))
        flipped = np.sign(np.linalg.det(left @ right))
        left[..., 2] *= flipped[:, None]
        return left @ right


def transfer_of(mean: np.ndarray, faces: np.ndarray, moves: np.ndarray, bone: np.ndarray) -> Transfer:
    """What carries the `moves` [S, V, 3] of the mean head `mean` [V, 3], `faces` [F, 3], over to others.

    bone [V]: 0..1 how firmly the skin lies on the jaw.
    """
    mean = mean.astype(np.float64)
    stretch = np.stack([gradients(mean, mean + move, faces) for move in moves.astype(np.float64)]) - np.eye(3)
    count, corners = len(mean), faces.ravel()
    starts, ends = (
        np.concatenate([faces, faces]).ravel(),
        np.concatenate([np.roll(faces, k, 1) for k in (1, 2)]).ravel(),
    )
    sides = csr_matrix((np.full(len(starts), 0.5), (starts, ends)), (count, count))  # 1 for each edge of two triangles
    joined = np.asarray(sides.sum(1)).ravel()
    still = ~(np.abs(moves) > 0).any((0, 2))
    system, pull = diags(joined + np.where(still, STILL_HOLD, FREE_HOLD)) - sides, PULL * bone
    gather = csr_matrix((np.ones(len(corners)), (corners, np.arange(len(corners)))), (count, len(corners)))
    smoothing = diags(1 / np.maximum(joined, 0.5)) @ sides + diags(1.0 * (joined == 0))
    solvers = _factored(system), _factored(system + diags(pull))
    return Transfer(mean, faces, stretch.astype(np.float32), csr_matrix(smoothing), gather, *solvers, pull)


def _factored(system: csr_matrix) -> SuperLU:
    return splu(system.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})


def gradients(before: np.ndarray, after: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[F, 3, 3] how each triangle of `before` [V, 3] becomes that of `after`; along the normal a length stays."""
    return _frames(after, faces) @ np.linalg.inv(_frames(before, faces))


def _frames(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[F, 3, 3] two edges and the unit normal of each triangle, as columns; a point gets a frame all the same."""
    first, second = (vertices[faces[:, k]] - vertices[faces[:, 0]] for k in (1, 2))
    normal = np.cross(first, second)
    size = np.linalg.norm(normal, axis=1, keepdims=True)
    frames = np.stack([first, second, normal / np.maximum(size, 1e-15)], -1)
    frames[size[:, 0] < 1e-12] = np.eye(3)
    return frames
