"""Looks at photos for the tests of the intake: a file's text says what happens."""

import os
import time
from pathlib import Path

from idto3d.errors import UserError
from idto3d.subject.verdict.facts import Look, Seen, as_plain


def looker():
    """Answers like the process that looks at photos, in no time."""
    return answer


def answer(question):
    """The face is as many pixels wide as the file says.

    slow: it takes two seconds. breaks: a fault. dies: the process does. refuses: a refusal.
    """
    photo = Path(question["photo"])
    text = photo.read_text()
    with (photo.parent / "asked").open("a") as file:
        file.write(f"{os.getpid()} {photo.name}\n")
    if text == "slow":
        time.sleep(2.0)
    if text == "breaks":
        raise RuntimeError("a toy broke")
    if text == "dies":
        os._exit(1)
    if text == "refuses":
        raise UserError("It is no photo.", "Take another.")
    width = float(text) if text.isdigit() else 300.0
    seen = Seen(Look(photo.name, face_px=width, recognition=(1.0, 0.0), border=0.4), b"crop", b"whole")
    return {"look": as_plain(seen.look), "crop": 4}, seen.crop + seen.thumbnail
