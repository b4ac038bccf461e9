"""A bundle: a folder with bundle.json, a base model, and per domain a LoRA adapter and two branches."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from idto3d.config import EMBEDDED
from idto3d.errors import UserError
from idto3d.guidance.base import BaseParts, load_base, save_base
from idto3d.guidance.branches import Branches, load_branches, save_branch
from idto3d.guidance.device import choose_dtype
from idto3d.guidance.files import unfit
from idto3d.guidance.info import BundleInfo, read_info, write_info
from idto3d.guidance.lora import DOMAINS, load_lora, save_lora

PRIOR_FILE = "head_prior.safetensors"
LORA_FILE, ID_FILE, EXP_FILE = "lora.safetensors", "id.safetensors", "expression.safetensors"


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle, frozen and on one device.

    `parts.unet` holds one LoRA adapter per domain; `branches` maps each domain to its identity and expression branch.
    `dtype` is the precision of the UNet and the VAE's encoder. `prior_path` is None where the bundle has no head prior.
    """

    info: BundleInfo
    folder: Path
    parts: BaseParts
    branches: Mapping[str, Branches]
    prior_path: Path | None
    device: torch.device
    dtype: torch.dtype


def bundle_folder(weights: str | Path) -> Path:
    """The folder that `weights` (embedded or a folder) stands for. Raises UserError for anything else."""
    if str(weights) == "embedded":
        if not EMBEDDED.is_dir():
            raise UserError(f"The embedded weights are not at {EMBEDDED}.", "Install idto3d together with its weights.")
        return EMBEDDED
    if Path(weights).is_dir():
        return Path(weights)
    if str(weights) == "community" or re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w.-]+)?", str(weights)):
        raise UserError(
            f"The weights '{weights}' would be fetched from the Hub, which comes with a later version.",
            "Use --weights embedded or a local folder.",
        )
    raise UserError(f"There are no weights at '{weights}'.", "Use --weights embedded or a folder that holds a bundle.")


def load_bundle(weights: str | Path, device: torch.device, dtype: torch.dtype | None = None) -> Bundle:
    """Load the bundle `weights` (embedded or a folder) onto `device`.

    The UNet and the VAE's encoder are in `dtype` (None: what suits the device), the text encoder and the decoder, which
    are seldom asked, in float32.
    Raises UserError where a file is missing, damaged, not safetensors, or does not belong to the others.
    """
    folder = bundle_folder(weights)
    info = read_info(folder)
    dtype = dtype or choose_dtype(device)
    parts = load_base(folder / info.base, dtype)
    parts.vae.encoder.to(dtype)
    parts.vae.quant_conv.to(dtype)
    for network in (parts.text_encoder, parts.vae, parts.unet):
        network.to(device)
    branches = {domain: _load_domain(parts, folder / domain, info, dtype) for domain in DOMAINS}
    prior = folder / PRIOR_FILE
    return Bundle(info, folder, parts, branches, prior if prior.is_file() else None, device, dtype)


def save_bundle(
    folder: str | Path,
    info: BundleInfo,
    parts: BaseParts,
    branches: Mapping[str, Branches],
    prior: Path | None = None,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a bundle that `load_bundle` reads; the UNet must hold the adapters geometry and albedo.

    `prior` is a head prior's file that is copied in. Weights are written as `dtype`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_base(parts, folder / info.base, dtype)
    for domain in DOMAINS:
        save_lora(parts.unet, domain, folder / domain / LORA_FILE, dtype)
        save_branch(branches[domain], "identity", folder / domain / ID_FILE, dtype)
        save_branch(branches[domain], "expression", folder / domain / EXP_FILE, dtype)
    if prior is not None and Path(prior).resolve() != (folder / PRIOR_FILE).resolve():
        shutil.copyfile(prior, folder / PRIOR_FILE)
    write_info(info, folder)


def _load_domain(parts: BaseParts, folder: Path, info: BundleInfo, dtype: torch.dtype) -> Branches:
    load_lora(parts.unet, folder.name, folder / LORA_FILE)
    branches = load_branches(parts.unet, folder / ID_FILE, folder / EXP_FILE, dtype)
    expected = (info.identity_encoder.dimension, parts.text_encoder.config.hidden_size)
    for layer, dimension, name in zip(
        branches.projection.image_projection_layers, expected, (ID_FILE, EXP_FILE), strict=True
    ):
        found = layer.ff.net[0].proj.in_features
        if found != dimension:
            raise unfit(folder / name, f"it takes {found} numbers where {dimension} are expected")
    branches.requires_grad_(False)
    return branches
