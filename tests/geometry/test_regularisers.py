import torch

from idto3d.geometry.regularisers import laplacian_loss, largest_component, unique_edges

FACES = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
CORNERS = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])


def sheet(count):
    """A flat square of count x count vertices."""
    axis = torch.arange(count, dtype=torch.float32)
    vertices = torch.cartesian_prod(axis, axis, torch.zeros(1))
    number = torch.arange(count * count).view(count, count)
    first = torch.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:]], -1)
    second = torch.stack([number[:-1, :-1], number[1:, 1:], number[:-1, 1:]], -1)
    return vertices, torch.cat([first.view(-1, 3), second.view(-1, 3)])


def test_each_edge_is_listed_once():
    assert unique_edges(FACES).tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]


def test_a_bump_costs_more_than_a_flat_sheet_and_smoothing_lowers_the_cost():
    vertices, faces = sheet(9)
    edges = unique_edges(faces)
    bumpy = vertices.clone()
    bumpy[40, 2] = 1.0
    bumpy.requires_grad_()
    loss = laplacian_loss(bumpy, edges)
    loss.backward()
    assert loss > laplacian_loss(vertices, edges)
    assert laplacian_loss(bumpy.detach() - 0.5 * bumpy.grad, edges) < loss


def test_the_cost_of_roughness_does_not_depend_on_size():
    edges = unique_edges(FACES)
    small, large = laplacian_loss(CORNERS * 0.01, edges), laplacian_loss(CORNERS * 10, edges)
    assert torch.isclose(small, large)


def test_a_batch_costs_the_mean_of_its_meshes_of_one_size():
    edges = unique_edges(FACES)
    batch = torch.stack([CORNERS, CORNERS.flip(-1)])
    assert torch.isclose(laplacian_loss(batch, edges), laplacian_loss(CORNERS, edges))


def test_only_the_part_with_the_most_faces_is_kept():
    lone = torch.tensor([[0, 1, 2]])
    kept, faces = largest_component(torch.cat([lone, FACES + 4]), 9)
    assert kept.tolist() == [4, 5, 6, 7]
    assert torch.equal(faces, FACES)
