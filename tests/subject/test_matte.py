"""The share of person around a head."""

import numpy as np
import pytest
import subject.original as original
import torch

from idto3d.config import EMBEDDED, MATTE_FILE
from idto3d.errors import UserError
from idto3d.subject.matte import load_matte, person_matte
from idto3d.subject.square import Square, cut_square

BOX = (70.0, -10.0, 300.0)  # around the astronaut's head and shoulders


@pytest.fixture(scope="module")
def net():
    return load_matte(EMBEDDED / MATTE_FILE)


def test_the_astronaut_stands_before_a_wall(net, astronaut):
    share = person_matte(net, astronaut, BOX)
    assert share.shape == (256, 256) and share.dtype == np.float32 and 0 <= share.min() <= share.max() <= 1

    def at(x, y):
        return share[int((y - BOX[1]) / BOX[2] * 256), int((x - BOX[0]) / BOX[2] * 256)]

    assert min(at(222, 120), at(222, 40), at(175, 90), at(225, 220)) > 0.95  # face, hair twice, collar
    assert max(at(110, 60), at(330, 60), at(222, 1)) < 0.05  # wall


def test_other_sizes_show_the_same(net, astronaut):
    share, small = person_matte(net, astronaut, BOX), person_matte(net, astronaut, BOX, 64)
    assert small.shape == (64, 64)
    assert np.abs(share.reshape(64, 4, 64, 4).mean((1, 3)) - small).mean() < 0.02
    assert person_matte(net, astronaut, BOX, 400).shape == (400, 400)


def test_weights_of_another_network_are_refused():
    with pytest.raises(UserError, match="'matte'"):
        load_matte(EMBEDDED / "landmarks.safetensors")


@pytest.mark.skipif(not (original.HERE and original.MATTE.is_file()), reason="no files")
def test_the_matte_agrees_with_the_original(net, astronaut):
    """With IDTO3D_SELFIE_SEGMENTATION (selfie_segmentation.tflite) and ai-edge-litert.

    LiteRT lacks the last operator but one, a transposed convolution: its numbers are worked out here by hand.
    """
    published = original.Original(original.without_the_end(original.MATTE.read_bytes(), 2))
    square = Square(np.array([220.0, 140.0]), np.array([300.0, 0.0]))
    picture = torch.from_numpy(cut_square(astronaut, square, 256)).float()[None] / 255
    ((features,),) = (published(picture),)
    transposed = next(node for node in net.nodes if node[0].__name__ == "transposed_conv")
    weight, bias = (getattr(net, net.places[name]).numpy() for name in transposed[1][1:])
    expected = np.zeros((256, 256))
    for row, column in np.ndindex(2, 2):
        expected[row::2, column::2] = features.numpy()[0] @ weight[:, 0, row, column] + bias
    assert np.abs(net(picture)[0].numpy()[0, ..., 0] - 1 / (1 + np.exp(-expected.clip(-30, 30)))).max() < 0.001
