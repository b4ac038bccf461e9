"""From the skin's colour to its shine and relief: for heads of words, and where no photo saw the skin."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, interpolate, pad

from idto3d.events import Event, StageStarted, StepDone
from idto3d.head.features.regions import regions_of
from idto3d.head.paint.atlas import Texels
from idto3d.head.paint.pores import widths
from idto3d.head.template_model import Template
from idto3d.stages.materials.network import REGIONS, MaterialNet, as_colours

STAGE = "shine"
SIDE = 1024  # texels of a page's side that are enough for shine; relief is read at the texture's own
TILE = 512  # texels of the side of what the network sees at a time, without its margin
FOREHEAD_M = ((0.0, 0.066), (0.035, 0.020))  # its middle and its extent (x, y) on the mean head
WET = ("mouth", "sockets")
# Share of plastics' reflectance at normal incidence, 4 %. Bare skin's is 2.8 % (refractive index 1.4); with the film of
# oil that faces wear they look right at nearly as much as plastics, and dull at less.
SPECULAR = 0.92
CAVITY_DULL = 4.0  # share of the specular lost per millimetre of a dent's depth
SPECULAR_OF = {"lips": 0.9, "wet": 0.80, "scalp": 0.75}


@dataclass(frozen=True, eq=False)
class SkinMaterial:
    """Of skin at N texels: roughness [N] and specular [N], 0..1, and height [N] millimetres, 0 being the surface's own.

    specular is the share of the usual reflectance of plastics, 4 % at normal incidence.
    """

    roughness: np.ndarray
    specular: np.ndarray
    height: np.ndarray


def surroundings(template: Template, size: int) -> np.ndarray:
    """[V, 1 + R] what the network knows of the skin's vertices besides colour, on a texture of `size` pixels.

    It is the logarithm of how many millimetres a texel is wide, and REGIONS.
    """
    return np.concatenate([np.log(widths(template) / size)[:, None], region_shares(template)], 1)


def region_shares(template: Template) -> np.ndarray:
    """[V, R] 0..1 how far each vertex of the skin belongs to each of REGIONS."""
    masks, own = regions_of(template), template.part("skin").vertices
    found = {name: getattr(masks, name)[own].cpu().double().numpy() for name in REGIONS if hasattr(masks, name)}
    found["wet"] = np.maximum(*(getattr(masks, name)[own].cpu().double().numpy() for name in WET))
    found["forehead"] = forehead(template)
    return np.stack([found[name] for name in REGIONS], 1)


def usual_specular(template: Template) -> np.ndarray:
    """[V] specular of bare skin at the skin's vertices, see `SkinMaterial`."""
    shares = dict(zip(REGIONS, region_shares(template).T, strict=True))
    specular = np.full(len(shares["lips"]), SPECULAR)
    for name, value in SPECULAR_OF.items():
        specular += shares[name] * (value - specular)
    return specular


def forehead(template: Template) -> np.ndarray:
    """[V] 0..1 the middle of the forehead among the skin's vertices."""
    mean, (middle, extent) = template.neutral[template.part("skin").vertices].cpu().double().numpy(), FOREHEAD_M
    return np.exp(-(((mean[:, :2] - middle) / extent) ** 2).sum(1)) * (mean[:, 2] > 0)


def translated(
    net: MaterialNet, albedo: np.ndarray, about: np.ndarray, texels: Texels, finest: bool = True
) -> Generator[Event, None, SkinMaterial]:
    """What skin of linear `albedo` [N, 3] is like to light; about [V, 1 + R]: its `surroundings`.

    Without `finest` a large texture is read at SIDE texels or a little more, and what is read is enlarged.
    """
    size, times = len(texels.covered), 1 if finest else _times(len(texels.covered))
    tiles = list(_tiles(size // times, net))
    pages = np.zeros((3, size // times, size // times), np.float32)
    yield StageStarted(STAGE, len(tiles))
    for number, (outer, inner, target) in enumerate(tiles, 1):
        inputs = _inputs(albedo, about, texels, outer, times)
        with torch.inference_mode():
            found = torch.cat(net(_padded(inputs, net.step)))
        pages[(slice(None), *target)] = found[(slice(None), *inner)].numpy()
        yield StepDone(STAGE, number, len(tiles))
    return SkinMaterial(*(_enlarged(page, size)[texels.covered].astype(np.float64) for page in pages))


def _times(size: int) -> int:
    """How many texels of a side are read as one."""
    return next(times for times in range(max(size // SIDE, 1), 0, -1) if size % times == 0)


def _inputs(albedo: np.ndarray, about: np.ndarray, texels: Texels, outer, times: int) -> torch.Tensor:
    """[1, INPUTS, H, W] of the square `outer` of a page of which a texel is `times` of the texture's on each side."""
    rows = texels.nearest[tuple(slice(times * one.start, times * one.stop) for one in outer)]
    colours = as_colours(avg_pool2d(_page(albedo[rows]), times))
    middle = rows[times // 2 :: times, times // 2 :: times]
    beside = np.einsum("yxk,yxkc->yxc", texels.weights[middle], about[texels.corners[middle]])
    beside[..., 0] += np.log(times)
    return torch.cat([colours, _page(beside)], 1)


def _enlarged(page: np.ndarray, size: int) -> np.ndarray:
    if len(page) == size:
        return page
    return interpolate(torch.from_numpy(page)[None, None], (size, size), mode="bilinear")[0, 0].numpy()


def _page(values: np.ndarray) -> torch.Tensor:
    """[1, C, H, W] of `values` [H, W, C]."""
    return torch.from_numpy(values).float().permute(2, 0, 1)[None]


def _padded(page: torch.Tensor, step: int) -> torch.Tensor:
    down, right = (-side % step for side in page.shape[2:])
    return pad(page, (0, right, 0, down), mode="replicate") if down or right else page


def _tiles(size: int, net: MaterialNet) -> Iterator[tuple[tuple[slice, slice], ...]]:
    """Of each tile of a page: what the network sees, what of that counts, and where it goes."""
    for top in range(0, size, TILE):
        for left in range(0, size, TILE):
            outer, inner, target = zip(*(_span(start, size, net) for start in (top, left)), strict=True)
            yield outer, inner, target


def _span(start: int, size: int, net: MaterialNet) -> tuple[slice, slice, slice]:
    stop = min(start + TILE, size)
    low = max(0, (start - net.size.margin) // net.step * net.step)
    high = min(size, stop + net.size.margin)
    return slice(low, high), slice(start - low, stop - low), slice(start, stop)
