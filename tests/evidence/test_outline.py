"""The outline of a ball: where it lies, how far off a photo's is, and that the fit follows it."""

import numpy as np
import pytest
from evidence.ball import RADIUS, make_ball

from idto3d.evidence.camera import PhotoCamera
from idto3d.evidence.normal_equations import PhotoFit, Seen
from idto3d.evidence.outline.equations import outline_evidence, seen_outline
from idto3d.evidence.outline.rim import off_outline, rim_of
from idto3d.evidence.shapes import Shapes, Surface

FOCAL, AWAY = 800.0, 1.0
ARC = 0.84  # share of the outline that the ball has, without its poles
CAMERA = PhotoCamera(np.eye(3), np.array([0.0, 0.0, -AWAY]), FOCAL, np.array([160.0, 160.0]))
SKIN, SKY = (0.7, 0.5, 0.4), (0.1, 0.3, 0.8)


def round_surface() -> Surface:
    """A ball whose only mode, per unit, makes it broader by a millimetre to each side; no expressions."""
    points, faces = make_ball().vertices, make_ball().faces
    broader = np.stack([0.001 * points[:, 0] / RADIUS, 0 * points[:, 0], 0 * points[:, 0]], 1)[..., None]
    shapes = Shapes(points.astype(np.float32), broader.astype(np.float32), np.zeros((len(points), 3, 0), np.float32))
    return Surface(shapes, faces, faces)


def disc(width: float, height: float, cut: float = -1e9):
    """What a photo shows of an upright ellipse of these half axes, pixels; left of `cut` it shows hair, not sky."""

    def shows(places):
        x, y = (places - CAMERA.centre).T
        inside = (x / width) ** 2 + (y / height) ** 2 < 1
        sky = ~inside & (x > cut)
        return np.concatenate([inside[:, None], sky[:, None], np.where(inside[:, None], SKIN, SKY)], 1)

    return shows


def drawn_radius() -> float:
    """Pixels of the ball's outline: a sine where a small ball would have a tangent."""
    return FOCAL * RADIUS / np.sqrt(AWAY**2 - RADIUS**2)


@pytest.mark.parametrize("more", [-4.0, 0.0, 5.0])
def test_a_disc_is_off_by_what_it_is_larger(more):
    surface, size = round_surface(), drawn_radius() + more
    posed = surface.posed(np.zeros(1), np.zeros(0))
    rim = rim_of(posed, CAMERA, surface.outlined)
    assert np.isclose(rim.length.sum(), ARC * 2 * np.pi * RADIUS, rtol=0.02)
    seen, beyond = off_outline(posed, CAMERA, rim, disc(size, size))
    assert len(beyond) > 0.95 * len(rim.length)
    assert np.abs(beyond - more / FOCAL * AWAY).max() < 0.001
    outward = CAMERA.project(seen.read(posed.positions)) - CAMERA.centre
    assert ((outward / np.linalg.norm(outward, axis=1, keepdims=True) * seen.outward).sum(1) > 0.99).all()


def test_before_hair_nothing_is_said():
    surface = round_surface()
    posed = surface.posed(np.zeros(1), np.zeros(0))
    rim, _ = off_outline(posed, CAMERA, rim_of(posed, CAMERA, surface.outlined), disc(*(drawn_radius(),) * 2, cut=0.0))
    x = rim.read(posed.positions)[:, 0]
    assert len(x) and x.min() > -0.005


def test_the_equations_ask_for_the_broader_head():
    surface, wanted = round_surface(), 3.0  # millimetres to each side
    seen = Seen(np.zeros((1, 3)), (320, 320), np.zeros(0), disc(drawn_radius() + wanted * FOCAL / 1000, drawn_radius()))
    taken, found = PhotoFit(CAMERA, np.zeros(0), 0.0), np.zeros(1)
    for _ in range(3):
        matrix, vector = outline_evidence(seen_outline(surface, seen, taken, found), found, taken)
        found = found + vector[:1] / matrix[0, 0]
    assert abs(found[0] - wanted) < 0.4


def test_surfaces_have_unit_normals():
    posed = round_surface().posed(np.ones(1), np.zeros(0))
    assert np.allclose(np.linalg.norm(posed.normals, axis=1), 1, atol=1e-5)
    assert ((posed.normals * posed.positions).sum(1) > 0.9 * RADIUS).all()  # outwards


def test_a_photo_that_hides_the_outline_says_nothing_of_it():
    surface, taken = round_surface(), PhotoFit(CAMERA, np.zeros(0), 0.0)
    hidden = Seen(np.zeros((1, 3)), (320, 320), np.zeros(0), disc(1e4, 1e4))
    assert seen_outline(surface, hidden, taken, np.zeros(1)) is None
