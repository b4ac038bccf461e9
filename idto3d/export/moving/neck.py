"""A head that turns on its bust: two joints in the neck, and how far each vertex follows them.

Joints and shares are set for the mean head and scaled by how high the eyes lie over the bust's lower edge. Metres.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from idto3d.export.gltf.mesh import HeadMesh
from idto3d.stages.edit.paint.parted import kind_of

EYES, BUST, HAIR = ("eye_left", "eye_right"), "skin", "hair"
EYES_UP_M, EYES_OVER_M = 0.035, 0.228  # of the mean head: eyes over the ears, and over the lowest skin
NECK, HEAD = (0.0, -0.125, -0.03), (0.0, -0.03, -0.008)  # joints: the lowest bone of the neck, and the highest
NECKS_PART = 0.35  # of a turn; the head does the rest
# Heights at which the shares rise from 0 to 1, of planes that lie higher in front, as the neck leans forwards.
LEAN = 0.5  # metres higher for each metre to the front
BY_NECK, BY_HEAD = (-0.175, -0.095), (-0.125, -0.045)
HANGING = (-0.32, -0.14)  # of hair, which hangs from the head and follows it further down
WHOLE = 0.999  # share of the head from which a part is taken to turn as one


@dataclass(frozen=True)
class Neck:
    """Where a head's two joints are, [3] each, and how much larger it is than the mean head, from the height `up`."""

    neck: np.ndarray
    head: np.ndarray
    size: float
    up: float

    def shares(self, part: str, places: np.ndarray) -> np.ndarray:
        """How far vertices at `places` [V, 3] of the part of that name go with the bust, the neck and the head.

        [V, 3], whose rows sum to 1.
        """
        _, y, z = ((places - [0, self.up, 0]) / self.size + [0, EYES_UP_M, 0]).T
        height, ends = y + LEAN * z, (HANGING, HANGING) if kind_of(part) == HAIR else (BY_NECK, BY_HEAD)
        neck, head = (_rise(height, *one) for one in ends)
        return np.stack([1 - neck, neck - neck * head, neck * head], 1)

    def matrices(self, turn: np.ndarray) -> np.ndarray:
        """[3, 4, 4] what bust, neck and head do where the head is turned by `turn` [3, 3]."""
        lower, upper = (one[0] for one in self.joint_turns(turn[None]))
        by_neck = _about(self.neck, lower)
        return np.stack([np.eye(4), by_neck, by_neck @ _about(self.head, upper)])

    def joint_turns(self, turns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the neck turns, and the head upon it, [T, 3, 3] each, for whole `turns` [T, 3, 3]."""
        whole = Rotation.from_matrix(turns)
        lower = Rotation.from_rotvec(NECKS_PART * whole.as_rotvec())
        return lower.as_matrix(), (lower.inv() * whole).as_matrix()


def neck_of(mesh: HeadMesh) -> Neck:
    """The neck of a head of parts; the mean head's where it has no eyes that turn."""
    eyes = [part.pivot[1] for part in mesh.parts if part.name in EYES and part.pivot.any()]
    skin = [part for part in mesh.parts if part.name == BUST]
    if not eyes or not skin:
        return _placed(1.0, EYES_UP_M)
    up = float(np.mean(eyes))
    lowest = float((skin[0].positions + skin[0].pivot)[:, 1].min())
    return _placed((up - lowest) / EYES_OVER_M, up)


def _placed(size: float, up: float) -> Neck:
    neck, head = (size * (np.array(one) - [0, EYES_UP_M, 0]) + [0, up, 0] for one in (NECK, HEAD))
    return Neck(neck, head, size, up)


def _rise(height: np.ndarray, low: float, high: float) -> np.ndarray:
    share = np.clip((height - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def _about(centre: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """[4, 4] a `turn` [3, 3] about `centre` [3]."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, centre - turn @ centre
    return matrix
