"""Hair that a mask parts: it is cut along the mask, and what is inside gets a texture of its own.

Cards all over a head share their tiles, so that a part of them cannot have another colour within one texture.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from idto3d.head.parts import Head, Part
from idto3d.stages.edit.seen.cut import cut, some
from idto3d.stages.edit.seen.shown import rest_number
from idto3d.stages.edit.work import Allowed, Work
from idto3d.stages.saved import FinishedHead
from idto3d.words.edits import EditRequest

KINDS = ("hair", "beard")  # of parts whose faces share texels
EVENED_M, ISLAND_M2 = 0.004, 1.0e-4  # metres about a place, square metres: what is finer at a border is chance
Share = Callable[[str, np.ndarray], np.ndarray]


def kind_of(name: str) -> str:
    """What a part or a material is that an edit has parted: "hair 2" is hair."""
    return name.split(" ")[0]


def parted(work: Work, share: Share) -> Work:
    """An edit that has just begun, in which hair or a beard whose colour is asked for is cut along its mask.

    share(name, points): [N] 0..1 how far points [N, 3] of the part of that name, metres at rest, may change.
    """
    asked = set() if work.options.keep == "texture" else recoloured_kinds(work.request)
    for part in work.before.head.parts:
        locked = not bool((work.allowed.vertices.get(part.name, torch.zeros(1)) > 0).any())
        if kind_of(part.name) in asked and not locked:
            work = _apart(work, part, share)
    return work


def recoloured_kinds(request: EditRequest) -> set[str]:
    """Those of KINDS of which a request names the colour, and which it does not replace."""
    traits = request.traits
    hair = "hair_colour" in traits and "hair_style" not in traits
    beard = "beard" in request.colours and "beard" not in traits
    return {kind for kind, asked in zip(KINDS, (hair, beard), strict=True) if asked}


def _apart(work: Work, part: Part, share: Share) -> Work:
    """The work with a part in two, unless all of it lies on one side of the mask."""
    number = rest_number(work.before.head)
    whole, inside = cut(part, number, lambda points: evened(partial(share, part.name), points))
    inside = torch.from_numpy(without_islands(whole, number, inside.numpy()))
    if not inside.any() or inside.all():
        return work
    head = work.before
    name = _free_name(kind_of(part.name), head)
    pieces = (some(whole, ~inside), replace(some(whole, inside), name=name, material=name))
    parts = [piece for one in head.head.parts for piece in (pieces if one.name == part.name else (one,))]
    painted = {**head.painted, name: head.painted[part.material]}
    before = replace(head, head=Head(head.head.expressions, tuple(parts)), painted=painted)
    points = [piece.positions()[number].cpu().double().numpy() for piece in pieces]
    shares = [share(part.name, one) for one in points]
    return replace(work, before=before, head=before, allowed=_allowed(work.allowed, pieces, shares))


def evened(share: Callable[[np.ndarray], np.ndarray], points: np.ndarray) -> np.ndarray:
    """[N] the mean of a `share` about `points` [N, 3]: a border drawn by hand, over many layers, is ragged."""
    around = EVENED_M * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
    return np.mean([share(points + step) for step in around], 0)


def without_islands(part: Part, number: int, inside: np.ndarray) -> np.ndarray:
    """[F] bool `inside` of a part's faces, without pieces of cards that are too small to be meant by themselves."""
    points, faces = part.positions()[number].cpu().double().numpy(), part.faces.cpu().numpy()
    a, b, c = points[faces[:, 0]], points[faces[:, 1]], points[faces[:, 2]]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    cards, own = _pieces(faces, len(points)), np.flatnonzero(inside)
    pieces = _pieces(faces[own], len(points))
    small = np.bincount(pieces, area[own])[pieces] < ISLAND_M2
    large_card = np.bincount(cards, area)[cards[own]] > 2 * ISLAND_M2
    kept = inside.copy()
    kept[own[small & large_card]] = False  # the other way round a change would leave its mask
    return kept


def _pieces(faces: np.ndarray, count: int) -> np.ndarray:
    """[F] the number of the piece that each of `faces` [F, 3], over `count` vertices, belongs to."""
    pairs = np.concatenate([faces[:, :2], faces[:, 1:]])
    joined = coo_matrix((np.ones(len(pairs), bool), pairs.T), shape=(count, count))
    return connected_components(joined, directed=False)[1][faces[:, 0]]


def _free_name(kind: str, head: FinishedHead) -> str:
    names = {one.name for one in head.head.parts} | set(head.painted)
    return next(name for number in range(2, len(names) + 3) if (name := f"{kind} {number}") not in names)


def _allowed(allowed: Allowed, pieces: Sequence[Part], shares: Sequence[np.ndarray]) -> Allowed:
    """What two pieces may change: the second its texture, the first not, both their vertices by their `shares` [V]."""
    moves = {one.name: torch.from_numpy(share).float() for one, share in zip(pieces, shares, strict=True)}
    size = allowed.texels[pieces[0].material].shape
    texels = {one.material: np.full(size, value, np.float32) for one, value in zip(pieces, (0.0, 1.0), strict=True)}
    return Allowed({**allowed.texels, **texels}, {**allowed.vertices, **moves})


def whole(head: FinishedHead, kind: str) -> FinishedHead:
    """The head with hair (or a beard) of one part again, the others left out: the style that follows replaces them."""
    parts = tuple(part for part in head.head.parts if kind_of(part.name) != kind or part.name == kind)
    used = {part.material for part in parts}
    painted = {name: one for name, one in head.painted.items() if name in used}
    return replace(head, head=Head(head.head.expressions, parts), painted=painted)
