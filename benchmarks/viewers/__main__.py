"""Compares how other programs show a finished head with how our own renderer does, as JSON.

    python -m benchmarks.viewers RUN_FOLDER [--three DIR] [--blender PROGRAM] [--pyrender-python PYTHON] [--out FOLDER]

three.js, under one directional light and unlit: `npm install --prefix DIR three`, then --three DIR/node_modules/three;
needs playwright and a Chromium, which draws on the processor. Blender, unlit: 3.4 or later with its importer of glTF.
pyrender, unlit, of the opaque parts, expressions baked: an interpreter that has it (0.1.45, numpy below 2). What is not
installed is reported as null. --out keeps the pictures: ours, theirs, and the differences times four.

Exit code 1 where a picture differs by more than 16 of 255 on more than 2 % of the pixels that either shows, or an
outline's intersection over union is below 0.985.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.viewers.baked import solid
from benchmarks.viewers.elsewhere import in_blender, in_pyrender
from benchmarks.viewers.in_three import in_three
from benchmarks.viewers.shots import SHOTS, Shot, Shown, ours
from idto3d.export.gltf.load import load_asset

NEAR, ALIKE, OUTLINE = 16, 0.98, 0.985  # levels; share of pixels within them; least intersection over union


def compared(own: Shown, other: Shown) -> dict[str, float]:
    """Share of pixels within NEAR, of those that either shows, and intersection over union of what both show."""
    either = np.maximum(own.cover, other.cover) > 0
    both, any_of_both = (join(own.cover > 0.5, other.cover > 0.5).sum() for join in (np.logical_and, np.logical_or))
    found = {"outline": float(both / max(any_of_both, 1)), "plain": _alike(own.plain, other.plain, either)}
    return found if other.lit is None else found | {"lit": _alike(own.lit, other.lit, either)}


def _alike(own: np.ndarray, other: np.ndarray, where: np.ndarray) -> float:
    return float((apart(own, other)[where] <= NEAR).mean()) if where.any() else 1.0


def apart(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """[S, S] int: the largest difference of the channels of two pictures [S, S, 3] uint8."""
    return np.abs(own.astype(int) - other.astype(int)).max(-1)


def faults(program: str, found: dict[str, dict[str, float]]) -> list[str]:
    """What is not alike, in words."""
    least = {"outline": OUTLINE, "plain": ALIKE, "lit": ALIKE}
    return [
        f"{program}: {shot}: {kind} {value:.4f}, not {least[kind]}"
        for shot, values in found.items()
        for kind, value in values.items()
        if value < least[kind]
    ]


def keep(folder: Path, program: str, shot: Shot, own: Shown, other: Shown) -> None:
    """A picture of ours, theirs, and the differences times four, lit where there is light."""
    kind = "plain" if other.lit is None else "lit"
    pair = getattr(own, kind), getattr(other, kind)
    off = 255 - np.clip(4 * apart(*pair), 0, 255).astype(np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    row = np.concatenate([*pair, np.repeat(off[..., None], 3, 2)], 1)
    Image.fromarray(row).save(folder / f"{program}_{shot.name}.png")


def report(program: str, answer: tuple | None, shots: Sequence[Shot], own: Sequence[Shown], out: Path | None) -> dict:
    """Version and comparison of one program, {} where it is not installed."""
    if answer is None:
        return {}
    version, seen = answer
    triples = list(zip(shots, own, seen, strict=True))
    for shot, mine, theirs in triples if out else ():
        keep(out, program, shot, mine, theirs)
    return {"version": version, "shots": {shot.name: compared(mine, theirs) for shot, mine, theirs in triples}}


def main(words: Sequence[str] | None = None) -> int:
    """Compare one head, print the findings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--three", type=Path, default=Path("node_modules/three"), help="the npm package's folder")
    parser.add_argument("--blender", default="blender", help="the program")
    parser.add_argument("--pyrender-python", default="", help="an interpreter that has pyrender")
    parser.add_argument("--out", type=Path, help="keep the pictures in this folder")
    asked = parser.parse_args(words)
    asset, glb = load_asset(asked.folder), asked.folder / "head.glb"
    whole, opaque = ([ours(one, shot) for shot in SHOTS] for one in (asset, solid(asset)))
    found = {
        "three": report("three", in_three(glb, SHOTS, asked.three), SHOTS, whole, asked.out),
        "blender": report("blender", in_blender(glb, SHOTS, asked.blender), SHOTS, whole, asked.out),
        "pyrender": report("pyrender", in_pyrender(asset, SHOTS, asked.pyrender_python), SHOTS, opaque, asked.out),
    }
    wrong = [text for program, one in found.items() for text in faults(program, one.get("shots", {}))]
    print(json.dumps({name: one or None for name, one in found.items()} | {"faults": wrong}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
