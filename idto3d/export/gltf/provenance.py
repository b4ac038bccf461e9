"""What a written file says about where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from idto3d import __version__
from idto3d.config import AUTO, HeadOptions

GENERATOR = f"idto3d {__version__}"


@dataclass(frozen=True)
class Provenance:
    """Where a head came from: the seed, the weights' name, their licences, and every option as plain JSON.

    photos: how many it was made from; what they show, and what they are, is not told. edits: the options of each edit
    that it has been through since, in order, likewise as plain JSON.
    """

    seed: int = 0
    weights: str = ""
    licences: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    photos: int = 0
    edits: tuple[Mapping[str, object], ...] = ()


def without_files(options: HeadOptions) -> HeadOptions:
    """The same without networks that lie on this machine or elsewhere: a file that goes on to others names none."""
    choice, export = replace(options.choice, scorer=AUTO), replace(options.export, upscaler="")
    return replace(options, choice=choice, export=export)


def as_extras(provenance: Provenance) -> dict:
    """The same as plain JSON, with the generator and the mark of machine-made work."""
    return {
        "generator": GENERATOR,
        "ai_generated": True,
        "seed": provenance.seed,
        "weights": provenance.weights,
        "licences": list(provenance.licences),
        "options": dict(provenance.options),
        "photos": provenance.photos,
        "edits": [dict(edit) for edit in provenance.edits],
    }


def as_notes(provenance: Provenance) -> dict[str, str]:
    """The short form for the text chunks of pictures."""
    return notes_of(as_extras(provenance))


def notes_of(extras: Mapping[str, object]) -> dict[str, str]:
    """The same of what a GLB says, as far as it does."""
    told = {"Software": extras.get("generator", GENERATOR)} | {k: extras[k] for k in ("seed", "weights") if k in extras}
    return {name: str(text) for name, text in told.items()}
