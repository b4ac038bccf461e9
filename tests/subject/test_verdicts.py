"""What is said of photos before a head is made: on a real face, altered, and on renders of heads of ours."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage.draw import polygon2mask

from idto3d.config import SubjectOptions
from idto3d.subject.images import ENDINGS, READABLE
from idto3d.subject.verdict.chances import corrected
from idto3d.subject.verdict.facts import GLASSES, MASK, Look, Seen, as_plain, from_plain
from idto3d.subject.verdict.judge import DOUBTFUL, OK, REFUSED, Suggestion, advice, judged, seen_from
from idto3d.subject.verdict.look import look_at, open_eyes
from idto3d.subject.verdict.turn import direction

RENDERS = Path(__file__).parent / "renders"
OPTIONS = SubjectOptions()
ROUND_EYES = ((168, 95), (168, 118), (262, 118), (262, 95))
BELOW_EYES = ((180, 122), (185, 165), (225, 182), (262, 165), (268, 122))


@pytest.fixture(scope="module")
def eyes():
    return open_eyes()


@pytest.fixture
def see(eyes, write):
    """see(name, pixels) is what the photo of those pixels shows."""
    return lambda name, pixels, **options: look_at(write(name, pixels, **options), OPTIONS, eyes)


def enlarged(pixels):
    """The head of the astronaut, twice as large."""
    return np.asarray(Image.fromarray(pixels[:260, 100:360]).resize((520, 520), Image.Resampling.LANCZOS))


def placed(outline):
    return 2 * (np.array(outline) - [100, 0])


def painted(pixels, outline, colour):
    changed = pixels.copy()
    changed[polygon2mask(pixels.shape[:2], np.array(outline)[:, ::-1])] = colour
    return changed


def lit_from_one_side(pixels):
    x = np.linspace(0, 1, pixels.shape[1])[None, :, None]
    light = np.clip((x - 0.41) / 0.06, 0.1, 1)  # the middle of the face lies at 0.44
    return (255 * (pixels / 255) * light ** (1 / 2.2)).astype(np.uint8)


def blurred(pixels):
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(5)))


def grey(pixels):
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


ALTERED = {
    "as it is": (lambda p: p, OK, "A good photo", ""),
    "blurred": (blurred, DOUBTFUL, "blurred", "sharp"),
    "dark": (lambda p: (p * 0.08).astype(np.uint8), DOUBTFUL, "too dark", "brighter"),
    "blown out": (lambda p: (p * 1.65).clip(0, 255).astype(np.uint8), DOUBTFUL, "overexposed", "darker"),
    "grey": (grey, DOUBTFUL, "no colours", "in colour"),
    "lit from a side": (lit_from_one_side, DOUBTFUL, "from one side", "even light"),
    "dark glasses": (
        lambda p: painted(p, placed(ROUND_EYES), (15, 15, 18)),
        DOUBTFUL,
        "eyes are covered",
        "shows them",
    ),
    "a mask": (lambda p: painted(p, placed(BELOW_EYES), (40, 90, 200)), DOUBTFUL, "covers the face", "whole face"),
    "half of it": (lambda p: p[:, :245].copy(), DOUBTFUL, "cuts off a part", "whole face"),
}


class Knowing:
    """An encoder that finds the face where it was in the photo as it is, whatever covers it now."""

    def __init__(self, encoder, pixels):
        self.own, self.faces, self.border = encoder, encoder.embed(pixels), encoder.border
        self.recognition = encoder.recognition

    def embed(self, pixels, once=False):
        return self.faces

    def traits(self, pixels, face):
        return {}


@pytest.fixture(scope="module")
def knowing(eyes, astronaut):
    return replace(eyes, encoder=Knowing(eyes.encoder, enlarged(astronaut)))


@pytest.mark.parametrize("name", ALTERED)
def test_a_photo_is_judged_by_its_worst_fault_in_a_sentence_each(write, knowing, astronaut, name):
    alter, state, what, remedy = ALTERED[name]
    seen = look_at(write("me.png", alter(enlarged(astronaut))), OPTIONS, knowing)
    (photo,) = judged([seen]).photos
    assert (photo.state, photo.name) == (state, "me.png"), photo.what
    assert what in photo.what and remedy in photo.remedy
    assert photo.what.count(". ") == 0 and (not photo.remedy or photo.remedy.endswith("."))


def test_a_photo_of_nobody_a_broken_file_and_none_are_refused(see, astronaut, tmp_path, eyes):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    (photo,) = judged([see("nobody.png", astronaut[380:, :140])]).photos
    assert photo.state == REFUSED and photo.what == "No face is seen." and photo.thumbnail and not photo.crop
    for name in ("broken.jpg", "nothing.jpg"):
        (photo,) = judged([look_at(tmp_path / name, OPTIONS, eyes)]).photos
        assert photo.state == REFUSED and name in photo.what and not photo.thumbnail


def test_a_small_face_of_a_phone_s_photo_is_told_and_shown_as_png(astronaut, tmp_path, eyes):
    heif = pytest.importorskip("pillow_heif")
    heif.from_pillow(Image.fromarray(astronaut)).save(tmp_path / "phone.heic")
    (photo,) = judged([look_at(tmp_path / "phone.heic", OPTIONS, eyes)]).photos
    assert photo.state == DOUBTFUL and "pixels wide" in photo.what and photo.remedy == "Use a closer photo."
    for picture, side in ((photo.crop, 128), (photo.thumbnail, 160)):
        assert picture.startswith(b"\x89PNG") and max(Image.open(io.BytesIO(picture)).size) == side
    assert from_plain(json.loads(json.dumps(as_plain(photo.look)))) == photo.look


@pytest.mark.parametrize(
    ("name", "azimuth", "elevation", "said"),
    [
        ("front", 0, 0, "from the front"),
        ("left", 30, 0, "from the left by"),
        ("right", -45, 0, "from the right by"),
        ("above", 0, 20, "from"),
    ],
)
def test_from_where_a_head_is_seen_is_measured(eyes, name, azimuth, elevation, said):
    look = look_at(RENDERS / f"{name}.webp", OPTIONS, eyes).look
    assert look.azimuth_deg == pytest.approx(azimuth, abs=6) and look.elevation_deg == pytest.approx(elevation, abs=8)
    assert said in seen_from(look)


def test_a_direction_is_that_of_the_points_turned():
    def turned(points, azimuth):
        c, s = np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth))
        return points @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])

    points = np.zeros((478, 3))
    points[[234, 454, 10, 152]] = [-1, 0, 0], [1, 0, 0], [0, -1.3, 0], [0, 1.3, 0]
    for azimuth in (-60, 0, 25):
        assert direction(turned(points, azimuth)) == pytest.approx((azimuth, 0), abs=1e-6)


def test_who_is_somebody_else_is_doubted_and_two_are_both(see, astronaut, eyes):
    large = enlarged(astronaut)
    same = [see(f"{number}.png", pixels) for number, pixels in enumerate((large, large[:500, :480]))]
    other = look_at(RENDERS / "front.webp", OPTIONS, eyes)
    alone = judged(same)
    assert [photo.state for photo in alone.photos] == [OK] * 2 and max(photo.apart for photo in alone.photos) < 0.8
    mixed = judged([*same, other])
    assert [photo.state for photo in mixed.photos] == [OK, OK, DOUBTFUL]
    assert "another person than in the other photos" in mixed.photos[2].what
    assert mixed.advice == "Photos of one person alone would help most."
    two = judged([same[0], other])
    assert all("another person than in the other photo." in photo.what for photo in two.photos)
    assert judged(same[:1]).photos[0].apart is None


def look(azimuth=0.0, **facts):
    return Seen(Look("me.png", face_px=300.0, azimuth_deg=azimuth, recognition=(1.0, 0.0), border=0.4, **facts))


def small(**facts):
    return Seen(Look("me.png", face_px=87.0, azimuth_deg=0.0, recognition=(1.0, 0.0), border=0.4, **facts))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([], ""),
        ([Seen(Look("x", ("No.", "Do.")))], "A sharp photo from the front, in daylight,"),
        ([look(0.0)], "from the person's left or right"),
        ([look(0.0), look(40.0)], "from the person's right"),
        ([look(-30.0)], "from the front"),
        ([look(0.0), look(40.0), look(-40.0)], "These photos show enough"),
        ([look(0.0, blurred=True)], "A sharp, well lit photo of the whole face"),
        ([small(), small()], "A closer photo"),
        ([small(), small(blurred=True)], "A sharp, well lit photo of the whole face"),
        ([look(0.0, light=("colourless",))], "A photo in daylight"),
        ([look(0.0, hidden=(GLASSES,))], "A photo without glasses"),
        ([look(0.0, hidden=(MASK,)), look(-30.0)], "from the front"),
    ],
)
def test_what_would_help_most_is_one_sentence(seen, said):
    text = judged(seen).advice
    assert said in text and text.count(".") == (1 if said else 0)
    assert advice(judged(seen).photos) == text


def test_no_advice_is_given_while_photos_wait():
    verdicts = judged([look()], ["next.png"])
    assert verdicts.advice == "" and verdicts.waiting == ("next.png",)


def test_what_photos_suggest_is_their_mean_and_how_sure(see, astronaut):
    hair = {"hair_colour": {"brown": 0.95, "black": 0.05}, "hair_style": {"bob": 0.99, "afro": 0.01}}
    other = {"hair_colour": {"brown": 0.45, "black": 0.55}}
    found = judged([look(traits=hair), look(traits=other), Seen(Look("x", ("No.", "Do.")))]).suggestions
    assert found == (Suggestion("hair_style", "bob", 0.99, True), Suggestion("hair_colour", "brown", 0.7, True))
    assert [one.sure for one in found] == ["a guess", "likely"]  # a style is never sure
    assert Suggestion("beard", "clean", 0.95, True).sure == "sure"
    seen = judged([see("me.png", enlarged(astronaut))]).suggestions
    assert {one.attribute: one.word for one in seen if one.attribute in ("hair_colour", "beard")} == {
        "hair_colour": "brown",
        "beard": "clean",
    }


def test_masks_overrule_what_the_encoder_thinks_of_a_beard():
    said = {"clean": 0.98, "stubble": 0.0, "moustache": 0.01, "goatee": 0.005, "beard": 0.005}
    grown = corrected({"beard": said}, {"beard": 0.2})["beard"]
    assert max(grown, key=grown.get) == "beard" and sum(grown.values()) == pytest.approx(1)
    bare = corrected({"beard": {**said, "clean": 0.2, "moustache": 0.79}}, {"beard": 0.0})["beard"]
    assert max(bare, key=bare.get) == "clean" and sum(bare.values()) == pytest.approx(1)
    goatee = {**said, "clean": 0.1, "goatee": 0.885}
    assert corrected({"beard": goatee}, {"beard": 0.2})["beard"]["goatee"] == pytest.approx(0.885)
    assert corrected({}, {"beard": 0.2}) == {}


def test_a_refusal_travels_as_json():
    gone = Look("x", refusal=("No.", "Do."))
    assert from_plain(json.loads(json.dumps(as_plain(gone)))) == gone


def test_one_table_of_types_serves_picker_and_refusal():
    assert READABLE == "JPEG, PNG, WEBP, HEIC, AVIF, BMP or TIFF"
    assert {".jpg", ".heic", ".avif", ".tiff", ".bmp"} <= {*ENDINGS} and all(end == end.lower() for end in ENDINGS)
