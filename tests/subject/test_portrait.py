"""The encoder portrait: its file, its crops, and the two parts of its embeddings."""

import numpy as np
import pytest
import torch
from PIL import Image

from idto3d.errors import UserError
from idto3d.subject.align import AVERAGE_FACE, HEAD_EYES, head_crop
from idto3d.subject.encoders import make_encoder
from idto3d.subject.portrait_net import SIDE, NetSize, PortraitNet, load_portrait_net, save_portrait_net
from idto3d.subject.similarity import cosine

SMALL = NetSize(
    widths=(8, 8, 8, 8),
    blocks=(0, 0, 0, 1),
    hidden=16,
    coefficients=9,
    modes=5,
    recognition=128,
    attributes={"beard": ("clean", "full")},
)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The file of a small network with random weights, and the network."""
    torch.manual_seed(3)
    net = PortraitNet(SMALL)
    net.longest.fill_(2.0)
    net.recognition_map.normal_()
    net.embedding_scale.fill_(0.5)
    path = tmp_path_factory.mktemp("net") / "identity.safetensors"
    save_portrait_net(net, path, {"people": 2})
    return path, net.eval()


@pytest.fixture(scope="module")
def encoder(network):
    return make_encoder("portrait", network[0])


def test_a_file_gives_the_same_codes_and_words(network):
    path, net = network
    again, inputs = load_portrait_net(path), (torch.rand(2, 3, SIDE, SIDE), torch.rand(2, 5, 2), torch.rand(2, 128))
    assert again.size == SMALL and not any(p.requires_grad for p in again.parameters())
    assert torch.allclose(again(*inputs)[0], net(*inputs)[0], atol=0.02)  # half precision
    assert again(*inputs)[1]["beard"].shape == (2, 2)


def test_a_missing_damaged_or_foreign_file_is_told(tmp_path, network):
    damaged, foreign = tmp_path / "damaged.safetensors", tmp_path / "foreign.safetensors"
    damaged.write_bytes(network[0].read_bytes()[:1000])
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2)}, foreign)
    for path in (tmp_path / "missing.safetensors", damaged, foreign):
        with pytest.raises(UserError, match="identity network"):
            make_encoder("portrait", path)
    with pytest.raises(UserError, match="needs its network"):
        make_encoder("portrait")


def test_codes_are_no_longer_than_any_in_training(network):
    _, net = network
    codes = torch.tensor([[30.0, 0, 0, 0, 40.0], [0.6, 0, 0, 0, 0.8]])
    assert torch.allclose(net.limited(codes).norm(dim=1), torch.tensor([2.0, 1.0]))


def test_a_code_is_read_in_the_units_of_the_map(network):
    net = PortraitNet(SMALL)
    net.coefficient_map.copy_(torch.randn(9, 5))
    net.code_mean.fill_(1.0)
    net.code_std.fill_(2.0)
    coefficients = torch.randn(4, 9)
    found = net.whitened(coefficients) * net.code_std + net.code_mean
    assert torch.allclose(found, coefficients @ net.coefficient_map, atol=1e-5)


@pytest.mark.parametrize(("turn_deg", "scale"), [(0, 20.0), (35, 90.0), (-60, 30.0)])
def test_a_head_crop_is_level_and_of_one_scale(turn_deg, scale):
    angle = np.radians(turn_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    marks = AVERAGE_FACE @ turn * scale + 300.0
    photo = np.zeros((600, 600, 3), np.uint8)
    y, x = np.mgrid[:600, :600]
    photo[np.hypot(x - marks[2, 0], y - marks[2, 1]) < scale * 0.2] = 255
    crop, inside = head_crop(photo, marks, SIDE)
    assert inside[1] - inside[0] == pytest.approx([HEAD_EYES, 0], abs=0.05)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    weight = np.where(crop.std(-1) + np.abs(crop[..., 0] - 128.0) < 2, 0, crop[..., 0]).astype(float)
    assert (weight * columns).sum() / weight.sum() + 0.5 == pytest.approx(inside[2, 0], abs=0.7)
    assert (weight * rows).sum() / weight.sum() + 0.5 == pytest.approx(inside[2, 1], abs=0.7)


def test_the_astronaut_is_recognised_by_dlibs_part_and_read_by_ours(encoder, astronaut):
    (face,), (plain,) = encoder.embed(astronaut), make_encoder("dlib").embed(astronaut)
    assert face.embedding.shape == (encoder.dimension,) == (133,)
    assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)
    assert cosine(encoder.recognition(face.embedding), plain.embedding) > 0.9999
    chances = encoder.looks(astronaut, face)["beard"]
    assert set(chances) == {"clean", "full"} and sum(chances.values()) == pytest.approx(1)
    assert make_encoder("dlib").looks(astronaut, plain) == {}
    assert encoder.embed(np.full((100, 100, 3), 90, np.uint8)) == []


def test_half_the_size_is_nearly_the_same_embedding(encoder, astronaut):
    half = np.asarray(Image.fromarray(astronaut).resize((300, 300)))
    (face,), (again,) = encoder.embed(astronaut), encoder.embed(half)
    assert cosine(face.embedding, again.embedding) > 0.95
