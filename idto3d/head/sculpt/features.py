"""Features sculpted over a head of the template's layout: pointed ears, hollow cheeks and so on. Metres."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from idto3d.head.features.eyes import NAMES as EYE_NAMES
from idto3d.head.features.face_masks import ears, ramp
from idto3d.head.sculpt.bumps import BUMPS, bumped
from idto3d.head.sculpt.forms import form_of, has_forms
from idto3d.head.sculpt.necks import NECKS, necked
from idto3d.head.sculpt.peoples import PEOPLES, pushed
from idto3d.head.sculpt.persons import FEATURES, MEASURED
from idto3d.head.template import LANDMARKS
from idto3d.head.template_model import Template
from idto3d.words.traits import SMALL

AURICLE_M = (0.0745, 0.0835)  # off the middle of the head between which an ear stands off it
TIP_M = (0.010, 0.041)  # heights between which an ear is drawn out to its tip
TIP_BY = (0.0110, 0.0260, -0.0130)  # outwards, up and forwards, of the tip
TIP_Z, PINCH = -0.002, 0.62  # depth of the tip, and how far it is pinched
LIP_Y, LIP_M, LIP_X, THINNER = -0.0335, 0.015, 0.027, 0.42  # where lips meet, their height and half width
NECK_Y, NECK_M, NECK_Z, WIDER = -0.112, 0.030, 0.0, 0.13  # the neck's middle, its extent, its axis, and how much wider
EYE_M, LARGER = 0.024, 0.13  # around an eye, that grows; and by how much
SMALLER = 0.55  # of what features push the skin of a child, whose face is small and round already
FIXED = ("teeth", "gums_tongue")


def sculpted(template: Template, amounts: Mapping[str, float], age: str = "") -> Tensor:
    """[V, 3] by how much a head changes that has features by their `amounts`, 1 being what the word alone asks for.

    Names that are not sculpted (see words.figures.table) change nothing; amounts under 0 are the opposite. age: the
    word for that of the head.
    """
    much = SMALLER if age in SMALL else 1.0
    points, moved = template.neutral.cpu().double().numpy(), np.zeros(template.neutral.shape)
    for name, amount in amounts.items():
        moved += much * amount * _field(name, points, template)
    for name in FIXED:
        moved[template.part(name).vertices] = 0
    return torch.from_numpy(moved).to(template.neutral)


def formed(template: Template, forms: Mapping[str, float]) -> Tensor:
    """[V, 3] by how much a head changes that has the `forms` of persons.forms_of by their amounts, see `forms_for`."""
    points, moved = template.neutral.cpu().double().numpy(), torch.zeros_like(template.neutral)
    for name, amount in forms_for(template, forms).items():
        if name in NECKS:
            moved += torch.from_numpy(amount * necked(points, NECKS[name])).to(moved)
        elif name in MEASURED:
            moved += amount * form_of(name, template)
        elif name in PEOPLES:
            moved += torch.from_numpy(amount * _whole_eyes(pushed(points, name), template)).to(moved)
        else:
            moved += torch.from_numpy(amount * _field(FEATURES[name], points, template)).to(moved)
    return moved


def forms_for(template: Template, forms: Mapping[str, float]) -> dict[str, float]:
    """Those of `forms` that heads of the template can have: what was measured is of the embedded one alone."""
    measured = has_forms(template)
    return {name: amount for name, amount in forms.items() if measured or name not in MEASURED}


def _field(name: str, points: np.ndarray, template: Template) -> np.ndarray:
    if name in BUMPS:
        return _whole_eyes(bumped(points, name), template)
    if name in SHAPES:
        return SHAPES[name](points, template)
    return np.zeros_like(points)


def _whole_eyes(moved: np.ndarray, template: Template) -> np.ndarray:
    """`moved` [V, 3] with eyeballs that go as a whole, as their front does."""
    for name in EYE_NAMES:
        own = template.part(name).vertices
        moved[own] = moved[own.start]  # the middle of its cornea, see face_masks.eye_masks
    return moved


def _pointed_ears(points: np.ndarray, template: Template) -> np.ndarray:
    """Ears drawn out to a tip, up and back, and pinched there."""
    side = np.sign(points[:, 0])
    off = ears(points) * ramp(np.abs(points[:, 0]), *AURICLE_M)
    off = np.where(_skin(template, len(points)), off, 0.0)
    high = ramp(points[:, 1], *TIP_M)
    drawn = off * high**1.4
    moved = drawn[:, None] * np.array(TIP_BY)
    moved[:, 0] *= side
    moved[:, 2] -= off * high**2 * PINCH * (points[:, 2] - TIP_Z)
    return moved


def _skin(template: Template, count: int) -> np.ndarray:
    own, whole = template.part("skin").vertices, np.zeros(count, bool)
    whole[own] = True
    return whole


def _thin_lips(points: np.ndarray, template: Template) -> np.ndarray:
    x, y, z = points.T
    share = np.exp(-(((y - LIP_Y) / LIP_M) ** 4) - (x / LIP_X) ** 4) * ramp(z, 0.088, 0.104)
    moved = np.zeros_like(points)
    moved[:, 1] = -THINNER * share * (y - LIP_Y)
    moved[:, 2] = -0.0020 * share
    return moved


def _thick_neck(points: np.ndarray, template: Template) -> np.ndarray:
    x, y, z = points.T
    share = WIDER * np.exp(-(((y - NECK_Y) / NECK_M) ** 2)) * np.where(z > 0.075, 0.4, 1.0)
    return np.stack([share * x, np.zeros_like(y), 0.7 * share * (z - NECK_Z)], -1)


def _thin_neck(points: np.ndarray, template: Template) -> np.ndarray:
    return -_thick_neck(points, template)


def _large_eyes(points: np.ndarray, template: Template) -> np.ndarray:
    """Eyes, with all about them, larger about their middles."""
    marks, moved = points[list(LANDMARKS)], np.zeros_like(points)
    for lids, name in ((slice(42, 48), "eye_left"), (slice(36, 42), "eye_right")):
        own = template.part(name).vertices
        low, high = points[own].min(0), points[own].max(0)
        middle = np.array([*marks[lids, :2].mean(0), (low[2] + high[2]) / 2])
        share = np.exp(-((np.linalg.norm((points - middle)[:, :2], axis=1) / EYE_M) ** 4)) * (points[:, 2] > 0.05)
        share[own] = 1.0
        moved += LARGER * share[:, None] * (points - middle) * (np.sign(points[:, :1]) == np.sign(middle[0]))
    return moved


SHAPES: Mapping[str, Callable[[np.ndarray, Template], np.ndarray]] = {
    "pointed ears": _pointed_ears,
    "thin lips": _thin_lips,
    "thick neck": _thick_neck,
    "thin neck": _thin_neck,
    "large eyes": _large_eyes,
}
