"""A visitor's sketch read at the texels of the skin.

It lies on the skin's texture, or in a view, in which it covers what of the skin is visible there.
"""

from pathlib import Path

import numpy as np

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.evidence.projection import read_pixels
from idto3d.stages.edit.drawn.drawing import Drawing
from idto3d.stages.edit.paint.place import Place
from idto3d.stages.edit.seen.view import view_of
from idto3d.stages.saved import FinishedHead
from idto3d.subject.images import load_drawing


def sketch_of(before: FinishedHead, options: EditOptions, place: Place) -> Drawing:
    """The sketch of `options`. Raises UserError where it cannot be read, or nothing of it lies on the skin."""
    picture = load_drawing(Path(options.sketch)).astype(np.float32) / 255
    if not picture[..., 3].any():
        raise UserError("The sketch is transparent all over.", "Draw on it, and leave transparent what shall stay.")
    if picture[..., 3].all() and not options.mask:
        what = "The sketch is transparent nowhere, so that it would cover the whole face."
        raise UserError(what, "Save it as a PNG that is transparent where the face shall stay, or give a mask.")
    found = _on_skin(picture, place) if options.mask_space == "uv" else _in_view(picture, before, place, options)
    drawn = Drawing(found[:, :3], found[:, 3] * place.outer)
    if not drawn.there.any():
        raise UserError("Nothing of the sketch lies on the skin.", "Draw on the face, the scalp or the neck.")
    return drawn


def _on_skin(picture: np.ndarray, place: Place) -> np.ndarray:
    """[N, 4] of a picture [H, W, 4] that lies on the skin's texture."""
    return _read(picture, place.texels.uvs.astype(np.float64) * picture.shape[1::-1])


def _in_view(picture: np.ndarray, before: FinishedHead, place: Place, options: EditOptions) -> np.ndarray:
    """[N, 4] of a picture [H, W, 4] over a view of the head: what it covers of the skin that nothing hides there."""
    view = view_of(before, options.mask_azimuth_deg, options.mask_elevation_deg)
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
