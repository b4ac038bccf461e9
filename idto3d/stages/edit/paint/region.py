"""What a request may change of a head: what it names, and nothing else."""

import numpy as np
import torch
from torch import Tensor

from idto3d.evidence.projection import ramp
from idto3d.head.sculpt.features import sculpted
from idto3d.stages.edit.drawn.adorned import drawn_zone
from idto3d.stages.edit.paint.eyes import irises
from idto3d.stages.edit.paint.face import lids, lips
from idto3d.stages.edit.paint.lines import lined_zone
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.paint.place import Place, place_of, scalp_zone
from idto3d.stages.edit.paint.spots import spotted_zone
from idto3d.stages.edit.who import features_changed
from idto3d.stages.edit.work import Allowed, Work
from idto3d.words.edits import EditRequest
from idto3d.words.figures.table import MODES, OF_EYES
from idto3d.words.paints import BROWS_MARK, ONE_EYE

WHOLE = ("age", "gender", "ancestry")  # attributes that change a whole head
SEEN = 1e-3
PUSHED_M = (2e-5, 3e-4)  # metres by which a feature moves skin between which its shape becomes free to change
INNER = ("eye_left", "eye_right", "lashes", "teeth", "gums_tongue")  # parts that features of the skin leave alone


def changes_all(request: EditRequest) -> bool:
    """Whether a request is about who somebody is, and so changes all of a head."""
    return bool(request.years) or any(name in request.traits for name in WHOLE)


def region_of(work: Work) -> Allowed:
    """Where the request may change the head of before: 0 or 1, for each of its materials and parts."""
    before, request = work.before, work.request
    if changes_all(request):
        return Allowed({}, {})
    place = place_of(work.template, len(before.painted["skin"].albedo))
    texels = {name: np.zeros(one.roughness.shape, np.float32) for name, one in before.painted.items()}
    for name in texels:
        texels[name][:] = kind_of(name) in _materials(request)
    texels["skin"] = place.texels.spread((_on_skin(work, place) > SEEN).astype(np.float32)[:, None])[..., 0]
    if {"eyes", *ONE_EYE} & request.colours.keys() and "eyes" in texels:
        texels["eyes"] = (irises(work.template, len(texels["eyes"]))[0].max(-1) > 0).astype(np.float32)
    return Allowed(texels, _moving(work))


def _moving(work: Work) -> dict[str, Tensor]:
    """[V] 0..1 of each part how far its shape may change; of those that are not there it may change as a whole."""
    request, parts = work.request, work.before.head.parts
    features = features_changed(work)
    if any(name in MODES for name in features):  # a mode of the template moves all of a head
        return {}
    moved = {part.name: torch.full((len(part.vertices),), _moves(request, part.name)) for part in parts}
    if not features:
        return moved
    age = work.before.start.words().get("age", "")
    pushed = sculpted(work.template, features, age).norm(dim=-1)[work.template.part("skin").vertices]
    moved["skin"] = torch.from_numpy(ramp(pushed.cpu().numpy(), *PUSHED_M)).float()
    held = INNER if not any(name in OF_EYES for name in features) else INNER[3:]
    return moved | {part.name: torch.ones(len(part.vertices)) for part in parts if part.name not in (*held, "skin")}


def _materials(request: EditRequest) -> set[str]:
    """The materials other than skin and eyes that a request may change wherever they are."""
    traits, colours = request.traits, request.colours
    named = {"hair": {"hair_style", "hair_colour"} & set(traits), "beard": "beard" in traits or "beard" in colours}
    named |= {"lashes": "lashes" in colours, "glasses": request.glasses is not None}
    return {name for name, asked in named.items() if asked}


def _moves(request: EditRequest, part: str) -> float:
    """1.0 where a request may change the shape of a part, which then may go as well."""
    shaped = {"hair": "hair_style" in request.traits, "beard": "beard" in request.traits}
    shaped |= {"glasses": request.glasses is not None}
    return float(shaped.get(kind_of(part), False))


def _on_skin(work: Work, place: Place) -> np.ndarray:
    """[N] 0..1 the texels of the skin that the request names."""
    traits, colours, marks = work.request.traits, work.request.colours, work.request.marks
    asked = [np.zeros(len(place.outer), np.float32)]
    asked.append(drawn_zone(work.request, place, work.options.seed, work.drawing))
    if "skin" in traits or "skin" in colours:
        asked.append(place.outer.astype(np.float32))
    if "hair_style" in traits or "hair_colour" in traits:
        heads = dict.fromkeys((work.before.head, work.head.head))  # where hair lay, and where it lies now
        asked += [place.at("scalp"), *(scalp_zone(head, place) for head in heads)]
    if "beard" in traits or "beard" in colours:
        asked.append(place.at("beard_zone"))
    zones = {"brows": lambda: place.at("brow_zone"), "cheeks": lambda: place.at("cheeks")}
    zones |= {"lips": lambda: lips(place), "lids": lambda: lids(place)}
    asked += [zones[name]() for name in colours if name in zones]
    marked = {"wrinkles": lined_zone, BROWS_MARK: lambda where: where.at("brow_zone")}
    asked += [marked.get(name, spotted_zone)(place) for name in marks]
    return np.max(asked, 0)


def both(first: Allowed, second: Allowed) -> Allowed:
    """Where a head may change that two of them allow: a material or a part that is in neither, everywhere."""
    texels = {name: _product(first.texels, second.texels, name) for name in {*first.texels, *second.texels}}
    vertices = {name: _product(first.vertices, second.vertices, name) for name in {*first.vertices, *second.vertices}}
    return Allowed(texels, vertices)


def _product(first: dict, second: dict, name: str) -> np.ndarray | Tensor:
    if name in first and name in second:
        return first[name] * second[name]
    return first.get(name, second.get(name))
