"""Makes many short heads and has each checked: by the Khronos validator, and for faults of their geometry. JSON.

    python -m benchmarks.validate_heads [--heads 30] [--keep FOLDER]

A third are of words, a third of a photo, a third of both; a photo is a picture of the head before. Seeds, expressions
and ways to write morph targets and transparency vary. Steps are few: the files are judged, not the likeness. The
validator: see check_glb. Exit code 1 where a head has a fault, or the validator is missing.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.asset_faults import faults
from benchmarks.check_glb import validated
from idto3d.bundle.find import find_bundle
from idto3d.config import ExportOptions, HeadOptions, MaterialOptions, RenderOptions, ShapeOptions
from idto3d.errors import UserError
from idto3d.events import exhausted
from idto3d.export.gltf.load import load_asset
from idto3d.export.images import write_png
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.pipeline import make, meet, render_view, write
from idto3d.stages.models import Models, load_models
from idto3d.words import expressions

PEOPLE = (
    "old man with a grey beard",
    "woman with long blonde hair",
    "baby",
    "bald man with dark skin",
    "woman with an afro and tan skin",
    "man with short green hair and a goatee",
    "woman with a ponytail",
    "child with curly red hair",
    "man with a buzzcut",
    "old woman with a white bob",
)
LIGHTS = ("studio_three_point", "window_left", "overcast_bright", "sunset_front")
SHORT = HeadOptions(
    shape=ShapeOptions(steps=1, views=1, image_size=64),
    material=MaterialOptions(steps=1, refine_steps=0, views=1, image_size=64),
    export=ExportOptions(texture_size=512, render_size=64),
)


def orders(count: int) -> Iterator[tuple[HeadOptions, bool]]:
    """Options of each head, and whether it has a photo."""
    for number in range(count):
        kind = number % 3  # words, a photo, both
        words = "" if kind == 1 else PEOPLE[number // 3 % len(PEOPLE)]
        names = (expressions.NAMES, expressions.NAMES[:1], expressions.NAMES[:3])[number // 3 % 3]
        export = replace(SHORT.export, morphs="dense" if number % 5 == 4 else "sparse")
        export = replace(export, alpha="blend" if number % 7 == 6 else "mask")
        yield replace(SHORT, seed=number, prompt=words, expressions=tuple(names), export=export), kind > 0


def made(options: HeadOptions, photos: list[Path], folder: Path, weights, models: Models) -> None:
    """One head in `folder`."""
    subject, _ = exhausted(meet(photos, options, weights))
    checkpoints = Checkpointer(folder / "checkpoints", options.checkpoint_seconds)
    finished, _ = exhausted(make(subject, models, options, checkpoints))
    exhausted(write(finished, folder))


def checked(folder: Path) -> list[str]:
    """What is wrong with the head in `folder`."""
    report = validated(folder / "head.glb")
    if report is None:
        return ["the validator is missing"]
    issues = report["issues"]
    bad = issues["numErrors"] or issues["numWarnings"]
    return ([f"validator: {issues['messages']}"] if bad else []) + faults(load_asset(folder))


def portrait(folder: Path, number: int, path: Path) -> Path:
    """A photo for the next head: this one from near the front, in one of LIGHTS."""
    turn = (number * 7) % 31 - 15.0
    view = RenderOptions(light=LIGHTS[number % len(LIGHTS)], azimuth_deg=turn, size=512)
    return write_png(path, render_view(folder, view))


def main(words: Sequence[str] | None = None) -> int:
    """Make and check them all, print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="keep the heads in this folder")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as scratch:
        found = all_checked(asked.heads, asked.keep or Path(scratch))
    print(json.dumps(found, indent=1))
    return 1 if any(one["faults"] for one in found) else 0


def all_checked(count: int, home: Path) -> list[dict]:
    """What was asked for and found of each head, made one after the other below `home`."""
    weights = exhausted(find_bundle(SHORT.weights))
    _, encoder = exhausted(meet([], SHORT, weights))
    models, found, photo = exhausted(load_models(SHORT, encoder, weights)), [], home / "photo.png"
    for number, (options, has_photo) in enumerate(orders(count)):
        folder = home / f"{number:02d}"
        wrong = attempted(options, [photo] if has_photo else [], folder, weights, models)
        found.append({"prompt": options.prompt, "photo": has_photo, "faults": wrong})
        print(number, found[-1], file=sys.stderr, flush=True)
        if (folder / "head.glb").is_file():
            portrait(folder, number, photo)
    return found


def attempted(options: HeadOptions, photos: list[Path], folder: Path, weights, models: Models) -> list[str]:
    """What is wrong with the head that was made in `folder`, or why there is none."""
    try:
        made(options, photos, folder, weights, models)
    except UserError as refusal:
        return [f"refused: {refusal.what}"]
    return checked(folder)


if __name__ == "__main__":
    sys.exit(main())
