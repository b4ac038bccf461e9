"""What the template needs of ICT-FaceKit's eyes: the lids' rims, and corneas that lids can slide over."""

from collections import defaultdict

import numpy as np

RIM = 2  # rings of vertices from the border of the eye's socket to the lid's outer edge, where lashes grow
WHITE_DEG = 32.0  # from the optical axis; beyond, the eyeball is a sphere
# How much of the cornea's bulge is kept. ICT-FaceKit's rises 2.1 mm over the ball: a lid that goes straight from open
# to shut, as morph targets do, would cut through it.
BULGE_KEPT = 0.45


def lid_rim(quads: np.ndarray, socket: np.ndarray) -> np.ndarray:
    """[N] vertices around one eye along the lids' outer edge, in order, from the face's `quads` [Q, 4].

    socket [N]: the vertices of the border between the face and that eye's socket.
    """
    across = defaultdict(list)  # the edge opposite to an edge, in each quad that holds it
    for corners in quads:
        for turn in range(4):
            a, b, c, d = np.roll(corners, -turn)
            across[a, b].append((d, c))
            across[b, a].append((c, d))
    ring, seen = _in_order(across, set(socket.tolist())), set()
    for _ in range(RIM):
        following = {}
        for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
            ((first, second),) = [pair for pair in across[a, b] if not {*pair} & (seen | set(ring))]
            following[a], following[b] = first, second
        seen |= set(ring)
        ring = [following[vertex] for vertex in ring]
    return np.array(ring)


def _in_order(across: dict, border: set[int]) -> list[int]:
    """The vertices of a closed `border`, from the lowest number, each next to the one before."""
    following = defaultdict(list)
    for (a, b), faces in across.items():
        if a in border and b in border and len(faces) == 1:
            following[a].append(b)
    ring = [min(border)]
    while len(ring) < len(border):
        ring.append(min(b for b in following[ring[-1]] if b not in ring))
    return ring


def flattened(ball: np.ndarray, modes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An eyeball [N, 3] with BULGE_KEPT of its cornea's bulge, and what identity `modes` [K, N, 3] do to that one.

    Modes move eyeballs by affine maps, which are found by least squares and taken at the new places. Any unit.
    """
    centre, radius = sphere(ball, ball[ball[:, 2].argmax()])
    offset = ball - centre
    reach = np.linalg.norm(offset, axis=1, keepdims=True)
    kept = centre + offset / reach * (radius + np.where(reach > radius, BULGE_KEPT, 1.0) * (reach - radius))
    old, new = (np.column_stack([points, np.ones(len(points))]) for points in (ball, kept))
    maps = np.linalg.lstsq(old, modes.transpose(1, 0, 2).reshape(len(ball), -1), rcond=None)[0]
    return kept, (new @ maps).reshape(len(ball), -1, 3).transpose(1, 0, 2)


def sphere(ball: np.ndarray, front: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre [3] and radius of the white of an eyeball [N, 3] whose most forward point is `front` [3]."""
    centre = ball.mean(0)
    for _ in range(8):
        offset, axis = ball - centre, (front - centre) / np.linalg.norm(front - centre)
        white = offset @ axis < np.cos(np.radians(WHITE_DEG)) * np.linalg.norm(offset, axis=1)
        solved = np.linalg.lstsq(
            np.column_stack([2 * ball[white], np.ones(white.sum())]), (ball[white] ** 2).sum(1), rcond=None
        )[0]
        centre = solved[:3]
    return centre, float(np.sqrt(solved[3] + (centre**2).sum()))
