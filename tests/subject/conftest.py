"""Photos and a stand-in encoder for the tests of this room."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from idto3d.subject.face import Face
from idto3d.subject.face_points import BLENDSHAPES, CORNERS, POINTS
from idto3d.subject.landmarks import Landmarks


class StandInEncoder:
    """Answers `embed` with the prepared faces, photo after photo; one without a face is asked for in four turns."""

    name, dimension, border, notice = "stand-in", 3, 0.5, ""

    def __init__(self, *answers):
        self.answers = [shown for answer in answers for shown in ([answer] if answer else [[]] * 4)]

    def embed(self, pixels, once=False):
        return self.answers.pop(0)

    def traits(self, pixels, face):
        return {}

    def recognition(self, embeddings):
        return embeddings


class StandInReader:
    """Takes every face for one, as sure as `presence` says, its points all over the box."""

    def __init__(self, *presence):
        self.presence = list(presence)

    def read(self, pixels, face):
        left, top, right, bottom = face.box
        points = np.random.default_rng(0).random((POINTS, 3)).astype(np.float32)
        points[list(CORNERS)] = [0.3, 0.4, 0], [0.7, 0.4, 0]
        presence = self.presence.pop(0) if self.presence else 1.0
        size = np.array([right - left, bottom - top, 0], np.float32)
        return Landmarks(points * size + [left, top, 0], presence, np.zeros(len(BLENDSHAPES), np.float32))


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


@pytest.fixture
def stand_in_reader():
    return StandInReader
