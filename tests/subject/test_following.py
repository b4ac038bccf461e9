"""A face is searched once, then followed; one that is lost is found again."""

from types import SimpleNamespace

import numpy as np
import pytest

from idto3d.subject.clip.following import SELDOM_S, Follower
from idto3d.subject.landmarks import Landmarks

FPS = 28.0
PIXELS = np.zeros((8, 8, 3), np.uint8)
SOMEBODY = Landmarks(np.zeros((478, 3), np.float32), 1.0, np.zeros(51, np.float32))


class Reader:
    """Sees a face as clearly as it is told, picture by picture."""

    def __init__(self, *presences):
        self.presences = list(presences)

    def follow(self, pixels, before):
        return Landmarks(SOMEBODY.points, self.presences.pop(0), SOMEBODY.expression)

    read = follow


class Encoder:
    """Counts how often it searches."""

    searches = 0

    def __init__(self, *answers):
        self.answers = list(answers)

    def embed(self, pixels, once=False):
        self.searches += 1
        return self.answers.pop(0) if self.answers else []


@pytest.fixture
def found(monkeypatch):
    """`confirmed` takes whatever an encoder names for a face."""

    def sees(pixels, faces, reader):
        return SimpleNamespace(landmarks=SOMEBODY, face=faces[0], others=tuple(faces[1:])) if faces else None

    monkeypatch.setattr("idto3d.subject.clip.following.confirmed", sees)


def test_a_face_that_is_seen_is_not_searched_again(found):
    encoder = Encoder(["face"])
    follower = Follower(Reader(*[0.6] * 9), lambda: encoder, FPS)
    assert all(follower.read(PIXELS) for _ in range(10)) and encoder.searches == 1


def test_a_lost_face_is_searched_at_once_and_later_more_seldom(found):
    encoder = Encoder(["face"])
    follower = Follower(Reader(*[0.1] * 60), lambda: encoder, FPS)
    follower.read(PIXELS)
    searched = []
    for _ in range(60):
        before = encoder.searches
        assert follower.read(PIXELS) is None
        searched.append(encoder.searches > before)
    at = np.flatnonzero(searched)
    assert at[0] == 0 and at[1] <= 2 and np.diff(at).max() == int(SELDOM_S * FPS) + 1


def test_of_a_clip_of_few_pictures_a_second_each_is_searched(found):
    encoder = Encoder([], [], [], ["face"])
    follower = Follower(Reader(), lambda: encoder, 2.0)
    assert [follower.read(PIXELS) is not None for _ in range(4)] == [False, False, False, True]


def test_a_face_that_comes_back_where_it_was_is_seen_without_a_search(found):
    encoder = Encoder(["face"])
    follower = Follower(Reader(0.9, 0.1, 0.6, 0.95, 0.6), lambda: encoder, FPS)
    seen = [follower.read(PIXELS) is not None for _ in range(6)]
    assert seen == [True, True, False, False, True, True], "a face that was lost must be sure to count again"


def test_who_is_never_seen_needs_an_encoder_once(found):
    made = []
    follower = Follower(Reader(), lambda: made.append(1) or Encoder(), FPS)
    assert not any(follower.read(PIXELS) for _ in range(20)) and made == [1]


def test_the_most_faces_beside_the_largest_are_told(found):
    encoder = Encoder(["face", "other"], ["face", "other", "third"], ["face"])
    follower = Follower(Reader(*[0.1] * 9), lambda: encoder, FPS)
    assert [follower.read(PIXELS) is not None for _ in range(3)] == [True] * 3 and follower.others == 2
