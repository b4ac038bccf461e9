"""Strands cut where photos show that hair ends: their tips, which taper, make the border, not cards cut across."""

from dataclasses import replace

import numpy as np

from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.seen.surface import STRAY, Evidence, density
from idto3d.head.hair.strands import Guides

BETWEEN = 3  # places that are looked at, for each row of a strand
ACROSS = (-0.25, 0.0, 0.25)  # of its card's width
FACES = (0.4, 0.7)  # see `shown_as_other`: strands at the outline are not cut for lying a hair outside of it
SHORTEST = 0.012  # metres; of a strand whose rest is shorter nothing is left


def trimmed(guides: Guides, width: float, evidence: Evidence, random: np.random.Generator) -> Guides:
    """The longest piece of each of the guides that photos show as hair, or do not see, over most of its `width`."""
    count, rows = guides.points.shape[:2]
    share = np.tile(np.linspace(0, 1, BETWEEN * (rows - 1) + 1), (count, 1))
    dense = _dense(guides, share, width, STRAY * random.normal(size=(count, 1)), evidence)
    first, last = longest_run(dense > 0.5) / (share.shape[1] - 1)
    kept = first[:, None] + (last - first)[:, None] * np.linspace(0, 1, rows)
    cut = replace(guides, points=at_shares(guides.points, kept), normals=normalised(at_shares(guides.normals, kept)))
    if guides.across is not None:
        cut = replace(cut, across=normalised(at_shares(guides.across, kept)))
    return cut[cut.lengths > SHORTEST]


def _dense(guides: Guides, share: np.ndarray, width: float, stray: np.ndarray, evidence: Evidence) -> np.ndarray:
    """[N, R] 0..1 how dense hair is at `share` [N, R] of the way along strands, the mean of three places across them.

    stray [N, 1]: metres by which each strand ends later than the mean.
    """
    points, normals = at_shares(guides.points, share), normalised(at_shares(guides.normals, share))
    side = normalised(np.cross(np.gradient(points, axis=1), normals))
    flat, stray, total = normals.reshape(-1, 3), np.broadcast_to(stray, share.shape).ravel(), np.zeros(share.shape)
    for off in ACROSS:
        places = (points + off * width * side).reshape(-1, 3)
        total += density(places, flat, stray, evidence, FACES).reshape(share.shape)
    return total / len(ACROSS)


def longest_run(kept: np.ndarray) -> np.ndarray:
    """[2, N] the first and the last place of the longest run of true in each row of `kept` [N, T]; 0, 0 without any."""
    length = np.zeros(kept.shape, int)
    for column in range(kept.shape[1]):
        before = length[:, column - 1] if column else 0
        length[:, column] = kept[:, column] * (before + 1)
    last, longest = length.argmax(1), length.max(1)
    return np.stack([last - np.maximum(longest - 1, 0), last])


def at_shares(values: np.ndarray, share: np.ndarray) -> np.ndarray:
    """[N, R, C] rows of `values` [N, T, C] at `share` [N, R] 0..1 of the way from the first to the last, linear."""
    place = share * (values.shape[1] - 1)
    low = np.minimum(place.astype(int), values.shape[1] - 2)
    part, line = (place - low)[..., None], np.arange(len(values))[:, None]
    return values[line, low] * (1 - part) + values[line, low + 1] * part
