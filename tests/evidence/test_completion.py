"""The whole from what is seen: the smooth fill and its slow twin, mirror images, grain."""

import numpy as np
import pytest
from evidence.ball import COLUMNS, ROWS, make_ball
from scipy.ndimage import gaussian_filter

from idto3d.evidence.completion import (
    HOLD,
    PULL,
    SMOOTH,
    USUAL_GRAIN,
    Symmetry,
    filled,
    grain,
    mirrored_places,
    patches,
    plain_grain,
    read_texture,
    single_uvs,
    symmetry_of,
    vertex_means,
)
from idto3d.head.paint.atlas import texels_of
from idto3d.head.paint.clouds import Ground

OCTAHEDRON = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
CORNERS = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
BALL = make_ball()


@pytest.fixture(scope="module")
def square():
    """Texels of a square that fills its texture of 512 pixels."""
    corners = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    faces = np.array([[0, 2, 1], [1, 2, 3]])
    return texels_of(faces, corners[faces], 512)


@pytest.fixture(scope="module")
def ground(square):
    """The same as a piece of skin whose texels are a third of a millimetre wide."""
    places = np.concatenate([square.uvs * 512 * 0.35, np.zeros((len(square.uvs), 1))], 1)
    return Ground(square, places.astype(np.float64), np.full(len(places), 0.35))


def slow_fill(values, say, usual, faces, mirror):
    """The same minimum, term by term, as a dense least-squares problem."""
    rows, wanted, one = [], [], np.eye(len(values))
    edges = {tuple(sorted(pair)) for a, b, c in faces.tolist() for pair in ((a, b), (b, c), (c, a))}
    pairs = {tuple(sorted((v, int(p)))) for v, p in enumerate(mirror.partner) if mirror.share[v] and v != p}
    for a, b in edges:
        rows.append(SMOOTH**0.5 * (one[a] - one[b]))
    for a, b in pairs:
        rows.append(PULL**0.5 * (one[a] - one[b]))
    wanted += [np.zeros(values.shape[1])] * len(rows)
    for v in range(len(values)):
        rows += [say[v] ** 0.5 * one[v], HOLD**0.5 * one[v]]
        wanted += [say[v] ** 0.5 * values[v], HOLD**0.5 * usual[v]]
    return np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]


def test_the_fill_is_the_minimum_that_it_says():
    random = np.random.default_rng(0)
    values, usual, say = random.random((6, 2)), random.random((6, 2)), np.array([1.0, 0, 0.3, 0, 0, 0.8])
    mirror = symmetry_of(CORNERS)
    assert np.allclose(
        filled(values, say, usual, OCTAHEDRON, mirror), slow_fill(values, say, usual, OCTAHEDRON, mirror)
    )


def test_what_is_not_seen_takes_after_its_mirror_image():
    place = np.array([[0.5, 0, 0], [0.6, 0, 0], [0.5, 0.1, 0]])
    places, faces = np.concatenate([place, place * [-1, 1, 1]]), np.array([[0, 1, 2], [3, 5, 4]])
    values, say, usual = np.full((6, 1), 5.0), np.array([1e3] * 3 + [0] * 3), np.ones((6, 1))
    other = filled(values, say, usual, faces, symmetry_of(places))[3:]
    assert np.allclose(other, (PULL * 5 + HOLD * 1) / (PULL + HOLD), atol=0.01)
    alone = filled(values, say, usual, faces, Symmetry(np.arange(6), np.zeros(6)))[3:]
    assert np.allclose(alone, 1)


def test_the_mirror_image_of_each_vertex_of_a_symmetric_mesh_is_found():
    mirror = symmetry_of(BALL.vertices)
    assert np.allclose(BALL.vertices[mirror.partner], BALL.vertices * [-1, 1, 1]) and mirror.share.min() > 0.999
    assert np.array_equal(mirror.partner[mirror.partner], np.arange(len(BALL.vertices)))


def test_a_vertex_without_a_mirror_image_has_no_share():
    lone = np.concatenate([BALL.vertices, [[0.3, 0, 0]], [BALL.vertices[100] + [0, 0.0, 0]]])
    lone[50] += [0.0, 0.002, 0]
    share = symmetry_of(lone).share
    assert share[len(BALL.vertices)] == 0 and 0.3 < share[50] < 0.7


