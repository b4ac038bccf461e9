"""What the process does that proposes faces and hair for words; see `clerk.process`.

It keeps its last answers in memory, so that who asks the same again, as after a reload, waits no second time. What
could still be gone on with holds a template, a prior and a scorer: few such are kept.
"""

import json
from collections import OrderedDict
from collections.abc import Generator, Sequence
from importlib import import_module
from types import ModuleType

import numpy as np

from idto3d.config import HeadOptions, from_json
from idto3d.events import Candidate, CandidatesFound, Event, HairChoice, HairFound, Notice
from idto3d.jobs.clerk.process import Answer

REMEMBERED = 16  # answers
UNFINISHED = 2  # of them, that could be gone on with
FACES, HAIR = "faces", "hair"  # what may be asked for


class Found:
    """What the `events` of a proposal of `count` faces have come to, as far as they were gone on with."""

    def __init__(self, events: Generator[Event, None, None], count: int):
        self._events = events
        self._count = count
        self.found: CandidatesFound | HairFound | None = None
        self.notices: list[str] = []
        self.over = False

    def go_on(self, beyond: int | None) -> None:
        """Until more than `beyond` faces are known, or to the end; after the last face that is near."""
        while not self.over and (beyond is None or self._faces() <= beyond or self._faces() >= self._count):
            event = next(self._events, None)
            self.over = event is None
            if isinstance(event, CandidatesFound | HairFound):
                self.found = event
            elif isinstance(event, Notice):
                self.notices.append(event.text)

    def close(self) -> None:
        """Let go of what it takes to go on."""
        self._events.close()

    def _faces(self) -> int:
        return len(self.found.candidates) if isinstance(self.found, CandidatesFound) else 0


class Proposing:
    """Proposes by the functions `propose` and `hair_choices` of a module, as those of `idto3d.candidates`."""

    def __init__(self, module: ModuleType):
        self._module = module
        self._known: OrderedDict[str, Found] = OrderedDict()

    def answer(self, question: dict) -> tuple[dict, bytes]:
        """Answers `options` of a head and, as `wanted`, FACES, `like` rows of coefficients and a `count`, or HAIR.

        With `beyond`, a number of faces that are known to who asks, the answer has those that come next, at least one,
        and says whether it is all that come (`over`); without, all of them.

        The answer has what there is to be said as `notices`, and the `shape` of all pictures together, [N, S, S, 3]
        uint8 sRGB, whose bytes follow; of faces their `coefficients` and `scores`, of hair the names of the `styles`,
        whose pictures are first, and of the `colours`.
        """
        beyond = question.get("beyond")
        key = json.dumps({name: one for name, one in question.items() if name != "beyond"}, sort_keys=True)
        known = self._known.pop(key, None)
        again = known is None and beyond  # given up meanwhile: gone on with to its end, not to be so again
        known = known or Found(self._events(question), question.get("count", 0))
        known.go_on(None if again else beyond)  # one that raises is not kept
        self._known[key] = known
        self._tidy()
        return _hair(known) if question["wanted"] == HAIR else _faces(known, beyond or 0)

    def _tidy(self) -> None:
        """Forget answers that were asked for longest ago, and close those of them that are not at their end."""
        unfinished = [key for key, known in self._known.items() if not known.over]
        for key in unfinished[:-UNFINISHED]:
            self._known.pop(key).close()
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)[1].close()

    def _events(self, question: dict) -> Generator[Event, None, None]:
        options = from_json(HeadOptions, question["options"])
        if question["wanted"] == HAIR:
            return self._module.hair_choices(options)
        return self._module.propose(options, like=tuple(map(tuple, question["like"])), count=question["count"])


def _hair(known: Found) -> tuple[dict, bytes]:
    found = known.found
    names = {"styles": [one.name for one in found.styles], "colours": [one.name for one in found.colours]}
    return _told(names, (*found.styles, *found.colours), known.notices)


def _faces(known: Found, beyond: int) -> tuple[dict, bytes]:
    fresh = known.found.candidates[beyond:]
    rows = [[round(float(number), 5) for number in one.coefficients] for one in fresh]
    said = {"coefficients": rows, "scores": [float(one.score) for one in fresh], "over": known.over}
    return _told(said, fresh, known.notices)


def _told(facts: dict, shown: Sequence[Candidate | HairChoice], notices: Sequence[str]) -> tuple[dict, bytes]:
    """An answer with the pictures of all that is shown."""
    pictures = (
        np.stack([np.asarray(one.picture, np.uint8) for one in shown]) if shown else np.zeros((0, 1, 1, 3), np.uint8)
    )
    return {**facts, "notices": list(notices), "shape": pictures.shape}, pictures.tobytes()


def proposer(module: str) -> Answer:
    """Answers by the module that is named."""
    return Proposing(import_module(module)).answer
