"""From the skin's colour to its shine and relief: for heads of words, and where no photo saw the skin."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from idto3d.head.features.regions import regions_of
from idto3d.head.paint.atlas import Texels
from idto3d.head.paint.pores import widths
from idto3d.head.template_model import Template
from idto3d.stages.materials.network import REGIONS, MaterialNet, as_colours

TILE = 512  # texels of the side of what the network sees at a time, without its margin
FOREHEAD_M = ((0.0, 0.066), (0.035, 0.020))  # its middle and its extent (x, y) on the mean head
WET = ("mouth", "sockets")
# Share of plastics' reflectance at normal incidence, 4 %. Bare skin's is 2.8 % (refractive index 1.4); with the film of
# oil that faces wear they look right at nearly as much as plastics, and dull at less.
SPECULAR = 0.92
CAVITY_DULL = 4.0  # share of the specular lost per millimetre of a dent's depth
SPECULAR_OF = {"lips": 1.0, "wet": 0.80, "scalp": 0.75}


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


@torch.inference_mode()
def translated(net: MaterialNet, albedo: np.ndarray, about: np.ndarray, texels: Texels) -> SkinMaterial:
    """What skin of linear `albedo` [N, 3] is like to light; about [V, 1 + R]: its `surroundings`."""
    size = len(texels.covered)
    pages = np.zeros((3, size, size), np.float32)
    for outer, inner, target in _tiles(size, net):
        rows = texels.nearest[outer]
        colours = as_colours(_page(albedo[rows]))
        beside = _page(np.einsum("yxk,yxkc->yxc", texels.weights[rows], about[texels.corners[rows]]))
        found = torch.cat(net(_padded(torch.cat([colours, beside], 1), net.step)))
        pages[(slice(None), *target)] = found[(slice(None), *inner)].numpy()
    return SkinMaterial(*(page[texels.covered].astype(np.float64) for page in pages))


def _page(values: np.ndarray) -> torch.Tensor:
    """[1, C, H, W] of `values` [H, W, C]."""
    return torch.from_numpy(values).float().permute(2, 0, 1)[None]


def _padded(page: torch.Tensor, step: int) -> torch.Tensor:
    down, right = (-side % step for side in page.shape[2:])
    return torch.nn.functional.pad(page, (0, right, 0, down), mode="replicate") if down or right else page


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
