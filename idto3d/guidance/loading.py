"""A bundle: a folder with bundle.json, a base model, and per domain a LoRA adapter and two branches.

Its base and its adapters may also come from elsewhere on the Hub, see `sources`; then there is no expression branch.
What several of its guidances ask is in memory once, see `networks.shared`.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

from idto3d.bundle.asking import Asking, Beside
from idto3d.bundle.find import Weights, fetch_weights, find_bundle
from idto3d.bundle.info import BundleInfo, write_info
from idto3d.bundle.layout import IDENTITY_FILE, PRIOR_FILE
from idto3d.events import exhausted
from idto3d.guidance.networks.base import BaseParts, save_base
from idto3d.guidance.networks.branches import Branches, save_branch
from idto3d.guidance.networks.lora import save_lora
from idto3d.guidance.networks.shared import EXP_FILE, ID_FILE, LORA_FILE, Adapter, Shared
from idto3d.words.prompts import DOMAINS


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle, frozen and on one device.

    `unets` maps each domain to its UNet, which holds the domain's LoRA adapter: `parts.unet` for both, or one of its
    own. `adapters` maps each domain to its LoRA and branches; without them it is asked by words alone. `dtype` is the
    precision of the UNets and the VAE's encoder. `prior_path` is None where there is no head prior, `identity_path`
    where the identity encoder needs no file of the bundle. `shared` is what its other guidances may ask as well.
    """

    info: BundleInfo
    folder: Path
    parts: BaseParts
    unets: Mapping[str, UNet2DConditionModel]
    adapters: Mapping[str, Adapter]
    prior_path: Path | None
    device: torch.device
    dtype: torch.dtype
    identity_path: Path | None = None
    shared: Shared | None = field(default=None, repr=False)

    @property
    def branches(self) -> Mapping[str, Branches]:
        """The branches of each domain that has an adapter."""
        return {domain: adapter.branches for domain, adapter in self.adapters.items()}


def load_bundle(weights: str | Path, device: torch.device, dtype: torch.dtype | None = None) -> Bundle:
    """Find, fetch where needed, and load `weights` (embedded, community, a folder, ORG/REPO[@REV]) onto `device`.

    Nobody is told of a download's progress; see `find_bundle` and `fetch_weights` for that. Raises UserError.
    """
    located = exhausted(find_bundle(weights))
    return load_weights(exhausted(fetch_weights(located, refine=False, beside=False)), device, dtype)


def load_weights(weights: Weights, device: torch.device, dtype: torch.dtype | None = None) -> Bundle:
    """Load a bundle whose files are all here onto `device`; without its refinement, and what it has beside.

    The UNets and the VAE's encoder are in `dtype` (None: what suits the device), the text encoder and the decoder,
    which are seldom asked, in float32.
    Raises UserError where a file is missing, damaged, not safetensors, or does not belong to the others.
    """
    shared, info, folder = Shared(weights, device, dtype), weights.info, weights.folder
    parts = shared.base(info.base)
    unets = {domain: shared.unet(_own_unet(info, domain), parts) for domain in DOMAINS}
    adapters = {domain: _adapter(shared, domain, unets[domain], parts) for domain in DOMAINS}
    prior = folder / PRIOR_FILE
    prior = prior if prior.is_file() else None
    identity = folder / IDENTITY_FILE if info.identity_encoder.has_file() else None
    return Bundle(info, folder, parts, unets, adapters, prior, device, shared.dtype, identity, shared)


def load_refinement(
    weights: Weights, device: torch.device, dtype: torch.dtype | None = None, main: Bundle | None = None
) -> Bundle | None:
    """Load the second guidance of a bundle, which knows the domain albedo alone.

    None where there is none. What `main`, the bundle itself, holds already is shared.
    """
    second, domain = weights.info.refinement, "albedo"
    if second is None:
        return None
    shared = Shared(weights, device, dtype) if main is None else main.shared
    parts = shared.base(second.base)
    info = replace(
        _for_one(weights.info, domain, second.prompt, second.asking),
        guidance_scale=second.guidance_scale,
        vocabulary=(),
    )
    return _alone(info, weights, shared, parts, second.adapter, parts.unet)


def load_beside(weights: Weights, main: Bundle) -> list[tuple[Beside, Bundle]]:
    """Load the further guidances of the bundle `main`: each knows its domain alone.

    They hear and see by the text encoder and the VAE of `main`.
    """
    found = []
    for one in weights.info.beside:
        unet = main.shared.unet(one.unet, main.parts)
        info = _for_one(weights.info, one.domain, one.prompt, one.asking)
        info = replace(info, timesteps=one.timesteps or info.timesteps)
        found.append((one, _alone(info, weights, main.shared, main.parts, one.adapter, unet)))
    return found


def _for_one(info: BundleInfo, domain: str, prompt: str, asking: Asking) -> BundleInfo:
    """`info` as one of its further guidances has it, which knows a single domain and has no expression branch."""
    return replace(info, prompts={domain: prompt}, asking={domain: asking}, lambda_exp=0.0, beside=(), refinement=None)


def _alone(
    info: BundleInfo, weights: Weights, shared: Shared, parts: BaseParts, adapter: str, unet: UNet2DConditionModel
) -> Bundle:
    (domain,) = info.prompts
    adapters = {domain: shared.adapter(adapter, unet)} if adapter else {}
    return Bundle(
        info, weights.folder, parts, {domain: unet}, adapters, None, shared.device, shared.dtype, shared=shared
    )


def _own_unet(info: BundleInfo, domain: str) -> str:
    return info.domains[domain].unet if domain in info.domains else ""


def _adapter(shared: Shared, domain: str, unet: UNet2DConditionModel, parts: BaseParts) -> Adapter:
    domains = shared.weights.info.domains
    return shared.adapter(domains[domain].adapter, unet) if domain in domains else shared.own(domain, unet, parts)


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
