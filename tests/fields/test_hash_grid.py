import math

import pytest
import torch

from idto3d.config import HashGridOptions
from idto3d.fields.hash_grid import BoxEncoding, TorchHashGrid, make_encoding
from idto3d.fields.table_rows import PRIMES

OPTIONS = HashGridOptions(levels=4, features=2, log2_size=6, base=2, growth=1.8)


def slow_features(table, options, position):
    """The definition, one corner at a time, with 64-bit hashes (Mueller et al. 2022, section 3)."""
    features = []
    size = 2**options.log2_size
    for level in range(options.levels):
        cells = math.floor(options.base * options.growth**level)
        low = [min(int(value * cells), cells - 1) for value in position.tolist()]
        total = torch.zeros(options.features, dtype=table.dtype)
        for corner in range(8):
            place = [low[axis] + (corner >> (2 - axis) & 1) for axis in range(3)]
            near = [1 - (position[axis] * cells - place[axis]).abs() for axis in range(3)]
            total = total + table[level * size + slow_row(place, cells, size)] * near[0] * near[1] * near[2]
        features.append(total)
    return torch.cat(features)


def slow_row(place, cells, size):
    if (cells + 1) ** 3 <= size:
        return place[0] + place[1] * (cells + 1) + place[2] * (cells + 1) ** 2
    mixed = 0
    for value, prime in zip(place, PRIMES, strict=True):
        mixed ^= value * prime
    return mixed % size


def grid_and_points(count=12):
    generator = torch.Generator().manual_seed(3)
    grid = TorchHashGrid(OPTIONS, generator)
    with torch.no_grad():
        grid.table.copy_(torch.randn(grid.table.shape, generator=generator))
    return grid, torch.rand(count, 3, generator=generator)


def test_it_agrees_with_the_definition_on_dense_and_on_hashed_levels():
    grid, points = grid_and_points()
    slow = torch.stack([slow_features(grid.table, OPTIONS, point) for point in points])
    assert 0 < grid.dense_levels < OPTIONS.levels
    assert torch.allclose(grid(points), slow, atol=1e-5)


def test_the_gradients_of_table_and_position_agree_with_the_definition():
    grid, points = grid_and_points(5)
    mix = torch.randn(5, grid.out_channels, generator=torch.Generator().manual_seed(1))
    fast_points, slow_points = points.clone().requires_grad_(), points.clone().requires_grad_()
    fast = torch.autograd.grad((grid(fast_points) * mix).sum(), [grid.table, fast_points])
    looped = torch.stack([slow_features(grid.table, OPTIONS, point) for point in slow_points])
    slow = torch.autograd.grad((looped * mix).sum(), [grid.table, slow_points])
    assert torch.allclose(fast[0], slow[0], atol=1e-5)
    assert torch.allclose(fast[1], slow[1], atol=1e-3)


def test_prepared_positions_follow_the_table():
    grid, points = grid_and_points()
    prepared = grid.prepare(points)
    with torch.no_grad():
        grid.table.mul_(2)
    assert torch.equal(grid.lookup(prepared), grid(points))


def test_the_far_corner_and_positions_outside_the_unit_box_are_safe():
    grid, _ = grid_and_points()
    corner = grid(torch.tensor([[1.0, 1.0, 1.0], [7.0, 2.0, 1.5]]))
    assert corner.isfinite().all()
    assert torch.equal(corner[0], corner[1])


def test_features_are_continuous_across_a_cell_border():
    grid, _ = grid_and_points()
    either_side = torch.tensor([[0.5 - 1e-6, 0.3, 0.3], [0.5 + 1e-6, 0.3, 0.3]])
    first, second = grid(either_side)
    assert torch.allclose(first, second, atol=1e-3)


def test_a_seed_gives_the_same_table_and_leaves_the_global_state_alone():
    before = torch.random.get_rng_state()
    tables = [make_encoding(OPTIONS, "cpu", torch.Generator().manual_seed(5)).table for _ in range(2)]
    assert torch.equal(*tables)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_grid_beyond_32_bits_is_refused():
    with pytest.raises(ValueError, match="32 bits"):
        TorchHashGrid(HashGridOptions(levels=1, log2_size=25, base=4096))


def test_the_processor_gets_the_grid_in_plain_torch():
    assert isinstance(make_encoding(OPTIONS, "cpu"), TorchHashGrid)


def test_a_box_keeps_its_proportions():
    box = ((-0.15, -0.21, -0.15), (0.15, 0.17, 0.15))
    encoding = BoxEncoding(OPTIONS, box, "cpu", torch.Generator().manual_seed(0))
    features = encoding(torch.tensor([box[0], box[1], (0.0, -0.02, 0.0)]))
    assert features.shape == (3, encoding.out_channels)
    assert torch.allclose(features[1, -3:], torch.tensor([0.3, 0.38, 0.3]) / 0.38)
    assert torch.allclose(features[2, -3:], torch.zeros(3), atol=1e-6)
