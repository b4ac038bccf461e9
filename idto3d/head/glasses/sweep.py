"""Bars of a frame: a rounded rectangle swept along a curve. numpy, metres."""

from dataclasses import dataclass

import numpy as np

from idto3d.head.hair.lattice import normalised

SIDES, SQUARE = 12, 5.0  # vertices around a bar, and how square it is: 2 is round
RINGS = (1.0, 0.66, 0.33)  # of a lens, of its rim


@dataclass(frozen=True, eq=False)
class Bar:
    """A curve [P, 3] with the ways [P, 3] in which its bar is `high` [P] and `deep` [P] to both sides, metres.

    The ways are made to stand across the curve and on each other. closed: whether the last point is before the first.
    """

    curve: np.ndarray
    up: np.ndarray
    high: np.ndarray
    deep: np.ndarray
    closed: bool = False


@dataclass(frozen=True, eq=False)
class Mesh:
    """vertices [V, 3]; faces [F, 3], counter-clockwise from outside; uvs [F, 3, 2] of their corners, 0..1."""

    vertices: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray


def swept(bar: Bar) -> Mesh:
    """The surface of a bar; ends of an open one are closed."""
    ring = _rings(bar)
    count = len(ring)
    rows = count if bar.closed else count - 1
    row, side = np.meshgrid(np.arange(rows), np.arange(SIDES), indexing="ij")
    after, beside = (row + 1) % count, (side + 1) % SIDES
    corners = [row * SIDES + side, after * SIDES + side, after * SIDES + beside, row * SIDES + beside]
    places = [(row, side), (row + 1, side), (row + 1, side + 1), (row, side + 1)]
    uvs = [np.stack([along / rows, around / SIDES], -1) for along, around in places]
    order = ((0, 3, 1), (1, 3, 2))
    faces = np.concatenate([np.stack([corners[k].ravel() for k in three], -1) for three in order])
    placed = np.concatenate([np.stack([uvs[k].reshape(-1, 2) for k in three], 1) for three in order])
    mesh = Mesh(ring.reshape(-1, 3), faces, placed)
    return mesh if bar.closed else _ended(mesh, count)


def _rings(bar: Bar) -> np.ndarray:
    """[P, SIDES, 3] the bar's outline at every point of its curve."""
    ahead = np.roll(bar.curve, -1, 0) - np.roll(bar.curve, 1, 0) if bar.closed else np.gradient(bar.curve, axis=0)
    ahead = normalised(ahead)
    up = normalised(bar.up - (bar.up * ahead).sum(1, keepdims=True) * ahead)
    across = np.cross(ahead, up)
    turn = np.linspace(0, 2 * np.pi, SIDES, endpoint=False) + np.pi / SIDES
    round_ = [np.sign(wave) * np.abs(wave) ** (2 / SQUARE) for wave in (np.cos(turn), np.sin(turn))]
    out = [half[:, None, None] * way[:, None] * wave[None, :, None]
           for half, way, wave in ((bar.high, up, round_[0]), (bar.deep, across, round_[1]))]  # fmt: skip
    return bar.curve[:, None] + out[0] + out[1]


def _ended(mesh: Mesh, count: int) -> Mesh:
    """The mesh with a lid on both ends."""
    fan = np.stack([np.zeros(SIDES - 2, int), np.arange(1, SIDES - 1), np.arange(2, SIDES)], -1)
    lids = [fan[:, ::-1], fan + (count - 1) * SIDES]
    edge = [np.full((len(fan), 3, 2), (place, 0.5)) for place in (0.0, 1.0)]
    return Mesh(mesh.vertices, np.concatenate([mesh.faces, *lids]), np.concatenate([mesh.uvs, *edge]))


def filled(rim: np.ndarray, bulge: float, half: float) -> Mesh:
    """A closed lens of `half` its thickness in a rim [P, 3] that bulges forwards by so much in its middle. Metres."""
    rim = rim if _turns_left(rim) else rim[::-1]
    middle, count, ahead = rim.mean(0), len(rim), np.array([0.0, 0.0, 1.0])
    rings = [middle + share * (rim - middle) + bulge * (1 - share**2) * ahead for share in RINGS]
    sheet = np.concatenate([*rings, (middle + bulge * ahead)[None]])
    here, beside = np.arange(count), (np.arange(count) + 1) % count
    bands = [
        number * count + np.concatenate([np.stack([here, beside, here + count], -1),
                                         np.stack([beside, beside + count, here + count], -1)])
        for number in range(len(RINGS) - 1)
    ]  # fmt: skip
    last = (len(RINGS) - 1) * count
    front = np.concatenate([*bands, np.stack([here + last, beside + last, np.full(count, last + count)], -1)])
    back = len(sheet)
    edge = [np.stack([here, here + back, beside], -1), np.stack([beside, here + back, beside + back], -1)]
    faces = np.concatenate([front, front[:, ::-1] + back, *edge])
    vertices = np.concatenate([sheet + half * ahead, sheet - half * ahead])
    return Mesh(vertices, faces, np.full((len(faces), 3, 2), 0.5))


def _turns_left(rim: np.ndarray) -> bool:
    """Whether a rim [P, 3] runs counter-clockwise, seen from in front."""
    x, y = rim[:, :2].T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) > 0


def joined(meshes: list[Mesh]) -> Mesh:
    """All as one; each has a strip of the texture of its own."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    share = 1 / len(meshes)
    strips = [mesh.uvs * [1, 0.9 * share] + [0, (number + 0.05) * share] for number, mesh in enumerate(meshes)]
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces), np.concatenate(strips))
