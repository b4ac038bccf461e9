import pytest
import torch

from idto3d.geometry.regularisers import laplacian_loss, largest_component, rim_edges

# A closed octahedron: right, left, up, down, front, back.
CORNERS = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
FACES = torch.tensor([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])


def slow_laplacian(vertices, faces):
    """The same from the definition, vertex by vertex."""
    around = {i: set() for i in range(len(vertices))}
    for face in faces.tolist():
        for corner in face:
            around[corner] |= set(face) - {corner}
    bends = [vertices[list(near)].mean(0) - vertices[i] for i, near in around.items()]
    edges = [vertices[i] - vertices[j] for i, near in around.items() for j in near]
    return torch.stack(bends).square().sum(-1).mean() / torch.stack(edges).square().sum(-1).mean().detach()


@pytest.mark.parametrize("faces", [FACES, FACES[1:], FACES[:4]], ids=["closed", "with a hole", "a bowl"])
def test_the_loss_and_its_gradient_follow_the_definition(faces):
    count = int(faces.max()) + 1
    fast, slow = (torch.rand(count, 3, generator=torch.Generator().manual_seed(3)).requires_grad_() for _ in range(2))
    losses = laplacian_loss(fast, faces, rim_edges(faces)), slow_laplacian(slow, faces)
    torch.autograd.backward(losses)
    assert torch.isclose(*losses) and torch.allclose(fast.grad, slow.grad, atol=1e-6)


def test_a_closed_mesh_needs_no_rim_and_a_bowl_has_one_all_around():
    assert rim_edges(FACES).shape == (0, 2)
    assert torch.equal(laplacian_loss(CORNERS, FACES), laplacian_loss(CORNERS, FACES, rim_edges(FACES)))
    assert rim_edges(FACES[:4]).tolist() == [[2, 0], [1, 2], [3, 1], [0, 3]]


def test_smoothing_pulls_a_spike_in():
    spiky = (CORNERS * torch.tensor([1.0, 1.0, 1.0, 1.0, 5.0, 1.0])[:, None]).requires_grad_()
    loss = laplacian_loss(spiky, FACES)
    loss.backward()
    assert spiky.grad[4, 2] > 0
    assert laplacian_loss(spiky.detach() - spiky.grad, FACES) < loss


def test_the_cost_of_roughness_does_not_depend_on_size():
    small, large = laplacian_loss(CORNERS * 0.01, FACES), laplacian_loss(CORNERS * 10, FACES)
    assert torch.isclose(small, large)


def test_a_batch_costs_the_mean_of_its_meshes_of_one_size():
    batch = torch.stack([CORNERS, CORNERS * 2])
    assert torch.isclose(laplacian_loss(batch, FACES), laplacian_loss(CORNERS, FACES))


def test_only_the_part_with_the_most_faces_is_kept():
    lone = torch.tensor([[0, 1, 2]])
    kept, faces = largest_component(torch.cat([lone, FACES + 4]), 12)
    assert kept.tolist() == [4, 5, 6, 7, 8, 9]
    assert torch.equal(faces, FACES)


@pytest.mark.parametrize("faces", [FACES, FACES[:4]], ids=["closed", "a bowl"])
def test_a_displacement_is_measured_against_the_edges_of_its_vertices(faces):
    count, random = int(faces.max()) + 1, torch.Generator().manual_seed(3)
    vertices, moved = (torch.rand(count, 3, generator=random) for _ in range(2))
    rim = rim_edges(faces)
    whole, own = laplacian_loss(moved, faces, rim), laplacian_loss(moved, faces, rim, like=vertices)
    pairs = {tuple(sorted(pair)) for a, b, c in faces.tolist() for pair in ((a, b), (b, c), (c, a))}
    ends = torch.tensor(sorted(pairs))
    lengths = [(values[ends[:, 0]] - values[ends[:, 1]]).square().sum(-1).mean() for values in (moved, vertices)]
    assert torch.isclose(own, whole * lengths[0] / lengths[1])


def test_a_displacement_that_is_the_same_everywhere_costs_nothing_and_twice_as_much_costs_fourfold():
    moved = torch.rand(6, 3, generator=torch.Generator().manual_seed(3)).requires_grad_()
    once, twice = (laplacian_loss(factor * moved, FACES, like=CORNERS) for factor in (1, 2))
    assert torch.isclose(twice, 4 * once)
    assert laplacian_loss(torch.full((6, 3), 0.7), FACES, like=CORNERS) < 1e-12
    still = torch.zeros(6, 3, requires_grad=True)
    laplacian_loss(still, FACES, like=CORNERS).backward()
    assert torch.isfinite(still.grad).all()
