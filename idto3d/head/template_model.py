"""The template head: a layout of parts, identity modes and expression shapes, all linear. Metres.

The vertices are ICT-FaceKit's (MIT licence) that are drawn, the skin's first, in their order; `original` says which.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from idto3d.head.motion.personal import Personal

SIDES = ("_L", "_R")


@dataclass(frozen=True, eq=False)
class TemplatePart:
    """One surface of the template: which `vertices` of the template are its own, and how they hang together.

    faces [F, 3] int64, numbers among the part's own vertices, counter-clockwise seen from outside; uvs [F, 3, 2] of the
    faces' corners, 0..1, u to the right and v down. Parts of one `material` share a texture square without overlap.
    """

    name: str
    material: str
    vertices: slice
    faces: Tensor
    uvs: Tensor


@dataclass(frozen=True, eq=False)
class Moves:
    """The expression shapes, of which each moves few vertices: entry n says that shape `shape[n]` moves vertex
    `vertex[n]` by `offset[n]`. shape, vertex [N] int32; offset [N, 3] metres.
    """

    shape: Tensor
    vertex: Tensor
    offset: Tensor


@dataclass(frozen=True, eq=False)
class Template:
    """neutral [V, 3] metres; identity [K, V, 3] metres per unit of a coefficient that is about normal over people.

    The last len(words) modes are what `words` such as "baby" change, 1 being the full change. `shapes` are the names of
    expression shapes, see template.EXPRESSIONS. original [V] int64: numbers among ICT-FaceKit's 26,719 vertices.
    lid_rims [2, N] int64: the outer edge of the lids around the left and the right eye, skin vertices in order. base:
    the skin's vertices that close it below, see `features.bust`; ICT-FaceKit has none of them, `original` is -1 there.
    personal: how other heads' shapes differ from these, which are the mean head's; None where all heads share them.
    """

    neutral: Tensor
    identity: Tensor
    words: tuple[str, ...]
    shapes: tuple[str, ...]
    moves: Moves
    parts: tuple[TemplatePart, ...]
    original: Tensor
    lid_rims: Tensor
    base: slice
    personal: Personal | None = None

    @property
    def faces(self) -> Tensor:
        """[F, 3] int64 faces of all parts over the template's vertices, the skin's first."""
        return torch.cat([part.faces + part.vertices.start for part in self.parts])

    def part(self, name: str) -> TemplatePart:
        """The part called `name`. Raises KeyError where there is none."""
        found = {part.name: part for part in self.parts}
        return found[name]

    def numbered(self, listed: np.ndarray) -> np.ndarray:
        """The template's numbers of vertices, from those that its file, which lists no base, has for them."""
        return listed + (self.base.stop - self.base.start) * (listed >= self.base.start)

    def shape(self, coefficients: Tensor) -> Tensor:
        """[..., V, 3] metres, the heads of identity `coefficients` [..., K], without expression; differentiable."""
        return self.neutral + (coefficients @ self.identity.flatten(1)).unflatten(-1, (-1, 3))

    def dense_moves(self) -> Tensor:
        """[S, V, 3] metres by which each of `shapes` at full strength moves each vertex."""
        moved = self.neutral.new_zeros(len(self.shapes), *self.neutral.shape)
        return moved.index_put((self.moves.shape.long(), self.moves.vertex.long()), self.moves.offset)

    def displacement(self, weights: Tensor) -> Tensor:
        """[..., V, 3] metres by which `shapes` at strengths `weights` [..., S] move it; linear, differentiable."""
        return (weights @ self.dense_moves().flatten(1)).unflatten(-1, (-1, 3))

    def weights(self, recipe: Mapping[str, float]) -> Tensor:
        """[S] strengths of a `recipe` of shape names; a name without its side stands for both. Raises ValueError."""
        weights = self.neutral.new_zeros(len(self.shapes))
        for name, amount in recipe.items():
            weights[shape_numbers(name, self.shapes)] = amount
        return weights


def shape_numbers(name: str, shapes: Sequence[str]) -> list[int]:
    """Which of `shapes` a recipe's `name` stands for: itself, or both of its sides. Raises ValueError for none."""
    found = [number for number, shape in enumerate(shapes) if shape in (name, *(name + side for side in SIDES))]
    if not found:
        raise ValueError(f"there is no expression shape '{name}'")
    return found
