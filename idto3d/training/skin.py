"""Procedural skin, lips, brows, eyes and beard as one linear albedo per ICT-FaceKit vertex."""

from dataclasses import dataclass

import numpy as np
from skimage.measure import points_in_poly

from idto3d.training import ict
from idto3d.training.hair import COLOURS, HAIRLINE_DEG, HAIRLINE_Y

IRISES = {
    "brown": (0.10, 0.045, 0.02),
    "blue": (0.12, 0.24, 0.42),
    "green": (0.12, 0.22, 0.09),
    "grey": (0.25, 0.28, 0.3),
}
SKINS = {"pale": (0.04, 0.20), "fair": (0.20, 0.38), "tan": (0.38, 0.58), "brown": (0.58, 0.78), "dark": (0.78, 1.0)}
BEARDS = ("clean", "stubble", "beard")


@dataclass(frozen=True)
class Look:
    """The painted attributes of one person; `melanin`, `redness` 0..1."""

    skin: str
    melanin: float
    redness: float
    iris: str
    hair_style: str
    hair_colour: str
    beard: str
    age: str = "young"
    gender: str = "female"
    ancestry: str = "caucasian"
    face: tuple[str, ...] = ()


@dataclass(frozen=True)
class Regions:
    """Soft masks [V] 0..1 on the model's vertices, and the eye vertices, fixed once on the mean head."""

    lips: np.ndarray
    brows: np.ndarray
    beard: np.ndarray
    cheeks: np.ndarray
    scalp: np.ndarray
    iris: np.ndarray
    pupil: np.ndarray
    eyes: np.ndarray
    teeth: np.ndarray
    mouth: np.ndarray


def read_regions(model: ict.IctModel, landmarks: tuple[int, ...]) -> Regions:
    """Regions from the neutral mesh and the 68 landmark vertices (`landmarks`, indices)."""
    v = model.neutral
    marks = v[list(landmarks)]
    face = np.zeros(len(v), np.float32)
    face[ict.FACE] = 1
    front = face * (v[:, 2] > 0.05)
    lips = _inside(v, marks[48:60]) * front
    brows = np.maximum(_near(v, marks[17:22], 0.0052), _near(v, marks[22:27], 0.0052)) * front
    below = _ramp(-v[:, 1], 0.006, 0.014)
    moustache = _ramp(-np.abs(v[:, 0]), -0.030, -0.022) * _ramp(-v[:, 1], 0.010, 0.016) * (v[:, 1] > -0.03)
    cheek_line = _ramp(-v[:, 1] - 0.35 * (0.11 - v[:, 2]), 0.012, 0.026)
    beard = np.maximum(cheek_line * _ramp(v[:, 1], -0.115, -0.095), moustache) * below * (1 - lips)
    beard *= (v[:, 2] > 0.015) * (face > 0)
    cheeks = np.exp(-((np.abs(v[:, 0]) - 0.045) ** 2 + (v[:, 1] + 0.002) ** 2) / 0.018**2) * front
    scalp = _scalp(v) * (1 - np.clip(brows, 0, 1))
    iris, pupil, eyes = _eyes(model)
    teeth, mouth = np.zeros(len(v), np.float32), np.zeros(len(v), np.float32)
    teeth[ict.TEETH], mouth[ict.MOUTH_SOCKET], mouth[ict.GUMS_TONGUE] = 1, 1, 1
    return Regions(
        *(a.astype(np.float32) for a in (lips, brows, beard, cheeks, scalp, iris, pupil, eyes, teeth, mouth))
    )


def _inside(v, outline):
    return points_in_poly(v[:, :2], outline[:, :2]).astype(np.float32)


def _near(v, line, radius):
    points = np.concatenate(
        [a + (b - a) * np.linspace(0, 1, 12)[:, None] for a, b in zip(line[:-1], line[1:], strict=True)]
    )
    gap = np.linalg.norm(v[:, None, :2] - points[None, :, :2], axis=-1).min(1)
    return _ramp(-gap, -radius * 1.3, -radius * 0.7)


