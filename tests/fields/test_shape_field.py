from dataclasses import replace

import pytest
import torch
from safetensors.torch import load, save

from idto3d.config import HashGridOptions, ShapeOptions
from idto3d.fields.shape_field import ShapeField, ShapeStart, smooth_union
from idto3d.geometry.dmtet import narrow_band
from idto3d.geometry.mesh import volume
from idto3d.geometry.tet_grid import make_tet_grid
from idto3d.head.ellipsoid import RADII, EllipsoidPrior
from idto3d.head.prior import SdfBasis
from idto3d.words.expressions import NAMES

GRID = make_tet_grid(16)
OPTIONS = ShapeOptions(hash_grid=HashGridOptions(levels=3, log2_size=8, base=2, growth=2.0))
EXPRESSIONS = ("neutral", "mouth stretch")


class LivelyPrior(EllipsoidPrior):
    """An egg that one coefficient inflates, whose lower half drops in 'mouth stretch', with a ball for hair."""

    def basis(self, points):
        plain = super().basis(points)
        hair = (points - points.new_tensor((0.0, 0.1, 0.0))).norm(dim=-1) - 0.05
        return SdfBasis(plain.mean, torch.full((len(points), 1), -0.01), torch.stack([plain.hair[:, 0], hair], -1))

    def warp(self, points, z=None):
        warp = super().warp(points)
        warp[:, NAMES.index("mouth stretch"), 1] = torch.where(points[:, 1] < 0, -0.02, 0.0)
        return warp


def make(prior=None, options=OPTIONS, **start):
    prior = prior or EllipsoidPrior()
    generator = torch.Generator().manual_seed(0)
    field = ShapeField(GRID, prior, EXPRESSIONS, options, start=ShapeStart(**start), generator=generator)
    return field, band_of(field)


def band_of(field):
    return narrow_band(GRID, field.grid_sdf(), 2 * GRID.spacing)


def test_a_fresh_field_is_its_prior():
    field, band = make()
    mesh = field.mesh(band, [0, 1])
    egg = 4 / 3 * torch.pi * RADII[0] * RADII[1] * RADII[2]
    assert volume(mesh.canonical, mesh.faces).item() == pytest.approx(egg, rel=0.03)
    assert torch.equal(mesh.positions, mesh.canonical.expand(2, -1, -1))
    assert torch.allclose(field.grid_sdf(), EllipsoidPrior().basis(GRID.vertices).mean)


def test_expressions_share_one_topology_and_start_at_the_priors_motion():
    field, band = make(LivelyPrior())
    mesh = field.mesh(band, [0, 1])
    chin, crown = mesh.canonical[:, 1].argmin(), mesh.canonical[:, 1].argmax()
    assert torch.equal(mesh.positions[0], mesh.canonical)
    moved = mesh.positions[1] - mesh.canonical
    assert torch.allclose(moved[chin], torch.tensor([0.0, -0.02, 0.0]), atol=1e-6)
    assert torch.allclose(moved[crown], torch.zeros(3))


def test_the_coefficients_of_the_prior_change_the_shape():
    thin, _ = make(LivelyPrior())
    wide, band = make(LivelyPrior(), z=torch.tensor([1.0]))
    mesh = wide.mesh(band, [0])
    assert volume(mesh.canonical, mesh.faces) > 1.2 * volume(*thin.mesh(band_of(thin), [0])[:2])


class CurvedPrior(LivelyPrior):
    """Its distance has a second-order term in the coefficient, that its modes do not tell of."""

    def distance(self, points, z):
        return super().distance(points, z) - 0.01 * z.square().sum()


def test_a_new_band_takes_up_the_priors_own_distance():
    field, band = make(CurvedPrior())
    field.mesh(band, [0])
    with torch.no_grad():
        field.z.fill_(0.5)
    linear = field.mesh(band, [0]).canonical[:, 1].max().item()
    renewed = field.mesh(band_of(field), [0]).canonical[:, 1].max().item()
    assert [linear, renewed] == pytest.approx([0.110, 0.1125], abs=0.001)


def test_the_chosen_hair_is_joined_to_the_head():
    crowns = []
    for style in ((1.0, 0.0), (0.0, 1.0)):
        field, band = make(LivelyPrior(), style=torch.tensor(style))
        crowns.append(field.mesh(band, [0]).canonical[:, 1].max().item())
    assert crowns == pytest.approx([0.105, 0.15], abs=0.005)


def test_a_beard_makes_the_chin_thicker_and_nothing_else():
    class Bearded(EllipsoidPrior):
        def beard(self, points, z):
            return torch.stack([0 * points[:, 0], 0.006 * (points[:, 1] < -0.05)], 1)

    reach = []
    for beard in ((1.0, 0.0), (0.0, 1.0)):
        field, band = make(Bearded(), beard=torch.tensor(beard))
        surface = field.mesh(band, [0]).canonical
        reach.append([surface[:, 1].min().item(), surface[:, 1].max().item()])
    (shaven, crown), (bearded, same) = reach
    assert shaven - bearded == pytest.approx(0.006, abs=0.001) and same == crown


def test_distances_far_apart_are_joined_by_their_minimum_and_near_ones_rounded():
    first, second = torch.tensor([0.1, 0.01]), torch.tensor([0.02, 0.01])
    joined = smooth_union(first, second, 0.004)
    assert joined[0] == second[0]
    assert joined[1].item() == pytest.approx(0.009)


