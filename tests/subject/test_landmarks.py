"""Landmarks of faces: the numbers of the original networks, the astronaut, turned and moved pictures."""

import os

import numpy as np
import pytest
import subject.original as original
from PIL import Image
from subject.drawn_face import drawn_face

from idto3d.config import EMBEDDED, LANDMARKS_FILE
from idto3d.subject.encoders import make_encoder
from idto3d.subject.face import Face
from idto3d.subject.face_points import BLENDSHAPES, CORNERS, FACE, IRISES
from idto3d.subject.landmarks import LandmarkReader, first_square, square_around
from idto3d.subject.square import Square, cut_square

# What LiteRT 2.3.0 says of the drawn face: places (x, y, z) of points, and expressions.
POINTS = {
    1: (131.01, 153.75, -30.09),
    33: (86.53, 117.63, 8.23),
    263: (170.57, 118.46, 11.17),
    61: (104.66, 183.03, -0.08),
    10: (130.25, 66.53, -6.03),
    152: (127.05, 223.52, 4.29),
    468: (99.85, 118.49, 3.35),
    473: (156.57, 118.99, 4.1),
}
EXPRESSION = {"eyeWideLeft": 0.4708, "eyeLookDownLeft": 0.2891, "mouthPucker": 0.2969, "browInnerUp": 0.1152}


@pytest.fixture(scope="module")
def reader():
    return LandmarkReader(EMBEDDED / LANDMARKS_FILE)


@pytest.fixture(scope="module")
def face(astronaut):
    (found,) = make_encoder("dlib").embed(astronaut)
    return found


def expressed(landmarks) -> dict[str, float]:
    return dict(zip(BLENDSHAPES, landmarks.expression.tolist(), strict=True))


def level(left: float, top: float, right: float, bottom: float, angle_deg: float = 0.0) -> Face:
    """A face of that box whose eyes lie along `angle_deg`."""
    turn = np.radians(angle_deg)
    eyes = np.array([[0, 0], [np.cos(turn), np.sin(turn)], [0, 1], [0, 0], [0, 0]], np.float32)
    return Face((left, top, right, bottom), eyes, np.ones(1, np.float32))


def test_a_drawn_face_gives_the_numbers_of_the_original(reader, monkeypatch):
    picture = drawn_face()
    whole = Square(np.array([128.0, 128.0]), np.array([256.0, 0.0]))
    for name in ("first_square", "square_around"):
        monkeypatch.setattr(f"idto3d.subject.landmarks.{name}", lambda _: whole)
    found = reader.read(picture, level(60, 60, 196, 196))
    for number, place in POINTS.items():
        assert found.points[number] == pytest.approx(np.array(place), abs=0.05), number
    assert found.presence > 0.9999
    assert {name: expressed(found)[name] for name in EXPRESSION} == pytest.approx(EXPRESSION, abs=0.002)


def test_the_astronaut_smiles_at_the_camera(reader, astronaut, face):
    found = reader.read(astronaut, face)
    assert found.points.shape == (478, 3) and found.points.dtype == np.float32 and found.presence > 0.999
    marks = found.points[[*CORNERS, *IRISES], :2] - 0.5
    assert np.abs(marks - face.landmarks[[3, 4, 0, 1]]).max() < 4
    assert found.points[1, 2] < found.points[[234, 454], 2].min()  # the tip of the nose is nearer than the ears
    said = expressed(found)
    assert said["mouthSmileLeft"] > 0.7 < said["mouthSmileRight"] and said["eyeBlinkLeft"] < 0.3 > said["jawOpen"]
    assert found.expression.shape == (len(BLENDSHAPES),) and 0 <= found.expression.min() <= found.expression.max() <= 1


@pytest.mark.parametrize("angle_deg", [-40, 25])
def test_points_turn_with_the_picture(reader, astronaut, face, angle_deg):
    still, centre = reader.read(astronaut, face), np.array([222.0, 130.0])
    turn = np.radians(angle_deg)
    across = 512 * np.array([np.cos(turn), -np.sin(turn)])
    turned = cut_square(astronaut, square := Square(centre, across), 512)
    box = (200, 200, 312, 312)
    found = reader.read(turned, level(*box, angle_deg))
    back = square.to_photo(found.points / 512)
    assert np.abs(back - still.points)[:FACE, :2].mean() < 1.0
    assert found.presence > 0.99


def test_points_lie_in_the_photo_whatever_its_size(reader, astronaut, face):
    still = reader.read(astronaut, face)
    large = np.asarray(Image.fromarray(astronaut).resize((2048, 2048), Image.Resampling.BICUBIC))
    found = reader.read(large, face.scaled(4))
    assert np.abs(found.points / 4 - still.points)[:FACE].mean() < 0.5
    cut = reader.read(astronaut[40:, 100:], face.moved(-100, -40))
    assert np.abs(cut.points + [100, 40, 0] - still.points).max() < 0.1


def test_irises_behind_closed_lids_do_not_move_the_square(astronaut, reader, face):
    points = reader.read(astronaut, face).points
    strayed = points.copy()
    strayed[FACE:, 0] -= 500
    assert square_around(strayed).side == square_around(points).side


def test_marks_on_one_spot_are_looked_at_upright():
    spot = Face((10, 10, 60, 60), np.full((5, 2), 30, np.float32), np.ones(1, np.float32))
    assert first_square(spot).across[1] == 0 < first_square(spot).across[0]


@pytest.mark.skipif(not (original.HERE and original.TASK.is_file() and os.environ.get("IDTO3D_ICT")), reason="no files")
def test_fifty_drawn_portraits_agree_with_the_original(reader):
    """With IDTO3D_FACE_LANDMARKER (face_landmarker.task), IDTO3D_ICT (.npz or checkout) and ai-edge-litert."""
    published = LandmarkReader(EMBEDDED / LANDMARKS_FILE)
    published._points = original.Original(original.landmarker_file("face_landmarks_detector.tflite"), 2)
    published._expression = original.Original(original.landmarker_file("face_blendshapes.tflite"))
    encoder, seen = make_encoder("dlib"), 0
    for picture in portraits():
        for face in encoder.embed(picture)[:1]:
            ours, theirs = reader.read(picture, face), published.read(picture, face)
            assert np.abs(ours.points - theirs.points).max() <= 0.5
            assert np.abs(ours.expression - theirs.expression).max() < 0.01
            assert ours.presence == pytest.approx(theirs.presence, abs=0.001)
            seen += 1
        if seen == 50:
            return
    raise AssertionError(f"only {seen} portraits showed a face")


def portraits():
    """Drawn people, one portrait each."""
    from idto3d.training.people import synthetic
    from idto3d.training.people.ict import read_ict
    from idto3d.training.people.person import draw_person

    studio = synthetic.open_studio(read_ict(os.environ["IDTO3D_ICT"]))
    for seed in range(91000, 91100):
        random = np.random.default_rng(seed)
        index, strength = synthetic.draw_expression(random)
        weights = studio.model.weights(synthetic.EXPRESSIONS[index], strength)
        yield synthetic.portrait(synthetic.sculpt(studio, draw_person(seed, studio.model.words), weights), random, 320)
