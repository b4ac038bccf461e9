"""Wrinkles: creases of four kinds that come with age and with the expression, as depth on the model's vertices."""

import numpy as np

KINDS = ("forehead", "frown", "crow's feet", "smile")
# Which blendshapes fold which crease, with how much of it each does at weight 1 (both sides together).
FOLDED_BY = {
    "forehead": {"browInnerUp": 0.5, "browOuterUp": 0.5},
    "frown": {"browDown": 0.9, "noseSneer": 0.35},
    "crow's feet": {"eyeSquint": 0.5, "cheekSquint": 0.5, "mouthSmile": 0.45, "eyeBlink": 0.1},
    "smile": {"mouthSmile": 0.8, "mouthUpperUp": 0.4, "mouthStretch": 0.3, "noseSneer": 0.3, "mouthDimple": 0.5},
}
AT_REST = {"middle-aged": 0.35, "old": 0.85}
YIELDING = {"baby": 0.25, "child": 0.35, "young": 0.6, "middle-aged": 0.9, "old": 1.1}
CREASE_DEPTH = 0.0014  # of a full crease, metres
CREASE_DARKENING = 0.22  # share of the light that a full crease loses


def read_creases(neutral: np.ndarray, landmarks: tuple[int, ...], face: np.ndarray) -> np.ndarray:
    """[4, V] strength 0..1 of each of KINDS at the model's vertices (`neutral` [V, 3] metres, `face` mask [V])."""
    x, y, marks = np.abs(neutral[:, 0]), neutral[:, 1], neutral[list(landmarks)]
    front = face * (neutral[:, 2] > 0.04)
    creases = [_forehead(x, y, marks), _frown(x, y, marks), _crows_feet(x, y, marks), _smile(x, y, marks)]
    return (np.stack(creases) * front).astype(np.float32)


def crease_amounts(names: tuple[str, ...], weights: np.ndarray, age: str) -> np.ndarray:
    """[4] how deep each of KINDS is, 0..1.3, at blendshape `weights` [57] named `names` on a person of that `age`."""
    base, plain = AT_REST.get(age, 0.0), {}
    for name, weight in zip(names, weights, strict=True):
        key = name.removesuffix("_L").removesuffix("_R")
        plain[key] = plain.get(key, 0.0) + float(weight) / (2 if key != name else 1)
    folded = [sum(plain.get(shape, 0.0) * share for shape, share in FOLDED_BY[kind].items()) for kind in KINDS]
    return np.clip(base + YIELDING.get(age, 0.6) * np.array(folded, np.float32), 0, 1.3)


def _line(gap: np.ndarray, width: float = 0.0019) -> np.ndarray:
    return np.exp(-((gap / width) ** 2))


def _forehead(x, y, marks) -> np.ndarray:
    base = marks[19, 1] + 0.010  # above the brows
    bend = 0.003 * np.cos(x / 0.045 * np.pi)
    lines = sum(_line(y - (base + 0.0095 * i) - bend) for i in range(3))
    return lines * np.clip((0.042 - x) / 0.014, 0, 1)


def _frown(x, y, marks) -> np.ndarray:
    middle = marks[21, 1] + 0.001  # between the brows
    upright = _line(x - 0.0065 - 0.12 * (y - middle)) * np.clip(1 - ((y - middle) / 0.013) ** 2, 0, 1)
    across = 0.7 * _line(y - marks[27, 1] - 0.002) * (x < 0.009)
    return np.maximum(upright, across)


def _crows_feet(x, y, marks) -> np.ndarray:
    corner_x, corner_y = abs(marks[45, 0]) + 0.002, marks[45, 1]
    along, up = x - corner_x, y - corner_y
    spread = [_line(up - (lift + slope * along), 0.0017) for lift, slope in ((0.003, 0.45), (0.0, 0.0), (-0.003, -0.5))]
    return np.max(spread, 0) * np.clip(along / 0.003, 0, 1) * np.clip((0.019 - along) / 0.008, 0, 1)


def _smile(x, y, marks) -> np.ndarray:
    """From the wings of the nose past the corners of the mouth."""
    top, bottom = marks[33, 1] + 0.006, marks[54, 1] - 0.006
    place = np.clip((top - y) / (top - bottom), -1, 2)
    line = 0.020 + 0.016 * np.clip(place, 0, 1) ** 0.8
    return _line(x - line, 0.0024) * np.clip(4 * place + 1, 0, 1) * np.clip(1 - 4 * (place - 1), 0, 1)
