"""Hair that a mask parts: cards inside it get a texture of their own, since cards all over a head share tiles."""

from dataclasses import replace

import torch
from torch import Tensor

from idto3d.head.parts import Head, Part
from idto3d.stages.edit.work import Work
from idto3d.stages.saved import FinishedHead

KINDS = ("hair", "beard")  # of parts whose faces share texels
INSIDE = 0.5  # share of a face that may change from which it does


def kind_of(name: str) -> str:
    """What a part or a material is that an edit has parted: "hair 2" is hair."""
    return name.split(" ")[0]


def parted(head: FinishedHead, changed: Work) -> FinishedHead:
    """The sealed `head` of an edit with the cards inside its mask as parts of their own, in the new colour.

    changed: the work as it was before the seal took back what cards outside the mask share.
    """
    for part in changed.before.head.parts:
        if kind_of(part.name) in KINDS and (inside := _inside(part, head, changed)) is not None:
            head = _apart(head, part, inside, changed)
    return head


def _inside(part: Part, head: FinishedHead, changed: Work) -> Tensor | None:
    """[F] bool the faces of a part that take a new colour; None where that is no question."""
    share, now = changed.allowed.vertices.get(part.name), changed.head.painted.get(part.material)
    was = changed.before.painted[part.material]
    kept = not any(one is part for one in head.head.parts) or changed.options.keep == "texture"
    if share is None or now is None or kept or now.albedo.shape != was.albedo.shape:
        return None
    inside = share[part.faces.cpu()].mean(1) >= INSIDE
    recoloured = bool((now.albedo != was.albedo).any()) and part.material in _asked(changed)
    return inside if recoloured and 0 < int(inside.sum()) < len(inside) else None


def _asked(changed: Work) -> set[str]:
    """The materials among KINDS whose colour the request names."""
    request = changed.request
    named = {"hair": "hair_colour" in request.traits, "beard": "beard" in request.colours}
    return {name for name in changed.before.painted if named.get(kind_of(name), False)}


def _apart(head: FinishedHead, part: Part, inside: Tensor, changed: Work) -> FinishedHead:
    names = {one.name for one in head.head.parts} | set(head.painted)
    number = next(number for number in range(2, len(names) + 3) if f"{kind_of(part.name)} {number}" not in names)
    name = f"{kind_of(part.name)} {number}"
    pieces = (some(part, ~inside), replace(some(part, inside), name=name, material=name))
    parts = [piece for one in head.head.parts for piece in (pieces if one.name == part.name else (one,))]
    painted = {
        **head.painted,
        part.material: changed.before.painted[part.material],
        name: changed.head.painted[part.material],
    }
    return replace(head, head=Head(head.head.expressions, tuple(parts)), painted=painted)


def some(part: Part, chosen: Tensor) -> Part:
    """A part's `chosen` [F] faces and their vertices alone."""
    chosen = chosen.to(part.faces.device)
    used, faces = torch.unique(part.faces[chosen], return_inverse=True)
    return replace(
        part,
        vertices=part.vertices[used],
        faces=faces,
        displacements=part.displacements[:, used],
        uvs=None if part.uvs is None else part.uvs[chosen],
        normals=None if part.normals is None else part.normals[used],
    )


def whole(head: FinishedHead, kind: str) -> FinishedHead:
    """The head with hair (or a beard) of one part again, the others left out: the style that follows replaces them."""
    parts = tuple(part for part in head.head.parts if kind_of(part.name) != kind or part.name == kind)
    used = {part.material for part in parts}
    painted = {name: one for name, one in head.painted.items() if name in used}
    return replace(head, head=Head(head.head.expressions, parts), painted=painted)
