"""Portraits of synthetic people as a photo's readers see them: landmarks, expression and embedding beside the truth.

Unlike `people.synthetic.portrait` they are taken from near and far, with leaning heads and strong expressions, since
the statistics of landmarks must hold for photos as people take them.
"""

import logging
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np
import torch

from idto3d.render.backends.kernel import rasterize
from idto3d.subject.identity.portrait_encoder import PortraitEncoder
from idto3d.subject.landmarks import LandmarkReader, Landmarks
from idto3d.training.people import synthetic
from idto3d.training.people.ict import IctModel, read_ict
from idto3d.training.people.person import draw_person
from idto3d.words.expressions import EXPRESSIONS

SIZE = 384  # side of a portrait, pixels
AZIMUTH_DEG, ELEVATION_DEG, ROLL_DEG = 45.0, 18.0, 12.0  # largest, of the camera about the head
DISTANCES_M = (0.55, 2.2)
HALF_HEIGHT_M, CROPS = 0.125, (1.0, 1.5)  # of what a portrait shows at the head, and what it is multiplied by
MIDDLE, STRAY_M = np.array([0.0, -0.005, 0.04]), 0.008  # where portraits look, and how far beside that
NAMED, BLINKING, SMILING, STRAY_SHAPES = 0.75, 0.15, 0.3, 4  # chances of kinds of expressions; shapes added at random
OPENERS = ("mouthUpperUp_L", "mouthUpperUp_R", "mouthLowerDown_L", "mouthLowerDown_R")  # of a smile with teeth
NEAR_M, FAR_M = 0.2, 4.0
GROUP = 20  # people read between two reports of progress
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class View:
    """A camera: c2w [4, 4], OpenGL, and its focal length in pixels."""

    c2w: np.ndarray
    focal: float

    @property
    def fov_y_deg(self) -> float:
        return float(2 * np.degrees(np.arctan(SIZE / 2 / self.focal)))


@dataclass(frozen=True, eq=False)
class Readings:
    """n portraits in which a face was found, [n, ...] each.

    seed; true identity coefficients [K] and expression weights [E]; c2w [4, 4] and focal, pixels, of the camera;
    landmarks [478, 3] and expression [51] as read, embedding [D]; where the bare head is behind each landmark: the
    triangle `hit` [478] of the model, -1 for none, and the place on it `place` [478, 3].
    """

    seed: np.ndarray
    coefficients: np.ndarray
    weights: np.ndarray
    c2w: np.ndarray
    focal: np.ndarray
    landmarks: np.ndarray
    expression: np.ndarray
    embedding: np.ndarray
    hit: np.ndarray
    place: np.ndarray


@dataclass(frozen=True, eq=False)
class Readers:
    """What reads portraits, and the studio they are drawn in."""

    studio: synthetic.Studio
    encoder: PortraitEncoder
    landmarks: LandmarkReader


def open_readers(ict: Path, identity: Path, landmarks: Path) -> Readers:
    """From the files of the morphable model and of a bundle's networks. Raises UserError."""
    return Readers(synthetic.open_studio(read_ict(ict)), PortraitEncoder(identity), LandmarkReader(landmarks))


def read_people(readers: Readers, seeds: Sequence[int], portraits: int) -> Iterator[dict]:
    """Fields of Readings for each portrait that shows the encoder a face, `portraits` tries a person."""
    model = readers.studio.model
    for seed in seeds:
        person = draw_person(seed, model.words)
        dressed = synthetic.dress(readers.studio, person)
        for number in range(portraits):
            random = np.random.default_rng([seed, 31, number])
            weights, view = draw_weights(model, random), draw_view(random)
            sculpture = synthetic.sculpt(readers.studio, person, weights, dressed)
            pixels = synthetic.taken(*synthetic.look_at(sculpture, view.c2w, SIZE, view.fov_y_deg), random)
            if faces := readers.encoder.embed(pixels):
                found = readers.landmarks.read(pixels, faces[0])
                truth = {"seed": seed, "coefficients": person.coefficients, "weights": weights}
                yield {**truth, **_seen(found, view), **_behind(model, sculpture.vertices, view, found.points)} | {
                    "embedding": faces[0].embedding
                }


def _seen(found: Landmarks, view: View) -> dict:
    return {"c2w": view.c2w, "focal": view.focal, "landmarks": found.points, "expression": found.expression}


