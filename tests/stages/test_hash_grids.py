"""A stage that was begun on a machine with tiny-cuda-nn goes on where there is none, and back; and the other way round.

What cannot carry over: the bits. The package and its twin add in another order, so that a run that changes machines
agrees with one that stays to rounding. And a run keeps the lattice it was begun with, also where another is faster.
"""

from dataclasses import dataclass

import fake_nvdiffrast
import fake_tinycudann
import pytest
import torch

from idto3d.config import HashGridOptions, MaterialOptions, ShapeOptions
from idto3d.fields import hash_grid, tcnn_grid
from idto3d.fields.material_field import MaterialField
from idto3d.fields.template_shape import Displacement
from idto3d.stages.notices import substitutes
from idto3d.stages.optimise import Optimiser
from idto3d.stages.saved import as_begun

GRID = HashGridOptions(levels=3, features=2, log2_size=6, base=2, growth=1.7)
POINTS = torch.rand(30, 3, generator=torch.Generator().manual_seed(5)) * 0.2 - 0.1


@dataclass(frozen=True)
class Saved:
    """A checkpoint."""

    step: int
    tensors: dict


@pytest.fixture
def machine(monkeypatch):
    """Be on a machine with tiny-cuda-nn, or on one without."""

    def move(fused):
        for module in (tcnn_grid, hash_grid):
            monkeypatch.setattr(module, "kernels", lambda device: fake_tinycudann if fused else None)

    return move


def painting(options, random):
    field = MaterialField(("neutral",), options, ((-0.1,) * 3, (0.1,) * 3), generator=random)
    return field, lambda: field(POINTS, [0]).albedo


def shaping(options, random):
    field = Displacement(POINTS, 1, options, random)
    return field, lambda: 1000 * field([0])[0]


MAKERS = {"material": (painting, MaterialOptions(hash_grid=GRID)), "shape": (shaping, ShapeOptions(hash_grid=GRID))}


def worked(stage, saved, steps):
    """That stage's optimisation, gone on from `saved` up to `steps`: its checkpoint, grid and values."""
    maker, options = MAKERS[stage]
    random = torch.Generator().manual_seed(1)
    field, values = maker(as_begun(options, saved), random)
    optimiser = Optimiser(field, [(list(field.parameters()), 0.02)], 9)
    if saved is not None:
        optimiser.load(saved.tensors, saved.step, random)
    while optimiser.step_count < steps:
        optimiser.step((values() - torch.rand((), generator=random)).square().mean())
    tensors = {name: value.detach().clone() for name, value in optimiser.tensors(random).items()}
    return Saved(optimiser.step_count, tensors), field.encoding.encoding, values().detach()


@pytest.mark.parametrize("stage", MAKERS)
@pytest.mark.parametrize("route", [(True, False, True), (False, True, False)])
def test_a_stage_moves_between_machines_and_becomes_what_it_would_have_been(machine, stage, route):
    machine(route[0])
    _, grid, expected = worked(stage, None, 9)
    saved = None
    for fused, steps in zip(route, (3, 6, 9), strict=True):
        machine(fused)
        saved, now, values = worked(stage, saved, steps)
        assert type(now) is type(grid) and values.std() > 0
    assert torch.allclose(values, expected, rtol=1e-3, atol=1e-4)
    assert isinstance(grid, tcnn_grid.TcnnHashGrid) == route[0]


def test_what_computes_more_slowly_than_it_could_is_said_once_each(monkeypatch):
    fake_nvdiffrast.uninstall(monkeypatch)
    fake_tinycudann.uninstall(monkeypatch, OSError("Could not find compatible tinycudann extension"))
    told = [notice.text for notice in substitutes(torch.device("cuda"))]
    assert [text.split(" ", 1)[0] for text in told] == ["Heads", "Hash"]
    assert not list(substitutes(torch.device("cpu")))
