"""Learn the personal expressions of a bundle, see head/motion/personal.py, and measure them on people held out.

    python -m idto3d.training.motion.personal --template weights/embedded/template.safetensors --work DIR --out FILE

What is learned from is worked out for synthetic people, seconds each, and kept in DIR: a run that was stopped goes on
there. Prints JSON: for each shape, how far the mean head's and what was learned are from what was worked out.
"""

import argparse
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from idto3d.determinism import repeatable
from idto3d.errors import run_command
from idto3d.files import sha256_of
from idto3d.head.motion.lips import strewn
from idto3d.head.motion.personal import Personal, halves, mirror_of, mirrored
from idto3d.head.motion.personal_file import load_personal, save_personal
from idto3d.head.template import FACE
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.training.arguments import add_out
from idto3d.training.motion.people import HELD_OUT_SEED, Carrier, carrier_of, differences_in, people, sampled

SOURCE = "learned from ICT-FaceKit's shapes (MIT licence) carried over to synthetic people"
POINTS = 400  # vertices of the face that tell a head
CODED = 1500  # people whose spread fixes what a head is told by
BASIS_PEOPLE = 36  # people whose differences the basis is of
LEAST_CARED = 0.05  # of the usual difference; what differs less counts no more for it
IDLE_M = 5e-5  # a vertex of which no shape differs by more, root mean square over people, moves as the mean head's

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Learning:
    """How much is learned from and into: numbers that tell a head, displacements that are mixed, and the ridge."""

    people: int = 160
    held_out: int = 20
    head: int = 100
    basis: int = 60
    ridge: float = 1.0
    seed: int = 0


def learned(template: Template, learning: Learning, work: Path) -> Personal:
    """The whole of it, from people in `work` that are worked out where they are missing."""
    carrier, heads = carrier_of(template), people(template, learning.people, learning.seed)
    files = [*_told(sampled(carrier, heads, work), learning.people)]
    blank = reader_of(carrier, learning)
    some = [halved(blank, differences_in(path)) for path in files[:BASIS_PEOPLE]]
    busy = busy_in(some, blank.moved_mirror)
    care, some = care_of(some), [one[:, :, busy] for one in some]
    moved = blank.moved[busy]
    begun = replace(
        blank, moved=moved, moved_mirror=mirror_of(template.neutral, moved), basis=basis_of(some, care, learning)
    )
    flat = begun.basis.flatten(1).T
    wanted = torch.cat([halved(blank, differences_in(path))[:, :, busy].flatten(2) @ flat for path in files])
    codes = begun.code_of(template.neutral, heads).flatten(0, 1)
    return replace(begun, weights=ridge(codes, wanted, learning.ridge))


def reader_of(carrier: Carrier, learning: Learning) -> Personal:
    """What tells heads apart, before anything is learned of how they move."""
    template, moved = carrier.template, torch.from_numpy(carrier.moved)
    points, (left, right) = _both_sides(template), halves(template.shapes)
    heads = people(template, CODED, learning.seed, soft=False)[:, points] - template.neutral[points]
    heads = (heads - heads.mean(1, keepdim=True)).flatten(1)
    _, spread, ways = torch.linalg.svd(heads, full_matrices=False)
    directions = ways[: learning.head].T / (spread[: learning.head] / CODED**0.5)
    mirrors = [mirror_of(template.neutral, listed) for listed in (points, moved)]
    nothing = torch.zeros(0)
    return Personal(points, mirrors[0], directions, nothing, left, right, moved, mirrors[1], nothing)


