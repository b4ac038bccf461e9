"""A part of a head cut in two along the border of what a function of place says, without a change of its surface."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from idto3d.head.parts import Part

INSIDE = 0.5  # share from which a place is inside
HALVINGS = 10  # after which the border is known to a thousandth of an edge
LEAST = 0.02  # of an edge that is left at either end of a cut
Share = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Crossing:
    """The K faces that a border crosses, turned so that the corner alone on its side comes first.

    faces [K] are their numbers; turned [K, 3] says which of its corners is a face's first, second and third; corners
    [K, 3] are those vertices. The border crosses the edges from the first corner to the others: ends [E, 2] are the
    vertices of all such edges, way [E] 0..1 is where the border crosses, and edges [K, 2] are their numbers.
    """

    faces: np.ndarray
    turned: np.ndarray
    corners: np.ndarray
    ends: np.ndarray
    way: np.ndarray
    edges: np.ndarray

    @property
    def from_first(self) -> np.ndarray:
        """[K, 2] 0..1 where the border crosses, from a face's first corner."""
        begins = self.ends[self.edges][..., 0] == self.corners[:, :1]
        return np.where(begins, self.way[self.edges], 1 - self.way[self.edges])


def cut(part: Part, number: int, share: Share) -> tuple[Part, Tensor]:
    """A part whose faces end where `share` of points passes INSIDE, and which of them [F] bool lie inside.

    share: [N] 0..1 of points [N, 3] metres, where the part is in its expression `number`. The pieces of a face lie in
    its plane and keep its place on the texture.
    """
    points, faces = part.positions()[number].cpu().double().numpy(), part.faces.cpu().numpy()
    inside = share(points) >= INSIDE
    told = inside[faces]
    crossing = _crossing(points, faces, inside, share)
    whole = np.setdiff1d(np.arange(len(faces)), crossing.faces)
    alone = inside[crossing.corners[:, 0]]
    within = np.concatenate([told[whole, 0], alone, ~alone, ~alone])
    return _divided(part, crossing, whole), torch.from_numpy(within)


def _crossing(points: np.ndarray, faces: np.ndarray, inside: np.ndarray, share: Share) -> Crossing:
    told = inside[faces]
    crossed = np.flatnonzero(told.any(1) & ~told.all(1))
    told = told[crossed]
    first = np.where(told.sum(1) == 1, told.argmax(1), told.argmin(1))
    turned = (first[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(faces[crossed], turned, 1)
    pairs = np.sort(corners[:, [[0, 1], [0, 2]]].reshape(-1, 2), 1)
    ends, edges = np.unique(pairs, axis=0, return_inverse=True)
    way = _border(points[ends], inside[ends[:, 0]], share)
    return Crossing(crossed, turned, corners, ends, way, edges.reshape(-1, 2))


def _border(ends: np.ndarray, inside: np.ndarray, share: Share) -> np.ndarray:
    """[E] 0..1 how far along edges, `ends` [E, 2, 3], the border lies; inside [E] bool: whether they begin inside."""
    low, high = np.zeros(len(ends)), np.ones(len(ends))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        same = (share(ends[:, 0] + middle[:, None] * (ends[:, 1] - ends[:, 0])) >= INSIDE) == inside
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.clip((low + high) / 2, LEAST, 1 - LEAST)


def _divided(part: Part, crossing: Crossing, whole: np.ndarray) -> Part:
    """The part with the faces `whole` as they are, and then the pieces of those that are crossed."""
    made = len(part.vertices) + crossing.edges
    faces = np.concatenate([part.faces.cpu().numpy()[whole], _pieces(crossing.corners, made)])
    longer = _with_vertices(part, crossing)
    if part.uvs is None:
        return replace(longer, faces=torch.from_numpy(faces).to(part.faces))
    own = part.uvs.cpu().double().numpy()
    corners = np.take_along_axis(own[crossing.faces], crossing.turned[..., None], 1)
    between = corners[:, :1] + crossing.from_first[..., None] * (corners[:, 1:] - corners[:, :1])
    uvs = np.concatenate([own[whole], _pieces(corners, between)])
    return replace(longer, faces=torch.from_numpy(faces).to(part.faces), uvs=torch.from_numpy(uvs).to(part.uvs))


def _pieces(corners: np.ndarray, made: np.ndarray) -> np.ndarray:
    """[3 K, 3, ...] three triangles of each of K: first what is at the first of its corners [K, 3, ...], then the rest.

    made: [K, 2, ...] what lies where the border crosses the edges from the first corner to the others.
    """
    (a, b, c), (p, q) = np.moveaxis(corners, 1, 0), np.moveaxis(made, 1, 0)
    return np.concatenate([np.stack(three, 1) for three in ((a, p, q), (p, b, c), (p, c, q))])


def _with_vertices(part: Part, crossing: Crossing) -> Part:
    """The part with one more vertex for each edge that is crossed."""
    first, second = torch.from_numpy(crossing.ends).to(part.faces).unbind(1)
    way = torch.from_numpy(crossing.way).to(part.vertices)[:, None]

    def between(values: Tensor) -> Tensor:
        return torch.lerp(values[..., first, :], values[..., second, :], way)

    return replace(
        part,
        vertices=torch.cat([part.vertices, between(part.vertices)]),
        displacements=torch.cat([part.displacements, between(part.displacements)], 1),
        normals=None
        if part.normals is None
        else torch.cat([part.normals, torch.nn.functional.normalize(between(part.normals), dim=-1)]),
    )


def some(part: Part, chosen: Tensor) -> Part:
    """A part's `chosen` [F] faces and their vertices alone."""
    chosen = chosen.to(part.faces.device)
    used, faces = torch.unique(part.faces[chosen], return_inverse=True)
    return replace(
        part,
        vertices=part.vertices[used],
        faces=faces,
        displacements=part.displacements[:, used],
        uvs=None if part.uvs is None else part.uvs[chosen],
        normals=None if part.normals is None else part.normals[used],
    )
