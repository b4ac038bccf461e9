"""`python -m idto3d scans FOLDER --out DATASET`: turn scans of people into a dataset that `train` reads.

The dataset has the format that `synthesize` writes, see shards.py, drawn by the same cameras. What scans lack stays
out: no ICT-FaceKit coefficients, so the head prior, which needs them, is never fitted to scans. Colours are the
scan's own, which are albedo only as far as the scanner's light was even. Same scans, same options: same bytes.
"""

import argparse
import json
import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from idto3d.errors import UserError, run_command
from idto3d.subject.face import IdentityEncoder
from idto3d.subject.images import shown_name
from idto3d.training.arguments import add_encoder, add_out, add_seed, add_workers, count
from idto3d.training.data.embedding import embed_portraits, is_embedded, title
from idto3d.training.data.shards import run_all, save_arrays, save_words, shard_path
from idto3d.training.people import synthetic
from idto3d.training.scans.files import LAYOUTS, MESHES, Scan, ScannedPerson, find_people
from idto3d.training.scans.mesh import ScanMesh, read_mesh
from idto3d.training.scans.pose import AXES, Pose, axes, find_pose
from idto3d.training.scans.surfaces import MeshLimits
from idto3d.training.scans.table import Attributes, read_attributes, read_neutrals
from idto3d.words.captions import described

NPHM_SCALE = 0.25  # metres per unit: NPHM keeps its meshes in FLAME's space (metres, +Y up, face to +Z) times four
NPHM_LICENCE = "trained on NPHM scans: research only, under their terms of use; not for redistribution"
OTHER_LICENCE = "trained on scans, under the terms of their owners"
GREY_ALBEDO = 0.5  # linear albedo of a scan without colours
LEAST_COVER = 0.02  # of the front view


@dataclass(frozen=True)
class ScanOptions:
    """What to draw, and how much of it. Sizes in pixels; `scale` in metres per unit, None to take it from the eyes."""

    out: Path
    up: str = "y"
    face: str = "z"
    scale: float | None = None
    grey: bool = False
    views: int = 8
    portraits: int = 4
    size: int = 128
    portrait_size: int = 256
    per_shard: int = 5
    seed: int = 0
    encoder: str = "dlib"
    identity: Path | None = None
    licence: str = OTHER_LICENCE
    limits: MeshLimits = MeshLimits()


@dataclass(frozen=True)
class ShardJob:
    """The people of one shard; `first` is the number of the first among all."""

    options: ScanOptions
    shard: int
    first: int
    people: tuple[ScannedPerson, ...]


def main(argv: list[str]) -> int:
    """The command: find the scans, draw the shards, then embed their portraits."""
    values = _parser().parse_args(argv)
    options, people, notices = _plan(values)
    print(f"{len(people)} people with {sum(len(person.scans) for person in people)} scans. {options.licence}.")
    print("\n".join(notices), end="\n" if notices else "")
    write_dataset(people, options, values.workers)
    return 0


def write_dataset(people: tuple[ScannedPerson, ...], options: ScanOptions, workers: int) -> None:
    """Draw and embed all shards that are not there yet. Raises UserError when no scan could be used."""
    options.out.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(people), options.per_shard)
    jobs = [ShardJob(options, i, first, people[first : first + options.per_shard]) for i, first in enumerate(starts)]
    new = [job for job in jobs if not _file(job, "json").exists()]
    notices = [line for lines in run_all(draw_shard, new, workers, "drawing") for line in lines]
    print("\n".join(notices), end="\n" if notices else "")
    drawn = [job for job in jobs if _file(job, "safetensors").exists()]
    if not drawn:
        raise UserError("No scan could be used.", "Read above what each of them lacks.")
    encoder = title(options.encoder, options.identity)
    due = [job for job in drawn if not is_embedded(options.out, job.shard, encoder)]
    run_all(embed_shard, due, workers, "embedding")


