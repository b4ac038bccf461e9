"""A bundle: a folder with bundle.json, a base model, and per domain a LoRA adapter and two branches.

Its base and its adapters may also come from elsewhere on the Hub, see `sources`; then there is no expression branch.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

from idto3d.bundle.entries import FILE
from idto3d.bundle.find import Weights, fetch_weights, find_bundle
from idto3d.bundle.info import BundleInfo, write_info
from idto3d.bundle.layout import IDENTITY_FILE, PRIOR_FILE
from idto3d.device import choose_dtype
from idto3d.events import exhausted
from idto3d.files import unfit
from idto3d.guidance.networks.base import BaseParts, load_base, networks, save_base
from idto3d.guidance.networks.branches import Branches, load_branches, save_branch
from idto3d.guidance.networks.lora import load_faceid_lora, load_lora, save_lora
from idto3d.guidance.networks.reading import load_unet
from idto3d.words.prompts import DOMAINS

LORA_FILE, ID_FILE, EXP_FILE = "lora.safetensors", "id.safetensors", "expression.safetensors"


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle, frozen and on one device.

    `unets` maps each domain to its UNet, which holds the domain's LoRA adapter: `parts.unet` for both, or one of its
    own. `branches` maps each domain to its identity and expression branch; without them it is asked by words alone.
    `dtype` is the precision of the UNets and the VAE's encoder. `prior_path` is None where there is no head prior,
    `identity_path` where the identity encoder needs no file of the bundle.
    """

    info: BundleInfo
    folder: Path
    parts: BaseParts
    unets: Mapping[str, UNet2DConditionModel]
    branches: Mapping[str, Branches]
    prior_path: Path | None
    device: torch.device
    dtype: torch.dtype
    identity_path: Path | None = None


def load_bundle(weights: str | Path, device: torch.device, dtype: torch.dtype | None = None) -> Bundle:
    """Find, fetch where needed, and load `weights` (embedded, community, a folder, ORG/REPO[@REV]) onto `device`.

    Nobody is told of a download's progress; see `find_bundle` and `fetch_weights` for that. Raises UserError.
    """
    located = exhausted(find_bundle(weights))
    return load_weights(exhausted(fetch_weights(located, refine=False)), device, dtype)


def load_weights(weights: Weights, device: torch.device, dtype: torch.dtype | None = None) -> Bundle:
    """Load a bundle whose files are all here onto `device`.

    The UNets and the VAE's encoder are in `dtype` (None: what suits the device), the text encoder and the decoder,
    which are seldom asked, in float32.
    Raises UserError where a file is missing, damaged, not safetensors, or does not belong to the others.
    """
    dtype = dtype or choose_dtype(device)
    info, folder = weights.info, weights.folder
    parts = _base(weights, info.base, device, dtype)
    unets = {domain: _own_unet(weights, domain, device, dtype) or parts.unet for domain in DOMAINS}
    branches = {domain: _load_domain(weights, domain, unets[domain], parts, dtype) for domain in DOMAINS}
    prior = folder / PRIOR_FILE
    prior = prior if prior.is_file() else None
    identity = folder / IDENTITY_FILE if info.identity_encoder.has_file() else None
    return Bundle(info, folder, parts, unets, branches, prior, device, dtype, identity)


def load_refinement(weights: Weights, device: torch.device, dtype: torch.dtype | None = None) -> Bundle | None:
    """Load the second guidance of a bundle, which knows the domain albedo alone; None where there is none."""
    second, domain = weights.info.refinement, "albedo"
    if second is None:
        return None
    dtype = dtype or choose_dtype(device)
    parts = _base(weights, second.base, device, dtype)
    branches = {}
    if second.adapter:
        branches[domain] = _load_adapter(weights, second.adapter, domain, parts.unet, dtype)
    info = replace(
        weights.info,
        prompts={domain: second.prompt},
        guidance_scale=second.guidance_scale,
        lambda_exp=0.0,
        vocabulary=(),
    )
    return Bundle(info, weights.folder, parts, {domain: parts.unet}, branches, None, device, dtype)


