"""The template's carrier starts at rest, moves where it may, learns, and goes on as if it had never stopped."""

from dataclasses import replace

import pytest
import torch
from lively import OPTIONS
from render.conftest import make_sphere

from idto3d.fields.template_shape import Rest, TemplateShape
from idto3d.geometry.mesh import vertex_normals
from idto3d.head.parts import Head, Part
from idto3d.render.backend import make_rasterizer
from idto3d.stages.optimise import Optimiser

EXPRESSIONS = ("neutral", "mouth stretch", "smile")
LEARNED = 2
MOVE_M = 0.02  # metres by which the lower half drops


def rest() -> Rest:
    """A ball whose lower half drops in two expressions and whose back must stay, with one eye."""
    vertices, faces = make_sphere(8)
    drop = torch.zeros(len(EXPRESSIONS), len(vertices), 3)
    drop[1:, vertices[:, 1] < 0, 1] = -MOVE_M
    eye, own = vertices * 0.2 + torch.tensor([0.0, 0.03, 0.09]), faces
    skin = Part("skin", vertices, faces, drop, "skin")
    eye = Part("eye_left", eye, own, torch.zeros(len(EXPRESSIONS), len(eye), 3), "eyes")
    free, held = (vertices[:, 2] > 0).float(), torch.ones(len(vertices))
    return Rest(Head(EXPRESSIONS, (skin, eye)), free, held, torch.tensor([1.0, 2.0]))


@pytest.fixture
def begun():
    return rest()


def carrier(begun) -> TemplateShape:
    return TemplateShape(begun, LEARNED, OPTIONS, make_rasterizer("cpu"), torch.Generator().manual_seed(0))


def pushed(begun, along=0.0, moved=(0.0, 0.0, 0.0)) -> TemplateShape:
    """A carrier whose networks answer the same everywhere."""
    shape = carrier(begun)
    with torch.no_grad():
        shape.module.residual.out.bias.fill_(along)
        shape.module.modulated.out.bias.copy_(torch.tensor(moved))
    return shape


def test_a_fresh_carrier_is_exactly_at_rest(begun):
    head, grown = carrier(begun).finished(), carrier(begun).grow([0, 1])
    assert head.expressions == EXPRESSIONS and [part.name for part in head.parts] == ["skin", "eye_left"]
    for made, given in zip(head.parts, begun.head.parts, strict=True):
        assert torch.equal(made.vertices, given.vertices) and torch.equal(made.displacements, given.displacements)
    assert grown.strayed == 0 and grown.roughness == 0 and grown.shifted == 0
    assert torch.equal(carrier(begun).coefficients(), begun.coefficients)


def test_the_head_has_the_expressions_that_are_asked_for(begun):
    head = carrier(begun).grow([1]).head
    assert head.expressions == ("mouth stretch",)
    assert torch.equal(head.parts[0].displacements, begun.head.parts[0].displacements[1:2])
    assert len(head.parts[1].displacements) == 1


def test_the_surface_moves_along_its_normals_and_only_where_it_is_free(begun):
    skin = begun.head.parts[0]
    moved = pushed(begun, along=0.4).finished().parts[0].vertices - skin.vertices
    length = OPTIONS.residual_scale * 0.4
    expected = length * begun.free[:, None] * vertex_normals(skin.vertices, skin.faces)
    assert torch.allclose(moved, expected, atol=1e-7) and moved[begun.free > 0].norm(dim=1).min() > 0.9 * length
    assert not moved[begun.free == 0].any()


def test_expressions_change_where_the_template_moves_and_is_free(begun):
    head = pushed(begun, moved=(0.0, 0.0, 0.6)).finished()
    given = begun.head.parts[0].displacements
    change = head.parts[0].displacements - given
    lively = (given[1].norm(dim=1) > 0) & (begun.free > 0)
    assert torch.allclose(change[1][lively], torch.tensor([0.0, 0.0, 0.6 * OPTIONS.warp_scale]), atol=1e-7)
    assert not change[1][~lively].any() and not change[0].any() and lively.sum() > 10


