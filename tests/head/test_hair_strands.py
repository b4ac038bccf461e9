import math

import pytest
import torch

from idto3d.head.hair_strands import CROWN, strand_tone


def around_the_head(count: int, radius: float, height: float) -> torch.Tensor:
    angle = torch.arange(count) * 2 * math.pi / count
    ring = torch.stack([radius * angle.sin(), torch.full_like(angle, height), radius * angle.cos()], 1)
    return ring + torch.tensor([CROWN[0], 0.0, CROWN[2]])


@pytest.mark.parametrize("curled", [False, True])
def test_strands_change_the_colour_of_hair_but_not_its_mean_and_are_the_same_every_time(curled):
    points = around_the_head(5000, 0.1, 0.03)
    tone = strand_tone(points, curled)
    assert tone.shape == (5000, 1) and torch.equal(tone, strand_tone(points, curled))
    assert tone.mean() == pytest.approx(1, abs=0.05) and 0.15 < tone.std() < 0.5
    assert tone.min() > 0.5 and tone.max() < 2


def test_combed_hair_runs_down_from_the_crown_and_meets_itself_behind():
    ring = around_the_head(720, 0.1, 0.03)
    below = ring - torch.tensor([0.0, 0.002, 0.0])
    tone = strand_tone(ring, False)
    across, down = (tone - tone.roll(1, 0)).abs().mean(), (tone - strand_tone(below, False)).abs().mean()
    assert across > 2 * down * 0.00087 / 0.002  # per metre
    assert (tone[360] - strand_tone(ring[360:361] * torch.tensor([-1.0, 1.0, 1.0]), False)).abs().max() < 1e-3
