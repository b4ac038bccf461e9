"""From a person's photos to what they say of the head: who it is, how each photo was taken, the colour of the skin."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.ndimage import maximum_filter
from torch import Tensor

from idto3d.errors import UserError
from idto3d.events import Event, Notice
from idto3d.evidence.fit import Belief, Fit, PhotoFit, Seen, Shapes, belief, fit_photos
from idto3d.evidence.judgement import misfits
from idto3d.evidence.landmark_model import LandmarkModel
from idto3d.evidence.light import brightness, creases
from idto3d.evidence.openings import EYES, openings
from idto3d.evidence.outline.rim import Shows
from idto3d.evidence.projection import Look, Posed, View, look, ramp, read_pixels
from idto3d.evidence.shapes import as_shapes, shapes_of, surface_of
from idto3d.evidence.skin import SkinMap
from idto3d.evidence.warp import warp_between
from idto3d.geometry.mesh import vertex_normals
from idto3d.head.features.assemble import displacements
from idto3d.head.template_model import Template
from idto3d.render.color import linear_from_srgb
from idto3d.subject.masks import REGIONS, Masks
from idto3d.subject.parsing.covers import eyes_covered
from idto3d.subject.parsing.looks import iris_colour, skin_colour
from idto3d.subject.photo import Photo

SKIN_SURE, SKIN_DOUBTFUL = 0.97, 0.75  # share of skin from which a pixel is taken for skin, and below which it is not
EDGE = 2  # pixels at the edge of a photo that say nothing
BORDER = 7  # pixels of the masks
USUAL_SKIN, IRIS_GAIN = 0.32, 1.3  # luminance of lit skin; lids shade the eye
LIDS = [*EYES[0], *EYES[1]]
# Landmarks farther above the lids follow the brows, which grow where they like: moved to where the template has them,
# low brows rose by several millimetres.
ABOVE_LIDS_M = 0.004
BARE = ("skin", "beard")  # what belongs on the skin's texture
BEARD_FROM = (0.2, 0.6)  # shares of beard between which what is dark becomes hair, and no shadow


@dataclass(frozen=True, eq=False)
class Taken:
    """A photo with how it was taken, and how it shows the world."""

    photo: Photo
    fit: PhotoFit
    view: View


def fit_person(
    photos: Sequence[Photo], template: Template, model: LandmarkModel, expected: np.ndarray | None, familiar: float
) -> Generator[Event, None, tuple[Fit, tuple[Taken, ...]]]:
    """Who the photos show; `expected` [K] are the coefficients that the face embedding lets expect.

    familiar: 0..1, how far it is like those of our portraits, see `evidence.fit.familiarity`. Photos that no head
    explains are named and left out. Raises UserError where that are all.
    """
    shapes = shapes_of(template, model)
    prior = belief(model, expected, len(photos), familiar)
    fit = _fitted(photos, shapes, template, model, prior)
    if wrong := misfits(fit, model):
        names = ", ".join(f"'{photos[number].name}'" for number in wrong)
        if len(wrong) == len(photos):
            raise UserError(f"No head could be fitted to {names}.", "Use a photo in which the whole face is seen.")
        yield Notice(f"No head could be fitted to {names}, which is left out.")
        photos = [photo for number, photo in enumerate(photos) if number not in wrong]
        fit = _fitted(photos, shapes, template, model, belief(model, expected, len(photos), familiar))
    taken = [_taken(shapes, fit, photo, one) for photo, one in zip(photos, fit.photos, strict=True)]
    return fit, tuple(taken)


def _fitted(photos: Sequence[Photo], shapes: Shapes, template: Template, model: LandmarkModel, prior: Belief) -> Fit:
    seen = [_seen(photo, template, model) for photo in photos]
    return fit_photos(shapes, seen, prior, model, surface_of(template))


def _seen(photo: Photo, template: Template, model: LandmarkModel) -> Seen:
    """The landmarks in the whole photo, through whose middle the camera's axis goes."""
    left, top, width, height = photo.frame
    points = photo.landmarks.points.astype(np.float64) - [left, top, 0]
    told = as_shapes(photo.landmarks.expression.astype(np.float64), template.shapes)
    return Seen(points, (round(width), round(height)), model.expected_weights(told), outline_shown(photo))


