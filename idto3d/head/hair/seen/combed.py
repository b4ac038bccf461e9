"""Which way the hair in a photo is combed: the strands' directions in it, and the parting that explains them best."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, sobel

from idto3d.head.hair.comb import Back, Comb, Parting, Whorl
from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import MeanSpace
from idto3d.head.hair.seen.view import HairView
from idto3d.head.hair.volume import HairVolume

FINE, BROAD = 1.0, 0.008  # pixels of a strand's edge; metres over which directions agree
OFFSETS = (-0.045, -0.032, -0.018, 0.0, 0.018, 0.032, 0.045)  # of partings that are tried, metres
TRUST = 2.5  # weight of what a picture shows, at full coherence, against the comb that is guessed
PARTED = 0.6  # how deep a parting that is guessed shows


@dataclass(frozen=True, eq=False)
class Grain:
    """Directions of strands in a view: turn [S, S, 2], cosine and sine of twice the angle from the right, times 0..1.

    Its length says how sure the direction is; it is 0 outside the hair.
    """

    view: HairView
    turn: np.ndarray

    def ways(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[N, 3] unit directions along the strands seen at `points`, `HairView.upright`, and how sure, [N] 0..1."""
        turn = self.view.read(self.turn, self.view.project(points)[0])
        angle = 0.5 * np.arctan2(turn[:, 1], turn[:, 0])
        way = np.outer(np.cos(angle), self.view.c2w[:3, 0]) - np.outer(np.sin(angle), self.view.c2w[:3, 1])
        return self.view.upright(points, way), np.linalg.norm(turn, axis=1)


def read_grain(view: HairView) -> Grain:
    """The structure tensor's direction of least change, over all hair pixels (Bigun and Granlund 1987)."""
    sharp = np.log(view.colour.mean(-1) + 0.01)
    sharp = gaussian_filter(sharp, FINE)
    dx, dy = sobel(sharp, 1), sobel(sharp, 0)
    inner = (view.to_hair < -2.5).astype(float)
    spread = BROAD / view.metres_per_pixel()
    xx, yy, xy = (gaussian_filter(inner * part, spread) for part in (dx * dx, dy * dy, dx * dy))
    turn = np.stack([yy - xx, -2 * xy], -1) / np.maximum(xx + yy, 1e-9)[..., None]
    return Grain(view, turn * inner[..., None])


@dataclass(frozen=True, eq=False)
class Observed:
    """A comb that follows the strands of photos where they show some, and a guessed one elsewhere."""

    guess: Comb
    grains: tuple[Grain, ...]
    space: MeanSpace
    end: None = None

    @property
    def parted(self) -> float:
        """See `Comb`."""
        return self.guess.parted

    def directions(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.directions`."""
        total = self.guess.directions(points)
        here = self.space.from_mean(points)
        for grain in self.grains:
            way, sure = grain.ways(here)
            towards = np.sign((way * total).sum(1, keepdims=True))
            ahead = grain.view.sees(here)
            total = total + TRUST * (sure * ahead)[:, None] * towards * way
        return total

    def from_source(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.from_source`."""
        return self.guess.from_source(points)


def likeliest_comb(volume: HairVolume, grains: tuple[Grain, ...], space: MeanSpace) -> Comb:
    """Of partings, whorl and hair combed back, the one whose strands lie most along those of the photos."""
    guesses = [Parting(offset=offset, parted=PARTED) for offset in OFFSETS]
    guesses += [Whorl(), Whorl(sweep=0.8), Whorl(sweep=-0.8), Back()]
    points = _surface(volume)
    scores = [_agreement(guess, points, volume, grains, space) for guess in guesses]
    return guesses[int(np.argmax(scores))]


def _surface(volume: HairVolume) -> np.ndarray:
    """[N, 3] points of the lattice near the hair's outside."""
    near = (np.abs(volume.hair.values) < 0.004) & (volume.skin.values > 0.004)
    return volume.hair.lattice.points[near.reshape(-1)]


def _agreement(guess: Comb, points: np.ndarray, volume: HairVolume, grains, space: MeanSpace) -> float:
    normal = volume.outward(points, np.ones(len(points)))
    way = guess.directions(space.to_mean(points))
    way = normalised(way - (way * normal).sum(1, keepdims=True) * normal)
    score = 0.0
    for grain in grains:
        seen, sure = grain.ways(points)
        worth = sure * np.clip(normal @ grain.view.back, 0, 1) * grain.view.sees(points)
        flat = normalised(way - np.outer(way @ grain.view.back, grain.view.back))
        score += (worth * (2 * (flat * seen).sum(1) ** 2 - 1)).sum() / max(worth.sum(), 1e-6)
    return score
