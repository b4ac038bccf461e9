"""The shards of a dataset: written whole or not at all, by several processes, and skipped when already there.

`NNNN.safetensors` holds the pictures and numbers of some people, `NNNN.json` their words, and
`NNNN.identity.safetensors` the identity embeddings of their portraits.
"""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tqdm import tqdm


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


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write `arrays` to `path`, which holds all of them or does not exist."""
    partial = path.with_suffix(".partial")
    save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, partial)
    partial.replace(path)


def save_words(path: Path, words: str) -> None:
    """Write the shard's JSON, which says that the shard is finished."""
    partial = path.with_suffix(".partial")
    partial.write_text(words)
    partial.replace(path)


def embed_portraits(folder: Path, shard: int, portraits: int, encoder_name: str) -> None:
    """Embed a shard's portraits: `embedding` [people, portraits, D], zero rows where no face was found."""
    from idto3d.subject.encoders import make_encoder

    encoder = make_encoder(encoder_name)
    pictures = load_file(shard_path(folder, shard, "safetensors"))["portraits"]
    embeddings = np.zeros((len(pictures), encoder.dimension), np.float32)
    for i, picture in enumerate(pictures):
        faces = encoder.embed(picture)
        if faces:
            embeddings[i] = max(faces, key=lambda face: face.box[2] - face.box[0]).embedding
    shape = (-1, portraits, encoder.dimension)
    save_arrays(shard_path(folder, shard, "identity.safetensors"), {"embedding": embeddings.reshape(shape)})
