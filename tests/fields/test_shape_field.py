import pytest
import torch
from lively import EXPRESSIONS, OPTIONS, LivelyPrior, begun
from safetensors.torch import load, save

from idto3d.fields.shape_field import ShapeField, smooth_union
from idto3d.geometry.dmtet import narrow_band
from idto3d.geometry.mesh import volume
from idto3d.geometry.tet_grid import make_tet_grid
from idto3d.head.ellipsoid import RADII, EllipsoidPrior
from idto3d.words.traits import BEARDS

GRID = make_tet_grid(16)


class Banded:
    """A field with a band about its surface as it is."""

    def __init__(self, prior=None, start=None):
        generator = torch.Generator().manual_seed(0)
        prior = prior or EllipsoidPrior()
        self.field = ShapeField(GRID, prior, EXPRESSIONS, OPTIONS, start=start or begun(), generator=generator)
        self.renew()

    def sdf(self):
        field = self.field
        return field.distance(field.prepare(GRID.vertices, field.z.detach().clone(), False))

    def renew(self):
        self.band = narrow_band(GRID, self.sdf(), 2 * GRID.spacing)
        self.prepared = self.field.prepare(GRID.vertices[self.band.points], self.field.z.detach().clone())
        return self

    def mesh(self, ids):
        return self.field.mesh(self.band, self.prepared, ids)


def test_a_fresh_field_is_its_prior():
    banded = Banded()
    mesh = banded.mesh([0, 1])
    egg = 4 / 3 * torch.pi * RADII[0] * RADII[1] * RADII[2]
    assert volume(mesh.canonical, mesh.faces).item() == pytest.approx(egg, rel=0.03)
    assert not mesh.displacements.any()
    assert torch.allclose(banded.sdf(), EllipsoidPrior().basis(GRID.vertices).mean)


def test_expressions_share_one_topology_and_start_at_the_priors_motion():
    mesh = Banded(LivelyPrior()).mesh([0, 1])
    chin, crown = mesh.canonical[:, 1].argmin(), mesh.canonical[:, 1].argmax()
    assert not mesh.displacements[0].any()
    moved = mesh.displacements[1]
    assert torch.allclose(moved[chin], torch.tensor([0.0, -0.02, 0.0]), atol=1e-6)
    assert torch.allclose(moved[crown], torch.zeros(3))


def test_the_coefficients_of_the_prior_change_the_shape():
    thin, wide = (Banded(LivelyPrior(), begun(z)).mesh([0]) for z in (0.0, 1.0))
    assert volume(wide.canonical, wide.faces) > 1.2 * volume(thin.canonical, thin.faces)


class CurvedPrior(LivelyPrior):
    """Its distance has a second-order term in the coefficient, that its modes do not tell of."""

    def distance(self, points, z):
        return super().distance(points, z) - 0.01 * z.square().sum()


def test_a_new_band_takes_up_the_priors_own_distance():
    banded = Banded(CurvedPrior())
    with torch.no_grad():
        banded.field.z.fill_(0.5)
    linear = banded.mesh([0]).canonical[:, 1].max().item()
    renewed = banded.renew().mesh([0]).canonical[:, 1].max().item()
    assert [linear, renewed] == pytest.approx([0.110, 0.1125], abs=0.001)


def test_the_chosen_hair_is_joined_to_the_head():
    crowns = []
    for style in ("bald", "bun"):
        crowns.append(Banded(LivelyPrior(), begun(hair_style=style)).mesh([0]).canonical[:, 1].max().item())
    assert crowns == pytest.approx([0.105, 0.15], abs=0.005)


def test_a_beard_makes_the_chin_thicker_and_nothing_else():
    class Bearded(EllipsoidPrior):
        def beard(self, points, z):
            grown = points.new_zeros(len(points), len(BEARDS))
            grown[:, BEARDS.index("goatee")] = 0.006 * (points[:, 1] < -0.05)
            return grown

    reach = []
    for beard in ("clean", "goatee"):
        surface = Banded(Bearded(), begun(beard=beard)).mesh([0]).canonical
        reach.append([surface[:, 1].min().item(), surface[:, 1].max().item()])
    (shaven, crown), (bearded, same) = reach
    assert shaven - bearded == pytest.approx(0.006, abs=0.001) and same == crown


