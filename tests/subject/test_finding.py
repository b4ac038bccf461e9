"""Who is found in a photo: confirmed faces alone, turned photos, small faces, and what is kept of a large photo."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from idto3d.config import EMBEDDED, LANDMARKS_FILE
from idto3d.subject.encoders import make_encoder
from idto3d.subject.finding import SEARCHED, TILE, Found, confirmed, enlarged, find_person, find_small
from idto3d.subject.landmarks import LandmarkReader
from idto3d.subject.photo import AROUND, KEPT_SIDE, photo_of


class SeesMarks:
    """Takes each red spot for a face of `side` pixels around it, in pictures no larger than `reach`."""

    def __init__(self, make_face, side, reach=1024):
        self.make_face, self.side, self.reach, self.asked = make_face, side, reach, 0

    def embed(self, pixels, once=False):
        self.asked += 1
        if max(pixels.shape) > self.reach:
            return []
        marked, count = ndimage.label((pixels[..., 0] > 220) & (pixels[..., 1] < 60))
        spot = self.make_face(side=self.side)  # its nose lies at (60, 60)
        places = ndimage.center_of_mass(marked, marked, range(1, count + 1))
        return [spot.moved(x - 60, y - 60) for y, x in places]


@pytest.fixture(scope="module")
def encoder():
    return make_encoder("dlib")


@pytest.fixture(scope="module")
def reader():
    return LandmarkReader(EMBEDDED / LANDMARKS_FILE)


def test_a_badge_is_not_taken_for_the_person_whose_face_is_covered(encoder, reader, astronaut):
    covered = astronaut.copy()
    covered[40:220, 160:290] = 128
    assert encoder.embed(covered)  # dlib takes the badge on the suit for a face when it finds no better
    assert find_person(covered, encoder, reader) is None


def test_of_several_faces_the_largest_confirmed_one_counts(make_face, stand_in_reader, astronaut):
    faces = [make_face(side=side).moved(side * 5, 0) for side in (60, 90, 75)]
    found = confirmed(astronaut, faces, stand_in_reader(0.89, 0.95, 0.95))
    assert found.face.side == 75 and found.others == (faces[0].box,)
    assert confirmed(astronaut, faces, stand_in_reader(0.89, 0.95, 0.5)).others == (), "a badge is nobody"
    twice = [faces[1], make_face(side=80).moved(450, 9)]
    assert confirmed(astronaut, twice, stand_in_reader()).others == (), "it is one face"
    assert confirmed(astronaut, faces, stand_in_reader(0.1, 0.2, 0.3)) is None
    assert confirmed(astronaut, [], stand_in_reader()) is None


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photo_is_turned_back(encoder, reader, astronaut, turns):
    found = find_person(np.rot90(astronaut, -turns), encoder, reader)
    assert found.turns == turns and np.array_equal(found.pixels, astronaut)


def test_a_photo_with_a_certain_face_is_not_turned(make_face, stand_in, stand_in_reader, astronaut):
    encoder = stand_in([make_face()])
    assert find_person(astronaut, encoder, stand_in_reader()).turns == 0 and not encoder.answers


def test_where_the_upright_face_is_uncertain_a_surer_one_is_looked_for(make_face, stand_in, stand_in_reader, astronaut):
    encoder = stand_in([make_face()], [make_face()], [make_face()], [make_face()])
    assert find_person(astronaut, encoder, stand_in_reader(0.92, 0.95, 0.94, 0.93)).turns == 1


def test_parts_cover_the_photo_and_each_face_is_found_once(make_face, stand_in_reader):
    wide = np.random.default_rng(0).integers(100, 200, (700, 5000, 3)).astype(np.uint8)
    for x in (30, 700, 2400, 4970):  # 700 lies in two parts
        wide[397:404, x - 3 : x + 4] = 255, 0, 0
    encoder = SeesMarks(make_face, 60)
    found = find_small(wide, encoder, stand_in_reader())
    x, y = found.face.landmarks[2]
    assert len(found.others) == 3 and encoder.asked == 8
    assert min(abs(x - mark) for mark in (30, 700, 2400, 4970)) < 2 and y == pytest.approx(400, abs=2)


def test_a_large_photo_is_searched_at_bounded_size(make_face, stand_in_reader):
    large = np.random.default_rng(0).integers(100, 200, (3000, 4000, 3)).astype(np.uint8)
    large[1490:1510, 2490:2510] = 255, 0, 0
    encoder = SeesMarks(make_face, 90)
    found = find_small(large, encoder, stand_in_reader())
    scale = (SEARCHED / 12e6) ** 0.5
    assert encoder.asked <= 1.6 * SEARCHED / TILE**2 + 6
    assert found.face.side == pytest.approx(90 / scale) and found.pixels.shape == large.shape
    assert found.face.landmarks[2] == pytest.approx([2500, 1500], abs=2)


def test_flat_parts_are_not_searched(make_face, stand_in_reader):
    encoder = SeesMarks(make_face, 60)
    assert find_small(np.full((900, 4000, 3), 90, np.uint8), encoder, stand_in_reader()) is None
    assert encoder.asked == 0


def test_a_real_face_too_small_for_the_whole_is_found_in_its_part(encoder, reader, astronaut):
    wide = np.full((400, 3000, 3), 150, np.uint8)
    wide[:, ::7] = 130
    wide[50:350, 2000:2300] = np.asarray(Image.fromarray(astronaut).resize((300, 300)))  # the face is 51 pixels wide
    assert not encoder.embed(wide)
    found = find_small(wide, encoder, reader)
    assert found.face.landmarks[2] == pytest.approx([2000 + 224 * 300 / 512, 50 + 135 * 300 / 512], abs=6)
    assert found.landmarks.presence > 0.95


def found_in(pixels, face, reader, turns=0):
    return Found(pixels, face, reader.read(pixels, face), turns)


def test_what_was_found_small_is_looked_at_in_the_whole_photo(encoder, reader, astronaut):
    turned = np.rot90(astronaut, -1)
    small = find_person(np.asarray(Image.fromarray(turned).resize((340, 340))), encoder, reader)
    large = enlarged(small, turned, reader)
    (face,) = encoder.embed(astronaut)
    assert np.array_equal(large.pixels, astronaut)
    assert np.abs(large.face.landmarks - face.landmarks).max() < 3
    assert np.abs(large.landmarks.points - reader.read(astronaut, face).points).max() < 1.5


def test_of_a_large_photo_the_part_around_the_head_is_kept(make_face, stand_in_reader):
    pixels = np.random.default_rng(0).integers(0, 255, (1500, 4000, 3)).astype(np.uint8)
    face = make_face(side=100).moved(3000, 600)
    found = replace(found_in(pixels, face, stand_in_reader()), others=((3100.0, 700.0, 3180.0, 780.0),))
    photo = photo_of("large", found)
    left, top, width, height = photo.frame
    assert photo.pixels.shape == (100 * AROUND, 100 * AROUND, 3) and (width, height) == (4000, 1500)
    x, y = (photo.face.landmarks[2] - [left, top]).astype(int)
    assert (x, y) == (3060, 660)
    assert photo.others == ((3100 + left, 700 + top, 3180 + left, 780 + top),)
    assert np.array_equal(photo.pixels[:50, :50], pixels[int(-top) :][:50, int(-left) :][:, :50])
    centre = photo.landmarks.points[:, :2].mean(0)
    assert np.abs(centre - 100 * AROUND / 2).max() < 10 and photo.masks is None


def test_a_large_face_is_kept_at_the_pixels_it_needs(make_face, stand_in_reader):
    pixels = np.random.default_rng(0).integers(0, 255, (3600, 3600, 3)).astype(np.uint8)
    found = found_in(pixels, make_face(side=2000).moved(700, 700), stand_in_reader())
    photo = photo_of("close", replace(found, others=((0.0, 0.0, 360.0, 360.0),)))
    assert photo.pixels.shape == (KEPT_SIDE, KEPT_SIDE, 3)
    assert photo.face.side == pytest.approx(2000 * KEPT_SIDE / 3600) and photo.frame[2] == KEPT_SIDE
    assert photo.others[0] == pytest.approx((0, 0, KEPT_SIDE / 10, KEPT_SIDE / 10))


def test_a_usual_photo_is_kept_whole(make_face, stand_in_reader, astronaut):
    photo = photo_of("usual", found_in(astronaut, make_face(), stand_in_reader()))
    assert photo.pixels is astronaut and photo.frame == (0, 0, 512, 512)
