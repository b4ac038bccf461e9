"""Soft masks on the template's vertices, for what is painted, measured or kept differently from one region to another.

All are fixed on the mean head and hold for every head of the template.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from idto3d.head.features.charts import charts_of
from idto3d.head.features.eyes import NAMES as EYE_NAMES
from idto3d.head.features.face_masks import ears, eye_masks, ramp, skin_masks
from idto3d.head.template import EYE_SOCKETS, MOUTH_SOCKET, SKIN
from idto3d.head.template_model import Template

BROW_HALF_M = 0.0042  # half the height of a plain brow
TONGUE_BOX_M = (0.021, -0.028)  # the tongue's charts lie within this of the middle, and below this height


@dataclass(frozen=True, eq=False)
class TemplateRegions:
    """Soft masks [V] float32, 0..1, on the template's vertices.

    beard holds the moustache, goatee too; flush is nose, ears and around the eyes, where more blood shows; lids is from
    the upper lash lines to the brows; mouth is the inside of the mouth with gums and tongue; sockets those of the eyes;
    iris holds the pupil, sclera is what else an eyeball is.
    """

    skin: Tensor
    face: Tensor
    lips: Tensor
    brows: Tensor
    moustache: Tensor
    goatee: Tensor
    beard: Tensor
    cheeks: Tensor
    flush: Tensor
    nose: Tensor
    ears: Tensor
    lids: Tensor
    scalp: Tensor
    neck: Tensor
    mouth: Tensor
    sockets: Tensor
    iris: Tensor
    pupil: Tensor
    sclera: Tensor
    teeth: Tensor
    gums: Tensor
    tongue: Tensor
    lashes: Tensor


def regions_of(template: Template) -> TemplateRegions:
    """The regions of the template, on its device."""
    points = template.neutral.cpu().numpy()
    masks = {name: np.zeros(len(points), np.float32) for name in TemplateRegions.__dataclass_fields__}
    masks |= _skin(points, template.base) | _eyes(template, points)
    for name in ("teeth", "lashes"):
        masks[name][template.part(name).vertices] = 1
    inside = template.part("gums_tongue").vertices
    masks["tongue"][inside] = tongue_of(template)
    masks["gums"][inside] = 1 - masks["tongue"][inside]
    masks["mouth"] = np.maximum(masks["mouth"], masks["gums"] + masks["tongue"])
    masks["lips"] = _softened(masks["lips"], template.part("skin").faces.cpu().numpy())
    return TemplateRegions(**{name: torch.from_numpy(mask).to(template.neutral) for name, mask in masks.items()})


def _softened(mask: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """`mask` [V] of the skin without steps at its border: twice the mean of each vertex and those its faces hold."""
    for _ in range(2):
        around = np.bincount(faces.ravel(), mask[faces].mean(1).repeat(3), len(mask))
        count = np.bincount(faces.ravel(), minlength=len(mask))
        mask = np.divide(around, count, out=mask.copy(), where=count > 0).astype(np.float32)
    return mask


def _skin(points: np.ndarray, base: slice) -> dict[str, np.ndarray]:
    formulas, on_skin = skin_masks(points), np.zeros(len(points), np.float32)
    on_skin[: SKIN.stop], on_skin[base] = 1, 1
    x, y, z = points.T
    middle = np.exp(-((x / 0.016) ** 2 + ((y - 0.004) / 0.026) ** 2))
    masks = {name: formulas[name] * on_skin for name in ("lips", "moustache", "goatee", "beard", "cheeks", "flush")}
    masks |= {name: formulas[name] * on_skin for name in ("lids", "scalp", "face")}
    masks["skin"] = on_skin
    masks["brows"] = brows(formulas["brow_gap"], formulas["brow_along"]) * on_skin
    masks["ears"] = ears(points) * ramp(np.abs(x), 0.070, 0.078).astype(np.float32) * on_skin
    masks["nose"] = (middle * ramp(z, 0.098, 0.108)).astype(np.float32) * formulas["face"]
    jaw = np.interp(z, (-0.05, 0.02, 0.09), (-0.035, -0.075, -0.095))
    masks["neck"] = ramp(jaw - y, 0.0, 0.015).astype(np.float32) * on_skin
    masks["mouth"], masks["sockets"] = np.zeros_like(on_skin), np.zeros_like(on_skin)
    masks["mouth"][MOUTH_SOCKET], masks["sockets"][EYE_SOCKETS] = 1, 1
    return masks


def brows(gap: np.ndarray, along: np.ndarray, thickness: float = 1.0) -> np.ndarray:
    """[V] 0..1 brows of a `thickness` (1: plain), thinner at their outer ends; see face_masks.skin_masks."""
    half = BROW_HALF_M * thickness * (1 - 0.35 * np.clip(along, 0, 1))
    return np.clip((1.3 * half - gap) / (0.7 * half), 0, 1).astype(np.float32)


def _eyes(template: Template, points: np.ndarray) -> dict[str, np.ndarray]:
    masks = {name: np.zeros(len(points), np.float32) for name in ("iris", "pupil", "sclera")}
    for name in EYE_NAMES:
        own = template.part(name).vertices
        masks["iris"][own], masks["pupil"][own] = eye_masks(points[own])
        masks["sclera"][own] = 1 - masks["iris"][own]
    return masks


def tongue_of(template: Template) -> np.ndarray:
    """[N] float32, 1 for the tongue among the vertices of gums_tongue: charts that are narrow and low enough for it."""
    part = template.part("gums_tongue")
    faces, points = part.faces.cpu().numpy(), template.neutral[part.vertices].cpu().numpy()
    labels, tongue = charts_of(part.uvs.cpu().numpy()), np.zeros(len(points), np.float32)
    for label in range(labels.max() + 1):
        own = np.unique(faces[labels == label])
        width, height = np.abs(points[own, 0]).max(), points[own, 1].max()
        if width < TONGUE_BOX_M[0] and height < TONGUE_BOX_M[1]:
            tongue[own] = 1
    return tongue
