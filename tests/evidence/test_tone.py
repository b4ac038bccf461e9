"""The likely skin of a person: between what photos show and what people have, the same for two photos of one."""

import numpy as np
import pytest

from idto3d.evidence.light import brightness
from idto3d.evidence.tone import likely_skin
from idto3d.head.skin import skin_colour

FAIR, BROWN = skin_colour(0.25, 0.5).astype(float), skin_colour(0.7, 0.5).astype(float)


def tint(colour):
    logs = np.log(colour)
    return logs - logs.mean()


def luminance(colour):
    return float(brightness(colour[None])[0])


def test_darker_and_redder_photos_let_expect_darker_and_redder_skin():
    dark, fair = likely_skin([BROWN]), likely_skin([FAIR])
    assert luminance(dark) < 0.8 * luminance(fair)
    pale, flushed = (likely_skin([skin_colour(0.25, redness).astype(float)]) for redness in (0.2, 0.9))
    assert flushed[0] / flushed[1] > 1.05 * pale[0] / pale[1]


@pytest.mark.parametrize("cast", [(0.7, 0.9, 1.6), (0.8, 1.4, 0.8), (1.4, 0.8, 0.4)], ids=["blue", "green", "orange"])
def test_most_of_a_cast_goes(cast):
    plain, cast_off = likely_skin([FAIR]), likely_skin([FAIR * cast])
    assert np.linalg.norm(tint(cast_off) - tint(plain)) < 0.45 * np.linalg.norm(tint(np.array(cast)))


def test_the_exposure_of_a_photo_says_little_of_the_skin():
    dim, bright = (luminance(likely_skin([FAIR * gain])) for gain in (0.5, 1.5))
    assert 1.05 < bright / dim < 1.8  # of 3


def test_photos_together_say_more_than_one():
    one, four = likely_skin([BROWN]), likely_skin([BROWN] * 4)
    assert luminance(BROWN) < luminance(four) < luminance(one)


def test_words_say_it_before_photos_do():
    said = [likely_skin([seen], 0.9) for seen in (FAIR, BROWN)]
    assert all(luminance(one) < 0.16 for one in said) and luminance(likely_skin([BROWN], 0.1)) > 0.35
