"""Scalar fields on a regular lattice around a head, read anywhere by linear interpolation. Metres."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import map_coordinates

LOW, HIGH = np.array([-0.165, -0.225, -0.170]), np.array([0.165, 0.190, 0.160])  # of the box that hair lies in, metres


@dataclass(frozen=True)
class Lattice:
    """The box from `low` [3] in steps of `spacing` metres; shape: points along x, y, z."""

    low: np.ndarray
    spacing: float
    shape: tuple[int, int, int]

    @cached_property
    def points(self) -> np.ndarray:
        """[N, 3] float64 metres, the last axis fastest."""
        return np.indices(self.shape).reshape(3, -1).T * self.spacing + self.low


@dataclass(frozen=True, eq=False)
class Field:
    """values [X, Y, Z] at the points of a lattice; metres where it is a distance."""

    lattice: Lattice
    values: np.ndarray

    def at(self, points: np.ndarray) -> np.ndarray:
        """[N] the field at `points` [N, 3]; beyond the box the nearest value inside."""
        return self._read(self.values, points)

    def slope(self, points: np.ndarray) -> np.ndarray:
        """[N, 3] the gradient at `points` [N, 3], per metre."""
        return np.stack([self._read(part, points) for part in self._gradient], -1)

    @cached_property
    def _gradient(self) -> list[np.ndarray]:
        return np.gradient(self.values, self.lattice.spacing)

    def _read(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        place = (points - self.lattice.low).T / self.lattice.spacing
        return map_coordinates(values, place, order=1, mode="nearest")


def head_lattice(spacing: float) -> Lattice:
    """The lattice over LOW to HIGH in steps of `spacing` metres."""
    return Lattice(LOW, spacing, tuple(int(n) for n in np.ceil((HIGH - LOW) / spacing) + 1))


def resampled(field: Field, lattice: Lattice) -> Field:
    """The field read at the points of another lattice."""
    return Field(lattice, field.at(lattice.points).reshape(lattice.shape))


def normalised(vectors: np.ndarray) -> np.ndarray:
    """`vectors` [..., C] of length 1; those without length stay zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
