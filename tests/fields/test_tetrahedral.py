"""The tetrahedral carrier keeps its band, its last good state, and goes on as if it had never stopped."""

from dataclasses import replace

import pytest
import torch
from lively import EXPRESSIONS, OPTIONS, LivelyPrior, begun

from idto3d.fields.tetrahedral import TetrahedralShape
from idto3d.head.shape import ShapeVanished


def carrier(band_cells: float = 2.0) -> TetrahedralShape:
    options = replace(OPTIONS, band_cells=band_cells)
    return TetrahedralShape(begun(0.1), LivelyPrior(), EXPRESSIONS, options, torch.Generator().manual_seed(0))


def learn(shape: TetrahedralShape, steps: range) -> None:
    """Steps towards a larger head, each the same whenever it is made."""
    for step in steps:
        shape.refresh(step)
        shape.module.zero_grad()
        (-shape.grow([0, 1]).head.joined().positions.norm(dim=-1).mean()).backward()
        with torch.no_grad():
            for value in shape.module.parameters():
                value -= 0.02 * value.grad


def test_a_fresh_carrier_gives_one_closed_part_in_the_expressions_asked_for():
    grown = carrier().grow([1])
    (part,) = grown.head.parts
    assert (part.name, part.material, grown.head.expressions) == ("head", "skin", ("mouth stretch",))
    assert part.displacements.shape == (1, *part.vertices.shape)
    assert grown.strayed == 0 and grown.shifted == 0 and grown.roughness > 0


@pytest.mark.parametrize("stop", range(1, 6))
def test_a_carrier_that_was_saved_goes_on_bit_for_bit(stop):
    whole, first, second = carrier(), carrier(), carrier()
    learn(whole, range(7))
    learn(first, range(stop))
    state = {name: value.clone() for name, value in first.module.state_dict().items()}
    kept = {name: value.clone() for name, value in first.kept().items()}
    second.module.load_state_dict(state)
    second.restore(kept)
    learn(second, range(stop, 7))
    expected = whole.module.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in second.module.state_dict().items())
    assert all(torch.equal(value, whole.kept()[name]) for name, value in second.kept().items())
    ours, theirs = (shape.finished().parts[0] for shape in (second, whole))
    assert torch.equal(ours.vertices, theirs.vertices) and torch.equal(ours.displacements, theirs.displacements)


def test_the_band_alone_is_evaluated_anew():
    shape = carrier()
    before = shape.kept()["band.sdf"]
    with torch.no_grad():
        shape.module.z.fill_(0.3)
    shape.refresh(2)
    changed = (shape.kept()["band.sdf"] != before).float().mean()
    assert 0 < changed < 0.7 and shape.kept()["band.z"].item() == pytest.approx(0.3)


@pytest.mark.parametrize("moment", ["grow", "refresh"])
def test_a_shape_that_vanishes_goes_back_to_its_last_good_state(moment):
    shape = carrier(band_cells=20.0)  # so wide that no border holds the inside in place
    learn(shape, range(2))
    shape.refresh(2)
    good = {name: value.clone() for name, value in shape.module.state_dict().items()}
    with torch.no_grad():
        shape.module.residual.out.bias[0] = 1e3
    with pytest.raises(ShapeVanished):
        shape.grow([0]) if moment == "grow" else shape.refresh(4)
    assert all(torch.equal(value, good[name]) for name, value in shape.module.state_dict().items())
    assert len(shape.grow([0]).head.parts[0].faces) > 100


def test_hair_and_beards_are_no_skin():
    shape = TetrahedralShape(begun(0.1, hair_style="bun"), LivelyPrior(), EXPRESSIONS, OPTIONS)
    points = torch.tensor([[0.0, 0.15, 0.0], [0.0, -0.145, 0.0]])  # on the bun, on the chin
    assert shape.skin_share(points).tolist() == [0.0, 1.0]
    assert carrier().skin_share(points).tolist() == [1.0, 1.0]
