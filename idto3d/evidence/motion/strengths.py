"""How strongly a face shows each of Apple's expressions in the pictures of a clip.

The network that reads expressions from landmarks is one witness. Of brows, lids, pursed lips and corners of the mouth
that go down it says little, and what it says changes with the turn of the head; there distances on the face are the
other. What a face shows at rest in this turn is taken off both, since faces, and one face from other sides, differ more
than a small expression does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from idto3d.evidence.motion.at_rest import lowest, middle
from idto3d.evidence.shapes import Shapes
from idto3d.head.motion.acted import acted
from idto3d.head.template_model import shape_numbers
from idto3d.subject.face_points import BLENDSHAPES
from idto3d.words.arkit import arkit_recipe

# The most that is taken for rest of what the network tells: whoever smiles all the time still smiles. Of brows it tells
# much of many a face at rest.
REST_MOST, HABITS, HABIT_MOST = 0.85, ("mouthSmileLeft", "mouthSmileRight"), 0.4
# What is read of a movement at its height, in films of our heads (benchmarks.animate), where that is not about 1.
READ_AT_MOST: Mapping[str, float] = {
    **{"jawOpen": 0.9, "eyeBlinkLeft": 0.8, "eyeBlinkRight": 0.8, "mouthPucker": 0.8},
    **{"browInnerUp": 0.75, "browOuterUpLeft": 0.65, "browOuterUpRight": 0.65},
    **{"mouthFrownLeft": 0.7, "mouthFrownRight": 0.7},
}
RIGHT_EYE, LEFT_EYE = (33, 133, 243, 155, 112), (263, 362, 463, 382, 341)  # corners, which stay where they are
RIGHT, UP = 0, 1
ROUNDS, STILL = 200, 1e-4  # at most, of solving; the largest change at which it ends


@dataclass(frozen=True)
class Distances:
    """A part of the face whose movements are told by distances as well.

    pairs: how much further along an axis the mean of the first landmarks lies than that of the second; unsure_m: metres
    by which one errs. doubts: by the names of the movements, the deviation of a strength from what the network tells.
    alike [A, N], apart [A]: sums of the N strengths that are mostly 0, and their deviations.
    """

    pairs: tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...]
    unsure_m: float
    doubts: Mapping[str, float]
    alike: np.ndarray
    apart: np.ndarray

    @property
    def own(self) -> list[int]:
        """[N] the numbers of the movements among BLENDSHAPES."""
        return [BLENDSHAPES.index(name) for name in self.doubts]

    def of(self, points: np.ndarray) -> np.ndarray:
        """[..., D] the distances on faces of landmarks `points` [..., L, 3], in their unit."""
        told = [points[..., list(a), way].mean(-1) - points[..., list(b), way].mean(-1) for a, b, way in self.pairs]
        return np.stack(told, -1)


# Brows over the corners of the eyes, upper lids over lower ones. Brows are mostly raised as one: the inner ends with
# the outer ones, and left with right.
EYES = Distances(
    (
        ((55, 65, 107, 66), RIGHT_EYE, UP),
        ((285, 295, 336, 296), LEFT_EYE, UP),
        ((46, 53, 70, 63), RIGHT_EYE, UP),
        ((276, 283, 300, 293), LEFT_EYE, UP),
        ((159, 160, 158), (145, 144, 153), UP),
        ((386, 387, 385), (374, 373, 380), UP),
    ),
    0.001,
    {
        **{"browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0},
        **{"browDownLeft": 0.4, "browDownRight": 0.4, "eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    },
    np.array([[1, -0.5, -0.5, 0, 0, 0, 0], [0, 1, -1, 0, 0, 0, 0]]),
    np.array([0.12, 0.3]),
)
# Corners of the mouth, its breadth, the upper and the lower lip.
MOUTH = Distances(
    (
        ((61,), RIGHT_EYE + LEFT_EYE, UP),
        ((291,), RIGHT_EYE + LEFT_EYE, UP),
        ((291,), (61,), RIGHT),
        ((0, 37, 267), RIGHT_EYE + LEFT_EYE, UP),
        ((17, 84, 314), RIGHT_EYE + LEFT_EYE, UP),
    ),
    0.003,
    {
        **{"jawOpen": 0.3, "mouthSmileLeft": 0.15, "mouthSmileRight": 0.15, "mouthPucker": 0.25},
        **{"mouthFrownLeft": 0.4, "mouthFrownRight": 0.4},
    },
    np.zeros((0, 6)),
    np.zeros(0),
)


def strengths_of(
    told: np.ndarray, upright: np.ndarray, turns: np.ndarray, shapes: Shapes, names: Sequence[str]
) -> np.ndarray:
    """[T, 51] strengths 0..1 in the order of BLENDSHAPES.

    told [T, 51]: see Landmarks; upright [T, L, 3] metres and turns [T, 3]: see Poses; `names` are those of the
    template's shapes, which lie in `shapes`.
    """
    usual, basis = lowest(told, turns).clip(0, 1), basis_of(shapes, names)
    rest = np.minimum(usual, [HABIT_MOST if name in HABITS else REST_MOST for name in BLENDSHAPES])
    strengths, habit = (told - rest) / (1 - rest), (usual - rest) / (1 - rest)
    habit *= np.isin(BLENDSHAPES, HABITS)  # of which distances, that tell what changes, say nothing
    for part in (EYES, MOUTH):
        beyond = (strengths - habit)[:, part.own]
        strengths[:, part.own] = habit[:, part.own] + _weighed(part, beyond, upright, turns, basis)
    return np.clip(strengths / [READ_AT_MOST.get(name, 1.0) for name in BLENDSHAPES], 0, 1)


def _weighed(
    part: Distances, told: np.ndarray, upright: np.ndarray, turns: np.ndarray, basis: np.ndarray
) -> np.ndarray:
    """[T, N] the strengths of a part's movements by what the network has `told` [T, N] and by distances; see basis_of.

    Weighted least squares.
    """
    distances, doubts = part.of(upright), np.array(list(part.doubts.values()))
    moved = distances - middle(distances, turns)
    by_movement = part.of(np.moveaxis(basis, -1, 0))[part.own].T  # metres of each distance in each movement
    matrix = np.concatenate([by_movement / part.unsure_m, np.diag(1 / doubts), part.alike / part.apart[:, None]])
    alike = np.zeros((len(moved), len(part.alike)))
    wanted = np.concatenate([moved / part.unsure_m, told / doubts, alike], 1)
    return bounded(matrix.T @ matrix, wanted @ matrix)


def basis_of(shapes: Shapes, names: Sequence[str]) -> np.ndarray:
    """[L, 3, 51] metres by which landmarks move in each of BLENDSHAPES; `names` are those of the template's shapes."""
    weights = torch.zeros(len(BLENDSHAPES), len(names), dtype=torch.float64)
    for row, name in zip(weights, BLENDSHAPES, strict=True):
        for shape, strength in arkit_recipe(name).items():
            row[shape_numbers(shape, names)] = strength
    return shapes.expression @ acted(names, weights).numpy().T


def bounded(normal: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """[T, N] the solutions within 0..1 of least squares with the `normal` equations [N, N] and `gain` [T, N].

    By coordinate descent, all T at once: one after the other takes a hundred times as long.
    """
    found = np.zeros_like(gain)
    for _ in range(ROUNDS):
        before = found.copy()
        for own in range(len(normal)):
            step = (gain[:, own] - found @ normal[own]) / normal[own, own]
            found[:, own] = np.clip(found[:, own] + step, 0, 1)
        if abs(found - before).max() < STILL:
            break
    return found
