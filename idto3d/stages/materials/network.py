"""The network that reads from the skin's colour how rough and how bright its shine is, and how it rises and falls."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn

from idto3d.errors import UserError
from idto3d.files import json_object, read_metadata, read_tensors, write_tensors

VERSION = 1
KEY = "materials"
COLOURS = 3  # the first inputs: logarithms of the linear albedo
SIZE = 1  # then the logarithm of how many millimetres a texel is wide
REGIONS = ("face", "lips", "nose", "cheeks", "lids", "scalp", "neck", "ears", "wet", "forehead")  # then these masks
INPUTS = COLOURS + SIZE + len(REGIONS)
BLURS = (0.8, 2.2)  # deviations in texels; what brightness has more than each blur is shown to the network, too
FINE = 12.0  # by which that is multiplied: it is small
REACH = 5  # texels from a blur's middle to its edge
OUTPUTS = 3  # roughness, specular, height
HEIGHT = 0.05  # millimetres of a height of 1 of the last layer
MIDDLE = (-1.2, -1.9, -2.3)  # usual logarithms of red, green and blue
DAMAGE = (SafetensorError, OSError, ValueError, LookupError, TypeError, RuntimeError, AttributeError)


@dataclass(frozen=True)
class MaterialSize:
    """Channels of each level of the network; a level has half the texels of the one above."""

    channels: tuple[int, ...] = (10, 20, 32)

    @property
    def margin(self) -> int:
        """Texels from which on what lies beyond a tile's edge does not reach into it."""
        return 6 * 2 ** (len(self.channels) - 1) + REACH


class _Level(nn.Sequential):
    def __init__(self, before: int, after: int):
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.Conv2d(after, after, 3, padding=1), nn.ReLU()
        )


class MaterialNet(nn.Module):
    """A convolutional network of few levels with a path across at each of them (Ronneberger et al. 2015)."""

    def __init__(self, size: MaterialSize = MaterialSize()):
        super().__init__()
        self.size, channels = size, size.channels
        shown = INPUTS + len(BLURS)
        self.down = nn.ModuleList(map(_Level, (shown, *channels[:-1]), channels))
        pairs = list(zip(channels[1:], channels[:-1], strict=True))[::-1]
        self.up = nn.ModuleList(_Level(deep + wide, wide) for deep, wide in pairs)
        self.last = nn.Conv2d(channels[0] + shown, OUTPUTS, 1)  # regions have their own values, whatever is painted

    def forward(self, page: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Roughness and specular [B, H, W] 0..1, and height [B, H, W] millimetres, of inputs [B, INPUTS, H, W].

        specular is the share of the usual reflectance of plastics, 4 %. H and W are multiples of `step`.
        """
        page = torch.cat([page, fine(page[:, :COLOURS].mean(1, keepdim=True))], 1)
        across, values = [], page
        for level in self.down:
            values = level(values if not across else F.avg_pool2d(values, 2))
            across.append(values)
        for level, beside in zip(self.up, across[-2::-1], strict=True):
            values = level(torch.cat([F.interpolate(values, scale_factor=2, mode="nearest"), beside], 1))
        rough, specular, height = self.last(torch.cat([values, page], 1)).unbind(1)
        return rough.sigmoid(), specular.sigmoid(), HEIGHT * height

    @property
    def step(self) -> int:
        """What the sides of a page are multiples of."""
        return 2 ** (len(self.size.channels) - 1)


def fine(tone: Tensor) -> Tensor:
    """[B, len(BLURS), H, W] how `tone` [B, 1, H, W] differs from blurs of itself, in FINE."""
    off, edge = torch.arange(-REACH, REACH + 1, device=tone.device), F.pad(tone, (REACH,) * 4, mode="replicate")
    found = []
    for width in BLURS:
        row = torch.exp(-0.5 * (off / width) ** 2).to(tone)
        row = (row / row.sum()).view(1, 1, 1, -1)
        found.append(FINE * (tone - F.conv2d(F.conv2d(edge, row), row.mT)))
    return torch.cat(found, 1)


def as_colours(albedo: Tensor) -> Tensor:
    """The first inputs [B, 3, H, W] of linear `albedo` [B, 3, H, W]."""
    return albedo.clamp(min=4e-3).log() - albedo.new_tensor(MIDDLE).view(1, COLOURS, 1, 1)


def save_materials(net: MaterialNet, path: Path, provenance: dict) -> None:
    """Write the network in half precision, with what it was made of."""
    about = {"version": VERSION, "size": asdict(net.size), "regions": REGIONS, "provenance": provenance}
    write_tensors(path, {name: value.half() for name, value in net.state_dict().items()}, {KEY: json.dumps(about)})


def load_materials(path: str | Path) -> MaterialNet:
    """The network of materials.safetensors of a bundle, in evaluation. Raises UserError where it cannot be read."""
    tensors = read_tensors(path)
    try:
        about = json_object(read_metadata(path)[KEY])
        if about["version"] != VERSION or tuple(about["regions"]) != REGIONS:
            raise ValueError(f"it is not of version {VERSION}, or knows other regions")
        net = MaterialNet(MaterialSize(_channels(about["size"]["channels"])))
        net.load_state_dict({name: value.float() for name, value in tensors.items()})
    except DAMAGE as fault:
        what = f"The network of materials {path} is damaged or of another version of idto3d."
        raise UserError(what, "Fetch the weights again.") from fault
    return net.eval().requires_grad_(False)


def _channels(said: object) -> tuple[int, ...]:
    """What a file says of the network's channels. Raises ValueError for none that a network of skin could have."""
    alike = isinstance(said, list) and all(isinstance(one, int) and 0 < one <= 256 for one in said)
    if not alike or not 1 < len(said) <= 5:
        raise ValueError("its channels make no network")
    return tuple(said)
