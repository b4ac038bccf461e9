"""Motions carried over to another surface: larger where it is larger, turned where it is turned."""

import numpy as np
import pytest

from idto3d.training.motion.transfer import gradients, transfer_of

SIDE = 13


@pytest.fixture(scope="module")
def sheet():
    """Points [V, 3] of a slightly arched square of unit side, and its triangles."""
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    x, y = column / (SIDE - 1), row / (SIDE - 1)
    corner = np.array([a + SIDE * b for b in range(SIDE - 1) for a in range(SIDE - 1)])
    faces = np.concatenate([corner[:, None] + [0, 1, SIDE + 1], corner[:, None] + [0, SIDE + 1, SIDE]])
    return np.stack([x, y, 0.2 * x * (1 - x)], 1), faces


@pytest.fixture(scope="module")
def bump(sheet):
    """[1, V, 3] a bump in the middle of the sheet that also slides; its border is still."""
    points, _ = sheet
    reach = np.clip(0.4 - np.abs(points[:, :2] - 0.5).max(1), 0, None)[:, None]
    return (reach * [0.3, 0.0, 1.0])[None]


@pytest.fixture(scope="module")
def carried(sheet, bump):
    """What carries the bump over."""
    return transfer_of(*sheet, bump, np.zeros(len(sheet[0])))


def test_the_head_it_was_made_for_keeps_it(sheet, bump, carried):
    assert np.abs(carried.onto(sheet[0], {}) - bump).max() < 1e-5


def test_a_larger_head_moves_further(sheet, bump, carried):
    assert np.allclose(carried.onto(1.5 * sheet[0] + 0.3, {}), 1.5 * bump, atol=1e-4)


def test_a_longer_one_moves_further_and_no_further_than_it_is_longer(sheet, bump, carried):
    moved = carried.onto(sheet[0] * [1.6, 1.0, 1.0], {})[0]
    growth = np.abs(moved).max(0)[[0, 2]] / np.abs(bump[0]).max(0)[[0, 2]]
    assert (growth > 1.1).all() and (growth < 1.6).all()


def test_a_motion_turns_with_the_skin(sheet, bump, carried):
    turn = np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])
    assert np.allclose(carried.onto(sheet[0] @ turn.T, {}), bump @ turn.T, atol=1e-4)


def test_skin_on_bone_goes_where_the_bone_goes(sheet, bump):
    points, faces = sheet
    middle = np.zeros(len(points))
    middle[len(points) // 2] = 1
    held = transfer_of(points, faces, bump, 100 * middle)
    moved = held.onto(points, {0: 2 * bump[0]})[0]
    assert np.allclose(moved[len(points) // 2], 2 * bump[0, len(points) // 2], rtol=0.2)
    assert np.allclose(moved[:SIDE], 0, atol=0.03)


def test_a_triangle_without_area_is_no_matter():
    points, faces = np.zeros((3, 3)), np.array([[0, 1, 2]])
    assert np.isfinite(gradients(points, points, faces)).all()
