"""Panoramas that somebody brings: as OpenEXR, and as Radiance files that are made to take long."""

import time

import numpy as np
import pytest

from idto3d.errors import UserError
from idto3d.render.panorama import exr
from idto3d.render.panorama.exr import read_exr
from idto3d.render.panorama.hdr import read_hdr, write_hdr
from idto3d.render.panorama.load import light_from_file

RADIANCE = np.random.default_rng(0).random((8, 16, 3)).astype(np.float32)


def write_exr(path, channels, kind="scanlineimage"):
    OpenEXR = pytest.importorskip("OpenEXR")
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": getattr(OpenEXR, kind)}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_an_exr_is_the_light_that_was_written(tmp_path, kind):
    write_exr(tmp_path / "mine.exr", {"RGB": RADIANCE.astype(kind)})
    assert np.abs(read_exr(tmp_path / "mine.exr") - RADIANCE).max() < 1e-3
    write_hdr(tmp_path / "mine.hdr", RADIANCE)
    lights = [light_from_file(tmp_path / f"mine.{ending}") for ending in ("exr", "hdr")]
    assert lights[0].name == "mine" and (lights[0].levels - lights[1].levels).abs().max() < 0.02


def test_what_is_no_radiance_in_an_exr_is_bounded(tmp_path):
    odd = RADIANCE.copy()
    odd[0, :3, 0] = (np.inf, np.nan, -5.0)
    write_exr(tmp_path / "odd.exr", {"RGB": odd})
    assert read_exr(tmp_path / "odd.exr")[0, :3, 0].tolist() == [1e6, 0.0, 0.0]


def test_an_exr_of_other_channels_or_sizes_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    write_exr(tmp_path / "depth.exr", {"Z": RADIANCE[..., 0]})
    write_exr(tmp_path / "big.exr", {"RGB": RADIANCE})
    with pytest.raises(UserError, match="channels R, G and B"):
        read_exr(tmp_path / "depth.exr")
    monkeypatch.setattr(exr, "MAX_PIXELS", 100)
    with pytest.raises(UserError, match="16 x 8 pixels"):
        read_exr(tmp_path / "big.exr")


@pytest.mark.parametrize("keep", [0, 4, 200, -20])
def test_a_damaged_exr_is_refused(tmp_path, keep):
    write_exr(tmp_path / "a.exr", {"RGB": RADIANCE})
    (tmp_path / "a.exr").write_bytes((tmp_path / "a.exr").read_bytes()[:keep])
    with pytest.raises(UserError, match="cannot be read"):
        read_exr(tmp_path / "a.exr")


def test_without_the_library_an_exr_is_refused_by_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.exr").write_bytes(b"v/1\1")
    monkeypatch.setattr(exr, "find_spec", lambda _name: None)
    with pytest.raises(UserError, match="OpenEXR") as refusal:
        light_from_file(tmp_path / "a.exr")
    assert "pip install" in refusal.value.remedy


def test_another_type_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(UserError, match="no panorama"):
        light_from_file(tmp_path / "a.png")


def test_runs_of_one_byte_take_no_longer_than_others(tmp_path):
    """Each byte in a run of its own: the longest file of so many pixels, and once the slowest."""
    width, height = 2048, 1024
    line = bytes([2, 2, width >> 8, width & 255]) + bytes([1, 130]) * (4 * width)
    path = tmp_path / "slow.hdr"
    path.write_bytes(f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode() + line * height)
    (tmp_path / "short.hdr").write_bytes(path.read_bytes()[:-1])
    write_hdr(tmp_path / "first.hdr", RADIANCE)
    read_hdr(tmp_path / "first.hdr")  # compiles
    begun = time.process_time()
    assert read_hdr(path).shape == (height, width, 3)
    assert time.process_time() - begun < 3.0
    with pytest.raises(UserError, match="ends too early"):
        read_hdr(tmp_path / "short.hdr")
