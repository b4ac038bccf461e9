"""LoRA adapters of the two domains on one UNet, through peft, and the switch between domains."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import get_peft_model_state_dict

from idto3d.files import expect_shapes, first_line, read_tensors, unfit
from idto3d.guidance.networks.base import save_tensors
from idto3d.guidance.networks.branches import FACEID_LORA, Branches, attach, detach

TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
FACEID_SIDES = {"down": "A", "up": "B"}


def add_lora(
    unet: UNet2DConditionModel,
    name: str,
    rank_self: int = 16,
    rank_cross: int = 32,
    targets: Sequence[str] = TARGETS,
) -> list[torch.nn.Parameter]:
    """Add a fresh, trainable adapter `name` to all attentions (alpha = rank) and make it the active one.

    `targets` are endings of module names; those outside cross-attention have `rank_self`.
    It starts as the identity. Returns its parameters, float32 whatever the UNet is in.
    """
    cross = {r".*attn2\..*": rank_cross}
    config = LoraConfig(
        r=rank_self,
        lora_alpha=rank_self,
        target_modules=list(targets),
        rank_pattern=cross,
        alpha_pattern=cross,
        init_lora_weights="gaussian",
    )
    with _without_second_adapter_warning():
        unet.add_adapter(config, adapter_name=name)
    unet.set_adapters(name, 1.0)
    parameters = lora_parameters(unet, name)
    for parameter in parameters:
        parameter.data = parameter.data.float()
        parameter.requires_grad_(True)
    return parameters


def lora_parameters(unet: UNet2DConditionModel, name: str) -> list[torch.nn.Parameter]:
    """The parameters of adapter `name`."""
    return [p for key, p in unet.named_parameters() if ".lora_" in key and key.endswith(f".{name}.weight")]


def save_lora(unet: UNet2DConditionModel, name: str, path: str | Path, dtype: torch.dtype = torch.float16) -> None:
    """Write adapter `name` in the layout that StableDiffusionPipeline.load_lora_weights reads (`unet.` prefix)."""
    state = get_peft_model_state_dict(unet, adapter_name=name)
    save_tensors({f"unet.{key}": value for key, value in state.items()}, Path(path), dtype)


def load_lora(unet: UNet2DConditionModel, name: str, path: str | Path) -> None:
    """Read an adapter written by `save_lora` under `name`; it becomes the active one, in the UNet's precision.

    Raises UserError where the file is missing, damaged, not safetensors, or made for another UNet.
    """
    path = Path(path)
    state = {key.removeprefix("unet."): value for key, value in read_tensors(path).items()}
    _add_state(unet, name, state, path)


def load_faceid_lora(unet: UNet2DConditionModel, name: str, path: str | Path) -> None:
    """Read the LoRA that a file in the layout of IP-Adapter-FaceID brings along, under `name`; see `load_lora`.

    Its `ip_adapter.{i}` belongs to the i-th of `unet.attn_processors`, both kinds of attention counted.
    """
    path, state = Path(path), {}
    processors = [key.removesuffix(".processor") for key in unet.attn_processors]
    for key, value in read_tensors(path).items():
        match = FACEID_LORA.fullmatch(key)
        if not match:
            continue
        if int(match["place"]) >= len(processors):
            raise unfit(path, f"the UNet has no attention number {match['place']}")
        module = "to_out.0" if match["module"] == "to_out" else match["module"]
        state[f"{processors[int(match['place'])]}.{module}.lora_{FACEID_SIDES[match['side']]}.weight"] = value
    _add_state(unet, name, state, path)


def _add_state(unet: UNet2DConditionModel, name: str, state: dict[str, torch.Tensor], path: Path) -> None:
    _expect_pairs(unet, state, path)
    try:
        with _without_second_adapter_warning():
            unet.load_lora_adapter(state, prefix=None, adapter_name=name)
    except (RuntimeError, ValueError, KeyError) as fault:
        raise unfit(path, first_line(fault)) from fault
    if name not in getattr(unet, "peft_config", {}):
        raise unfit(path, "it holds no adapter")
    device, dtype = unet.conv_in.weight.device, unet.conv_in.weight.dtype
    for parameter in lora_parameters(unet, name):
        parameter.data = parameter.data.to(device, dtype)
    unet.set_adapters(name, 1.0)
    unet.requires_grad_(False)


def _expect_pairs(unet: UNet2DConditionModel, state: Mapping[str, torch.Tensor], path: Path) -> None:
    """Raises UserError unless `state` has both halves, fitting, for all TARGETS of all attentions, and no more.

    An adapter of which a layer is missing would leave that layer as it was, and nobody would notice.
    """
    layers = dict(unet.named_modules())
    places = [name.removesuffix(".processor") for name in unet.attn_processors]
    targets = [f"{place}.{target}" for place in places for target in TARGETS]
    strange = sorted({key.rsplit(".lora_", 1)[0] for key in state} - set(targets))
    if strange:
        raise unfit(path, f"the UNet has no attention {strange[0]}")
    shapes, expected = {name: tuple(value.shape) for name, value in state.items()}, {}
    for target in targets:
        high, low = layers[target].weight.shape
        rank = (*shapes.get(f"{target}.lora_A.weight", ()), 1)[0]
        expected |= {f"{target}.lora_A.weight": (max(rank, 1), low), f"{target}.lora_B.weight": (high, max(rank, 1))}
    expect_shapes(path, expected, shapes, unfit)


def use_domain(unet: UNet2DConditionModel, name: str, branches: Branches | None, weight: float = 1.0) -> None:
    """Make `unet` the model of a domain: its LoRA adapter `name` alone, at `weight`, and its branches, all frozen.

    At a weight of 0, or without a name, no adapter is computed; without branches it is asked by words alone.
    """
    adapters = getattr(unet, "peft_config", {})
    if name and name not in adapters:
        raise ValueError(f"the UNet has no adapter '{name}'; it has {sorted(adapters)}")
    if branches is None and unet.encoder_hid_proj is not None:
        detach(unet)
    elif branches is not None and unet.encoder_hid_proj is not branches.projection:
        attach(unet, branches)
    if adapters:
        _use_lora(unet, name, weight)


def _use_lora(unet: UNet2DConditionModel, name: str, weight: float) -> None:
    """Switch adapters, which walks through the whole UNet and thaws them, only where another one is in use."""
    wanted = (name, weight) if name and weight else ("", 0.0)
    if _lora_in_use(unet) == wanted:
        return
    if wanted[0]:
        unet.enable_adapters()
        unet.set_adapters(name, weight)
    else:
        unet.disable_adapters()
    unet.requires_grad_(False)


def _lora_in_use(unet: UNet2DConditionModel) -> tuple[str, float]:
    """The one active adapter and its weight, which all layers have in common; ("", 0) where they are off."""
    layer = next(module for module in unet.modules() if isinstance(module, BaseTunerLayer))
    if layer.disable_adapters:
        return "", 0.0
    (name,) = layer.active_adapters
    return name, layer.scaling[name]


@contextmanager
def _without_second_adapter_warning() -> Iterator[None]:
    """peft warns of every adapter after the first; two on one UNet are what we want."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Already found a `peft_config`")
        yield
