"""The lips as surfaces that touch: which skin is the upper one, which the lower, measured once on the mean head."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from idto3d.head.template import LANDMARKS
from idto3d.head.template_model import Template

INSIDE = LANDMARKS[60:]  # where lips meet, from the right corner over the upper lip
UPPER, LOWER = (0, 1, 2, 3, 4), (0, 7, 6, 5, 4)  # among INSIDE, both from the right corner to the left
REACH_M = 0.012  # along the skin, how far lips reach from where they meet, to both sides
FADE_M = 0.026  # and how far what they are moved by fades out
SEATS = 220  # places of a lip at which is looked whether it touches something
SPREAD_M = 0.0035  # over which a correction of one place reaches its neighbours


@dataclass(frozen=True, eq=False)
class Lip:
    """The upper or the lower lip, numbers among Mouth.zone: its skin `own` [N], the places `seats` [P] of it that are
    looked at, and the skin `around` [M] that goes with it, as far as fade [M] 0..1 says. follows [M, P]: how much each
    goes with each, falling with distance on the mean head, not normalised.
    """

    own: Tensor
    seats: Tensor
    around: Tensor
    fade: Tensor
    follows: Tensor


@dataclass(frozen=True, eq=False)
class Mouth:
    """Both lips, on a piece of skin: zone [Z] are vertices of the template, `faces` [F, 3] numbers among them."""

    zone: Tensor
    faces: Tensor
    lips: tuple[Lip, Lip]


def mouth_of(template: Template) -> Mouth:
    """The upper and the lower lip of the template."""
    skin = template.part("skin")
    points, faces = template.neutral[skin.vertices].cpu().double().numpy(), skin.faces.cpu().numpy()
    near = (np.linalg.norm(points - points[list(INSIDE)].mean(0), axis=1) < 2 * FADE_M)[faces].all(1)
    graph = _graph(points, faces[near])
    gaps = np.stack([_distances(graph, line) for line in (UPPER, LOWER)])
    zone = np.flatnonzero(gaps.min(0) < FADE_M)
    place = np.full(len(points), -1)
    place[zone] = np.arange(len(zone))
    local = place[faces[near]]
    gaps, mine = gaps[:, zone], gaps[:, zone] <= gaps[::-1, zone]
    lips = tuple(_lip(template.neutral[zone], gap, own) for gap, own in zip(gaps, mine, strict=True))
    device = template.neutral.device
    faces = torch.from_numpy(local[(local >= 0).all(1)]).to(device)
    return Mouth(torch.from_numpy(zone).to(device), faces, lips)


def _lip(points: Tensor, gap: np.ndarray, mine: np.ndarray) -> Lip:
    own, around = (
        torch.from_numpy(np.flatnonzero(mine & (gap < reach))).to(points.device) for reach in (REACH_M, FADE_M)
    )
    fade = torch.from_numpy(np.clip((FADE_M - gap) / (FADE_M - REACH_M), 0, 1)).to(points)[around]
    seats = own[strewn(points[own], SEATS)]
    follows = (-(torch.cdist(points[around], points[seats]) / SPREAD_M).square()).exp()
    return Lip(own, seats, around, fade * fade * (3 - 2 * fade), follows)


def strewn(points: Tensor, count: int) -> Tensor:
    """[count] numbers of `points` [N, 3], N at least count, each next one as far as can be from those before."""
    chosen, gap = [0], torch.full_like(points[:, 0], torch.inf)
    for _ in range(count - 1):
        gap = gap.minimum((points - points[chosen[-1]]).square().sum(1))
        chosen.append(int(gap.argmax()))
    return torch.tensor(sorted(chosen), device=points.device)


def _graph(points: np.ndarray, faces: np.ndarray) -> csr_matrix:
    pairs = np.unique(np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1), axis=0)
    length = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1) + 1e-7  # no edge is none
    return csr_matrix((length, (pairs[:, 0], pairs[:, 1])), (len(points), len(points)))


def _distances(graph: csr_matrix, line: tuple[int, ...]) -> np.ndarray:
    """[V] along the skin from the line through these of INSIDE, up to FADE_M."""
    path = [INSIDE[line[0]]]
    for first, second in pairwise(INSIDE[number] for number in line):
        before = dijkstra(graph, False, first, return_predecessors=True, limit=FADE_M)[1]
        back = [second]
        while back[-1] != first:
            back.append(int(before[back[-1]]))
        path += back[-2::-1]
    return dijkstra(graph, False, path, min_only=True, limit=FADE_M)
