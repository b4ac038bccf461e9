"""Strands drawn along a flow: noise averaged along it, fine ones and the locks that they gather to."""

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

DOUBLINGS = 5  # a strand is 2 to the power of this long, texels
LOCK = 3.0  # standard deviation of a lock's width, texels
WRAP = 32  # texels that are drawn beyond the seam on either side


def strands_along(flow: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Fine strands and locks along `flow` [H, W, 2], x and y, unit, in texels, zero where nothing is drawn.

    [H, W] each; their mean is 0 and their deviation 1 where there is a flow, elsewhere they say nothing. Left and right
    borders of the picture meet. Line integral convolution (Cabral and Leedom 1993), in which a line doubles its length
    in every round.
    """
    noise = random.normal(size=flow.shape[:2])
    drawn = averaged_along(flow, np.stack([noise, gaussian_filter(noise, LOCK, mode="wrap")]), DOUBLINGS)
    shown = drawn[:, flow.any(-1)]  # elsewhere noise is as it was, and far rougher
    drawn = (drawn - shown.mean(1)[:, None, None]) / np.maximum(shown.std(1), 1e-9)[:, None, None]
    return drawn[0], drawn[1]


def averaged_along(flow: np.ndarray, pictures: np.ndarray, doublings: int) -> np.ndarray:
    """`pictures` [C, H, W] averaged along `flow` [H, W, 2], see `strands_along`, over 2 to the power of `doublings`."""
    values = torch.from_numpy(np.pad(pictures, ((0, 0), (0, 0), (WRAP, WRAP)), mode="wrap")).float()[None]
    way = torch.from_numpy(np.pad(flow, ((0, 0), (WRAP, WRAP), (0, 0)), mode="wrap")).float()[None]
    for number in range(doublings):
        shift = 2.0 ** (number - 1) * way
        values = (_moved(values, shift) + _moved(values, -shift)) / 2
    return values[0, :, :, WRAP:-WRAP].double().numpy()


def _moved(values: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    """`values` [1, C, H, W] read `shift` [1, H, W, 2] texels away."""
    height, width = values.shape[2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    place = (torch.stack([x, y], -1) + 0.5 + shift) / torch.tensor([width, height]) * 2 - 1
    return F.grid_sample(values, place, padding_mode="border", align_corners=False)
