"""A beard that words ask for on a face whose photos show another: where it goes, and what colour it has."""

from types import SimpleNamespace

import numpy as np
import pytest

from idto3d.config import EMBEDDED
from idto3d.evidence.projection import Look
from idto3d.evidence.skin import SkinColour
from idto3d.head.paint.usual_skin import beard_place
from idto3d.head.template_file import load_template
from idto3d.stages.fit import beard_colour, skin_map, without_beard

GREY = np.array([0.4, 0.4, 0.42])


@pytest.fixture(scope="module")
def skin():
    return skin_map(load_template(EMBEDDED / "template.safetensors"), 256)


@pytest.fixture(scope="module")
def look(skin):
    """A photo that shows all of a face with a full grey beard."""
    grown = skin.texels.read(beard_place(skin.positions, "beard")[:, None])[:, 0]
    count = len(grown)
    colours = np.where(grown[:, None] > 0.5, GREY, [0.5, 0.35, 0.28])
    return Look(colours, np.ones(count), np.zeros((count, 3)), np.zeros(count), grown, np.ones(count))


def asking(word):
    return SimpleNamespace(words=lambda: {"beard": word})


def test_what_is_shaved_off_is_not_seen(look, skin):
    left = without_beard(look, asking("clean"), skin)
    assert left.share[look.grown > 0.5].max() < 0.5
    assert (left.share[skin.texels.read(skin.positions)[:, 1] > 0.03] == 1).all()


def test_of_a_full_beard_a_goatee_stays(look, skin):
    left = without_beard(look, asking("goatee"), skin)
    goatee = skin.texels.read(beard_place(skin.positions, "goatee")[:, None])[:, 0]
    assert left.share[goatee > 0.99].mean() > 0.95
    cheeks = (look.grown > 0.9) & (np.abs(skin.texels.read(skin.positions)[:, 0]) > 0.045)
    assert cheeks.any() and left.share[cheeks].max() < 0.1


def test_a_beard_has_the_colour_that_photos_show(look, skin):
    colour = SkinColour(look.colours, look.share)
    assert np.allclose(beard_colour([look], colour), GREY)
    assert beard_colour([], colour) is None
    assert beard_colour([look], SkinColour(look.colours, 0 * look.share)) is None
