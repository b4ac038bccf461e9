"""The lower end of the bust: an even, symmetrical edge, rounded over into a base that closes the skin.

The template's skin ends in an open rim, whose course each identity mode bends. Of that course the slow waves alone are
kept, the same on both sides. The base carries them on to its middle, a wave of k turns fading as the k-th power of the
radius: the harmonic surface of a disc whose border is the rim. All of it is linear in the rim, so that every mode gets
its own. Then the base is let down to the height of the chest: behind, where the rim lies high, it goes on as a back,
which light reaches. Metres.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals
from idto3d.geometry.regularisers import rim_edges
from idto3d.head.template_model import Template, TemplatePart

WAVES = 4  # turns of the fastest wave of the rim that is kept
REACH_M, SHARED_M = 0.06, 0.012  # how far up the skin follows the rim's change; along how much of the rim it is shared
ROUNDING_M = 0.005  # radius of the edge between skin and base
QUARTER = np.radians([30.0, 60.0, 90.0])  # of the turn over that edge, where it has rings of vertices
RADII = (0.82, 0.62, 0.42, 0.22)  # of the rings between the edge and the middle
SUNK = (0.55, 0.88, 1.0, 1.0, 1.0)  # how far each of them, and the middle, is let down to the edge's lowest place
LEAST_M = 0.010  # metres that it stays above that
# The base's disc in the skin's square, between the two wings of the neck's chart: middle, and radius of its rings, by
# how far they lie from each other on the back.
MIDDLE, RADIUS, RINGS = (0.6387, 0.7148), 0.05, (1.0, 0.97, 0.94, 0.91, 0.60, 0.36, 0.24, 0.12)
ADDED = -1  # the number in ICT-FaceKit of a vertex that it lacks


@dataclass(frozen=True, eq=False)
class Rim:
    """The skin's open border: its vertices [N] in a closed row from the middle behind, of which vertex n is the mirror
    image of vertex -n, and at what turn [N] each lies, radians by its length.
    """

    vertices: np.ndarray
    turn: np.ndarray

    def waves(self, radius: float = 1.0) -> np.ndarray:
        """[N, 1 + 2 WAVES] one, then the cosines of 1 to WAVES turns, then the sines, as they are at a `radius`."""
        turns = np.arange(1, WAVES + 1)
        angles, fading = self.turn[:, None] * turns, radius**turns
        return np.concatenate([np.ones_like(angles[:, :1]), fading * np.cos(angles), fading * np.sin(angles)], 1)

    def strengths(self) -> np.ndarray:
        """[1 + 2 WAVES, N] from values along the rim to how strong each wave is in them, by least squares."""
        waves = self.waves()
        return np.linalg.solve(np.einsum("ni,nj->ij", waves, waves), waves.T)

    def carried(self, radius: float) -> np.ndarray:
        """[N, N] from values along the rim to those on the ring of a `radius`, 0..1, inside of it."""
        return np.einsum("nw,wm->nm", self.waves(radius), self.strengths())


def with_base(template: Template) -> Template:
    """The template with an even rim and a base, whose vertices come after those of the skin.

    Raises ValueError where the skin's border is not one closed row.
    """
    rim = rim_of(template)
    even = _drawn_back(_evened(template, rim), rim)
    rings, rounding = _rings(rim), _rounding(even, rim)
    neutral = _mixed(rings, _double(even.neutral[rim.vertices]) + rounding[-1])
    edge = len(QUARTER) * len(rim.turn)
    neutral[:edge] += (rounding - rounding[-1]).reshape(edge, 3)
    neutral[edge:, 1] -= _let_down(neutral[edge:, 1], neutral[:edge, 1].min())
    modes = _mixed(rings, _double(even.identity[:, rim.vertices]))
    return _with_skin_added(even, neutral, modes, *_surface(rim, template.part("skin").vertices.stop))


def rim_of(template: Template) -> Rim:
    """The border of the template's skin. Raises ValueError where it is not one closed row."""
    edges, points = rim_edges(template.part("skin").faces).tolist(), _double(template.neutral)
    following = dict(edges)
    behind = [points[vertex, 2] + abs(points[vertex, 0]) for vertex in following]
    row = [list(following)[int(np.argmin(behind))]]
    for _ in edges[1:]:
        row.append(following[row[-1]])
    if len(set(row)) < len(edges) or following[row[-1]] != row[0]:
        raise ValueError("the skin's border is not one closed row")
    vertices = np.array(row)
    lengths = np.linalg.norm(np.diff(points[[*row, row[0]]], axis=0), axis=1)
    return Rim(vertices, 2 * np.pi * np.concatenate([[0.0], np.cumsum(lengths)[:-1]]) / lengths.sum())


