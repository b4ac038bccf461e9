"""The face at rest, of heads that are made and of pictures of candidates alike. Metres."""

from collections.abc import Mapping

import torch
from torch import Tensor

from idto3d.head.features.assemble import at_rest
from idto3d.head.features.lashes import curled
from idto3d.head.template_model import Template

AT_REST = {"eyeBlink": 0.12}  # the template looks with wide eyes
OPENER = {"baby": 0.02, "child": 0.04, "female": 0.07}  # lids of those of whom words say so
SMILES = {"middle-aged": 0.14, "old": 0.20}  # by age, beside 0.10: corners of the mouth hang, with years the more


def relaxed(template: Template, vertices: Tensor, weights: Tensor) -> Tensor:
    """[V, 3] the settled head `vertices` [V, 3] at rest: its shapes at `weights` [S], lips closed, lashes curled."""
    return curled(template, at_rest(template, vertices + template.displacement(weights)))


def rest_weights(template: Template, traits: Mapping[str, str], measured: Tensor | None = None) -> Tensor:
    """[S] weights of the face at rest of somebody with `traits`, or of whom photos show at `measured` [S]."""
    if measured is None:
        return template.weights(rest_of_words(traits))
    return torch.maximum(measured, template.weights(AT_REST))


def rest_of_words(traits: Mapping[str, str]) -> dict[str, float]:
    """Strengths of the template's shapes in the resting face of somebody with `traits` whom no photo shows."""
    words = (traits.get("age", ""), traits.get("gender", ""))
    lids = next((OPENER[word] for word in words if word in OPENER), AT_REST["eyeBlink"])
    return {"eyeBlink": lids, "mouthSmile": SMILES.get(traits.get("age", ""), 0.10)}
