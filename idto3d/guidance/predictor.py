"""The initial predictor: what a picture is expected to look like, from its conditions alone.

The UNet sees the expected latents beside the noisy ones and refines them (predict-and-refine: Whang et al. 2022,
"Deblurring via Stochastic Refinement"). What can be known of a head and its hair is nearly linear in the conditions as
long as the camera stays about one of the eight views: a linear map each, found by least squares
(training/predictor.py), hears at once what attention learns slowly.
"""

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from idto3d.prompts import MEDIA, VIEWS

SECTOR_DEG = 360 / len(VIEWS)
UNKNOWN = len(VIEWS)  # the place of the map for an unknown camera
CAMERA = 3  # numbers of a camera code
OFFSETS = 5  # numbers of a camera within its view


class InitialPredictor(ModelMixin, ConfigMixin):
    """Expected scaled latents [B, `channels`, `size`, `size`] of a picture.

    `maps` [domain, view, features, `rank`] and `centres` [domain, view, `rank`] give the weights of `patterns`. A
    condition that is all zeros is unknown, which counts as its average.
    """

    @register_to_config
    def __init__(
        self,
        channels: int,
        size: int,
        text_dim: int,
        id_dim: int,
        text_rank: int = 112,
        id_rank: int = 96,
        exp_rank: int = 12,
        rank: int = 128,
    ):
        super().__init__()
        self.text = nn.Linear(text_dim, min(text_dim, text_rank))
        self.identity = nn.Linear(id_dim, min(id_dim, id_rank))
        self.expression = nn.Linear(text_dim, min(text_dim, exp_rank))
        features = sum(layer.out_features for layer in (self.text, self.identity, self.expression)) + OFFSETS
        self.maps = nn.Parameter(torch.zeros(len(MEDIA), UNKNOWN + 1, features, rank))
        self.centres = nn.Parameter(torch.zeros(len(MEDIA), UNKNOWN + 1, rank))
        self.patterns = nn.Linear(rank, channels * size * size)

    def forward(
        self,
        domain: str,
        text: Tensor,
        identity: Tensor,
        expression: Tensor,
        camera: Tensor,
        strengths: tuple[float, float] = (1.0, 1.0),
    ) -> Tensor:
        """From mean text states [B, C], identity [B, D], pooled descriptor [B, C] and `camera_codes` [B, 3].

        `strengths` are lambda_id and lambda_exp.
        """
        found, view = self.features(text, identity, expression, camera, strengths), view_of(camera)
        maps, centres = (table[list(MEDIA).index(domain)][view] for table in (self.maps, self.centres))
        weights = torch.einsum("bf,bfr->br", found, maps) + centres
        return self.patterns(weights).unflatten(1, (self.config.channels, self.config.size, -1))

    def features(
        self,
        text: Tensor,
        identity: Tensor,
        expression: Tensor,
        camera: Tensor,
        strengths: tuple[float, float] = (1.0, 1.0),
    ) -> Tensor:
        """[B, F] of what `forward` takes: conditions about their average, then the camera within its view."""
        layers, given = (self.text, self.identity, self.expression), (text, identity, expression)
        parts = [
            strength * layer(one) * one.any(-1, keepdim=True)
            for layer, one, strength in zip(layers, given, (1.0, *strengths), strict=True)
        ]
        return torch.cat([*parts, camera_offsets(camera)], 1)


def camera_codes(azimuth_deg: Tensor, elevation_deg: Tensor) -> Tensor:
    """[B, 3] of cameras [B] in degrees, as `render.camera.orbit` counts them; zeros would stand for an unknown one."""
    azimuth, elevation = torch.deg2rad(azimuth_deg.float()), torch.deg2rad(elevation_deg.float())
    return torch.stack([azimuth.sin(), azimuth.cos(), elevation], -1)


def view_of(camera: Tensor) -> Tensor:
    """[B] the places in VIEWS of `camera` codes [B, 3], UNKNOWN for zeros."""
    azimuth = torch.rad2deg(torch.atan2(camera[:, 0], camera[:, 1]))
    view = (azimuth / SECTOR_DEG).round().long() % len(VIEWS)
    return torch.where(camera.any(-1), view, UNKNOWN)


def camera_offsets(camera: Tensor) -> Tensor:
    """[B, 5] of `camera` codes: from the middle of the view sideways, upwards, and their products; about unit size."""
    azimuth = torch.rad2deg(torch.atan2(camera[:, 0], camera[:, 1]))
    across = (azimuth - SECTOR_DEG * (azimuth / SECTOR_DEG).round()) / 14
    up = 6 * camera[:, 2]
    return torch.stack([across, up, across * up, across**2, up**2], 1) * camera.any(-1, keepdim=True)
