"""The table of traits: every row reaches everything that draws, grows, paints or says it."""

import numpy as np
import pytest
import torch

from idto3d.head.beards import beard_cover, beard_thickness
from idto3d.head.colours import USUAL_REDNESS, natural_tone
from idto3d.head.hair_volumes import BULGES, TIED, hair_distances
from idto3d.head.skin import skin_colour
from idto3d.words.captions import described
from idto3d.words.reading import said_traits
from idto3d.words.traits import (
    ATTRIBUTES,
    BEARDS,
    COLOURS,
    FACIAL_HAIR,
    HAIR_STYLES,
    SHAVEN,
    SKIN_TONES,
    SKINS,
    STYLES,
    Beard,
    HairColour,
    HairStyle,
    taught,
)

CROWN, BELOW = [0.0, 0.13, 0.0], [0.078, -0.14, -0.03]


def volumes(place: list, bald: float) -> dict[str, float]:
    """The distance of each style's hair at a `place` that lies `bald` metres off the bald head."""
    return dict(zip(STYLES, hair_distances(torch.tensor([place]), torch.tensor([bald]))[0].tolist(), strict=True))


def test_the_order_of_words_is_that_of_weights_on_disk():
    assert HAIR_STYLES[:10] == (
        *("bald", "buzzcut", "short", "long", "curly"),
        *("side-parted", "afro", "bob", "ponytail", "bun"),
    )
    assert BEARDS[:5] == ("clean", "stubble", "moustache", "goatee", "beard")
    assert SKINS[:5] == ("pale", "fair", "tan", "brown", "dark")
    assert taught()["hair_colour"] == (
        *("black", "brown", "blonde", "red", "grey", "white", "green", "blue", "pink", "purple"),
    )
    assert list(ATTRIBUTES) == ["hair_style", "hair_colour", "beard", "skin", "age", "gender", "ancestry"]


def test_every_style_grows_as_thick_as_its_row_says_and_no_growth_is_without_a_style():
    for name, distance in volumes(CROWN, 0.0).items():
        assert distance < -0.7 * STYLES[name].crown_m if STYLES[name].grows else distance > 0.03
    assert {*BULGES, *TIED} <= {style.name for style in STYLES.values() if style.grows}


def test_a_style_that_is_only_a_row_is_the_shell_and_the_curtain_of_its_numbers(monkeypatch):
    mullet = HairStyle("mullet", 0.015, 0.009, (0.0, 0.1, 0.0), ends_m=-0.16, curled=True)
    before = volumes(CROWN, 0.001)
    monkeypatch.setitem(STYLES, "mullet", mullet)
    after = volumes(CROWN, 0.001)
    assert after["mullet"] == pytest.approx(0.001 - 0.015, abs=1e-4)
    assert {name: after[name] for name in before} == before
    hanging = {name for name, distance in volumes(BELOW, 0.05).items() if distance < 0}
    assert "mullet" in hanging and "short" not in hanging
    assert described({"hair_style": "mullet", "hair_colour": "red"}) == "person with mullet red hair"


def test_a_new_colour_is_one_row(monkeypatch):
    monkeypatch.setitem(COLOURS, "teal", HairColour("teal", (0.02, 0.25, 0.25), dyed=True))
    assert natural_tone({"hair_colour": "teal"}) == COLOURS["brown"].rgb


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_is_heard_before_hair_alone_and_said(colour):
    assert said_traits(f"a woman with {colour} hair") == {"gender": "female", "hair_colour": colour}
    heard = {"hair_colour": colour} if COLOURS[colour].alone else {}
    assert said_traits(f"a woman in a {colour} dress") == {"gender": "female", **heard}
    assert described({"hair_colour": colour}) == f"person with {colour} hair"


def test_every_beard_but_none_at_all_hides_skin_and_stands_off_as_its_row_says(monkeypatch):
    monkeypatch.setitem(FACIAL_HAIR, "wild", Beard("wild", 0.5, 0.02, "a wild beard", (0.1, 0.1)))
    chin = torch.tensor([[0.0, -0.078, 0.112], [0.012, -0.026, 0.122]])
    cover = beard_cover(chin).amax(0)
    thickness = beard_thickness(chin, beard_cover(chin)).amax(0)
    for (name, beard), hides, stands in zip(FACIAL_HAIR.items(), cover.tolist(), thickness.tolist(), strict=True):
        assert hides == pytest.approx(beard.cover) and (stands > 0) == (beard.depth_m > 0)
        assert (name == SHAVEN) == (hides == 0)


def test_tones_go_from_pale_to_dark_and_hair_has_the_colour_of_its_word():
    tones = [np.mean(skin_colour(sum(SKIN_TONES[word].melanin) / 2, USUAL_REDNESS)) for word in SKINS]
    assert tones == sorted(tones, reverse=True)
    assert natural_tone({"hair_colour": ""}) is None
    for colour in COLOURS.values():
        assert not colour.heard_as or colour.heard_as in taught()["hair_colour"]
        shade, _, plain = colour.name.partition(" ")
        if shade in ("dark", "light"):
            assert (np.mean(colour.rgb) < np.mean(COLOURS[plain].rgb)) == (shade == "dark")
    assert COLOURS["green"].rgb[1] > 3 * COLOURS["green"].rgb[0]