def _both_sides(template: Template) -> Tensor:
    """[P] vertices of the face, strewn over it, each with its mirror image."""
    face = torch.arange(FACE.stop)
    mirror, half = mirror_of(template.neutral, face), face[template.neutral[FACE, 0] >= 0]
    strewn_over = half[strewn(template.neutral[half], POINTS // 2)]
    return torch.cat([strewn_over, mirror[strewn_over]]).unique()


def halved(personal: Personal, differences: Tensor) -> Tensor:
    """[2, H, N, 3] what shall be said of a head and of its mirror image, from all `differences` [S, N, 3]."""
    other = mirrored(differences[personal.right], personal.moved_mirror)
    return torch.stack([differences[personal.left], other])


def busy_in(differences: list[Tensor], mirror: Tensor) -> Tensor:
    """[N] bool: the vertices that matter in `differences` [2, H, N, 3] of some people, with their mirror images."""
    usual = torch.stack([one.square().sum(-1).mean(0) for one in differences]).mean(0).sqrt()
    busy = usual.amax(0) > IDLE_M
    return busy | busy[mirror]


def care_of(differences: list[Tensor]) -> Tensor:
    """[H] how much a millimetre of each shape counts: less where heads differ much, as where the jaw falls."""
    usual = torch.stack([one.square().mean((0, 2, 3)) for one in differences]).mean(0).sqrt()
    return (usual / usual.mean()).clamp_min(LEAST_CARED) ** -0.5


def basis_of(differences: list[Tensor], care: Tensor, learning: Learning) -> Tensor:
    """[R, N, 3] the orthonormal displacements that make up most of `differences` [2, H, N, 3] of some people.

    care [H]: how much a millimetre of each shape counts.
    """
    rows = torch.cat([(care[:, None] * one.flatten(2)).flatten(0, 1) for one in differences])
    torch.manual_seed(learning.seed)
    most = min(learning.basis, len(rows))
    return torch.svd_lowrank(rows, most, niter=3)[2].T.unflatten(1, (-1, 3))


def ridge(codes: Tensor, wanted: Tensor, hold: float) -> Tensor:
    """[D, H, R] what gives the weights `wanted` [P, H, R] of heads of these `codes` [P, D], by least squares.

    hold: weight of its square beside that of the errors; codes are about normal.
    """
    codes = codes.double()
    system = codes.T @ codes + hold * torch.eye(codes.shape[1], dtype=codes.dtype)
    found = torch.linalg.solve(system, codes.T @ wanted.flatten(1).double())
    return found.float().unflatten(1, wanted.shape[1:])


def _told(files, count: int):
    for number, path in enumerate(files):
        if number % 10 == 0:
            log.info("person %d of %d", number, count)
        yield path


def measured(template: Template, personal: Personal, learning: Learning, work: Path) -> dict:
    """Errors in millimetres over people held out: of the mean head's shapes and of what was learned, by shape."""
    carrier = carrier_of(template)
    heads = people(template, learning.held_out, HELD_OUT_SEED)
    share = torch.from_numpy(carrier.share[..., 0]).float()
    place = torch.searchsorted(torch.from_numpy(carrier.moved), personal.moved)
    off, far = torch.zeros(2, len(template.shapes)), torch.zeros(2, len(template.shapes))
    for vertices, path in zip(heads, sampled(carrier, heads, work), strict=True):
        right = differences_in(path)
        told = torch.zeros_like(right)
        told[:, place] = personal.differences(template.neutral, vertices)
        for row, found in enumerate((torch.zeros_like(right), share[..., None] * told)):
            error = 1000 * (found - right).norm(dim=-1)
            off[row] += (error.square() * share).sum(1) / share.sum(1).clamp_min(1) / len(heads)
            far[row] = far[row].maximum(error.amax(1))
    rows = {name: _row(off[:, n].sqrt(), far[:, n]) for n, name in enumerate(template.shapes)}
    return {"people": len(heads), "all": _row(off.mean(1).sqrt(), far.amax(1)), "by_shape": rows}


def _row(off: Tensor, far: Tensor) -> dict:
    names = ("generic", "personal")
    usual = {f"{name}_rms_mm": round(float(value), 3) for name, value in zip(names, off, strict=True)}
    return usual | {f"{name}_most_mm": round(float(value), 2) for name, value in zip(names, far, strict=True)}


def main(argv: list[str]) -> int:
    """The command line; see --help."""
    parser = argparse.ArgumentParser(
        prog="idto3d.training.motion.personal",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--template", type=Path, required=True, help="template.safetensors of a bundle")
    parser.add_argument("--work", type=Path, required=True, help="a folder for what is learned from, outside the tree")
    parser.add_argument("--people", type=int, default=Learning.people, help="how many to learn from")
    parser.add_argument("--held-out", type=int, default=Learning.held_out, help="how many to measure on")
    parser.add_argument("--seed", type=int, default=Learning.seed)
    add_out(parser, "where to write personal.safetensors")
    asked = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    repeatable()
    template = load_template(asked.template)
    learning = Learning(asked.people, asked.held_out, seed=asked.seed)
    personal = learned(template, learning, asked.work / "learned")
    provenance = {
        "source": SOURCE,
        "template_sha256": sha256_of(asked.template),
        "people": learning.people,
        "seed": learning.seed,
    }
    save_personal(asked.out, personal, template, provenance)
    found = measured(template, load_personal(asked.out, template), learning, asked.work / "held_out")
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    run_command(main)
