"""How near the finished shapes of held-out synthetic people are to the truth, and whether two photos agree.

For each person it draws lit portraits, gives them to the pipeline's fit and shape stages as photos, and measures: the
mean distance of the true face's surface to the average head, to the fitted and to the finished one; the guidance's
denoising error of start and finish over held-out noise and views; and whether the person's second set of portraits
gives the nearest of all finished heads. Prints JSON.

    python -m benchmarks.held_out_people --ict ict_facekit.npz --people 20 --sets 2

With --picture it also draws one row a person: the true normal map, then each set's first photo and finished shape.
"""

import argparse
import json
import multiprocessing
import platform
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.spatial import cKDTree

from idto3d.bundle.find import find_bundle
from idto3d.bundle.resolved import resolved
from idto3d.checks import checked
from idto3d.config import EMBEDDED, MATTE_FILE, HeadOptions
from idto3d.events import exhausted
from idto3d.fields.template_shape import TemplateShape
from idto3d.geometry.mesh import vertex_normals
from idto3d.head.features.assemble import head_of
from idto3d.head.parts import Head
from idto3d.head.start import start_of
from idto3d.head.template import FACE
from idto3d.head.template_model import Template
from idto3d.options import with_option
from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import standard_cameras
from idto3d.render.draw import draw_normals
from idto3d.stages.carriers import rasterizer_of
from idto3d.stages.fit import fit_head
from idto3d.stages.models import load_encoder, load_models, make_wish
from idto3d.stages.shape import grow_shape, shape_picture
from idto3d.stages.wish import Views, as_pictures, terms
from idto3d.subject.matte import load_matte
from idto3d.subject.subject import read_subject, with_masks
from idto3d.training.people import synthetic
from idto3d.training.people.ict import read_ict
from idto3d.training.people.person import draw_coefficients, draw_person

FIRST_SEED = 5_000_000  # far from any training seed
AVERAGED = 500  # people of whom the average head is the mean
PICTURE = 192  # side of one picture of --picture, pixels
CPU = torch.device("cpu")


class NoCheckpoints:
    """A run that is not saved."""

    def due(self) -> bool:
        return False

    def save(self, stage, step, tensors) -> None:
        pass

    def latest(self, stage) -> None:
        return None


def portraits(studio, seed: int, count: int, which: int, folder: Path, encoder) -> list[Path]:
    """`count` photos of a person as files, neutral to mildly expressive, each showing the encoder a face."""
    person, random = draw_person(seed, studio.model.words), np.random.default_rng([seed, 10 + which])
    paths: list[Path] = []
    while len(paths) < count:
        index, strength = synthetic.draw_expression(random)
        weights = studio.model.weights(synthetic.EXPRESSIONS[index], strength * random.uniform(0.2, 0.6))
        image = synthetic.portrait(synthetic.sculpt(studio, person, weights), random, 320)
        if encoder.embed(image):
            paths.append(folder / f"{seed}-{which}-{len(paths)}.png")
            Image.fromarray(image).save(paths[-1])
    return paths


def face_distance(truth: np.ndarray, head: Head) -> float:
    """Mean distance in millimetres of the true face's vertices [V, 3] to the surface of the neutral expression."""
    vertices, faces = neutral(head)
    normals = vertex_normals(vertices, faces).numpy()
    points = vertices.numpy()
    _, nearest = cKDTree(points).query(truth)
    return float(1000 * np.abs(((truth - points[nearest]) * normals[nearest]).sum(1)).mean())


