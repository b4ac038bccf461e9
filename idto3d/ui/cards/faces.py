"""Faces to choose from, as pictures that are pressed."""

from collections.abc import Sequence
from html import escape

from idto3d.ui.heads.choosing import COUNT, Found

LOOKING = "Many faces are drawn and compared with your words; the first time takes longer."
COMING = "The best come first, one by one."
PICK = "Choose the one to make, or leave it to the words."
PICKED = "Generate makes the face that is marked."
ELSEWHERE = "Generate makes the face that was chosen for this head."
CHANGED = "These are for other words than those above: ask again, or keep the face."
OTHER = "The face that is made was chosen for other words than those above: keep it, or press Choose none."

HEED = """(prompt) => {
  const plain = (text) => text.replace(/\\s+/g, " ").trim();
  for (const told of document.querySelectorAll("#faces [data-words]"))
    told.nextElementSibling.hidden = plain(told.dataset.words) === plain(prompt || "");
}"""  # run with the words as they are: by itself, as an answer of the server might come after newer faces


def faces(found: Found, chosen: Sequence[float] = (), words: str = "") -> str:
    """The faces, the `chosen` one marked; places for them while they are looked for, nothing where none were asked.

    words: those that the chosen one was for.
    """
    if found.waits:
        there = "".join(f'<span class="face"><img alt="" src="{escape(picture)}"></span>' for picture, _ in found.faces)
        blank = '<span class="face wait"></span>' * (COUNT - len(found.faces))
        told = f'<p class="advice" role="status">{COMING if found.faces else LOOKING}</p>'
        return f'<div class="faces" aria-hidden="true">{there}{blank}</div>{told}'
    if not found.faces:
        return f'<p class="advice">{ELSEWHERE}</p>{_hint(words, OTHER)}' if chosen else ""
    cards = "".join(_card(number, picture, row == tuple(chosen)) for number, (picture, row) in enumerate(found.faces))
    group = f'<div class="faces" role="group" aria-label="Faces for: {escape(found.prompt)}">{cards}</div>'
    told = "".join(f'<p class="advice">{escape(text)}</p>' for text in (*found.notices, _advice(found, chosen)))
    other = _hint(words, OTHER) if chosen and plainly(words) != plainly(found.prompt) else ""
    return f"{group}{_hint(found.prompt, CHANGED)}{told}{other}"


def plainly(words: str) -> str:
    """`words` as they are compared, as in HEED."""
    return " ".join(words.split())


def _hint(words: str, text: str) -> str:
    """What is shown, by HEED, while other words than `words` are written."""
    return f'<span data-words="{escape(words)}" hidden></span><p class="advice" role="status" hidden>{text}</p>'


def _card(number: int, picture: str, chosen: bool) -> str:
    return (
        f'<button type="button" class="face{" now" if chosen else ""}" data-pick="{number}"'
        f' aria-pressed="{str(chosen).lower()}"><img alt="Face {number + 1}" src="{escape(picture)}"></button>'
    )


def _advice(found: Found, chosen: Sequence[float]) -> str:
    if not chosen:
        return PICK
    return PICKED if any(row == tuple(chosen) for _, row in found.faces) else ELSEWHERE
