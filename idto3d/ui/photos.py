"""What is told before a head is made: what photos show, and what a choice of weights would mean. Knows no widgets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from idto3d.bundle.offer import at_hand
from idto3d.config import HeadOptions
from idto3d.errors import UserError, shown
from idto3d.jobs.clerk.clerk import Work
from idto3d.jobs.clerk.office import IDLE, Office, Terms
from idto3d.jobs.intake.intake import Intake
from idto3d.jobs.intake.offered import Offered, from_plain
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.subject.verdict.judge import Verdicts
from idto3d.words.corrections import still_meant

NO_CONSENT = (
    "We need a yes before we look at a face.",
    "Tick the box that says this is you, or that you have the person's permission.",
)
NAMED = ("embedded", "community")  # weights that every installation knows
OFFERING = Work("idto3d.jobs.intake.offers", "offerer")
LONGEST_LOOK_UP = 60.0  # seconds
TERMS = (
    "With the weights {title} faces in photos are read by InsightFace, whose models are for non-commercial research "
    "only."
)


class Photos:
    """The verbs of the page before Generate; `base` holds the options of the server: weights and device."""

    def __init__(self, limits: Limits = LOCAL, base: Mapping | None = None):
        self.limits = limits
        self.base = dict(base or {})
        self.intake = Intake(limits)
        self._offers = Office(OFFERING, _terms(limits))

    def open(self) -> None:
        """Load what photos are looked at with, ahead of the first; to be called when somebody is about to add some."""
        self.intake.open()

    def verdicts(
        self, photos: Sequence[str | Path], consent: bool, visitor: str = "", page: str = ""
    ) -> Iterator[Verdicts]:
        """What is said of `photos`, again after each of them; the last is all there is.

        `page` is any text that says which of a visitor's pages asks; when it asks anew, its older question ends early.
        Raises UserError without consent, and for more photos than may be given.
        """
        if photos and not consent:
            raise UserError(*NO_CONSENT)
        yield from self.intake.verdicts([Path(photo) for photo in photos], visitor, page)

    def offers(self, visitor: str = "") -> tuple[Offered, ...]:
        """The weights that a visitor may choose by name, as far as they are known here; nobody is asked about them."""
        names = [name for name in dict.fromkeys((*NAMED, self.own())) if is_offered(name, self.limits)]
        return tuple(offer for name in names if (offer := self._offer(name, False, visitor)))

    def offer(self, weights: str, visitor: str = "") -> Offered:
        """What choosing `weights` would mean; the Hub is asked where only it knows, so the visitor must want that.

        Raises UserError where there are none of that name, where the Hub cannot say, or where they are not offered.
        """
        check_weights(weights, self.limits)
        offer = self._offer(weights.strip() or self.own(), True, visitor)
        assert offer is not None
        return offer

    def terms(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What visitors are to know of weights that they may get here, whoever chose these: sentences and licences."""
        names = dict.fromkeys((self.own(), *(self.limits.weights or ())))
        offers = [offer for name in names if (offer := at_hand(name)) and not offer.free]
        return tuple((TERMS.format(title=offer.title), offer.licences) for offer in offers)

    def own(self) -> str:
        """The weights of the server, which are used where none are chosen."""
        return self.base.get("weights") or HeadOptions().weights

    def chosen(self, weights: str) -> str | None:
        """How the form says that a head was made with `weights`: empty for the server's own, else their name.

        None where they may not be chosen here, or are not here.
        """
        if weights == self.own():
            return ""
        try:
            check_weights(weights, self.limits)
            at_hand(weights)
        except UserError:
            return None
        return weights

    def forget(self) -> None:
        """Forget every photo that was looked at, as when somebody's are deleted."""
        self.intake.forget()

    def rest(self, idle: float = IDLE) -> None:
        """End the processes that nobody asked anything for so many seconds, and with them all they saw."""
        self.intake.rest(idle)
        self._offers.rest(idle)

    def _offer(self, weights: str, ask: bool, visitor: str) -> Offered | None:
        question = {"weights": weights, "device": self.base.get("device", HeadOptions().device), "ask": ask}
        try:
            said, _ = self._offers.ask(weights, question, visitor)
        except RuntimeError:
            what = f"The weights '{shown(weights)}' could not be looked up."
            raise UserError(what, "Try again; the server's log says more.") from None
        return from_plain(said["offered"]) if said["offered"] else None


def is_offered(weights: str, limits: Limits) -> bool:
    """Whether a visitor may choose `weights`; empty for those of the server, whatever they are."""
    return not weights.strip() or limits.weights is None or weights.strip() in limits.weights


def check_weights(weights: str, limits: Limits) -> None:
    """Raise UserError for weights that a visitor may not choose."""
    if not is_offered(weights, limits):
        choices = f"Choose {' or '.join(limits.weights or ())}, or leave it to the server."
        raise UserError(f"The weights '{shown(weights)}' are not offered here.", choices)


def with_weights(options: HeadOptions, weights: str) -> HeadOptions:
    """`options` with the `weights` that a visitor chose, the server's own for none, and the encoder that they take.

    The terms of an encoder are part of what is told of weights, so who chooses them asks for it: the visitor, or who
    started the server with them. Nobody else is asked. Raises UserError where a folder holds no weights.
    """
    name = weights.strip() or options.weights
    offer = at_hand(name)
    encoder = options.subject.encoder if offer is None or offer.free else offer.encoder
    return replace(options, weights=name, subject=replace(options.subject, encoder=encoder))


def corrections_after(prompt: str, corrections: Mapping[str, str]) -> dict[str, str]:
    """`corrections` by attribute when `prompt` was written after them: what it says otherwise is empty, as seen.

    Chosen words count before those of the prompt, so this is for the page to call when the prompt changes: what a
    visitor said last is what is meant.
    """
    chosen = {name: word for name, word in corrections.items() if word}
    kept = still_meant(prompt, chosen)
    return {name: kept.get(name, "") for name in corrections}


def _terms(limits: Limits) -> Terms:
    return Terms(
        thing="look-up",
        seconds=LONGEST_LOOK_UP,
        visitor=limits.visitor_looks,
        total=limits.total_looks,
        smaller="Check the connection, or choose embedded.",
        gone=("These weights were removed.", "Choose others."),
    )
