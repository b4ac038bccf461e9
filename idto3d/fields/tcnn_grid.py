"""Hash grids on the lattice of tiny-cuda-nn: by its kernels on a GPU that has them, in plain torch everywhere else.

Both read the same parameters, so that what was learned by the one goes on with the other. The lattice, from the
package's documentation and source: level l has s + 1 lattice points a side for s = ceil(base growth^l - 1), positions
lie half a cell off, a level is stored densely where 2^log2_size rows hold it, rounded up to 8, and levels follow one
another without gaps.
"""

import math
from dataclasses import replace
from types import ModuleType

import torch
from torch import Tensor, nn

from idto3d.config import HashGridOptions
from idto3d.errors import UserError
from idto3d.fields.table_rows import INITIAL, PRIMES, Corners, eight_corners, weighted_rows

PARAMETER = "params"  # what tiny-cuda-nn calls its one flat parameter
WIDTHS = (1, 2, 4, 8)  # features per level that its kernels are made for
ROUNDED_TO = 8  # rows
# The package finds s in single precision. Where base growth^l is a whole number, the last bit would decide about a row
# of lattice points, and may fall otherwise on a GPU; a hair less growth leaves no doubt.
HAIR = 2.0**-19
LEAST_SIZE = 8  # binary logarithm of the rows of a grid that is only tried
REMEDY = "build it again on this machine"


def kernels(device: torch.device) -> ModuleType | None:
    """The package tinycudann, None where it cannot serve `device`."""
    if device.type == "cpu" or fault() is not None:
        return None
    import tinycudann

    return tinycudann


def fault() -> ImportError | OSError | None:
    """What keeps tiny-cuda-nn from loading. It raises OSError where it was built for another GPU."""
    try:
        import tinycudann  # noqa: F401
    except (ImportError, OSError) as error:
        return error
    return None


def substitute(device: torch.device | str) -> str | None:
    """A sentence where tiny-cuda-nn is installed but does not load for `device`, so that plain torch does its work."""
    error = None if torch.device(device).type == "cpu" else fault()
    if error is None or getattr(error, "name", None) == "tinycudann":
        return None
    reason = f"tiny-cuda-nn was built for another GPU or torch ({_first_line(error)})"
    return f"Hash grids compute in plain torch, more slowly than this GPU could: {reason}; {REMEDY}."


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


class TcnnHashGrid(nn.Module):
    """A hash grid on tiny-cuda-nn's lattice for `device`, in single precision: half would lose small gradients."""

    def __init__(self, options: HashGridOptions, device: torch.device, generator: torch.Generator | None = None):
        """Raises UserError where the package loads, but does not compute on this GPU."""
        super().__init__()
        self.out_channels = options.levels * options.features
        package, seed = kernels(device), int(torch.randint(2**31, (1,), generator=generator))
        self._fused = package is not None and options.features in WIDTHS
        self.encoding = _fused(package, options, seed) if self._fused else PlainLattice(options, seed)

    def forward(self, positions01: Tensor) -> Tensor:
        """Features [N, levels * features] float32 at `positions01` [N, 3] in 0..1."""
        return self.lookup(self.prepare(positions01))

    def prepare(self, positions01: Tensor) -> Tensor | Corners:
        """The positions themselves where fused kernels have nothing to prepare, otherwise rows and weights."""
        inside = positions01.clamp(0, 1)
        return inside if self._fused else self.encoding.prepare(inside)

    def lookup(self, prepared: Tensor | Corners) -> Tensor:
        """Features [N, levels * features] float32 at prepared positions."""
        return self.encoding(prepared).float()


def _fused(package: ModuleType, options: HashGridOptions, seed: int) -> nn.Module:
    """The package's own module."""
    config = {
        "otype": "HashGrid",
        "n_levels": options.levels,
        "n_features_per_level": options.features,
        "log2_hashmap_size": options.log2_size,
        "base_resolution": options.base,
        "per_level_scale": _growth(options),
    }
    try:
        return package.Encoding(3, config, seed=seed, dtype=torch.float32)
    except RuntimeError as error:
        raise _refusal(error) from error


def _refusal(error: RuntimeError) -> UserError:
    what = f"tiny-cuda-nn does not compute on this GPU: {_first_line(error)}."
    remedy = f"Either {REMEDY}, or uninstall it (python -m pip uninstall tinycudann); heads are made without it too."
    return UserError(what, remedy)


def expect_kernels(options: HashGridOptions, device: torch.device) -> None:
    """Raise UserError where the package loads for `device` but does not compute there: a grid of one level is asked."""
    grid = TcnnHashGrid(replace(options, levels=1, log2_size=LEAST_SIZE), device)
    try:
        if grid._fused:
            grid(_somewhere(device))
    except RuntimeError as error:
        raise _refusal(error) from error


def _somewhere(device: torch.device) -> Tensor:
    return torch.full((1, 3), 0.5, device=device)


def _growth(options: HashGridOptions) -> float:
    return options.growth * (1 - HAIR)


class PlainLattice(nn.Module):
    """The twin of `tinycudann.Encoding` in plain torch; its one parameter has the same name, shape and meaning.

    Raises ValueError for sizes beyond 32-bit row numbers.
    """

    def __init__(self, options: HashGridOptions, seed: int):
        super().__init__()
        self._channels, size = options.levels * options.features, 2**options.log2_size
        scales = [options.base * _growth(options) ** level - 1 for level in range(options.levels)]
        points = [math.ceil(scale) + 1 for scale in scales]
        rows = [min(ROUNDED_TO * math.ceil(count**3 / ROUNDED_TO), size) for count in points]
        if max(sum(rows), size * max(points)) >= 2**31:
            raise ValueError(f"a hash grid of {options} needs more than 32 bits")
        self._dense = sum(count**3 <= size for count in points)
        strides = [(1, n, n * n) if n**3 <= size else tuple(prime % size for prime in PRIMES) for n in points]
        first = [sum(rows[:level]) for level in range(options.levels)]
        for name, values in (("scales", scales), ("strides", strides), ("rows", rows), ("first", first)):
            kind = torch.float32 if name == "scales" else torch.int32
            self.register_buffer(name, torch.tensor(values, dtype=kind), persistent=False)
        self._total = sum(rows)
        table = torch.rand(self._total * options.features, generator=torch.Generator().manual_seed(seed))
        self.params = nn.Parameter((table * 2 - 1) * INITIAL)

    def forward(self, prepared: Corners) -> Tensor:
        """Features [N, levels * features] at prepared positions."""
        table = self.params.view(self._total, -1)
        return weighted_rows(table, prepared.rows, prepared.weights).view(-1, self._channels)

    def prepare(self, positions01: Tensor) -> Corners:
        """The eight rows around each position [N, 3] in 0..1 on each level, with trilinear weights."""
        scaled = positions01[:, None] * self.scales[:, None] + 0.5
        low = scaled.detach().floor()
        after = scaled - low
        weights = eight_corners(torch.stack([1 - after, after], -1), torch.mul)
        return Corners(self._rows(low.int()).view(-1, 8), weights.reshape(-1, 8))

    def _rows(self, low: Tensor) -> Tensor:
        """Rows [N, L, 8] int32 of the corners of the cells `low` [N, L, 3]; dense ones go round at the end."""
        along = torch.stack([low, low + 1], -1) * self.strides[..., None]
        dense = eight_corners(along[:, : self._dense], torch.add) % self.rows[: self._dense, None]
        hashed = eight_corners(along[:, self._dense :], torch.bitwise_xor) & (self.rows[self._dense :, None] - 1)
        return torch.cat([dense, hashed], 1) + self.first[:, None]
