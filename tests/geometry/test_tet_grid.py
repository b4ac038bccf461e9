import torch

from idto3d.geometry.tet_grid import BOX_HIGH, BOX_LOW, make_tet_grid


def volumes(grid):
    first, *others = grid.vertices.double()[grid.tets].unbind(1)
    return torch.linalg.det(torch.stack([other - first for other in others], -2)) / 6


def test_the_tetrahedra_fill_the_box_and_none_is_inside_out():
    grid = make_tet_grid(12)
    low, high = grid.vertices.double().amin(0), grid.vertices.double().amax(0)
    assert (volumes(grid) > 0).all()
    assert torch.isclose(volumes(grid).sum(), (high - low).prod(), rtol=1e-6)
    assert (low <= torch.tensor(BOX_LOW) + 1e-6).all() and (high >= torch.tensor(BOX_HIGH) - 1e-6).all()


def test_the_resolution_counts_cells_along_the_longest_side():
    grid = make_tet_grid(19)
    assert grid.shape[1] == 20
    assert abs(grid.spacing - 0.02) < 1e-9


def test_neighbouring_cells_agree_on_the_diagonals_between_them():
    grid = make_tet_grid(6)
    triangles = grid.tets[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]].reshape(-1, 3).sort(-1).values
    triangles, owners = torch.unique(triangles, dim=0, return_counts=True)
    corners = grid.vertices[triangles[owners == 1]]
    on_a_face = ((corners == grid.vertices.amin(0)).all(1) | (corners == grid.vertices.amax(0)).all(1)).any(-1)
    assert owners.max() == 2
    assert on_a_face.all(), "a triangle inside the box belongs to one tetrahedron only"


def test_the_grid_is_the_same_on_the_left_and_on_the_right():
    grid = make_tet_grid(10)
    number = torch.arange(len(grid.vertices)).view(grid.shape)
    mirrored = number.flip(0).reshape(-1)

    def sets(tets):
        return torch.unique(tets.sort(-1).values, dim=0)

    assert torch.equal(sets(grid.tets), sets(mirrored[grid.tets]))
