"""A mesh as what a field starts from."""

import torch
import trimesh
from lively import OPTIONS, begun

from idto3d.fields.posed_mesh import PosedMesh
from idto3d.fields.tetrahedral import TetrahedralShape


def ball():
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=0.09)
    return torch.tensor(mesh.vertices).float(), torch.tensor(mesh.faces).long()


def test_distances_are_those_of_the_surface_negative_inside():
    prior = PosedMesh(*ball(), 3)
    points = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    radius = torch.linspace(0.02, 0.2, 200)
    points = points / points.norm(dim=1, keepdim=True) * radius[:, None]
    near = (radius - 0.09).abs() < 0.03
    found = prior.distance(points, torch.zeros(3))
    assert (found - (radius - 0.09))[near].abs().max() < 0.0015
    assert torch.equal(found < 0, radius < 0.09)


def test_a_field_begins_as_the_mesh_and_nothing_varies_or_moves_it():
    prior = PosedMesh(*ball(), 1)
    shape = TetrahedralShape(begun(0.1), prior, ("mouth stretch",), OPTIONS, torch.Generator().manual_seed(0))
    (part,) = shape.finished().parts
    assert (part.positions()[0].norm(dim=1) - 0.09).abs().max() < 0.002
    assert not prior.basis(part.vertices).modes.any() and not prior.warp(part.vertices).any()
    assert (shape.skin_share(part.vertices) == 1).all()