def draw_shard(job: ShardJob) -> list[str]:
    """Draw one shard's people and save it; of a shard of nobody nothing is written. Returns what was left out."""
    from idto3d.subject.encoders import make_encoder

    logging.getLogger("trimesh").setLevel(logging.CRITICAL)  # what it cannot read is said in our words
    encoder = make_encoder(job.options.encoder, job.options.identity)
    results = [draw_person(person, number, job.options, encoder) for number, person in enumerate(job.people, job.first)]
    notices = [line for _, _, lines in results for line in lines]
    drawn = [(arrays, words) for arrays, words, _ in results if arrays]
    if drawn:
        arrays = {key: np.concatenate([arrays[key] for arrays, _ in drawn]) for key in drawn[0][0]}
        save_arrays(_file(job, "safetensors"), arrays)
        words = {"people": [words for _, words in drawn], "size": job.options.size, "licence": job.options.licence}
        save_words(_file(job, "json"), json.dumps(words | {"left_out": notices}, indent=1))
    return notices


def embed_shard(job: ShardJob) -> None:
    """Embed a shard's portraits."""
    options = job.options
    embed_portraits(options.out, job.shard, options.portraits, options.encoder, options.identity)


def draw_person(
    person: ScannedPerson, number: int, options: ScanOptions, encoder: IdentityEncoder
) -> tuple[dict, dict, list[str]]:
    """One person's arrays (leading axis: views or portraits), words, and sentences about scans left out.

    The arrays are empty when no scan of theirs can be used. One mesh is held at a time.
    """
    views, portraits, notices, mesh = [], [], [], None
    due = np.cumsum([len(part) for part in np.array_split(np.arange(options.portraits), len(person.scans))])
    for scan, mesh in _opened(person, options, encoder, notices):
        random = np.random.default_rng([options.seed, zlib.crc32(scan.name.encode())])
        views += [_draw_view(mesh, scan.expression, random, options.size, person.look) for _ in range(options.views)]
        portraits += _portraits(mesh, random, due[person.scans.index(scan)] - len(portraits), options)
    if mesh is None:
        return {}, {}, notices
    random = np.random.default_rng([options.seed, zlib.crc32(person.name.encode()), 1])
    portraits += _portraits(mesh, random, options.portraits - len(portraits), options)
    arrays = {key: np.stack([view[key] for view, _ in views]) for key in views[0][0]}
    arrays |= {"portraits": np.stack(portraits), "person": np.full(len(views), number, np.int64)}
    words = {"name": person.name, "subject": described(person.look), "look": person.look}
    return arrays, words | {"captions": [text for _, text in views]}, notices


def _portraits(mesh: ScanMesh, random: np.random.Generator, count: int, options: ScanOptions) -> list[np.ndarray]:
    return [synthetic.portrait(mesh, random, options.portrait_size) for _ in range(count)]


def _opened(
    person: ScannedPerson, options: ScanOptions, encoder: IdentityEncoder, notices: list[str]
) -> Iterator[tuple[Scan, ScanMesh]]:
    """The person's usable scans in our space, one at a time; a sentence about every other goes to `notices`."""
    pose = None
    for scan in person.scans:
        try:
            mesh = _coloured(read_mesh(scan.path, options.limits), scan, options)
            own_pose = find_pose(mesh, axes(options.up, options.face), options.scale, encoder, pose)
            mesh = _visible(_placed(mesh, own_pose), scan).for_pixels(2 * options.size)
        except UserError as error:
            notices.append(f"{scan.name} is left out. {error}")
            continue
        pose = pose if pose is not None and pose.seen else own_pose
        yield scan, mesh


def _coloured(mesh: ScanMesh, scan: Scan, options: ScanOptions) -> ScanMesh:
    if mesh.coloured:
        return mesh
    if not options.grey:
        what = f"'{scan.path.name}' has no colours."
        if mesh.missing:
            what = f"'{scan.path.name}' takes its colours from {_shown(mesh.missing)}, which is not in its folder."
        raise UserError(what, "Put the texture beside it, or draw it grey with --grey.")
    plain = np.full_like(mesh.albedo, GREY_ALBEDO)
    return replace(mesh, albedo=plain, textures=(), texture_of=np.full_like(mesh.texture_of, -1), missing=())


def _shown(names: tuple[str, ...]) -> str:
    """The first of `names` of files, which a scan may spell as it likes, for a sentence."""
    return f"'{shown_name(names[0])}'" + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _placed(mesh: ScanMesh, pose: Pose) -> ScanMesh:
    vertices = pose.place(mesh.vertices).astype(np.float32)
    return replace(mesh, vertices=vertices, normals=(mesh.normals @ pose.rotation.T).astype(np.float32))


