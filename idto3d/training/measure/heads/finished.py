"""A finished head as it is measured, and where on it things are, told apart from how heads are made and edited."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import binary_dilation

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED, RenderOptions
from idto3d.export.gltf.load import Asset, load_asset
from idto3d.export.gltf.mesh import posed
from idto3d.export.view import seen, worn
from idto3d.head.features.eyes import NAMES as EYES
from idto3d.head.features.regions import TemplateRegions, regions_of
from idto3d.head.paint.atlas import texels_of_parts
from idto3d.head.parts import Part
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.pipeline import render_view
from idto3d.stages.saved import FinishedHead, load_head

SIZE = 384  # side of a picture in which colours are counted, pixels
SIDES_DEG = (0.0, 90.0, 180.0, -90.0)
SQUARES = {"skin": ("skin",), "eyes": EYES}  # materials of the template and the parts that share their square


@dataclass(frozen=True, eq=False)
class Layout:
    """The template's regions as masks on vertices and texels."""

    template: Template = field(default_factory=lambda: load_template(EMBEDDED / TEMPLATE_FILE, torch.device("cpu")))

    @cached_property
    def regions(self) -> TemplateRegions:
        return regions_of(self.template)

    def vertices(self, *names: str) -> np.ndarray:
        """[V] 0..1 of the skin: the largest of the regions of these names."""
        own = self.template.part("skin").vertices
        return np.max([getattr(self.regions, name)[own].numpy() for name in names], 0)

    def texels(self, material: str, names: tuple[str, ...], size: int, wider: int = 0) -> np.ndarray:
        """[S, S] bool: where a material's texture shows one of these regions, and `wider` texels of 1024 around."""
        found = texels_of_parts(self.template, SQUARES[material], size)
        values = np.stack([getattr(self.regions, name).numpy() for name in names], 1)
        inside = found.spread(found.read(values).max(1)[:, None])[..., 0] > 0
        around = round(wider * size / 1024)
        return binary_dilation(inside, iterations=around) if around else inside

    def shares(self, material: str, name: str, size: int) -> np.ndarray:
        """[S, S] 0..1 how much each texel on the surface is of a region; nothing off the surface."""
        return self.spread(material, getattr(self.regions, name).numpy(), size)

    def spread(self, material: str, values: np.ndarray, size: int) -> np.ndarray:
        """[S, S] values of the template's vertices, [V], at each texel on the surface; 0 off the surface."""
        found = texels_of_parts(self.template, SQUARES[material], size)
        share = np.zeros((size, size), np.float32)
        share[found.covered] = found.read(values[:, None])[:, 0]
        return share


@dataclass(frozen=True, eq=False)
class Shown:
    """What pixels of a head show: material names [P] and albedo [P, 3] sRGB 0..1."""

    material: np.ndarray
    albedo: np.ndarray

    def of(self, kind: str) -> np.ndarray:
        """[P, 3] the albedo of the pixels of a material, and of what a mask has parted of it: "hair 2" is hair."""
        return self.albedo[np.array([name.split(" ")[0] == kind for name in self.material], bool)]


@dataclass(frozen=True, eq=False)
class OneHead:
    """A finished head in `folder`: as it was saved, and as others read it."""

    folder: Path

    @cached_property
    def saved(self) -> FinishedHead:
        return load_head(self.folder)

    @cached_property
    def asset(self) -> Asset:
        return load_asset(self.folder)

    def part(self, name: str) -> Part | None:
        """The part called `name`; None where there is none."""
        return next((part for part in self.saved.head.parts if part.name == name), None)

    def albedo(self, material: str) -> np.ndarray:
        """[S, S, 3] 0..1 sRGB texture of a material."""
        return self.saved.painted[material].albedo[..., :3].astype(np.float32) / 255

    def picture(self, azimuth_deg: float = 0.0, size: int = SIZE, mode: str = "relit") -> np.ndarray:
        """[S, S, 3] uint8, in the default light."""
        return render_view(self.folder, RenderOptions(mode=mode, azimuth_deg=azimuth_deg, size=size))

    @cached_property
    def shown(self) -> Shown:
        """What the pixels of four sides show."""
        names, found = np.array(list(self.asset.textures)), []
        for side in SIDES_DEG:
            view = seen(self.asset, posed(self.asset.mesh, {}), side, 0.0, SIZE)
            found.append((names[view.material.numpy()], worn(self.asset, view, "albedo").numpy()[:, :3]))
        return Shown(*(np.concatenate(values) for values in zip(*found, strict=True)))
