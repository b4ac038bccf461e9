"""What a request to change a head asks for, e.g. "green hair", "as a cute baby", "more wrinkles"."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from idto3d.words.figures.heard import Drawn
from idto3d.words.looks.eyewear import Frames


@dataclass(frozen=True)
class EditRequest:
    """What is to change; all else stays.

    traits: new words by attribute (traits.ATTRIBUTES), as for a prompt; SHAVEN and BALD take hair away. years: what
    "older" and "younger" add to the age, in steps of about twenty years, -3..3. colours: names of paints by what bears
    them: skin, eyes, lips, brows, beard, cheeks (blush), lids (eye shadow), lashes (mascara); shares: how much of these
    is put on, 1 where missing. marks: strengths by name, freckles, wrinkles and so on of paints.MARKS: 1 some, 2 many,
    under 0 fewer or none. glasses: whether there shall be any, None where nothing is said of them. unknown: words that
    mean something else, in order. features: amounts of figures.table.FEATURES, 1 what the word alone asks for, 0 none
    of it, under 0 its opposite; further: those of which there shall be more than there is, as in "more pointed ears",
    or less; at_least: those of which more may stay. drawings: what is drawn on the skin. beings: words for figures,
    such as elf. frames: of what kind the glasses are, None where nothing is said of that.
    """

    traits: Mapping[str, str] = field(default_factory=dict)
    years: float = 0.0
    colours: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, float] = field(default_factory=dict)
    glasses: bool | None = None
    unknown: tuple[str, ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)
    drawings: tuple[Drawn, ...] = ()
    beings: tuple[str, ...] = ()
    further: frozenset[str] = frozenset()
    at_least: frozenset[str] = frozenset()
    frames: Frames | None = None
    shares: Mapping[str, float] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing that can be done."""
        told = (self.traits, self.years, self.colours, self.marks, self.features, self.drawings)
        return not any(told) and self.glasses is None
