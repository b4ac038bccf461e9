"""Every photo file is either read right or refused in two plain sentences."""

import io
import os
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from idto3d.config import SubjectOptions
from idto3d.errors import UserError
from idto3d.subject.images import load_photo, shown_name

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)


def two_halves(left=RED, right=GREEN, size=(40, 20)):
    """[20, 40, 3]: one colour on the left half, another on the right."""
    pixels = np.empty((size[1], size[0], 3), np.uint8)
    pixels[:, : size[0] // 2], pixels[:, size[0] // 2 :] = left, right
    return pixels


def refusal(path, options=None):
    with pytest.raises(UserError) as caught:
        load_photo(path, options)
    for sentence in (caught.value.what, caught.value.remedy):
        assert sentence.endswith(".")
    return caught.value.what


def png_of_size(width, height):
    """A PNG whose header names that size and which holds no pixels: decoding it would fail."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.bmp", "a.tiff", "a.jpg", "a.avif"])
def test_the_usual_formats_are_read(write, name):
    lossy = {} if name[2:] in ("png", "bmp", "tiff") else {"quality": 95}
    pixels = load_photo(write(name, two_halves(), **lossy))
    assert pixels.dtype == np.uint8 and pixels.shape == (20, 40, 3)
    assert np.abs(pixels[10, 5].astype(int) - RED).max() < 12
    assert np.abs(pixels[10, 35].astype(int) - GREEN).max() < 12


def test_heic_is_read_without_registering_a_reader(tmp_path, monkeypatch):
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)  # other packages may have registered one
    pillow_heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "phone.heic"
    heif = pillow_heif.from_pillow(Image.fromarray(two_halves(size=(128, 64))))
    heif.save(path, quality=90)
    pixels = load_photo(path)
    assert pixels.shape == (64, 128, 3)
    assert np.abs(pixels[32, 20].astype(int) - RED).max() < 12
    assert "HEIF" not in Image.OPEN


def test_without_pillow_heif_a_heic_photo_is_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "phone.heic"
    path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(100))
    assert "HEIC" in refusal(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tiff"])
def test_the_exif_turn_is_undone(tmp_path, orientation, name):
    upright = Image.fromarray(np.random.default_rng(0).integers(0, 255, (3, 4, 3), np.uint8)).resize((96, 72), 0)
    stored = {
        1: lambda image: image,
        2: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        4: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / name, exif=exif, **({"quality": 100, "subsampling": 0} if name == "a.jpg" else {}))
    pixels = load_photo(tmp_path / name)
    assert pixels.shape == (72, 96, 3)
    assert np.abs(pixels.astype(int) - np.asarray(upright)).mean() < 4


def test_a_photo_with_a_broken_exif_block_is_read_as_stored(write):
    path = write("a.jpg", two_halves(), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff", quality=95)
    assert load_photo(path).shape == (20, 40, 3)


def test_transparency_becomes_white(tmp_path):
    pixels = np.dstack([two_halves(), np.full((20, 40), 255)]).astype(np.uint8)
    pixels[:, :20, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "a.png")
    read = load_photo(tmp_path / "a.png")
    assert tuple(read[10, 5]) == WHITE and tuple(read[10, 35]) == GREEN


def test_a_palette_with_a_transparent_colour_is_read(tmp_path):
    image = Image.fromarray(two_halves()).quantize(2)
    image.save(tmp_path / "a.png", transparency=image.getpixel((0, 0)))
    read = load_photo(tmp_path / "a.png")
    assert tuple(read[10, 5]) == WHITE and tuple(read[10, 35]) == GREEN


def test_sixteen_bit_grey_is_scaled_and_not_clipped(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (8, 1))
    for name in ("a.png", "a.tiff"):
        Image.fromarray(ramp).save(tmp_path / name)
        assert np.abs(load_photo(tmp_path / name)[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_floating_point_pixels_are_refused(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "depth.tiff")
    assert "(F)" in refusal(tmp_path / "depth.tiff")


def test_cmyk_is_turned_into_rgb(tmp_path):
    Image.fromarray(two_halves(WHITE, RED)).convert("CMYK").save(tmp_path / "a.jpg", quality=100)
    read = load_photo(tmp_path / "a.jpg").astype(int)
    assert np.abs(read[10, 5] - WHITE).max() < 12 and np.abs(read[10, 35] - RED).max() < 12


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.fromarray(two_halves(RED, RED)), Image.fromarray(two_halves(GREEN, GREEN))]
    for name in ("a.png", "a.webp", "a.tiff"):
        options = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        assert tuple(load_photo(tmp_path / name)[10, 20]) == RED


def test_a_colour_profile_is_followed_to_srgb(tmp_path):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, lab, b"no profile at all"):  # the second does not fit, the third is none
        Image.fromarray(two_halves()).save(tmp_path / "a.png", icc_profile=profile)
        assert np.abs(load_photo(tmp_path / "a.png").astype(int) - two_halves()).max() <= 2


def test_a_profile_that_swaps_colours_swaps_them(tmp_path):
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    Image.fromarray(two_halves()).save(tmp_path / "a.png", icc_profile=bytes(profile))
    read = load_photo(tmp_path / "a.png").astype(int)
    assert np.abs(read[10, 5] - GREEN).max() < 8 and np.abs(read[10, 35] - RED).max() < 8


def test_a_large_photo_is_scaled_to_2048(write):
    assert load_photo(write("a.png", np.zeros((300, 4000, 3)))).shape == (154, 2048, 3)
    assert load_photo(write("a.jpg", np.zeros((5000, 2500, 3)))).shape == (2048, 1024, 3)


def test_sixty_megapixels_are_refused_before_decoding(tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(png_of_size(10000, 6000))
    assert "60 megapixels" in refusal(path)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10000, 60000, 2**31 - 1])
def test_decompression_bombs_are_refused(tmp_path, side):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_size(side, side))
    assert "megapixels" in refusal(path)


def test_the_limit_on_megapixels_is_an_option(write):
    path = write("a.png", np.zeros((100, 200, 3)))
    assert "megapixels" in refusal(path, SubjectOptions(max_megapixels=0.01))
    assert load_photo(path, SubjectOptions(max_megapixels=0.02)).shape == (100, 200, 3)


def test_a_large_file_is_refused(tmp_path):
    path = tmp_path / "large.jpg"
    path.write_bytes(b"\xff\xd8" + bytes(1_000_001))
    assert "1 MB" in refusal(path, SubjectOptions(max_megabytes=1))


def test_what_is_no_photo_is_refused(tmp_path):
    (tmp_path / "notes.jpg").write_text("Dear diary,\n" * 20)
    (tmp_path / "empty.png").touch()
    (tmp_path / "anim.gif").write_bytes(b"GIF89a\x01\0\x01\0\0\0\0;")
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "page.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "'notes.jpg' is not a photo" in refusal(tmp_path / "notes.jpg")
    assert "'empty.png' is empty" in refusal(tmp_path / "empty.png")
    for name in ("anim.gif", "drawing.svg", "page.eps"):
        assert "is not a photo" in refusal(tmp_path / name)
    assert "is a folder" in refusal(tmp_path)
    assert "no file 'nobody.jpg'" in refusal(tmp_path / "nobody.jpg")
    assert "ordinary file" in refusal(tmp_path / "pipe.jpg")
    assert "cannot be read" in refusal("\0.jpg") or "no file" in refusal("\0.jpg")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tiff", "a.bmp", "a.avif"])
def test_a_truncated_photo_is_refused_by_name(tmp_path, astronaut, name):
    whole = io.BytesIO()
    Image.fromarray(astronaut[:128, 128:256]).save(whole, {"jpg": "jpeg"}.get(name[2:], name[2:]))
    (tmp_path / name).write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    assert f"'{name}'" in refusal(tmp_path / name)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "bmp", "avif", "heif"])
def test_damaged_bytes_end_in_pixels_or_a_refusal(tmp_path, astronaut, kind):
    image = Image.fromarray(astronaut[64:192:2, 160:288:2])
    whole = io.BytesIO()
    if kind == "heif":
        pytest.importorskip("pillow_heif").from_pillow(image).save(whole)
    else:
        image.save(whole, kind)
    random = np.random.default_rng(7)
    path = tmp_path / "damaged.jpg"
    for _ in range(25):
        data = bytearray(whole.getvalue())
        reach = 64 if random.random() < 0.5 else len(data)  # half of the time only the header
        for position in random.integers(0, min(reach, len(data)), random.integers(1, 6)):
            data[position] = random.integers(0, 256)
        path.write_bytes(bytes(data))
        try:
            pixels = load_photo(path)
        except UserError as refused:
            assert "'damaged.jpg'" in refused.what
        else:
            assert pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8


def test_reading_changes_no_setting_of_pillow(write):
    before = Image.MAX_IMAGE_PIXELS, dict(Image.EXTENSION)
    load_photo(write("a.jpg", two_halves()))
    assert (Image.MAX_IMAGE_PIXELS, dict(Image.EXTENSION)) == before


def test_names_in_messages_are_printable_and_short():
    assert shown_name("/home/me/a\x1b[31m\nb.jpg") == "a?[31m?b.jpg"
    assert len(shown_name("x" * 500 + ".jpg")) == 60


def test_a_progressive_photo_is_read_and_one_of_too_many_passes_refused(write, monkeypatch):
    photo = write("a.jpg", two_halves(), progressive=True)
    passes = photo.read_bytes().count(b"\xff\xda")
    assert passes > 3 and load_photo(photo).shape == (20, 40, 3)
    monkeypatch.setattr("idto3d.subject.costs.passes.MOST_PASSES", passes - 1)
    assert refusal(photo) == f"'a.jpg' draws its pixels {passes} times over."
    assert load_photo(write("b.jpg", two_halves())).shape == (20, 40, 3)


def test_passes_weigh_more_the_larger_the_photo_is(write, monkeypatch):
    photo = write("a.jpg", two_halves(), progressive=True)
    monkeypatch.setattr("idto3d.subject.costs.passes.MOST_WORK", 0.004)  # of 800 pixels, five passes
    assert "times over" in refusal(photo)


def test_a_tiff_of_many_jpegs_is_no_photo_of_many_passes(write, monkeypatch):
    photo = write("a.tiff", two_halves(size=(64, 640)), compression="jpeg")
    assert photo.read_bytes().count(b"\xff\xda") > 1
    monkeypatch.setattr("idto3d.subject.costs.passes.MOST_PASSES", 1)
    assert load_photo(photo).shape == (640, 64, 3)
