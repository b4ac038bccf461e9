"""Lips in an edit of the shape: they follow what moves them, and stay as they are beside everything else."""

import pytest
import torch

from idto3d.head.features.face_masks import skin_masks
from idto3d.head.motion.lips import mouth_of
from idto3d.stages.edit.shape import _joined, _placed, reshaped
from idto3d.words.asked import read_edit

MIDDLES = (5533, 5517)  # of the upper and of the lower lip


@pytest.fixture
def before(finished, ground):
    return _joined(finished.head, ground.template)


def test_a_nose_leaves_lips_bit_for_bit_and_what_lies_behind_them(work, before, ground):
    after = _joined(reshaped(work(read_edit("a hooked nose"))).head.head, ground.template)
    skin = ground.template.part("skin").vertices
    lips = torch.from_numpy(skin_masks(ground.template.neutral[skin].cpu().double().numpy())["lips"] > 0)
    assert lips.sum() > 300 and torch.equal(after[skin][lips], before[skin][lips])
    for name in ("teeth", "gums_tongue"):
        own = ground.template.part(name).vertices
        assert torch.equal(after[own], before[own])
    assert (after - before).norm(dim=1).max() > 0.001


def test_what_an_edit_does_not_move_is_not_settled_again(before, ground):
    assert not _placed(ground.template, before, before).any()


def test_lips_that_an_edit_opens_close_again(before, ground):
    mouth = mouth_of(ground.template)
    opened, lower = before.clone(), mouth.lips[1]
    opened[mouth.zone[lower.around], 1] -= 0.002 * lower.fade
    change = _placed(ground.template, before, opened)
    gaps = [(one[MIDDLES[0]] - one[MIDDLES[1]])[1] for one in (before, opened, opened + change)]
    assert gaps[1] - gaps[0] == pytest.approx(0.002, abs=1e-5) and gaps[2] - gaps[0] < 0.5 * (gaps[1] - gaps[0])
