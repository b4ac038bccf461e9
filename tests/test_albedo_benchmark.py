"""The benchmark of albedos: its arithmetic, and a whole measurement of a photo against itself in other light."""

import json
from pathlib import Path

import numpy as np
import pytest
from evidence.ball import make_ball
from PIL import Image
from skimage import data
from small_heads import few_expressions

from idto3d.errors import UserError
from idto3d.evidence.skin import SkinColour

ROOT = Path(__file__).parents[1]
SKIN = np.array([0.45, 0.28, 0.2])


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """The benchmarks can be imported; they are no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture(scope="module")
def skin():
    return make_ball().skin_map(128)


def colour(skin, albedo, known=1.0):
    count = len(skin.texels.uvs)
    return SkinColour(np.broadcast_to(albedo, (count, 3)).copy(), np.full(count, known))


def test_tone_pores_and_pattern_are_told_apart(skin):
    from benchmarks.albedo import difference

    spots = np.exp(np.random.default_rng(0).normal(0, 0.1, (len(skin.texels.uvs), 1)))
    aside = 1 + 0.3 * (skin.texels.uvs[:, :1] > 0.5)
    one = colour(skin, SKIN)
    same, darker, pored, shaded = (difference(one, colour(skin, SKIN * f), skin) for f in (1.0, 0.7, spots, aside))
    assert (same.as_they_are, same.broad, same.pattern) == pytest.approx((0, 0, 0), abs=1e-6)
    assert darker.as_they_are == pytest.approx(darker.broad) and darker.broad > 6 and darker.pattern < 1e-6
    assert pored.broad < 0.4 * pored.as_they_are
    assert shaded.pattern > 1.5


def test_only_what_both_photos_know_counts(skin):
    from benchmarks.albedo import difference

    half = skin.texels.uvs[:, 0] < 0.5
    albedo = np.where(half[:, None], SKIN, 0.9)
    partly = SkinColour(albedo, half.astype(float))
    found = difference(colour(skin, SKIN), partly, skin)
    assert found.texels == half.sum() and found.as_they_are < 1e-6
    with pytest.raises(UserError):
        difference(colour(skin, SKIN, 0.0), partly, skin)


def test_a_photo_in_other_light_gives_nearly_the_same_skin(tmp_path, capsys):
    from benchmarks.albedo import main

    (tmp_path / "somebody").mkdir()
    Image.fromarray(data.astronaut()).save(tmp_path / "somebody" / "1.png")
    sized = ["--set", "export.texture_size=128", "--set", "device=cpu"]
    with few_expressions():
        assert main([str(tmp_path), "--relit", *sized]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["relit"] and found["people"]["somebody"]["texels"] > 500
    assert 0 < found["pattern"] < found["broad"] < 4.2
    with pytest.raises(UserError, match="holds 1 photos"):
        main([str(tmp_path), *sized])
