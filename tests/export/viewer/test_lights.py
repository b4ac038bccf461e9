"""The viewer's file of a light says what our renderer shades by."""

import gzip
import json
import math

import numpy as np
import torch

from idto3d.config import HDRI
from idto3d.export.viewer.lights import MAGIC, MOST, from_shared_exponent, light_bytes, shared_exponent, thumbnail
from idto3d.render.environment import load_environment, prefilter, rotate


def opened(content):
    length = int.from_bytes(content[4:8], "little")
    header = json.loads(content[8 : 8 + length])
    return header, np.frombuffer(gzip.decompress(content[8 + length :]), "<u4").reshape(header["size"])


def test_colours_share_an_exponent_to_a_part_in_five_hundred_of_the_largest():
    random = np.random.default_rng(0)
    colours = np.exp(random.uniform(-9, 10, (2000, 1))) * random.uniform(0, 1, (2000, 3))
    back = from_shared_exponent(shared_exponent(colours))
    assert (np.abs(back - colours) <= colours.max(1, keepdims=True) / 510).all()
    edges = np.array([[0, 0, 0], [1, 1, 1], [MOST, 0, 1], [1e9, 0, 0], [511.9, 0, 0], [1e-12, 0, 0]])
    wanted = edges.clip(0, MOST)
    error = np.abs(from_shared_exponent(shared_exponent(edges)) - wanted)
    assert (error <= wanted.max(1, keepdims=True) / 510 + 1e-7).all()


def test_a_light_is_told_with_its_levels_and_harmonics():
    light = rotate(load_environment(HDRI / "night_neon_pink_cyan.hdr"), math.radians(30))
    content = light_bytes(light)
    header, texels = opened(content)
    levels = light.levels[..., 1:-1].permute(1, 2, 3, 0).numpy()
    assert content[:4] == MAGIC and header["size"] == list(levels.shape[:3]) and header["scale"] == 1.0
    assert (np.abs(from_shared_exponent(texels) - levels) <= levels.max(-1, keepdims=True) / 500).all()
    assert np.allclose(np.reshape(header["harmonics"], (9, 3)), light.harmonics)
    assert math.isclose(header["turn"], math.radians(30)) and header["gain"] == [1, 1, 1]
    assert header["thumb"].startswith("data:image/jpeg;base64,") and len(content) < 150_000


def test_a_sun_beyond_what_a_texel_can_say_is_scaled():
    radiance = torch.ones(8, 16, 3)
    radiance[2, 3] = 10 * MOST
    header, texels = opened(light_bytes(prefilter(radiance)))
    assert header["scale"] == 10.0 or math.isclose(header["scale"], 10.0)
    assert math.isclose(from_shared_exponent(texels).max() * header["scale"], 10 * MOST, rel_tol=1e-3)


def test_a_thumbnail_shows_where_the_light_hangs():
    """The person's left is on the right of a picture from the front."""
    left, right = (
        thumbnail(load_environment(HDRI / f"light_{side}.hdr"), 32).astype(float) for side in ("left", "right")
    )
    assert left[8:24, 18:26].mean() > 2 * left[8:24, 6:14].mean()
    assert right[8:24, 6:14].mean() > 2 * right[8:24, 18:26].mean()
