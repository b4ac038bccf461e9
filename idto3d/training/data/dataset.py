"""Reading a dataset of rendered people back, as tensors that fit in memory."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file
from torch import Tensor

from idto3d.errors import UserError
from idto3d.words.prompts import words

PICTURES = ("normal", "albedo")
SCAN_COEFFICIENTS = 100  # coefficients that a scan is given, all of them NaN
ARRAYS = (*PICTURES, "expression", "azimuth_deg", "elevation_deg")


@dataclass(frozen=True)
class People:
    """Views of people. N views, n people, P portraits each, D numbers in an embedding."""

    normal: Tensor  # [N, S, S, 3] uint8
    albedo: Tensor  # [N, S, S, 3] uint8, sRGB
    expression: Tensor  # [N] int64 index into EXPRESSIONS
    azimuth_deg: Tensor  # [N]
    elevation_deg: Tensor  # [N]
    person: Tensor  # [N] int64 index of the person
    embedding: Tensor  # [n, P, D]; a zero row where no face was found, or no portrait was drawn
    coefficients: Tensor  # [n, 100 + M] of ICT-FaceKit; rows of NaN for scans, which have none
    looks: tuple[dict, ...]  # [n]
    licence: str = ""  # of the scans, as their owner words it; empty for synthetic people


@dataclass(frozen=True)
class Portrayed:
    """What is known of n people by their portraits alone; each field as in People."""

    embedding: Tensor
    coefficients: Tensor
    looks: tuple[dict, ...]


def shards(folder: Path) -> list[Path]:
    """The finished shards of a dataset. Raises UserError when there is none."""
    paths = sorted(path.with_suffix("") for path in Path(folder).glob("[0-9]*.json"))
    if not paths:
        raise UserError(f"There is no dataset in {folder}.", "Write one with `python -m idto3d synthesize` or `scans`.")
    return paths


def read_people(folder: Path, most: int | None = None, embedded: bool = True, pictures: bool = True) -> People:
    """All views of the first `most` shards. With `embedded` only shards whose portraits are embedded are read.

    Without `pictures` the maps are [0, S, S, 3]: they need not fit in memory where their latents are used.
    Raises UserError where there is no dataset, or none that is embedded.
    """
    return _read(_usable(folder, embedded)[:most], embedded, pictures)


def read_portrayed(folder: Path) -> Portrayed:
    """Everybody whose portraits are embedded, whether other views of them were drawn or not (`synthesize --views 0`).

    Raises UserError where there is no dataset, or none that is embedded.
    """
    paths = _usable(folder, embedded=True)
    looks = [read_looks(shard) for shard in paths]
    coefficients = [_coefficients(shard, len(of_shard)) for shard, of_shard in zip(paths, looks, strict=True)]
    return Portrayed(
        torch.from_numpy(_stacked([load_file(_identity(shard))["embedding"] for shard in paths])),
        torch.from_numpy(np.concatenate(coefficients)),
        tuple(look for of_shard in looks for look in of_shard),
    )


def read_shards(folder: Path) -> Iterator[People]:
    """The same people with pictures, one shard after the other. Raises UserError where none is embedded."""
    for shard in _usable(folder, embedded=True):
        yield _read([shard], embedded=True, pictures=True)


def _usable(folder: Path, embedded: bool) -> list[Path]:
    paths = [shard for shard in shards(folder) if not embedded or _identity(shard).exists()]
    if not paths:
        raise UserError(f"No portrait in {folder} is embedded yet.", "Let the command that writes it finish.")
    return paths


def _read(paths: list[Path], embedded: bool, pictures: bool) -> People:
    pieces = [_read_shard(shard, embedded, pictures) for shard in paths]
    counts = np.cumsum([0] + [len(piece["looks"]) for piece in pieces])
    person = [piece["person"] + first for piece, first in zip(pieces, counts, strict=False)]
    return People(
        *(torch.from_numpy(np.concatenate([piece[name] for piece in pieces])) for name in ARRAYS),
        person=torch.from_numpy(np.concatenate(person)),
        embedding=torch.from_numpy(_stacked([piece["embedding"] for piece in pieces])),
        coefficients=torch.from_numpy(np.concatenate([piece["coefficients"] for piece in pieces])),
        looks=tuple(look for piece in pieces for look in piece["looks"]),
        licence="; ".join(dict.fromkeys(piece["licence"] for piece in pieces if piece["licence"])),
    )


def _stacked(embeddings: list[np.ndarray]) -> np.ndarray:
    """[n, P, D] of shards with different numbers of portraits; those that a person lacks are zero rows."""
    most = max(embedding.shape[1] for embedding in embeddings)
    return np.concatenate([np.pad(one, ((0, 0), (0, most - one.shape[1]), (0, 0))) for one in embeddings])


def read_looks(shard: Path) -> list[dict]:
    """The looks of the people of one of the `shards`."""
    return [one["look"] for one in _words(shard)["people"]]


def read_numbers(shard: Path, name: str) -> np.ndarray:
    """The array `name` of one of the `shards`, without reading the others."""
    with safe_open(shard.with_name(shard.name + ".safetensors"), "numpy") as file:
        return file.get_tensor(name)


def _coefficients(shard: Path, count: int) -> np.ndarray:
    """[n, C] of a shard's `count` people; NaN for scans, which have none."""
    with safe_open(shard.with_name(shard.name + ".safetensors"), "numpy") as file:
        if "coefficients" in file.keys():  # noqa: SIM118
            return file.get_tensor("coefficients")
    return np.full((count, SCAN_COEFFICIENTS), np.nan, np.float32)


