"""How strongly a head shows what is asked of it, and what of the face goes along.

Some of the template's shapes are so faint that nobody reads them, and each moves one thing alone: a smile leaves the
cheeks where they are.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from idto3d.head.template_model import shape_numbers

# Strength of a shape that is asked for whole, where the template's own is too faint.
STRONGER: Mapping[str, float] = {"mouthFrown": 1.6, "mouthPucker": 1.25, "browDown": 1.3, "noseSneer": 1.15}
# What goes along with a shape, at these strengths of its own. Brows that are pressed down go down in the middle most,
# where the template's hardly do: with them flat a face looks worried rather than stern.
ALONG: Mapping[str, Mapping[str, float]] = {"mouthSmile": {"cheekRaiser": 0.35}, "browDown": {"browInnerUp": -0.5}}


def acted(shapes: Sequence[str], weights: Tensor) -> Tensor:
    """[..., S] the strengths of `shapes` that a head shows where `weights` [..., S] are asked for."""
    mixed = torch.eye(len(shapes)).to(weights)
    for name, factor in STRONGER.items():
        numbers = shape_numbers(name, shapes)
        mixed[numbers, numbers] = factor
    for name, others in ALONG.items():
        for other, share in others.items():
            mixed[shape_numbers(name, shapes), shape_numbers(other, shapes)] += share
    return weights @ mixed
