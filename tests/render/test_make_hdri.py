"""Our own lights: sixty, alike in exposure, and lighting the side their name says."""

import numpy as np
import pytest
import torch

from idto3d.config import HDRI
from idto3d.render.color import luminance
from idto3d.render.environment import diffuse_light, environment_names, map_directions, prefilter, solid_angles
from idto3d.render.lights import LIGHTS, direction, radiance
from idto3d.render.make_hdri import light_map, write_lights
from idto3d.render.panorama.hdr import read_hdr
from idto3d.render.sky import blackbody, clear_sky

SIZE = (12, 24)


def test_there_are_sixty_and_the_files_hold_them():
    assert len(LIGHTS) == 60 and environment_names(HDRI) == tuple(sorted(LIGHTS))


@pytest.mark.parametrize("name", ["studio_soft", "sunset_left", "night_street"])
def test_a_file_is_what_its_recipe_gives(name):
    expected = light_map(LIGHTS[name])
    assert np.abs(read_hdr(HDRI / f"{name}.hdr") - expected).max() <= expected.max() / 100


def test_exposures_are_comparable():
    for name, light in LIGHTS.items():
        picture = torch.from_numpy(light_map(light, SIZE))
        mean = (luminance(picture) * solid_angles(*SIZE)[..., None]).sum() / (4 * np.pi)
        assert 0.4 < mean < 1.01, name
        assert picture.isfinite().all() and picture.min() >= 0, name


@pytest.mark.parametrize(
    "name, side",
    [
        ("light_front", (0, 0)),
        ("light_left", (90, 0)),
        ("light_right", (-90, 0)),
        ("light_back", (180, 0)),
        ("light_top", (0, 90)),
        ("light_below", (0, -90)),
        ("sunset_left", (90, 0)),
        ("sunset_right", (-90, 0)),
        ("window_left", (90, 0)),
        ("studio_split_right", (-90, 0)),
    ],
)
def test_a_light_shines_from_where_its_name_says(name, side):
    light = prefilter(torch.from_numpy(light_map(LIGHTS[name], (24, 48))))
    towards = torch.from_numpy(direction(*side)).float()[None]
    assert luminance(diffuse_light(light, towards)) > 1.5 * luminance(diffuse_light(light, -towards))


def test_writing_twice_gives_the_same_bytes(tmp_path, monkeypatch):
    few = {name: LIGHTS[name] for name in ("fog", "sunny_noon")}
    monkeypatch.setattr("idto3d.render.make_hdri.LIGHTS", few)
    for folder in ("a", "b"):
        write_lights(tmp_path / folder)
    assert environment_names(tmp_path / "a") == ("fog", "sunny_noon")
    for name in few:
        assert (tmp_path / "a" / f"{name}.hdr").read_bytes() == (tmp_path / "b" / f"{name}.hdr").read_bytes()


def test_a_clear_sky_is_blue_away_from_the_sun_and_brightest_beside_it():
    sun = direction(30, 40)
    sky = clear_sky(np.stack([direction(30, 45), direction(210, 50)]), sun, 2.5)
    assert sky[0].sum() > 2 * sky[1].sum() and sky[1, 2] > 1.5 * sky[1, 0]


def test_lamps_run_from_orange_to_blue_through_white():
    candle, daylight, shade = (blackbody(kelvin) for kelvin in (2000, 6500, 15000))
    assert candle[0] > 4 * candle[2] and shade[2] > 1.3 * shade[0] and np.allclose(daylight, 1.0, atol=0.06)


def test_a_ring_light_is_dark_in_its_middle():
    ring = radiance(LIGHTS["ring_light"], np.stack([direction(0, 0), direction(20, 0)]))
    assert ring[1].sum() > 10 * ring[0].sum()


def test_surroundings_cover_every_direction():
    for name, light in LIGHTS.items():
        assert radiance(light, map_directions(*SIZE).double().numpy()).sum(-1).min() > 0, name
