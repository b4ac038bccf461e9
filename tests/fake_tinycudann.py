"""Stands for `tinycudann` on a machine without a GPU: its hash grid from the definition, a corner at a time.

Half precision unless another is asked for: features and the gradients that come back through them are rounded to it,
and what is too small is lost. The parameter is one flat tensor in single precision.
"""

import math
import sys

import torch
from torch import nn

from idto3d.fields import tcnn_grid

PRIMES = (1, 2654435761, 805459861)


class Encoding(nn.Module):
    """The hash grid that `encoding_config` describes, for three dimensions."""

    def __init__(self, n_input_dims, encoding_config, seed=1337, dtype=None):
        super().__init__()
        assert n_input_dims == 3 and encoding_config["otype"] == "HashGrid"
        if encoding_config["n_features_per_level"] not in (1, 2, 4, 8):
            raise RuntimeError("number of features per level must be 1, 2, 4 or 8")
        self.config, self.dtype, self.n_input_dims = encoding_config, dtype or torch.half, n_input_dims
        self.n_output_dims = encoding_config["n_levels"] * encoding_config["n_features_per_level"]
        rows = sum(self._rows(level) for level in range(encoding_config["n_levels"]))
        random = torch.Generator().manual_seed(seed)
        table = torch.rand(rows * encoding_config["n_features_per_level"], generator=random)
        self.params = nn.Parameter((table * 2 - 1) * 1e-4)

    def _scale(self, level):
        return self.config["base_resolution"] * self.config["per_level_scale"] ** level - 1

    def _points(self, level):
        return math.ceil(self._scale(level)) + 1

    def _rows(self, level):
        return min(-(-(self._points(level) ** 3) // 8) * 8, 2 ** self.config["log2_hashmap_size"])

    def forward(self, x):
        """Features [N, n_output_dims] of that precision at `x` [N, 3] in 0..1."""
        assert x.dtype == torch.float32 and x.min() >= 0 and x.max() <= 1
        table = self.params.to(self.dtype).view(-1, self.config["n_features_per_level"])
        levels, first = [], 0
        for level in range(self.config["n_levels"]):
            levels.append(self._level(x, level, table[first : first + self._rows(level)]))
            first += self._rows(level)
        return torch.cat(levels, 1)

    def _level(self, x, level, table):
        position = x * self._scale(level) + 0.5
        cell = position.detach().floor()
        part, total = position - cell, 0
        for corner in range(8):
            weight, place = 1.0, []
            for axis in range(3):
                up = corner >> axis & 1
                weight = weight * (part[:, axis] if up else 1 - part[:, axis])
                place.append(cell[:, axis].long() + up)
            rows = torch.tensor([self._row(*point, level) for point in zip(*(p.tolist() for p in place), strict=True)])
            total = total + weight.to(self.dtype)[:, None] * table[rows]
        return total

    def _row(self, x, y, z, level):
        points, rows = self._points(level), self._rows(level)
        if rows < points**3:
            return ((x * PRIMES[0]) ^ (y * PRIMES[1] % 2**32) ^ (z * PRIMES[2] % 2**32)) % rows
        return (x + y * points + z * points**2) % rows


def install(monkeypatch):
    """Have `import tinycudann` find this module, which is tried on the CPU."""
    somewhere = tcnn_grid._somewhere
    monkeypatch.setattr(tcnn_grid, "_somewhere", lambda _device: somewhere("cpu"))
    monkeypatch.setitem(sys.modules, "tinycudann", sys.modules[__name__])


def uninstall(monkeypatch, error=None):
    """Have it fail: as if not installed, or with `error`."""
    monkeypatch.delitem(sys.modules, "tinycudann", raising=False)
    error = error or ModuleNotFoundError("No module named 'tinycudann'", name="tinycudann")
    monkeypatch.setattr(sys, "meta_path", [_Broken(error), *sys.meta_path])


class _Broken:
    """Finds tinycudann, and fails when it is read."""

    def __init__(self, error):
        self._error = error

    def find_spec(self, name, path=None, target=None):
        if name == "tinycudann":
            raise self._error
        return None