def _behind(model: IctModel, vertices: np.ndarray, view: View, points: np.ndarray) -> dict:
    """Where the bare head lies behind the pixel of each of `points` [478, 3]."""
    seen = (vertices - view.c2w[:3, 3]) @ view.c2w[:3, :3]
    scale, depth = 2 * view.focal / SIZE, (-seen[:, 2] * (FAR_M + NEAR_M) - 2 * FAR_M * NEAR_M) / (FAR_M - NEAR_M)
    clip = np.stack([seen[:, 0] * scale, seen[:, 1] * scale, depth, -seen[:, 2]], 1).astype(np.float32)
    face, place, _ = rasterize(clip, model.faces, SIZE, SIZE)
    column, row = points[:, :2].astype(int).clip(0, SIZE - 1).T
    return {"hit": face[row, column], "place": place[row, column]}


def stacked(rows: Sequence[dict]) -> Readings:
    """Readings of the rows of `read_people`."""
    return Readings(**{field.name: np.array([row[field.name] for row in rows]) for field in fields(Readings)})


def draw_view(random: np.random.Generator) -> View:
    """A camera before a face: near or far, from the side, from above or below, leaning, not quite in the middle."""
    azimuth = random.uniform(-AZIMUTH_DEG, AZIMUTH_DEG)
    c2w = synthetic.camera(azimuth, random.uniform(-ELEVATION_DEG, ELEVATION_DEG))
    lean = np.radians(random.uniform(-ROLL_DEG, ROLL_DEG))
    c2w[:3, :2] = c2w[:3, :2] @ [[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]]
    distance = np.exp(random.uniform(*np.log(DISTANCES_M)))
    c2w[:3, 3] = MIDDLE + STRAY_M * random.normal(size=3) + distance * c2w[:3, 2]
    return View(c2w, SIZE / 2 * distance / (HALF_HEIGHT_M * random.uniform(*CROPS)))


def draw_weights(model: IctModel, random: np.random.Generator) -> np.ndarray:
    """[57] an expression such as photos show: a named one at some strength, a blink, a smile, and some of anything."""
    number = {name: place for place, name in enumerate(model.expression_names)}
    weights = np.zeros(len(number))
    if random.uniform() < NAMED:
        weights += model.weights(EXPRESSIONS[random.integers(len(EXPRESSIONS))], random.uniform(0.2, 1.05))
    for place in random.choice(len(number), STRAY_SHAPES, replace=False):
        weights[place] += random.uniform(0, 0.5) ** 1.5
    if random.uniform() < BLINKING:
        weights[[number["eyeBlink_L"], number["eyeBlink_R"]]] = random.uniform()
    if random.uniform() < SMILING:
        smile, teeth = random.uniform(0.1, 0.8), random.uniform(0, 0.6)
        weights[[number["mouthSmile_L"], number["mouthSmile_R"]]] += smile
        weights[[number[name] for name in OPENERS]] += smile * teeth
    return weights.clip(0, 1).astype(np.float32)


def read_many(sources: Sequence[Path], first: int, people: int, portraits: int, workers: int, keep: Path) -> Readings:
    """Readings of `people` from consecutive seeds; groups of them are kept in the folder `keep` and taken up again.

    sources: the morphable model, identity.safetensors and landmarks.safetensors.
    """
    keep.mkdir(parents=True, exist_ok=True)
    groups = [range(start, min(start + GROUP, first + people)) for start in range(first, first + people, GROUP)]
    read = partial(_read_group, sources, portraits, keep)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        files = []
        for path in pool.map(read, groups):
            files.append(path)
            log.info("portraits of %d of %d people are read", min(GROUP * len(files), people), people)
    parts = [np.load(path, allow_pickle=False) for path in files]
    return Readings(**{field.name: np.concatenate([part[field.name] for part in parts]) for field in fields(Readings)})


def _read_group(sources: Sequence[Path], portraits: int, keep: Path, seeds: range) -> Path:
    path = keep / f"{seeds.start}-{seeds.stop}-{portraits}.npz"
    if not path.exists():
        torch.set_num_threads(1)
        rows = list(read_people(open_readers(*sources), seeds, portraits))
        unfinished = path.with_suffix(".part.npz")
        np.savez_compressed(
            unfinished, **{field.name: getattr(stacked(rows), field.name) for field in fields(Readings)}
        )
        unfinished.replace(path)
    return path
