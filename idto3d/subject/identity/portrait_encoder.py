"""Identity by dlib's 128 numbers and a code of the head's shape, side by side in one embedding."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from idto3d.errors import UserError
from idto3d.subject.align import head_crop
from idto3d.subject.face import Face, check_pixels
from idto3d.subject.identity.dlib_encoder import DlibEncoder
from idto3d.subject.identity.identity_file import load_identity
from idto3d.subject.identity.portrait_net import SIDE, PortraitNet
from idto3d.subject.similarity import unit

WIDE = 108  # side of a head crop, pixels: the network's 96 and six more all around, for other places to look from
PLACES = ((0, 0), (-3, 0), (3, 0), (0, -3), (0, 3))  # of the network's window beside the middle of a crop, pixels
GLANCES = 2 * len(PLACES)
MIRRORED = [1, 0, 2, 4, 3]  # landmarks of a mirrored face: left and right change places


class PortraitEncoder:
    """Holds dlib's models and our network; an embedding is unit(dlib's unit embedding, scale times our code)."""

    name = "portrait"
    border = DlibEncoder.border  # of the recognition part
    notice = ""

    def __init__(self, weights: Path | None):
        """`weights` is identity.safetensors of a bundle. Raises UserError."""
        if weights is None:
            what = "The identity encoder portrait needs its network."
            raise UserError(what, "Choose weights that bring an identity.safetensors.")
        self.net = load_identity(weights)
        self.finder = DlibEncoder()
        self.dimension = self.finder.dimension + self.net.size.modes

    def embed(self, pixels: np.ndarray, once: bool = False) -> list[Face]:
        """Every roughly frontal face in `pixels` [H, W, 3] uint8 sRGB, the surest first; `once` as in DlibEncoder."""
        pixels = check_pixels(pixels)
        faces = self.finder.embed(pixels, once)
        if not faces:
            return []
        crops, marks = head_crops(pixels, faces)
        whole = self.joined(np.stack([face.embedding for face in faces]), crops, marks)
        return [replace(face, embedding=row) for face, row in zip(faces, whole, strict=True)]

    def joined(self, recognition: np.ndarray, crops: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Unit embeddings [n, 128 + K] from dlib's [n, 128] and head crops [n, 108, 108, 3 or more] uint8."""
        codes, _ = read_heads(self.net, crops, landmarks)
        return unit(np.concatenate([recognition, (codes * self.net.embedding_scale).numpy()], 1))

    def recognition(self, embeddings: np.ndarray) -> np.ndarray:
        """dlib's unit embeddings [..., 128] within `embeddings` [..., 128 + K], by which likeness is judged."""
        return unit(embeddings[..., : self.finder.dimension])

    def traits(self, pixels: np.ndarray, face: Face) -> dict[str, dict[str, float]]:
        """For each attribute the chance of each of its words, of a face found in `pixels` [H, W, 3] uint8 sRGB."""
        _, scores = read_heads(self.net, *head_crops(check_pixels(pixels), [face]))
        chances = {name: row[0].softmax(0).tolist() for name, row in scores.items()}
        return {name: dict(zip(self.net.size.attributes[name], row, strict=True)) for name, row in chances.items()}


def head_crops(pixels: np.ndarray, faces: Sequence[Face]) -> tuple[np.ndarray, np.ndarray]:
    """Head crops [n, 108, 108, 3] uint8 of `faces`, found by dlib in `pixels`, and landmarks [n, 5, 2] in them."""
    cut = [head_crop(pixels, face.landmarks, WIDE) for face in faces]
    return np.stack([crop for crop, _ in cut]), np.stack([marks for _, marks in cut])


@torch.inference_mode()
def read_heads(net: PortraitNet, crops: np.ndarray, landmarks: np.ndarray) -> tuple[torch.Tensor, dict]:
    """What `net` says of head crops [n, 108, 108, 3 or more] uint8: codes [n, K], scores [n, words] of each attribute.

    Both are the mean over ten glances, as one alone depends on a pixel more or less. Raises ValueError for other crops.
    """
    if crops.shape[1:3] != (WIDE, WIDE):
        raise ValueError(f"crops must be [n, {WIDE}, {WIDE}, 3], got {list(crops.shape)}")
    said = [net(*glance) for glance in glances(crops, landmarks)]
    seen, mirrored = (torch.stack([code for code, _ in said[first::2]]).mean(0) for first in (0, 1))
    codes = (seen + mirrored @ net.mirror.T) / 2  # a mirror image is that of the mirrored head
    return codes, {name: torch.stack([score[name] for _, score in said]).mean(0) for name in net.size.attributes}


def glances(crops: np.ndarray, landmarks: np.ndarray) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """What the network takes, from five places each: the faces as they are, and then their mirror images."""
    middle = (WIDE - SIDE) // 2
    for x, y in ((middle + dx, middle + dy) for dx, dy in PLACES):
        shown = crops[:, y : y + SIDE, x : x + SIDE, :3]
        marks = landmarks - np.array([x, y], np.float32)
        yield as_inputs(shown, marks)
        yield as_inputs(shown[:, :, ::-1], np.stack([SIDE - marks[..., 0], marks[..., 1]], -1)[:, MIRRORED])


def as_inputs(crops: np.ndarray, landmarks: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """What the network takes: head crops [n, S, S, 3] uint8 as [n, 3, S, S] in 0..1, and their landmarks."""
    pictures = torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2).float() / 255
    marks = torch.from_numpy(np.ascontiguousarray(landmarks)).float()
    return pictures.contiguous(memory_format=torch.channels_last), marks
