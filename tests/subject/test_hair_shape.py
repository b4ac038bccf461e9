"""What the outline of hair tells of its style, on outlines that are drawn in metres of the mean head."""

from dataclasses import replace

import numpy as np
import pytest

from idto3d.subject.masks import REGIONS, Masks
from idto3d.subject.parsing.frame import CHIN, SIDES, TOP
from idto3d.subject.parsing.hair_shape import CHIN_M, FACE_M, fitted, hair_shape
from idto3d.words.traits import HAIR_STYLES

SIZE, FACE = 256, 100  # pixels of the masks, and of the face in them
LEFT, CHIN_ROW = 128, 180
WHOLE = (-50.0, -50.0, 400.0, 400.0)


def points():
    """Landmarks of a face in the middle, of which only those that say where it is are in their places."""
    found = np.zeros((478, 3))
    found[CHIN, :2], found[TOP, :2] = (LEFT, CHIN_ROW), (LEFT, CHIN_ROW - FACE)
    found[SIDES[0], :2], found[SIDES[1], :2] = (LEFT - 40, CHIN_ROW - 50), (LEFT + 40, CHIN_ROW - 50)
    return found


def outline(crown, sides, ends):
    """Masks whose hair is `crown` and `sides` metres thick over a head, and hangs down to `ends`."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    high, across = CHIN_M + FACE_M * (CHIN_ROW - y) / FACE, FACE_M * np.abs(x - LEFT) / FACE
    shell = 0.079 + sides
    dome = (across / shell) ** 2 + ((high - 0.06) / (0.085 + crown)) ** 2 < 1
    hair = dome & (high > 0.06) & ~((across < 0.06) & (high < 0.09))
    hair |= (across < shell) & (across > 0.065) & (high <= 0.06) & (high > ends)
    shares = np.zeros((len(REGIONS), SIZE, SIZE), np.float32)
    shares[REGIONS.index("hair")], shares[0] = hair & (crown > 0), ~(hair & (crown > 0))
    return Masks((0.0, 0.0, float(SIZE)), shares)


@pytest.mark.parametrize(
    ("drawn", "style"),
    [
        ((0.004, 0.004, 0.02), "buzzcut"),
        ((0.022, 0.009, 0.0), "short"),
        ((0.020, 0.016, -0.155), "long"),
        ((0.019, 0.016, -0.075), "bob"),
        ((0.040, 0.034, 0.0), "curly"),
        ((0.0, 0.0, 0.0), "bald"),
    ],
)
def test_an_outline_fits_the_style_that_it_was_drawn_by(drawn, style):
    even = {word: 1 / len(HAIR_STYLES) for word in HAIR_STYLES}
    found = fitted(even, hair_shape(outline(*drawn), points(), WHOLE))
    alike = {"short": {"short", "side-parted"}}.get(style, {style})
    assert max(found, key=found.get) in alike, found
    assert sum(found.values()) == pytest.approx(1)


def test_lengths_are_told_in_metres():
    shape = hair_shape(outline(0.025, 0.012, -0.10), points(), WHOLE)
    assert shape.crown == pytest.approx(0.025, abs=0.004) and shape.sides == pytest.approx(0.012, abs=0.004)
    assert shape.ends == pytest.approx(-0.10, abs=0.008) and not shape.tall


def test_a_tie_that_no_outline_shows_is_seldom_guessed():
    said = {"ponytail": 0.7, "buzzcut": 0.2, "short": 0.1}
    found = fitted(said, hair_shape(outline(0.006, 0.005, 0.02), points(), WHOLE))
    assert max(found, key=found.get) == "buzzcut"


def test_what_a_photo_cuts_off_says_nothing():
    masks, brow = outline(0.02, 0.01, 0.0), CHIN_ROW - FACE * 0.85
    cheeks = hair_shape(masks, points(), (LEFT - 42.0, brow, 84.0, 200.0))
    assert cheeks.crown is None and cheeks.sides is None and fitted({"short": 1.0}, cheeks) is None
    top = CHIN_ROW - (0.145 + 0.01 - CHIN_M) * FACE / FACE_M
    cut = hair_shape(masks, points(), (0.0, top, 256.0, 256.0))
    told = [fitted({"curly": 0.5, "buzzcut": 0.5}, one)["curly"] for one in (cut, replace(cut, tall=False))]
    assert cut.tall and told[0] > told[1]
