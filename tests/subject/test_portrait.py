"""The encoder portrait: its file, its crops, and the two parts of its embeddings."""

import numpy as np
import pytest
import torch
from PIL import Image

from idto3d.errors import UserError
from idto3d.subject.align import AVERAGE_FACE, HEAD_EYES, head_crop
from idto3d.subject.encoders import make_encoder
from idto3d.subject.identity_file import load_identity, save_identity
from idto3d.subject.looks_net import SIDE, LooksNet, LooksSize
from idto3d.subject.shape_reader import ReaderSize, ShapeReader, edges
from idto3d.subject.similarity import cosine

SMALL = LooksSize(widths=(8, 8, 8, 8), blocks=(0, 0, 0, 1), hidden=16, attributes={"beard": ("clean", "full")})
FEW = ReaderSize(edges=6, centres=4, coefficients=9, modes=5)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A file of a small reader and a small network with random weights, and both."""
    torch.manual_seed(3)
    reader, net = ShapeReader(FEW), LooksNet(SMALL)
    for value in reader.buffers():
        value.copy_(torch.rand(value.shape))
    reader.sharpness.fill_(0.01)
    path = tmp_path_factory.mktemp("net") / "identity.safetensors"
    save_identity(reader, net, path, {"people": 2})
    return path, reader, net.eval()


@pytest.fixture(scope="module")
def encoder(network):
    return make_encoder("portrait", network[0])


def test_a_file_gives_the_same_codes_and_words(network):
    path, reader, net = network
    read, looked = load_identity(path)
    assert (read.size, looked.size) == (FEW, SMALL) and not any(p.requires_grad for p in looked.parameters())
    random = np.random.default_rng(0)
    crops, known = random.integers(0, 256, (2, SIDE, SIDE, 3), np.uint8), random.normal(size=(2, 128))
    marks = random.uniform(0, 1, (2, 5, 2))
    assert torch.allclose(read(crops, marks, known), reader(crops, marks, known), atol=0.02)  # half precision
    inputs = torch.rand(2, 3, SIDE, SIDE), torch.rand(2, 5, 2)
    assert torch.allclose(looked(*inputs)["beard"], net(*inputs)["beard"], atol=0.02)


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


def test_what_is_like_no_portrait_gets_the_code_of_the_average_head(network):
    _, reader, _ = network
    known = np.full((1, 128), 1e4, np.float32)
    code = reader(np.zeros((1, SIDE, SIDE, 3), np.uint8), np.zeros((1, 5, 2)), known)
    assert torch.allclose(code[0], reader.bias)


def test_edges_see_no_even_light():
    random = np.random.default_rng(1)
    crops = random.integers(60, 120, (3, SIDE, SIDE, 3), np.uint8)
    assert np.allclose(edges(crops), edges(crops + 40), atol=1e-4)
    assert not np.allclose(edges(crops[:1]), edges(crops[1:2]), atol=0.05)


def test_a_code_is_read_in_the_units_of_the_map():
    reader = ShapeReader(FEW)
    reader.coefficient_map.copy_(torch.randn(9, 5))
    reader.code_mean.fill_(1.0)
    reader.code_std.fill_(2.0)
    coefficients = torch.randn(4, 9)
    found = reader.whitened(coefficients) * reader.code_std + reader.code_mean
    assert torch.allclose(found, coefficients @ reader.coefficient_map, atol=1e-5)


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
