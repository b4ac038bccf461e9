"""The latent diffusion base: its parts, how they are saved and how they are loaded (safetensors and JSON only)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import AutoTokenizer, CLIPTextModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from idto3d.errors import UserError

UNET_FILE = "unet/diffusion_pytorch_model.safetensors"
VAE_FILE = "vae/diffusion_pytorch_model.safetensors"
TEXT_FILE = "text_encoder/model.safetensors"
WEIGHT_FILES = (UNET_FILE, VAE_FILE, TEXT_FILE)
CONFIG_FILES = (
    "unet/config.json",
    "vae/config.json",
    "text_encoder/config.json",
    "scheduler/scheduler_config.json",
    "tokenizer/tokenizer_config.json",
)
INDEX = {
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
    """The networks of a latent diffusion model, in diffusers' and transformers' own classes."""

    tokenizer: PreTrainedTokenizerBase
    text_encoder: CLIPTextModel
    vae: AutoencoderKL
    unet: UNet2DConditionModel
    scheduler: DDIMScheduler


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
    tokenizer_class = ["transformers", type(parts.tokenizer).__name__]
    (folder / "model_index.json").write_text(json.dumps(INDEX | {"tokenizer": tokenizer_class}, indent=2) + "\n")


def save_tensors(state: dict[str, torch.Tensor], path: Path, dtype: torch.dtype) -> None:
    """Write a flat state as safetensors, floating-point tensors as `dtype`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cast = {
        name: value.detach().to("cpu", dtype if value.is_floating_point() else value.dtype).contiguous()
        for name, value in state.items()
    }
    save_file(cast, str(path), metadata={"format": "pt"})


def load_base(folder: str | Path, dtype: torch.dtype = torch.float32, variant: str | None = None) -> BaseParts:
    """Read the parts written by `save_base` (or any StableDiffusionPipeline folder with safetensors) onto the CPU.

    The UNet comes in `dtype`, the VAE and the text encoder in float32. All are frozen and in evaluation mode.
    `variant` is the word before the ending of weights that are named by precision (`fp16`).
    Raises UserError for a missing or unreadable file, and where weights are not safetensors.
    """
    folder = Path(folder)
    _expect_files(folder, variant)
    with _said_plainly(folder):
        parts = BaseParts(
            tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
            text_encoder=_load_text_encoder(folder / "text_encoder", variant),
            vae=_load_network(AutoencoderKL, folder / "vae", torch.float32, variant),
            unet=_load_network(UNet2DConditionModel, folder / "unet", dtype, variant),
            scheduler=_load_scheduler(folder / "scheduler"),
        )
    for network in (parts.text_encoder, parts.vae, parts.unet):
        network.requires_grad_(False).eval()
    return parts


def load_unet(
    folder: str | Path, dtype: torch.dtype = torch.float32, variant: str | None = None
) -> UNet2DConditionModel:
    """Read the UNet alone of such a folder; see `load_base`."""
    folder = Path(folder)
    with _said_plainly(folder):
        unet = _load_network(UNet2DConditionModel, folder / "unet", dtype, variant)
    return unet.requires_grad_(False).eval()


@contextmanager
def _said_plainly(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception as fault:  # damaged files surface as many kinds of error in the two libraries
        raise UserError(
            f"The base model in {folder} could not be read ({type(fault).__name__}: {_first_line(fault)}).",
            "Fetch the weights again; the files may be damaged.",
        ) from fault


def _load_network(kind: type, folder: Path, dtype: torch.dtype, variant: str | None):
    return kind.from_pretrained(folder, dtype=dtype, variant=variant, local_files_only=True, use_safetensors=True)


def _load_scheduler(folder: Path) -> DDIMScheduler:
    """Only the noise levels are used, so a published schedule of any other class will do."""
    return DDIMScheduler.from_config(DDIMScheduler.load_config(folder, local_files_only=True))


def _load_text_encoder(folder: Path, variant: str | None) -> CLIPTextModel:
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        return CLIPTextModel.from_pretrained(
            folder, dtype=torch.float32, variant=variant, local_files_only=True, use_safetensors=True
        )
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _expect_files(folder: Path, variant: str | None) -> None:
    for plain in WEIGHT_FILES:
        name = plain.replace(".safetensors", f".{variant}.safetensors") if variant else plain
        if not (folder / name).is_file():
            part = (folder / name).parent
            pickled = part.is_dir() and any(part.glob("*.bin"))
            why = "only has pickled weights, which are not loaded" if pickled else "is missing"
            raise UserError(f"The base model's {name} {why} in {folder}.", "Use weights saved as safetensors.")
    for name in CONFIG_FILES:
        if not (folder / name).is_file():
            raise UserError(f"The base model has no {name} in {folder}.", "Fetch the weights again.")


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [""])[0][:200]