def _ramp(x, low, high):
    return np.clip((x - low) / (high - low), 0, 1)


def _scalp(v):
    azimuth = np.abs(np.degrees(np.arctan2(v[:, 0], v[:, 2])))
    line = np.interp(azimuth, HAIRLINE_DEG, HAIRLINE_Y)
    ears = (np.abs(v[:, 0]) > 0.07) & (np.abs(v[:, 1] - 0.005) < 0.045) & (v[:, 2] < 0.03) & (v[:, 2] > -0.045)
    return _ramp(v[:, 1] - line, -0.002, 0.006) * ~ears


def _eyes(model: ict.IctModel):
    v = model.neutral
    iris, pupil, eyes = (np.zeros(len(v), np.float32) for _ in range(3))
    eyes[ict.EYEBALLS] = 1
    for side in (-1, 1):
        ball = np.flatnonzero((eyes > 0) & (np.sign(v[:, 0]) == side))
        centre = (v[ball].min(0) + v[ball].max(0)) / 2
        off_axis = np.linalg.norm((v[ball] - centre)[:, :2], axis=1)
        ahead = v[ball, 2] > centre[2]
        iris[ball] = _ramp(-off_axis, -0.0066, -0.0056) * ahead
        pupil[ball] = _ramp(-off_axis, -0.0028, -0.0018) * ahead
    return iris, pupil, eyes


def skin_colour(melanin: float, redness: float) -> np.ndarray:
    """Linear RGB of skin: white light through melanin and blood by Beer's law, absorptions fitted by eye."""
    absorbed = 0.18 + melanin * np.array([1.25, 1.85, 2.45]) + (0.25 + redness) * np.array([0.06, 0.42, 0.44])
    return np.exp(-absorbed).astype(np.float32)


def paint(look: Look, regions: Regions, neutral: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """[V, 3] linear albedo of a person; the same look gives the same colours up to its mottling."""
    skin = skin_colour(look.melanin, look.redness)
    hair = np.array(COLOURS[look.hair_colour], np.float32)
    mottle = _mottle(neutral, random)
    albedo = skin * (1 + 0.06 * mottle[:, None])
    albedo = _mix(albedo, skin * [1.02, 0.72, 0.70], 0.55 * regions.cheeks * (0.4 + look.redness))
    albedo = _mix(albedo, skin * [0.86, 0.52, 0.52], 0.85 * regions.lips)
    natural = hair if look.hair_colour not in ("green", "blue", "pink") else np.array(COLOURS["brown"], np.float32)
    albedo = _mix(albedo, natural * 0.8, 0.8 * regions.brows)
    strength = {"clean": 0.0, "stubble": 0.4, "beard": 0.92}[look.beard]
    albedo = _mix(albedo, natural * 0.9, strength * regions.beard)
    cover = {"bald": 0.0, "buzzcut": 0.6}.get(look.hair_style, 0.9)
    albedo = _mix(albedo, hair, cover * regions.scalp)
    albedo = _mix(albedo, np.array([0.72, 0.68, 0.66]), regions.eyes)
    albedo = _mix(albedo, np.array(IRISES[look.iris]), regions.iris)
    albedo = _mix(albedo, np.array([0.005, 0.005, 0.005]), regions.pupil)
    albedo = _mix(albedo, np.array([0.70, 0.66, 0.55]), regions.teeth)
    return _mix(albedo, np.array([0.25, 0.07, 0.06]), regions.mouth).astype(np.float32)


def _mix(base, colour, amount):
    return base * (1 - amount[:, None]) + np.asarray(colour, np.float32) * amount[:, None]


def _mottle(v, random):
    total = np.zeros(len(v), np.float32)
    for wavelength in (0.03, 0.015, 0.008):
        direction = random.normal(size=(3, 3))
        direction *= 2 * np.pi / wavelength / np.linalg.norm(direction, axis=1, keepdims=True)
        total += np.sin(v @ direction.T + random.uniform(0, 2 * np.pi, 3)).prod(1)
    return total / 1.5
