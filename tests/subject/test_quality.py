"""How good a photo is: the astronaut darker, lighter, tinted, grey, toned and blurred; and what is then not guessed."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from idto3d.config import EMBEDDED, LANDMARKS_FILE
from idto3d.subject.encoders import make_encoder
from idto3d.subject.landmarks import LandmarkReader
from idto3d.subject.quality import lab, linear, measure
from idto3d.subject.subject import read_subject


@pytest.fixture(scope="module")
def reader():
    return LandmarkReader(EMBEDDED / LANDMARKS_FILE)


@pytest.fixture(scope="module")
def face(astronaut):
    (found,) = make_encoder("dlib").embed(astronaut)
    return found


def relit(pixels, light):
    """`pixels` as if their light were `light` times as strong, per channel."""
    share = (linear(pixels) * light).clip(0, 1)
    srgb = np.where(share <= 0.0031308, 12.92 * share, 1.055 * share ** (1 / 2.4) - 0.055)
    return (255 * srgb).round().astype(np.uint8)


def grey(pixels):
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


ALTERED = {
    "as it is": (lambda pixels: pixels, ""),
    "a quarter of the light": (lambda pixels: relit(pixels, 0.25), ""),
    "8 % of the light": (lambda pixels: relit(pixels, 0.08), "too dark"),
    "8 % of the levels": (lambda pixels: (pixels * 0.08).astype(np.uint8), "too dark"),
    "three times the light": (lambda pixels: relit(pixels, 3.0), "overexposed"),
    "a warm lamp": (lambda pixels: relit(pixels, (1.2, 1.0, 0.75)), ""),
    "blue light": (lambda pixels: relit(pixels, (0.5, 0.8, 1.6)), "tints"),
    "green light": (lambda pixels: relit(pixels, (0.7, 1.2, 0.7)), "tints"),
    "black and white": (grey, "no colours"),
    "sepia": (lambda pixels: relit(grey(pixels), (1.0, 0.75, 0.5)), "no colours"),
    "blurred": (lambda pixels: np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(3))), "blurred"),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_is_wrong_is_told_in_one_sentence(reader, astronaut, face, name):
    alter, told = ALTERED[name]
    pixels = alter(astronaut)
    quality = measure(pixels, face, reader.read(pixels, face))
    sentences = list(quality.told("me.jpg"))
    assert len(sentences) == bool(told) and all(told in sentence for sentence in sentences), (quality, sentences)
    assert quality.true_colours == (told in ("", "blurred"))


def test_numbers_of_the_astronaut(reader, astronaut, face):
    quality = measure(astronaut, face, reader.read(astronaut, face))
    assert quality.luminance == pytest.approx(0.41, abs=0.03) and quality.clipped == 0
    assert quality.hue_deg == pytest.approx(73, abs=4) and quality.chroma == pytest.approx(21, abs=3)


def test_lab_of_white_is_white():
    assert lab(np.ones(3)) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab(linear(np.array([255.0, 0, 0]))) == pytest.approx([53.24, 80.09, 67.2], abs=0.05)


class TellsEverything:
    """A stand-in encoder's traits, all of them certain."""

    def __init__(self, face):
        self.face, self.border, self.notice = face, 0.5, ""

    def embed(self, pixels, once=False):
        return [self.face]

    def traits(self, pixels, face):
        return {name: {"a word": 1.0} for name in ("skin", "hair_colour", "hair_style", "beard")}

    def recognition(self, embeddings):
        return embeddings


def read(paths, face, reader):
    events, reading = [], read_subject(paths, None, TellsEverything(face), reader)
    while True:
        try:
            events.append(next(reading))
        except StopIteration as end:
            return events, end.value


def test_colours_are_not_guessed_from_a_dark_photo_but_from_a_good_one(write, reader, astronaut, face):
    dark = write("dark.png", relit(astronaut, 0.08))
    _, subject = read([dark], face, reader)
    assert set(subject.traits) == {"hair_style", "beard"} and subject.photos[0].quality.dark
    _, subject = read([dark, write("day.png", astronaut)], face, reader)
    assert set(subject.traits) == {"skin", "hair_colour", "hair_style", "beard"}
    assert [photo.name for photo in subject.photos] == ["dark.png", "day.png"]
