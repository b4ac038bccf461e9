"""What is kept of a head: head.safetensors of a finished run.

head.safetensors says who the head is (with the face embedding, unless it is not to be kept) and every option, and names
the files beside it that hold the shape, what grew it, its colours and the prior it began with; see kept/shared.py. From
them the head can be drawn, exported anew and edited without photos and without weights. They are personal data like the
head itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from idto3d.config import EditOptions, HeadOptions, MaterialOptions, ShapeOptions, as_json, from_json, run_options
from idto3d.device import choose_device
from idto3d.errors import UserError
from idto3d.fields.hash_grid import kind_among
from idto3d.fields.material_field import MaterialField
from idto3d.files import json_object, read_metadata, read_tensors, write_tensors
from idto3d.geometry.tet_grid import BOX_HIGH, BOX_LOW
from idto3d.head.ellipsoid import EllipsoidPrior
from idto3d.head.parts import Head, Part, head_from, head_names, head_tensors
from idto3d.head.prior import HeadPrior
from idto3d.head.prior_file import DAMAGE, description_of, prior_from, prior_tensors
from idto3d.head.start import Start, start_from, start_tensors, start_words
from idto3d.render.painted import PaintedMaterial, painted_from, painted_tensors
from idto3d.stages.kept.shared import read_shared, tidy, write_shared
from idto3d.stages.optimise import SavedStage, under

FILE = "head.safetensors"
KEY = "head"
VERSION = 3  # 1: heads on tetrahedra had one part, and colours that a prior gave
ALONE = 2  # the version in which head.safetensors held everything, which is still read


Stage = TypeVar("Stage", ShapeOptions, MaterialOptions)


def as_begun(options: Stage, saved: SavedStage | None) -> Stage:
    """`options` with the kind of hash grid that the stage was begun with, wherever that was.

    Where nothing of it is saved they stay, and each machine takes the kind that is fastest on it.
    """
    return options if saved is None else _with_kind(options, kind_among(saved.tensors))


def _with_kind(options: Stage, kind: str) -> Stage:
    return replace(options, hash_grid=replace(options.hash_grid, kind=kind))


@dataclass(frozen=True, eq=False)
class FinishedHead:
    """A head with all that made it.

    `coefficients` [K] are the prior's, `carrier` the state of what grew the shape, `field` the material. `weights` is
    the name of the weights with their commit, `licences` are theirs. `painted` are the textures of materials that have
    their own, by name; the others are sampled from the field. `meshes` are the expressions that were grown as a mesh of
    their own, each as one part. `edits` are those that it has been through since it was made, `photos` how many photos
    that took: both with `options` are the recipe for it.
    """

    start: Start
    head: Head
    coefficients: Tensor
    carrier: Mapping[str, Tensor]
    prior: HeadPrior | EllipsoidPrior
    field: MaterialField
    options: HeadOptions
    weights: str
    licences: tuple[str, ...]
    painted: Mapping[str, PaintedMaterial] = field(default_factory=dict)
    meshes: Mapping[str, Part] = field(default_factory=dict)
    edits: tuple[EditOptions, ...] = ()
    photos: int = 0


def save_head(folder: Path, finished: FinishedHead, beside: Path | None = None) -> Path:
    """Write `folder`/head.safetensors and what it names; without the embedding where `subject.keep` is off.

    beside: the folder of another head, whose files are shared where they hold the same. What head.safetensors names is
    there before it, and what the one of before has named goes after it.
    """
    names = write_shared(folder, _shape_and_colours(finished), beside)
    own = start_tensors(finished.start, finished.options.subject.keep) | {"coefficients": finished.coefficients}
    path = write_tensors(folder / FILE, own, {KEY: json.dumps(_words(finished) | {"files": names})})
    tidy(folder, names)
    return path


def _shape_and_colours(finished: FinishedHead) -> dict[str, Tensor]:
    """All tensors of a head but who it starts from."""
    tensors = dict(head_tensors(finished.head))
    for name, part in finished.meshes.items():
        tensors |= {f"mesh.{name}.{key}": value for key, value in head_tensors(Head((name,), (part,))).items()}
    for prefix, state in (
        ("carrier", finished.carrier),
        ("prior", prior_tensors(finished.prior)),
        ("field", finished.field.state_dict()),
        ("painted", painted_tensors(finished.painted)),
    ):
        tensors |= {f"{prefix}.{name}": value for name, value in state.items()}
    return tensors


def tidy_saved(folder: Path) -> None:
    """Remove what heads that lay in `folder` before have left beside its head.safetensors."""
    tidy(folder, json_object(read_metadata(folder / FILE)[KEY])["files"])


def _words(finished: FinishedHead) -> dict:
    """What the tensors leave out, as plain JSON."""
    return {
        "version": VERSION,
        "start": start_words(finished.start),
        "head": head_names(finished.head),
        "meshes": {name: head_names(Head((name,), (part,))) for name, part in finished.meshes.items()},
        "prior": description_of(finished.prior),
        "options": as_json(finished.options),
        "weights": finished.weights,
        "licences": list(finished.licences),
        "edits": [as_json(edit) for edit in finished.edits],
        "photos": finished.photos,
    }


def load_head(folder: Path) -> FinishedHead:
    """The head saved in `folder`, on the device that its options name.

    Raises UserError where there is none, it is damaged or of another version, or that device is not there.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise UserError(f"There is no {FILE} in '{folder}'.", "Give the folder of a run that is done.")
    try:
        words = json_object(read_metadata(path)[KEY])
        if words["version"] not in (ALONE, VERSION):
            raise ValueError(f"version {words['version']}")
        beside = read_shared(path.parent, words["files"]) if words["version"] == VERSION else {}
        return _finished(read_tensors(path) | beside, words)
    except torch.OutOfMemoryError:
        raise
    except (*DAMAGE, UserError) as fault:
        what = f"'{path}' is damaged or of another version of idto3d."
        raise UserError(what, "Make the head again, or use the version that made it.") from fault


def _finished(tensors: Mapping[str, Tensor], words: Mapping) -> FinishedHead:
    options = run_options(words["options"])
    device = choose_device(options.device)
    start = start_from(tensors, words["start"], device)
    prior = prior_from(under("prior.", tensors), words["prior"], device)
    coefficients = tensors["coefficients"].to(device)
    learned = under("field.", tensors)
    material = _with_kind(options.material, kind_among(learned))
    field = MaterialField(options.expressions, material, (BOX_LOW, BOX_HIGH), device=device)
    field.load_state_dict(learned)
    return FinishedHead(
        start,
        head_from(tensors, words["head"], device),
        coefficients,
        under("carrier.", tensors),
        prior,
        field,
        options,
        words["weights"],
        tuple(words["licences"]),
        painted_from(under("painted.", tensors)),
        {name: _mesh(name, tensors, one, device) for name, one in words["meshes"].items()},
        tuple(from_json(EditOptions, edit) for edit in words.get("edits", ())),  # heads of before had none
        words.get("photos", int(words["start"]["of_photos"])),  # and of photos they said only whether there were any
    )


def _mesh(name: str, tensors: Mapping[str, Tensor], names: Mapping, device: torch.device) -> Part:
    (part,) = head_from(under(f"mesh.{name}.", tensors), names, device).parts
    return part
