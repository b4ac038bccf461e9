"""personal.safetensors of a bundle: weights in half precision and a basis of displacements in eight bits."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from idto3d.errors import UserError
from idto3d.files import json_object, read_metadata, read_tensors, write_tensors
from idto3d.head.motion.personal import Personal, halves, mirror_of
from idto3d.head.template_file import DAMAGE, MILLIMETRE
from idto3d.head.template_model import Template

VERSION = 1
KEY = "personal"
SAME_MM = 0.3  # half precision is some hundredths here
FINEST = 127  # steps of eight bits, to both sides


def load_personal(path: str | Path, template: Template) -> Personal | None:
    """What a file that training/motion/personal.py wrote says of heads of `template`, on its device.

    None where it was made for a template of another mean head. Raises UserError where the file is missing, damaged or
    of another version.
    """
    tensors = read_tensors(path)
    try:
        return personal_from(tensors, json_object(read_metadata(path)[KEY]), template)
    except DAMAGE as fault:
        what = f"The expressions of {path} are damaged or of another version: {fault}."
        raise UserError(what, "Fetch the weights again, or set rig.personal=false.") from fault


def with_personal(template: Template, path: str | Path) -> Template:
    """`template` with the personal expressions of a file, as it is where they are another's. Raises UserError."""
    return replace(template, personal=load_personal(path, template))


def personal_from(tensors: Mapping[str, Tensor], description: Mapping, template: Template) -> Personal | None:
    """The same from a file's `tensors` and the JSON beside them. Raises ValueError and KeyError where they misfit."""
    if description["version"] != VERSION or tuple(description["shapes"]) != template.shapes:
        raise ValueError(f"it is not of version {VERSION}, or has other expressions")
    tensors = {name: tensor.to(template.neutral.device) for name, tensor in tensors.items()}
    if not _of_template(tensors["points"].long(), tensors["mean"].float(), template):
        return None
    steps, scale = tensors["basis.steps"], tensors["basis.scale"].float()
    skin = template.part("skin").vertices.stop
    for listed in (tensors["points"], tensors["moved"]):
        if listed.dim() != 1 or not len(listed) or int(listed.min()) < 0 or int(listed.max()) >= skin:
            raise ValueError("its vertices are none of the template's skin")
    points, moved = tensors["points"].long(), tensors["moved"].long()
    read = Personal(
        points,
        mirror_of(template.neutral, points),
        tensors["directions"].float(),
        tensors["weights"].float(),
        *(half.to(points.device) for half in halves(template.shapes)),
        moved,
        mirror_of(template.neutral, moved),
        steps.float() * scale[:, None, None],
    )
    _expect_fit(read, template)
    return read


def _of_template(points: Tensor, mean: Tensor, template: Template) -> bool:
    """Whether the template's mean head has the `points` [P] where they lay, mean [P, 3] millimetres."""
    inside = len(points) > 0 and int(points.min()) >= 0 and int(points.max()) < len(template.neutral)
    return inside and bool((template.neutral[points] / MILLIMETRE - mean).abs().max() < SAME_MM)


def _expect_fit(read: Personal, template: Template) -> None:
    points, (head, shapes, basis) = len(read.points), read.weights.shape
    if read.basis.shape != (basis, len(read.moved), 3) or shapes != len(read.left):
        raise ValueError("its displacements are not as many as they should be")
    if read.directions.shape != (3 * points, head):
        raise ValueError("it reads heads by other numbers than it uses")
    if not all(bool(part.isfinite().all()) for part in (read.basis, read.directions, read.weights)):
        raise ValueError("it holds numbers that are none")


def save_personal(path: Path, personal: Personal, template: Template, provenance: Mapping) -> None:
    """Write `personal` of heads of `template`; its provenance is kept as JSON."""
    scale = personal.basis.abs().amax((1, 2)) / FINEST
    steps = (personal.basis / scale[:, None, None]).round().to(torch.int8)
    tensors = {
        "points": personal.points.to(torch.int16),
        "mean": (template.neutral[personal.points] / MILLIMETRE).half(),
        "directions": personal.directions.half(),
        "weights": personal.weights.half(),
        "moved": personal.moved.to(torch.int16),
        "basis.steps": steps,
        "basis.scale": scale,
    }
    about = {"version": VERSION, "shapes": list(template.shapes), "provenance": dict(provenance)}
    write_tensors(path, {name: value.contiguous() for name, value in tensors.items()}, {KEY: json.dumps(about)})