def test_expressions_that_are_not_learned_move_as_the_template(begun):
    head = pushed(begun, along=0.4, moved=(0.3, 0.3, 0.6)).finished()
    assert torch.equal(head.parts[0].displacements[LEARNED:], begun.head.parts[0].displacements[LEARNED:])


def test_other_parts_keep_their_shape(begun):
    head = pushed(begun, along=0.4, moved=(0.3, 0.3, 0.6)).finished()
    assert torch.equal(head.parts[1].vertices, begun.head.parts[1].vertices)
    assert torch.equal(head.parts[1].displacements, begun.head.parts[1].displacements)


def test_while_it_grows_it_is_what_it_will_be(begun):
    shape = pushed(begun, along=0.4, moved=(0.1, 0.2, 0.3))
    grown, head = shape.grow([1, 0]).head, shape.finished()
    assert torch.equal(grown.parts[0].vertices, head.parts[0].vertices)
    assert torch.equal(grown.parts[0].displacements, head.parts[0].displacements[[1, 0]])


def test_straying_is_counted_in_square_millimetres_and_more_where_it_is_held(begun):
    along = 1 / (1000 * OPTIONS.residual_scale)  # a millimetre
    assert pushed(begun, along=along).grow([0]).strayed.item() == pytest.approx(1.0, rel=1e-5)
    held = replace(begun, held=torch.full_like(begun.held, 4.0))
    assert pushed(held, along=along).grow([0]).strayed.item() == pytest.approx(4.0, rel=1e-5)
    assert pushed(begun, moved=(0.1, 0, 0)).grow([1]).strayed > 0


def loss_of(shape, generator):
    """A wish for a larger head, from a random side."""
    grown = shape.grow([0, 1])
    side = torch.randn(3, generator=generator)
    return -(grown.head.joined().positions @ side).abs().mean() + 0.1 * grown.roughness


def test_every_parameter_learns_after_the_first_step(begun):
    shape, generator = carrier(begun), torch.Generator().manual_seed(1)
    optimiser = torch.optim.SGD(shape.module.parameters(), 10.0)
    for _ in range(2):
        optimiser.zero_grad()
        loss_of(shape, generator).backward()
        optimiser.step()
    without = [name for name, value in shape.module.named_parameters() if value.grad is None or not value.grad.any()]
    assert without == []
    ((parameters, rate),) = shape.groups()
    assert rate == OPTIONS.learning_rate and len(parameters) == len(list(shape.module.parameters()))


def test_learning_pulls_the_surface_towards_a_goal(begun):
    shape, losses = carrier(begun), []
    optimiser = torch.optim.Adam(shape.module.parameters(), 5e-3)
    for _ in range(10):
        skin = shape.grow([0]).head.parts[0]
        loss = (skin.vertices[begun.free > 0].norm(dim=1) - 0.102).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.4 * losses[0]


def test_a_carrier_that_was_saved_goes_on_bit_for_bit(begun):
    def run(shape, optimiser, generator, steps):
        for _ in range(steps):
            optimiser.step(loss_of(shape, generator))

    def fresh():
        shape = carrier(begun)
        return shape, Optimiser(shape.module, shape.groups(), 4), torch.Generator().manual_seed(2)

    whole, first, second = fresh(), fresh(), fresh()
    run(*whole, 4)
    run(*first, 2)
    saved = {name: value.clone() for name, value in (first[1].tensors(first[2]) | first[0].kept()).items()}
    second[1].load(saved, 2, second[2])
    second[0].restore(saved)
    run(*second, 2)
    for made in (whole, second):
        made[1].settle()
    ours, theirs = second[0].finished().parts[0], whole[0].finished().parts[0]
    assert torch.equal(ours.vertices, theirs.vertices) and torch.equal(ours.displacements, theirs.displacements)
    assert not torch.equal(ours.vertices, begun.head.parts[0].vertices)
