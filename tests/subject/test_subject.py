"""From photos to a Subject: which face counts, what is left out, and what the user hears of it."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from idto3d.config import SubjectOptions
from idto3d.errors import UserError
from idto3d.events import Notice, Preview, StageStarted, StepDone
from idto3d.subject.align import aligned_crop
from idto3d.subject.encoders import make_encoder
from idto3d.subject.similarity import cosine
from idto3d.subject.subject import agreed, disagreements, read_subject


def run(generator):
    """The events of a generator and what it returned."""
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return events, end.value


def notices(events):
    return [event.text for event in events if isinstance(event, Notice)]


def crops(events):
    return [event for event in events if isinstance(event, Preview)]


@pytest.fixture
def grey(write):
    """grey(n): n photos of sharp noise in the colour of skin, for encoders that do not look."""
    noise = np.random.default_rng(0).integers(-60, 60, (120, 120, 3)) + [190, 140, 115]
    return lambda n: [write(f"{i}.png", noise) for i in range(n)]


@pytest.fixture(scope="module")
def encoder():
    return make_encoder("dlib")


def test_a_real_photo_becomes_a_subject(write, astronaut, encoder):
    events, subject = run(read_subject([write("astronaut.png", astronaut)], encoder=encoder))
    assert [type(event) for event in events] == [StageStarted, Notice, Preview, StepDone]
    assert subject.embedding.shape == (128,) and np.linalg.norm(subject.embedding) == pytest.approx(1, abs=1e-5)
    assert events[2].image.shape == (150, 150, 3) and events[2].kind == "crop"


def test_of_two_faces_the_larger_is_used(write, astronaut, encoder):
    other = np.asarray(Image.fromarray(astronaut).transpose(0).resize((820, 820)))
    both = np.full((820, 1332, 3), 255, np.uint8)
    both[:512, :512], both[:, 512:] = astronaut, other
    events, subject = run(read_subject([write("both.png", both)], encoder=encoder))
    assert "'both.png' shows 2 faces; the largest is used." in notices(events)
    (mirrored,) = encoder.embed(other)
    assert cosine(subject.embedding, mirrored.embedding) > 0.99


def test_a_photo_without_a_face_is_left_out(write, astronaut, encoder):
    paths = [write("wall.png", np.full((200, 200, 3), 90)), write("me.png", astronaut)]
    events, subject = run(read_subject(paths, encoder=encoder))
    assert notices(events)[0] == "'wall.png' is left out: no face was found."
    assert len(crops(events)) == 1
    (alone,) = encoder.embed(astronaut)
    assert cosine(subject.embedding, alone.embedding) > 0.999


def test_no_face_at_all_is_refused(grey, stand_in, stand_in_reader):
    with pytest.raises(UserError, match="'0.png' cannot be used: no face was found"):
        run(read_subject(grey(1), encoder=stand_in([]), reader=stand_in_reader()))
    with pytest.raises(UserError, match="None of the 2 photos"):
        run(read_subject(grey(2), encoder=stand_in([], []), reader=stand_in_reader()))


def test_a_tiny_face_is_left_out(grey, stand_in, stand_in_reader, make_face):
    encoder = stand_in([make_face(side=47)], [make_face(side=48)])
    events, _ = run(read_subject(grey(2), encoder=encoder, reader=stand_in_reader()))
    assert len(crops(events)) == 1
    assert "'0.png' is left out: its face is 47 pixels wide" in notices(events)[0]


def test_the_mean_of_the_photos_is_of_unit_length(grey, stand_in, stand_in_reader, make_face):
    encoder = stand_in([make_face((1, 0, 0))], [make_face((0.8, 0.6, 0))])
    _, subject = run(read_subject(grey(2), SubjectOptions(disagreement=9), encoder, stand_in_reader()))
    assert subject.embedding == pytest.approx(np.array([0.9, 0.3, 0]) / np.hypot(0.9, 0.3), abs=1e-6)


def test_a_photo_of_somebody_else_is_doubted_but_used(grey, stand_in, stand_in_reader, make_face):
    friends = [[make_face((1, 0.1 * i, 0))] for i in range(4)]
    encoder = stand_in(*friends, [make_face((0.8, 0, 0.6))])
    events, subject = run(read_subject(grey(5), encoder=encoder, reader=stand_in_reader()))
    assert notices(events) == ["'4.png' may show another person than the other photos; it is used all the same."]
    assert len(crops(events)) == 5 and subject.embedding[2] > 0.1


def test_two_photos_that_disagree_are_doubted_in_one_sentence(grey, stand_in, stand_in_reader, make_face):
    events, _ = run(
        read_subject(
            grey(2), encoder=stand_in([make_face((1, 0, 0))], [make_face((0, 1, 0))]), reader=stand_in_reader()
        )
    )
    assert notices(events) == ["'0.png' and '1.png' may show different people."]


def test_disagreement_is_measured_from_the_others():
    apart = disagreements(np.array([[1, 0], [1, 0], [0, 1]], np.float32))
    assert apart == pytest.approx([0, 0, np.sqrt(2)])
    assert disagreements(np.array([[1, 0]], np.float32)).tolist() == [0]
    assert disagreements(np.eye(2, dtype=np.float32)) == pytest.approx([np.sqrt(2)] * 2)


def test_a_crowd_of_strangers_hides_nobody():
    crowd = np.eye(9, dtype=np.float32)
    assert disagreements(crowd) == pytest.approx([np.sqrt(2)] * 9)
    two = np.repeat(np.eye(2, dtype=np.float32), [3, 2], axis=0)
    assert disagreements(two) == pytest.approx([0, 0, 0, np.sqrt(2), np.sqrt(2)])


def test_a_blurred_photo_is_hinted_at(write, astronaut, encoder):
    soft = np.asarray(Image.fromarray(astronaut).filter(ImageFilter.GaussianBlur(2)))
    events, _ = run(read_subject([write("sharp.png", astronaut), write("soft.png", soft)], encoder=encoder))
    assert [text for text in notices(events) if "blurred" in text] == [
        "'soft.png' looks blurred; a sharper photo would help."
    ]


def test_a_small_face_is_hinted_at(grey, stand_in, stand_in_reader, make_face):
    events, _ = run(
        read_subject(grey(2), encoder=stand_in([make_face(side=99)], [make_face(side=100)]), reader=stand_in_reader())
    )
    assert notices(events) == ["The face in '0.png' is only 99 pixels wide; a closer photo would help."]


def test_none_or_too_many_photos_are_refused_before_any_work(grey):
    with pytest.raises(UserError, match="no photo"):
        next(read_subject([]))
    with pytest.raises(UserError, match="21 photos; at most 20"):
        next(read_subject(["x.jpg"] * 21))


def test_the_licence_of_the_encoder_is_told(grey, stand_in, stand_in_reader, make_face):
    encoder = stand_in([make_face()])
    encoder.notice = "For research only."
    events, _ = run(read_subject(grey(1), encoder=encoder, reader=stand_in_reader()))
    assert notices(events) == ["For research only."]


@pytest.mark.parametrize("turn_deg", [0, 30, -70])
@pytest.mark.parametrize("scale", [1, 5])
def test_a_crop_puts_the_eyes_level_at_one_place(turn_deg, scale):
    size = 120 * scale
    photo = np.zeros((size, size, 3), np.uint8)
    half = np.array([np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))]) * size * 0.15
    eyes = np.stack([size / 2 - half, size / 2 + half])
    y, x = np.mgrid[:size, :size]
    for channel, eye in enumerate(eyes):
        photo[np.hypot(x - eye[0], y - eye[1]) < size * 0.04, channel] = 255
    crop = aligned_crop(photo, eyes).astype(float)
    for channel, across in ((0, 0.365), (1, 0.635)):
        weight = np.where(crop.min(-1) > 128, 0, crop[..., channel])  # not the white past the edge
        rows, columns = np.mgrid[:150, :150]
        assert (weight * columns).sum() / weight.sum() == pytest.approx(across * 150, abs=1.5)
        assert (weight * rows).sum() / weight.sum() == pytest.approx(0.42 * 150, abs=1.5)


def test_photos_must_agree_on_a_trait():
    first = {"skin": {"fair": 0.9, "tan": 0.1}, "beard": {"clean": 0.8, "beard": 0.2}}
    second = {"skin": {"fair": 0.2, "tan": 0.8}, "beard": {"clean": 0.1, "beard": 0.9}}
    assert agreed([first]) == {"skin": "fair", "beard": "clean"}
    assert agreed([first, second]) == {"skin": "fair", "beard": "beard"}
    assert agreed([{"gender": {"female": 1.0}}]) == {}
    assert agreed([{"skin": {"fair": 0.4, "tan": 0.35, "dark": 0.25}}]) == {} == agreed([{}]) == agreed([])
