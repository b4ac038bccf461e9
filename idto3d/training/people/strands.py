"""Strands: combed ridges along a coordinate that is constant along each strand, round locks, and fine bumps."""

import numpy as np


def combed(across: np.ndarray, path: np.ndarray, random: np.random.Generator, clump: float, fine: float) -> np.ndarray:
    """Height in metres of combed hair: pointed valleys between clumps and finer ridges within them.

    across: metres across the strands. path: 0..1 along them. clump, fine: depths in metres.
    """
    height = np.zeros(np.broadcast_shapes(across.shape, path.shape), np.float32)
    for wavelength in random.uniform(0.015, 0.028, 2):
        phase, bend, turn = random.uniform(0, 2 * np.pi, 3)
        warp = 0.7 * np.sin(2.6 * path + bend) + 0.5 * np.sin(across / 0.043 + turn)
        height += clump / 2 * np.abs(np.sin(np.pi * across / wavelength + phase + warp)) ** 0.8
    for wavelength in random.uniform(0.0075, 0.0105, 2):
        phase, bend = random.uniform(0, 2 * np.pi, 2)
        height += fine / 2 * np.sin(2 * np.pi * across / wavelength + phase + 1.5 * np.sin(3.1 * path + bend))
    return height


def ringlets(azimuth: np.ndarray, length: np.ndarray, random: np.random.Generator, depth: float) -> np.ndarray:
    """Height in metres of round locks side by side, each with diagonal grooves as a spiral has.

    azimuth: radians around the head. length: metres along the locks. depth: of the grooves, metres.
    """
    count = int(random.integers(22, 30))
    phase, bend = random.uniform(0, 2 * np.pi, 2)
    place = azimuth * count / (2 * np.pi) + 0.35 * np.sin(length / 0.02 + bend + 2 * azimuth)
    lock, within = np.floor(place).astype(int), place - np.floor(place) - 0.5
    shift = random.uniform(0, 2 * np.pi, count)[lock % count]
    pitch = random.uniform(0.019, 0.026, count)[lock % count]
    hand = np.where(random.uniform(size=count) < 0.5, -1, 1)[lock % count]
    round_ = np.sqrt(np.clip(1 - (1.9 * within) ** 2, 0, 1))
    turns = 0.5 + 0.5 * np.sin(2 * np.pi * length / pitch + hand * np.pi * within + shift + phase)
    return (depth * (0.75 * round_ + 0.7 * turns - 0.6)).astype(np.float32)


def bumps(points: np.ndarray, random: np.random.Generator, finest: float, coarsest: float) -> np.ndarray:
    """Smooth noise about -1..1 at `points` [..., 3], of wavelengths `finest`..`coarsest` metres."""
    total = np.zeros(points.shape[:-1], np.float32)
    for wavelength in np.geomspace(finest, coarsest, 4):
        direction = random.normal(size=(3, 3))
        direction *= 2 * np.pi / wavelength / np.linalg.norm(direction, axis=1, keepdims=True)
        phase = random.uniform(0, 2 * np.pi, 3)
        waves = np.sin(points @ direction.T.astype(np.float32) + phase.astype(np.float32))
        total += waves @ np.full(3, 1 / 3, np.float32)
    return total / 1.6


def tone(across: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Brightness of strands, about 0.75..1.25, at `across` metres across them."""
    total = np.ones(across.shape, np.float32)
    for wavelength in random.uniform(0.006, 0.03, 4):
        total += 0.075 * np.sin(2 * np.pi * across / wavelength + random.uniform(0, 2 * np.pi))
    return total
