"""How far an edit has changed a head, place by place: there, and nowhere else, the guidance has a say."""

import numpy as np
from torch import Tensor

from idto3d.head.parts import Part
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.work import Work

SKIN = "skin"  # a part, and what it is made of
COLOURED = (
    SKIN,
    "hair",
    "beard",
)  # kinds of materials; of 128 pixels an eye has three, too few to judge
FULL = 24  # of 255: a change of colour from which the guidance has its whole say
FULL_M = 0.0015  # metres: likewise of a vertex


def changed_texels(work: Work) -> dict[str, np.ndarray]:
    """[S, S] float32, 0..1, of each material whose colour the edit has changed; 1 all over one that is new."""
    shares = {}
    for name in (name for name in work.head.painted if kind_of(name) in COLOURED):
        share = _share(work.before.painted.get(name), work.head.painted[name])
        if name in work.allowed.texels and work.allowed.texels[name].shape == share.shape:
            share = share * work.allowed.texels[name]
        if share.any():
            shares[name] = share.astype(np.float32)
    return shares


def _share(before: PaintedMaterial | None, now: PaintedMaterial) -> np.ndarray:
    if before is None or before.albedo.shape != now.albedo.shape:
        return np.ones(now.albedo.shape[:2], np.float32)
    gap = np.abs(now.albedo[..., :3].astype(np.int16) - before.albedo[..., :3]).max(-1)
    return np.minimum(gap / FULL, 1)


def moved_vertices(work: Work) -> Tensor | None:
    """[V] 0..1 of the skin where the edit has moved it; None where it has not."""
    before, now = (_skin(one) for one in (work.before, work.head))
    if before.vertices.shape != now.vertices.shape:
        return None
    share = ((now.vertices - before.vertices).norm(dim=-1) / FULL_M).clamp(max=1)
    if SKIN in work.allowed.vertices:
        share = share * work.allowed.vertices[SKIN].to(share)
    return share if bool((share > 0).any()) else None


def _skin(head) -> Part:
    return next(part for part in head.head.parts if part.name == SKIN)
