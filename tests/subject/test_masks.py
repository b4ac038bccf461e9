"""Masks on a real photo, on flat drawings whose regions are known, and what they say of a face.

With IDTO3D_ICT (a packed .npz or a checkout) also on portraits of synthetic people, whose every pixel is known.
"""

import os

import drawn_head
import numpy as np
import pytest
from PIL import Image
from skimage.draw import polygon

from idto3d.config import EMBEDDED
from idto3d.subject.finding import find_person
from idto3d.subject.identity.dlib_encoder import DlibEncoder
from idto3d.subject.landmarks import LandmarkReader
from idto3d.subject.masks import REGIONS, SIZE, Masks, find_masks
from idto3d.subject.matte import load_matte
from idto3d.subject.parsing import covers, looks
from idto3d.subject.parsing.frame import BROWS, CHIN, EYES, MOUTH, TOP
from idto3d.subject.photo import photo_of
from idto3d.subject.subject import masked

# Pixels of the astronaut's photo, told by eye.
KNOWN = {
    "hair": [(225, 55), (190, 60), (262, 60), (170, 100), (280, 95)],
    "skin": [(205, 135), (245, 140), (222, 118), (222, 172)],
    "clothing": [(220, 205), (215, 215), (150, 225)],
    "background": [(110, 60), (330, 80), (350, 150), (110, 150)],
}


@pytest.fixture(scope="session")
def matte():
    return load_matte(EMBEDDED / "matte.safetensors")


@pytest.fixture(scope="session")
def read_points():
    """read_points(pixels) is [478, 3]: the landmarks of the only face in a photo, None where none is found."""
    encoder, reader = DlibEncoder(), LandmarkReader(EMBEDDED / "landmarks.safetensors")

    def read(pixels):
        faces = encoder.embed(pixels)
        return reader.read(pixels, faces[0]).points if faces else None

    return read


@pytest.fixture(scope="session")
def points(read_points, astronaut):
    return read_points(astronaut)


@pytest.fixture(scope="session")
def masks(astronaut, points, matte):
    return find_masks(astronaut, points, matte)


@pytest.fixture(scope="session")
def drawn_points(points):
    """The astronaut's face, larger, in the middle of a picture of 512 pixels."""
    flat = points[:, :2]
    return (flat - flat.mean(0)) * 160 / np.linalg.norm(flat[TOP] - flat[CHIN]) + [256, 270]


def grey(pixels):
    return np.repeat((pixels @ [0.299, 0.587, 0.114])[..., None].astype(np.uint8), 3, 2)


def overlaps(masks, regions, above=np.inf):
    """Intersection over union of the likeliest region, mouth and glasses counted as skin, with the drawn `regions`;
    rows of the picture below `above` do not count."""
    cells = np.floor(masks.places).astype(int)
    seen = ((cells >= 0) & (cells < regions.shape[0])).all(-1) & (masks.places[..., 1] < above)
    known = regions[tuple(np.clip(cells, 0, regions.shape[0] - 1)[..., ::-1].transpose(2, 0, 1))]
    as_drawn = dict(zip(REGIONS, (0, 1, 2, 3, 1, 1, 4), strict=True))
    told = np.array([as_drawn[name] for name in REGIONS])[masks.shares.argmax(0)]
    pairs = {n: (told[seen] == k, known[seen] == k) for k, n in enumerate(("background", "skin", "hair", "beard"))}
    return {name: (a & b).sum() / max((a | b).sum(), 1) for name, (a, b) in pairs.items()}


def test_shares_are_whole(masks):
    assert masks.shares.shape == (len(REGIONS), SIZE, SIZE) and masks.shares.dtype == np.float32
    assert masks.shares.min() >= 0
    np.testing.assert_allclose(masks.shares.sum(0), 1, atol=1e-5)


@pytest.mark.parametrize("region", KNOWN)
def test_known_pixels_of_a_photo(masks, region):
    shares = masks.at(np.array(KNOWN[region], float) + 0.5)
    assert (shares[:, REGIONS.index(region)] > 0.8).all(), shares.round(2)


@pytest.mark.parametrize("region", KNOWN)
def test_a_black_and_white_photo_is_told_apart_as_well(astronaut, points, matte, region):
    shares = find_masks(grey(astronaut), points, matte).at(np.array(KNOWN[region], float) + 0.5)
    assert np.median(shares[:, REGIONS.index(region)]) > 0.8, shares.round(2)


def test_the_open_mouth_is_the_mouth(masks, points):
    shares = masks.at(points[[13, 14], :2].mean(0)[None])
    assert shares[0, REGIONS.index("mouth")] > 0.8
    assert masks.region("mouth").sum() < 0.05 * masks.region("skin").sum()


