"""How eight different heads move: by everybody's expressions, and by expressions of their own.

    python -m benchmarks.moves [--template FILE] [--personal FILE] [--pictures DIR]

The heads are of the template (a baby, a child, an old man and so on), in our thirteen expressions and Apple's. Of each
head and both ways, over all expressions: how many more pixels show the teeth than of the mean head where that one's
lips are shut, how many show the eyes where lids are; by how many millimetres lips are off what they touch there; how
otherwise than the mean head's the skin is stretched (root mean square over edges, of the difference of the logarithms
of their growth). Prints JSON. --pictures: a sheet for each head, both ways side by side.
"""

import argparse
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.machine import machine
from idto3d.bundle.layout import PERSONAL_FILE, TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.errors import run_command
from idto3d.geometry.mesh import vertex_normals
from idto3d.head.features.assemble import displacements, settled, weights_of
from idto3d.head.features.eased import eased
from idto3d.head.features.eyes import eye_of
from idto3d.head.motion.contact import TOUCH_M
from idto3d.head.motion.lips import Mouth, mouth_of
from idto3d.head.motion.personal_file import load_personal
from idto3d.head.template import FACE
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import Camera, clip_positions, orbit
from idto3d.render.rasterizer import interpolate
from idto3d.words.arkit import ARKIT, TONGUE_OUT
from idto3d.words.expressions import NAMES

MEAN = "mean"
HEADS: Mapping[str, tuple[int, Mapping[str, float]]] = {  # a seed of what no word says, and words with their amounts
    "baby": (1, {"baby": 1.0}),
    "child": (2, {"child": 1.0, "female": 0.2}),
    "old_man": (3, {"old": 1.0, "female": -0.5, "caucasian": 1.0}),
    "old_woman": (4, {"old": 1.0, "female": 0.5, "asian": 1.0}),
    "narrow": (5, {"long face": 1.0, "narrow nose": 1.0, "female": 0.5}),
    "wide": (6, {"round face": 1.0, "wide nose": 1.0, "full lips": 1.0, "african": 1.0, "female": -0.5}),
    "square": (7, {"square face": 1.0, "heavy brow": 1.0, "female": -0.5}),
    "far_off": (8, {"asian": 1.0, "female": -0.3}),
}
SPREAD, FAR_SPREAD = 0.8, 1.3
EXPRESSIONS = (*NAMES, *(name for name in ARKIT if name != TONGUE_OUT))
MOUTH, SHUT_PX = ("teeth", "gums_tongue"), 60  # pixels of VIEWS that a mouth shows which counts as shut
SHUT_EYES = ("eyes closed", "squeeze")
COLOURS = {"skin": 0.62, "teeth": 0.95, "gums_tongue": 0.25, "lashes": 0.1}
VIEWS = ((0.0, 0.0), (35.0, 0.0), (0.0, -20.0))


@dataclass(frozen=True, eq=False)
class Usual:
    """The mean head of a `template` in all expressions, plain [E, V, 3], and what it shows of teeth, see shut_lips."""

    template: Template
    plain: Tensor
    mouth: Mouth
    shut: Mapping[int, int]


def head(template: Template, name: str) -> Tensor:
    """[V, 3] metres, the head called `name`, at rest."""
    if name == MEAN:
        return template.neutral
    seed, words = HEADS[name]
    coefficients = torch.randn(len(template.identity), generator=torch.Generator().manual_seed(seed))
    coefficients *= FAR_SPREAD if name == "far_off" else SPREAD
    small = {"baby", "child"} & set(words)
    coefficients *= 0.5 if small else 1.0
    coefficients[-len(template.words) :] = torch.tensor([words.get(word, 0.0) for word in template.words])
    shape = template.shape(coefficients)
    shape = template.neutral + eased(template, shape - template.neutral) if small else shape
    return settled(template, shape)


