"""Gate: many short heads of the embedded bundle, each checked by the Khronos validator and for faults of its geometry.

A third are of words, a third of a photo, a third of both; a photo is a picture of the head before. Seeds, expressions
and ways to write morph targets and transparency vary. Steps are few: the files are judged, not the likeness. A
picture in which no face is found makes no head; there may be a few, as some are pictures of pictures. Where the
validator is, see benchmarks/check_glb.py; without it the gate fails.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.asset_faults import faults
from benchmarks.check_glb import has_validator, validated
from benchmarks.gates.gate import Gate, Outcome, main_of
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
MOST_REFUSED = 0.2  # of the heads
LIGHTS = ("studio_three_point", "window_left", "overcast_bright", "sunset_front")
SHORT = HeadOptions(
    shape=ShapeOptions(steps=1, views=1, image_size=64),
    material=MaterialOptions(steps=1, refine_steps=0, views=1, image_size=64),
    export=ExportOptions(texture_size=512, render_size=64),
)


def orders(count: int, seed: int) -> Iterator[tuple[HeadOptions, bool]]:
    """Options of each head, and whether it has a photo."""
    for number in range(count):
        kind = number % 3  # words, a photo, both
        words = "" if kind == 1 else PEOPLE[number // 3 % len(PEOPLE)]
        names = (expressions.NAMES, expressions.NAMES[:1], expressions.NAMES[:3])[number // 3 % 3]
        export = replace(SHORT.export, morphs="dense" if number % 5 == 4 else "sparse")
        export = replace(export, alpha="blend" if number % 7 == 6 else "mask")
        yield replace(SHORT, seed=seed + number, prompt=words, expressions=tuple(names), export=export), kind > 0


def made(options: HeadOptions, photos: list[Path], folder: Path, weights, models: Models) -> None:
    """One head in `folder`."""
    subject, _ = exhausted(meet(photos, options, weights))
    checkpoints = Checkpointer(folder / "checkpoints", options.checkpoint_seconds)
    finished, _ = exhausted(make(subject, models, options, checkpoints))
    exhausted(write(finished, folder))


def checked(folder: Path) -> list[str]:
    """What is wrong with the head in `folder`."""
    issues = validated(folder / "head.glb")["issues"]
    bad = issues["numErrors"] or issues["numWarnings"]
    return ([f"validator: {issues['messages']}"] if bad else []) + faults(load_asset(folder))


def portrait(folder: Path, number: int, path: Path) -> Path:
    """A photo for the next head: this one from near the front, in one of LIGHTS."""
    turn = (number * 7) % 31 - 15.0
    view = RenderOptions(light=LIGHTS[number % len(LIGHTS)], azimuth_deg=turn, size=512)
    return write_png(path, render_view(folder, view))


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Make `count` heads below `folder`, the first with the seed `seed`, and say what is wrong with them."""
    if not has_validator():
        return Outcome(0, ("The Khronos validator is missing: see benchmarks/check_glb.py for how to install it.",))
    weights = exhausted(find_bundle(SHORT.weights))
    _, encoder = exhausted(meet([], SHORT, weights))
    models, photo = exhausted(load_models(SHORT, encoder, weights)), folder / "photo.png"
    wrong, refused = [], []
    for number, (options, has_photo) in enumerate(orders(count, seed)):
        home = folder / f"{number:02d}"
        photos = [photo] if has_photo and photo.is_file() else []
        title = f"head {number} ({options.prompt or 'no words'}{', a photo' if photos else ''})"
        try:
            made(options, photos, home, weights, models)
        except UserError as refusal:
            refused.append(f"{title}: refused: {refusal.what}")
            continue
        wrong += [f"{title}: {fault}" for fault in checked(home)]
        portrait(home, number, photo)
        shutil.rmtree(home)
    wrong += refused if len(refused) > MOST_REFUSED * count else []
    return Outcome(count, tuple(wrong), (("refused", float(len(refused))),))


GATE = Gate(
    name="heads",
    promise="Every head of the embedded bundle passes the Khronos validator without an error or warning, and no "
    "triangle of it is flipped, no texels are shared by accident, no closed eye shows its eyeball.",
    count=30,
    run=run,
)

if __name__ == "__main__":
    main_of(GATE)
