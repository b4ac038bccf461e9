"""Expressions that read: faint ones are stronger, brows press down in the middle, skin folds and lips stay shut."""

import pytest
import torch

from idto3d.bundle.layout import PERSONAL_FILE
from idto3d.config import EMBEDDED
from idto3d.head.features.assemble import weights_of
from idto3d.head.motion.creases import CREASES, creased
from idto3d.head.motion.personal import mirror_of
from idto3d.head.motion.personal_file import with_personal
from idto3d.head.template import LANDMARKS

CORNER, BROW_INNER, BROW_OUTER = LANDMARKS[54], LANDMARKS[22], LANDMARKS[26]  # of the person's left
LIPS = list(LANDMARKS[60:])


@pytest.fixture(scope="module")
def own(ict):
    return with_personal(ict, EMBEDDED / PERSONAL_FILE)


def test_a_frown_pulls_down_the_corners_and_stern_brows_go_down_in_the_middle(ict, own):
    frown, brow = (own.displacement(weights_of(own, [name]))[0] for name in ("mouthFrownLeft", "browDownLeft"))
    assert frown[CORNER, 1] < -0.005
    assert brow[BROW_INNER, 1] < brow[BROW_OUTER, 1] - 0.0025
    assert not torch.equal(weights_of(ict, ["mouthFrownLeft"]), weights_of(own, ["mouthFrownLeft"]))


def test_everybodys_shapes_are_the_templates(ict):
    assert weights_of(ict, ["mouthFrownLeft", "mouthSmileLeft"]).sum(1).tolist() == [1.0, 1.0]


def test_a_smile_raises_the_cheek(own):
    weights = weights_of(own, ["mouthSmileLeft"])[0]
    assert weights[own.shapes.index("cheekRaiser_L")] > 0.2 and not weights[own.shapes.index("cheekRaiser_R")]


def test_skin_folds_on_both_sides_alike_and_not_at_the_lips(ict, people):
    names = sorted({crease.shape for crease in CREASES})
    weights = torch.stack([ict.weights({name: 1.0}) for name in names])
    skin, (moved,) = ict.part("skin").vertices, (creased(ict, ict.neutral, weights),)
    depth = moved[:, skin].norm(dim=-1)
    assert (depth.amax(1) > 0.0005).all() and depth.max() < 0.002
    assert moved[:, LIPS].norm(dim=-1).max() < 0.0002
    mirror = mirror_of(ict.neutral, torch.arange(skin.start, skin.stop))
    assert (depth - depth[:, mirror]).abs().max() < 1e-4
    assert not creased(ict, people[2], torch.zeros_like(weights)).any()
