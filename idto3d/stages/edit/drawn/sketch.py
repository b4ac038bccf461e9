"""A visitor's sketch read at the texels of the skin.

It lies on the skin's texture, or in a view, in which it covers what of the skin is visible there.
"""

from pathlib import Path

import numpy as np

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.evidence.projection import read_pixels
from idto3d.stages.edit.drawn.drawing import Drawing
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.paint.place import Place
from idto3d.stages.edit.seen.view import View, view_of
from idto3d.stages.saved import FinishedHead
from idto3d.subject.images import load_drawing

TOLD = 0.02  # share of a sketch from which it is said that nothing can be drawn there
ON = {"": "beside the head", "hair": "on hair", "beard": "on the beard", "eyes": "on the eyes", "lashes": "on lashes"}


def sketch_of(before: FinishedHead, options: EditOptions, place: Place) -> Drawing:
    """The sketch of `options`. Raises UserError where it cannot be read, or nothing of it lies on the skin."""
    picture = load_drawing(Path(options.sketch)).astype(np.float32) / 255
    if not picture[..., 3].any():
        raise UserError("The sketch is transparent all over.", "Draw on it, and leave transparent what shall stay.")
    if picture[..., 3].all() and not options.mask:
        what = "The sketch is transparent nowhere, so that it would cover the whole face."
        raise UserError(what, "Save it as a PNG that is transparent where the face shall stay, or give a mask.")
    if options.mask_space == "uv":
        found, missed = _on_skin(picture, place), _off_skin(picture, place)
    else:
        view = view_of(before, options.mask_azimuth_deg, options.mask_elevation_deg)
        found, missed = _in_view(picture, view, place), _hidden(picture, view, before)
    drawn = Drawing(found[:, :3], found[:, 3] * place.outer, missed=missed)
    if not drawn.there.any():
        raise UserError("Nothing of the sketch lies on the skin.", "Draw on the face, the scalp or the neck.")
    return drawn


def _on_skin(picture: np.ndarray, place: Place) -> np.ndarray:
    """[N, 4] of a picture [H, W, 4] that lies on the skin's texture."""
    return _read(picture, place.texels.uvs.astype(np.float64) * picture.shape[1::-1])


def what_is_missed(drawing: Drawing) -> str:
    """A sentence about what of a sketch lies where nothing can be drawn; "" where next to nothing does."""
    missed = {where: share for where, share in drawing.missed.items() if share >= TOLD}
    said = " and ".join(f"{where} ({round(100 * share)} %)" for where, share in missed.items())
    return f"Sketches are drawn on skin alone: what of this one lies {said} is left out." if said else ""


def _off_skin(picture: np.ndarray, place: Place) -> dict[str, float]:
    """The shares of a picture [H, W, 4] over the skin's texture that lie off the skin, and in eyes and mouth."""
    size = len(place.texels.covered)
    across = (np.arange(size) + 0.5) * np.array(picture.shape[1::-1])[:, None] / size
    columns, rows = np.meshgrid(*across)
    thick = read_pixels(picture[..., 3:], np.stack([columns, rows], -1).reshape(-1, 2)).reshape(size, size)
    inner = place.texels.spread((~place.outer)[:, None].astype(np.float32))[..., 0] * place.texels.covered
    whole = max(float(thick.sum()), 1e-9)
    return {
        "beside the skin": float(thick[~place.texels.covered].sum() / whole),
        "in eyes or mouth": float((thick * inner).sum() / whole),
    }


def _hidden(picture: np.ndarray, view: View, before: FinishedHead) -> dict[str, float]:
    """The shares of a picture [H, W, 4] over a view that lie on something else than skin, by what that is."""
    across = (np.arange(view.size) + 0.5) * np.array(picture.shape[1::-1])[:, None] / view.size
    columns, rows = np.meshgrid(*across)
    thick = read_pixels(picture[..., 3:], np.stack([columns, rows], -1).reshape(-1, 2)).ravel()
    kinds = ["", *(kind_of(part.material) for part in before.head.parts)]
    shares = np.bincount(view.part.ravel() + 1, thick, len(kinds)) / max(float(thick.sum()), 1e-9)
    found: dict[str, float] = {}
    for kind, share in zip(kinds, shares.tolist(), strict=True):
        if kind != "skin":
            found[ON.get(kind, f"on {kind}")] = found.get(ON.get(kind, f"on {kind}"), 0.0) + share
    return found


def _in_view(picture: np.ndarray, view: View, place: Place) -> np.ndarray:
    """[N, 4] of a picture [H, W, 4] over a view of the head: what it covers of the skin that nothing hides there."""
    pixels, visible = view.sees(place.texels.read(view.positions["skin"]))
    found = _read(picture, pixels * (np.array(picture.shape[1::-1]) / view.size))
    found[:, 3] *= visible * view.inside(pixels)
    return found


def _read(picture: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """[N, 4] colours and opacity of a picture at (x, y) [N, 2]: colours of what is transparent do not mix in."""
    thick = np.concatenate([picture[..., :3] * picture[..., 3:], picture[..., 3:]], -1)
    found = read_pixels(thick, pixels).astype(np.float32)
    found[:, :3] /= np.maximum(found[:, 3:], 1e-6)
    return found.clip(0, 1)
