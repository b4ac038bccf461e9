"""Photos and a stand-in encoder for the tests of this room."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from idto3d.subject.face import Face


class StandInEncoder:
    """Answers `embed` with the prepared faces, photo after photo."""

    name, dimension, border, notice = "stand-in", 3, 0.5, ""

    def __init__(self, *answers):
        self.answers = list(answers)

    def embed(self, pixels):
        return self.answers.pop(0)

    def traits(self, pixels, face):
        return {}

    def recognition(self, embeddings):
        return embeddings


@pytest.fixture(scope="session")
def astronaut():
    """[512, 512, 3] uint8: a real photo of one face."""
    return data.astronaut()


@pytest.fixture
def write(tmp_path):
    """write(name, pixels, **options) saves pixels as a photo and returns its path."""

    def save(name, pixels, **options):
        path = tmp_path / name
        Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)
        return path

    return save


@pytest.fixture
def make_face():
    """make_face(embedding, side) is a square face with its nose at (60, 60)."""

    def make(embedding=(1, 0, 0), side=100):
        eyes = np.array([[50, 50], [70, 50], [60, 60], [45, 50], [75, 50]], np.float32)
        vector = np.array(embedding, np.float32)
        return Face((10, 10, 10 + side, 10 + side), eyes, vector / np.linalg.norm(vector))

    return make


@pytest.fixture
def stand_in():
    return StandInEncoder
