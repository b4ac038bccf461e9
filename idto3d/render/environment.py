"""Light from all around: equirectangular maps, prefiltered for diffuse and glossy surfaces.

A map's centre column is the direction +Z that the face looks to, its right-hand side is -X, its top row is +Y; the
radiance is linear. Turning, tinting and dimming a light changes three numbers, never the map.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.errors import UserError
from idto3d.render.panorama.hdr import read_hdr

ROUGHNESS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the levels; equally spaced
MAX_HEIGHT = 64  # rows of the largest map that is kept


@dataclass(frozen=True)
class Environment:
    """A prefiltered light.

    levels: [3, L, H, W + 2] radiance convolved for each of `ROUGHNESS`, one column repeated on either side.
    harmonics: [9, 3] coefficients of irradiance / pi in real spherical harmonics.
    rotation: radians about +Y; positive turns what shines from the front towards +X, the person's left.
    gain: [3] factor on everything, colour and exposure.
    """

    name: str
    levels: Tensor
    harmonics: Tensor
    rotation: float
    gain: Tensor


def environment_names(folder: str | Path) -> tuple[str, ...]:
    """Names of the lights in `folder`, sorted. Raises UserError when there is none."""
    names = tuple(sorted(path.stem for path in Path(folder).glob("*.hdr")))
    if not names:
        raise UserError(
            f"There are no lights in '{folder}'.", "Run: python -m idto3d.render.make_hdri --out assets/hdri"
        )
    return names


def load_environment(path: str | Path) -> Environment:
    """The light in a Radiance file. Raises UserError when it cannot be read."""
    path = Path(path)
    return prefilter(torch.from_numpy(read_hdr(path)), path.stem)


def load_environments(folder: str | Path) -> tuple[Environment, ...]:
    """Every light in `folder`, in the order of `environment_names`."""
    return tuple(load_environment(Path(folder, f"{name}.hdr")) for name in environment_names(folder))


def rotate(environment: Environment, angle: float) -> Environment:
    """The light turned by `angle` radians about +Y, from the front towards the person's left."""
    return replace(environment, rotation=environment.rotation + angle)


def tint(environment: Environment, color: Tensor) -> Environment:
    """The light seen through a linear `color` [3]."""
    return replace(environment, gain=environment.gain * color.to(environment.gain))


def exposure(environment: Environment, factor: float) -> Environment:
    """The light made `factor` times as strong."""
    return replace(environment, gain=environment.gain * factor)


def environment_to(environment: Environment, device: torch.device) -> Environment:
    """The same light on `device`."""
    levels, harmonics, gain = (t.to(device) for t in (environment.levels, environment.harmonics, environment.gain))
    return replace(environment, levels=levels, harmonics=harmonics, gain=gain)


def random_light(environments: tuple[Environment, ...], generator: torch.Generator) -> Environment:
    """One of `environments`, turned by any angle, 0.7 to 1.4 times as strong, each channel tinted by up to 15 %."""
    choice = int(torch.randint(len(environments), (1,), generator=generator))
    draw = torch.rand(5, generator=generator)
    turned = rotate(environments[choice], 2 * math.pi * float(draw[0]))
    return tint(exposure(turned, 0.7 * 2.0 ** float(draw[1])), 0.85 + 0.3 * draw[2:])


def diffuse_light(environment: Environment, normal: Tensor) -> Tensor:
    """Irradiance / pi [..., 3] on surfaces with unit `normal` [..., 3]: the radiance of a white diffuser, linear."""
    basis = _harmonic_basis(_into_map(environment, normal))
    return (basis @ environment.harmonics).clamp(min=0.0) * environment.gain


def specular_light(environment: Environment, direction: Tensor, roughness: Tensor) -> Tensor:
    """Radiance [..., 3] from around unit `direction` [..., 3], blurred for `roughness` [..., 1] in 0..1; linear."""
    levels = environment.levels
    u, v = _map_coordinates(_into_map(environment, direction))
    width = levels.shape[-1] - 2
    across = 2 * (u * width + 1) / (width + 2) - 1
    count = len(ROUGHNESS)
    level = (2 * (roughness[..., 0].clamp(0, 1) * (count - 1)) + 1) / count - 1
    grid = torch.stack([across, 2 * v - 1, level], -1).reshape(1, 1, 1, -1, 3)
    values = F.grid_sample(levels[None], grid, padding_mode="border", align_corners=False)
    return values.reshape(3, -1).T.reshape(direction.shape) * environment.gain


def prefilter(radiance: Tensor, name: str = "") -> Environment:
    """The `Environment` of an equirectangular map [H, W, 3] of linear radiance, reduced to at most 64 rows."""
    reduced = _reduce(radiance.float())
    levels = torch.stack([reduced] + [_blur(reduced, roughness) for roughness in ROUGHNESS[1:]]).movedim(-1, 0)
    wrapped = torch.cat([levels[..., -1:], levels, levels[..., :1]], -1)
    return Environment(name, wrapped.contiguous(), _project_harmonics(reduced), 0.0, radiance.new_ones(3))