def _mixed(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[..., M, C] by `weights` [M, N] of `values` [..., N, C]; no matrix product, whose sums MKL may order anyhow."""
    columns = np.ascontiguousarray(np.moveaxis(values, -2, -1))
    return np.moveaxis(np.einsum("mn,...n->...m", weights, columns), -1, -2)


def _symmetric(values: np.ndarray) -> np.ndarray:
    """Vectors [..., N, 3] along the rim, the same on both sides."""
    return (values + np.roll(values[..., ::-1, :], 1, -2) * [-1, 1, 1]) / 2


def _double(values: Tensor) -> np.ndarray:
    return values.cpu().double().numpy()


def _evened(template: Template, rim: Rim) -> Template:
    """The template whose rim, in the mean and in all modes, has slow waves alone; no expression moves it."""
    near, share = _following(template, rim)
    carried = rim.carried(1.0)

    def even(values: Tensor) -> Tensor:
        """`values` [..., V, 3] with an even rim."""
        own = _double(values[..., rim.vertices, :])
        change = _mixed(share, _symmetric(_mixed(carried, own)) - own)
        values = values.clone()
        values[..., near, :] += torch.from_numpy(change).to(values)
        return values

    still = torch.ones(len(template.neutral), device=template.neutral.device)
    still[near] -= torch.from_numpy(share.sum(1)).to(still)
    moves = replace(template.moves, offset=template.moves.offset * still[template.moves.vertex.long()][:, None])
    return replace(template, neutral=even(template.neutral), identity=even(template.identity), moves=moves)


def _drawn_back(template: Template, rim: Rim) -> Template:
    """The template whose skin ends earlier by as much as the rounding of its edge adds."""
    near, share = _following(template, rim)
    neutral, change = template.neutral.clone(), _mixed(share, -ROUNDING_M * _ways(template, rim)[0])
    neutral[near] += torch.from_numpy(change).to(neutral)
    return replace(template, neutral=neutral)


def _following(template: Template, rim: Rim) -> tuple[np.ndarray, np.ndarray]:
    """The P vertices [P] of the skin that follow the rim's N, and how far [P, N]: by 1 in all on the rim itself."""
    skin = _double(template.neutral[template.part("skin").vertices])
    near = np.flatnonzero(cKDTree(skin[rim.vertices]).query(skin)[0] < REACH_M)
    gap = np.linalg.norm(skin[near, None] - skin[rim.vertices], axis=-1)
    least = gap.min(1, keepdims=True)
    say, left = np.exp(-0.5 * ((gap - least) / SHARED_M) ** 2), 1 - least / REACH_M
    share = say / say.sum(1, keepdims=True) * left**2 * (3 - 2 * left)
    share[np.searchsorted(near, rim.vertices)] = np.eye(len(rim.turn))
    return near, share


def _rings(rim: Rim) -> np.ndarray:
    """[B, N] from values along the rim to those at the base: its rings from the edge inwards, then its middle."""
    inner = [rim.carried(radius) for radius in RADII]
    return np.concatenate([np.tile(np.eye(len(rim.turn)), (len(QUARTER), 1)), *inner, rim.strengths()[:1]])


def _rounding(template: Template, rim: Rim) -> np.ndarray:
    """[len(QUARTER), N, 3] metres from the rim to the rings of the edge, which goes on from the skin and turns inwards.

    As on the mean head, on every head.
    """
    onwards, normals = _ways(template, rim)
    return ROUNDING_M * np.stack([np.sin(turn) * onwards - (1 - np.cos(turn)) * normals for turn in QUARTER])


def _let_down(heights: np.ndarray, lowest: float) -> np.ndarray:
    """[B'] metres by which the rings inside the edge and the middle, which lie at `heights` [B'], are let down."""
    share = np.append(np.repeat(SUNK[:-1], (len(heights) - 1) // len(RADII)), SUNK[-1])
    return share * np.maximum(heights - lowest - LEAST_M, 0)


def _ways(template: Template, rim: Rim) -> tuple[np.ndarray, np.ndarray]:
    """Where the mean head's skin would go on at its rim, [N, 3] unit, and its normals there, [N, 3]."""
    points = _double(template.neutral[rim.vertices])
    normals = _symmetric(_double(vertex_normals(template.neutral, template.part("skin").faces)[rim.vertices]))
    along = np.roll(points, -1, 0) - np.roll(points, 1, 0)
    onwards = np.cross(normals, along)
    return onwards / np.linalg.norm(onwards, axis=1, keepdims=True), normals


def _surface(rim: Rim, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Faces [F, 3] of the base, whose vertices are numbered from `first` on, and the uvs [F, 3, 2] of their corners."""
    count, radii = len(rim.turn), np.array(RINGS)
    numbers = np.concatenate([rim.vertices, first + np.arange(count * (len(radii) - 1) + 1)])
    way = np.stack([-np.sin(rim.turn), -np.cos(rim.turn)], 1)
    places = np.concatenate([(radii[:, None, None] * way).reshape(-1, 2), np.zeros((1, 2))]) * RADIUS + MIDDLE
    outer = np.arange(count * (len(radii) - 1)).reshape(-1, count)
    inner, last = outer + count, np.arange(count) + outer.size
    quads = [(outer, np.roll(outer, -1, 1), np.roll(inner, -1, 1)), (outer, np.roll(inner, -1, 1), inner)]
    corners = [np.stack(quad, -1).reshape(-1, 3) for quad in quads]
    corners.append(np.stack([last, np.roll(last, -1), np.full(count, len(places) - 1)], -1))
    corners = np.concatenate(corners)
    return numbers[corners], places[corners].astype(np.float32)


def _with_skin_added(template: Template, neutral, modes, faces: np.ndarray, uvs: np.ndarray) -> Template:
    """The template with vertices `neutral` [B, 3], of `modes` [K, B, 3], and faces added to the end of its skin."""
    stop, count, like = template.part("skin").vertices.stop, len(neutral), template.neutral

    def inserted(values: Tensor, added: np.ndarray, axis: int = 0) -> Tensor:
        before, after = values.tensor_split((stop,), axis)
        return torch.cat([before, torch.from_numpy(added).to(values), after], axis)

    moved = template.moves.vertex
    parts = [_shifted(part, count) if part.vertices.start else part for part in template.parts]
    skin = replace(
        parts[0],
        vertices=slice(0, stop + count),
        faces=torch.cat([parts[0].faces, torch.from_numpy(faces).to(parts[0].faces)]),
        uvs=torch.cat([parts[0].uvs, torch.from_numpy(uvs).to(parts[0].uvs)]),
    )
    return replace(
        template,
        neutral=inserted(like, neutral),
        identity=inserted(template.identity, modes, 1),
        moves=replace(template.moves, vertex=moved + count * (moved >= stop)),
        parts=(skin, *parts[1:]),
        original=inserted(template.original, np.full(count, ADDED)),
        base=slice(stop, stop + count),
    )


def _shifted(part: TemplatePart, count: int) -> TemplatePart:
    return replace(part, vertices=slice(part.vertices.start + count, part.vertices.stop + count))
