"""A diffusion model of skin atlases: a UNet beside a base's, two learned words for the domain, a channel for the mask.

After DreamFace (Zhang et al. 2023), section 5.1. It works on the latents of the base's autoencoder and hears the base's
text encoder, so that it and the base judge the same code. Ours learns what differs from the mean atlas: all atlases lie
alike, and a small model need not learn where a face's parts are.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from idto3d.bundle.layout import ATLAS_DOMAINS_FILE, ATLAS_FOLDER, ATLAS_UNET_FILE
from idto3d.files import damaged, json_object, read_metadata, read_tensors, refusing, unfit, write_tensors
from idto3d.guidance.networks.base import BaseParts, save_tensors
from idto3d.guidance.networks.reading import load_unet
from idto3d.guidance.networks.usual_atlas import MASK_SIDE, UsualAtlas, facts_of

UNLIT, LIT, NONE = 0, 1, 2  # domains: without light, with a photo's light on it, and neither is said
DOMAINS = {"unlit": UNLIT, "lit": LIT, "none": NONE}
KEY, VERSION = "atlas", 1
USUAL = ("basis", "spread", "rest", "reading")
TENSORS = ("words", "mean", "deviation", *USUAL)
MOST_DIRECTIONS = 1024


@dataclass(frozen=True)
class AtlasAbout:
    """Side of the atlases in pixels, and the caption they are asked by, with its place `{subject}`."""

    image_size: int
    prompt: str


@dataclass(frozen=True)
class AtlasSpec:
    """Sizes of a new model of atlases of `image_size` pixels; its prompt is asked with the subject filled in."""

    image_size: int
    unet_channels: tuple[int, ...]
    unet_heads: int = 4
    norm_groups: int = 8
    domain_words: int = 2
    prompt: str = "a albedo map of the whole face of a {subject}"


EMBEDDED_ATLAS = AtlasSpec(256, (48, 64, 96))
TEST_ATLAS = AtlasSpec(64, (8, 16), unet_heads=2, norm_groups=4)


class AtlasModel(nn.Module):
    """What tells a clean atlas from noise: what is usual, and a UNet for what that leaves.

    `tensors` are TENSORS. words [2, n, W] are the learned words of UNLIT and LIT, states beside those of the text. mean
    [C, h, w] and deviation [C, 1, 1] are those of clean atlases' scaled latents: the UNet sees `(latents - mean) /
    deviation`, beside the mean and the mask. The others are of `usual_atlas.UsualAtlas`.
    """

    def __init__(self, unet: UNet2DConditionModel, tensors: Mapping[str, Tensor], about: AtlasAbout, scheduler):
        super().__init__()
        self.unet, self.about = unet, about
        self.words = nn.Parameter(tensors["words"].clone())
        self.register_buffer("mean", tensors["mean"])
        self.register_buffer("deviation", tensors["deviation"])
        self.usual = UsualAtlas(*(tensors[name] for name in USUAL))
        self.register_buffer("alpha_bars", scheduler.alphas_cumprod.float(), persistent=False)
        self._velocity = scheduler.config.prediction_type != "epsilon"

    def inward(self, latents: Tensor) -> Tensor:
        """Scaled latents [B, C, h, w] as the UNet sees them; differentiable."""
        return (latents - self.mean) / self.deviation

    def outward(self, seen: Tensor) -> Tensor:
        """The inverse of `inward`."""
        return seen * self.deviation + self.mean

    def place(self) -> Tensor:
        """The mean atlas [C, h, w] in unit deviation: it tells convolutions where on an atlas they are."""
        about = self.mean.mean((1, 2), keepdim=True)
        return (self.mean - about) / (self.mean - about).square().mean((1, 2), keepdim=True).sqrt().clamp(min=1e-3)

    def states(self, text: Tensor, domain: Tensor) -> Tensor:
        """Text states [B, L, W] with the words of their `domain` [B] behind them, [B, L + n, W]; zeros for NONE."""
        words = torch.cat([self.words, torch.zeros_like(self.words[:1])])
        return torch.cat([text, words[domain]], 1)

    def forward(self, noisy: Tensor, timesteps: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """What the base predicts (noise or velocity) [B, C, h, w] of `noisy`, as it sees latents.

        mask: [B, 1, h, w], 1 where face is to be.
        """
        kind, place = self.unet.dtype, self.place().expand(len(noisy), -1, -1, -1)
        given = torch.cat([noisy, place, mask], 1).to(kind)
        left = self.unet(given, timesteps, encoder_hidden_states=states.to(kind)).sample.float()
        return self.usual_alone(noisy, timesteps, states, mask) + left

    def usual_alone(self, noisy: Tensor, timesteps: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """The same of linear statistics alone."""
        alpha_bar, own = self.alpha_bars[timesteps][:, None], self.words.shape[1]
        facts = facts_of(states[:, :-own], states[:, -own:], mask)
        clean = self.usual.clean(noisy, alpha_bar, facts)
        a, b = alpha_bar.sqrt()[..., None, None], (1 - alpha_bar).sqrt()[..., None, None]
        return (a * noisy - clean) / b if self._velocity else (noisy - a * clean) / b


def new_atlas_model(spec: AtlasSpec, parts: BaseParts, tensors: Mapping[str, Tensor]) -> AtlasModel:
    """A model that says what is usual by `tensors`, and whose UNet (seed torch first) adds nothing yet."""
    mean, width, depth = tensors["mean"], parts.text_encoder.config.hidden_size, len(spec.unet_channels)
    channels = len(mean)
    unet = UNet2DConditionModel(
        sample_size=mean.shape[-1],
        in_channels=2 * channels + 1,
        out_channels=channels,
        block_out_channels=spec.unet_channels,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * (depth - 1)),
        up_block_types=(*["CrossAttnUpBlock2D"] * (depth - 1), "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=width,
        attention_head_dim=spec.unet_heads,  # diffusers reads this as the number of heads
        norm_num_groups=spec.norm_groups,
        addition_embed_type="text",
        addition_embed_type_num_heads=spec.unet_heads,
    )
    nn.init.zeros_(unet.conv_out.weight)
    nn.init.zeros_(unet.conv_out.bias)
    return AtlasModel(unet, tensors, AtlasAbout(spec.image_size, spec.prompt), parts.scheduler)


def save_atlas(model: AtlasModel, bundle: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write the model into the folder of a bundle."""
    folder = bundle / ATLAS_FOLDER
    model.unet.save_config(folder / "unet")
    save_tensors(model.unet.state_dict(), bundle / ATLAS_UNET_FILE, dtype)
    about = {"version": VERSION, **asdict(model.about)}
    tensors = {name: getattr(model.usual if name in USUAL else model, name).detach() for name in TENSORS}
    large = {name: tensors[name].to(dtype) for name in ("mean", "basis")}  # the others are few and of all sizes
    write_tensors(bundle / ATLAS_DOMAINS_FILE, tensors | large, {KEY: json.dumps(about)})


def has_atlas(bundle: Path) -> bool:
    """Whether the bundle in a folder has a model of atlases."""
    return (bundle / ATLAS_DOMAINS_FILE).is_file()


def load_atlas(bundle: Path, parts: BaseParts, dtype: torch.dtype = torch.float32) -> AtlasModel:
    """The model that `save_atlas` wrote beside the base `parts`, frozen; its UNet as `dtype`, on the base's device.

    Raises UserError where a file is missing or damaged, or it belongs to another base.
    """
    path, device = bundle / ATLAS_DOMAINS_FILE, parts.unet.device
    unet, tensors = load_unet(bundle / ATLAS_FOLDER, dtype), read_tensors(path)
    with refusing(path):
        about = json_object(read_metadata(path)[KEY])
        size, prompt = about["image_size"], about["prompt"]
        if about["version"] != VERSION or type(size) is not int or type(prompt) is not str or "{subject}" not in prompt:
            raise ValueError("it is of another version")
    if sorted(tensors) != sorted(TENSORS):
        raise damaged(path, f"it should hold {', '.join(TENSORS)}")
    _expect_fit(path, unet, {name: tuple(tensors[name].shape) for name in TENSORS}, parts, size)
    own = {name: tensors[name].float() for name in TENSORS}
    return AtlasModel(unet, own, AtlasAbout(size, prompt), parts.scheduler).requires_grad_(False).eval().to(device)


def _expect_fit(path: Path, unet: UNet2DConditionModel, shapes: dict, parts: BaseParts, size: int) -> None:
    """Raises UserError unless the model takes the latents of the base's autoencoder and the states of its texts."""
    vae, width = parts.vae.config, parts.text_encoder.config.hidden_size
    channels, side = vae.latent_channels, size >> (len(vae.block_out_channels) - 1)
    given = (unet.config.in_channels, unet.config.out_channels, unet.config.cross_attention_dim)
    if given != (2 * channels + 1, channels, width):
        raise unfit(path, f"its UNet takes and gives other latents, or hears other texts: {given}")
    words, directions = shapes["words"], shapes["spread"][-1] if shapes["spread"] else 0
    fits = len(words) == 3 and words[0] == 2 and words[2] == width and 1 <= words[1] <= 64
    wanted = {
        "mean": (channels, side, side),
        "deviation": (channels, 1, 1),
        "basis": (directions, channels, side, side),
        "rest": (1,),
        **dict.fromkeys(("reading", "spread"), (1 + 2 * width + MASK_SIDE**2, directions)),
    }
    if not fits or directions > MOST_DIRECTIONS or any(shapes[name] != shape for name, shape in wanted.items()):
        raise unfit(path, "its domains or its statistics are of another size")
