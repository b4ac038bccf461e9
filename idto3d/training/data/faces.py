"""The faces of a dataset's portraits, found and cut out once: `NNNN.faces.safetensors` beside each shard.

Whoever embeds the portraits and whoever trains the encoder reads them from there; finding faces is the slow part.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file
from scipy import ndimage

from idto3d.subject.align import HEAD_EYES, head_crop
from idto3d.subject.identity.dlib_encoder import DlibEncoder
from idto3d.subject.identity.portrait_encoder import WIDE
from idto3d.training.data.dataset import read_looks, read_numbers, shards
from idto3d.training.data.shards import run_all, save_arrays, shard_path

CROP_SCALE = f"{WIDE} pixels, eyes {HEAD_EYES:g} apart"  # said in the files
BACKGROUND_LEVELS = 22  # grey levels by which a pixel may differ from the plain background of its row


@dataclass(frozen=True)
class Faces:
    """The faces of a shard's portraits, n people with P portraits each.

    crop: [n, P, 108, 108, 4] uint8: sRGB, and 255 where the head is, 0 where the background is. landmarks: [n, P, 5, 2]
    in the crop's pixels. embedding: [n, P, 128] dlib's unit embeddings. Zeros where no face was found.
    """

    crop: np.ndarray
    landmarks: np.ndarray
    embedding: np.ndarray

    def found(self) -> np.ndarray:
        """[n, P] bool: where a face was found."""
        return np.linalg.norm(self.embedding, axis=-1) > 0.5


@dataclass(frozen=True, eq=False)
class KnownFaces:
    """Faces of n people whose heads are known; the crops stay on disk until they are asked for.

    landmarks: [n, P, 5, 2]. embedding: [n, P, 128]. coefficients: [n, C]. looks: [n]. place: [n, 2] which of the open
    `files`, and the row in it.
    """

    files: tuple[safe_open, ...]
    landmarks: np.ndarray
    embedding: np.ndarray
    coefficients: np.ndarray
    looks: tuple[dict, ...]
    place: np.ndarray

    def found(self) -> np.ndarray:
        """[n, P] bool: where a face was found."""
        return np.linalg.norm(self.embedding, axis=-1) > 0.5

    def crops(self, people: np.ndarray, portraits: np.ndarray) -> np.ndarray:
        """[B, 108, 108, 4] uint8 of one portrait each of B people; both [B] int."""
        places = zip(self.place[people], portraits, strict=True)
        return np.concatenate([self._crop(file, row)[:, k] for (file, row), k in places])

    def _crop(self, file: int, row: int) -> np.ndarray:
        return self.files[file].get_slice("crop")[int(row) : int(row) + 1]

    def some(self, people: np.ndarray) -> "KnownFaces":
        """The same of some people alone; `people` is a mask or indices."""
        looks = tuple(self.looks[i] for i in np.arange(len(self.looks))[people])
        numbers = (self.landmarks, self.embedding, self.coefficients)
        return KnownFaces(self.files, *(array[people] for array in numbers), looks, self.place[people])


def read_faces(folder: Path, shard: int, finder: DlibEncoder | None = None) -> Faces:
    """The faces of one shard, found now where that was not done yet, or for crops of another size or scale."""
    path = _path(folder, shard)
    if not _is_cut(path):
        save_arrays(path, find_faces(folder, shard, finder or DlibEncoder()), {"scale": CROP_SCALE})
    return Faces(**load_file(path))


def _is_cut(path: Path) -> bool:
    if not path.exists():
        return False
    with safe_open(path, "numpy") as file:
        return (file.metadata() or {}).get("scale") == CROP_SCALE


def read_known(folder: Path, workers: int = 1) -> KnownFaces:
    """The faces of all finished shards of a dataset, found now where needed. Raises UserError where there is none."""
    listed = shards(folder)
    missing = [(folder, shard) for shard in map(_number, listed) if not _is_cut(_path(folder, shard))]
    run_all(_find_job, missing, workers, "finding faces")
    files = tuple(safe_open(_path(folder, _number(shard)), "numpy") for shard in listed)
    looks = [read_looks(shard) for shard in listed]
    return KnownFaces(
        files,
        landmarks=np.concatenate([file.get_tensor("landmarks") for file in files]),
        embedding=np.concatenate([file.get_tensor("embedding") for file in files]),
        coefficients=np.concatenate([read_numbers(shard, "coefficients") for shard in listed]),
        looks=tuple(look for of_shard in looks for look in of_shard),
        place=np.array([(i, row) for i, of_shard in enumerate(looks) for row in range(len(of_shard))]),
    )


def _number(shard: Path) -> int:
    return int(shard.name)


def _path(folder: Path, shard: int) -> Path:
    return shard_path(folder, shard, "faces.safetensors")


def _find_job(job: tuple[Path, int]) -> None:
    read_faces(*job)


def find_faces(folder: Path, shard: int, finder: DlibEncoder) -> dict[str, np.ndarray]:
    """The arrays of Faces, from a shard's portraits."""
    path = shard_path(folder, shard, "safetensors").with_suffix("")
    pictures, people = read_numbers(path, "portraits"), len(read_looks(path))
    rows = [_face_of(picture, finder) for picture in pictures]
    return {
        name: np.stack([row[place] for row in rows]).reshape(people, -1, *rows[0][place].shape)
        for place, name in enumerate(Faces.__annotations__)
    }


def _face_of(picture: np.ndarray, finder: DlibEncoder) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    faces = finder.embed(picture)
    if not faces:
        blank = np.zeros((WIDE, WIDE, 4), np.uint8)
        return blank, np.zeros((5, 2), np.float32), np.zeros(finder.dimension, np.float32)
    face = max(faces, key=lambda face: face.side)
    crop, marks = head_crop(picture, face.landmarks, WIDE)
    mask, _ = head_crop(np.repeat(head_mask(picture)[..., None], 3, 2), face.landmarks, WIDE, grey=0)
    return np.concatenate([crop, mask[..., :1]], -1), marks, face.embedding


def head_mask(picture: np.ndarray) -> np.ndarray:
    """255 where a synthetic portrait [S, S, 3] uint8 shows the head, 0 on its plain background: [S, S] uint8.

    The background has one colour per row, which both edges of the picture show, with some noise.
    """
    edge = np.concatenate([picture[:, :6], picture[:, -6:]], 1).astype(np.float32)
    plain = ndimage.gaussian_filter1d(np.median(edge, 1), 2, axis=0)[:, None]
    smooth = ndimage.uniform_filter(picture.astype(np.float32), (3, 3, 0))
    head = ndimage.binary_fill_holes(np.abs(smooth - plain).max(-1) > BACKGROUND_LEVELS)
    labels, count = ndimage.label(ndimage.binary_opening(head, iterations=2))
    if not count:
        return np.full(picture.shape[:2], 255, np.uint8)
    largest = 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return (ndimage.gaussian_filter((labels == largest).astype(np.float32), 0.7) * 255).astype(np.uint8)
