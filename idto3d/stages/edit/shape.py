"""The shape of a head by words: older, a baby, of another gender or ancestry, and still the same person.

What is added to the person's own surface is the difference that the words make to the template: it is settled before
and after, so that lids, lips and teeth lie where they belong. Metres.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.head.features.assemble import at_rest, displacements, settled, weights_of
from idto3d.head.features.carried import carried, taken_along
from idto3d.head.features.eased import eased, soft_cheeks
from idto3d.head.features.eyes import NAMES as EYE_NAMES
from idto3d.head.features.eyes import eye_of
from idto3d.head.glasses.part import NAME as GLASSES
from idto3d.head.glasses.part import Build, build_of, glasses_for
from idto3d.head.hair.scalp import MeanSpace, smoothstep
from idto3d.head.motion.lips import mouth_of
from idto3d.head.parts import Head, Part
from idto3d.head.prior import HeadPrior
from idto3d.head.sculpt.features import formed, sculpted
from idto3d.head.template import EYE_SOCKETS, MOUTH_SOCKET
from idto3d.head.template_model import Template
from idto3d.stages.edit.remembered import remembered, telling
from idto3d.stages.edit.who import (
    age_called,
    asks_for_shape,
    code_change,
    coefficients_of,
    features_after,
    features_changed,
    forms_after,
    forms_changed,
    held,
    held_by,
    in_code,
    own_share,
    place_of,
)
from idto3d.stages.edit.work import Work
from idto3d.stages.hair import scalp_skin
from idto3d.stages.saved import FinishedHead
from idto3d.words.traits import SMALL

RIGID = (*EYE_NAMES, "teeth", "gums_tongue")  # parts that are moved as a whole
EASED = 24  # rings of vertices over which what may move passes into what may not
HANGS_M = (0.008, 0.025)  # metres off the skin between which hair ceases to lie on what is under it
ASKED_M = 0.0002  # by which an edit moves lips, metres, from which on they have to close anew
UNSEEN_M = 0.00002  # less than which nothing is moved, metres
GEOMETRY = "geometry"


def reshaped(work: Work) -> Work:
    """The head in the shape that the request asks for; the same where it asks for none.

    Every expression moves the new face as it moves such a face, with what this head's own differs by.
    """
    if not asks_for_shape(work) or not work.options.strength:
        return work
    if work.options.keep == GEOMETRY:
        return telling(work, "The shape stays as it is, because geometry is to be kept.")
    if not isinstance(work.prior, HeadPrior):
        return telling(work, "These weights know no words for shapes, so the shape stays as it is.")
    change = work.options.strength * code_change(work)
    pushed = work.options.strength * _pushed(work)
    if not (change.any() or pushed.any()):
        return telling(work, "The head has that shape already.")
    return replace(work, head=_reshaped(work, change, pushed))


def _pushed(work: Work) -> Tensor:
    """[V, 3] metres by which features and forms of people change the head, for an edit of full strength."""
    pushed = sculpted(work.template, features_changed(work), work.head.start.words().get("age", ""))
    return pushed if in_code(work.head.options) else pushed + formed(work.template, forms_changed(work))


@torch.no_grad()
def _reshaped(work: Work, change: Tensor, pushed: Tensor) -> FinishedHead:
    """The head whose shape code changes by `change` [K], and whose template's vertices are `pushed` [V, 3] besides."""
    head, template = work.head.head, work.template
    before, after = _coefficients(work, change)
    old, share = _joined(head, template), free_share(work)
    moved = pushed + (_moved(work, before, after) if change.any() else 0.0)
    new = old + share[:, None] * _seen(moved)
    new = new + share[:, None] * _placed(template, old, new)
    reshaped = _head(head, template, old, new, share)
    meshes = {name: _mesh(name, part, head, reshaped) for name, part in work.head.meshes.items()}
    kept = replace(work.head, head=reshaped, meshes=meshes, coefficients=_kept(work.head, change, after))
    return remembered(kept, _called(work, kept), change, features_after(work) | forms_after(work))