def test_learning_pulls_the_surface_towards_a_goal():
    field, band = make()
    optimiser = torch.optim.Adam(field.parameters(), 5e-3)
    losses = []
    for _ in range(12):
        mesh = field.mesh(band, [0, 1])
        loss = (mesh.positions[0].norm(dim=-1) - 0.1).square().mean() + mesh.positions[1, :, 0].square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_every_parameter_learns_after_the_first_step():
    field, band = make(LivelyPrior(), z=torch.tensor([0.1]))
    optimiser = torch.optim.SGD(field.parameters(), 10.0)
    for _ in range(2):
        optimiser.zero_grad()
        field.mesh(band, [0, 1]).positions.square().sum().backward()
        optimiser.step()
    without = [name for name, value in field.named_parameters() if value.grad is None or not value.grad.any()]
    # The neutral pose of this prior does not move, so only the other expression's amplitude has a gradient.
    assert without == []
    assert field.amplitude.grad[1] != 0


def test_no_expression_moves_the_back_of_the_head():
    field, band = make(LivelyPrior())
    with torch.no_grad():
        field.modulated.out.bias.fill_(1.0)
    mesh = field.mesh(band, [0, 1])
    moved = (mesh.positions - mesh.canonical).norm(dim=-1)
    depth = mesh.canonical[:, 2]
    assert moved[:, depth < -0.03].max() == 0 and moved[:, depth > -0.005].min() > 0.004


def test_parameters_are_split_without_loss_or_overlap():
    field, _ = make(LivelyPrior())
    split = [*field.latent_parameters(), *field.network_parameters()]
    assert {id(value) for value in split} == {id(value) for value in field.parameters()}
    assert len(split) == len(list(field.parameters()))


def test_a_network_for_a_prior_stays_out_of_the_state():
    prior = torch.nn.Linear(1, 1)
    egg = EllipsoidPrior()
    prior.basis, prior.distance, prior.warp = egg.basis, egg.distance, egg.warp
    field, _ = make(prior)
    assert not any("prior" in name for name in field.state_dict())
    assert all(value is not prior.weight for value in field.parameters())


def test_a_field_resumes_from_its_saved_state():
    field, band = make(LivelyPrior(), style=torch.tensor([0.0, 1.0]))
    with torch.no_grad():
        for value in field.parameters():
            value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(7)) * 0.05)
    again, _ = make(LivelyPrior(), style=torch.tensor([1.0, 0.0]))
    again.load_state_dict(load(save(field.state_dict())))
    old, new = field.mesh(band, [1]), again.mesh(band, [1])
    assert torch.equal(old.canonical, new.canonical) and torch.equal(old.positions, new.positions)


def test_distances_are_renewed_in_the_band_alone():
    field, band = make(LivelyPrior())
    before = field.grid_sdf()
    with torch.no_grad():
        field.z.fill_(0.2)
    after = field.grid_sdf(band)
    away = torch.ones(len(before), dtype=torch.bool)
    away[band.points] = False
    free = band.points[band.border == 0]
    assert torch.equal(after[away], before[away])
    assert torch.allclose(after[free], before[free] - 0.002, atol=1e-6)
    assert torch.allclose(field.grid_sdf()[away], before[away] - 0.002, atol=1e-6)


def test_a_seed_gives_the_same_field():
    first, second = make()[0].state_dict(), make()[0].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_in_the_papers_variant_each_expression_has_its_own_surface():
    field, _ = make(LivelyPrior(), replace(OPTIONS, conditioned_sdf=True))
    with torch.no_grad():
        field.modulated.out.weight.copy_(
            torch.randn(field.modulated.out.weight.shape, generator=torch.Generator().manual_seed(1))
        )
    bands = [narrow_band(GRID, field.grid_sdf(expression_id=place), 2 * GRID.spacing) for place in range(2)]
    first, second = field.meshes(bands, [0, 1])
    assert first.canonical.shape != second.canonical.shape or not torch.equal(first.canonical, second.canonical)
    assert second.positions.shape == (1, *second.canonical.shape)
    (first.positions.sum() + second.positions.sum()).backward()
    assert field.codes.grad.abs().sum(1).gt(0).all()


def test_the_papers_variant_starts_at_the_priors_expressions():
    field, band = make(LivelyPrior(), replace(OPTIONS, conditioned_sdf=True))
    shared = field.mesh(band, [0, 1])
    own = field.meshes([band, band], [0, 1])
    assert torch.equal(own[1].positions[0], shared.positions[1])


def test_it_is_told_how_far_the_networks_strayed_from_the_prior():
    field, band = make(LivelyPrior())
    assert field.mesh(band, [0, 1]).strayed == 0
    with torch.no_grad():
        field.residual.out.bias[0] = 0.2
    assert field.mesh(band, [0, 1]).strayed.item() == pytest.approx(1.0, rel=1e-4)  # 0.2 of 5 mm, squared
    with torch.no_grad():
        field.residual.out.bias[0] = 0.0
        for parameter in field.modulated.parameters():
            parameter.add_(0.1)
    strayed = field.mesh(band, [0]).strayed
    assert strayed > 0
    strayed.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in field.modulated.parameters())
