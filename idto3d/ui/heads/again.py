"""A head made again from its GLB: the form as it was filled then, and the changes that follow."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from idto3d.config import EditOptions, HeadOptions
from idto3d.export.gltf.recipe import Recipe, recipe_of
from idto3d.files import remove
from idto3d.ui.heads.forms import form_of
from idto3d.ui.heads.request import Request, options_of


@dataclass(frozen=True)
class Again:
    """What a GLB says: `form` by the names of fields of a request, changes to come after, and that in sentences."""

    form: dict[str, object]
    edits: tuple[EditOptions, ...]
    said: str


def again(upload: Path, chosen: Callable[[str], str | None]) -> Again:
    """What the uploaded GLB says of its making; the upload is removed. Raises UserError where it says nothing.

    chosen: what the form says of weights, None where they cannot be had here.
    """
    try:
        recipe = recipe_of(upload)
    finally:
        remove(upload)
    weights = chosen(recipe.options.weights)
    form = form_of(recipe.options, weights or "")
    return Again(form, recipe.edits, " ".join((*_sentences(recipe, form), _of_weights(recipe, weights))))


def _of_weights(recipe: Recipe, weights: str | None) -> str:
    if weights is None:
        return f"Its weights, {recipe.weights}, cannot be had here: those of this server are taken. Press Generate."
    return f"Its weights were {recipe.weights}. Press Generate."


def _sentences(recipe: Recipe, form: dict[str, object]) -> list[str]:
    said = ["The form is filled as it was for that head."]
    if recipe.photos:
        photos = "a photo" if recipe.photos == 1 else f"{recipe.photos} photos"
        said.append(f"It was made from {photos}, which no GLB holds: add them again.")
    if recipe.edits:
        said.append(f"Its changes follow by themselves: {', '.join(edit.title for edit in recipe.edits)}.")
    if _plain(options_of(Request(**form))) != _plain(recipe.options):
        said.append("It was made with options that only a shell can set; those are not in the form.")
    return said


def _plain(options: HeadOptions) -> HeadOptions:
    """`options` without what is the server's to say, or says nothing of how a head looks."""
    usual = HeadOptions()
    subject = replace(options.subject, keep=usual.subject.keep, encoder=usual.subject.encoder)
    told = {name: getattr(usual, name) for name in ("weights", "device", "export", "preview_every", "preview_size")}
    return replace(options, subject=subject, **told)
