"""What the process does that proposes faces and hair for words; see `clerk.process`.

It keeps its last answers in memory, so that who asks the same again, as after a reload, waits no second time.
"""

import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import ModuleType

import numpy as np

from idto3d.config import HeadOptions, from_json
from idto3d.events import Candidate, CandidatesFound, Event, HairChoice, HairFound, Notice
from idto3d.jobs.clerk.process import Answer

REMEMBERED = 16  # answers
FACES, HAIR = "faces", "hair"  # what may be asked for


class Proposing:
    """Proposes by the functions `propose` and `hair_choices` of a module, as those of `idto3d.candidates`."""

    def __init__(self, module: ModuleType):
        self._module = module
        self._given: OrderedDict[str, tuple[dict, bytes]] = OrderedDict()

    def answer(self, question: dict) -> tuple[dict, bytes]:
        """Answers `options` of a head and, as `wanted`, FACES, `like` rows of coefficients and a `count`, or HAIR.

        The answer has what there is to be said as `notices`, and the `shape` of all pictures together, [N, S, S, 3]
        uint8 sRGB, whose bytes follow; of faces their `coefficients` and `scores`, of hair the names of the `styles`,
        whose pictures are first, and of the `colours`.
        """
        key = json.dumps(question, sort_keys=True)
        if key not in self._given:
            self._given[key] = _faces(self._module, question) if question["wanted"] == FACES else self._hair(question)
        self._given.move_to_end(key)
        while len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        return self._given[key]

    def _hair(self, question: dict) -> tuple[dict, bytes]:
        found, notices = _last(self._module.hair_choices(from_json(HeadOptions, question["options"])), HairFound)
        names = {"styles": [one.name for one in found.styles], "colours": [one.name for one in found.colours]}
        return _told(names, (*found.styles, *found.colours), notices)


def _faces(module: ModuleType, question: dict) -> tuple[dict, bytes]:
    options, like = from_json(HeadOptions, question["options"]), tuple(map(tuple, question["like"]))
    found, notices = _last(module.propose(options, like=like, count=question["count"]), CandidatesFound)
    rows = [[round(float(number), 5) for number in one.coefficients] for one in found.candidates]
    scores = [float(one.score) for one in found.candidates]
    return _told({"coefficients": rows, "scores": scores}, found.candidates, notices)


def _last(events: Iterator[Event], kind: type) -> tuple:
    """The event of that kind that `events` end with, and what was said before."""
    told = list(events)
    return next(one for one in reversed(told) if isinstance(one, kind)), [e.text for e in told if isinstance(e, Notice)]


def _told(facts: dict, shown: Sequence[Candidate | HairChoice], notices: Sequence[str]) -> tuple[dict, bytes]:
    """An answer with the pictures of all that is shown."""
    pictures = np.stack([np.asarray(one.picture, np.uint8) for one in shown])
    return {**facts, "notices": list(notices), "shape": pictures.shape}, pictures.tobytes()


def proposer(module: str) -> Answer:
    """Answers by the module that is named."""
    return Proposing(import_module(module)).answer
