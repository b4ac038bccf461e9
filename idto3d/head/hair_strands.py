"""Lighter and darker strands in painted hair, in closed form: without them hair of one colour looks like a cap."""

import math

import torch
from torch import Tensor

CROWN = (0.0, 0.110, -0.030)  # where combed hair parts, metres on the mean head
WAVES = 24
STRANDS = (35.0, 190.0)  # fewest and most waves of combed hair around the head
LOCKS = (0.005, 0.013)  # finest and coarsest wave of curls, metres
CONTRAST = 0.3  # standard deviation of the logarithm of the brightness
MOST = 2.0  # standard deviations


def strand_tone(points: Tensor, curled: bool) -> Tensor:
    """[N, 1] factor about 1 on the colour of hair, combed or `curled`, at `points` [N, 3], metres, on the mean head.

    Combed hair runs down from the crown, curls lie every way. The same every time.
    """
    random = torch.Generator().manual_seed(1)
    waves = _curls(points, random) if curled else _combed(points, random)
    height = waves.mean(-1, keepdim=True) * (2 * WAVES) ** 0.5  # of unit variance
    return torch.exp(CONTRAST * height.clamp(-MOST, MOST) - CONTRAST**2 / 2)


def _combed(points: Tensor, random: torch.Generator) -> Tensor:
    """[N, WAVES] waves across strands, which bend and cross a little."""
    x, y, z = (points - points.new_tensor(CROWN)).unbind(-1)
    along = (x.square() + y.square() + z.square()).sqrt()[:, None]
    counts, phases, bends, slants = _draw(points, random)
    counts = (STRANDS[0] * (STRANDS[1] / STRANDS[0]) ** counts).round()  # whole numbers close the circle
    azimuth = torch.atan2(x, z)[:, None] + 0.05 * torch.sin(along / 0.035)
    slants = (slants / math.pi - 1) * along / 0.02
    return torch.sin(counts * azimuth + phases + 1.5 * torch.sin(along / 0.03 + bends) + slants)


def _curls(points: Tensor, random: torch.Generator) -> Tensor:
    """[N, WAVES] waves in every direction, warped."""
    lengths, phases, *angles = _draw(points, random)
    lengths = LOCKS[0] * (LOCKS[1] / LOCKS[0]) ** lengths
    up = torch.cos(angles[0] / 2)  # the second angle goes around
    level = (1 - up.square()).sqrt()
    direction = torch.stack([level * angles[1].cos(), up, level * angles[1].sin()]) * (2 * math.pi / lengths)
    warped = points + 0.006 * torch.sin(points.roll(1, -1) / 0.008) + 0.004 * torch.sin(points.roll(2, -1) / 0.0045)
    return torch.sin(warped @ direction + phases)


def _draw(points: Tensor, random: torch.Generator) -> Tensor:
    """[4, WAVES]: a share 0..1, then three angles 0..2 pi."""
    drawn = torch.rand(4, WAVES, generator=random).to(points)
    return drawn * drawn.new_tensor([1, 2 * math.pi, 2 * math.pi, 2 * math.pi])[:, None]
