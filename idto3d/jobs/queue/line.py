"""Whose turn it is: the oldest first, but one of each visitor before the second of any."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Waiting(Generic[Asked]):
    """Something `asked` for by a visitor. `since` sorts by age."""

    asked: Asked
    visitor: str
    since: str | float


def in_turn(waiting: Sequence[Waiting[Asked]], served: Mapping[str, float]) -> list[Asked]:
    """What waits, in the order in which it is to be begun.

    `served` says when something of a visitor was begun last: whose turn is longer ago comes first.
    """
    rounds, places = Counter(), []
    for number, one in enumerate(sorted(waiting, key=lambda one: one.since)):
        places.append((rounds[one.visitor], served.get(one.visitor, 0.0), number, one.asked))
        rounds[one.visitor] += 1
    return [place[-1] for place in sorted(places, key=lambda place: place[:-1])]