def test_shares_between_pixels_and_past_the_box(masks):
    np.testing.assert_allclose(masks.at(masks.places[40, 90:93]), masks.shares[:, 40, 90:93].T, atol=1e-5)
    left, top, side = masks.box
    beyond = masks.at(np.array([[left - 1, top + 9], [left + 9, top + side + 1]]))
    np.testing.assert_array_equal(beyond, np.eye(7)[[0, 0]])


def test_the_same_photo_gives_the_same_masks(astronaut, points, matte, masks):
    np.testing.assert_array_equal(find_masks(astronaut, points, matte).shares, masks.shares)


@pytest.mark.parametrize(
    "look", [{}, {"hair": (0.85, 0.75, 0.5)}, {"hair": (0.5, 0.35, 0.18), "long": True}, {"hair": (0.08, 0.07, 0.07)}]
)
def test_drawn_hair_and_skin_overlap_what_was_drawn(drawn_points, matte, look):
    drawn = drawn_head.draw_head(drawn_points, **look)
    masks = find_masks(drawn.pixels, drawn.points, matte)
    found = overlaps(masks, drawn.regions)
    assert found["skin"] > 0.95 and found["hair"] > 0.93 and found["background"] > 0.75, found
    assert looks.hair_shows(masks, drawn.points)


def test_a_bald_head_has_no_hair(drawn_points, matte):
    drawn = drawn_head.draw_head(drawn_points, hair=None)
    masks = find_masks(drawn.pixels, drawn.points, matte)
    assert masks.region("hair").sum() < 0.03 * masks.region("skin").sum()
    assert not looks.hair_shows(masks, drawn.points)
    assert overlaps(masks, drawn.regions)["skin"] > 0.95


@pytest.mark.parametrize("black_and_white", [False, True])
def test_a_drawn_beard_is_found_and_a_shaven_chin_is_not(drawn_points, matte, black_and_white):
    bearded, shaven = (drawn_head.draw_head(drawn_points, beard=beard) for beard in (True, False))
    tone = grey if black_and_white else np.asarray
    found = find_masks(tone(bearded.pixels), drawn_points, matte)
    assert overlaps(found, bearded.regions)["beard"] > (0.5 if black_and_white else 0.85)
    assert find_masks(tone(shaven.pixels), drawn_points, matte).region("beard").max() < 0.1


def test_glasses_are_found_only_where_they_are_worn(astronaut, points, masks, matte):
    worn, centres = astronaut.copy(), []
    for eye in EYES:
        place = points[list(eye), :2]
        centre, reach = place.mean(0), 0.75 * np.ptp(place[:, 0])
        apart = np.linalg.norm((np.indices(worn.shape[:2])[::-1].transpose(1, 2, 0) + 0.5 - centre) / [1, 0.8], axis=-1)
        worn[abs(apart - reach) < 1.2] = 30
        centres.append(centre + [0, 0.8 * reach])
    bridge = points[168, :2]
    worn[int(bridge[1]) - 1 : int(bridge[1]) + 1, int(bridge[0]) - 8 : int(bridge[0]) + 8] = 30
    shares = find_masks(worn, points, matte).at(np.array([bridge, *centres]))
    assert (shares[:, REGIONS.index("glasses")] > 0.4).all()
    assert masks.region("glasses").max() == 0


def test_nothing_is_told_past_the_photo(astronaut, points, matte):
    left, top = 160, 60
    cut = find_masks(np.ascontiguousarray(astronaut[top:190, left:290]), points - [left, top, 0], matte)
    past = ~((cut.places >= 0) & (cut.places <= [130, 130])).all(-1)
    assert (cut.region("background")[past] == 1).all() and past.mean() > 0.5
    assert cut.at(np.array([[45.0, 75.0]]))[0, REGIONS.index("skin")] > 0.8


def test_another_persons_head_is_background(astronaut, points, matte, masks):
    beside = np.array([140.0, 100.0])
    alone = Masks(masks.box, masks.shares)
    box = tuple(np.concatenate([beside - 40, beside + 40]))
    shared = find_masks(astronaut, points, matte, [box])
    place = np.array([[162.0, 95.0]])
    assert alone.at(place)[0, 2] > 0.8 and shared.at(place)[0, 0] > 0.8
    assert shared.at(np.array([[225.0, 55.0]]))[0, 2] > 0.8


def test_in_a_photo_of_two_people_the_other_one_is_background(astronaut, matte):
    pair = astronaut.copy()
    pair[80:480, 300:] = np.asarray(Image.fromarray(astronaut[:, ::-1]).resize((400, 400)))[:, 160:372]
    found = find_person(pair, DlibEncoder(), LandmarkReader(EMBEDDED / "landmarks.safetensors"))
    photo = masked(photo_of("pair", found), matte)
    assert len(photo.others) == 1
    cheeks = photo.masks.at(np.array([[330.0, 205.0], [375.0, 205.0], [205.0, 155.0]]))
    assert (cheeks[:2, REGIONS.index("background")] > 0.8).all() and cheeks[2, REGIONS.index("skin")] > 0.8