def _seen(moved: Tensor) -> Tensor:
    """[V, 3] what is `moved` [V, 3] without the ends of its slopes, which reach over half of the face."""
    far = moved.norm(dim=1, keepdim=True)
    return moved * (1 - UNSEEN_M / far.clamp_min(UNSEEN_M))


def _placed(template: Template, old: Tensor, new: Tensor) -> Tensor:
    """[V, 3] metres by which eyes, lids, lips and teeth follow an edit from `old` [V, 3] to `new`, where it moves them.

    The old head would be moved as well, for what settles it never quite ends: only what is more is the edit's.
    """
    mouth, far = mouth_of(template), (new - old).norm(dim=1)
    asked = bool(far[mouth.zone[torch.cat([lip.own for lip in mouth.lips])]].max() > ASKED_M)
    place = at_rest if asked else settled
    before, after = (place(template, one) - one for one in (old, new))
    follows = (far / ASKED_M).clamp_max(1)
    for name in EYE_NAMES:  # as a whole, with their lids
        follows[template.part(name).vertices] = follows[EYE_SOCKETS].max()
    if asked:
        inner = [template.part(name).vertices for name in ("teeth", "gums_tongue")]
        for own in (mouth.zone, MOUTH_SOCKET, *inner):
            follows[own] = 1
    return follows[:, None] * (after - before)


def _moved(work: Work, before: Tensor, after: Tensor) -> Tensor:
    """[V, 3] metres from the template's head of coefficients `before` [C] to that of `after`, both settled.

    On the way to a child or from one, jaw, neck, skull and cheeks are soft, as those of children of words are.
    """
    template, shape = work.template, work.template.shape(before)
    change = template.shape(after) - shape
    small = [_small(held_by(one, template, work.prior)) for one in (before, after)]
    if max(small) > 0:
        change = torch.lerp(change, eased(template, change), max(small))
    old, new = (_softened(template, *one) for one in zip((shape, shape + change), small, strict=True))
    return settled(template, new) - settled(template, old)


def _softened(template: Template, shape: Tensor, small: float) -> Tensor:
    """[V, 3] a head `shape` [V, 3] with the cheeks of somebody who is `small` by 0..1."""
    return torch.lerp(shape, soft_cheeks(template, shape), small) if small > 0 else shape


def _small(amounts: Mapping[str, float]) -> float:
    """0..1 how far a head with these amounts of words is a child's."""
    return min(sum(amounts.get(word, 0.0) for word in SMALL), 1.0)


def _coefficients(work: Work, change: Tensor) -> tuple[Tensor, Tensor]:
    """[C] the template's coefficients of the head, and those it shall have.

    What no word says of a face shows less in a child, as in children of words, and more again in who grows up.
    """
    head, template, prior = work.head, work.template, work.prior
    before, shift = coefficients_of(head, prior), prior.expected_coefficients(change)
    if in_code(head.options):
        return before, before + shift
    shown = [own_share(held_by(one, template, prior)) for one in (before, before + shift)]
    kept = torch.ones_like(before)
    kept[: len(before) - len(template.words)] = shown[1] / shown[0]
    return before, kept * before + shift


def _kept(head: FinishedHead, change: Tensor, after: Tensor) -> Tensor:
    return head.coefficients + change if in_code(head.options) else after


def _called(work: Work, head: FinishedHead) -> dict[str, str]:
    """The words for who the head is now, by attribute."""
    said = {name: word for name, word in work.request.traits.items() if name in ("age", "gender", "ancestry")}
    if work.request.years and "age" not in said:
        said["age"] = age_called(place_of(held(head, work.template, work.prior)))
    return said


def _joined(head: Head, template: Template) -> Tensor:
    """[V, 3] the vertices of the template's parts."""
    return torch.cat([part.vertices for part in head.parts[: len(template.parts)]])


