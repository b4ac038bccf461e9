"""The end of an edit: whatever happened on the way, what was not to change is bit for bit what it was."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import torch
from torch import Tensor

from idto3d.head.parts import Head, Part
from idto3d.render.painted import MAPS, PLAIN, PaintedMaterial
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.paint.region import both, changes_all, region_of
from idto3d.stages.edit.work import Allowed, Work
from idto3d.stages.saved import FinishedHead

FILES = {"roughness": "metallic_roughness"}  # what maps are called in files, where that is otherwise


def sealed(work: Work) -> FinishedHead:
    """The head of `work`, changed only where the request asks for it and `allowed` lets it, and as `keep` says.

    What is allowed in part changes in part. Elsewhere texels are byte for byte and vertices bit for bit those of
    before. A part that has come or gone is as the work has it where the request is about such parts and they may
    change anywhere.
    """
    before, after, keep = work.before, work.head, work.options.keep
    reach = both(region_of(work), work.allowed)
    parts = before.head.parts if keep == "geometry" else _parts(work, reach)
    painted = _painted(work, reach, parts)
    return replace(after, head=Head(before.head.expressions, parts), painted=painted)


def same_head(before: FinishedHead, after: FinishedHead) -> bool:
    """Whether two heads have the same parts, bit for bit, and the same textures."""
    parts, materials = (before.head.parts, after.head.parts), (before.painted, after.painted)
    if [part.name for part in parts[0]] != [part.name for part in parts[1]] or materials[0].keys() != materials[
        1
    ].keys():
        return False
    return all(map(_same_part, *parts)) and all(
        _same_maps(one, materials[1][name]) for name, one in before.painted.items()
    )


def kept_textures(before: FinishedHead, after: FinishedHead) -> set[str]:
    """The textures that both have alike, "MATERIAL_KIND" by the kinds that are exported."""
    return {
        f"{name}_{FILES.get(kind, kind)}"
        for name, now in after.painted.items()
        if name in before.painted
        for kind in MAPS
        if _same_map(getattr(before.painted[name], kind), getattr(now, kind))
    }


def kept_parts(before: FinishedHead, after: FinishedHead) -> set[str]:
    """The parts that both have alike, bit for bit, and wear alike: with relief or without, solid or not."""
    known = {part.name: part for part in before.head.parts}
    pairs = [(known[part.name], part) for part in after.head.parts if part.name in known]
    return {now.name for was, now in pairs if _equal_part(was, now) and _worn(before, was) == _worn(after, now)}


def _worn(head: FinishedHead, part: Part) -> tuple:
    """What of a part's material its mesh depends on."""
    material = head.painted.get(part.material)
    return () if material is None else (part.material, material.albedo.shape[-1], material.normal is None)


def _equal_part(before: Part, after: Part) -> bool:
    names = [field.name for field in fields(Part)]
    return before is after or all(_same_value(getattr(before, name), getattr(after, name)) for name in names)


def _same_value(before, after) -> bool:
    if isinstance(before, Tensor) and isinstance(after, Tensor):
        return before is after or torch.equal(before, after)
    return type(before) is type(after) and not isinstance(before, Tensor) and before == after


def _same_map(before: np.ndarray | None, after: np.ndarray | None) -> bool:
    if before is None or after is None:
        return before is after
    return before is after or np.array_equal(before, after)


def _same_part(before: Part, after: Part) -> bool:
    return before is after or (
        same_layout(before, after)
        and torch.equal(before.vertices, after.vertices)
        and torch.equal(before.displacements, after.displacements)
    )


def _same_maps(before: PaintedMaterial, after: PaintedMaterial) -> bool:
    return before is after or all(_same_map(getattr(before, name), getattr(after, name)) for name in MAPS)


def _parts(work: Work, reach: Allowed) -> tuple[Part, ...]:
    old, new = ({part.name: part for part in one.head.parts} for one in (work.before, work.head))
    kept = []
    for name, part in old.items():
        share = reach.vertices.get(name)
        if share is not None and not bool((share > 0).any()):
            kept.append(part)
        elif name in new:
            kept.append(moved(part, new[name], share))
    come = [part for name, part in new.items() if name not in old and _may_come(name, work, reach)]
    return (*kept, *come)


