"""From a template's vertices to a head of parts: expressions by name on every part that they move."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from idto3d.head.features.eyes import NAMES as EYE_NAMES
from idto3d.head.features.eyes import eye_displacement, eye_of
from idto3d.head.features.folds import unfolded
from idto3d.head.features.lid_skin import lids_of
from idto3d.head.features.lids import seated, shut_and_clear
from idto3d.head.features.mouth import mouth_inside, mouth_kept_inside
from idto3d.head.motion.acted import acted
from idto3d.head.motion.contact import lips_closed, lips_meet
from idto3d.head.motion.creases import creased
from idto3d.head.motion.moves import displacement_of
from idto3d.head.parts import Head, Part
from idto3d.head.template_model import Template
from idto3d.words.arkit import ARKIT, arkit_recipe
from idto3d.words.expressions import expression

# A mouth that is only pulled open by the jaw hides its teeth behind the lips; these show them.
ADDED = {"mouth stretch": {"mouthUpperUp": 0.45, "mouthLowerDown": 0.35}}


def recipe_of(name: str) -> Mapping[str, float]:
    """Strengths of the template's shapes for one of our expressions or one of Apple's names.

    Raises ValueError for Apple's tongueOut, which the template lacks, and UserError for a name that is neither's.
    """
    if name in ARKIT:
        return arkit_recipe(name)
    return {**expression(name).recipe, **ADDED.get(name, {})}


def weights_of(template: Template, expressions: Sequence[str]) -> Tensor:
    """[E, S] shape strengths of the `expressions`, on the template's device."""
    weights = torch.stack([template.weights(recipe_of(name)) for name in expressions])
    return weights if template.personal is None else acted(template.shapes, weights)


def settled(template: Template, vertices: Tensor) -> Tensor:
    """[V, 3] a head `vertices` [V, 3] at rest, its skin unfolded, its eyeballs behind its lids, its mouth inside of it.

    To be called once after the skin has its final shape; again moves it by fractions of a millimetre.
    """
    return mouth_inside(template, seated(template, unfolded(template, vertices), lids_of(template)))


def at_rest(template: Template, vertices: Tensor) -> Tensor:
    """[V, 3] a head `vertices` [V, 3] in its last shape, `settled` and its lips closed."""
    return settled(template, lips_closed(template, vertices))


def displacements(template: Template, vertices: Tensor, weights: Tensor) -> Tensor:
    """[E, V, 3] metres by which a head `vertices` [V, 3] moves under shape strengths `weights` [E, S].

    The template's shapes as this head has them, eyeballs that turn with a look, lids that shut on this head's own eyes,
    lips that meet, a mouth that stays inside.
    """
    moved = displacement_of(template, vertices, weights)
    if template.personal is not None:
        moved = lips_meet(template, vertices, moved, weights) + creased(template, vertices, weights)
    for side, name in enumerate(EYE_NAMES):
        moved[:, template.part(name).vertices] = eye_displacement(template, vertices, weights, side)
    moved = mouth_kept_inside(template, vertices, moved)
    moved = shut_and_clear(template, vertices, moved, weights, lids_of(template))
    return moved * (weights != 0).any(1)[:, None, None]  # what is at rest stays as it is given


def head_of(template: Template, vertices: Tensor, expressions: Sequence[str], extra: Tensor | None = None) -> Head:
    """A head of parts from the template's `vertices` [V, 3] metres, with `expressions` of ours or by Apple's names.

    extra: [E, V, 3] metres that are added to the expressions' displacements. Eyes get their centres as pivots. Raises
    as recipe_of.
    """
    moved = displacements(template, vertices, weights_of(template, expressions))
    moved = moved if extra is None else moved + extra
    pivots = {name: eye_of(template, vertices, side).centre for side, name in enumerate(EYE_NAMES)}
    parts = [
        Part(
            part.name,
            vertices[part.vertices],
            part.faces,
            moved[:, part.vertices],
            part.material,
            part.uvs,
            pivots.get(part.name),
        )
        for part in template.parts
    ]
    return Head(tuple(expressions), tuple(parts))
