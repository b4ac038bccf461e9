"""Clips are read in every container we name, and nothing else is opened or survives."""

import subprocess
import time

import imageio_ffmpeg
import numpy as np
import psutil
import pytest

from idto3d.config import AnimateOptions
from idto3d.errors import UserError
from idto3d.export.video import write_video
from idto3d.subject.clip import decoder
from idto3d.subject.clip.film import open_film

FRAMES, FPS, STEP = 20, 25, 10


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Twenty grey pictures [90, 120, 3], each ten lighter than the last, as MP4."""
    path = tmp_path_factory.mktemp("clips") / "grey.mp4"
    pictures = (np.full((90, 120, 3), STEP * number, np.uint8) for number in range(FRAMES))
    for _ in write_video(path, pictures, "test", FPS):
        pass
    return path


def changed(clip, name, *how, before=()):
    path = clip.with_name(name)
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *before, "-i", clip, *how, path]
    subprocess.run(program, check=True)
    return path


@pytest.mark.parametrize(
    "name, how",
    [
        ("same.mp4", ("-c", "copy")),
        ("pieces.mp4", ("-c", "copy", "-movflags", "frag_keyframe+empty_moov")),
        ("film.mov", ("-c", "copy")),
        ("film.mkv", ("-c", "copy")),
        ("film.webm", ("-c:v", "libvpx")),
        ("film.avi", ("-c:v", "mjpeg", "-q:v", "2")),
        ("deep.mp4", ("-c:v", "libx264", "-pix_fmt", "yuv420p10le")),
        ("clear.webm", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-cpu-used", "8")),
    ],
)
def test_every_picture_of_every_container_is_read(clip, name, how):
    film = open_film(changed(clip, name, *how), AnimateOptions())
    levels = [picture.mean() for picture in film.pictures()]
    assert (film.width, film.height, film.fps) == (120, 90, FPS)
    assert len(levels) == FRAMES and np.allclose(levels, STEP * np.arange(FRAMES), atol=4)
    assert abs(film.frames - FRAMES) <= 2


def test_a_clip_is_upright_and_has_no_more_pictures_than_wanted(clip):
    turned = open_film(changed(clip, "turned.mp4", "-c", "copy", before=("-display_rotation", "90")), AnimateOptions())
    assert next(turned.pictures()).shape == (120, 90, 3)
    thinned = open_film(clip, AnimateOptions(fps=12.5))
    assert len(list(thinned.pictures())) == FRAMES // 2


@pytest.mark.parametrize(
    "how, size",
    [
        (("-vf", "scale=119:89", "-pix_fmt", "yuv444p"), (119, 89)),
        (("-vf", "setsar=2"), (240, 90)),
        (("-vf", "setsar=100"), (120, 90)),
    ],
)
def test_pictures_have_the_shape_that_they_are_shown_in(clip, how, size):
    film = open_film(changed(clip, "shape.mkv", *how), AnimateOptions())
    assert (film.width, film.height) == size and next(film.pictures()).shape == (*size[::-1], 3)


def test_pictures_that_come_when_they_like_are_read_at_an_even_pace(clip):
    uneven = ("-vf", "select=not(mod(n\\,3))+lt(n\\,6)", "-fps_mode", "vfr")
    film = open_film(changed(clip, "uneven.mkv", *uneven), AnimateOptions())
    levels = np.array([picture.mean() for picture in film.pictures()])
    assert abs(len(levels) - film.fps * 0.8) <= 2
    shown = STEP * FPS * np.arange(len(levels)) / film.fps
    assert abs(levels - shown).max() < 3 * STEP, "what is shown longest is read most often"


def test_a_clip_shorter_than_a_picture_at_the_pace_that_is_wanted_has_one(clip):
    film = open_film(changed(clip, "short.mp4", "-frames:v", "2"), AnimateOptions(fps=1))
    assert len(list(film.pictures())) == 1


def test_large_pictures_are_made_smaller(clip):
    film = open_film(changed(clip, "large.mp4", "-vf", "scale=1920:1080"), AnimateOptions())
    assert (film.width, film.height) == (960, 540) and next(film.pictures()).shape == (540, 960, 3)


@pytest.mark.parametrize(
    "options, what",
    [
        (AnimateOptions(max_seconds=0.5), "lasts 0.7 seconds"),
        (AnimateOptions(max_megabytes=0.1), None),
        (AnimateOptions(max_megapixels=0.01), "megapixels"),
    ],
)
def test_limits_hold_before_the_clip_is_decoded(clip, options, what):
    if what is None:
        big = clip.with_name("big.mp4")
        big.write_bytes(clip.read_bytes() + bytes(200_000))
        with pytest.raises(UserError, match="larger than the limit of 0.1 MB"):
            open_film(big, options)
        return
    with pytest.raises(UserError, match=what):
        open_film(clip, options)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile grey.mp4\n",
        b"\x00\x00\x00\x20ftypisom" + bytes(500),
        b"\x1a\x45\xdf\xa3" + bytes(500),
        b"RIFF\x00\x00\x00\x00AVI " + bytes(500),
        b"GIF89a" + bytes(500),
    ],
)
def test_what_is_no_clip_is_refused(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(UserError):
        list(open_film(path, AnimateOptions()).pictures())


def test_a_clip_that_is_cut_short_gives_what_it_has_or_is_refused(clip):
    cut = clip.with_name("cut.mkv")
    whole = changed(clip, "whole.mkv", "-c", "copy").read_bytes()
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    try:
        read = len(list(open_film(cut, AnimateOptions()).pictures()))
    except UserError:
        read = 0
    assert read < FRAMES


def test_the_decoder_can_open_no_other_file(clip):
    listed = clip.with_name("listed.txt")
    listed.write_text(f"ffconcat version 1.0\nfile '{clip.name}'\n")
    wanted = ["-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]
    command = decoder.arguments("concat", 10**6, wanted)
    free = [word.replace("fd", "fd,file") if word == "fd" else word for word in command]
    free[free.index("-i") : free.index("-i") + 2] = ["-safe", "0", "-i", str(listed)]
    free[free.index("-format_whitelist") + 1] = "concat,mov"
    with decoder.decoding(listed, free) as reading:
        assert reading.read(), "the list would be read where files may be opened"
    closed = [word if word != "fd,file" else "fd" for word in free]
    with decoder.decoding(listed, closed) as reading:
        assert not reading.read()


def test_a_decoder_that_stalls_is_ended(clip, monkeypatch):
    monkeypatch.setattr(decoder, "SLOW_S", 0.2)
    start = time.monotonic()
    with decoder.decoding(clip, ["sleep", "30"]) as reading:
        assert reading.read() == b""
    assert time.monotonic() - start < 5


def test_who_stops_reading_leaves_no_process(clip):
    film, before = open_film(clip, AnimateOptions()), set(psutil.Process().children(recursive=True))
    pictures = film.pictures()
    next(pictures)
    pictures.close()
    assert set(psutil.Process().children(recursive=True)) <= before