def test_colours_are_those_of_the_drawing(drawn_points, matte):
    drawn = drawn_head.draw_head(drawn_points, hair=(0.5, 0.35, 0.18), beard=True)
    masks = find_masks(drawn.pixels, drawn_points, matte)
    wanted = {"hair": (0.5, 0.35, 0.18), "beard": drawn_head.COLOURS[drawn_head.BEARD]}
    found = {name: looks.region_colour(drawn.pixels, masks, name) for name in wanted}
    found["skin"], wanted["skin"] = looks.skin_colour(drawn.pixels, masks, drawn_points), (0.82, 0.62, 0.52)
    found["lips"], wanted["lips"] = looks.lip_colour(drawn.pixels, masks, drawn_points), drawn_head.LIP
    found["brows"], wanted["brows"] = looks.brow_colour(drawn.pixels, masks, drawn_points), drawn_head.BROW
    found["irises"], wanted["irises"] = looks.iris_colour(drawn.pixels, drawn_points), drawn_head.EYE
    for name, colour in wanted.items():
        np.testing.assert_allclose(found[name] ** (1 / 2.2), colour, atol=0.07, err_msg=name)


def test_no_colour_is_told_of_what_is_not_there(astronaut, masks):
    assert looks.region_colour(astronaut, masks, "beard") is None


def test_how_much_of_a_face_is_skin(masks, points):
    shares = looks.face_shares(masks, points)
    assert shares["skin"] > 0.8 and 0.01 < shares["hair"] < 0.2 and abs(sum(shares.values()) - 1) < 1e-4


@pytest.mark.parametrize("colour", [(120, 170, 220), (25, 25, 28)])
def test_a_covered_face_is_told(astronaut, points, colour):
    covered = astronaut.copy()
    edge = [
        234,
        93,
        132,
        58,
        172,
        136,
        150,
        149,
        176,
        148,
        152,
        377,
        400,
        378,
        379,
        365,
        397,
        288,
        361,
        323,
        454,
        347,
        197,
        118,
    ]
    covered[polygon(points[edge, 1], points[edge, 0])] = colour
    assert covers.cover_contrast(covered, points) > 1 > covers.cover_contrast(astronaut, points)


@pytest.fixture(scope="session")
def shaded(astronaut, points):
    """The astronaut with dark lenses over eyes and brows, and where they are, [512, 512] bool."""
    lenses = np.zeros(astronaut.shape[:2], bool)
    for eye, brow in zip(EYES, BROWS, strict=True):
        low, high = (
            (points[list(eye + brow), :2].min(0) - 4).astype(int),
            (points[list(eye + brow), :2].max(0) + 6).astype(int),
        )
        lenses[low[1] : high[1], low[0] : high[0]] = True
    return np.where(lenses[..., None], np.uint8(15), astronaut), lenses


def test_sunglasses_are_told(astronaut, points, shaded):
    assert covers.eyes_covered(shaded[0], points) and not covers.eyes_covered(astronaut, points)


def test_sunglasses_are_no_skin(points, matte, masks, shaded):
    rows, columns = np.nonzero(shaded[1])
    found = find_masks(shaded[0], points, matte)
    shares = dict(zip(REGIONS, found.at(np.stack([columns, rows], 1) + 0.5).mean(0), strict=True))
    assert shares["glasses"] > 0.9 and shares["skin"] < 0.1
    below = points[[205, 425, 199, 4], :2]
    assert found.at(below)[:, REGIONS.index("glasses")].max() < 0.05
    assert masks.region("glasses").max() == 0


@pytest.mark.skipif("IDTO3D_ICT" not in os.environ, reason="the model of synthetic people is not in the repository")
def test_portraits_of_synthetic_people_overlap_what_was_drawn(read_points, matte):
    from labelled_portrait import labelled_portraits

    scores = {"background": [], "skin": [], "hair": []}
    for pixels, regions in labelled_portraits(os.environ["IDTO3D_ICT"], 70000, 12):
        if (points := read_points(pixels)) is None:
            continue
        found = overlaps(find_masks(pixels, points, matte), regions, points[CHIN, 1])
        for name in scores:
            if name != "hair" or (regions == drawn_head.HAIR).sum() > 50:
                scores[name].append(found[name])
    means = {name: np.mean(values) for name, values in scores.items()}
    assert means["background"] > 0.9 and means["skin"] > 0.9 and means["hair"] > 0.88, means


def test_the_mouths_outline_is_closed():
    assert len(set(MOUTH)) == len(MOUTH)
