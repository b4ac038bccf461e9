"""Multiresolution hash grids: a position to a short feature vector (Instant-NGP, Mueller et al. 2022)."""

import math
from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from idto3d.config import HashGridOptions
from idto3d.fields.table_rows import INITIAL, PRIMES, Corners, eight_corners, weighted_rows
from idto3d.fields.tcnn_grid import PARAMETER, WIDTHS, TcnnHashGrid, expect_kernels, kernels

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


class TorchHashGrid(nn.Module):
    """A hash grid in plain torch; all levels at once. Raises ValueError for sizes beyond 32-bit row numbers.

    A level of up to 2^log2_size lattice points is stored densely, a finer one hashed. Level l has
    floor(base growth^l) cells from 0 to 1. The table is not interchangeable with tiny-cuda-nn's, whose lattice differs.
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
        weights = eight_corners(torch.stack([1 - after, after], -1), torch.mul)
        return Corners(self._rows(low).view(-1, 8), weights.reshape(-1, 8))

    def lookup(self, prepared: Corners) -> Tensor:
        """Features [N, levels * features] at prepared positions."""
        return weighted_rows(self.table, prepared.rows, prepared.weights).view(-1, self.out_channels)

    def _rows(self, low: Tensor) -> Tensor:
        """Table rows [N, L, 8] int32 of the corners of the cells `low` [N, L, 3]."""
        along = torch.stack([low, low + 1], -1) * self.strides[..., None]
        dense = eight_corners(along[:, : self.dense_levels], torch.add)
        hashed = eight_corners(along[:, self.dense_levels :], torch.bitwise_xor) & (self.size - 1)
        first = torch.arange(along.shape[1], device=low.device, dtype=torch.int32) * self.size
        return torch.cat([dense, hashed], 1) + first[:, None]

    def _stride(self, count: int) -> tuple[int, ...]:
        """Factors of x, y, z. Only the low bits of a hash are kept, so that its primes may be cut to them."""
        if (count + 1) ** 3 <= self.size:
            return (1, count + 1, (count + 1) ** 2)
        return tuple(prime % self.size for prime in PRIMES)


def make_encoding(
    options: HashGridOptions, device: torch.device | str, generator: torch.Generator | None = None
) -> TorchHashGrid | TcnnHashGrid:
    """The hash grid that `options` ask for on `device`, see `chosen_kind`."""
    device = torch.device(device)
    if chosen_kind(options, device) == "torch":
        return TorchHashGrid(options, generator).to(device)
    return TcnnHashGrid(options, device, generator).to(device)


def expect_encoding(options: HashGridOptions, device: torch.device) -> None:
    """Raise UserError where the kernels that would serve `options` load for `device`, but do not compute on it."""
    if chosen_kind(options, device) == "tcnn":
        expect_kernels(options, device)


def chosen_kind(options: HashGridOptions, device: torch.device) -> str:
    """The kind that `options` name, or where they leave it open tcnn on an accelerator that has it, otherwise torch."""
    if options.kind != "auto":
        return options.kind
    return "tcnn" if options.features in WIDTHS and kernels(device) is not None else "torch"


def kind_among(names: Iterable[str]) -> str:
    """The kind of hash grid in a saved field, by the `names` of its tensors."""
    return "tcnn" if any(name.endswith(f"encoding.{PARAMETER}") for name in names) else "torch"


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
