"""What an edit leaves behind besides shape and colour: the head's words, and sentences for the user."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from torch import Tensor

from idto3d.head.start import WORDS, Trait
from idto3d.stages.edit.work import Work
from idto3d.stages.saved import FinishedHead

NOTHING: Mapping[str, float] = MappingProxyType({})


def telling(work: Work, sentence: str) -> Work:
    """The work with a sentence for the user."""
    return replace(work, told=(*work.told, sentence))


def remembered(
    head: FinishedHead, traits: Mapping[str, str], change: Tensor | None = None, features: Mapping[str, float] = NOTHING
) -> FinishedHead:
    """The head that knows the words `traits` by attribute of itself, and of `features` how much it has.

    change [K]: of its start's shape code.
    """
    said = {name: Trait(word, WORDS) for name, word in traits.items()}
    has = {**head.start.features, **features}
    start = replace(head.start, traits={**head.start.traits, **said}, features=has)
    if change is not None:
        start = replace(start, coefficients=start.coefficients + change.to(start.coefficients))
    return replace(head, start=start)
