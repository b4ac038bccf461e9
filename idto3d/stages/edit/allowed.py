"""Where a head may change: inside a painted mask, which lies on the skin's texture or in a view, and outside locks."""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.spatial import cKDTree

from idto3d.config import EditOptions
from idto3d.evidence.projection import ramp
from idto3d.head.template_model import Template
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.paint.place import Place, place_of, scalp_zone
from idto3d.stages.edit.paint.region import both
from idto3d.stages.edit.seen.mask import mask_of
from idto3d.stages.edit.seen.shared import least_over
from idto3d.stages.edit.work import Allowed
from idto3d.stages.saved import FinishedHead

HELD_M = (0.002, 0.020)  # metres from what is locked between which a shape becomes free again
CORE = 0.3  # of a soft region from which its vertices are locked
WHOLE = 0.9  # share of a texel in a locked region from which it is wholly locked
EDGE = 0.5  # of a soft region from which its texels are wholly locked
OWN = {"eyes": {"eyes", "lashes"}, "mouth": {"teeth", "mouth"}, "hair": {"hair"}}  # materials of a region
PARTS = {  # and its parts
    "eyes": {"eye_left", "eye_right", "lashes"},
    "mouth": {"teeth", "gums_tongue"},
    "hair": {"hair"},
}


def allowed_of(before: FinishedHead, options: EditOptions, template: Template) -> Allowed:
    """Where the masks and locks of `options` let the head change.

    Raises UserError where the mask cannot be read, or nothing in it is painted.
    """
    place = place_of(template, len(before.painted["skin"].albedo))
    found = Allowed({}, {})
    if options.mask:
        mask = mask_of(before, options, place)
        found = _allowed({"skin": mask.skin}, mask.vertices, before)
    for name in options.locks:
        found = both(found, unlocked(name, before, place))
    return found


def _allowed(texels: Mapping[str, np.ndarray], vertices: Mapping[str, np.ndarray], before: FinishedHead) -> Allowed:
    """`texels` and `vertices`, with the texels of the other materials as their vertices are."""
    found = dict(texels)
    for name, material in before.painted.items():
        if name not in found:
            parts = [part for part in before.head.parts if part.material == name]
            found[name] = least_over(parts, vertices, len(material.roughness))
    moves = {name: torch.from_numpy(np.ascontiguousarray(one)).float() for name, one in vertices.items()}
    return Allowed({name: one.astype(np.float32) for name, one in found.items()}, moves)


def unlocked(region: str, before: FinishedHead, place: Place) -> Allowed:
    """Everything but a region of config.REGIONS."""
    core = _core(region, place)
    texels = {name: np.zeros(one.roughness.shape, np.float32) for name, one in before.painted.items()}
    texels = {name: one for name, one in texels.items() if kind_of(name) in OWN.get(region, ())}
    on_skin = place.texels.read(core[:, None])[:, 0]
    if region == "hair":
        on_skin = np.maximum(on_skin, ramp(scalp_zone(before.head, place), 0.0, 0.1))
    free = 1 - ramp(on_skin, 0.0, WHOLE)
    texels["skin"] = place.texels.spread(free[:, None])[..., 0].astype(np.float32)
    held = place.mean[core > CORE]
    gap = cKDTree(held).query(place.mean)[0] if len(held) else np.full(len(core), np.inf)
    vertices = {"skin": torch.from_numpy(ramp(gap, *HELD_M)).float()}
    for part in before.head.parts:
        if kind_of(part.name) in PARTS.get(region, ()):
            vertices[part.name] = torch.zeros(len(part.vertices))
    return Allowed(texels, vertices)


def _core(region: str, place: Place) -> np.ndarray:
    """[V] 0..1 how much the skin's vertices belong to a region."""
    masks = place.masks
    if region == "skin":
        return np.ones(len(place.mean))
    if region == "mouth":
        return np.maximum(np.clip(masks["lips"] / EDGE, 0, 1), masks["mouth"])
    if region == "eyes":
        return np.maximum(masks["sockets"], masks["eye_zone"])
    if region == "hair":
        return np.zeros(len(place.mean))
    return np.clip(masks[region] / EDGE, 0, 1)
