"""The encoder portrait: its file, its crops, and the two parts of its embeddings."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from idto3d.bundle.info import read_info
from idto3d.config import EMBEDDED
from idto3d.errors import UserError
from idto3d.subject.align import AVERAGE_FACE, HEAD_EYES, head_crop
from idto3d.subject.encoders import make_encoder
from idto3d.subject.identity.identity_file import load_identity, save_identity
from idto3d.subject.identity.portrait_encoder import MIRRORED, WIDE, as_inputs, read_heads
from idto3d.subject.identity.portrait_net import SIDE, PortraitNet, PortraitSize
from idto3d.subject.similarity import cosine

SMALL = PortraitSize(
    widths=(8, 8, 8, 8),
    blocks=(0, 0, 0, 1),
    hidden=16,
    coefficients=9,
    modes=5,
    attributes={"beard": ("clean", "full")},
)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A file of a small network with random weights, and the network."""
    torch.manual_seed(3)
    net = PortraitNet(SMALL)
    for value in net.buffers():
        value.copy_(torch.rand(value.shape))
    path = tmp_path_factory.mktemp("net") / "identity.safetensors"
    save_identity(net, path, {"people": 2})
    return path, net.eval()


@pytest.fixture(scope="module")
def encoder(network):
    return make_encoder("portrait", network[0])


def test_a_file_gives_the_same_codes_and_words(network):
    path, net = network
    read = load_identity(path)
    assert read.size == SMALL and not any(p.requires_grad for p in read.parameters())
    inputs = torch.rand(2, 3, SIDE, SIDE), torch.rand(2, 5, 2)
    (code, said), (wanted, true) = read(*inputs), net(*inputs)
    assert code.shape == (2, 5) and torch.allclose(code, wanted, atol=0.02)  # half precision
    assert torch.allclose(said["beard"], true["beard"], atol=0.02)
    assert all(torch.equal(value, dict(net.named_buffers())[name]) for name, value in read.named_buffers())


def test_a_missing_damaged_or_foreign_file_is_told(tmp_path, network):
    damaged, foreign = tmp_path / "damaged.safetensors", tmp_path / "foreign.safetensors"
    damaged.write_bytes(network[0].read_bytes()[:1000])
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2)}, foreign)
    save_file({"weight": torch.zeros(2)}, tmp_path / "old.safetensors", {"identity": '{"version": 3}'})
    with pytest.raises(UserError, match="another version"):
        make_encoder("portrait", tmp_path / "old.safetensors")
    for path in (tmp_path / "missing.safetensors", damaged, foreign):
        with pytest.raises(UserError, match=path.name):
            make_encoder("portrait", path)
    with pytest.raises(UserError, match="needs its network"):
        make_encoder("portrait")


def test_the_embedded_networks_embeddings_are_what_the_bundle_expects():
    info = read_info(Path(EMBEDDED))
    net = load_identity(Path(EMBEDDED) / "identity.safetensors")
    assert 128 + net.size.modes == info.identity_encoder.dimension
    assert net.code_share.sum() == pytest.approx(1, abs=1e-4) and net.embedding_scale > 0


def test_a_code_is_read_in_the_units_of_the_map():
    net = PortraitNet(SMALL)
    net.coefficient_map.copy_(torch.randn(9, 5))
    net.code_mean.fill_(1.0)
    net.code_std.fill_(2.0)
    coefficients = torch.randn(4, 9)
    found = net.whitened(coefficients) * net.code_std + net.code_mean
    assert torch.allclose(found, coefficients @ net.coefficient_map, atol=1e-5)


@pytest.fixture
def seen():
    """Two head crops and their landmarks, all of it random."""
    random = np.random.default_rng(5)
    return random.integers(0, 255, (2, WIDE, WIDE, 3), np.uint8), random.uniform(20, 80, (2, 5, 2)).astype(np.float32)


def test_a_head_is_read_from_five_places_and_mirrored(network, seen):
    net, (crops, marks) = load_identity(network[0]), seen
    codes, scores = read_heads(net, crops, marks)
    said = []
    for x, y in ((6, 6), (3, 6), (9, 6), (6, 3), (6, 9)):
        window, there = crops[:, y : y + SIDE, x : x + SIDE], marks - [x, y]
        mirrored = np.stack([SIDE - there[..., 0], there[..., 1]], -1)[:, MIRRORED]
        said += [net(*as_inputs(window, there)), net(*as_inputs(window[:, :, ::-1], mirrored))]
    seen, turned = sum(code for code, _ in said[::2]), sum(net.mirror @ code[:, :, None] for code, _ in said[1::2])
    assert torch.allclose(codes, (seen + turned[..., 0]) / 10, atol=1e-5)
    assert torch.allclose(scores["beard"], sum(score["beard"] for _, score in said) / 10, atol=1e-5)
    assert not torch.allclose(codes, said[0][0], atol=1e-3)


def test_a_mirrored_portrait_is_of_the_mirrored_head(network, seen):
    net, (crops, marks) = load_identity(network[0]), seen
    net.mirror.copy_(torch.diag(torch.tensor([1.0, -1, 1, -1, 1])))
    mirrored = np.stack([WIDE - marks[..., 0], marks[..., 1]], -1)[:, MIRRORED]
    codes, scores = read_heads(net, crops, marks)
    again, said = read_heads(net, crops[:, :, ::-1], mirrored)
    assert torch.allclose(again, codes * torch.tensor([1.0, -1, 1, -1, 1]), atol=1e-5)
    assert torch.allclose(scores["beard"], said["beard"], atol=1e-5) and codes[:, 1].abs().min() > 1e-3


def test_landmarks_of_a_mirrored_face_change_places():
    assert np.array_equal((AVERAGE_FACE * [-1, 1])[MIRRORED], AVERAGE_FACE)


def test_crops_of_another_size_are_refused(network, seen):
    with pytest.raises(ValueError, match="108"):
        read_heads(load_identity(network[0]), seen[0][:, :SIDE, :SIDE], seen[1])


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
    chances = encoder.traits(astronaut, face)["beard"]
    assert set(chances) == {"clean", "full"} and sum(chances.values()) == pytest.approx(1)
    assert make_encoder("dlib").traits(astronaut, plain) == {}
    assert encoder.embed(np.full((100, 100, 3), 90, np.uint8)) == []


def test_half_the_size_is_nearly_the_same_embedding(encoder, astronaut):
    half = np.asarray(Image.fromarray(astronaut).resize((300, 300)))
    (face,), (again,) = encoder.embed(astronaut), encoder.embed(half)
    assert cosine(face.embedding, again.embedding) > 0.95
