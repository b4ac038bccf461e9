"""Where beards grow on the mean head, how thick they are, and their colour."""

import pytest
import torch

from idto3d.config import EMBEDDED
from idto3d.head.beards import beard_cover, beard_thickness
from idto3d.head.colours import natural_tone
from idto3d.head.prior_file import load_prior
from idto3d.words.traits import BEARDS, COLOURS

CHIN, CHEEK, UNDER_NOSE, LIP = [0.0, -0.078, 0.112], [0.055, -0.04, 0.07], [0.012, -0.026, 0.122], [0.0, -0.042, 0.12]
BROW, SCALP, THROAT = [0.03, 0.05, 0.1], [0.0, 0.13, 0.0], [0.0, -0.15, 0.04]


def grown(point: list) -> set:
    """The beards that grow at a point."""
    cover = beard_cover(torch.tensor([point]))[0]
    return {name for name, share in zip(BEARDS, cover, strict=True) if share > 0.2}


@pytest.fixture(scope="module")
def prior():
    return load_prior(EMBEDDED / "head_prior.safetensors")


def test_each_beard_grows_where_its_name_says():
    assert grown(CHIN) == {"stubble", "goatee", "beard"}
    assert grown(CHEEK) == {"stubble", "beard"}
    assert grown(UNDER_NOSE) == {"stubble", "moustache", "goatee", "beard"}
    assert grown(BROW) == grown(SCALP) == grown(THROAT) == set()


def test_a_full_beard_is_thickest_and_stubble_adds_nothing():
    place = torch.tensor([UNDER_NOSE])
    (thickness,) = beard_thickness(place, beard_cover(place))
    told = dict(zip(BEARDS, thickness.tolist(), strict=True))
    assert told["clean"] == told["stubble"] == 0 and 0.002 < told["moustache"] < told["goatee"] < told["beard"] < 0.01


def test_next_to_the_mouth_a_beard_is_thin():
    places = torch.tensor([[0.0, -0.054, 0.12], [0.0, -0.062, 0.118], [0.0, -0.070, 0.115]])
    thickness = beard_thickness(places, beard_cover(places))[:, BEARDS.index("goatee")]
    assert 0 < thickness[0] < thickness[1] < thickness[2]


def test_a_beard_spares_the_lips_of_the_learned_head(prior):
    chin, lip = prior.beard_share(torch.tensor([CHIN, LIP]))[:, BEARDS.index("beard")]
    assert chin > 0.8 and lip < 0.1


def test_under_dyed_hair_a_beard_is_brown():
    assert natural_tone({"hair_colour": "green"}) == COLOURS["brown"].rgb
    assert natural_tone({"hair_colour": "grey"}) == COLOURS["grey"].rgb
    assert natural_tone({}) is None