def test_distances_far_apart_are_joined_by_their_minimum_and_near_ones_rounded():
    first, second = torch.tensor([0.1, 0.01]), torch.tensor([0.02, 0.01])
    joined = smooth_union(first, second, 0.004)
    assert joined[0] == second[0]
    assert joined[1].item() == pytest.approx(0.009)


def test_learning_pulls_the_surface_towards_a_goal():
    banded = Banded()
    optimiser = torch.optim.Adam(banded.field.parameters(), 5e-3)
    losses = []
    for _ in range(12):
        mesh = banded.mesh([0, 1])
        first, second = mesh.canonical + mesh.displacements
        loss = (first.norm(dim=-1) - 0.1).square().mean() + second[:, 0].square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_every_parameter_learns_after_the_first_step():
    banded = Banded(LivelyPrior(), begun(0.1))
    field = banded.field
    optimiser = torch.optim.SGD(field.parameters(), 10.0)
    for _ in range(2):
        optimiser.zero_grad()
        mesh = banded.mesh([0, 1])
        (mesh.canonical + mesh.displacements).square().sum().backward()
        optimiser.step()
    without = [name for name, value in field.named_parameters() if value.grad is None or not value.grad.any()]
    # The neutral pose of this prior does not move, so only the other expression's amplitude has a gradient.
    assert without == []
    assert field.amplitude.grad[1] != 0


def test_no_expression_moves_the_back_of_the_head():
    banded = Banded(LivelyPrior())
    with torch.no_grad():
        banded.field.modulated.out.bias.fill_(1.0)
    mesh = banded.mesh([0, 1])
    moved = mesh.displacements.norm(dim=-1)
    depth = mesh.canonical[:, 2]
    assert moved[:, depth < -0.03].max() == 0 and moved[:, depth > -0.005].min() > 0.004


def test_parameters_are_split_without_loss_or_overlap():
    field = Banded(LivelyPrior()).field
    split = [*field.latent_parameters(), *field.network_parameters()]
    assert {id(value) for value in split} == {id(value) for value in field.parameters()}
    assert len(split) == len(list(field.parameters()))


def test_a_network_for_a_prior_stays_out_of_the_state():
    prior = torch.nn.Linear(1, 1)
    egg = EllipsoidPrior()
    prior.basis, prior.distance, prior.warp = egg.basis, egg.distance, egg.warp
    field = Banded(prior).field
    assert not any("prior" in name for name in field.state_dict())
    assert all(value is not prior.weight for value in field.parameters())


def test_a_field_resumes_from_its_saved_state():
    banded, again = (Banded(LivelyPrior(), begun(hair_style="bun")) for _ in range(2))
    with torch.no_grad():
        for value in banded.field.parameters():
            value.add_(torch.randn(value.shape, generator=torch.Generator().manual_seed(7)) * 0.05)
    again.field.load_state_dict(load(save(banded.field.state_dict())))
    old, new = banded.mesh([1]), again.mesh([1])
    assert torch.equal(old.canonical, new.canonical) and torch.equal(old.displacements, new.displacements)


def test_a_seed_gives_the_same_field():
    first, second = (Banded().field.state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_it_says_how_far_the_networks_strayed_from_the_prior():
    banded = Banded(LivelyPrior())
    field = banded.field
    assert banded.mesh([0, 1]).strayed == 0
    with torch.no_grad():
        field.residual.out.bias[0] = 0.2
    assert banded.mesh([0, 1]).strayed.item() == pytest.approx(1.0, rel=1e-4)  # 0.2 of 5 mm, squared
    with torch.no_grad():
        field.residual.out.bias[0] = 0.0
        for parameter in field.modulated.parameters():
            parameter.add_(0.1)
    strayed = banded.mesh([0]).strayed
    assert strayed > 0
    strayed.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in field.modulated.parameters())
