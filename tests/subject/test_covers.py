"""What hides a face is told: dark glasses and masks, but not a face as it is."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from skimage.draw import polygon2mask

from idto3d.config import EMBEDDED
from idto3d.events import exhausted
from idto3d.subject.identity.portrait_encoder import PortraitEncoder
from idto3d.subject.subject import covers, read_subject

EYES, MASK = (
    ((168, 95), (168, 118), (262, 118), (262, 95)),
    ((180, 122), (185, 165), (225, 182), (262, 165), (268, 122)),
)


@pytest.fixture(scope="module")
def somebody(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(astronaut()).save(path)
    return exhausted(read_subject([path], encoder=PortraitEncoder(EMBEDDED / "identity.safetensors")))


def told(subject, outline=None, colour=(15, 15, 18)):
    photo = subject.photos[0]
    pixels = photo.pixels.copy()
    if outline is not None:
        pixels[polygon2mask(pixels.shape[:2], np.array(outline)[:, ::-1])] = colour
    hidden = type(photo)(**{**vars(photo), "pixels": pixels})
    return [notice.text for notice in covers(type(subject)(subject.embedding, {}, (hidden,)))]


def test_a_face_as_it_is_needs_no_word(somebody):
    assert told(somebody) == []


def test_dark_glasses_are_told(somebody):
    (text,) = told(somebody, EYES)
    assert "eyes in 'astronaut.png' are covered" in text


def test_a_face_that_the_photo_cuts_off_is_told(somebody):
    photo = somebody.photos[0]
    nose = photo.landmarks.points[4, 0]
    half = replace(photo, frame=(0.0, 0.0, float(nose), 512.0))
    (text,) = [notice.text for notice in covers(replace(somebody, photos=(half,)))]
    assert "cuts off a part of the face" in text


def test_a_mask_is_told(somebody):
    (text,) = told(somebody, MASK, (40, 90, 200))
    assert "covers the face in 'astronaut.png'" in text