def outline_shown(photo: Photo) -> Shows:
    """What there is at places [N, 2] of the whole photo, see `outline.rim.Shows`; neither region past its edge."""
    inside, pixels = np.array(photo.pixels.shape[1::-1]) - EDGE, photo.pixels.astype(np.float32) / 255

    def shows(places: np.ndarray) -> np.ndarray:
        places = places + photo.frame[:2]
        shares = photo.masks.at(places)
        known = ((places > EDGE) & (places < inside)).all(1)
        regions = shares[:, [REGIONS.index("skin"), REGIONS.index("background")]] * known[:, None]
        return np.concatenate([regions, read_pixels(pixels, places)], 1)

    return shows


def _taken(shapes: Shapes, fit: Fit, photo: Photo, one: PhotoFit) -> Taken:
    points = shapes.neutral + shapes.identity @ fit.coefficients + shapes.expression @ one.expression
    marks = photo.landmarks.points[:, :2].astype(np.float64)
    camera = replace(one.camera, centre=one.camera.centre + photo.frame[:2])
    low = shapes.neutral[:, 1] < shapes.neutral[LIDS, 1].max() + ABOVE_LIDS_M
    warp = warp_between(camera.project(points[low]), marks[low])
    return Taken(photo, replace(one, camera=camera), View(camera, warp))


def skin_looks(taken: Sequence[Taken], template: Template, rest: Tensor, skin: SkinMap) -> list[Look]:
    """What each photo shows of the skin of a head at `rest` [V, 3] metres."""
    return [_skin_look(one, template, rest, skin) for one in taken]


def _skin_look(taken: Taken, template: Template, rest: Tensor, skin: SkinMap) -> Look:
    pixels = linear_from_srgb(torch.from_numpy(taken.photo.pixels).float() / 255).numpy()
    open_places = openings(taken.photo.landmarks.points[:, :2].astype(np.float64), pixels.shape)[..., None]
    masks = _well_inside(taken.photo.masks)

    def shows(places: np.ndarray) -> np.ndarray:
        shares = masks.at(places)[:, [REGIONS.index(name) for name in BARE]]
        shut = 1 - np.clip(2 * read_pixels(open_places, places)[:, 0], 0, 1)
        return np.stack([ramp(shares.sum(1), SKIN_DOUBTFUL, SKIN_SURE) * shut, ramp(shares[:, 1], *BEARD_FROM)], 1)

    return look(pixels, shows, taken.view, posed(taken, template, rest), skin.texels)


def _well_inside(masks: Masks) -> Masks:
    """Masks whose skin ends BORDER pixels earlier than it does: the border mixes the colours of both sides."""
    bare = np.isin(REGIONS, BARE)
    other = maximum_filter(masks.shares[~bare].sum(0), BORDER)
    kept = np.maximum(1 - other, 0) / np.maximum(masks.shares[bare].sum(0), 1e-6)
    return replace(masks, shares=np.where(bare[:, None, None], masks.shares * np.minimum(kept, 1), masks.shares))


def iris_of(taken: Sequence[Taken]) -> tuple[float, float, float] | None:
    """Linear RGB of the irises: the median of those that photos show, as bright as their skin lets expect.

    None where no photo shows any.
    """
    seen = [colour for one in taken if (colour := _iris(one.photo)) is not None]
    return tuple(np.median(seen, 0).tolist()) if seen else None


def _iris(photo: Photo) -> np.ndarray | None:
    points = photo.landmarks.points
    if eyes_covered(photo.pixels, points):
        return None
    iris, skin = iris_colour(photo.pixels, points), skin_colour(photo.pixels, photo.masks, points)
    if iris is None or skin is None:
        return None
    return np.clip(iris * IRIS_GAIN * USUAL_SKIN / max(float(brightness(skin[None])[0]), 0.02), 0.01, 0.5)


def posed(taken: Taken, template: Template, rest: Tensor) -> Posed:
    """The head at `rest` [V, 3] with the expression that the photo caught."""
    weights = torch.from_numpy(taken.fit.expression).to(rest)[None]
    vertices = rest + displacements(template, rest, weights)[0]
    normals = vertex_normals(vertices, template.faces)
    faces = template.faces.cpu().numpy()
    before, after = (points.cpu().double().numpy() for points in (rest, vertices))
    return Posed(vertices.cpu().numpy(), normals.cpu().numpy(), faces, creases(before, after, faces))