def map_directions(height: int, width: int) -> Tensor:
    """Unit direction [H, W, 3] of every texel centre of a map."""
    polar = (torch.arange(height, dtype=torch.float64) + 0.5) * math.pi / height
    azimuth = (0.5 - (torch.arange(width, dtype=torch.float64) + 0.5) / width) * 2 * math.pi
    sine, cosine = polar.sin()[:, None], polar.cos()[:, None]
    return torch.stack([sine * azimuth.sin(), cosine.expand(height, width), sine * azimuth.cos()], -1).float()


def solid_angles(height: int, width: int) -> Tensor:
    """Solid angle [H, 1] of the texels of each row, steradian; over the whole map they add up to 4 pi."""
    edges = (torch.arange(height + 1, dtype=torch.float64) * math.pi / height).cos()
    return ((edges[:-1] - edges[1:]) * 2 * math.pi / width)[:, None].float()


def _into_map(environment: Environment, direction: Tensor) -> Tensor:
    """World `direction` [..., 3] as seen by the unturned map."""
    sine, cosine = math.sin(environment.rotation), math.cos(environment.rotation)
    x, y, z = direction.unbind(-1)
    return torch.stack([cosine * x - sine * z, y, sine * x + cosine * z], -1)


def _map_coordinates(direction: Tensor) -> tuple[Tensor, Tensor]:
    """Position (u from the left, v from the top, both 0..1) of `direction` [..., 3] in a map."""
    x, y, z = direction.unbind(-1)
    level = x * x + z * z
    at_pole = level < 1e-10
    azimuth = torch.atan2(torch.where(at_pole, 0.0, x), torch.where(at_pole, 1.0, z))
    polar = torch.atan2(level.clamp(min=1e-10).sqrt(), y)
    return 0.5 - azimuth / (2 * math.pi), polar / math.pi


def _reduce(radiance: Tensor) -> Tensor:
    """The map with at most `MAX_HEIGHT` rows, averaged over areas."""
    height, width = radiance.shape[:2]
    if height <= MAX_HEIGHT:
        return radiance
    size = (MAX_HEIGHT, max(1, round(width * MAX_HEIGHT / height)))
    return F.adaptive_avg_pool2d(radiance.movedim(-1, 0)[None], size)[0].movedim(0, -1)


def _blur(radiance: Tensor, roughness: float) -> Tensor:
    """The map seen in a surface of `roughness`, for view = normal = reflection (Karis 2013, "split sum")."""
    height, width = radiance.shape[:2]
    rows = torch.fft.rfft(radiance, dim=1)
    blurred = torch.einsum("oif,ifc->ofc", _lobe_spectrum(height, width, roughness), rows)
    return torch.fft.irfft(blurred, n=width, dim=1).clamp(min=0.0)


@lru_cache(maxsize=16)
def _lobe_spectrum(height: int, width: int, roughness: float) -> Tensor:
    """Weights [H, H, W // 2 + 1] of each source row for each target row, Fourier-transformed along the row.

    Turning a map about its axis turns the blurred map alike, so that the filter is a circular convolution along rows.
    """
    directions = map_directions(height, width)
    cosine = torch.einsum("oc,iwc->oiw", directions[:, 0], directions).clamp(-1.0, 1.0)
    alpha_squared = roughness**4
    lobe = alpha_squared / ((1 + cosine) / 2 * (alpha_squared - 1) + 1) ** 2
    kernel = lobe * cosine.clamp(min=0.0) * solid_angles(height, width)
    return torch.fft.rfft(kernel / kernel.sum((1, 2), keepdim=True))


def _harmonic_basis(direction: Tensor) -> Tensor:
    """The nine real spherical harmonics of bands 0 to 2 at unit `direction` [..., 3], [..., 9]."""
    x, y, z = direction.unbind(-1)
    first = [torch.full_like(x, 0.282095), 0.488603 * y, 0.488603 * z, 0.488603 * x]
    second = [1.092548 * x * y, 1.092548 * y * z, 0.315392 * (3 * z * z - 1), 1.092548 * x * z]
    return torch.stack([*first, *second, 0.546274 * (x * x - y * y)], -1)


def _project_harmonics(radiance: Tensor) -> Tensor:
    """Coefficients [9, 3] of irradiance / pi. Ramamoorthi and Hanrahan 2001, eq. 8: bands scaled by 1, 2/3, 1/4.

    The mean is set apart, so that even light stays even however few texels there are.
    """
    height, width = radiance.shape[:2]
    weight = solid_angles(height, width)[..., None]
    mean = (radiance * weight).sum((0, 1)) / (4 * math.pi)
    basis = _harmonic_basis(map_directions(height, width)) * weight
    band = radiance.new_tensor([1.0] + [2 / 3] * 3 + [1 / 4] * 5)
    coefficients = torch.einsum("hwk,hwc->kc", basis, radiance - mean) * band[:, None]
    coefficients[0] += mean * math.sqrt(4 * math.pi)
    return coefficients