def neutral(head: Head) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices [V, 3] metres and faces [F, 3] of all parts at rest."""
    joined = head.joined()
    return joined.positions[head.expressions.index("neutral")], joined.faces


def true_face(model, coefficients: np.ndarray) -> np.ndarray:
    """[V, 3] vertices of the face in front of the ears, without the scalp."""
    vertices = model.vertices(coefficients, np.zeros(len(model.expression_names), np.float32))[FACE]
    average = model.neutral[FACE]
    return vertices[(average[:, 2] > 0.04) & (average[:, 1] > -0.08) & (average[:, 1] < 0.075)]


def denoising_error(wish, head: Head, rasterizer, seed: int = 99) -> float:
    """Mean error of the geometry guidance on normal maps of all expressions in eight views, held-out noise."""
    generator, guidance = torch.Generator().manual_seed(seed), wish.guidances[0][0]
    errors, joined = [], head.joined()
    for azimuth in (0.0, 30.0, -30.0, 60.0, -60.0, 100.0, 180.0, -100.0):
        for place in range(len(head.expressions)):
            camera = standard_cameras(torch.tensor([azimuth]), 3.0)
            views = Views(camera, (azimuth,), (3.0,), (place,))
            image, _ = draw_normals(joined.positions[[place]], joined.faces, camera, rasterizer, 128)
            conditions = terms(wish, "geometry", views)[0].conditions
            noise = torch.randn(guidance.latent_shape(1), generator=generator)
            timestep = torch.randint(50, 500, (1,), generator=generator)
            errors.append(guidance.denoising_error("geometry", as_pictures(image), conditions, timestep, noise).item())
    return float(np.mean(errors))


def skin_alone(head: Head) -> Head:
    """The skin of a head of parts at rest, which is what is measured."""
    return Head(head.expressions[:1], (head.first(1).parts[0],))


def template_head(template: Template, coefficients: torch.Tensor) -> Head:
    """The skin of a template head of these coefficients [K]."""
    return skin_alone(head_of(template, template.shape(coefficients), ("neutral",)))


def average_coefficients(model) -> torch.Tensor:
    """[K] coefficients of the average head: the mean of people."""
    return torch.from_numpy(draw_coefficients(AVERAGED, model.words, FIRST_SEED - AVERAGED).mean(0))


def one_head(studio, seed: int, which: int, options: HeadOptions, models, encoder, folder: Path, count: int) -> dict:
    """All measurements of one set of photos."""
    photos = portraits(studio, seed, count, which, folder, encoder)
    matte = load_matte(EMBEDDED / MATTE_FILE)
    subject = with_masks(exhausted(read_subject(photos, options.subject, encoder)), matte)
    start = start_of(subject, options, models.prior)
    wish = make_wish(start, options, models)
    fitted = exhausted(fit_head(subject, start, models, options))
    rasterizer, random = rasterizer_of(fitted, models.device), torch.Generator().manual_seed(options.seed)
    begun, carrier = time.monotonic(), TemplateShape(fitted.rest, 1, options.shape, rasterizer, random)
    before = carrier.finished().first(1)
    shape = exhausted(grow_shape(wish, carrier, options, NoCheckpoints(), random)).first(1)
    seconds = time.monotonic() - begun
    face = true_face(studio.model, draw_person(seed, studio.model.words).coefficients)
    average = template_head(models.template, average_coefficients(studio.model))
    return {
        "seed": seed,
        "set": which,
        "average_mm": face_distance(face, average),
        "start_mm": face_distance(face, skin_alone(before)),
        "finished_mm": face_distance(face, skin_alone(shape)),
        "error_start": denoising_error(wish, before, rasterizer),
        "error_finished": denoising_error(wish, shape, rasterizer),
        "seconds": seconds,
        "z": carrier.coefficients().tolist(),
        "face": skin_alone(shape),
        "photo": np.asarray(Image.open(photos[0]).resize((PICTURE, PICTURE))),
    }


def heads_of_person(asked, seed: int) -> list[dict]:
    """Measurements of every set of one person's photos."""
    torch.set_num_threads(max(1, torch.get_num_threads() // asked.processes))
    options = replace(HeadOptions(), expressions=("neutral",), weights=asked.weights)
    for assignment in asked.set:
        options = with_option(options, *assignment.split("=", 1))
    weights = exhausted(find_bundle(checked(options).weights))
    encoder = load_encoder(weights, options.subject.encoder)
    models, rows = exhausted(load_models(options, encoder, weights)), []
    options = resolved(options, weights.info)
    studio = synthetic.open_studio(read_ict(asked.ict))
    with tempfile.TemporaryDirectory() as folder:
        for which in range(asked.sets):
            row = one_head(studio, seed, which, options, models, encoder, Path(folder), asked.photos)
            print({k: round(v, 4) for k, v in row.items() if isinstance(v, float)}, flush=True)
            rows.append(row)
    return rows


def face_points(head: Head, model) -> np.ndarray:
    """The finished surface read at the average face's vertices, for comparing heads: [V, 3]."""
    grid = true_face(model, np.zeros(len(model.identity), np.float32))
    points = neutral(head)[0].numpy()
    return points[cKDTree(points).query(grid)[1]]


def identity_rate(rows: list[dict], model) -> float:
    """Share of heads whose nearest other head (mean distance of face surfaces) is of the same person."""
    faces = [face_points(row["face"], model) for row in rows]
    hits = 0
    for i, row in enumerate(rows):
        gaps = [np.linalg.norm(faces[i] - other, axis=1).mean() if j != i else np.inf for j, other in enumerate(faces)]
        hits += rows[int(np.argmin(gaps))]["seed"] == row["seed"]
    return hits / len(rows)


def people_picture(rows: list[dict], studio) -> np.ndarray:
    """[P * S, W, 3] uint8: a row a person: true normals, then each set's first photo and finished shape."""
    strips: dict[int, list[np.ndarray]] = {}
    for row in rows:
        finished = shape_picture(row["face"].joined(), make_rasterizer(CPU), PICTURE)
        start = [] if row["seed"] in strips else [true_normals(studio, row["seed"])]
        strips.setdefault(row["seed"], []).extend([*start, row["photo"], finished])
    return np.concatenate([np.concatenate(strip, 1) for strip in strips.values()])


def true_normals(studio, seed: int) -> np.ndarray:
    """The person's own front normal map [S, S, 3] uint8, at rest."""
    still = np.zeros(len(studio.model.expression_names), np.float32)
    sculpture = synthetic.sculpt(studio, draw_person(seed, studio.model.words), still)
    return synthetic.maps(sculpture, synthetic.camera(0.0, 0.0), PICTURE)[0]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ict", required=True)
    parser.add_argument("--weights", default="embedded")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--sets", type=int, default=2)
    parser.add_argument("--photos", type=int, default=1, help="photos in a set")
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--processes", type=int, default=1, help="people at a time")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--picture", type=Path, default=None)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.processes, multiprocessing.get_context("spawn")) as pool:
        heads_of_all = pool.map(partial(heads_of_person, asked), range(asked.first, asked.first + asked.people))
        rows = [row for heads in heads_of_all for row in heads]
    keys = ("average_mm", "start_mm", "finished_mm", "error_start", "error_finished", "seconds")
    summary = {key: float(np.mean([row[key] for row in rows])) for key in keys}
    summary["nearer_than_average"] = float(np.mean([row["finished_mm"] < row["average_mm"] for row in rows]))
    summary["wanted_more"] = float(np.mean([row["error_finished"] < row["error_start"] for row in rows]))
    if asked.sets > 1:
        summary["same_person_nearest"] = identity_rate(rows, read_ict(asked.ict))
    summary |= {"people": asked.people, "photos": asked.photos, "machine": platform.processor() or platform.machine()}
    summary |= {"torch": torch.__version__, "options": asked.set}
    print(json.dumps(summary, indent=1))
    if asked.picture:
        Image.fromarray(people_picture(rows, synthetic.open_studio(read_ict(asked.ict)))).save(asked.picture)
    if asked.out:
        asked.out.write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
