import pytest
import torch

from idto3d.geometry.dmtet import (
    EmptyMesh,
    interpolate_edges,
    marching_tets,
    narrow_band,
    without_islands,
)
from idto3d.geometry.mesh import face_normals, volume
from idto3d.geometry.tet_grid import make_tet_grid

RADIUS = 0.1
GRID = make_tet_grid(24)


def ball(points, radius=RADIUS, centre=(0.0, 0.0, 0.0)):
    return (points - points.new_tensor(centre)).norm(dim=-1) - radius


def edge_uses(faces):
    ends = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    return torch.unique(ends.sort(-1).values, dim=0, return_counts=True)[1]


def directed_edges_once(faces):
    ends = faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    return torch.unique(ends, dim=0, return_counts=True)[1].max() == 1


def is_closed(faces):
    return bool((edge_uses(faces) == 2).all()) and bool(directed_edges_once(faces))


def in_band(sdf, width=2.0):
    band = narrow_band(GRID, sdf, width * GRID.spacing)
    return band, GRID.vertices[band.points], sdf[band.points]


def test_a_ball_becomes_a_closed_mesh_of_its_volume_wound_outwards():
    crossing = marching_tets(GRID.vertices, ball(GRID.vertices), GRID.tets)
    assert is_closed(crossing.faces)
    assert volume(crossing.vertices, crossing.faces) == pytest.approx(4 / 3 * torch.pi * RADIUS**3, rel=0.02)
    outward = crossing.vertices[crossing.faces].mean(1)
    assert (face_normals(crossing.vertices, crossing.faces) * outward).sum(-1).gt(-1e-12).all()


def test_the_band_gives_the_same_surface_as_the_whole_grid():
    sdf = ball(GRID.vertices)
    band, positions, values = in_band(sdf)
    whole = marching_tets(GRID.vertices, sdf, GRID.tets)
    near = band.march(positions, values)
    assert len(band.points) < len(GRID.vertices) / 2
    assert torch.equal(band.points[near.edges], whole.edges)
    assert torch.allclose(near.vertices, whole.vertices)
    assert len(near.faces) == len(whole.faces)


def test_every_corner_case_of_one_tetrahedron_is_wound_outwards():
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    for case in range(1, 15):
        inside = torch.tensor([bool(case >> corner & 1) for corner in range(4)])
        crossing = marching_tets(corners, torch.where(inside, -0.5, 0.5), torch.tensor([[0, 1, 2, 3]]))
        away = corners[~inside].mean(0) - corners[inside].mean(0)
        assert (face_normals(crossing.vertices, crossing.faces) @ away > 0).all(), f"case {case}"


def test_vertices_lie_on_the_surface_and_attributes_follow_them():
    crossing = marching_tets(GRID.vertices, ball(GRID.vertices), GRID.tets)
    assert ball(crossing.vertices).abs().max() < 0.1 * GRID.spacing
    assert torch.allclose(interpolate_edges(GRID.vertices, crossing), crossing.vertices, atol=1e-7)


def test_the_surface_moves_with_the_distances_as_finite_differences_say():
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64, requires_grad=True)
    sdf = torch.tensor([-0.3, 0.2, 0.5, -0.1], dtype=torch.float64, requires_grad=True)
    tet = torch.tensor([[0, 1, 2, 3]])
    assert torch.autograd.gradcheck(lambda place, value: marching_tets(place, value, tet).vertices, (corners, sdf))


def test_a_crossing_between_two_values_near_zero_has_a_finite_gradient():
    corners = torch.eye(4, 3, requires_grad=True)
    sdf = torch.tensor([-1e-12, 0.0, 0.0, 1e-12], requires_grad=True)
    marching_tets(corners, sdf, torch.tensor([[0, 1, 2, 3]])).vertices.sum().backward()
    assert sdf.grad.isfinite().all() and corners.grad.isfinite().all()


def test_the_mesh_stays_closed_whatever_the_distances_in_the_band_become():
    band, positions, values = in_band(ball(GRID.vertices))
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(len(values), generator=generator) * 0.1
    assert is_closed(band.march(positions, values + noise).faces)
    assert is_closed(band.march(positions, values - 0.05).faces)


def test_the_border_of_the_band_keeps_its_sign():
    band, _, values = in_band(ball(GRID.vertices))
    border = band.border != 0
    flipped = band.hold(-values)
    assert border.any() and not border.all()
    assert (flipped[border].sign() == band.border[border]).all()
    assert torch.equal(flipped[~border], -values[~border])


def test_a_shape_that_leaves_the_box_is_closed_at_its_face():
    band, positions, values = in_band(ball(GRID.vertices, radius=0.12, centre=(0.1, 0.0, 0.0)))
    assert is_closed(band.march(positions, values).faces)


def test_offsets_of_the_grid_move_the_mesh():
    band, positions, values = in_band(ball(GRID.vertices))
    shift = torch.tensor([0.001, -0.002, 0.0005])
    plain, moved = band.march(positions, values), band.march(positions + shift, values)
    assert torch.allclose(moved.vertices, plain.vertices + shift, atol=1e-6)


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_a_distance_of_one_sign_is_an_empty_mesh(value):
    sdf = torch.full((len(GRID.vertices),), value)
    with pytest.raises(EmptyMesh):
        marching_tets(GRID.vertices, sdf, GRID.tets)


def test_a_vanished_shape_has_no_band_and_no_mesh():
    outside = torch.ones(len(GRID.vertices))
    with pytest.raises(EmptyMesh):
        narrow_band(GRID, outside, 0.01)


def test_a_floating_bit_and_a_bubble_are_removed_and_the_head_stays():
    head = ball(GRID.vertices)
    bubble = -ball(GRID.vertices, radius=0.03)
    floating = ball(GRID.vertices, radius=0.02, centre=(0.0, 0.0, 0.135))
    cleaned = without_islands(GRID, torch.minimum(torch.maximum(head, bubble), floating))
    assert torch.equal(cleaned < 0, head < 0)


def test_a_head_without_islands_is_left_as_it_is():
    head = ball(GRID.vertices)
    assert torch.equal(without_islands(GRID, head), head)
