"""What the network of personal expressions learns from: people, and how the template's shapes move each of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from idto3d.files import read_tensors, write_tensors
from idto3d.head.features.eased import eased
from idto3d.head.motion.jaw import HINGE, Jaw, jaw_of, share_of
from idto3d.head.motion.personal import STILL_M, mirror_of
from idto3d.head.template import MOUTH_SOCKET
from idto3d.head.template_model import Template
from idto3d.training.motion.transfer import Transfer, transfer_of
from idto3d.training.people.person import draw_person
from idto3d.words.traits import SMALL

ON_BONE = (0.75, 0.92)  # share of the jaw's motion between which the skin begins to lie on it
HELD_OUT_SEED = 500_000  # of people that are not learned from


@dataclass(frozen=True, eq=False)
class Carrier:
    """The template's `shapes` [S, N, 3] on the vertices of the skin that they move, and what carries them over.

    share [S, N, 1] 0..1: how far each vertex may move otherwise than the mean head's, see personal.personal_moves.
    """

    template: Template
    transfer: Transfer
    jaw: Jaw
    moved: np.ndarray
    shapes: np.ndarray
    share: np.ndarray

    def differences(self, vertices: Tensor) -> np.ndarray:
        """[S, N, 3] metres by which a head `vertices` [V, 3] moves otherwise than the mean head."""
        skin, template = len(self.transfer.mean), self.template
        bone = self.jaw.motion(vertices[:skin], self.jaw.joints_of(template, vertices))
        bone -= self.jaw.motion(template.neutral[:skin], self.jaw.joints)
        plain = template.dense_moves()[:, :skin]
        known = {number: (plain[number] + bone[place]).numpy() for place, number in enumerate(self.jaw.shapes)}
        own = self.transfer.onto(vertices[:skin].double().numpy(), known)
        return self.share * (own[:, self.moved] - self.shapes)


def carrier_of(template: Template) -> Carrier:
    """What carries the shapes of `template` over to its heads; takes some seconds."""
    skin, jaw = template.base.start, jaw_of(template)
    faces = template.part("skin").faces.numpy()
    faces = faces[(faces < skin).all(1)]
    moves, mean = template.dense_moves()[:, :skin], template.neutral[:skin]
    hinge = template.shapes.index(HINGE)
    bone = share_of(moves[hinge], jaw.motion(mean, jaw.joints)[jaw.shapes.index(hinge)])
    bone = ((bone - ON_BONE[0]) / (ON_BONE[1] - ON_BONE[0])).clamp(0, 1)
    bone[MOUTH_SOCKET.start :] = 0  # its inside follows
    transfer = transfer_of(mean.numpy(), faces, moves.numpy(), bone.numpy())
    moving = (moves.abs() > 0).any(0).any(1)
    moved = (moving | moving[mirror_of(mean, torch.arange(skin))]).nonzero()[:, 0].numpy()
    shapes = moves[:, moved].numpy()
    reach = np.linalg.norm(shapes, axis=-1, keepdims=True)
    share = np.clip((reach - STILL_M[0]) / (STILL_M[1] - STILL_M[0]), 0, 1)
    return Carrier(template, transfer, jaw, moved, shapes, share)


def people(template: Template, count: int, first_seed: int, soft: bool = True) -> Tensor:
    """[count, V, 3] metres, heads of people from consecutive seeds; soft: children as heads of words are."""
    drawn = [draw_person(seed, template.words) for seed in range(first_seed, first_seed + count)]
    heads = template.shape(torch.from_numpy(np.stack([one.coefficients for one in drawn])))
    small = [number for number, one in enumerate(drawn) if one.look.age in SMALL]
    for number in small if soft else ():
        heads[number] = template.neutral + eased(template, heads[number] - template.neutral)
    return heads


def sampled(carrier: Carrier, heads: Tensor, folder: Path) -> Iterator[Path]:
    """Files in `folder`, one for each of `heads` [H, V, 3], with what Carrier.differences says; made where missing."""
    for number, vertices in enumerate(heads):
        path = folder / f"{number:05d}.safetensors"
        if not path.is_file():
            found = torch.from_numpy(carrier.differences(vertices)).half()
            write_tensors(path, {"differences": found.contiguous()})
        yield path


def differences_in(path: Path) -> Tensor:
    """[S, N, 3] float32 metres, of one head."""
    return read_tensors(path)["differences"].float()