def said_words(folder: Path) -> list[str]:
    """Every word of the dataset's captions, in order, once each."""
    described = (one["subject"] for shard in shards(folder) for one in _words(shard)["people"])
    return list(dict.fromkeys(word for subject in described for word in words(subject)))


def _identity(shard: Path) -> Path:
    return shard.with_name(shard.name + ".identity.safetensors")


def _read_shard(shard: Path, embedded: bool, pictures: bool) -> dict:
    path = shard.with_name(shard.name + ".safetensors")
    if not _has_views(path):
        raise UserError(f"{path} holds portraits alone.", "Draw its people with --views 1 or more.")
    arrays, about = _read_arrays(path, pictures), _words(shard)
    piece = {name: arrays[name] for name in ARRAYS} | {"licence": about.get("licence", "")}
    _, piece["person"] = np.unique(arrays["person"], return_inverse=True)
    piece["looks"] = [one["look"] for one in about["people"]]
    count = len(piece["looks"])
    piece["coefficients"] = _coefficients(shard, count)
    piece["embedding"] = load_file(_identity(shard))["embedding"] if embedded else np.zeros((count, 1, 1), np.float32)
    return piece


def _words(shard: Path) -> dict:
    return json.loads(shard.with_name(shard.name + ".json").read_text())


def _has_views(path: Path) -> bool:
    with safe_open(path, "numpy") as file:
        return set(PICTURES) <= set(file.keys())


def _read_arrays(path: Path, pictures: bool) -> dict[str, np.ndarray]:
    """Everything in a shard's file; of the pictures only their size unless they are wanted."""
    with safe_open(path, "numpy") as file:
        names = [name for name in file.keys() if pictures or name not in PICTURES]  # noqa: SIM118
        arrays = {name: file.get_tensor(name) for name in names}
        for name in set(PICTURES) - set(names):
            arrays[name] = np.zeros((0, *file.get_slice(name).get_shape()[1:]), np.uint8)
    return arrays


def pictures(images: Tensor) -> Tensor:
    """[B, S, S, 3] uint8 to [B, 3, S, S] float32 in 0..1."""
    return images.permute(0, 3, 1, 2).float() / 255
