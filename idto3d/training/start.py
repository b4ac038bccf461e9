"""Where the small base starts: at random, or at the weights of a bundle whose training goes on."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from idto3d.bundle.info import read_info
from idto3d.bundle.layout import TEXT_FILE
from idto3d.files import read_tensors, unfit
from idto3d.guidance.loading import EXP_FILE, ID_FILE
from idto3d.guidance.networks.base import BaseParts, load_base, widen
from idto3d.guidance.networks.branches import PROJECTION_NAMES, Branches


def start_base(parts: BaseParts, bundle: Path) -> BaseParts:
    """`parts` with the UNet, the autoencoder and the morphable head of `bundle`; UserError if of another size.

    The text encoder is left: it is fixed by its words, see `guidance.tiny.word_encoder`.
    """
    folder = bundle / read_info(bundle).base
    earlier = load_base(folder)
    kinds = [one.scheduler.config.prediction_type for one in (parts, earlier)]
    if kinds[0] != kinds[1]:
        raise unfit(folder, f"it predicts '{kinds[1]}', the small base '{kinds[0]}'")
    if earlier.morphable is not None:
        widen(parts.unet)
    for name in ("unet", "vae"):
        _take(getattr(parts, name), getattr(earlier, name).state_dict(), folder / name)
    parts.vae.register_to_config(scaling_factor=earlier.vae.config.scaling_factor)
    return replace(parts, morphable=earlier.morphable)


def _take(network: nn.Module, state: dict[str, torch.Tensor], path: Path) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as fault:
        raise unfit(path, "its networks are of another size") from fault


def same_layers(parts: BaseParts, bundle: Path) -> bool:
    """Whether the text encoder of `parts` says the same of words that `bundle` knew as that bundle's own."""
    theirs = read_tensors(bundle / read_info(bundle).base / TEXT_FILE)
    own = parts.text_encoder.state_dict()
    layers = [name for name in theirs if name in own and "token_embedding" not in name]
    return all(torch.allclose(own[name], theirs[name].to(own[name]), atol=1e-3) for name in layers)


@torch.no_grad()
def start_branches(branches: Branches, folder: Path, expression_mlp: bool) -> None:
    """Give `branches` the keys and values of those in a bundle's domain `folder`, and MLPs of the same inputs.

    An MLP that reads embeddings of another length is left, and so is that of the expressions unless `expression_mlp`.
    """
    for index, file in enumerate((ID_FILE, EXP_FILE)):
        state = read_tensors(folder / file)
        for k, attention in enumerate(branches.attention):
            attention.to_k_ip[index].weight.copy_(state[f"ip_adapter.{2 * k + 1}.to_k_ip.weight"])
            attention.to_v_ip[index].weight.copy_(state[f"ip_adapter.{2 * k + 1}.to_v_ip.weight"])
        if index == 0 or expression_mlp:
            _take_mlp(branches.projection.image_projection_layers[index], state)


def _take_mlp(layer: nn.Module, state: dict[str, torch.Tensor]) -> None:
    taken = {ours: state[f"image_proj.{theirs}"] for theirs, ours in PROJECTION_NAMES.items()}
    own = dict(layer.named_parameters())
    if all(own[name].shape == value.shape for name, value in taken.items()):
        for name, value in taken.items():
            own[name].copy_(value)
