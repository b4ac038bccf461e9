"""A picture of all heads of a batch, from the pictures that lie in their run folders; no photo is in it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from idto3d.export.gltf.provenance import GENERATOR
from idto3d.export.images import write_png
from idto3d.export.stills import contact_sheet
from idto3d.jobs import record
from idto3d.jobs.batch.standing import Place

FILE = "heads.png"
VIEWS = ("right", "front", "left")
SIDE = 192  # pixels of a view
ACROSS = 2  # heads beside each other
MOST = 400  # heads in one picture


def write_sheet(places: Sequence[Place], out: Path) -> Path | None:
    """Three views of each finished head over its name, the first `MOST` of them; None where there is none."""
    rows = [(place, views) for place in places if (views := _views(place))][:MOST]
    if not rows:
        return None
    pictures = [np.concatenate(views, axis=1) for _, views in rows]
    names = [place.person.name for place, _ in rows]
    return write_png(out / FILE, contact_sheet(pictures, names, min(ACROSS, len(rows))), {"Software": GENERATOR})


def _views(place: Place) -> list[np.ndarray]:
    """uint8 [SIDE, SIDE, 3] each; none where the head is not done or has no pictures."""
    job, files = place.job(), [place.folder / "renders" / f"{view}.png" for view in VIEWS]
    if job is None or job.status != record.DONE or not all(file.is_file() for file in files):
        return []
    return [_small(file) for file in files]


def _small(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS))
