"""A part cut in two along a border: nothing is lost, nothing bends, and the border is where it was asked for."""

import numpy as np
import pytest
import torch

from idto3d.head.parts import Part
from idto3d.stages.edit.paint.parted import without_islands
from idto3d.stages.edit.seen.cut import cut, some

SIDE = 6


@pytest.fixture
def sheet():
    """A bent square of SIDE x SIDE cells, with texture coordinates and normals, in two expressions."""
    grid = np.linspace(-1, 1, SIDE + 1)
    x, y = (values.ravel() for values in np.meshgrid(grid, grid))
    vertices = torch.from_numpy(np.stack([x, y, 0.2 * x**2], -1)).float()
    corner = (np.arange(SIDE)[:, None] * (SIDE + 1) + np.arange(SIDE)).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + SIDE + 1], -1),
            np.stack([corner + 1, corner + SIDE + 2, corner + SIDE + 1], -1),
        ]
    )
    moved = torch.stack([torch.zeros_like(vertices), 0.1 * vertices.flip(1)])
    faces = torch.from_numpy(faces)
    uvs = (vertices[:, :2][faces] + 1) / 2
    normals = torch.nn.functional.normalize(torch.tensor([0.0, 0.0, 1.0]) + 0.1 * vertices, dim=-1)
    return Part("hair", vertices, faces, moved, "hair", uvs, normals=normals)


def area(part):
    a, b, c = part.vertices[part.faces].double().unbind(1)
    return float(torch.linalg.cross(b - a, c - a).norm(dim=1).sum())


def within(points):
    return (np.hypot(points[:, 0], points[:, 1]) < 0.63).astype(float)


def test_both_pieces_make_up_the_whole_and_meet_at_the_border(sheet):
    whole, inside = cut(sheet, 0, within)
    assert area(whole) == pytest.approx(area(sheet), rel=1e-5)
    parts = some(whole, inside), some(whole, ~inside)
    radius = [part.vertices[:, :2].norm(dim=1) for part in parts]
    assert radius[0].max() < 0.66 and radius[1].min() > 0.60
    assert torch.equal(whole.vertices[: len(sheet.vertices)], sheet.vertices)


def test_what_lies_on_the_surface_stays_where_it_was(sheet):
    whole, _ = cut(sheet, 0, within)
    assert torch.allclose(whole.uvs, (whole.vertices[:, :2][whole.faces] + 1) / 2, atol=1e-5)
    assert torch.allclose(whole.displacements[1, :, :2], 0.1 * whole.vertices.flip(1)[:, :2], atol=0.02)
    assert torch.allclose(whole.normals.norm(dim=-1), torch.ones(len(whole.vertices)), atol=1e-5)
    a, b, c = whole.vertices[whole.faces].unbind(1)
    assert (torch.linalg.cross(b - a, c - a)[:, 2] > 0).all()


def test_the_border_is_that_of_the_expression_in_which_it_is_drawn(sheet):
    whole, inside = cut(sheet, 1, lambda points: (points[:, 0] > 0.13).astype(float))
    left = some(whole, ~inside)
    assert float(left.positions()[1, :, 0].max()) == pytest.approx(0.13, abs=0.005)


def test_what_lies_on_one_side_is_not_cut(sheet):
    for share, told in ((0.0, False), (1.0, True)):
        whole, inside = cut(sheet, 0, lambda points, share=share: np.full(len(points), share))
        assert torch.equal(whole.faces, sheet.faces) and bool((inside == told).all())


def test_a_border_over_cards_leaves_no_islands():
    """Two cards, of which a mask takes one and a sliver of the other."""
    ends = np.linspace(0, 0.06, 25)
    strip = np.stack([np.stack([0 * ends, ends, 0 * ends], -1), np.stack([0 * ends + 0.012, ends, 0 * ends], -1)], 1)
    points = np.concatenate([strip.reshape(-1, 3), strip.reshape(-1, 3) + [0.02, 0, 0]])
    row = np.arange(24) * 2
    faces = np.stack([row, row + 1, row + 2, row + 1, row + 3, row + 2], -1).reshape(-1, 3)
    faces = torch.from_numpy(np.concatenate([faces, faces + 50]))
    vertices = torch.from_numpy(points).float()
    part = Part("hair", vertices, faces, torch.zeros(1, len(points), 3), "hair", torch.zeros(len(faces), 3, 2))
    inside = np.repeat([True, False], 48)
    inside[60:64] = True
    assert np.array_equal(without_islands(part, 0, inside), np.repeat([True, False], 48))
    half = np.arange(96) % 48 < 24
    assert np.array_equal(without_islands(part, 0, half), half)
