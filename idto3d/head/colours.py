"""The usual redness of skin, and the tone of brows and beard that traits name."""

from collections.abc import Mapping

from idto3d.words.traits import natural_colour

USUAL_REDNESS = 0.5


def natural_tone(traits: Mapping[str, str]) -> tuple[float, ...] | None:
    """The linear RGB of brows and beard: the hair's, or a natural one under dyed hair; None where no colour is said."""
    colour = natural_colour(traits.get("hair_colour", ""))
    return colour.rgb if colour else None
