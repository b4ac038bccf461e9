"""A small network of ours that reads the shape of a head, and what hair it has, from an aligned portrait.

It is trained on synthetic portraits alone (training/portrait_encoder.py). Its file holds everything that its numbers
mean: the linear map from a synthetic head's coefficients to the code, and how the code is scaled.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from idto3d.errors import UserError

VERSION = 1
SIDE = 64  # of the crop, pixels; see align.head_crop
GROUPS = 8  # of the group norms
SUMMARY = 24  # channels in which the last 4 x 4 features are told apart by place
KEY = "portrait_net"


@dataclass(frozen=True)
class NetSize:
    """How large the network is and what it tells.

    widths: channels of its four resolutions 32, 16, 8 and 4. blocks: residual blocks in each. coefficients: of a
    synthetic head. modes: numbers K of the code. attributes: for each named attribute the words it may be.
    recognition: numbers R of dlib's unit embedding, to whose linear guess of the code the network adds; 0: it guesses
    alone.
    """

    widths: tuple[int, ...] = (24, 48, 96, 192)
    blocks: tuple[int, ...] = (0, 1, 1, 1)
    hidden: int = 256
    coefficients: int = 100
    modes: int = 40
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    recognition: int = 0


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
    """Head crops and their landmarks in, a code of the head's shape and scores of its attributes out.

    z = `code * code_std + code_mean` are the coefficients `coefficients @ coefficient_map` of the head; `code_share`
    [K] is each mode's share of how faces differ. `embedding_scale` makes a code weigh as much as dlib's unit embedding
    where both are put together; `longest` is the length beyond which no code is believed.
    """

    def __init__(self, size: NetSize = NetSize()):
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
        self.register_buffer("code_mean", torch.zeros(size.modes))
        self.register_buffer("code_std", torch.ones(size.modes))
        self.register_buffer("code_share", torch.full((size.modes,), 1 / size.modes))
        if size.recognition:
            self.register_buffer("recognition_map", torch.zeros(size.recognition, size.modes))
            self.register_buffer("recognition_bias", torch.zeros(size.modes))
        self.register_buffer("embedding_scale", torch.tensor(size.modes**-0.5))
        self.register_buffer("longest", torch.tensor(float("inf")))

    def forward(self, crops: Tensor, landmarks: Tensor, recognised: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Codes [B, K], whitened and unlimited, and scores [B, words] of each attribute.

        crops: [B, 3, 64, 64] sRGB in 0..1, as align.head_crop cuts them. landmarks: [B, 5, 2] in their pixels.
        recognised: [B, R] unit embeddings by dlib.
        """
        features = self.layers(crops * 4 - 2)
        marks = (landmarks.flatten(1) - SIDE / 2) / HALF
        whole = self.whole(torch.cat([features.mean((2, 3)), marks], 1))
        told = self.head(self.mix(whole + self.places(self.summary(features).flatten(1))))
        parts = told.split([self.size.modes, *map(len, self.size.attributes.values())], 1)
        code = parts[0] + self.linear_guess(recognised) if self.size.recognition else parts[0]
        return code, dict(zip(self.size.attributes, parts[1:], strict=True))

    def linear_guess(self, recognised: Tensor) -> Tensor:
        """What dlib's unit embeddings [..., R] alone tell of the codes [..., K]."""
        return recognised @ self.recognition_map + self.recognition_bias

    def code(self, crops: Tensor, landmarks: Tensor, recognised: Tensor) -> Tensor:
        """Codes [B, K] of at most the `longest` length; arguments as for `forward`."""
        return self.limited(self(crops, landmarks, recognised)[0])

    def limited(self, codes: Tensor) -> Tensor:
        """`codes` [..., K], shortened where they are longer than any that training has seen."""
        return codes * (self.longest / codes.norm(dim=-1, keepdim=True).clamp(min=1e-6)).clamp(max=1.0)

    def whitened(self, coefficients: Tensor) -> Tensor:
        """The true codes [..., K] of synthetic heads of `coefficients` [..., C]."""
        return (coefficients @ self.coefficient_map - self.code_mean) / self.code_std


HALF = SIDE / 4  # a landmark's usual distance from the middle, pixels


def _layers(size: NetSize) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(3, size.widths[0], 5, stride=2, padding=2)]
    for number, (width, blocks) in enumerate(zip(size.widths, size.blocks, strict=True)):
        if number:
            before = size.widths[number - 1]
            layers += [nn.GroupNorm(GROUPS, before), nn.SiLU(), nn.Conv2d(before, width, 3, stride=2, padding=1)]
        layers += [Residual(width) for _ in range(blocks)]
    return [*layers, nn.GroupNorm(GROUPS, size.widths[-1]), nn.SiLU()]


def save_portrait_net(net: PortraitNet, path: str | Path, provenance: dict) -> None:
    """Write `net` as safetensors, its trained weights in half precision. Whole or not at all.

    `provenance` (JSON types) says what it was trained on.
    """
    path = Path(path)
    description = {"version": VERSION, "size": asdict(net.size), "provenance": provenance}
    tensors = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    tensors |= {name: tensors[name].half() for name, _ in net.named_parameters()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={KEY: json.dumps(description)})
    partial.replace(path)


def load_portrait_net(path: str | Path) -> PortraitNet:
    """The network in `path`, on the CPU, without gradients. Raises UserError where it is missing or damaged."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"The identity network {path} is missing.", "Fetch the weights again.")
    try:
        told = read_description(path)["size"]
        words = {name: tuple(words) for name, words in told["attributes"].items()}
        size = NetSize(**told | {"widths": tuple(told["widths"]), "blocks": tuple(told["blocks"]), "attributes": words})
        net = PortraitNet(size)
        net.load_state_dict(load_file(path))
    except (
        safetensors.SafetensorError,
        OSError,
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        AttributeError,
    ) as fault:
        raise UserError(f"The identity network {path} could not be read.", "Fetch the weights again.") from fault
    return net.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def read_description(path: str | Path) -> dict:
    """Version, size and provenance of the network in `path`. Raises ValueError for a file of another kind."""
    with safetensors.safe_open(str(path), "pt") as file:
        told = json.loads((file.metadata() or {}).get(KEY, "{}"))
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise ValueError(f"{path} is not an identity network of version {VERSION}")
    return told
