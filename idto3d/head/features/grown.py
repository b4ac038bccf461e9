"""The template head laid onto a surface that was grown without parts, in all its expressions. Metres.

The skin goes there where the surface is skin. Lids, lips and nostrils, which a grid cannot tell from what lies behind
them, the scalp below hair and the end of the bust go with what is around them; eyes, teeth, lashes and hair follow the
skin.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.geometry.registration import Surface, laid_onto
from idto3d.head.features.assemble import head_of, settled
from idto3d.head.features.carried import carried, taken_along
from idto3d.head.features.eyes import NAMES as EYE_NAMES
from idto3d.head.features.regions import regions_of
from idto3d.head.parts import Head
from idto3d.head.template import LANDMARKS
from idto3d.head.template_model import Template

END_M = (0.01, 0.04)  # distances from the base between which the skin begins to go to the surface
NOSTRILS, NOSTRIL_M = slice(31, 36), (0.012, 0.022)  # among LANDMARKS; likewise from them, their depth included
EAR_TRUST = 0.3  # ears are finer than a coarse grid
MOTION_LENGTHS_M = (0.012, 0.006)  # of what an expression may differ from the template's, see `geometry.registration`
MOTION_HOLD = 0.3  # how firmly the template's own motion is kept


def laid_onto_grown(template: Template, head: Head, free: Tensor, surfaces: Mapping[str, Surface]) -> Head:
    """The template's `head`, which lies about there, on the grown `surfaces`: of the neutral and other expressions.

    free [V of the skin]: 0..1, where it may be moved. Expressions without a surface move as the template does on the
    head that the neutral surface makes.
    """
    own = template.part("skin")
    vertices = torch.cat([part.vertices for part in head.parts[: len(template.parts)]])
    trust = _trust(template, free)
    moved = laid_onto(surfaces["neutral"], vertices[own.vertices], own.faces, trust, 1.0 - _from_end(template))
    placed = settled(template, vertices + _followed(template, vertices, moved))
    laid = head_of(template, placed, head.expressions)
    skin = laid.parts[0]
    motion = skin.displacements.clone()
    for name in surfaces.keys() - {"neutral"}:
        place = head.expressions.index(name)
        posed = skin.vertices + motion[place]
        hold = torch.full_like(trust, MOTION_HOLD)
        motion[place] += trust[:, None] * laid_onto(surfaces[name], posed, own.faces, trust, hold, MOTION_LENGTHS_M)
    change = motion - skin.displacements
    others = [carried(part, vertices[own.vertices], moved, change) for part in head.parts[len(template.parts) :]]
    return Head(head.expressions, (replace(skin, displacements=motion), *laid.parts[1:], *others))


def _trust(template: Template, free: Tensor) -> Tensor:
    """[V] 0..1 how far the skin shall lie on the surface."""
    own = template.part("skin").vertices
    ears, nostrils = regions_of(template).ears[own], template.neutral[list(LANDMARKS[NOSTRILS])]
    return free * _from_end(template) * _far(template, nostrils, NOSTRIL_M) * (1 - (1 - EAR_TRUST) * ears)


def _from_end(template: Template) -> Tensor:
    """[V of the skin] 0 on the base, 1 well above it."""
    return _far(template, template.neutral[template.base], END_M)


def _far(template: Template, places: Tensor, between: tuple[float, float]) -> Tensor:
    """[V of the skin] 0 up to the one distance in metres from `places` [N, 3] on the mean head, 1 from the other on."""
    skin = template.neutral[template.part("skin").vertices]
    gap = torch.from_numpy(cKDTree(places.cpu().numpy()).query(skin.cpu().numpy())[0]).to(skin)
    return ((gap - between[0]) / (between[1] - between[0])).clamp(0, 1)


def _followed(template: Template, vertices: Tensor, moved: Tensor) -> Tensor:
    """[V, 3] metres by which all of a head `vertices` [V, 3] goes where its skin goes by `moved` [S, 3].

    Eyeballs, and the mouth's inside as a whole, are not bent.
    """
    skin = template.part("skin").vertices
    result = torch.zeros_like(vertices)
    result[skin] = moved
    for side, name in enumerate(EYE_NAMES):
        result[template.part(name).vertices] = moved[template.lid_rims[side]].mean(0)
    lips = regions_of(template).lips[skin][:, None]
    for name in ("teeth", "gums_tongue"):
        result[template.part(name).vertices] = (lips * moved).sum(0) / lips.sum()
    lashes = template.part("lashes").vertices
    result[lashes] = taken_along(vertices[skin], moved, vertices[lashes])
    return result