def pixels(template: Template, posed: Tensor, parts: Sequence[str], target: Tensor, fov_deg: float) -> Tensor:
    """[H, W] a sum over VIEWS of which pixels of a close picture show one of `parts`."""
    names = [part.name for part in template.parts if part.name != "lashes"]
    faces = torch.cat([template.part(name).faces + template.part(name).vertices.start for name in names])
    owner = torch.cat([torch.full((len(template.part(name).faces),), name in parts) for name in names])
    azimuth, elevation = torch.tensor(VIEWS).T
    camera = Camera(orbit(azimuth, elevation, 1.0, tuple(target.tolist())), math.radians(fov_deg))
    face = make_rasterizer("cpu").fragments(clip_positions(posed, camera), faces, (160, 160)).face
    return ((face >= 0) & owner[face.clamp_min(0)]).sum()


def measured(usual: Usual, vertices: Tensor, moved: Tensor) -> dict:
    """What the top of this file says of one head `vertices` [V, 3] with displacements `moved` [E, V, 3]."""
    template, plain = usual.template, usual.plain
    mouth = vertices[template.part("teeth").vertices].mean(0) + torch.tensor([0.0, 0.0, 0.02])
    teeth = 0
    for number, count in usual.shut.items():
        teeth += max(0, int(pixels(template, vertices + moved[number], MOUTH, mouth, 6.0)) - count)
    eyes = 0
    for name in SHUT_EYES:
        for side, part in enumerate(("eye_left", "eye_right")):
            centre = eye_of(template, vertices, side).centre
            eyes += int(pixels(template, vertices + moved[EXPRESSIONS.index(name)], (part,), centre, 4.5))
    gaps = torch.cat([lip_gaps(usual, number, vertices + moved[number]) for number in range(len(moved))])
    return {
        "teeth_seen_px": teeth,
        "expressions_with_shut_lips": len(usual.shut),
        "eyes_seen_px": eyes,
        "lips_off_rms_mm": round(1000 * float(gaps.square().mean().sqrt()), 3),
        "lips_off_95_mm": round(1000 * float(gaps.abs().quantile(0.95)), 3),
        "stretch_rms": round(stretch(template, vertices, plain, moved), 4),
    }


def shut_lips(template: Template, plain: Tensor, zone: Tensor) -> dict[int, int]:
    """Pixels of teeth that the mean head shows in each expression, `plain` [E, V, 3] there, that shuts its lips."""
    mouth = template.neutral[template.part("teeth").vertices].mean(0) + torch.tensor([0.0, 0.0, 0.02])
    moving = (plain[:, zone].norm(dim=-1).amax(1) > 0.0005).nonzero()[:, 0].tolist()
    seen = {n: int(pixels(template, template.neutral + plain[n], MOUTH, mouth, 6.0)) for n in moving}
    return {number: count for number, count in seen.items() if count <= SHUT_PX}


def lip_gaps(usual: Usual, number: int, posed: Tensor) -> Tensor:
    """[N] metres by which lips of a head `posed` [V, 3] are further apart, where those of the mean head touch."""
    template, plain, mouth = usual.template, usual.plain[number], usual.mouth
    mean, (upper, lower) = template.neutral + plain, (mouth.zone[lip.own] for lip in mouth.lips)
    if plain[upper].norm(dim=1).max() < 0.0005 and plain[lower].norm(dim=1).max() < 0.0005:
        return posed.new_zeros(0)
    apart, near = torch.cdist(mean[upper], mean[lower]).min(1)
    touch = apart < TOUCH_M[0]
    first, second = upper[touch], lower[near[touch]]
    normals = vertex_normals(posed, template.part("skin").faces)
    way = torch.nn.functional.normalize(normals[second] - normals[first], dim=1)
    return ((posed[first] - posed[second] - mean[first] + mean[second]) * way).sum(1)


