"""The example that the empty page shows."""

from PIL import Image

from idto3d.ui.cards import make_example
from idto3d.ui.cards.pictures import EXAMPLE, SIDE


def test_the_example_is_small_and_cut_out():
    assert EXAMPLE.stat().st_size < 25_000
    with Image.open(EXAMPLE) as picture:
        assert picture.size == (SIDE, SIDE) and picture.mode == "RGBA"
        assert picture.getpixel((0, 0))[3] == 0 and picture.getpixel((SIDE // 2, SIDE // 2))[3] == 255


def test_it_is_drawn_of_a_finished_head(tmp_path, fake, monkeypatch):
    monkeypatch.setattr(make_example, "EXAMPLE", tmp_path / "example.webp")
    monkeypatch.setattr(make_example, "render_view", fake.render_view)
    make_example.draw(tmp_path)
    with Image.open(tmp_path / "example.webp") as picture:
        assert picture.size == (SIDE, SIDE) and picture.getpixel((0, 0))[3] == 0
