"""One request on one head: the edit as the product makes it, its times, and all that is measured of it."""

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.check_glb import has_validator, validated
from benchmarks.edits.outside import Outside, outside
from benchmarks.edits.pair import Pair
from benchmarks.edits.requests import Asked
from idto3d.events import Notice, Preview
from idto3d.pipeline import edit_head
from idto3d.subject.face import IdentityEncoder
from idto3d.subject.similarity import cosine
from idto3d.training.measure.heads.finished import Layout, OneHead
from idto3d.training.measure.heads.looks import Found

FACE_SIZE, FACE_SIDES_DEG = 512, (0.0, 20.0, -20.0)
ALIKE = 0.95  # least similarity of the face where only hair or colours were asked for
FIRST_S, COLOUR_S, SHAPE_S = 3.0, 20.0, 40.0
MASK_SIDE = 256  # pixels of the mask in a view


@dataclass(frozen=True)
class Edited:
    """What came of a request: where it lies, seconds to its first picture and in all, and what was said."""

    folder: Path
    first_picture_s: float
    seconds: float
    notices: tuple[str, ...]


def edit(head: Path, asked: Asked, folder: Path, steps: int | None) -> Edited:
    """The edit of the head in `head`, made in `folder`, which is new. Raises UserError."""
    folder.mkdir(parents=True)
    options = asked.options if steps is None else replace(asked.options, steps=steps)
    options = replace(options, **half_of(folder.parent)) if asked.half else options
    start, first, notices = time.perf_counter(), None, []
    for event in edit_head(head, options, folder):
        if isinstance(event, Preview) and first is None:
            first = time.perf_counter() - start
        elif isinstance(event, Notice):
            notices.append(event.text)
    return Edited(folder, first or float("nan"), time.perf_counter() - start, tuple(notices))


def half_of(folder: Path) -> dict[str, str]:
    """Options for a mask in the front view that is white on its right, which is the person's left."""
    path = folder / "left_half.png"
    mask = np.zeros((MASK_SIDE, MASK_SIDE), np.uint8)
    mask[:, MASK_SIDE // 2 :] = 255
    Image.fromarray(mask).save(path)
    return {"mask": str(path), "mask_space": "view"}


def measured(head: Path, asked: Asked, made: Edited, layout: Layout, encoder: IdentityEncoder) -> dict:
    """Everything about an edit as plain JSON; `right` says whether all of it is as wanted."""
    pair = Pair(OneHead(head), OneHead(made.folder), layout)
    found = [one for check in asked.checks for one in check(pair)]
    strayed, alike = outside(pair, asked.where), similarity(pair, encoder)
    found += _held(asked, pair, strayed, alike)
    found += _in_time(asked, made)
    return {
        "right": all(one.right for one in found),
        "found": [asdict(one) for one in found],
        "outside": asdict(strayed),
        "similarity": alike,
        "first_picture_s": made.first_picture_s,
        "seconds": made.seconds,
        "notices": list(made.notices),
    }


def _in_time(asked: Asked, made: Edited) -> list[Found]:
    """Whether it took no longer than an edit of colour, or of shape, may."""
    shape = asked.where.whole or bool(asked.where.parts)
    limit = SHAPE_S if shape else COLOUR_S
    found = [Found("seconds", made.seconds, f"<= {limit}", made.seconds <= limit)]
    if not shape:
        found.append(Found("first picture, s", made.first_picture_s, f"<= {FIRST_S}", made.first_picture_s <= FIRST_S))
    return found


def _held(asked: Asked, pair: Pair, strayed: Outside, alike: float) -> list[Found]:
    """What must not change."""
    found = [Found("rig and names kept", float(rig_kept(pair)), "1", rig_kept(pair))]
    if not asked.where.whole:
        found.append(Found("texels outside", strayed.texels, "0", strayed.texels == 0))
        found.append(Found("vertices outside", strayed.vertices, "0", strayed.vertices == 0))
    if asked.same_face:
        found.append(Found("face similarity", alike, f">= {ALIKE}", alike >= ALIKE))
    if has_validator():
        issues = validated(pair.after.folder / "head.glb")["issues"]
        faults = issues["numErrors"] + issues["numWarnings"]
        found.append(Found("validator's faults", faults, "0", faults == 0))
    return found


def rig_kept(pair: Pair) -> bool:
    """Whether expressions have their names and number, in what is saved and in the file."""
    saved = [one.saved.head.expressions for one in (pair.before, pair.after)]
    written = [one.asset.mesh.names for one in (pair.before, pair.after)]
    return saved[0] == saved[1] and written[0] == written[1]


def similarity(pair: Pair, encoder: IdentityEncoder) -> float:
    """Mean cosine of the encoder's embeddings of renders before and after; NaN where no face is found in one."""
    values = []
    for side in FACE_SIDES_DEG:
        faces = [encoder.embed(one.picture(side, FACE_SIZE), once=True) for one in (pair.before, pair.after)]
        if not all(faces):
            continue
        values.append(cosine(*(encoder.recognition(found[0].embedding) for found in faces)))
    return float(np.mean(values)) if values else float("nan")
