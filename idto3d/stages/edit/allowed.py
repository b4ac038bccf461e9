"""Where a head may change: inside a painted mask, which lies on the skin's texture or in a view, and outside locks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, map_coordinates
from scipy.spatial import cKDTree

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.evidence.completion import vertex_means
from idto3d.evidence.projection import ramp, read_pixels
from idto3d.head.template_model import Template
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.paint.place import Place, place_of, scalp_zone
from idto3d.stages.edit.paint.region import both
from idto3d.stages.edit.seen.shared import least_over
from idto3d.stages.edit.seen.view import View, view_of
from idto3d.stages.edit.work import Allowed
from idto3d.stages.saved import FinishedHead
from idto3d.subject.images import load_photo

FEATHER = 0.012  # of a mask's side, inside what is painted, over which a change fades in
WHITE = 0.5  # grey from which a mask is painted
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
        mask = painted_mask(Path(options.mask))
        found = on_skin(mask, before, place) if options.mask_space == "uv" else in_view(mask, before, place, options)
    for name in options.locks:
        found = both(found, unlocked(name, before, place))
    return found


def painted_mask(path: Path) -> np.ndarray:
    """[H, W] float32 0..1 of the picture in `path`: 1 deep inside what is white, fading to 0 at its border.

    Raises UserError where it is no picture that can be read, or all of it is dark.
    """
    grey = load_photo(path).mean(-1) / 255
    if not (grey > WHITE).any():
        raise UserError("The mask has nothing white in it.", "Paint white where the head may change.")
    inside = distance_transform_edt(np.pad(grey > WHITE, 1, mode="edge"))[1:-1, 1:-1]
    return (grey * np.clip(inside / max(FEATHER * max(grey.shape), 1.0), 0, 1)).astype(np.float32)


def on_skin(mask: np.ndarray, before: FinishedHead, place: Place) -> Allowed:
    """What a mask on the skin's texture allows: of other parts what lies next to skin that it allows."""
    side = place.texels.covered.shape[0]
    at = (np.stack(np.mgrid[:side, :side]) + 0.5) / side * np.array(mask.shape)[:, None, None] - 0.5
    own = map_coordinates(mask, at, order=1, mode="nearest")
    told, say = vertex_means(
        place.texels, own[place.texels.covered][:, None], np.ones(len(place.outer)), len(place.mean)
    )
    skin = np.where(say > 0, told[:, 0], 0)
    tree = cKDTree(before.head.parts[0].vertices.cpu().numpy())
    vertices = {}
    for part in before.head.parts:
        nearest = tree.query(part.vertices.cpu().numpy())[1]
        vertices[part.name] = skin[nearest] if part.material != "skin" else skin
    return _allowed({"skin": own}, vertices, before)


def in_view(mask: np.ndarray, before: FinishedHead, place: Place, options: EditOptions) -> Allowed:
    """What a mask painted over a picture of the head allows: what it covers of what is visible there."""
    view = view_of(before, options.mask_azimuth_deg, options.mask_elevation_deg)

    def seen(points: np.ndarray, slack: float) -> np.ndarray:
        pixels, visible = view.sees(points, slack)
        scale = np.array(mask.shape[::-1]) / view.size
        return visible * read_pixels(mask[..., None], pixels * scale)[:, 0] * view.inside(pixels)

    points = place.texels.read(view.positions["skin"])
    image = np.zeros(place.texels.covered.shape, np.float32)
    image[place.texels.covered] = seen(points, View.SKIN_SLACK_M)
    skin = image[place.texels.covered][place.texels.nearest]
    slack = {name: View.HAIR_SLACK_M if name.startswith("hair") else View.SKIN_SLACK_M for name in view.positions}
    vertices = {name: seen(points, slack[name]) for name, points in view.positions.items()}
    return _allowed({"skin": skin}, vertices, before)


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
