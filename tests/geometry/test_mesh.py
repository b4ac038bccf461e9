import torch

from idto3d.geometry.mesh import unit, vertex_normals, volume

TETRAHEDRON = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
FACES = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def test_a_tetrahedron_wound_outwards_has_its_volume():
    assert torch.isclose(volume(TETRAHEDRON, FACES), torch.tensor(1 / 6, dtype=torch.float64))
    assert volume(TETRAHEDRON, FACES.flip(1)) < 0


def test_normals_are_unit_and_point_away_from_the_middle():
    normals = vertex_normals(TETRAHEDRON, FACES)
    assert torch.allclose(normals.norm(dim=-1), torch.ones(4, dtype=torch.float64))
    assert ((TETRAHEDRON - TETRAHEDRON.mean(0)) * normals).sum(-1).gt(0).all()


def test_normals_of_a_batch_are_those_of_each_mesh():
    batch = torch.stack([TETRAHEDRON, TETRAHEDRON * torch.tensor([1.0, 2.0, 3.0])])
    together = vertex_normals(batch, FACES)
    assert torch.allclose(together[1], vertex_normals(batch[1], FACES))


def test_the_gradient_of_normals_agrees_with_finite_differences():
    vertices = TETRAHEDRON.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda moved: vertex_normals(moved, FACES), vertices)


def test_a_face_without_area_gives_a_finite_normal_and_gradient():
    vertices = torch.zeros(3, 3, requires_grad=True)
    normals = vertex_normals(vertices, torch.tensor([[0, 1, 2]]))
    normals.sum().backward()
    assert torch.allclose(normals.norm(dim=-1), torch.ones(3))
    assert vertices.grad.isfinite().all()


def test_a_tiny_vector_is_not_taken_for_none():
    assert torch.allclose(unit(torch.tensor([[0.0, 3e-9, 0.0]])), torch.tensor([[0.0, 1.0, 0.0]]))
