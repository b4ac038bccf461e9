"""A small network of ours that says what hair, beard, skin and so on an aligned portrait shows.

It is trained on synthetic portraits alone (training/portrait_encoder.py).
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

SIDE = 64  # of the crop, pixels; see align.head_crop
GROUPS = 8  # of the group norms
SUMMARY = 24  # channels in which the last 4 x 4 features are told apart by place
HALF = SIDE / 4  # a landmark's usual distance from the middle, pixels


@dataclass(frozen=True)
class LooksSize:
    """How large the network is and what it tells.

    widths: channels of its four resolutions 32, 16, 8 and 4. blocks: residual blocks in each. attributes: for each
    named attribute the words it may be.
    """

    widths: tuple[int, ...] = (24, 48, 96, 192)
    blocks: tuple[int, ...] = (0, 1, 1, 1)
    hidden: int = 256
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Residual(nn.Module):
    """Two convolutions on top of their input [B, C, h, w]."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(nn.functional.silu(self.first(nn.functional.silu(self.norm(x)))))


class LooksNet(nn.Module):
    """Head crops and their landmarks in, scores of attributes out."""

    def __init__(self, size: LooksSize = LooksSize()):
        super().__init__()
        self.size = size
        self.layers = nn.Sequential(*_layers(size))
        last = size.widths[-1]
        self.summary = nn.Conv2d(last, SUMMARY, 1)
        self.places = nn.Linear(SUMMARY * (SIDE // 16) ** 2, size.hidden)
        self.whole = nn.Linear(last + 10, size.hidden)
        self.mix = nn.Sequential(nn.LayerNorm(size.hidden), nn.SiLU(), nn.Dropout(0.1))
        self.head = nn.Linear(size.hidden, sum(len(words) for words in size.attributes.values()))

    def forward(self, crops: Tensor, landmarks: Tensor) -> dict[str, Tensor]:
        """Scores [B, words] of each attribute.

        crops: [B, 3, 64, 64] sRGB in 0..1, as align.head_crop cuts them. landmarks: [B, 5, 2] in their pixels.
        """
        features = self.layers(crops * 4 - 2)
        marks = (landmarks.flatten(1) - SIDE / 2) / HALF
        whole = self.whole(torch.cat([features.mean((2, 3)), marks], 1))
        told = self.head(self.mix(whole + self.places(self.summary(features).flatten(1))))
        parts = told.split([len(words) for words in self.size.attributes.values()], 1)
        return dict(zip(self.size.attributes, parts, strict=True))


def _layers(size: LooksSize) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(3, size.widths[0], 5, stride=2, padding=2)]
    for number, (width, blocks) in enumerate(zip(size.widths, size.blocks, strict=True)):
        if number:
            before = size.widths[number - 1]
            layers += [nn.GroupNorm(GROUPS, before), nn.SiLU(), nn.Conv2d(before, width, 3, stride=2, padding=1)]
        layers += [Residual(width) for _ in range(blocks)]
    return [*layers, nn.GroupNorm(GROUPS, size.widths[-1]), nn.SiLU()]
