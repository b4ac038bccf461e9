"""What a picture's description and its parts may cost is bounded by the size of the file; all files here are small."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from idto3d.errors import UserError
from idto3d.subject.costs import descriptions, passes
from idto3d.subject.costs.descriptions import check_descriptions
from idto3d.subject.images import load_photo

PIXELS = Image.fromarray(np.full((16, 16, 3), 90, np.uint8))
LAYOUTS = {"tiff": ("I", "H", 42), "bigtiff": ("Q", "Q", 43)}


def described(names: int, each: int, order: str = "<", layout: str = "tiff", inner: bool = False) -> bytes:
    """A description whose `names` entries all name the same `each` bytes, perhaps in a directory inside another."""
    number, count, version = LAYOUTS[layout]
    start = struct.pack(f"{order}HH", version, 8) if version == 43 else b""
    head = (b"II" if order == "<" else b"MM") + (start[:2] or struct.pack(f"{order}H", version))
    head += struct.pack(f"{order}HH", 8, 0) if version == 43 else b""
    size, entry = struct.calcsize(f"{order}{number}"), struct.calcsize(f"{order}HH{number}{number}")
    place = len(head) + size
    outer = b""
    if inner:
        begins = place + struct.calcsize(f"{order}{count}") + entry + size
        outer = struct.pack(f"{order}{count}", 1) + struct.pack(f"{order}HH{number}{number}", 34665, 4, 1, begins)
        outer += bytes(size)
    end = place + len(outer) + struct.calcsize(f"{order}{count}") + names * entry + size
    entries = [struct.pack(f"{order}HH{number}{number}", 40000 + i, 7, each, end) for i in range(names)]
    directory = struct.pack(f"{order}{count}", names) + b"".join(entries) + bytes(size)
    return head + struct.pack(f"{order}{number}", place) + outer + directory + bytes(each)


def exif(block: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("inner", [False, True])
def test_a_description_that_names_the_same_bytes_over_and_over_is_refused(monkeypatch, order, layout, inner):
    monkeypatch.setattr(descriptions, "SPARE", 0)
    check_descriptions(described(3, 400, order, layout, inner), "a.tiff")
    with pytest.raises(UserError, match="description inside 'a.tiff'"):
        check_descriptions(described(12, 2000, order, layout, inner), "a.tiff")


def test_a_description_in_several_pieces_of_a_jpeg_is_read_as_one(monkeypatch):
    monkeypatch.setattr(descriptions, "SPARE", 0)
    block = described(12, 2000)
    for pieces in ((block[:100], block[100:]), (block[:1], block[1:3], block[3:])):
        with pytest.raises(UserError, match="description"):
            check_descriptions(b"\xff\xd8" + b"".join(map(exif, pieces)), "a.jpg")
    monkeypatch.setattr(descriptions, "MOST_SEGMENTS", 1)
    with pytest.raises(UserError, match="description"):
        check_descriptions(b"\xff\xd8" + exif(b"a") * 2, "a.jpg")


def test_directories_that_name_each_other_end(monkeypatch):
    ring = b"II*\0" + struct.pack("<I", 8) + struct.pack("<HHHII", 1, 34665, 4, 1, 8) + bytes(4)
    check_descriptions(ring, "a.tiff")
    monkeypatch.setattr(descriptions, "MOST_DIRECTORIES", 3)
    with pytest.raises(UserError, match="description"):
        check_descriptions(ring * 4, "a.tiff")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff", "avif"])
def test_a_photo_with_a_whole_description_is_turned_and_one_beyond_the_limit_refused(tmp_path, monkeypatch, ending):
    facts, path = Image.Exif(), tmp_path / f"a.{ending}"
    facts[0x0112], facts[0x010E] = 6, "a" * 400
    PIXELS.crop((0, 0, 16, 8)).save(path, exif=facts)
    assert load_photo(path).shape == (16, 8, 3)
    monkeypatch.setattr(descriptions, "SPARE", 0)
    monkeypatch.setattr(descriptions, "MOST_COPIES", 0)
    with pytest.raises(UserError, match="description"):
        load_photo(path)


def test_a_tiff_of_parts_longer_than_itself_is_refused(tmp_path, monkeypatch):
    PIXELS.save(tmp_path / "a.tiff", compression="tiff_lzw")
    assert load_photo(tmp_path / "a.tiff").shape == (16, 16, 3)
    monkeypatch.setattr(passes, "MOST_COPIES", 0)
    with pytest.raises(UserError, match="same pixels many times"):
        load_photo(tmp_path / "a.tiff")


def test_the_part_of_a_tiff_that_takes_most_passes_counts(tmp_path, monkeypatch):
    PIXELS.resize((64, 640)).save(tmp_path / "a.tiff", compression="jpeg")
    with Image.open(io.BytesIO((tmp_path / "a.tiff").read_bytes())) as image:
        assert len(image.tag_v2[273]) > 1
        passes.check_passes(image, "a.tiff")
        monkeypatch.setattr(passes, "MOST_PASSES", 0)
        with pytest.raises(UserError, match="draws its pixels 1 times over"):
            passes.check_passes(image, "a.tiff")
