"""The converter's arithmetic: eight bits are enough, quads are cut without turning over, charts are turned right."""

import numpy as np
import torch

from idto3d.head.features.charts import charts_of
from idto3d.head.template_file import dequantised
from idto3d.training.convert import atlas
from idto3d.training.convert.eyes import BULGE_KEPT, flattened, lid_rim, sphere
from idto3d.training.convert.template import quantised, triangulated

SQUARE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])  # counter-clockwise as seen, v down


def test_eight_bits_a_block_are_right_within_a_hundredth_of_a_millimetre():
    place = np.linspace(0, 20, 1000)[:, None]
    modes = np.stack([0.004 * np.sin(place * rate + [0, 1, 2]) for rate in (0.3, 1.0, 2.0)]).astype(np.float32)
    parts = {name: torch.from_numpy(value) for name, value in quantised(modes).items()}
    back = dequantised(parts["identity.steps"], parts["identity.scale"], parts["identity.middle"]).numpy()
    assert parts["identity.steps"].dtype == torch.int8
    assert np.abs(back - modes).max() < 2e-5 and np.sqrt(np.square(back - modes).mean()) < 1e-5


def test_a_bent_quad_is_cut_so_that_neither_half_is_turned_over():
    bent = SQUARE.copy()
    bent[0] = (0.8, 0.7)  # the first corner pushed beyond the line between its neighbours
    faces, uvs = triangulated(np.array([[0, 1, 2, 3], [4, 5, 6, 7]]), np.stack([SQUARE, bent]))
    assert faces[:2].tolist() == [[0, 1, 2], [0, 2, 3]]
    assert (atlas.signed_areas(uvs[:2]) > 0).all()


def test_a_quad_that_repeats_its_first_corner_is_one_triangle():
    corners = SQUARE.copy()
    corners[3] = corners[0]
    faces, uvs = triangulated(np.array([[4, 5, 6, 4]]), corners[None])
    assert faces.tolist() == [[4, 5, 6]] and uvs.shape == (1, 3, 2)


def test_mirrored_charts_are_turned_over_within_their_own_width():
    mirrored = SQUARE * [-0.2, 0.2] + [0.9, 0.1]
    flat = np.stack([SQUARE * 0.2, mirrored])
    turned = atlas.unmirrored(flat)
    assert (atlas.signed_areas(turned) > 0).all() and np.array_equal(turned[0], flat[0])
    assert np.allclose(turned[1].min(0), mirrored.min(0)) and np.allclose(turned[1].max(0), mirrored.max(0))


def test_charts_are_what_shares_a_place():
    right = SQUARE + [1.0, 0.0]
    assert charts_of(np.stack([SQUARE, right, SQUARE + [5.0, 0.0]])).tolist() == [0, 0, 1]


def test_a_cornea_keeps_part_of_its_bulge_and_modes_go_with_it():
    ball, bulge = eyeball()
    modes = np.stack([ball * [1.1, 1.0, 1.0] - ball, np.full_like(ball, 0.3)])
    kept, moved = flattened(ball, modes)
    centre, radius = sphere(ball, ball[0])
    assert np.allclose(centre, 0, atol=1e-6) and np.isclose(radius, 1)
    assert np.isclose(np.linalg.norm(kept, axis=1).max(), 1 + BULGE_KEPT * bulge)
    assert np.allclose(moved[0], kept * [0.1, 0, 0], atol=1e-9) and np.allclose(moved[1], 0.3)


def eyeball():
    angle, around = np.meshgrid(np.radians(np.arange(2, 170, 6.0)), np.radians(np.arange(0, 360, 20.0)))
    reach = 1 + 0.1 * np.clip(1 - angle / np.radians(30), 0, 1) ** 2
    x, y, z = np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), np.cos(angle)
    ball = (np.stack([x, y, z], -1) * reach[..., None]).reshape(-1, 3)
    return np.concatenate([[[0, 0, 1.1]], ball]), 0.1


def test_the_edge_of_the_lids_is_the_second_ring_around_the_socket():
    count = 8
    rings = np.arange(4 * count).reshape(4, count)
    quads = [
        (rings[r, i], rings[r, (i + 1) % count], rings[r + 1, (i + 1) % count], rings[r + 1, i])
        for r in range(3)
        for i in range(count)
    ]
    assert lid_rim(np.array(quads), rings[0]).tolist() == rings[2].tolist()
