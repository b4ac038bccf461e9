"""Bringing scans into our space: metres, +Y up, the face to +Z, the eyes where a synthetic head has them.

The axes are given by options. Place, roll and (unless given) size come from the eyes, which a face detector finds in a
front view; where it finds none, from the scan's bounds.
"""

from dataclasses import dataclass, replace

import numpy as np

from idto3d.errors import UserError
from idto3d.subject.face import IdentityEncoder
from idto3d.training.people.synthetic import Sculpture, byte, camera, look_at, srgb
from idto3d.training.scans.mesh import ScanMesh

AXES = ("x", "y", "z", "-x", "-y", "-z")
# Where `find_eyes` finds those of ICT-FaceKit's mean head, metres: their middle, and how far they are apart.
EYES_MIDPOINT = np.array([0.0, 0.035, 0.096])
EYE_DISTANCE = 0.061
PLAUSIBLE_EYES = (0.040, 0.090)  # metres; outside this the scale is wrong
# Of the mean head with short hair, metres; its height includes the neck.
TOP_HEIGHT, NOSE_DEPTH, HEAD_HEIGHT = 0.168, 0.131, 0.36
ROLL_DEG = (5.0, 30.0)  # tilts that are levelled; on twelve upright heads the detector was wrong by up to 2.9 degrees
SAME_SPACE_METRES = 0.02  # metres; a scowl alone moves what the detector takes for eyes by one centimetre
FRAME_METRES = 0.34  # metres; what the front view for the face detector shows
FRAME_PIXELS = 512


@dataclass(frozen=True, eq=False)
class Pose:
    """x -> scale * rotation @ x + offset, from a file's space to ours; `seen` says whether a face was found."""

    rotation: np.ndarray  # [3, 3]
    scale: float
    offset: np.ndarray  # [3] metres
    seen: bool

    def place(self, points: np.ndarray) -> np.ndarray:
        """`points` [N, 3] of the file, in metres in our space."""
        return self.scale * points @ self.rotation.T + self.offset


def axes(up: str, face: str) -> np.ndarray:
    """The rotation [3, 3] that turns a file's axis `up` to +Y and `face` to +Z. Raises UserError when they agree."""
    up_axis, face_axis = (_axis(name) for name in (up, face))
    if abs(up_axis @ face_axis) > 0.5:
        raise UserError(f"A head cannot have {up} above it and look to {face}.", "Give two different axes.")
    return np.stack([np.cross(up_axis, face_axis), up_axis, face_axis])


def _axis(name: str) -> np.ndarray:
    return np.eye(3)["xyz".index(name[-1])] * (-1 if name.startswith("-") else 1)


def find_pose(
    mesh: ScanMesh, turn: np.ndarray, scale: float | None, encoder: IdentityEncoder, other: Pose | None
) -> Pose:
    """The pose of `mesh` in a file whose axes are turned by `turn`.

    scale: metres per unit of the file, None to take it from the eyes. other: a pose of the same subject. It is kept
    where no face is found, and where it puts the eyes nearly right, so that only the expression moves between scans
    taken in one space; else it gives the scale where that is not given. Raises UserError for a wrong scale.
    """
    upright = mesh.vertices @ turn.T
    eyes = find_eyes(replace(mesh, vertices=upright, normals=mesh.normals @ turn.T), encoder)
    if eyes is None:
        return other if other is not None else _pose_by_bounds(upright, turn, scale)
    if other is not None and other.seen:
        there = other.place(eyes.mean(0)[None] @ turn)[0]
        if np.linalg.norm(there - EYES_MIDPOINT) < SAME_SPACE_METRES:
            return other
    apart, roll = eyes[1] - eyes[0], _level(eyes[1] - eyes[0])
    distance = float(np.linalg.norm(apart))
    if scale is None:
        scale = other.scale if other is not None and other.seen else EYE_DISTANCE / distance
    if not PLAUSIBLE_EYES[0] < scale * distance < PLAUSIBLE_EYES[1]:
        raise UserError(
            f"With {scale:g} metres per unit the eyes are {1000 * scale * distance:.0f} mm apart.",
            f"Give --scale auto, or about {EYE_DISTANCE / distance:.2g}.",
        )
    rotation = roll @ turn
    return Pose(rotation, scale, EYES_MIDPOINT - scale * roll @ eyes.mean(0), seen=True)


def _level(apart: np.ndarray) -> np.ndarray:
    """The rotation [3, 3] about +Z that levels `apart`, the way from the person's right eye to the left one."""
    roll = np.arctan2(apart[1], apart[0])
    if not ROLL_DEG[0] < abs(np.degrees(roll)) < ROLL_DEG[1]:
        return np.eye(3)
    c, s = np.cos(roll), np.sin(roll)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


def _pose_by_bounds(upright: np.ndarray, turn: np.ndarray, scale: float | None) -> Pose:
    """The crown, the middle and the front of the head's own height under the crown, put where ours are."""
    low, high = upright.min(0), upright.max(0)
    if scale is None:
        scale = HEAD_HEIGHT / max(high[1] - low[1], 1e-9)
    head = upright[upright[:, 1] >= high[1] - HEAD_HEIGHT / scale]
    middle = (head[:, 0].min() + head[:, 0].max()) / 2
    corner = np.array([middle, high[1], head[:, 2].max()])
    return Pose(turn, scale, np.array([0.0, TOP_HEIGHT, NOSE_DEPTH]) - scale * corner, seen=False)


def find_eyes(mesh: ScanMesh, encoder: IdentityEncoder) -> np.ndarray | None:
    """The person's right and left eye [2, 3] on an upright `mesh`, in its units; None where no face is found."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    centre, extent = (low + high) / 2, float((high - low)[:2].max())
    inside = replace(mesh, vertices=(mesh.vertices - centre) * (FRAME_METRES / max(extent, 1e-9)))
    view = camera(0.0, 0.0, np.zeros(3))
    normals, albedo, mask = look_at(inside, view, FRAME_PIXELS)
    light = 0.25 + 0.75 * np.clip(normals[..., 2:], 0, 1)
    picture = byte(srgb(np.where(mask[..., None], albedo * light, 0.5)))
    faces = encoder.embed(picture)
    if not faces:
        return None
    places = Sculpture(mesh.vertices, mesh.normals, mesh.vertices, mesh.faces)
    _, points, _ = look_at(replace(places, vertices=inside.vertices), view, FRAME_PIXELS)
    marks = max(faces, key=lambda face: face.side).landmarks[:2]
    eyes = [_surface_at(points, mask, mark) for mark in marks]
    if any(eye is None for eye in eyes) or eyes[0][0] >= eyes[1][0]:
        return None
    return np.stack(eyes)


def _surface_at(points: np.ndarray, mask: np.ndarray, mark: np.ndarray) -> np.ndarray | None:
    """The surface [3] around pixel `mark` (x, y): the median of the covered pixels near it."""
    x, y = np.round(mark).astype(int)
    if not (0 <= x < mask.shape[1] and 0 <= y < mask.shape[0]):
        return None
    near = np.s_[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
    return np.median(points[near][mask[near]], axis=0) if mask[near].any() else None
