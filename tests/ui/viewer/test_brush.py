"""What a visitor paints in the viewer: a mask, or a drawing."""

import base64
import io

import numpy as np
from PIL import Image


def test_a_painted_mask_is_told_with_its_view(shown):
    shown.evaluate(
        "viewer.setView({ azimuth: 30, elevation: 10, zoom: 2 });"
        "viewer.setFace({ weights: { smile: 1 }, gaze: [0, 0] })"
    )
    shown.get_by_label("Paint a mask").click()
    assert shown.evaluate("[viewer.state.view.zoom, viewer.state.face.weights.smile || 0]") == [1, 0]
    box = shown.locator(".idv-sheet").bounding_box()
    shown.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    shown.mouse.down()
    shown.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.5 * box["height"], steps=3)
    shown.mouse.up()
    shown.get_by_role("button", name="Use this mask").click()
    [[event, mask]] = shown.evaluate("told")
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(mask["png"].partition(",")[2]))).convert("RGB"))
    assert event == "mask" and mask["azimuth_deg"] == 30 and mask["elevation_deg"] == 10
    assert picture.shape == (512, 512, 3) and set(np.unique(picture)) == {0, 255}
    assert picture[256, 180, 0] == 255 and picture[100, 180, 0] == 0 and picture[256, 400, 0] == 0
    assert shown.evaluate("viewer.state.face.weights.smile") == 1


def drawn(shown):
    """Draw a line on the sheet, and tell the page."""
    shown.locator(".idv-sheet").scroll_into_view_if_needed()
    box = shown.locator(".idv-sheet").bounding_box()
    shown.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    shown.mouse.down()
    shown.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.5 * box["height"], steps=3)
    shown.mouse.up()
    shown.get_by_role("button", name="Use this drawing").click()
    event, sketch = shown.evaluate("told.at(-1)")
    assert event == "sketch"
    return sketch, np.asarray(Image.open(io.BytesIO(base64.b64decode(sketch["png"].partition(",")[2]))))


def test_a_drawing_is_told_in_its_colours_on_the_head_and_on_the_texture(shown):
    shown.evaluate("viewer.setView({ azimuth: 30, elevation: 10, zoom: 2 })")
    shown.get_by_label("Draw on the skin").click()
    assert shown.locator(".idv-atlas").is_hidden()
    shown.get_by_label("Colour").fill("#ff0000")
    sketch, picture = drawn(shown)
    assert (sketch["space"], sketch["azimuth_deg"], sketch["elevation_deg"]) == ("view", 30, 10)
    assert picture.shape == (1024, 1024, 4) and picture[512, 360].tolist() == [255, 0, 0, 255]
    assert picture[200, 360, 3] == 0
    shown.get_by_label("Draw on the skin").click()
    shown.get_by_label("On the texture").check(force=True)
    assert shown.locator(".idv-atlas").is_visible()
    sketch, picture = drawn(shown)
    assert sketch["space"] == "uv" and picture[512, 360].tolist() == [255, 0, 0, 255]
    assert shown.locator(".idv-sheet").is_hidden() and shown.evaluate("viewer.painting") == ""


def test_a_faint_drawing_is_one_and_its_line_is_as_faint_everywhere(shown):
    shown.get_by_label("Draw on the skin").click()
    shown.get_by_label("Cover").fill("0.3")
    _, picture = drawn(shown)
    row = picture[512, 270:450, 3].astype(int)
    assert abs(row - 0.3 * 255).max() <= 2
