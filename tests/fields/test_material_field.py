import torch

from idto3d.config import HashGridOptions, MaterialOptions
from idto3d.fields.material_field import MaterialField

BOX = ((-0.15, -0.21, -0.15), (0.15, 0.17, 0.15))
OPTIONS = MaterialOptions(hash_grid=HashGridOptions(levels=3, log2_size=8, base=2, growth=2.0))


def make():
    return MaterialField(("neutral", "anger"), OPTIONS, BOX, generator=torch.Generator().manual_seed(0))


def points(count=9):
    return (torch.rand(count, 3, generator=torch.Generator().manual_seed(1)) - 0.5) * 0.2


def reddish(places):
    albedo = torch.stack([0.6 + places[:, 0], 0.2 + places[:, 1], 0.3 + places[:, 2]], -1).clamp(0, 1)
    return albedo, torch.ones(len(places), 1)


def black(places):
    return torch.zeros_like(places), torch.ones(len(places), 1)


def started(field, colours, ids):
    """The material of a field whose points start from `colours`."""
    return field.at(field.prepared(points(), *colours(points())), ids)


def test_where_no_colour_is_given_the_material_starts_grey_half_rough_and_hardly_metallic():
    material = make()(points(), [0, 1])
    assert material.albedo.shape == (2, 9, 3) and material.roughness.shape == (2, 9, 1)
    assert torch.allclose(material.albedo, torch.full((2, 9, 3), 0.5))
    assert torch.allclose(material.roughness, torch.full((2, 9, 1), 0.5))
    assert torch.allclose(material.metallic, torch.full((2, 9, 1), 0.02), atol=1e-6)


def test_the_albedo_starts_at_the_colours_that_are_given():
    material = started(make(), reddish, [1])
    assert torch.allclose(material.albedo[0], reddish(points())[0], atol=2e-3)
    assert (material.held == 1).all() and (make()(points(), [1]).held == 0).all()


def test_what_starts_black_can_still_learn():
    field = make()
    started(field, black, [0]).albedo.sum().backward()
    assert field.modulated.out.bias.grad[:3].gt(1e-3).all()


def test_values_stay_physical_whatever_is_learned():
    field = make()
    for extreme in (-1e4, 1e4):
        with torch.no_grad():
            field.modulated.out.bias.fill_(extreme)
        material = started(field, reddish, [0])
        assert material.albedo.min() >= 0 and material.albedo.max() <= 1
        assert material.roughness.min() >= 0.08 - 1e-6 and material.roughness.max() <= 0.98 + 1e-6
        assert material.metallic.min() >= 0 and material.metallic.max() <= 0.9 + 1e-6


def test_an_expression_learns_its_own_colour():
    field = make()
    optimiser = torch.optim.Adam(field.parameters(), 1e-2)
    for _ in range(60):
        albedo = field(points(), [0, 1]).albedo
        loss = (albedo[0] - 0.3).square().mean() + (albedo[1] - 0.7).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    albedo = field(points(), [0, 1]).albedo.mean((1, 2))
    assert albedo[0] < 0.4 and albedo[1] > 0.6


def test_prepared_points_give_what_the_points_give():
    field = make()
    prepared = field.prepare(points())
    assert torch.equal(field.at(prepared, [1]).albedo, field(points(), [1]).albedo)


def test_the_state_holds_plain_tensors_only_of_the_field():
    state = make().state_dict()
    storages = [value.untyped_storage().data_ptr() for value in state.values()]
    assert len(set(storages)) == len(storages)
    again = make()
    again.load_state_dict(state)
    assert torch.equal(again(points(), [0]).albedo, make()(points(), [0]).albedo)
