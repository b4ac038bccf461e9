"""The shards of a dataset: written whole or not at all, by several processes, and skipped when already there.

`NNNN.safetensors` holds the pictures and numbers of some people, `NNNN.json` their words,
`NNNN.faces.safetensors` the faces that were found in their portraits, and `NNNN.identity.safetensors` the identity
embeddings of these, with the encoder that gave them.
"""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from idto3d.files import write_atomic, write_tensors


def shard_path(folder: Path, shard: int, suffix: str) -> Path:
    """The file of shard number `shard` that ends in `suffix` (without its dot)."""
    return folder / f"{shard:04d}.{suffix}"


def run_all(work: Callable, jobs: list, workers: int, label: str) -> list:
    """The results of `work` on every one of `jobs`, in order, in up to `workers` processes, with a progress bar."""
    workers = max(1, min(workers, len(jobs)))
    if workers == 1:
        return [work(job) for job in tqdm(jobs, desc=label, unit="shard")]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return list(tqdm(pool.imap(work, jobs), total=len(jobs), desc=label, unit="shard"))


def save_arrays(path: Path, arrays: dict[str, np.ndarray], about: dict[str, str] | None = None) -> None:
    """Write `arrays`, and words `about` them, to `path`, which holds all of it or does not exist."""
    write_tensors(path, {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in arrays.items()}, about)


def save_words(path: Path, words: str) -> None:
    """Write the shard's JSON, which says that the shard is finished."""
    write_atomic(path, words.encode())
