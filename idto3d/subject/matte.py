"""How far each pixel around a head shows the person: MediaPipe's selfie segmentation (`training.convert.matte`)."""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from idto3d.subject.graph.graph_net import GraphNet, load_graphs
from idto3d.subject.square import Square, cut_square

SIDE = 256  # of the picture the network takes, pixels


def load_matte(path: str | Path) -> GraphNet:
    """The network of `path`, matte.safetensors of a bundle. Raises UserError."""
    return load_graphs(path, ("matte",))["matte"]


@torch.inference_mode()
def person_matte(net: GraphNet, pixels: np.ndarray, box: tuple[float, float, float], size: int = SIDE) -> np.ndarray:
    """[size, size] float32, 0..1: the share of person in a square of `pixels` [H, W, 3] uint8 sRGB.

    box: left, top and side of the square in the photo's pixels; it may reach past the edge. It should show a head with
    its shoulders: the network learned from people before a camera. It sees 256 x 256 pixels; other sizes are resampled.
    """
    left, top, side = box
    square = Square(np.array([left, top]) + side / 2, np.array([side, 0.0]))
    picture = torch.from_numpy(cut_square(pixels, square, SIDE)).float()[None] / 255
    (share,) = net(picture)
    share = share.permute(0, 3, 1, 2)
    if size != SIDE:
        share = functional.interpolate(share, (size, size), mode="bilinear", align_corners=False, antialias=size < SIDE)
    return share[0, 0].clamp(0, 1).numpy()
