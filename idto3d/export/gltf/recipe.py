"""How a head came about, read back from its GLB: enough to make it again, but for the photos."""

import struct
from dataclasses import dataclass, replace
from pathlib import Path

from idto3d.checks import checked, checked_edit
from idto3d.config import EditOptions, HeadOptions, from_json, run_options
from idto3d.errors import UserError
from idto3d.export.gltf.provenance import without_files
from idto3d.export.gltf.reading import open_glb
from idto3d.stages.edit.carried_mask import PICTURES, TEXT
from idto3d.words.prompts import one_line

LARGEST = 1 << 30  # bytes of a GLB that is read
MOST_EDITS = 200
LONGEST_PROMPT = 2000  # letters
FAULTS = (ValueError, IndexError, TypeError, AttributeError, KeyError, OverflowError, struct.error)


@dataclass(frozen=True)
class Recipe:
    """What was asked for: `options` of the head that was made from so many `photos`, then `edits` in their order.

    weights: the name of the weights with their commit, for people; options.weights finds them.
    """

    options: HeadOptions
    photos: int
    edits: tuple[EditOptions, ...]
    weights: str


def recipe_of(glb: bytes | Path) -> Recipe:
    """The recipe in a GLB of ours, given as its bytes or its file; everybody may have written it.

    Raises UserError where the file cannot be read, holds no recipe, or one that no head can be made by.
    """
    name = "the GLB" if isinstance(glb, bytes) else Path(glb).name
    content = glb if isinstance(glb, bytes) else _read(Path(glb))
    try:
        extras = open_glb(content, name).header["asset"]["extras"]
        options = run_options(extras["options"])
        edits = tuple(from_json(EditOptions, edit) for edit in extras["edits"])
        photos, weights = int(extras["photos"]), str(extras["weights"])
    except FAULTS as fault:
        what = f"'{name}' does not say how its head was made."
        raise UserError(what, "Give the head.glb that this version of idto3d wrote, as it was written.") from fault
    if photos < 0 or len(edits) > MOST_EDITS:
        raise UserError(f"'{name}' tells of {photos} photos and {len(edits)} edits.", "Give a head.glb as it was.")
    for kind in PICTURES:
        if any(text and not str(text).startswith(TEXT) for text in (getattr(edit, kind) for edit in edits)):
            raise UserError(f"'{name}' names a file of this machine as a {kind}.", "Give a head.glb as it was.")
    return Recipe(
        _plain(checked(without_files(options))), photos, tuple(_plain(checked_edit(edit)) for edit in edits), weights
    )


def check_photos(recipe: Recipe, given: int) -> None:
    """Raise UserError where the head was made from photos and none are `given`."""
    if recipe.photos and not given:
        count = "a photo" if recipe.photos == 1 else f"{recipe.photos} photos"
        what = f"This head was made from {count}, which its GLB does not hold."
        raise UserError(what, "Give photos of the person as well.")


def _plain(options):
    """The same with its prompts as a visitor's would be. Raises UserError for one that is far too long."""
    for name in ("prompt", "negative_prompt", "name"):
        text = getattr(options, name, "")
        if len(text) > LONGEST_PROMPT:
            raise UserError(f"The recipe's {name} has {len(text)} characters.", f"At most {LONGEST_PROMPT} are taken.")
    known = {name: one_line(getattr(options, name)) for name in ("prompt", "negative_prompt") if hasattr(options, name)}
    return replace(options, **known)


def _read(path: Path) -> bytes:
    """The bytes of an ordinary file of a likely size. Raises UserError."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise OSError
        return path.read_bytes()
    except OSError:
        raise UserError(f"'{path.name}' cannot be read.", "Give a head.glb.") from None
