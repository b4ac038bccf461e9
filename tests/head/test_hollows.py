"""Nostrils and what lies deep in ears are hollows; what stands out is not."""

import numpy as np
import pytest

from idto3d.head.paint.hollows import hidden_share, hollow, shine
from idto3d.head.template import LANDMARKS


@pytest.fixture(scope="module")
def hidden(ict):
    part = ict.part("skin")
    return hidden_share(ict.neutral[part.vertices].double().numpy(), part.faces.numpy())


def test_nothing_hides_the_sky_from_a_ball_and_a_cup_hides_much():
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-1, 1, 21), indexing="ij"), -1).reshape(-1, 2)
    number = np.arange(441).reshape(21, 21)
    corners = [number[:-1, :-1], number[1:, :-1], number[:-1, 1:], number[1:, 1:]]
    a, b, c, d = (one.ravel() for one in corners)
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([c, b, d], 1)])
    rise = 0.05 * (grid**2).sum(1)
    dome, cup = (hidden_share(np.column_stack([0.05 * grid, side * rise]), faces) for side in (-1, 1))
    middle = np.abs(grid).max(1) < 0.3
    assert dome[middle].max() < 0.05 and cup[middle].min() > 0.25


def test_nostrils_are_deep_and_the_tip_of_the_nose_is_not(ict, hidden):
    points = ict.neutral[ict.part("skin").vertices].numpy()
    tip, inside = LANDMARKS[30], []
    for mark in (32, 34):
        gap = np.linalg.norm(points - points[LANDMARKS[mark]] - [0, 0.005, -0.004], axis=1)
        inside.append(hidden[gap < 0.006].max())
    assert min(inside) > 0.75 and hidden[tip] < 0.1 and np.median(hidden[:9409]) < 0.3
    assert hollow(hidden)[tip] == 0 and shine(hidden)[tip] == 1
    assert shine(np.array([0.9]))[0] < 0.2 and hollow(np.array([0.95]))[0] == 1
