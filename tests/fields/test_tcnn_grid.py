"""tiny-cuda-nn's lattice: a stand-in of the package and our twin agree, and what the package lacks is said."""

from dataclasses import replace

import fake_tinycudann
import pytest
import torch

from idto3d.config import HashGridOptions
from idto3d.errors import UserError
from idto3d.fields import tcnn_grid
from idto3d.fields.hash_grid import TorchHashGrid, chosen_kind, expect_encoding, kind_among, make_encoding
from idto3d.fields.tcnn_grid import PlainLattice, TcnnHashGrid, substitute

OPTIONS = HashGridOptions(levels=5, features=2, log2_size=7, base=2, growth=1.5)
GPU = torch.device("cuda")


@pytest.fixture
def installed(monkeypatch):
    fake_tinycudann.install(monkeypatch)


def grids(options=OPTIONS):
    """The grid by the package and by its twin, with the same parameters of a visible size, and some positions."""
    fused, plain = (
        TcnnHashGrid(options, device, torch.Generator().manual_seed(0)) for device in (GPU, torch.device("cpu"))
    )
    with torch.no_grad():
        fused.encoding.params.copy_(
            torch.randn(fused.encoding.params.shape, generator=torch.Generator().manual_seed(1))
        )
    plain.load_state_dict(fused.state_dict())
    inside = torch.rand(20, 3, generator=torch.Generator().manual_seed(2))
    return fused, plain, torch.cat([inside, torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [-3.0, 0.5, 7.0]])])


@pytest.mark.parametrize("options", [OPTIONS, HashGridOptions(levels=3, features=4, log2_size=5, base=3, growth=2.0)])
def test_the_package_and_its_twin_agree_in_features_and_gradients(installed, options):
    fused, plain, points = grids(options)
    assert isinstance(fused.encoding, fake_tinycudann.Encoding) and isinstance(plain.encoding, PlainLattice)
    assert 0 < plain.encoding._dense < options.levels
    mix = torch.randn(len(points), fused.out_channels, generator=torch.Generator().manual_seed(3))
    results = []
    for grid in (fused, plain):
        features = grid.lookup(grid.prepare(points))
        (gradient,) = torch.autograd.grad((features * mix).sum(), grid.encoding.params)
        results.append((features, gradient))
    assert results[0][0].shape == (len(points), TorchHashGrid(options).out_channels)
    assert torch.allclose(*(features for features, _ in results), atol=1e-5)
    assert torch.allclose(*(gradient for _, gradient in results), atol=1e-5)


def test_the_twin_passes_gradients_to_positions(installed):
    fused, plain, points = grids()
    inside = points[:20].clone().requires_grad_()
    gradients = [torch.autograd.grad(grid(inside).square().sum(), inside)[0] for grid in (fused, plain)]
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-3)


def test_gradients_too_small_for_half_precision_arrive(installed):
    """As small as those of a distillation loss on a few pixels; the package's own choice of precision loses them."""
    points = torch.rand(4, 3, generator=torch.Generator().manual_seed(2))
    ours = TcnnHashGrid(OPTIONS, GPU).encoding
    own_choice = fake_tinycudann.Encoding(3, ours.config)
    sizes = []
    for grid in (ours, own_choice):
        (gradient,) = torch.autograd.grad(grid(points).float().sum() * 1e-9, grid.params)
        sizes.append(float(gradient.abs().sum()))
    assert sizes[0] == pytest.approx(4 * 10 * 1e-9, rel=1e-3) and sizes[1] == 0


def test_a_whole_number_of_cells_is_no_matter_of_the_last_bit():
    """3 * 2^l: the levels have exactly so many lattice points, not one more."""
    grid = PlainLattice(HashGridOptions(levels=3, features=1, log2_size=24, base=3, growth=2.0), 0)
    assert grid.rows.tolist() == [32, 216, 1728]


def test_a_lattice_beyond_32_bits_is_refused():
    with pytest.raises(ValueError, match="32 bits"):
        PlainLattice(HashGridOptions(levels=1, log2_size=25, base=4096), 0)


def test_a_gpu_gets_the_package_where_it_is_installed_and_can_serve(installed):
    assert chosen_kind(OPTIONS, GPU) == "tcnn" and chosen_kind(OPTIONS, torch.device("cpu")) == "torch"
    three = HashGridOptions(features=3)
    assert chosen_kind(three, GPU) == "torch"
    plain = TcnnHashGrid(HashGridOptions(levels=2, features=3, log2_size=5), GPU)
    assert plain(torch.rand(2, 3)).shape == (2, 6)
    assert substitute(GPU) is None


def test_the_kind_that_is_asked_for_is_made_anywhere():
    kinds = {"torch": TorchHashGrid, "tcnn": TcnnHashGrid}
    for kind, made in kinds.items():
        options = HashGridOptions(levels=2, log2_size=5, kind=kind)
        grid = make_encoding(options, "cpu", torch.Generator().manual_seed(0))
        assert isinstance(grid, made) and chosen_kind(options, GPU) == kind
        assert kind_among(f"field.encoding.encoding.{name}" for name in grid.state_dict()) == kind


def test_without_the_package_a_gpu_gets_our_grid_and_nothing_is_said(monkeypatch):
    fake_tinycudann.uninstall(monkeypatch)
    assert chosen_kind(OPTIONS, GPU) == "torch" and substitute(GPU) is None


@pytest.mark.parametrize(
    "error",
    [
        OSError("Could not find compatible tinycudann extension for compute capability 90."),
        ImportError("tinycudann_bindings/_90_C.so: undefined symbol: _ZN3c10"),
    ],
)
def test_a_package_built_for_another_gpu_is_told_in_a_sentence_and_done_without(monkeypatch, error):
    fake_tinycudann.uninstall(monkeypatch, error)
    assert chosen_kind(OPTIONS, GPU) == "torch" and substitute("cpu") is None
    told = substitute(GPU)
    assert str(error).rstrip(".") in told and "build it again on this machine" in told and told.count(". ") == 0


def test_kernels_that_do_not_start_are_refused_with_a_remedy(monkeypatch, installed):
    def broken(*args, **options):
        raise RuntimeError("no kernel image is available for execution on the device\nmore")

    monkeypatch.setattr(fake_tinycudann, "Encoding", broken)
    with pytest.raises(UserError, match="no kernel image .*uninstall") as refusal:
        TcnnHashGrid(OPTIONS, GPU)
    assert "more" not in str(refusal.value)
    assert tcnn_grid.kernels(torch.device("cpu")) is None


@pytest.mark.parametrize("where", ["Encoding", "Encoding.forward"])
def test_kernels_that_would_be_used_are_tried_beforehand(monkeypatch, installed, where):
    expect_encoding(OPTIONS, GPU)

    def broken(*args, **options):
        raise RuntimeError("no kernel image is available for execution on the device\nmore")

    monkeypatch.setattr(f"fake_tinycudann.{where}", broken)
    with pytest.raises(UserError, match="no kernel image .*uninstall"):
        expect_encoding(OPTIONS, GPU)
    expect_encoding(replace(OPTIONS, kind="torch"), GPU)
    expect_encoding(replace(OPTIONS, features=3), GPU)
    expect_encoding(replace(OPTIONS, kind="tcnn"), torch.device("cpu"))
