"""What is said of photos before a head is made of them: a card for each, then what would help most."""

import base64
from collections.abc import Sequence
from html import escape

from idto3d.subject.verdict.judge import PhotoVerdict, Verdicts, seen_from

STATES = {"ok": "Good", "doubtful": "Usable", "refused": "Left out"}
WAITS = "Being looked at …"
LIGHTS = {"": "even light", "colourless": "one tint"}  # how light is called in a few words, where not by its own name
ASK_FIRST = "Tick the box above, and we look at the photos."


def cards(verdicts: Verdicts) -> str:
    """The verdicts as a list; each can be removed."""
    seen = [_card(number, photo) for number, photo in enumerate(verdicts.photos)]
    waiting = [_plain(len(seen) + number, name, WAITS) for number, name in enumerate(verdicts.waiting)]
    advice = f'<p class="advice">{escape(verdicts.advice)}</p>' if verdicts.advice else ""
    return f'<ul class="verdicts">{"".join(seen + waiting)}</ul>{advice}' if seen or waiting else ""


def unasked(names: Sequence[str]) -> str:
    """The photos while nobody said that we may look at them."""
    if not names:
        return ""
    listed = "".join(_plain(number, name, "") for number, name in enumerate(names))
    return f'<ul class="verdicts">{listed}</ul><p class="advice">{ASK_FIRST}</p>'


def _card(number: int, photo: PhotoVerdict) -> str:
    picture = photo.crop or photo.thumbnail
    image = f'<img alt="" src="{_url(picture)}">' if picture else '<span class="blank"></span>'
    facts = escape(_facts(photo))
    if photo.state == "ok":  # facts say it all
        said, beside = f"{facts[:1].upper()}{facts[1:]}.", ""
    else:
        said, beside = f"{escape(photo.what)} {escape(photo.remedy)}", facts and f": {facts}"
    text = f"<b>{STATES[photo.state]}</b> {said}"
    small = f"<small>{escape(photo.name)}{beside}</small>"
    return f'<li class="{photo.state}">{image}<div>{text}{small}</div>{_away(number, photo.name)}</li>'


def _plain(number: int, name: str, text: str) -> str:
    body = f"<div>{escape(name)}<small>{escape(text)}</small></div>"
    return f'<li class="waiting"><span class="blank"></span>{body}{_away(number, name)}</li>'


def _away(number: int, name: str) -> str:
    return f'<button type="button" data-pick="{number}" aria-label="Remove the photo {escape(name)}">×</button>'


def _facts(photo: PhotoVerdict) -> str:
    """What was measured, in a few words."""
    look = photo.look
    if not look.usable:
        return ""
    sharp = "blurred" if look.blurred else "sharp"
    light = [LIGHTS.get(name, name) for name in look.light or ("",)]
    facts = [f"face {look.face_px:.0f} px", seen_from(look), sharp, *light]
    if look.hidden:
        facts.append(f"hidden: {', '.join(look.hidden)}")
    if photo.apart is not None:
        facts.append("another person?" if photo.apart > 1 else "same person as the others")
    return ", ".join(facts)


def _url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
