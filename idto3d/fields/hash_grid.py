"""Multiresolution hash grids: a position to a short feature vector (Instant-NGP, Mueller et al. 2022)."""

import importlib.util
import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from idto3d.config import HashGridOptions

PRIMES = (1, 2654435761, 805459861)  # Mueller et al. 2022, section 3
INITIAL = 1e-4  # features start uniform in -INITIAL..INITIAL
Box = tuple[tuple[float, float, float], tuple[float, float, float]]


class Encoding(Protocol):
    """What turns positions into features.

    For positions that do not change from step to step, keep `prepare(positions01)` and call `lookup` each step.
    """

    out_channels: int

    def __call__(self, positions01: Tensor) -> Tensor:
        """Features [N, out_channels] float32 at `positions01` [N, 3] in 0..1."""

    def prepare(self, positions01: Tensor) -> Any:
        """All that can be computed before the features are known."""

    def lookup(self, prepared: Any) -> Tensor:
        """Features [N, out_channels] float32 at the positions `prepared` was made from."""


@dataclass(frozen=True, eq=False)
class Corners:
    """Rows [N L, 8] int32 of the table around each position on each level, and their weights [N L, 8]."""

    rows: Tensor
    weights: Tensor


class TorchHashGrid(nn.Module):
    """A hash grid in plain torch; all levels at once. Raises ValueError for sizes beyond 32-bit row numbers.

    A level of up to 2^log2_size lattice points is stored densely, a finer one hashed. Level l has
    floor(base growth^l) cells from 0 to 1. The table is not interchangeable with tiny-cuda-nn's.
    """

    def __init__(self, options: HashGridOptions, generator: torch.Generator | None = None):
        super().__init__()
        self.size = 2**options.log2_size
        cells = [math.floor(options.base * options.growth**level + 1e-6) for level in range(options.levels)]
        if max(options.levels, *cells) * self.size >= 2**31:
            raise ValueError(f"a hash grid of {options} needs more than 32 bits")
        self.out_channels = options.levels * options.features
        self.dense_levels = sum((count + 1) ** 3 <= self.size for count in cells)
        self.register_buffer("cells", torch.tensor(cells, dtype=torch.int32), persistent=False)
        self.register_buffer("strides", torch.tensor([self._stride(n) for n in cells]).int(), persistent=False)
        table = torch.rand(options.levels * self.size, options.features, generator=generator)
        self.table = nn.Parameter((table * 2 - 1) * INITIAL)

    def forward(self, positions01: Tensor) -> Tensor:
        """Features [N, levels * features] at `positions01` [N, 3] in 0..1; differentiable in table and positions."""
        return self.lookup(self.prepare(positions01))

    def prepare(self, positions01: Tensor) -> Corners:
        """The eight rows around each position on each level, with trilinear weights."""
        cells = self.cells[:, None]
        scaled = positions01.clamp(0, 1)[:, None] * cells
        low = torch.minimum(scaled.detach().floor().int(), cells - 1)
        after = scaled - low
        weights = _corners(torch.stack([1 - after, after], -1), torch.mul)
        return Corners(self._rows(low).view(-1, 8), weights.reshape(-1, 8))

    def lookup(self, prepared: Corners) -> Tensor:
        """Features [N, levels * features] at prepared positions."""
        return _weighted_rows(self.table, prepared.rows, prepared.weights).view(-1, self.out_channels)

    def _rows(self, low: Tensor) -> Tensor:
        """Table rows [N, L, 8] int32 of the corners of the cells `low` [N, L, 3]."""
        along = torch.stack([low, low + 1], -1) * self.strides[..., None]
        dense = _corners(along[:, : self.dense_levels], torch.add)
        hashed = _corners(along[:, self.dense_levels :], torch.bitwise_xor) & (self.size - 1)
        first = torch.arange(along.shape[1], device=low.device, dtype=torch.int32) * self.size
        return torch.cat([dense, hashed], 1) + first[:, None]

    def _stride(self, count: int) -> tuple[int, ...]:
        """Factors of x, y, z. Only the low bits of a hash are kept, so that its primes may be cut to them."""
        if (count + 1) ** 3 <= self.size:
            return (1, count + 1, (count + 1) ** 2)
        return tuple(prime % self.size for prime in PRIMES)


