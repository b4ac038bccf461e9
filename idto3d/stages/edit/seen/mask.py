"""What a painted mask says of a head: of its skin's texture, and of any point of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates
from scipy.spatial import cKDTree

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.evidence.completion import vertex_means
from idto3d.evidence.projection import read_pixels
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.paint.place import Place
from idto3d.stages.edit.seen.view import view_of
from idto3d.stages.saved import FinishedHead
from idto3d.subject.images import load_photo

FEATHER = 0.012  # of a mask's side, inside what is painted, over which a change fades in
WHITE = 0.5  # grey from which a mask is painted
AROUND, SOFT_M = 6, 0.003  # vertices of the skin that say what is off it, and metres within which they say it alike


@dataclass(frozen=True, eq=False)
class Mask:
    """How far a head lies in a mask, 0..1.

    skin: [S, S] float32, the texels of its skin; vertices: [V] by part; share(name, points): [N], points [N, 3] of the
    part of that name, metres at rest.
    """

    skin: np.ndarray
    vertices: Mapping[str, np.ndarray]
    share: Callable[[str, np.ndarray], np.ndarray]


def mask_of(before: FinishedHead, options: EditOptions, place: Place) -> Mask:
    """The mask of `options`. Raises UserError where it cannot be read, or nothing in it is painted."""
    mask = painted_mask(Path(options.mask))
    return on_skin(mask, before, place) if options.mask_space == "uv" else in_view(mask, before, place, options)


def painted_mask(path: Path) -> np.ndarray:
    """[H, W] float32 0..1 of the picture in `path`: 1 deep inside what is white, fading to 0 at its border.

    Raises UserError where it is no picture that can be read, or all of it is dark.
    """
    grey = load_photo(path).mean(-1) / 255
    if not (grey > WHITE).any():
        raise UserError("The mask has nothing white in it.", "Paint white where the head may change.")
    inside = distance_transform_edt(np.pad(grey > WHITE, 1, mode="edge"))[1:-1, 1:-1]
    return (grey * np.clip(inside / max(FEATHER * max(grey.shape), 1.0), 0, 1)).astype(np.float32)


def on_skin(mask: np.ndarray, before: FinishedHead, place: Place) -> Mask:
    """A mask on the skin's texture: of other parts it says what it says of the skin next to them."""
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

    def share(name: str, points: np.ndarray) -> np.ndarray:
        gap, near = tree.query(points, k=AROUND)
        weight = 1 / (gap - gap[:, :1] + SOFT_M)
        return (weight * skin[near]).sum(1) / weight.sum(1)

    return Mask(own, vertices, share)


def in_view(mask: np.ndarray, before: FinishedHead, place: Place, options: EditOptions) -> Mask:
    """A mask over a picture of the head: it says what it covers of what is visible there."""
    view = view_of(before, options.mask_azimuth_deg, options.mask_elevation_deg)

    def share(name: str, points: np.ndarray) -> np.ndarray:
        pixels, visible = view.sees(points, through=kind_of(name) == "hair")
        scale = np.array(mask.shape[::-1]) / view.size
        return visible * read_pixels(mask[..., None], pixels * scale)[:, 0] * view.inside(pixels)

    points = place.texels.read(view.positions["skin"])
    image = np.zeros(place.texels.covered.shape, np.float32)
    image[place.texels.covered] = share("skin", points)
    vertices = {name: share(name, points) for name, points in view.positions.items()}
    return Mask(image[place.texels.covered][place.texels.nearest], vertices, share)