def test_means_over_texels_are_those_of_the_vertices_around():
    texels = BALL.skin_map(128).texels
    share = (texels.uvs[:, 0] > 0.5).astype(float)
    means, say = vertex_means(texels, texels.read(BALL.vertices), share, len(BALL.vertices))
    u = np.tile(np.arange(COLUMNS) / COLUMNS, ROWS)
    right, left = (u > 0.55) & (u < 0.95), (u > 0.05) & (u < 0.45)
    assert np.abs(means[right] - BALL.vertices[right]).max() < 0.004
    assert say[right].min() > 0.999 and say[left].max() == 0 and not means[left].any()


def test_vertices_on_a_seam_have_no_coordinates_of_their_own():
    uvs = single_uvs(BALL.faces, BALL.uvs, len(BALL.vertices)).reshape(ROWS, COLUMNS, 2)
    assert np.isnan(uvs[:, 0]).all() and np.isfinite(uvs[:, 1:]).all()
    assert np.allclose(uvs[9, 1:, 0], np.arange(1, COLUMNS) / COLUMNS) and np.ptp(uvs[9, 1:, 1]) < 1e-12


def test_mirrored_places_lie_on_the_other_half_of_the_texture():
    skin = BALL.skin_map(96)
    places, told = mirrored_places(
        skin.texels, single_uvs(skin.faces, skin.uvs, skin.vertices), symmetry_of(BALL.vertices)
    )
    u = skin.texels.uvs[:, 0]
    inside, seam = (u > 0.05) & (u < 0.95), (u < 0.01) | (u > 0.99)
    assert told[seam].max() == 0 and told[inside].mean() > 0.99
    wanted = skin.texels.uvs * [-1, 1] + [1, 0]
    assert np.abs(places - wanted)[told > 0].max() < 1e-3


def test_a_texture_is_read_between_its_texels():
    texture = np.arange(8.0).reshape(2, 2, 2)
    read = read_texture(texture, np.array([[0.25, 0.25], [0.75, 0.25], [0.5, 0.25], [0.5, 0.5], [1.0, 1.0]]))
    assert read.tolist() == [[0, 1], [2, 3], [1, 2], [3, 4], [6, 7]]


def white(square, strength):
    return strength * np.random.default_rng(5).standard_normal((len(square.uvs), 3))


def test_grain_is_as_strong_as_the_detail_and_linear_in_it(square, ground):
    detail, seen = white(square, 0.05), np.ones(len(square.uvs))
    made = grain(detail, seen, ground, 1)
    assert made.shape == (len(square.uvs), 1)
    tone = square.spread(detail.mean(1)[:, None])[..., 0]
    assert made.std() == pytest.approx((tone - gaussian_filter(tone, 2.0)).std(), rel=0.02)
    assert np.allclose(grain(3 * detail, seen, ground, 1), 3 * made)
    assert not grain(detail, 0 * seen, ground, 1).any()


def test_grain_is_as_coarse_as_the_detail(square, ground):
    rough = square.spread(white(square, 0.05))
    soft = gaussian_filter(rough, (1.5, 1.5, 0))
    likeness = []
    for detail in (rough, soft):
        made = square.spread(grain(detail[square.covered], np.ones(len(square.uvs)), ground, 1))[..., 0]
        likeness.append(np.corrcoef(made[:, 2:].ravel(), made[:, :-2].ravel())[0, 1])
    assert likeness[1] > likeness[0] + 0.1


def test_grain_is_that_of_the_seen_part_alone(square, ground):
    detail = white(square, 0.05)
    seen = (square.uvs[:, 0] < 0.5).astype(float)
    detail[seen == 0] = 9.0
    half = grain(detail, seen, ground, 1).std()
    assert half == pytest.approx(grain(white(square, 0.05), np.ones(len(seen)), ground, 1).std(), rel=0.1)


def test_blood_shows_in_patches_and_not_in_pores(square, ground):
    made = patches(ground, 3)
    assert made.tobytes() == patches(ground, 3).tobytes() and made.tobytes() != patches(ground, 4).tobytes()
    assert 0.04 < made[:, 1].std() < 0.055 and made[:, 0].std() < 0.45 * made[:, 1].std()
    picture = square.spread(made)[..., 1]
    beside, afar = (np.abs(picture[:, step:] - picture[:, :-step]).mean() for step in (1, 40))
    assert beside < 0.5 * afar


def test_plain_grain_has_its_strength_and_the_same_seed_the_same_bytes(ground):
    first, again, other = (plain_grain(ground, seed) for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes() and np.abs(np.corrcoef(first[:, 0], other[:, 0])[0, 1]) < 0.1
    assert np.linalg.norm(USUAL_GRAIN) * 0.9 < first.std() < sum(USUAL_GRAIN)
    assert abs(first.mean()) < 0.001
