"""Textures with more pixels: a network's detail where no photo shows the skin, in tiles that do not show."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from idto3d.checks import checked
from idto3d.config import ExportOptions, HeadOptions
from idto3d.errors import UserError
from idto3d.export.enlarging import enlarged as enlarging
from idto3d.export.enlarging.enlarged import detailed, enlarged
from idto3d.export.enlarging.network import Enlarger, load_enlarger
from idto3d.render.painted import PaintedMaterial


def sharpened(picture):
    """Twice as many pixels with a chequered pattern over them, and a wrong colour."""
    large = F.interpolate(picture, scale_factor=2, mode="nearest")
    down, right = (torch.arange(side) for side in large.shape[2:])
    pattern = (down[:, None] + right) % 2 * 2.0 - 1
    return large + 0.1 * pattern + 0.2


@pytest.fixture
def net():
    return Enlarger(2, sharpened, torch.device("cpu"))


@pytest.fixture
def skin():
    random = np.random.default_rng(0)
    maps = {name: random.integers(60, 190, (64, 64), np.uint8) for name in ("roughness", "specular")}
    known = np.zeros((64, 64), np.uint8)
    known[:, :32] = 255
    albedo = random.integers(60, 190, (64, 64, 3), np.uint8)
    normal = np.full((64, 64, 3), (140, 120, 250), np.uint8)
    return PaintedMaterial(albedo, normal=normal, known=known, **maps)


def test_texels_of_photos_are_interpolated_and_no_more(skin, net):
    plain, fine = (enlarged(skin, 128, one, photos=True) for one in (None, net))
    assert (fine.albedo[:, :62] == plain.albedo[:, :62]).all()
    assert (fine.albedo[:, 66:] != plain.albedo[:, 66:]).mean() > 0.9
    for name in ("roughness", "normal", "specular", "known"):
        assert len(getattr(fine, name)) == 128 and np.array_equal(getattr(fine, name), getattr(plain, name))


def test_of_photos_of_which_nothing_is_known_nothing_is_made_up(skin, net):
    old = replace(skin, known=None)
    assert np.array_equal(enlarged(old, 128, net, photos=True).albedo, enlarged(old, 128, None, photos=True).albedo)
    assert not np.array_equal(
        enlarged(old, 128, net, photos=False).albedo, enlarged(old, 128, None, photos=False).albedo
    )


def test_the_network_changes_no_texels_mean(skin, net):
    made = detailed(skin.albedo, 128, net).astype(float)
    means = made.reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert np.abs(means - skin.albedo)[2:-2, 2:-2].mean() < 6 and made.std() > skin.albedo.std()


def test_tiles_do_not_show(net, monkeypatch):
    image = np.random.default_rng(1).integers(0, 256, (90, 90, 3), np.uint8)
    whole = detailed(image, 180, net)
    monkeypatch.setattr(enlarging, "TILE", 56)
    monkeypatch.setattr(enlarging, "MARGIN", 8)
    assert np.abs(detailed(image, 180, net).astype(int) - whole).max() <= 1


def test_a_texture_that_is_large_enough_stays(skin, net):
    assert enlarged(skin, 64, net, photos=False) is skin


def test_what_is_to_be_enlarged_is_painted_smaller():
    sizes = {(size, name): ExportOptions(texture_size=size, upscaler=name).painted_size
             for size in (512, 2048, 4096, 8192) for name in ("", "net.safetensors")}  # fmt: skip
    assert all(sizes[size, ""] == size for size in (512, 2048, 4096, 8192))
    assert [sizes[size, "net.safetensors"] for size in (512, 2048, 4096, 8192)] == [512, 1024, 1024, 2048]


def test_a_network_that_is_not_there_is_refused_before_anything_is_made(tmp_path):
    other = tmp_path / "net.pth"
    other.touch()
    for name in (str(tmp_path / "none.safetensors"), str(other)):
        with pytest.raises(UserError, match="no network to enlarge"):
            checked(HeadOptions(export=ExportOptions(upscaler=name)))


def test_without_spandrel_it_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "net.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(UserError, match="requirements-upscale.txt"):
        load_enlarger(path, torch.device("cpu"))


def test_a_file_of_something_else_is_refused(tmp_path):
    pytest.importorskip("spandrel")
    path = tmp_path / "net.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="no network of a known kind"):
        load_enlarger(path, torch.device("cpu"))


def test_a_file_that_is_gone_is_refused_in_its_own_words(tmp_path):
    with pytest.raises(UserError, match="'net.safetensors' cannot be read. Give a network"):
        load_enlarger(tmp_path / "net.safetensors", torch.device("cpu"))


def test_a_small_network_of_a_known_kind_is_read(tmp_path):
    architectures = pytest.importorskip("spandrel.architectures.Compact")
    torch.manual_seed(0)
    small = architectures.Compact(num_in_ch=3, num_out_ch=3, num_feat=8, num_conv=2, upscale=4)
    path = tmp_path / "net.safetensors"
    save_file(small.state_dict(), path)
    net = load_enlarger(path, torch.device("cpu"))
    assert net.scale == 4 and net.run(torch.rand(1, 3, 16, 12)).shape == (1, 3, 64, 48)


def test_a_network_for_other_pictures_is_refused(tmp_path, monkeypatch):
    class Descriptor(SimpleNamespace):
        pass

    found = Descriptor(scale=1, input_channels=3, output_channels=3)
    fake = SimpleNamespace(
        ImageModelDescriptor=Descriptor,
        UnsupportedModelError=KeyError,
        ModelLoader=lambda device: SimpleNamespace(load_from_state_dict=lambda tensors: found),
    )
    monkeypatch.setitem(sys.modules, "spandrel", fake)
    path = tmp_path / "net.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(UserError, match="enlarges colour pictures"):
        load_enlarger(path, torch.device("cpu"))
