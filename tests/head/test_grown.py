"""The template laid onto a surface without parts."""

from dataclasses import replace

import pytest
import torch

from idto3d.geometry.mesh import vertex_normals
from idto3d.geometry.registration import surface_of
from idto3d.head.features.assemble import head_of, settled
from idto3d.head.features.eyes import NAMES, eye_of
from idto3d.head.features.grown import laid_onto_grown
from idto3d.head.parts import Head, Part
from idto3d.head.template import EYE_SOCKETS, LANDMARKS, SKIN

EXPRESSIONS = ("neutral", "jawOpen", "eyeBlinkLeft")
LIDS = [LANDMARKS[number] for number in (37, 38, 40, 41, 43, 44, 46, 47)]


@pytest.fixture(scope="module")
def free(ict):
    """[V of the skin] not where it lies against eyes and teeth."""
    skin = ict.neutral[ict.part("skin").vertices]
    inner = torch.cat([ict.neutral[ict.part(name).vertices] for name in (*NAMES, "teeth")])
    gap = torch.cat([torch.cdist(part, inner).amin(1) for part in skin.split(2000)])
    free = ((gap - 0.004) / 0.011).clamp(0, 1)
    free[SKIN.stop : EYE_SOCKETS.stop] = 0
    return free


@pytest.fixture(scope="module")
def mean(ict):
    """The mean head, with a tuft of hair on its crown."""
    head = head_of(ict, settled(ict, ict.neutral), EXPRESSIONS)
    crown = int(ict.neutral[: SKIN.stop, 1].argmax())
    tuft = ict.neutral[crown] + torch.tensor([[0, 0, 0], [0, 0.01, 0], [0, 0.01, 0.01]])
    hair = Part("hair", tuft, torch.tensor([[0, 1, 2]]), torch.zeros(3, 3, 3), "hair", torch.zeros(1, 3, 2))
    return Head(EXPRESSIONS, (*head.parts, hair))


@pytest.fixture(scope="module")
def other(ict):
    """Someone else, of whom a surface is grown."""
    code = torch.zeros(len(ict.identity))
    code[:12] = 0.6 * torch.randn(12, generator=torch.Generator().manual_seed(2))
    return head_of(ict, settled(ict, ict.shape(code)), EXPRESSIONS)


def outside(ict):
    faces = ict.part("skin").faces
    return faces[(faces < SKIN.stop).all(1)]


@pytest.fixture(scope="module")
def laid(ict, mean, other, free):
    skin = other.parts[0]
    share = torch.ones(len(skin.vertices))
    surfaces = {
        name: surface_of(skin.positions()[number], outside(ict), share)
        for number, name in enumerate(EXPRESSIONS)
        if name != "eyeBlinkLeft"
    }
    return laid_onto_grown(ict, mean, free, surfaces)


def off(ict, head, other, number):
    """[V] metres from each vertex of the skin to the plane through the other's nearest one."""
    own, wanted = (one.parts[0].positions()[number][: SKIN.stop] for one in (head, other))
    near = torch.cat([torch.cdist(part, wanted).argmin(1) for part in own.split(2000)])
    return ((own - wanted[near]) * vertex_normals(wanted, outside(ict))[near]).sum(1).abs()


def test_the_face_lies_on_the_surface(ict, mean, other, laid, free):
    face = (free[: SKIN.stop] > 0.9) & (ict.neutral[: SKIN.stop, 2] > 0.05) & (ict.neutral[: SKIN.stop, 1] > -0.09)
    for number in (0, 1):
        before, after = (off(ict, head, other, number)[face].mean() for head in (mean, laid))
        assert before > 0.0006 and after < 0.00025


def test_it_has_the_same_parts_and_moves_them(mean, laid):
    assert [part.name for part in laid.parts] == [part.name for part in mean.parts]
    for before, after in zip(mean.parts, laid.parts, strict=True):
        assert torch.equal(before.faces, after.faces) and torch.equal(before.uvs, after.uvs)
        assert after.positions().isfinite().all()
        assert (after.vertices - before.vertices).norm(dim=1).max() < 0.02
    assert not laid.parts[0].displacements[0].any()


def test_eyes_turn_about_their_centres_and_stay_round(ict, laid):
    vertices = torch.cat([part.vertices for part in laid.parts[:-1]])
    for side, name in enumerate(NAMES):
        (eye,) = [part for part in laid.parts if part.name == name]
        torch.testing.assert_close(eye.pivot, eye_of(ict, vertices, side).centre)
        mean = eye_of(ict, ict.neutral, side)
        assert eye_of(ict, vertices, side).radius == pytest.approx(float(mean.radius), rel=1e-3)


def test_a_blink_that_has_no_surface_shuts_the_lids(ict, laid):
    number = EXPRESSIONS.index("eyeBlinkLeft")
    upper, lower = (laid.parts[0].positions()[number][LANDMARKS[44 if high else 46]] for high in (True, False))
    opened = (laid.parts[0].vertices[LANDMARKS[44]] - laid.parts[0].vertices[LANDMARKS[46]]).norm()
    assert (upper - lower).norm() < 0.35 * opened


def test_hair_goes_with_the_scalp_and_the_base_stays(ict, mean, laid):
    crown = int(ict.neutral[: SKIN.stop, 1].argmax())
    scalp = laid.parts[0].vertices[crown] - mean.parts[0].vertices[crown]
    hair = laid.parts[-1].vertices - mean.parts[-1].vertices
    assert (hair - scalp).norm(dim=1).max() < 0.0003 and scalp.norm() > 0.0006
    base = laid.parts[0].vertices[ict.base] - mean.parts[0].vertices[ict.base]
    assert base.norm(dim=1).max() < 0.0005


def test_where_the_surface_is_hair_the_skin_keeps_the_template(ict, mean, other, free):
    skin = other.parts[0]
    grown = skin.vertices.clone()
    crown = grown[:, 1] > 0.08
    grown[crown] *= 1.08  # hair of a centimetre
    share = (skin.vertices[:, 1] < 0.075).float()
    still = replace(mean, parts=mean.parts[:-1])
    head = laid_onto_grown(ict, still, free, {"neutral": surface_of(grown, outside(ict), share)})
    rise = head.parts[0].vertices[: SKIN.stop] - mean.parts[0].vertices[: SKIN.stop]
    assert rise[mean.parts[0].vertices[: SKIN.stop, 1] > 0.1].norm(dim=1).max() < 0.005
