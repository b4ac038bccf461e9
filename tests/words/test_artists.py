"""What artists write of heads, and ask of them: each with all that is understood of it, in artists.txt."""

from pathlib import Path

import pytest

from idto3d.words.asked import read_edit
from idto3d.words.looks.eyewear import Frames

LINES = Path(__file__).with_name("artists.txt").read_text().splitlines()


def told(asked):
    """What is asked for, in short: "gender female, lips red x0.3, freckles +0.6, glasses"."""
    said = [f"{name} {word}" for name, word in asked.traits.items()]
    said += [f"{asked.years:+g} steps"] if asked.years else []
    shares = {one: f" x{share:g}" for one, share in asked.shares.items()}
    said += [f"{one} {paint}{shares.get(one, '')}" for one, paint in asked.colours.items()]
    said += [f"{name} {amount:+g}" for name, amount in (*asked.marks.items(), *asked.features.items())]
    drawn = [(one.side, one.place, one.colour, one.form, one.kind) for one in asked.drawings]
    said += [f"a {' '.join(filter(None, words))}" for words in drawn]
    said += [{True: "glasses", False: "no glasses"}[asked.glasses]] if asked.glasses is not None else []
    frames, usual = vars(asked.frames or Frames()), vars(Frames())
    return ", ".join([*said, *(f"{name} {value}" for name, value in frames.items() if value != usual[name])])


@pytest.mark.parametrize(("prompt", "understood"), [line.split(" | ") for line in LINES])
def test_what_artists_write_is_understood(prompt, understood):
    assert told(read_edit(prompt)) == understood


def test_there_are_many_of_them():
    assert len(LINES) == len(set(LINES)) > 100
