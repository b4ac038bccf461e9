"""Reading the networks of a base: configurations are checked, then the weights' headers, and only then memory is taken.

A network is built without memory (torch's device meta), compared with the header of its file, given the tensors, and
laid channels last.
"""

from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from idto3d.bundle.layout import CONFIG_FILES, FORMER_MORPHABLE, MORPHABLE, MORPHABLE_FILE, WEIGHT_FILES, former_layout
from idto3d.errors import UserError
from idto3d.files import fill, read_json, read_shapes, refusing
from idto3d.guidance.networks import configs
from idto3d.guidance.networks.configs import checked_config, expect_blocks, expect_text
from idto3d.guidance.networks.layout import channels_last
from idto3d.guidance.networks.morphable import MorphableHead

CONFIG, DIFFUSERS_FILE, TEXT_FILE = "config.json", "diffusion_pytorch_model.safetensors", "model.safetensors"
OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}  # in a VAE, old name: new


def load_unet(
    folder: str | Path, dtype: torch.dtype = torch.float32, variant: str | None = None
) -> UNet2DConditionModel:
    """Read the UNet alone of a base's folder, frozen. Raises UserError."""
    return _diffused(UNet2DConditionModel, Path(folder) / "unet", configs.UNET, dtype, variant)


def load_vae(folder: Path, variant: str | None = None) -> AutoencoderKL:
    """The VAE in `folder`, frozen, float32. Raises UserError."""
    return _diffused(AutoencoderKL, folder, configs.VAE, torch.float32, variant)


def outlines(folder: Path, variant: str | None = None) -> tuple[UNet2DConditionModel, AutoencoderKL]:
    """The UNet and the VAE of a base's `folder` without memory, on torch's device meta. Raises UserError."""
    unet, _ = _outline(UNet2DConditionModel, folder / "unet", configs.UNET, variant)
    vae, _ = _outline(AutoencoderKL, folder / "vae", configs.VAE, variant)
    return unet, vae


def _outline(kind: type, folder: Path, entries: dict, variant: str | None):
    path, file = folder / CONFIG, folder / variant_name(DIFFUSERS_FILE, variant)
    config = checked_config(path, entries, kind)
    expect_blocks(path, config, len(read_shapes(file)))
    with refusing(path), torch.device("meta"):
        return kind.from_config(config), file


def _diffused(kind: type, folder: Path, entries: dict, dtype: torch.dtype, variant: str | None):
    network, file = _outline(kind, folder, entries, variant)
    fill(network, file, dtype, _present_name)
    return channels_last(network.requires_grad_(False).eval())


def _present_name(name: str) -> str:
    """The name of a tensor today; the attention in VAEs that were published early is called otherwise."""
    layer, _, kind = name.rpartition(".")
    block, _, last = layer.rpartition(".")
    return f"{block}.{OLD_ATTENTION[last]}.{kind}" if last in OLD_ATTENTION else name


def load_text_encoder(folder: Path, variant: str | None = None) -> CLIPTextModel:
    """The text encoder in `folder`, frozen, float32. Raises UserError."""
    path, file = folder / CONFIG, folder / variant_name(TEXT_FILE, variant)
    config = checked_config(path, configs.TEXT, CLIPTextConfig, others=True)
    expect_text(path, config, len(read_shapes(file)))
    with refusing(path), torch.device("meta"):
        encoder = CLIPTextModel(CLIPTextConfig(**config))
    fill(encoder, file, torch.float32, _text_name)
    places = torch.arange(config["max_position_embeddings"])[None]
    encoder.embeddings.register_buffer("position_ids", places, persistent=False)
    return encoder.requires_grad_(False).eval()


def _text_name(name: str) -> str:
    """Published encoders have one more level of names, and the plain numbers of places as a tensor."""
    plain = name.removeprefix("text_model.")
    return "" if plain == "embeddings.position_ids" else plain


def load_morphable(folder: Path) -> MorphableHead:
    """The morphable head in `folder`, frozen. Raises UserError.

    Numbers of vertices are int32, which all backends of torch.distributed carry.
    """
    path, file = folder / CONFIG, folder / MORPHABLE_FILE
    config = checked_config(path, configs.MORPHABLE, MorphableHead)
    with refusing(path), torch.device("meta"):
        head = MorphableHead(**config)
    fill(head, file, torch.float32)
    with refusing(file):
        _expect_places(head)
    return head.requires_grad_(False).eval()


def _expect_places(head: MorphableHead) -> None:
    """Raises ValueError where a number of a vertex or handle is none of the head's."""
    size, hair = head.size, head.hair_faces.split([faces for _, faces in head.size.hair])
    limits = [(head.faces, size.vertices), (head.near, size.handles), (head.hair_roots, size.vertices)]
    limits += [(faces, vertices) for faces, (vertices, _) in zip(hair, size.hair, strict=True)]
    for places, count in limits:
        if places.numel() and not 0 <= int(places.min()) <= int(places.max()) < count:
            raise ValueError("a number of a vertex is none of the head's")


def load_scheduler(folder: Path) -> DDIMScheduler:
    """The noise levels in `folder`, which alone are used: a published schedule of any other class will do."""
    path = folder / "scheduler_config.json"
    checked_config(path, configs.SCHEDULER, DDIMScheduler, others=True)
    with refusing(path):
        scheduler = DDIMScheduler.from_config(read_json(path))  # with what diffusers' own samplers read of it
        levels = scheduler.alphas_cumprod
        if not (bool((levels.diff() < 0).all()) and float(levels[-1]) > 0 and float(levels[0]) < 1):
            raise ValueError("its noise levels do not rise from picture to noise")
    return scheduler


def variant_name(plain: str, variant: str | None) -> str:
    """A file's name with the word for its precision, where there is one."""
    return plain.replace(".safetensors", f".{variant}.safetensors") if variant else plain


def expect_files(folder: Path, variant: str | None) -> None:
    """Raise UserError unless all files of a base are in `folder`, and none asks for code."""
    if not folder.is_dir():
        raise UserError(f"There is no base model at {folder}.", "Check the path; it should be a folder.")
    if (folder / FORMER_MORPHABLE).is_dir() and not (folder / MORPHABLE).is_dir():
        raise former_layout(folder)
    for name in (variant_name(plain, variant) for plain in WEIGHT_FILES):
        if not (folder / name).is_file():
            part = (folder / name).parent
            pickled = part.is_dir() and any(part.glob("*.bin"))
            why = "only has pickled weights, which are not loaded" if pickled else "is missing"
            raise UserError(f"The base model's {name} {why} in {folder}.", "Use weights saved as safetensors.")
    for name in CONFIG_FILES:
        if not (folder / name).is_file():
            raise UserError(f"The base model has no {name} in {folder}.", "Fetch the weights again.")
        _expect_no_code(folder / name)


def _expect_no_code(config: Path) -> None:
    if "auto_map" in read_json(config):
        what = f"{config} asks for Python code of its own (auto_map), and none is run."
        raise UserError(what, "Use a model whose classes are transformers' and diffusers' own.")
