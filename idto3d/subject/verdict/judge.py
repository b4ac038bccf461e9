"""What is said of photos that were looked at: of each whether it helps, of all what would help most.

Imports no torch, so that a page may judge anew as photos come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from idto3d.subject.similarity import disagreements
from idto3d.subject.verdict import facts
from idto3d.subject.verdict.chances import SURE, mean_chances
from idto3d.subject.verdict.facts import SMALL_FACE, Look, Seen
from idto3d.words.traits import ATTRIBUTES

STATES = OK, DOUBTFUL, REFUSED = ("ok", "doubtful", "refused")
FRONT, SIDE, FAR = 18.0, 25.0, 55.0  # degrees up to which a face is seen in front, from which aside, and too far aside
STYLE = "hair_style"
LIKELY, SURELY = 0.6, 0.9  # chances from which a suggestion is called so
FINE_FACE = 200  # pixels from which a closer photo no longer helps much
CLOSER = "A closer photo would help most."
Sentences = tuple[str, str]  # what is wrong, and what to do
UNSAID = "the colours of skin and hair are not read from this one"
LIGHT = {
    facts.DARK: ("The face is too dark.", f"Use a brighter photo; {UNSAID}."),
    facts.OVEREXPOSED: ("The face is overexposed.", f"Use a darker photo; {UNSAID}."),
    facts.ONE_SIDED: ("The light comes hard from one side.", "Use a photo in even light, as by a window."),
    facts.COLOURLESS: ("The photo seems to have no colours of its own.", f"Add one in colour, if you can; {UNSAID}."),
    facts.TINTED: ("The light tints the face.", f"Add a photo in daylight; {UNSAID}."),
}
HIDDEN = {
    facts.MASK: ("Something covers the face.", "Use a photo of the whole face; what is hidden is made up."),
    facts.EYES: ("The eyes are covered.", "Add a photo that shows them; else they are made up."),
    facts.EDGE: ("The photo cuts off a part of the face.", "Add one of the whole face; else that part is made up."),
    facts.GLASSES: ("Glasses hide a part of the face.", "Add a photo without them, if there is one."),
}


@dataclass(frozen=True)
class PhotoVerdict:
    """What is said of one photo.

    state: of STATES. what: one sentence. remedy: one sentence of what to do, empty where all is well. apart: median
    distance of the face from those of the other photos, in distances at which people are told apart, None where it is
    the only one; above 1 it is more likely another person's. crop, thumbnail: PNG of the face and of the whole photo,
    or empty.
    """

    name: str
    state: str
    what: str
    remedy: str
    look: Look
    apart: float | None
    crop: bytes
    thumbnail: bytes


@dataclass(frozen=True)
class Suggestion:
    """What the photos suggest of an attribute: a word, its mean chance 0..1, and whether it is taken if left alone."""

    attribute: str
    word: str
    chance: float
    taken: bool

    @property
    def sure(self) -> str:
        """How sure that is, in words: of styles the outline tells most, and curls and waves look much alike in it."""
        if self.attribute == STYLE or self.chance < LIKELY:
            return "a guess"
        return "sure" if self.chance >= SURELY else "likely"


@dataclass(frozen=True)
class Verdicts:
    """What is said of photos of one person; `waiting` are the names of those that were not looked at yet.

    advice: one sentence of what would help most. suggestions: what they suggest, in the order of their attributes.
    """

    photos: tuple[PhotoVerdict, ...] = ()
    waiting: tuple[str, ...] = ()
    advice: str = ""
    suggestions: tuple[Suggestion, ...] = ()


def judged(seen: Sequence[Seen], waiting: Sequence[str] = ()) -> Verdicts:
    """What is said of the photos that were `seen`, while others are `waiting`."""
    looks = [one.look for one in seen]
    apart = _apart(looks)
    photos = tuple(_verdict(one, looks, distance) for one, distance in zip(seen, apart, strict=True))
    return Verdicts(photos, tuple(waiting), "" if waiting else advice(photos), suggestions(looks))


def _apart(looks: Sequence[Look]) -> list[float | None]:
    """`apart` of each look."""
    used = [number for number, look in enumerate(looks) if look.usable]
    found: list[float | None] = [None] * len(looks)
    if len(used) > 1:
        distances = disagreements(np.array([looks[number].recognition for number in used]))
        for number, distance in zip(used, distances, strict=True):
            found[number] = float(distance) / looks[number].border
    return found


def _verdict(seen: Seen, looks: Sequence[Look], apart: float | None) -> PhotoVerdict:
    look = seen.look
    doubt = look.refusal or next(_doubts(look, looks, apart), None)
    state = REFUSED if look.refusal else DOUBTFUL if doubt else OK
    what, remedy = doubt or (_praise(look), "")
    return PhotoVerdict(look.name, state, what, remedy, look, apart, seen.crop, seen.thumbnail)


def _doubts(look: Look, looks: Sequence[Look], apart: float | None) -> Iterator[Sentences]:
    """What is wrong with a usable photo, the worst first."""
    if apart is not None and apart > 1:
        yield _stranger(sum(one.usable for one in looks))
    yield from (HIDDEN[name] for name in look.hidden if name != facts.GLASSES)
    yield from (LIGHT[name] for name in look.light if name in (facts.DARK, facts.OVEREXPOSED))
    if look.blurred:
        yield "The face is blurred.", "Use a sharper photo."
    if look.face_px < SMALL_FACE:
        yield f"The face is only {look.face_px:.0f} pixels wide.", "Use a closer photo."
    if abs(look.azimuth_deg) > FAR:
        yield f"The face is turned away by {abs(look.azimuth_deg):.0f} degrees.", "Add a photo from the front."
    yield from (LIGHT[name] for name in look.light if name not in (facts.DARK, facts.OVEREXPOSED))
    if facts.GLASSES in look.hidden:
        yield HIDDEN[facts.GLASSES]
    if look.others:
        yield f"There are {look.others + 1} faces; the largest is used.", "If that is somebody else, cut the photo."


def _stranger(count: int) -> Sentences:
    if count == 2:
        return "This may be another person than in the other photo.", "If so, remove one of the two."
    return (
        "This may be another person than in the other photos.",
        "If so, remove it; else it is used like them.",
    )


def _praise(look: Look) -> str:
    return f"A good photo: sharp, well lit, the face {look.face_px:.0f} pixels wide and seen {seen_from(look)}."


def seen_from(look: Look) -> str:
    """From where the face is seen, in words; left and right are the person's own."""
    if abs(look.azimuth_deg) >= FRONT:
        place = f"from the {'left' if look.azimuth_deg > 0 else 'right'}"
        return f"{place} by {abs(look.azimuth_deg):.0f} degrees"
    if abs(look.elevation_deg) >= FRONT:
        return f"from {'above' if look.elevation_deg > 0 else 'below'}"
    return "from the front"


