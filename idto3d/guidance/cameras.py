"""How a camera is told to the guidance: as three numbers, all zeros for one that is not known."""

import torch
from torch import Tensor

CAMERA = 3  # numbers of a camera code


def camera_codes(azimuth_deg: Tensor, elevation_deg: Tensor) -> Tensor:
    """[B, 3] of cameras [B] in degrees, as `render.camera.orbit` counts them; zeros would stand for an unknown one."""
    azimuth, elevation = torch.deg2rad(azimuth_deg.float()), torch.deg2rad(elevation_deg.float())
    return torch.stack([azimuth.sin(), azimuth.cos(), elevation], -1)


def angles_of(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Azimuth and elevation [B] in degrees of `codes` [B, 3]; the inverse of `camera_codes`."""
    return torch.rad2deg(torch.atan2(codes[:, 0], codes[:, 1])), torch.rad2deg(codes[:, 2])
