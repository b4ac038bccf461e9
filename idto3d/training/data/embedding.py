"""Identity embeddings of a dataset's portraits: `NNNN.identity.safetensors`, made anew when the encoder changes."""

import hashlib
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file

from idto3d.errors import UserError
from idto3d.subject import encoders
from idto3d.subject.face import IdentityEncoder
from idto3d.subject.identity.portrait_encoder import GLANCES
from idto3d.training.data.faces import Faces, read_faces
from idto3d.training.data.shards import save_arrays, shard_path

UNNAMED_ENCODER = "dlib"  # what gave embeddings in whose file no encoder is named


def title(encoder: str, identity: Path | None) -> str:
    """The encoder in a word; of portrait also the number of glances, and the digest of its network.

    Raises UserError where that network is missing.
    """
    if encoder != "portrait":
        return encoder
    if identity is None or not identity.is_file():
        what = "The identity encoder portrait needs its network."
        raise UserError(what, "Give it by --identity; python -m idto3d.training.fit.portrait_encoder trains one.")
    return f"{encoder} {GLANCES} glances {hashlib.sha256(identity.read_bytes()).hexdigest()}"


def is_embedded(folder: Path, shard: int, title: str) -> bool:
    """Whether a shard's portraits are embedded by the encoder of this `title`."""
    path = shard_path(folder, shard, "identity.safetensors")
    return path.exists() and embedded_by(path) == title


def embedded_by(path: Path) -> str:
    """The title of the encoder that gave the embeddings in a file."""
    with safe_open(path, "numpy") as file:
        return (file.metadata() or {}).get("encoder", UNNAMED_ENCODER)


def embed_portraits(folder: Path, shard: int, portraits: int, encoder: str, identity: Path | None = None) -> None:
    """Embed a shard's portraits: `embedding` [people, portraits, D], zero rows where no face was found."""
    known = encoders.make_encoder(encoder, identity)
    embed = _searched if encoder == "insightface" else _from_faces
    embeddings = embed(folder, shard, known).reshape(-1, portraits, known.dimension)
    path = shard_path(folder, shard, "identity.safetensors")
    save_arrays(path, {"embedding": embeddings}, {"encoder": title(encoder, identity)})


def _from_faces(folder: Path, shard: int, encoder: IdentityEncoder) -> np.ndarray:
    """Embeddings [n, D] of the encoders that see what dlib finds; that is sought once per dataset."""
    if encoder.name == "portrait":
        return _joined(read_faces(folder, shard, encoder.finder), encoder)
    return read_faces(folder, shard, encoder).embedding


def _joined(faces: Faces, encoder) -> np.ndarray:
    found = faces.found()
    embeddings = np.zeros((*found.shape, encoder.dimension), np.float32)
    if found.any():
        embeddings[found] = encoder.joined(faces.embedding[found], faces.crop[found], faces.landmarks[found])
    return embeddings


def _searched(folder: Path, shard: int, encoder: IdentityEncoder) -> np.ndarray:
    pictures = load_file(shard_path(folder, shard, "safetensors"))["portraits"]
    embeddings = np.zeros((len(pictures), encoder.dimension), np.float32)
    for i, picture in enumerate(pictures):
        faces = encoder.embed(picture)
        if faces:
            embeddings[i] = max(faces, key=lambda face: face.side).embedding
    return embeddings