def _base(weights: Weights, name: str, device: torch.device, dtype: torch.dtype) -> BaseParts:
    parts = load_base(weights.place(name), dtype, weights.variant(name))
    if parts.morphable is not None:
        _expect_head(parts, weights)
    parts.vae.encoder.to(dtype)
    parts.vae.quant_conv.to(dtype)
    for network in networks(parts):
        network.to(device)
    return parts


def _expect_head(parts: BaseParts, weights: Weights) -> None:
    """Raises UserError unless the morphable head is drawn as large, and by the identities, as the bundle says."""
    drawn, info, path = parts.morphable.config, weights.info, weights.folder / FILE
    if (drawn.image_size, drawn.id_dim) != (info.image_size, info.identity_encoder.dimension):
        said = f"pictures of {drawn.image_size} pixels and identities of {drawn.id_dim} numbers"
        raise unfit(path, f"the base has {said}")


def _own_unet(weights: Weights, domain: str, device: torch.device, dtype: torch.dtype) -> UNet2DConditionModel | None:
    name = weights.info.domains[domain].unet if domain in weights.info.domains else ""
    return load_unet(weights.place(name), dtype, weights.variant(name)).to(device) if name else None


def save_bundle(
    folder: str | Path,
    info: BundleInfo,
    parts: BaseParts,
    branches: Mapping[str, Branches],
    prior: Path | None = None,
    dtype: torch.dtype = torch.float16,
    identity: Path | None = None,
) -> None:
    """Write a bundle that `load_bundle` reads; the UNet must hold the adapters geometry and albedo.

    `prior` is a head prior's file that is copied in, `identity` that of the identity encoder's network. Weights are
    written as `dtype`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_base(parts, folder / info.base, dtype)
    for domain in DOMAINS:
        save_lora(parts.unet, domain, folder / domain / LORA_FILE, dtype)
        save_branch(branches[domain], "identity", folder / domain / ID_FILE, dtype)
        save_branch(branches[domain], "expression", folder / domain / EXP_FILE, dtype)
    for given, name in ((prior, PRIOR_FILE), (identity, IDENTITY_FILE)):
        if given is not None and Path(given).resolve() != (folder / name).resolve():
            shutil.copyfile(given, folder / name)
    write_info(info, folder)


def _load_domain(
    weights: Weights, domain: str, unet: UNet2DConditionModel, parts: BaseParts, dtype: torch.dtype
) -> Branches:
    if domain in weights.info.domains:
        return _load_adapter(weights, weights.info.domains[domain].adapter, domain, unet, dtype)
    folder = weights.folder / domain
    load_lora(unet, domain, folder / LORA_FILE)
    branches = load_branches(unet, folder / ID_FILE, folder / EXP_FILE, dtype)
    dimensions = (weights.info.identity_encoder.dimension, parts.text_encoder.config.hidden_size)
    _expect_widths(branches, dimensions, (folder / ID_FILE, folder / EXP_FILE))
    return branches.requires_grad_(False)


def _load_adapter(weights: Weights, name: str, domain: str, unet: UNet2DConditionModel, dtype: torch.dtype) -> Branches:
    """The identity branch of an adapter in the layout of IP-Adapter-FaceID; its LoRA becomes the domain's."""
    path = weights.file(name)
    load_faceid_lora(unet, domain, path)
    branches = load_branches(unet, path, None, dtype)
    _expect_widths(branches, (weights.info.identity_encoder.dimension,), (path,))
    return branches.requires_grad_(False)


def _expect_widths(branches: Branches, dimensions: tuple[int, ...], paths: tuple[Path, ...]) -> None:
    for layer, dimension, path in zip(branches.projection.image_projection_layers, dimensions, paths, strict=True):
        width = layer.ff.net[0].proj.in_features
        if width != dimension:
            raise unfit(path, f"it takes {width} numbers where {dimension} are expected")
