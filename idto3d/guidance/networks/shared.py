"""The networks of a bundle as they are loaded: each once, however many of its guidances ask it."""

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

from idto3d.bundle.entries import FILE
from idto3d.bundle.find import Weights
from idto3d.device import choose_dtype
from idto3d.files import unfit
from idto3d.guidance.networks.base import BaseParts, load_base, networks
from idto3d.guidance.networks.branches import Branches, load_branches
from idto3d.guidance.networks.lora import load_faceid_lora, load_lora
from idto3d.guidance.networks.reading import load_unet

LORA_FILE, ID_FILE, EXP_FILE = "lora.safetensors", "id.safetensors", "expression.safetensors"


@dataclass(frozen=True)
class Adapter:
    """What makes a UNet the model of a domain: its LoRA, by peft's name for it, and its branches.

    `of_identity`: the LoRA came with the identity branch and means nothing without it.
    """

    lora: str
    branches: Branches
    of_identity: bool


class Shared:
    """Loads what the sources of `weights` name onto `device`, and keeps it: another guidance is given the same.

    `dtype` is the precision of the UNets and the VAE's encoder (None: what suits the device); the text encoder and the
    decoder, which are seldom asked, are float32.
    """

    def __init__(self, weights: Weights, device: torch.device, dtype: torch.dtype | None = None):
        self.weights, self.device, self.dtype = weights, device, dtype or choose_dtype(device)
        self._bases: dict[str, BaseParts] = {}
        self._unets: dict[str, UNet2DConditionModel] = {}
        self._adapters: dict[tuple[str, int], Adapter] = {}

    def base(self, name: str) -> BaseParts:
        """The base that is a source, or a part of the bundle itself. Raises UserError."""
        if name not in self._bases:
            self._bases[name] = self._base(name)
            self._unets[name] = self._bases[name].unet
        return self._bases[name]

    def unet(self, name: str, parts: BaseParts) -> UNet2DConditionModel:
        """The UNet of a source; that of `parts` for "". Raises UserError."""
        if not name:
            return parts.unet
        if name not in self._unets:
            weights = self.weights
            self._unets[name] = load_unet(weights.place(name), self.dtype, weights.variant(name)).to(self.device)
        return self._unets[name]

    def adapter(self, name: str, unet: UNet2DConditionModel) -> Adapter:
        """The adapter of a source, in the layout of IP-Adapter-FaceID, on `unet`. Raises UserError."""
        key = (name, id(unet))
        if key not in self._adapters:
            path, lora = self.weights.file(name), f"adapter{len(self._adapters)}"
            load_faceid_lora(unet, lora, path)
            branches = load_branches(unet, path, None, self.dtype)
            _expect_widths(branches, (self.weights.info.identity_encoder.dimension,), (path,))
            self._adapters[key] = Adapter(lora, branches.requires_grad_(False), of_identity=True)
        return self._adapters[key]

    def own(self, domain: str, unet: UNet2DConditionModel, parts: BaseParts) -> Adapter:
        """The LoRA and both branches that the bundle itself has for `domain`. Raises UserError."""
        folder = self.weights.folder / domain
        load_lora(unet, domain, folder / LORA_FILE)
        branches = load_branches(unet, folder / ID_FILE, folder / EXP_FILE, self.dtype)
        dimensions = (self.weights.info.identity_encoder.dimension, parts.text_encoder.config.hidden_size)
        _expect_widths(branches, dimensions, (folder / ID_FILE, folder / EXP_FILE))
        return Adapter(domain, branches.requires_grad_(False), of_identity=False)

    def _base(self, name: str) -> BaseParts:
        parts = load_base(self.weights.place(name), self.dtype, self.weights.variant(name))
        if parts.morphable is not None:
            _expect_head(parts, self.weights)
        parts.vae.encoder.to(self.dtype)
        parts.vae.quant_conv.to(self.dtype)
        for network in networks(parts):
            network.to(self.device)
        return parts


def _expect_head(parts: BaseParts, weights: Weights) -> None:
    """Raises UserError unless the morphable head is drawn as large, and by the identities, as the bundle says."""
    drawn, info, path = parts.morphable.config, weights.info, weights.folder / FILE
    if (drawn.image_size, drawn.id_dim) != (info.image_size, info.identity_encoder.dimension):
        said = f"pictures of {drawn.image_size} pixels and identities of {drawn.id_dim} numbers"
        raise unfit(path, f"the base has {said}")


def _expect_widths(branches: Branches, dimensions: tuple[int, ...], paths: tuple[Path, ...]) -> None:
    for layer, dimension, path in zip(branches.projection.image_projection_layers, dimensions, paths, strict=True):
        width = layer.ff.net[0].proj.in_features
        if width != dimension:
            raise unfit(path, f"it takes {width} numbers where {dimension} are expected")
