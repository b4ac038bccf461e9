"""The box a head lives in, cut into tetrahedra."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

BOX_LOW = (-0.15, -0.21, -0.15)
BOX_HIGH = (0.15, 0.17, 0.15)

# Five tetrahedra of a cell, as corner numbers 4 dx + 2 dy + dz, all of positive volume. Neighbouring cells take turns
# between the two patterns, which are mirror images, so that their diagonals meet.
EVEN_CELL = ((0, 3, 5, 6), (1, 0, 3, 5), (2, 3, 0, 6), (4, 5, 6, 0), (7, 6, 5, 3))
ODD_CELL = ((7, 4, 1, 2), (0, 1, 4, 2), (3, 2, 7, 1), (5, 4, 1, 7), (6, 7, 2, 4))


@dataclass(frozen=True, eq=False)
class TetGrid:
    """A regular lattice over the head's box.

    vertices [N, 3] float32, metres, last axis fastest; shape: vertices along x, y, z; spacing: metres between
    neighbours. The tetrahedra follow from the shape, so they are made when asked for.
    """

    vertices: Tensor
    shape: tuple[int, int, int]
    spacing: float

    @property
    def tets(self) -> Tensor:
        """All tetrahedra [T, 4] int64, positive volume. Large: a fine grid is better asked for a band."""
        cells = torch.cartesian_prod(*(torch.arange(count - 1, device=self.vertices.device) for count in self.shape))
        return cell_tets(self.shape, cells)

    def to(self, device: torch.device | str) -> "TetGrid":
        """The same grid on another device."""
        return replace(self, vertices=self.vertices.to(device))


def make_tet_grid(resolution: int) -> TetGrid:
    """The lattice with `resolution` cells along the longest side of the box.

    The other sides are rounded up to an even number of cells and centred on the box, so that the grid and the mesh
    drawn from it are the same on the left and on the right.
    """
    sides = [high - low for low, high in zip(BOX_LOW, BOX_HIGH, strict=True)]
    spacing = max(sides) / resolution
    cells = [resolution if side == max(sides) else 2 * math.ceil(side / spacing / 2 - 1e-9) for side in sides]
    axes = [
        (low + high) / 2 + (torch.arange(count + 1, dtype=torch.float64) - count / 2) * spacing
        for low, high, count in zip(BOX_LOW, BOX_HIGH, cells, strict=True)
    ]
    shape = tuple(count + 1 for count in cells)
    return TetGrid(torch.cartesian_prod(*axes).float(), shape, spacing)


def corner_offsets(shape: tuple[int, int, int]) -> list[int]:
    """How far the eight corners of a cell lie from its lowest one in the list of vertices; corner 4 dx + 2 dy + dz."""
    along_x, along_y = shape[1] * shape[2], shape[2]
    return [along_x * (corner >> 2) + along_y * (corner >> 1 & 1) + (corner & 1) for corner in range(8)]


def cell_tets(shape: tuple[int, int, int], cells: Tensor) -> Tensor:
    """Tetrahedra [5 C, 4] of the cells [C, 3] (their lowest corner's place along x, y, z), as grid vertex indices."""
    strides = cells.new_tensor([shape[1] * shape[2], shape[2], 1])
    corners = (cells * strides).sum(-1, keepdim=True) + cells.new_tensor(corner_offsets(shape))
    patterns = cells.new_tensor([EVEN_CELL, ODD_CELL])[cells.sum(-1) % 2]
    return corners.gather(1, patterns.flatten(1)).view(-1, 4)