def free_share(work: Work) -> Tensor:
    """[V] 0..1 how far each of the template's vertices may move: nowhere where it may not, and little beside."""
    template, allowed = work.template, work.allowed.vertices
    skin = template.part("skin")
    share = _eased(_of(allowed, skin.name, len(work.head.head.parts[0].vertices)), skin.faces.cpu().numpy())
    near = cKDTree(template.neutral[skin.vertices].cpu().numpy()).query(template.neutral.cpu().numpy())[1]
    found = share[near]
    for part in template.parts[1:]:
        own = _of(allowed, part.name, part.vertices.stop - part.vertices.start)
        carrying = found[part.vertices]
        found[part.vertices] = own.min() * carrying.mean() if part.name in RIGID else np.minimum(own, carrying)
    return torch.from_numpy(found).to(template.neutral)


def _of(allowed: Mapping[str, Tensor], name: str, count: int) -> np.ndarray:
    return allowed[name].cpu().double().numpy() if name in allowed else np.ones(count)


def _eased(share: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """`share` [V] that falls to its border gently, inside of it."""
    if share.min() == 1:
        return share
    count = np.maximum(np.bincount(faces.ravel(), minlength=len(share)), 1)
    least = share.copy()
    for _ in range(EASED):
        around = np.bincount(faces.ravel(), least[faces].mean(1).repeat(3), len(share)) / count
        least = np.minimum(share, around)
    return least


def _head(head: Head, template: Template, old: Tensor, new: Tensor, share: Tensor) -> Head:
    """The head whose template's vertices `old` [V, 3] go to `new` [V, 3], with its expressions and all it wears."""
    weights = weights_of(template, head.expressions)
    change = displacements(template, new, weights) - displacements(template, old, weights)
    change = share[:, None] * change
    own = template.part("skin").vertices
    parts = [
        replace(
            part,
            vertices=new[place.vertices],
            displacements=part.displacements + change[:, place.vertices],
            pivot=part.pivot if part.pivot is None else eye_of(template, new, EYE_NAMES.index(part.name)).centre,
        )
        for part, place in zip(head.parts, template.parts, strict=False)
    ]
    reshaped = Head(head.expressions, tuple(parts))
    space = MeanSpace(replace(scalp_skin(head, template), mean=scalp_skin(reshaped, template).vertices))
    carry = (old[own], new[own] - old[own], change[:, own])
    others = [
        _loose(carried(part, *carry), part, old[own], space)
        for part in head.parts[len(template.parts) :]
        if part.name != GLASSES
    ]
    reshaped = Head(head.expressions, (*parts, *others))
    worn = next((part for part in head.parts if part.name == GLASSES), None)
    return reshaped if worn is None else _wearing_glasses(reshaped, template, build_of(worn))


def _loose(placed: Part, part: Part, skin: Tensor, space: MeanSpace) -> Part:
    """A part as it is `placed` by the nearest `skin` [S, 3], but where it hangs off it as all the head around goes.

    space: carries points from the head before to the head it is now.
    """
    points = part.vertices.cpu().double().numpy()
    gap = cKDTree(skin.cpu().numpy()).query(points)[0]
    loose = torch.from_numpy(smoothstep(gap, *HANGS_M))[:, None].to(skin)
    around = torch.from_numpy(space.to_mean(points)).to(skin)
    return replace(placed, vertices=torch.lerp(placed.vertices, around, loose))


def _wearing_glasses(head: Head, template: Template, build: Build) -> Head:
    """The head with glasses of the same build that fit it: they do not bend."""
    return head.wearing(glasses_for(scalp_skin(head, template), len(head.expressions), build))


def _mesh(name: str, part: Part, before: Head, after: Head) -> Part:
    """An expression that was grown as a mesh of its own, taken along with the skin in that expression."""
    number = before.expressions.index(name)
    old, new = (head.parts[0].positions()[number] for head in (before, after))
    return replace(part, vertices=part.vertices + taken_along(old, new - old, part.vertices))