def _may_come(name: str, work: Work, reach: Allowed) -> bool:
    """Whether a part that was not there is one that the request asks for, and no lock forbids."""
    request, kind = work.request, kind_of(name)
    asked = {"hair": "hair_style" in request.traits, "beard": "beard" in request.traits}
    asked |= {"glasses": request.glasses is not None}
    locked = "hair" in work.options.locks and kind == "hair"
    return not locked and (asked.get(kind, False) or changes_all(request))


def moved(before: Part, after: Part, share: Tensor | None) -> Part:
    """A part that may change by the `share` [V] 0..1 of the way; as a whole where None, or it is another mesh now."""
    if share is None or not same_mesh(before, after):
        return after
    share = share.to(before.vertices)
    vertices = _between(before.vertices, after.vertices, share[:, None])
    displacements = _between(before.displacements, after.displacements, share[None, :, None])
    normals = after.normals
    if before.normals is not None and after.normals is not None:
        normals = torch.nn.functional.normalize(_between(before.normals, after.normals, share[:, None]), dim=-1)
        normals = torch.where(share[:, None] > 0, normals, before.normals)
    return replace(after, vertices=vertices, displacements=displacements, normals=normals, pivot=after.pivot)


def same_mesh(before: Part, after: Part) -> bool:
    """Whether two parts have the same faces over as many vertices."""
    return before.vertices.shape == after.vertices.shape and torch.equal(before.faces, after.faces)


def _between(before: Tensor, after: Tensor, share: Tensor) -> Tensor:
    """From `before` to `after` by `share`, exactly the one at 0 and the other at 1."""
    mixed = torch.where(share < 1, torch.lerp(before, after, share.clamp(0, 1)), after)
    return torch.where(share > 0, mixed, before)


def _painted(work: Work, reach: Allowed, parts: tuple[Part, ...]) -> dict[str, PaintedMaterial]:
    """The textures of the materials of `parts`, which are those that the sealed head has."""
    old, new, painted = work.before.painted, work.head.painted, {}
    for name in dict.fromkeys(part.material for part in parts):
        mine = [part for part in parts if part.material == name]
        if name in old and not laid_as(work.head, mine):  # it is the texture of a mesh that was not to come
            painted[name] = old[name]
        elif name not in old or not laid_as(work.before, mine):
            painted[name] = new[name]
        elif work.options.keep == "texture":
            painted[name] = old[name]
        else:
            painted[name] = mixed(old[name], new[name], reach.texels.get(name))
    return painted


def laid_as(head: FinishedHead, parts: Sequence[Part]) -> bool:
    """Whether `parts` have the meshes and texture coordinates that a head's parts of these names have."""
    known = {part.name: part for part in head.head.parts}
    return all(part.name in known and same_layout(known[part.name], part) for part in parts)


def same_layout(before: Part, after: Part) -> bool:
    """Whether two parts lie alike on their textures."""
    if before is after:
        return True
    alike = same_mesh(before, after) and (before.uvs is None) == (after.uvs is None)
    return alike and (before.uvs is None or torch.equal(before.uvs, after.uvs))


def mixed(before: PaintedMaterial, after: PaintedMaterial, share: np.ndarray | None) -> PaintedMaterial:
    """From `before` to `after` by `share` [S, S] 0..1, byte for byte the one at 0 and the other at 1; None is 1."""
    if before is after or share is None:
        return after
    if not (share > 0).any():
        return before
    if before.roughness.shape != after.roughness.shape or before.albedo.shape != after.albedo.shape:
        return after
    return PaintedMaterial(**{name: _map(name, getattr(before, name), getattr(after, name), share) for name in MAPS})


def _map(name: str, before: np.ndarray | None, after: np.ndarray | None, share: np.ndarray) -> np.ndarray | None:
    if after is None or before is after:
        return before
    flat = before
    if before is None:
        flat = np.broadcast_to(np.array(PLAIN[name], np.uint8).reshape((1, 1, -1)[: after.ndim]), after.shape)
    share = share.reshape(*share.shape, *[1] * (after.ndim - 2))
    part = np.round(flat + share.clip(0, 1) * (after.astype(np.float32) - flat)).astype(np.uint8)
    return np.where(share > 0, np.where(share < 1, part, after), flat)
