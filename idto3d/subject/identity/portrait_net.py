"""A small network of ours that reads a head's shape from an aligned portrait, and says what hair, beard, skin it shows.

It is trained on synthetic portraits alone (training/fit/portrait_encoder.py).
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

SIDE = 96  # of the picture, pixels, at the scale of align.head_crop
GROUPS = 8  # of the group norms
SUMMARY = 32  # channels in which the last 6 x 6 features are told apart by place
HALF = SIDE / 4  # a landmark's usual distance from the middle, pixels


@dataclass(frozen=True)
class PortraitSize:
    """How large the network is and what it tells.

    widths: channels of its four resolutions 48, 24, 12 and 6. blocks: residual blocks in each. coefficients: C of a
    synthetic head. modes: K of the code. attributes: for each named attribute the words it may be.
    """

    widths: tuple[int, ...] = (32, 64, 112, 160)
    blocks: tuple[int, ...] = (0, 2, 2, 1)
    hidden: int = 288
    coefficients: int = 100
    modes: int = 64
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


class PortraitNet(nn.Module):
    """Head crops and their landmarks in, whitened codes of shapes and scores of attributes out.

    `code * code_std + code_mean`, both [K], is `coefficients @ coefficient_map` [C, K] of the head; `code_share` [K] is
    each mode's share of how heads differ. `mirror` [K, K] makes the code of a head that of its mirror image, as
    `mirror @ code`. `embedding_scale` makes a code weigh as much as dlib's unit embedding where both are put together.
    """

    def __init__(self, size: PortraitSize = PortraitSize()):
        super().__init__()
        self.size = size
        self.layers = nn.Sequential(*_layers(size))
        last = size.widths[-1]
        self.summary = nn.Conv2d(last, SUMMARY, 1)
        self.places = nn.Linear(SUMMARY * (SIDE // 16) ** 2, size.hidden)
        self.whole = nn.Linear(last + 10, size.hidden)
        self.mix = nn.Sequential(nn.LayerNorm(size.hidden), nn.SiLU(), nn.Dropout(0.1))
        self.head = nn.Linear(size.hidden, size.modes + sum(len(words) for words in size.attributes.values()))
        self.register_buffer("coefficient_map", torch.zeros(size.coefficients, size.modes))
        for name in ("code_mean", "code_std", "code_share"):
            self.register_buffer(name, torch.zeros(size.modes))
        mirror = torch.eye(size.modes, device="cpu")  # as a mere shape, on "meta", it has torch load its compiler: 2 s
        self.register_buffer("mirror", mirror)
        self.register_buffer("embedding_scale", torch.ones(()))

    def forward(self, crops: Tensor, landmarks: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Codes [B, K], and scores [B, words] of each attribute.

        crops: [B, 3, 96, 96] sRGB in 0..1, at the scale of align.head_crop. landmarks: [B, 5, 2] in their pixels.
        """
        features = self.layers(crops * 4 - 2)
        marks = (landmarks.flatten(1) - SIDE / 2) / HALF
        whole = self.whole(torch.cat([features.mean((2, 3)), marks], 1))
        outputs = self.head(self.mix(whole + self.places(self.summary(features).flatten(1))))
        code, *scores = outputs.split([self.size.modes, *(len(words) for words in self.size.attributes.values())], 1)
        return code, dict(zip(self.size.attributes, scores, strict=True))

    def whitened(self, coefficients: Tensor) -> Tensor:
        """The true codes [..., K] of synthetic heads of `coefficients` [..., C]."""
        return (coefficients @ self.coefficient_map - self.code_mean) / self.code_std


def _layers(size: PortraitSize) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(3, size.widths[0], 5, stride=2, padding=2)]
    for number, (width, blocks) in enumerate(zip(size.widths, size.blocks, strict=True)):
        if number:
            before = size.widths[number - 1]
            layers += [nn.GroupNorm(GROUPS, before), nn.SiLU(), nn.Conv2d(before, width, 3, stride=2, padding=1)]
        layers += [Residual(width) for _ in range(blocks)]
    return [*layers, nn.GroupNorm(GROUPS, size.widths[-1]), nn.SiLU()]