def _visible(mesh: ScanMesh, scan: Scan) -> ScanMesh:
    """The mesh, where it fills enough of the front view. Raises UserError."""
    _, _, mask = synthetic.look_at(mesh, synthetic.camera(0.0, 0.0), 64)
    if mask.mean() < LEAST_COVER:
        tall = np.ptp(mesh.vertices[:, 1])
        what = f"'{scan.path.name}' is {tall:.2g} metres tall and hardly seen from the front."
        raise UserError(what, "Give other --up, --face or --scale.")
    return mesh


def _draw_view(mesh: ScanMesh, expression: int, random, size: int, look: dict) -> tuple[dict, tuple[str, str]]:
    azimuth, elevation = synthetic.draw_view(random)
    normal, albedo, mask = synthetic.maps(mesh, synthetic.camera(azimuth, elevation), size)
    numbers = {"expression": np.int64(expression), "strength": np.float32(1.0)}
    numbers |= {"azimuth_deg": np.float32(azimuth), "elevation_deg": np.float32(elevation)}
    captions = synthetic.captions(described(look), azimuth)
    return {"normal": normal, "albedo": albedo, "mask": mask, **numbers}, captions


def _file(job: ShardJob, suffix: str) -> Path:
    return shard_path(job.options.out, job.shard, suffix)


def _plan(values: argparse.Namespace) -> tuple[ScanOptions, tuple[ScannedPerson, ...], list[str]]:
    """The options, the people asked for, and what is left out. Raises UserError before anything is drawn."""
    nphm = values.layout == "nphm"
    table = read_attributes(values.attributes)
    neutrals = read_neutrals(values.neutrals)
    attributes = Attributes(table.looks, neutrals | table.shows, table.files)
    people, notices = find_people(values.folder, values.layout, values.mesh, attributes)
    wanted = people[max(values.first, 0) :][: values.people]
    if not wanted:
        raise UserError(f"There are only {len(people)} people, none after the first {values.first}.", "Lower --first.")
    unsaid = sum(not person.look for person in wanted)
    if unsaid:
        notices.append(f"{unsaid} people have no words in a table of attributes; captions call each 'person'.")
    axes(values.up, values.face)
    options = ScanOptions(
        **{name: getattr(values, name) for name in ("out", "up", "face", "grey", "views", "portraits", "size", "seed")},
        scale=(NPHM_SCALE if nphm else None) if values.scale is None else values.scale or None,
        encoder=values.encoder,
        identity=values.identity,
        licence=values.licence or (NPHM_LICENCE if nphm else OTHER_LICENCE),
    )
    return options, wanted, notices


def _scale(text: str) -> float:
    """A number above zero, or 0 for `auto`."""
    value = 0.0 if text == "auto" else float(text)
    if value < 0 or (value == 0 and text != "auto"):
        raise argparse.ArgumentTypeError("give a number above zero, or auto")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="idto3d scans", description="Turn scans of people into a dataset.")
    parser.add_argument("folder", type=Path, help="folder of the scans")
    add_out(parser, "folder of the dataset")
    parser.add_argument("--layout", choices=LAYOUTS, default="meshes", help="how the folder is arranged")
    parser.add_argument("--mesh", choices=MESHES, default="scan", help="which NPHM mesh; only scans have colours")
    parser.add_argument("--attributes", type=Path, help="CSV of words about subjects, and of what scans show")
    parser.add_argument("--neutrals", type=Path, help="neutrals_closed.json of NPHM's repository")
    parser.add_argument("--up", choices=AXES, default="y", help="axis above the head; write --up=-y for a minus")
    parser.add_argument("--face", choices=AXES, default="z", help="axis the face looks along")
    parser.add_argument("--scale", type=_scale, help="metres per unit, or auto (nphm: 0.25, meshes: auto)")
    parser.add_argument("--grey", action="store_true", help="draw scans without colours in grey, not leave them out")
    parser.add_argument("--views", type=count, default=8, help="normal and albedo maps per scan")
    parser.add_argument("--portraits", type=count, default=4, help="lit portraits per person")
    parser.add_argument("--size", type=count, default=128, help="side of the maps, pixels")
    parser.add_argument("--first", type=int, default=0, help="people to pass over, e.g. those that another set holds")
    parser.add_argument("--people", type=count, help="most people")
    add_seed(parser)
    add_encoder(parser)
    parser.add_argument("--licence", default="", help="the scans' terms in words; a bundle trained on them repeats it")
    add_workers(parser)
    return parser


if __name__ == "__main__":
    run_command(main)
