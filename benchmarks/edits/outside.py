"""What an edit has changed outside the region that was asked for: nothing may."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree

from benchmarks.edits.pair import Pair
from idto3d.head.paint.atlas import texels_of_parts
from idto3d.head.parts import Part
from idto3d.render.painted import MAPS, PaintedMaterial
from idto3d.training.measure.heads.finished import OneHead

# Texels of a texture of 1024 that soft borders may reach beyond a region: three millimetres of skin, a tenth of one of
# an eye.
WIDER = {"skin": 9, "eyes": 2}
UNDER_M = 0.016  # metres: skin so near to hair lies under it, whose shade is soft and reaches to about fifteen


@dataclass(frozen=True)
class Where:
    """What may change: the parts and materials of these names, and of others the named regions of their textures.

    under: parts of which the skin below them may change as well, where they are before or after. whole: anything may.
    """

    parts: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    regions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    under: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Outside:
    """How many texels and vertices differ where nothing may."""

    texels: int
    vertices: int


def outside(pair: Pair, where: Where) -> Outside:
    """Counts by the bits of what was saved; a part or a texture that came or went counts as a whole."""
    if where.whole:
        return Outside(0, 0)
    before, after = (one.saved.painted for one in (pair.before, pair.after))
    texels = sum(
        _texels(before.get(name), after.get(name), _open(name, where, pair))
        for name in before.keys() | after.keys()
        if name not in where.materials
    )
    names = {part.name for one in (pair.before, pair.after) for part in one.saved.head.parts} - {*where.parts}
    return Outside(texels, sum(_vertices(pair.before, pair.after, name) for name in names))


def _open(name: str, where: Where, pair: Pair) -> np.ndarray | None:
    """[S, S] bool where a texture may change; None where it may not, or is not the template's."""
    regions, painted = dict(where.regions), pair.before.saved.painted
    if name not in WIDER or name not in painted:
        return None
    size = len(painted[name].albedo)
    free = (
        pair.layout.texels(name, regions[name], size, WIDER[name]) if name in regions else np.zeros((size, size), bool)
    )
    return free | _below(where.under, pair, size) if name == "skin" and where.under else free


def _below(names: tuple[str, ...], pair: Pair, size: int) -> np.ndarray:
    """[S, S] bool: skin that lies under one of the parts of these names."""
    grown = [part for one in (pair.before, pair.after) for name in names if (part := one.part(name)) is not None]
    if not grown:
        return np.zeros((size, size), bool)
    texels = texels_of_parts(pair.layout.template, ("skin",), size)
    points = texels.read(pair.before.part("skin").vertices.numpy())
    gap, _ = cKDTree(np.concatenate([_surface(part) for part in grown])).query(points)
    return texels.spread((gap < UNDER_M)[:, None])[..., 0]


def _surface(part: Part) -> np.ndarray:
    """[N, 3] the vertices of a part and the middles of its triangles, some of which are centimetres long."""
    corners = part.vertices.numpy()[part.faces.numpy()]
    return np.concatenate([part.vertices.numpy(), corners.mean(1)])


def _texels(before: PaintedMaterial | None, after: PaintedMaterial | None, free: np.ndarray | None) -> int:
    differ = differing(before, after)
    return int((differ if free is None else differ & ~free).sum())


def differing(before: PaintedMaterial | None, after: PaintedMaterial | None) -> np.ndarray:
    """[S, S] bool: the texels of which any map differs; all where one of the two is missing."""
    if before is None or after is None or before.albedo.shape != after.albedo.shape:
        return np.ones((after or before).albedo.shape[:2], bool)
    found = np.zeros(before.albedo.shape[:2], bool)
    for kind in MAPS:
        one, other = (getattr(material, kind) for material in (before, after))
        if (one is None) != (other is None):
            return np.ones_like(found)
        if one is not None:
            found |= (one != other).reshape(*found.shape, -1).any(-1)
    return found


def _vertices(before: OneHead, after: OneHead, name: str) -> int:
    one, other = before.part(name), after.part(name)
    if one is None or other is None or not _same_layout(one, other):
        return len((other or one).vertices)
    moved = (one.vertices != other.vertices).any(-1)
    return int((moved | (one.displacements != other.displacements).any(-1).any(0)).sum())


def _same_layout(one: Part, other: Part) -> bool:
    if one.vertices.shape != other.vertices.shape or one.displacements.shape != other.displacements.shape:
        return False
    return torch.equal(one.faces, other.faces) and torch.equal(one.uvs, other.uvs) and one.material == other.material
