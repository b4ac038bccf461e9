"""Photos that cannot become a head, through the real command line: two sentences, exit 2, nothing but job.json."""

import io
import os

import numpy as np
import pytest
from PIL import Image
from skimage import data

from idto3d import cli, pipeline
from idto3d.errors import UserError
from idto3d.jobs.record import read_job


def jpeg(image):
    stream = io.BytesIO()
    image.save(stream, "JPEG")
    return stream.getvalue()


def landscape():
    height, width = 240, 320
    sky = np.linspace(250, 90, height)[:, None, None].repeat(width, 1).repeat(3, 2)
    return jpeg(Image.fromarray(sky.astype(np.uint8)))


def astronaut():
    return Image.fromarray(data.astronaut())


BAD = {
    "no face": (landscape, "no face was found"),
    "text": (lambda: b"Dear diary, today I was renamed.\n" * 20, "is not a photo that can be read"),
    "truncated": (lambda: jpeg(astronaut())[:9000], "is damaged"),
    "60 megapixels": (lambda: jpeg(Image.new("L", (7746, 7746))), "megapixels"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_photo_is_refused_in_words_and_leaves_only_the_job(tmp_path, capsys, name):
    make, said = BAD[name]
    photo, out = tmp_path / "photo.jpg", tmp_path / "head"
    photo.write_bytes(make())
    assert cli.main(["generate", str(photo), "--out", str(out)]) == 2
    printed = capsys.readouterr().err
    what, remedy = printed.strip().splitlines()[-2:]
    assert said in what and what.endswith(".") and remedy.endswith(".") and "Traceback" not in printed
    assert os.listdir(out) == ["job.json"] and read_job(out).status == "failed"


def test_of_two_faces_the_larger_is_used_with_a_notice(tmp_path, capsys, tiny_bundle, monkeypatch):
    small = astronaut().resize((430, 430))
    both = Image.new("RGB", (942, 512), (120, 120, 120))
    both.paste(astronaut(), (0, 0))
    both.paste(small, (512, 40))
    both.save(tmp_path / "two.png")
    subjects = []

    def make(subject, *_):
        subjects.append(subject)
        raise UserError("Enough is known.", "Make no head of it.")

    monkeypatch.setattr(pipeline, "make", make)
    asked = ["generate", str(tmp_path / "two.png"), "--out", str(tmp_path / "head"), "--weights", str(tiny_bundle)]
    assert cli.main(asked) == 2
    told = capsys.readouterr().err
    assert "shows 2 faces; the largest is used" in told and "Enough is known." in told
    (photo,) = subjects[0].photos
    assert photo.landmarks.points[:, 0].max() < 512  # the face on the left
