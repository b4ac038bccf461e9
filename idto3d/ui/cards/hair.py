"""Hair styles and colours as pictures; what is pressed is asked for as a change."""

from collections.abc import Mapping, Sequence
from html import escape

LOOKING = '<p class="advice" role="status">Hair is being grown to show you; the first time takes longer.</p>'
TITLES = {"styles": "Styles", "colours": "Colours"}
STRANGER = "Shown on somebody else's head, not the one in your photos. Your head gets the hair you choose."
WHOLE = ("bald",)  # words that say all by themselves


def hair(found: Mapping[str, Sequence[tuple[str, str]]], photos: bool = False) -> str:
    """The pictures of `found`, pairs of a word and a data URL by kind; photos: whether the head is from such."""
    whose = f'<p class="advice">{STRANGER}</p>' if photos else ""
    return whose + "".join(_row(title, found.get(kind, ())) for kind, title in TITLES.items())


def request(word: str) -> str:
    """What asks for that hair."""
    return word if word in WHOLE else f"{word} hair"


def _row(title: str, pairs: Sequence[tuple[str, str]]) -> str:
    cards = "".join(
        f'<button type="button" data-pick="{escape(request(word))}"><img alt="" src="{escape(url)}">'
        f"<span>{escape(word.capitalize())}</span></button>"
        for word, url in pairs
    )
    return f'<h3>{title}</h3><div class="hairs" role="group" aria-label="Hair: {title.lower()}">{cards}</div>'
