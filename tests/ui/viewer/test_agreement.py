"""The viewer shows what our renderer shows."""

import base64
import io
import math

import numpy as np
import pytest
from PIL import Image

from idto3d.config import HDRI, RenderOptions
from idto3d.export.gltf.mesh import posed
from idto3d.export.view import picture
from idto3d.render.environment import load_environment, rotate

SIZE = 192
STILL = """async ([mode, light, view, turn, weights]) => {
  Object.assign(viewer.state, { mode, light, turn, kind: "map", background: "white" });
  Object.assign(viewer.state.view, view);
  viewer.state.face = { weights, gaze: [0, 0] };
  await viewer.lamps.ensure();
  return window.idto3dViewer.still(viewer, SIZE).toDataURL("image/png");
}""".replace("SIZE", str(SIZE))
VIEWS = (
    ("relit", "studio_three_point", 0, 0, 0, {}),
    ("relit", "night_neon_pink_cyan", 40, 15, 70, {"mouth stretch": 1.0}),
    ("relit", "light_left", -120, -10, -45, {"jawOpen": 0.5, "smile": 1.0}),
    ("clay", "studio_three_point", 20, 0, 30, {}),
    ("normal", "light_left", 30, 5, 0, {"mouth stretch": 0.7}),
    ("albedo", "light_left", -30, 0, 0, {}),
    ("roughness", "light_left", 0, 0, 0, {}),
)


def drawn_by_the_viewer(tab, mode, light, azimuth, elevation, turn, weights):
    view = {"azimuth": azimuth, "elevation": elevation}
    url = tab.evaluate(STILL, [mode, light, view, turn, weights])
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")).astype(int)


def drawn_here(asset, mode, light, azimuth, elevation, turn, weights):
    options = RenderOptions(mode=mode, azimuth_deg=azimuth, elevation_deg=elevation, size=SIZE)
    turned = rotate(load_environment(HDRI / f"{light}.hdr"), math.radians(turn))
    return picture(asset, posed(asset.mesh, weights), options, turned).astype(int)


@pytest.mark.parametrize("view", VIEWS, ids=[f"{view[0]}-{view[1]}" for view in VIEWS])
def test_98_of_100_pixels_are_within_16_of_255(shown, asset, view):
    seen, wanted = drawn_by_the_viewer(shown, *view), drawn_here(asset, *view)
    off, head = np.abs(seen - wanted).max(-1), (wanted < 255).any(-1)
    assert head.mean() > 0.15
    assert (off <= 16).mean() >= 0.98 and (off[head] <= 16).mean() >= 0.96  # a small head is one part in 25 outline


def test_the_measure_tells_another_face_light_and_side_apart(shown, asset):
    for other in (("relit", "light_left", 0, 0, 0, {}), ("relit", "studio_three_point", 15, 0, 0, {})):
        seen, wanted = drawn_by_the_viewer(shown, *VIEWS[0]), drawn_here(asset, *other)
        assert (np.abs(seen - wanted).max(-1) <= 16).mean() < 0.95