def stretch(template: Template, vertices: Tensor, plain: Tensor, moved: Tensor) -> float:
    """See the top of this file; over the face."""
    faces = template.part("skin").faces
    faces = faces[(faces < FACE.stop).all(1)]
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]]]).sort(1).values.unique(dim=0)

    def length(points: Tensor) -> Tensor:
        return (points[edges[:, 0]] - points[edges[:, 1]]).norm(dim=1).clamp_min(1e-4)

    rest, mean = length(vertices), length(template.neutral)
    off = [
        (length(vertices + own) / rest).log() - (length(template.neutral + one) / mean).log()
        for one, own in zip(plain, moved, strict=True)
    ]
    return float(torch.stack(off).square().mean().sqrt())


def drawn(template: Template, posed: Tensor, azimuth: float, size: int = 200) -> np.ndarray:
    """[S, S, 3] uint8, the face in grey: skin, white teeth, dark gums."""
    faces = template.faces
    camera = Camera(orbit(torch.tensor([azimuth]), torch.tensor([2.0]), 1.0, (0.0, -0.005, 0.05)), math.radians(11.5))
    clip = clip_positions(posed, camera)
    fragments = make_rasterizer("cpu").fragments(clip, faces, (size, size))
    tone = torch.cat(
        [
            torch.full((part.vertices.stop - part.vertices.start,), COLOURS.get(part.name, 0.8))
            for part in template.parts
        ]
    )
    for side, name in enumerate(("eye_left", "eye_right")):
        own, eye = template.part(name).vertices, eye_of(template, posed, side)
        around = torch.nn.functional.normalize(posed[own] - eye.centre, dim=1) @ eye.axis
        tone[own] = torch.where(around > math.cos(math.radians(28)), 0.15, 0.9)
    normal = interpolate(vertex_normals(posed, faces), fragments, faces)
    light = torch.nn.functional.normalize(torch.tensor([0.4, 0.5, 0.8]), dim=0)
    shade = 0.25 + 0.75 * (normal @ light).clamp_min(0)[..., None]
    image = torch.where(fragments.covered[..., None], interpolate(tone[:, None], fragments, faces) * shade, 1.0)
    return (255 * image[0].clamp(0, 1).sqrt()).byte().expand(-1, -1, 3).numpy()


def sheet(
    template: Template, vertices: Tensor, ways: Sequence[Tensor], names: Sequence[str], azimuth: float
) -> Image.Image:
    """Both ways beside each other for each expression, five expressions in a row."""
    tiles = [
        np.concatenate([drawn(template, vertices + way[n], azimuth) for way in ways], 1) for n in range(len(names))
    ]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % 5)
    rows = [np.concatenate(tiles[start : start + 5], 1) for start in range(0, len(tiles), 5)]
    return Image.fromarray(np.concatenate(rows))


def main(argv: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", type=Path, default=EMBEDDED / TEMPLATE_FILE)
    parser.add_argument("--personal", type=Path, default=EMBEDDED / PERSONAL_FILE)
    parser.add_argument("--pictures", type=Path, help="a folder for pictures")
    parser.add_argument("--heads", nargs="*", default=list(HEADS), choices=[MEAN, *HEADS])
    asked = parser.parse_args(argv)
    template = load_template(asked.template)
    own, found = replace(template, personal=load_personal(asked.personal, template)), {}
    weights, mouth = weights_of(own, EXPRESSIONS), mouth_of(template)
    plain = template.displacement(weights)
    usual = Usual(template, plain, mouth, shut_lips(template, plain, mouth.zone))
    for name in asked.heads:
        vertices, ways, seconds = head(template, name), [], []
        for one in (template, own):
            begun = time.monotonic()
            ways.append(displacements(one, vertices, weights))
            seconds.append(round(time.monotonic() - begun, 2))
        rows = [measured(usual, vertices, way) for way in ways]
        found[name] = {
            kind: row | {"seconds": took}
            for kind, row, took in zip(("generic", "personal"), rows, seconds, strict=True)
        }
        if asked.pictures:
            asked.pictures.mkdir(parents=True, exist_ok=True)
            sheet(template, vertices, ways, EXPRESSIONS, 15.0).save(asked.pictures / f"{name}.png")
    print(json.dumps(found | machine(torch.device("cpu")), indent=1))
    return 0


if __name__ == "__main__":
    run_command(main)
