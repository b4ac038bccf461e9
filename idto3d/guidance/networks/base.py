"""The latent diffusion base: its parts, how they are saved and how they are loaded (safetensors and JSON only)."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel, PreTrainedTokenizerBase

from idto3d.bundle.layout import MORPHABLE, MORPHABLE_FILE, TEXT_FILE, UNET_FILE, VAE_FILE
from idto3d.files import unfit, write_tensors
from idto3d.guidance.networks.morphable import MorphableHead
from idto3d.guidance.networks.reading import (
    expect_files,
    load_morphable,
    load_scheduler,
    load_text_encoder,
    load_unet,
    load_vae,
)
from idto3d.guidance.networks.tokenizing import load_tokenizer

MODEL_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


@dataclass(frozen=True)
class BaseParts:
    """The networks of a latent diffusion model, in diffusers' and transformers' own classes.

    With a `morphable` the UNet sees the latents of its picture beside the noisy ones.
    """

    tokenizer: PreTrainedTokenizerBase
    text_encoder: CLIPTextModel
    vae: AutoencoderKL
    unet: UNet2DConditionModel
    scheduler: DDIMScheduler
    morphable: MorphableHead | None = None


def plain_unet_state(unet: UNet2DConditionModel) -> dict[str, torch.Tensor]:
    """The UNet's own weights by their plain names, without LoRA adapters and branches that are attached to it."""
    state = {}
    for name, value in unet.state_dict().items():
        if ".lora_" in name or ".processor." in name or name.startswith("encoder_hid_proj."):
            continue
        state[name.replace(".base_layer.", ".")] = value
    return state


def save_base(parts: BaseParts, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
    """Write `parts` in the layout of a StableDiffusionPipeline; weights as `dtype`, the parts stay as they are.

    LoRA adapters and branches on the UNet are not written here (see `branches` and `lora`).
    """
    folder = Path(folder)
    parts.tokenizer.save_pretrained(folder / "tokenizer")
    parts.scheduler.save_pretrained(folder / "scheduler")
    parts.unet.save_config(folder / "unet")
    parts.vae.save_config(folder / "vae")
    parts.text_encoder.config.save_pretrained(folder / "text_encoder")
    save_tensors(plain_unet_state(parts.unet), folder / UNET_FILE, dtype)
    save_tensors(parts.vae.state_dict(), folder / VAE_FILE, dtype)
    save_tensors(parts.text_encoder.state_dict(), folder / TEXT_FILE, dtype)
    if parts.morphable is not None:
        save_morphable(parts.morphable, folder / MORPHABLE, dtype)
    tokenizer_class = ["transformers", type(parts.tokenizer).__name__]
    (folder / "model_index.json").write_text(json.dumps(MODEL_INDEX | {"tokenizer": tokenizer_class}, indent=2) + "\n")


def save_morphable(head: MorphableHead, folder: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write a morphable head as `load_morphable` reads it; numbers of vertices as int16 where they fit."""
    head.register_to_config(_name_or_path="")  # where it was read from is nobody's concern
    head.save_config(folder)
    save_tensors({name: _narrow(value) for name, value in head.state_dict().items()}, folder / MORPHABLE_FILE, dtype)


def _narrow(value: torch.Tensor) -> torch.Tensor:
    fits = not value.is_floating_point() and (value <= torch.iinfo(torch.int16).max).all()
    return value.to(torch.int16) if fits else value


def save_tensors(state: dict[str, torch.Tensor], path: Path, dtype: torch.dtype) -> None:
    """Write a flat state as safetensors, floating-point tensors as `dtype`."""
    cast = {
        name: value.detach().to(dtype if value.is_floating_point() else value.dtype) for name, value in state.items()
    }
    write_tensors(path, cast, {"format": "pt"})


def load_base(folder: str | Path, dtype: torch.dtype = torch.float32, variant: str | None = None) -> BaseParts:
    """Read the parts written by `save_base` (or any StableDiffusionPipeline folder with safetensors) onto the CPU.

    The UNet comes in `dtype`, everything else in float32. All are frozen and in evaluation mode.
    `variant` is the word before the ending of weights that are named by precision (`fp16`).
    Raises UserError for a missing or damaged file, where weights are not safetensors, and for a folder in the
    layout of before.
    """
    folder = Path(folder)
    expect_files(folder, variant)
    encoder = load_text_encoder(folder / "text_encoder", variant)
    parts = BaseParts(
        tokenizer=load_tokenizer(
            folder / "tokenizer", encoder.config.vocab_size, encoder.config.max_position_embeddings
        ),
        text_encoder=encoder,
        vae=load_vae(folder / "vae", variant),
        unet=load_unet(folder, dtype, variant),
        scheduler=load_scheduler(folder / "scheduler"),
        morphable=load_morphable(folder / MORPHABLE) if (folder / MORPHABLE).is_dir() else None,
    )
    _expect_inputs(parts, folder)
    for network in networks(parts):
        network.requires_grad_(False).eval()
    return parts


def networks(parts: BaseParts) -> list[nn.Module]:
    """Everything in `parts` that computes."""
    return [one for one in (parts.text_encoder, parts.vae, parts.unet, parts.morphable) if one is not None]


def with_morphable(parts: BaseParts, head: MorphableHead) -> BaseParts:
    """`parts` with the morphable `head`, to whose pictures a UNet that had none does not listen yet.

    The UNet is changed where it is: its first layer takes twice the channels.
    """
    if parts.morphable is None:
        widen(parts.unet)
    return replace(parts, morphable=head.to(parts.unet.device))


def encode_images(vae: AutoencoderKL, images: torch.Tensor) -> torch.Tensor:
    """Scaled latents [B, C, h, w], float32, of `images` [B, 3, S, S] in 0..1: the posterior's mean. Differentiable."""
    mean = vae.encode((images.float() * 2 - 1).to(next(vae.encoder.parameters()).dtype)).latent_dist.mean
    return mean.float() * vae.config.scaling_factor


@torch.no_grad()
def widen(unet: UNet2DConditionModel) -> None:
    """Give the UNet's input room for as many more channels, whose weights are zero."""
    old = unet.conv_in
    unet.conv_in = nn.Conv2d(2 * old.in_channels, old.out_channels, old.kernel_size, padding=old.padding)
    unet.conv_in.weight.zero_()
    unet.conv_in.weight[:, : old.in_channels] = old.weight
    unet.conv_in.bias.copy_(old.bias)
    unet.conv_in.to(unet.device, unet.dtype)
    unet.register_to_config(in_channels=2 * old.in_channels)


def _expect_inputs(parts: BaseParts, folder: Path) -> None:
    """Raises UserError unless the networks hear each other: the UNet takes the noisy latents, beside them those of a
    morphable head's picture, and the states of the texts.
    """
    latents, width = parts.vae.config.latent_channels, parts.text_encoder.config.hidden_size
    channels = latents * (1 if parts.morphable is None else 2)
    unet = parts.unet.config
    for given, wanted, what in (
        (unet.in_channels, channels, "UNet takes {} channels"),
        (unet.out_channels, latents, "UNet gives {} channels"),
        (unet.cross_attention_dim, width, "UNet takes text states of {} numbers"),
        (
            width if parts.morphable is None else parts.morphable.config.text_dim,
            width,
            "head takes texts of {} numbers",
        ),
    ):
        if given != wanted:
            raise unfit(folder, f"its {what.format(given)} where {wanted} are expected")
