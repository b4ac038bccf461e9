"""Beards as cards on the template: where they grow, what they leave free, and how the skin carries them."""

import numpy as np
import pytest
import torch

from idto3d.head.features.face_masks import skin_masks
from idto3d.head.hair.beard.follow import STAYS
from idto3d.head.hair.beard.growth import directions, lengths, thinned
from idto3d.head.hair.beard.part import ROWS, grow_beard, toned
from idto3d.head.hair.scalp import Skin
from idto3d.head.paint.usual_skin import beard_of_words, beard_place
from idto3d.head.template import MOUTH_SOCKET

DEPTH, SIZE, CARD = 0.0068, 64, 6  # vertices of a card


@pytest.fixture(scope="module")
def skin(ict):
    points = ict.neutral[: MOUTH_SOCKET.start].double().numpy()
    faces = ict.part("skin").faces
    return Skin(points, points, faces[(faces < MOUTH_SOCKET.start).all(1)].numpy())


@pytest.fixture(scope="module")
def moves(ict):
    """[3, V, 3]: at rest, the jaw open, one brow up."""
    weights = torch.stack([ict.weights(recipe) for recipe in ({}, {"jawOpen": 1.0}, {"browOuterUp_L": 1.0})])
    return ict.displacement(weights)[:, : MOUTH_SOCKET.start].double().numpy()


def beard(skin, moves, word, seed=1, rgb=(0.1, 0.05, 0.02)):
    thick = beard_of_words(skin.mean, word)
    return grow_beard(skin, thick, DEPTH, np.tile(rgb, (len(thick), 1)), seed, moves, SIZE)


@pytest.fixture(scope="module")
def full(skin, moves):
    return beard(skin, moves, "beard")


def test_a_beard_is_a_part_that_fits_its_textures(full):
    part = full.part
    assert part.name == part.material == "beard" and part.displacements.shape == (3, *part.vertices.shape)
    assert 1500 < len(part.vertices) < 3600 and part.uvs.min() >= 0 and part.uvs.max() <= 1
    assert full.albedo.shape == (SIZE, SIZE, 4) and 0.2 < (full.albedo[..., 3] > 127).mean() < 0.95
    assert torch.allclose(full.normals.norm(dim=-1), torch.ones(len(full.normals)), atol=1e-3)


def test_who_is_shaven_has_none_and_a_goatee_or_moustache_is_a_part_of_a_beard(skin, moves, full):
    assert beard(skin, moves, "clean") is None
    counts = [len(beard(skin, moves, word).part.faces) for word in ("moustache", "goatee")]
    assert 0 < counts[0] < counts[1] < len(full.part.faces)


def test_lips_cheeks_and_throat_are_free(skin, full):
    points = full.part.vertices.numpy()
    lips = skin.vertices[skin_masks(skin.mean)["lips"] > 0.5]
    middle = points[(np.abs(points[:, 0]) < lips[:, 0].max() - 0.008) & (points[:, 2] > 0.08)]
    in_lips = (middle[:, 1] < lips[:, 1].max() - 0.005) & (middle[:, 1] > lips[:, 1].min() + 0.005)
    assert in_lips.mean() < 0.02
    assert points[:, 1].max() < 0.02 and points[:, 1].min() > -0.14 and points[:, 2].min() > 0.0


def test_an_open_jaw_carries_cards_stiffly_with_the_skin_below(skin, moves, full):
    rest, moved = full.part.vertices.numpy(), full.part.displacements[1].numpy()
    roots = rest.reshape(-1, CARD, 3)[:, :2].mean(1)
    near = np.linalg.norm(roots[:, None] - skin.vertices[None], axis=-1).argmin(1)
    carried = moved.reshape(-1, CARD, 3)[:, :2].mean(1)
    assert np.linalg.norm(carried - moves[1][near], axis=1).max() < 0.004
    assert np.linalg.norm(carried, axis=1).max() > 0.015
    before, after = (cards_sides(pose) for pose in (rest, rest + moved))
    assert np.allclose(before, after, atol=1e-5)


def cards_sides(points):
    """[C] metres from a corner at the root of each card to the far one at its tip."""
    cards = points.reshape(-1, CARD, 3)
    return np.linalg.norm(cards[:, 0] - cards[:, -1], axis=1)


def test_what_moves_elsewhere_leaves_a_beard_alone(full):
    assert not full.part.displacements[0].any()
    assert full.part.displacements[2].abs().amax(1).gt(0).float().mean() < 0.02
    assert full.part.displacements[1].abs().amax(1).gt(0).float().mean() > 0.4 and STAYS < 0.001


def test_it_grows_down_and_over_the_lip_outwards():
    ways = directions(np.array([[0.02, -0.030, 0.11], [-0.02, -0.030, 0.11], [0.0, -0.08, 0.10], [0.06, -0.04, 0.04]]))
    assert ways[0, 0] > 0.3 and ways[1, 0] < -0.3 and (ways[:, 1] < 0).all()
    assert abs(ways[2, 0]) < 0.05 and ways[2, 1] < -0.7


def test_it_thins_out_upwards_and_is_longest_on_the_chin():
    height = np.linspace(-0.05, 0.02, 15)
    cheek = thinned(np.stack([0 * height + 0.055, height, 0 * height + 0.065], -1))
    assert (np.diff(cheek) <= 0).all() and cheek[0] == 1 and cheek[-1] == 0
    assert ((cheek > 0.1) & (cheek < 0.9)).sum() >= 3  # over two centimetres
    assert (thinned(np.array([[0.0, -0.025, 0.12], [0.0, -0.08, 0.11]])) == 1).all()
    chin, side = lengths(np.array([[0.0, -0.085, 0.11], [0.06, -0.05, 0.05]]), DEPTH)
    assert chin > 2 * side


def test_a_beard_of_words_thins_out_on_the_cheeks_and_one_of_photos_grows_where_they_show_it(skin):
    place, word = (grows(skin.mean, "beard") for grows in (beard_place, beard_of_words))
    assert np.allclose(word, place * thinned(skin.mean)) and word.sum() < 0.95 * place.sum()
    assert ((place > 0.9) & (word < 0.4)).any()


def test_what_lies_deep_in_a_beard_is_darker(full):
    grey = full.albedo[..., :3].mean(-1)
    columns = [
        np.average(grey[:, k : k + SIZE // 8], weights=full.albedo[:, k : k + SIZE // 8, 3])
        for k in range(0, SIZE, SIZE // 8)
    ]
    assert columns[-1] > columns[0] + 8


def test_a_beard_of_two_colours_keeps_both(skin, moves):
    thick = beard_place(skin.mean, "beard")
    colours = np.where(skin.mean[:, 1:2] > -0.05, 0.02, 0.6) * np.ones(3)
    row, rgb = toned(colours[thick > 0.5])
    assert rgb.shape == (ROWS, 3) and rgb[0].max() < 0.05 and rgb[-1].min() > 0.5 and set(row) == set(range(ROWS))
    two = grow_beard(skin, thick, DEPTH, colours, 1, moves, SIZE)
    seen = two.albedo[two.albedo[..., 3] > 127][:, 0]
    assert np.quantile(seen, 0.1) < 60 and np.quantile(seen, 0.9) > 150


def test_the_same_seed_gives_the_same_bytes(skin, moves, full):
    again, other = beard(skin, moves, "beard"), beard(skin, moves, "beard", seed=2)
    assert torch.equal(full.part.vertices, again.part.vertices) and full.albedo.tobytes() == again.albedo.tobytes()
    assert other.albedo.tobytes() != full.albedo.tobytes()