def advice(photos: Sequence[PhotoVerdict]) -> str:
    """One sentence of what would help most; empty without photos."""
    if not photos:
        return ""
    looks = [photo.look for photo in photos if photo.look.usable]
    if not looks:
        return "A sharp photo from the front, in daylight, would help most."
    if any(photo.apart is not None and photo.apart > 1 for photo in photos):
        return "Photos of one person alone would help most."
    clear = [look for look in looks if not (_spoilt(look))]
    if not clear:
        small = all(not _poor(look) for look in looks)
        return CLOSER if small else "A sharp, well lit photo of the whole face would help most."
    return _missing(clear) or "These photos show enough; more of the same would add little."


def _spoilt(look: Look) -> bool:
    """Whether much of the face cannot be told from the photo."""
    return look.face_px < SMALL_FACE or _poor(look)


def _poor(look: Look) -> bool:
    """Whether a photo as close as one likes would be spoilt."""
    poor = (facts.DARK, facts.OVEREXPOSED, facts.MASK, facts.EYES, facts.EDGE)
    return look.blurred or not {*look.light, *look.hidden}.isdisjoint(poor)


def _missing(looks: Sequence[Look]) -> str:
    """What none of the clear `looks` shows; empty where nothing much."""
    turns = [look.azimuth_deg for look in looks]
    if not any(abs(turn) < FRONT for turn in turns):
        return "A photo from the front would help most."
    if all({facts.COLOURLESS, facts.TINTED} & {*look.light} for look in looks):
        return "A photo in daylight would help most, as none tells the colours of skin and hair."
    if all(facts.GLASSES in look.hidden for look in looks):
        return "A photo without glasses would help most."
    if max(look.face_px for look in looks) < FINE_FACE:
        return CLOSER
    sides = {"left": max(turns) >= SIDE, "right": min(turns) <= -SIDE}
    unseen = [side for side, shown in sides.items() if not shown]
    if not unseen:
        return ""
    return f"A photo from the person's {' or '.join(unseen)} would help most."


def suggestions(looks: Sequence[Look]) -> tuple[Suggestion, ...]:
    """What usable photos suggest, in the order of the attributes; the likeliest word of each."""
    chances = mean_chances([look.traits for look in looks if look.usable])
    best = {name: max(said, key=said.get) for name, said in chances.items()}
    return tuple(
        Suggestion(name, best[name], chances[name][best[name]], chances[name][best[name]] >= SURE)
        for name in ATTRIBUTES
        if name in best
    )
