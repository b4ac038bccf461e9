"""One mesh laid onto another of other triangles."""

import numpy as np
import pytest
import torch

from idto3d.geometry.registration import laid_onto, surface_of


def ball(rows, radii=(0.1, 0.1, 0.1), bump=0.0):
    """An ellipsoid about the origin, vertices [V, 3] and faces [F, 3], with a bump of that many metres in front."""
    v, u = np.meshgrid(np.linspace(0.02, np.pi - 0.02, rows), np.linspace(0, 2 * np.pi, 2 * rows, endpoint=False))
    way = np.stack([np.sin(v) * np.sin(u), np.cos(v), np.sin(v) * np.cos(u)], -1).transpose(1, 0, 2).reshape(-1, 3)
    out = 1 + bump / 0.1 * np.exp(-((way[:, :2] / 0.25) ** 2).sum(1)) * (way[:, 2] > 0)
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(2 * rows), indexing="ij")
    a, b = row * 2 * rows + column, row * 2 * rows + (column + 1) % (2 * rows)
    faces = np.concatenate([np.stack([a, a + 2 * rows, b], -1), np.stack([b, a + 2 * rows, b + 2 * rows], -1)])
    points = torch.from_numpy(way * np.array(radii) * out[:, None]).float()
    return points, torch.from_numpy(faces.reshape(-1, 3))


def off_ellipsoid(points, radii):
    """About how far `points` [N, 3] are off an ellipsoid, metres."""
    return ((points / torch.tensor(radii)).norm(dim=1) - 1).abs() * min(radii)


def whole(points):
    return torch.ones(len(points)), torch.zeros(len(points))


def test_a_ball_becomes_the_ellipsoid_that_it_is_laid_onto():
    radii = (0.104, 0.097, 0.1)
    other, faces = ball(61, radii)
    points, own = ball(40)
    moved = laid_onto(surface_of(other, faces, torch.ones(len(other))), points, own, *whole(points))
    assert off_ellipsoid(points, radii).mean() > 0.0015
    assert off_ellipsoid(points + moved, radii).max() < 0.0003


def test_what_is_finer_than_the_length_is_not_followed():
    other, faces = ball(81, bump=0.004)
    points, own = ball(50)
    surface = surface_of(other, faces, torch.ones(len(other)))
    tips = [
        float(laid_onto(surface, points, own, *whole(points), lengths)[:, 2].max()) for lengths in ([0.05], [0.002])
    ]
    assert tips[0] < 0.0015 and tips[1] == pytest.approx(0.004, abs=0.0005)


def test_what_is_not_trusted_goes_with_its_neighbours_and_what_is_held_stays():
    other, faces = ball(61, (0.103, 0.103, 0.103))
    points, own = ball(40)
    trust, hold = whole(points)
    trust[points[:, 1] > 0.05], hold[points[:, 1] < -0.09] = 0, 1000
    moved = laid_onto(surface_of(other, faces, torch.ones(len(other))), points, own, trust, hold)
    assert (moved[points[:, 1] > 0.05][:, 1] > 0.0008).all()  # as the rim of what is trusted rises
    assert moved[points[:, 1] < -0.095].norm(dim=1).max() < 0.0003


def test_a_surface_that_is_too_far_or_faces_away_or_has_no_share_says_nothing():
    points, own = ball(30)
    for radius, share in ((0.13, 1.0), (0.103, 0.0)):
        other, faces = ball(40, (radius,) * 3)
        moved = laid_onto(surface_of(other, faces, torch.full((len(other),), share)), points, own, *whole(points))
        assert moved.abs().max() < 1e-9
    other, faces = ball(40, (0.103,) * 3)
    turned = surface_of(other, faces.flip(1), torch.ones(len(other)))
    assert laid_onto(turned, points, own, *whole(points)).abs().max() < 1e-9
