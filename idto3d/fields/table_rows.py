"""What hash grids in plain torch share: rows of a table around each position, and their weighted sums."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

PRIMES = (1, 2654435761, 805459861)  # Mueller et al. 2022, section 3
INITIAL = 1e-4  # features start uniform in -INITIAL..INITIAL


@dataclass(frozen=True, eq=False)
class Corners:
    """Rows [N L, 8] int32 of the table around each position on each level, and their weights [N L, 8]."""

    rows: Tensor
    weights: Tensor


def eight_corners(pairs: Tensor, combine) -> Tensor:
    """Pairs [N, L, 3, 2] per axis to their eight combinations [N, L, 8]; corner 4 dx + 2 dy + dz."""
    x, y, z = pairs.unbind(2)
    together = combine(combine(x[..., :, None, None], y[..., None, :, None]), z[..., None, None, :])
    return together.flatten(2)


def weighted_rows(table: Tensor, rows: Tensor, weights: Tensor) -> Tensor:
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