class TcnnHashGrid(nn.Module):
    """The same grid by tiny-cuda-nn, where that is installed. Raises ImportError where it is not."""

    def __init__(self, options: HashGridOptions, generator: torch.Generator | None = None):
        import tinycudann

        super().__init__()
        self.out_channels = options.levels * options.features
        config = {
            "otype": "HashGrid",
            "n_levels": options.levels,
            "n_features_per_level": options.features,
            "log2_hashmap_size": options.log2_size,
            "base_resolution": options.base,
            "per_level_scale": options.growth,
        }
        seed = int(torch.randint(2**31, (1,), generator=generator))
        self.encoding = tinycudann.Encoding(3, config, seed=seed)

    def forward(self, positions01: Tensor) -> Tensor:
        """Features [N, levels * features] float32 at `positions01` [N, 3] in 0..1."""
        return self.encoding(positions01.clamp(0, 1)).float()

    def prepare(self, positions01: Tensor) -> Tensor:
        """The positions themselves: the fused kernel has nothing to prepare."""
        return positions01

    def lookup(self, prepared: Tensor) -> Tensor:
        """Features [N, levels * features] float32 at prepared positions."""
        return self(prepared)


def make_encoding(
    options: HashGridOptions, device: torch.device | str, generator: torch.Generator | None = None
) -> TorchHashGrid | TcnnHashGrid:
    """The fastest hash grid there is for `device`: tiny-cuda-nn's on an accelerator that has it, otherwise ours."""
    device = torch.device(device)
    fused = device.type != "cpu" and importlib.util.find_spec("tinycudann") is not None
    kind = TcnnHashGrid if fused else TorchHashGrid
    return kind(options, generator).to(device)


class BoxEncoding(nn.Module):
    """A hash grid over a box in metres, beside the position itself (-1..1 along the longest side)."""

    def __init__(
        self, options: HashGridOptions, box: Box, device: torch.device | str, generator: torch.Generator | None = None
    ):
        super().__init__()
        low, high = (torch.tensor(corner, device=device) for corner in box)
        self.register_buffer("low", low, persistent=False)
        self.register_buffer("side", (high - low).max(), persistent=False)
        self.register_buffer("centre", (high + low) / 2, persistent=False)
        self.encoding = make_encoding(options, device, generator)
        self.kind = type(self.encoding).__name__
        self.out_channels = self.encoding.out_channels + 3

    def forward(self, points: Tensor) -> Tensor:
        """Features [N, out_channels] at `points` [N, 3], metres."""
        return self.lookup(self.prepare(points))

    def prepare(self, points: Tensor) -> tuple[Any, Tensor]:
        """All that can be computed before the features are known."""
        position = (points - self.centre) * (2 / self.side)
        return self.encoding.prepare((points - self.low) / self.side), position

    def lookup(self, prepared: tuple[Any, Tensor]) -> Tensor:
        """Features [N, out_channels] at prepared points."""
        return torch.cat([self.encoding.lookup(prepared[0]), prepared[1]], -1)


def _corners(pairs: Tensor, combine) -> Tensor:
    """Pairs [N, L, 3, 2] per axis to their eight combinations [N, L, 8]; corner 4 dx + 2 dy + dz."""
    x, y, z = pairs.unbind(2)
    together = combine(combine(x[..., :, None, None], y[..., None, :, None]), z[..., None, None, :])
    return together.flatten(2)


def _weighted_rows(table: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
    """Sums [M, F] of `table` [R, F] over `rows` [M, 8] with `weights` [M, 8]."""
    return _WeightedRows.apply(table, rows, weights)


class _WeightedRows(torch.autograd.Function):
    # embedding_bag's own backward sorts the rows, which takes fifteen times as long as adding them up.
    @staticmethod
    def forward(ctx, table, rows, weights):
        ctx.save_for_backward(table, rows, weights)
        return nn.functional.embedding_bag(rows, table, per_sample_weights=weights, mode="sum")

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        table, rows, weights = ctx.saved_tensors
        to_table = _scattered(gradient, rows, weights, table) if ctx.needs_input_grad[0] else None
        to_weights = None
        if ctx.needs_input_grad[2]:
            found = table.index_select(0, rows.view(-1)).view(*rows.shape, -1)
            to_weights = (found * gradient[:, None]).sum(-1)
        return to_table, None, to_weights


def _scattered(gradient: Tensor, rows: Tensor, weights: Tensor, table: Tensor) -> Tensor:
    flat = rows.view(-1)
    columns = [
        gradient.new_zeros(len(table)).index_add_(0, flat, (column[:, None] * weights).view(-1))
        for column in gradient.unbind(-1)
    ]
    return torch.stack(columns, -1)
