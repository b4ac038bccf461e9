"""What is to be told of synthetic heads from their portraits: a code of their shape, and words."""

from collections.abc import Sequence

import torch
from torch import Tensor

from idto3d.subject.identity.portrait_net import PortraitNet, PortraitSize
from idto3d.training.data.faces import KnownFaces
from idto3d.training.fit.surface_modes import check_people, mirror_of, surface_modes
from idto3d.training.people.ict import IctModel

ATTRIBUTES = ("hair_style", "hair_colour", "beard", "skin", "age", "gender", "ancestry")
UNKNOWN_CLASS = -100  # class of a word that a look lacks; cross entropy leaves it out


def fresh_net(faces: KnownFaces, model: IctModel) -> PortraitNet:
    """A network that has learned nothing, whose code is the surface modes of `model`, and which knows what it means.

    Raises UserError where the faces are of people of another model.
    """
    check_people(faces.coefficients, model)
    shapes = surface_modes(model)
    coefficients, modes = shapes.map.shape
    net = PortraitNet(PortraitSize(coefficients=coefficients, modes=modes, attributes=vocabularies(faces.looks)))
    amounts = torch.from_numpy(shapes.amounts(faces.coefficients))
    moved = amounts.square().mean(0)
    net.coefficient_map.copy_(torch.from_numpy(shapes.map))
    net.code_mean.copy_(torch.from_numpy(shapes.mean @ shapes.map))
    net.code_std.copy_(amounts.std(0) + 1e-6)
    mirror = torch.from_numpy(mirror_of(model, shapes))
    net.mirror.copy_(mirror * net.code_std / net.code_std[:, None])
    net.code_share.copy_(moved / moved.sum())
    return net


def vocabularies(looks: Sequence[dict]) -> dict[str, tuple[str, ...]]:
    """For each attribute that the looks have, the words that occur, in alphabetical order."""
    occurring = {name: tuple(sorted({look[name] for look in looks if look.get(name)})) for name in ATTRIBUTES}
    return {name: words for name, words in occurring.items() if len(words) > 1}


def classes(looks: Sequence[dict], attributes: dict[str, tuple[str, ...]]) -> dict[str, Tensor]:
    """For each attribute the place [n] int64 of every look's word among its words; -100 where it has none."""
    return {
        name: torch.tensor([words.index(look[name]) if look.get(name) in words else UNKNOWN_CLASS for look in looks])
        for name, words in attributes.items()
    }
