"""Atlases on disk, in shards, and their latents, encoded once by the base's autoencoder."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from torch import Tensor

from idto3d.files import read_metadata, read_tensors, write_tensors
from idto3d.guidance.networks.atlas import LIT, UNLIT
from idto3d.guidance.networks.base import encode_images
from idto3d.head.template_file import load_template
from idto3d.training.data.dataset import pictures
from idto3d.training.data.shards import run_all, save_arrays, save_words, shard_path
from idto3d.training.texture.atlases import Atlases, draw_atlases, open_board

KINDS = ("clean", "worn", "lit")
DOMAIN_OF = {"clean": UNLIT, "worn": UNLIT, "lit": LIT}
MADE_OF, FILE = "made_of", "latents.safetensors"
AT_ONCE = 4  # atlases encoded together


@dataclass(frozen=True)
class AtlasSet:
    """What is written: `people` of consecutive seeds from `first_seed`, atlases of `size` pixels in shards."""

    template: Path
    out: Path
    people: int
    size: int
    first_seed: int = 0
    per_shard: int = 50


@dataclass(frozen=True, eq=False)
class Encoded:
    """N atlases as scaled latents [N, C, h, w] with masks [N, 1, h, w], 1 where face is, domains [N] and whose they
    are [N], as places in `looks`."""

    latents: Tensor
    mask: Tensor
    domain: Tensor
    person: Tensor
    looks: tuple[dict, ...]


def write_atlases(asked: AtlasSet, workers: int) -> None:
    """Draw the shards that are not there yet."""
    shards = range(-(-asked.people // asked.per_shard))
    jobs = [(asked, shard) for shard in shards if not shard_path(asked.out, shard, "json").exists()]
    run_all(_draw_shard, jobs, workers, "drawing atlases")


def _draw_shard(job: tuple[AtlasSet, int]) -> None:
    asked, shard = job
    board = open_board(load_template(asked.template), asked.size)
    first = shard * asked.per_shard
    seeds = range(asked.first_seed + first, asked.first_seed + min(first + asked.per_shard, asked.people))
    drawn = [draw_atlases(board, seed) for seed in seeds]
    save_arrays(shard_path(asked.out, shard, "safetensors"), _stacked(drawn))
    save_words(shard_path(asked.out, shard, "json"), json.dumps({"people": [one.look for one in drawn]}, indent=1))


def _stacked(drawn: list[Atlases]) -> dict[str, np.ndarray]:
    names = ("clean", "worn", "worn_mask", "lit", "lit_mask")
    return {name: np.stack([getattr(one, name) for one in drawn]) for name in names}


def shards_of(folder: Path) -> list[Path]:
    """The finished shards of a folder, in order."""
    return [path.with_suffix(".safetensors") for path in sorted(folder.glob("[0-9]*.json"))]


def read_encoded(vae: AutoencoderKL, folder: Path) -> Encoded:
    """The latents of a folder's atlases: from its cache, or computed and kept there; anew of another autoencoder."""
    shards, path = shards_of(folder), folder / FILE
    made_of = _made_of(vae, shards)
    if not path.exists() or read_metadata(path).get(MADE_OF) != made_of:
        parts = [_encoded(vae, load_file(shard)) for shard in shards]
        tensors = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        write_tensors(path, tensors, {MADE_OF: made_of})
    found = read_tensors(path)
    looks = [look for shard in shards for look in json.loads(shard.with_suffix(".json").read_text())["people"]]
    people = torch.arange(len(looks))
    return Encoded(
        torch.cat([found[f"{kind}.latents"] for kind in KINDS]),
        torch.cat([found[f"{kind}.mask"] for kind in KINDS]),
        torch.tensor([DOMAIN_OF[kind] for kind in KINDS]).repeat_interleave(len(looks)),
        people.repeat(len(KINDS)),
        tuple(looks),
    )


def _made_of(vae: AutoencoderKL, shards: list[Path]) -> str:
    """A digest of the encoder's weights and of the shards' words."""
    digest = hashlib.sha256()
    for tensor in (*vae.encoder.parameters(), *vae.quant_conv.parameters()):
        digest.update(tensor.detach().cpu().contiguous().numpy())
    for shard in shards:
        digest.update(shard.with_suffix(".json").read_bytes())
    return digest.hexdigest()


@torch.no_grad()
def _encoded(vae: AutoencoderKL, arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    side = arrays["clean"].shape[1] >> (len(vae.config.block_out_channels) - 1)
    found = {}
    for kind in KINDS:
        batches = arrays[kind].split(AT_ONCE)
        latents = [encode_images(vae, pictures(one).to(vae.device)).half().cpu() for one in batches]
        mask = arrays.get(f"{kind}_mask", torch.ones(arrays[kind].shape[:3], dtype=torch.uint8))
        found[f"{kind}.latents"] = torch.cat(latents)
        found[f"{kind}.mask"] = F.adaptive_avg_pool2d(mask[:, None].float(), side).half()
    return found
