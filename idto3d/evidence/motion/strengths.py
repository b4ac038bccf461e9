"""How strongly a face shows each of Apple's expressions in the pictures of a clip.

The network that reads expressions from landmarks is one witness. Of brows and lids it says little, and what it says
changes with the turn of the head; there distances on the face are the other. What a face shows at rest in this turn is
taken off both, since faces, and one face from other sides, differ more than a small expression does.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from idto3d.evidence.motion.at_rest import lowest, middle
from idto3d.evidence.shapes import Shapes
from idto3d.head.template_model import shape_numbers
from idto3d.subject.face_points import BLENDSHAPES
from idto3d.words.arkit import arkit_recipe

# The most that is taken for rest of what the network tells: whoever smiles all the time still smiles. Of brows it tells
# much of many a face at rest.
REST_MOST, HABITS, HABIT_MOST = 0.85, ("mouthSmileLeft", "mouthSmileRight"), 0.4
# What is read of a movement at its height, in films of our heads (benchmarks.animate), where that is not about 1.
READ_AT_MOST: Mapping[str, float] = {
    **{"jawOpen": 0.7, "mouthSmileLeft": 1.3, "mouthSmileRight": 1.3, "eyeBlinkLeft": 0.8, "eyeBlinkRight": 0.8},
    **{"browInnerUp": 0.8, "browOuterUpLeft": 0.7, "browOuterUpRight": 0.7},
}
# Distances: how much higher the first landmarks lie than the second, brows over corners of the eyes and upper lids over
# lower ones; and the movements that these tell.
RIGHT_EYE, LEFT_EYE = (33, 133, 243, 155, 112), (263, 362, 463, 382, 341)
DISTANCES = (
    ((55, 65, 107, 66), RIGHT_EYE),
    ((285, 295, 336, 296), LEFT_EYE),
    ((46, 53, 70, 63), RIGHT_EYE),
    ((276, 283, 300, 293), LEFT_EYE),
    ((159, 160, 158), (145, 144, 153)),
    ((386, 387, 385), (374, 373, 380)),
)
BY_DISTANCE = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "browDownLeft", "browDownRight")
BY_DISTANCE += ("eyeBlinkLeft", "eyeBlinkRight")
UNSURE_M = 0.001  # deviation of a distance
DOUBT = 1.0  # deviation of a strength from what the network tells, where distances tell it as well
# Brows are mostly raised as one: the inner ends with the outer ones, and left with right.
ALIKE = np.array([[1, -0.5, -0.5, 0, 0, 0, 0], [0, 1, -1, 0, 0, 0, 0]])
APART = np.array([[0.12], [0.3]])  # deviations of these differences
ROUNDS, STILL = 200, 1e-4  # at most, of solving; the largest change at which it ends


def strengths_of(
    told: np.ndarray, upright: np.ndarray, turns: np.ndarray, shapes: Shapes, names: Sequence[str]
) -> np.ndarray:
    """[T, 51] strengths 0..1 in the order of BLENDSHAPES.

    told [T, 51]: see Landmarks; upright [T, L, 3] metres and turns [T, 3]: see Poses; `names` are those of the
    template's shapes, which lie in `shapes`.
    """
    rest = np.clip(lowest(told, turns), 0, [HABIT_MOST if name in HABITS else REST_MOST for name in BLENDSHAPES])
    strengths = (told - rest) / (1 - rest)
    own = [BLENDSHAPES.index(name) for name in BY_DISTANCE]
    heights = heights_of(upright[..., 1])
    moved = heights - middle(heights, turns)
    basis = heights_of(basis_of(shapes, names)[:, 1].T)[own].T  # metres of each distance in each movement
    matrix = np.concatenate([basis / UNSURE_M, np.eye(len(own)) / DOUBT, ALIKE / APART])
    alike = np.zeros((len(moved), len(ALIKE)))
    wanted = np.concatenate([moved / UNSURE_M, strengths[:, own] / DOUBT, alike], 1)
    strengths[:, own] = bounded(matrix.T @ matrix, wanted @ matrix)
    return np.clip(strengths / [READ_AT_MOST.get(name, 1.0) for name in BLENDSHAPES], 0, 1)


def heights_of(up: np.ndarray) -> np.ndarray:
    """[..., 6] the DISTANCES in the heights `up` [..., L] of landmarks, in their unit."""
    pairs = [up[..., list(upper)].mean(-1) - up[..., list(lower)].mean(-1) for upper, lower in DISTANCES]
    return np.stack(pairs, -1)


def basis_of(shapes: Shapes, names: Sequence[str]) -> np.ndarray:
    """[L, 3, 51] metres by which landmarks move in each of BLENDSHAPES; `names` are those of the template's shapes."""
    return np.stack([shapes.expression[..., _numbers(name, names)].sum(-1) for name in BLENDSHAPES], -1)


def _numbers(name: str, names: Sequence[str]) -> list[int]:
    return [number for shape in arkit_recipe(name) for number in shape_numbers(shape, names)]


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
