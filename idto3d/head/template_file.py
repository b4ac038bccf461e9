"""The template head as a file: template.safetensors of a bundle, identity modes in eight bits, shapes sparse.

A block is BLOCK consecutive vertices along one axis of one mode; its eight-bit numbers are steps of `scale` around
`middle`. Neighbours in the list lie near each other on the head and move alike, so that steps are small.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from idto3d.errors import UserError
from idto3d.files import json_object, read_metadata, read_tensors
from idto3d.head.features.bust import with_base
from idto3d.head.template import EXPRESSIONS, VERTICES
from idto3d.head.template_model import Moves, Template, TemplatePart

VERSION = 1
KEY = "template"
BLOCK = 64
MILLIMETRE = 1e-3  # unit of scale and middle, which are halves
MOVE_STEP = 2e-6  # metres, of the sixteen-bit offsets of expression shapes
DAMAGE = (SafetensorError, OSError, ValueError, LookupError, TypeError, RuntimeError, AttributeError, ArithmeticError)


def load_template(path: str | Path, device: torch.device | str = "cpu") -> Template:
    """The template of a file that training/convert/template.py wrote.

    Raises UserError where the file is missing, damaged or of another version.
    """
    tensors = read_tensors(path)
    try:
        description = json_object(read_metadata(path)[KEY])
        return template_from(tensors, description, device)
    except DAMAGE as fault:
        what = f"The template {path} is damaged or of another version of idto3d: {fault}."
        raise UserError(what, "Fetch the weights again.") from fault


def template_from(tensors: Mapping[str, Tensor], description: Mapping, device: torch.device | str = "cpu") -> Template:
    """The template, closed below, of a file's `tensors` and the JSON beside them.

    Raises ValueError and KeyError where they misfit.
    """
    if description["version"] != VERSION or tuple(description["shapes"]) != EXPRESSIONS:
        raise ValueError(f"it is not of version {VERSION}, or has other expressions")
    tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
    neutral, words = tensors["neutral"], tuple(description["words"])
    identity = dequantised(tensors["identity.steps"], tensors["identity.scale"], tensors["identity.middle"])
    _expect(neutral.dim() == 2 and identity.shape[1:] == neutral.shape, "its modes do not fit its vertices")
    _expect(len(words) <= len(identity) and bool(neutral.isfinite().all()), "its modes or vertices are incomplete")
    original = tensors["original"].long()
    _expect(len(original) == len(neutral) and int(original.min()) >= 0 and int(original.max()) < VERTICES, "numbering")
    moves, parts = _moves(tensors, len(neutral)), _parts(tensors, description["parts"], len(neutral))
    rims = tensors["lid_rims"].long()
    _expect(
        len(rims) == 2 and int(rims.min()) >= 0 and int(rims.max()) < len(neutral), "its lids do not fit its vertices"
    )
    skin = parts[0].vertices.stop
    return with_base(Template(neutral, identity, words, EXPRESSIONS, moves, parts, original, rims, slice(skin, skin)))


def dequantised(steps: Tensor, scale: Tensor, middle: Tensor) -> Tensor:
    """Modes [K, V, 3] float32 metres from `steps` [K, V, 3] int8 and, per block, `scale` and `middle` [K, B, 3] mm."""
    block = torch.arange(steps.shape[1], device=steps.device) // BLOCK
    modes = steps.to(torch.float32)  # in place from here on: it is by far the largest tensor
    for mode, one, around in zip(modes, scale.float() * MILLIMETRE, middle.float() * MILLIMETRE, strict=True):
        mode.mul_(one[block]).add_(around[block])
    return modes


def _moves(tensors: Mapping[str, Tensor], vertices: int) -> Moves:
    starts, vertex = tensors["moves.starts"].long(), tensors["moves.vertex"].to(torch.int32)
    counts = starts.diff()
    fits = len(counts) == len(EXPRESSIONS) and int(counts.min()) >= 0 and int(starts[-1]) == len(vertex)
    _expect(fits and int(vertex.min()) >= 0 and int(vertex.max()) < vertices, "its expressions do not fit its vertices")
    shape = torch.arange(len(counts), dtype=torch.int32, device=vertex.device).repeat_interleave(counts)
    return Moves(shape, vertex, tensors["moves.steps"].float() * MOVE_STEP)


def _parts(tensors: Mapping[str, Tensor], entries: list[dict], vertices: int) -> tuple[TemplatePart, ...]:
    faces, corners, places = tensors["faces"].long(), tensors["uv.faces"].long(), tensors["uv.places"].float()
    _expect(faces.shape == corners.shape and int(corners.min()) >= 0, "its texture coordinates do not fit its faces")
    parts, last = [], 0
    for entry in entries:
        (first, stop), (begin, end) = entry["vertices"], entry["faces"]
        own = faces[begin:end] - first
        _expect(first == last and len(own) > 0 and int(own.min()) >= 0 and int(own.max()) < stop - first, "its parts")
        uvs = places[corners[begin:end]]
        parts.append(TemplatePart(entry["name"], entry["material"], slice(first, stop), own, uvs))
        last = stop
    _expect(last == vertices and len({part.name for part in parts}) == len(parts), "its parts do not fit its vertices")
    return tuple(parts)


def _expect(true: bool, what: str) -> None:
    if not true:
        raise ValueError(what)
