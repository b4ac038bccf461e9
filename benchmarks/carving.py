"""What carving gives a head's surface: detail between 1 and 5 mm, and how far its broad shape moves for it.

    python -m benchmarks.carving [--prompt TEXT] [--photo FILE] [--pictures DIR] [--set NAME=VALUE ...]

The fit stage makes a head of words or of a photo, and the carving stage carves it (`--set carving.steps=300`). Prints
JSON: mean square of the normal map's slopes on the face between wavelengths of 1 and 5 mm, and its share of all, before
and after; how far the face moves, in mm, at most and once more of what is averaged over 10 mm; seconds a step. With
--pictures the head is drawn as clay and in its colours under a lamp from the side, before and after.
"""

import argparse
import json
import time
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.spatial import cKDTree

from benchmarks.likeness import tell
from benchmarks.machine import machine
from idto3d.bundle.find import find_bundle
from idto3d.bundle.resolved import resolved
from idto3d.checks import checked
from idto3d.config import HeadOptions, preset
from idto3d.errors import run_command
from idto3d.events import StepDone, exhausted
from idto3d.evidence.skin import SkinMap
from idto3d.head.parts import Head
from idto3d.head.start import start_of
from idto3d.options import with_option
from idto3d.pipeline import meet
from idto3d.render.draw import draw_surface, to_uint8
from idto3d.render.dressed import read_dressed
from idto3d.render.material import Material
from idto3d.stages.carriers import block_in, rasterizer_of
from idto3d.stages.carving.carve import carve, scene_of, with_skin
from idto3d.stages.carving.relief import bent_normals, slopes_of
from idto3d.stages.carving.views import face_cameras, under_lamp
from idto3d.stages.dressing import dressed_head
from idto3d.stages.fit import Fitted, fit_head
from idto3d.stages.models import load_models, make_wish

FINE_MM, COARSE_MM = 1.0, 5.0
BROAD_MM = 10.0
FACE_Z, PLAIN = 0.05, 0.5  # metres on the mean head, and the share from which skin is plain: what is measured
LAMP = (0.75, 0.35, 0.55)
CLOSE, SIZE = 1.7, 900


@dataclass(frozen=True)
class Detail:
    """Mean square of slopes between 1 and 5 mm on the face, and its share of the mean square of all."""

    energy: float
    share: float


def detail_of(normal: np.ndarray, skin: SkinMap) -> Detail:
    """The detail of a normal map [S, S, 3] uint8 on the plain skin of the face."""
    where = np.zeros(skin.texels.covered.shape, bool)
    where[skin.texels.covered] = measured(skin)
    waves = np.abs(np.fft.fft2(slopes_of(normal) * where[..., None], axes=(0, 1))) ** 2
    a_texel = np.fft.fftfreq(len(where), millimetres_a_texel(skin))
    a_millimetre = np.hypot(a_texel[:, None], a_texel)
    band = (a_millimetre >= 1 / COARSE_MM) & (a_millimetre <= 1 / FINE_MM)
    told, whole = (float(one.sum()) / (where.size * where.sum()) for one in (waves[band], waves))  # Parseval
    return Detail(told, told / max(whole, 1e-12))


def measured(skin: SkinMap) -> np.ndarray:
    """[N] bool, the texels of the plain skin of the face."""
    told = (skin.plain > PLAIN) & (skin.positions[:, 2] > FACE_Z)
    return skin.texels.read(told[:, None].astype(float))[:, 0] > PLAIN


def millimetres_a_texel(skin: SkinMap) -> float:
    """How wide a texel is on the face of a head of usual shape: the root of the mean area."""
    faces = (skin.positions[skin.faces][..., 2] > FACE_Z).all(1)
    corners, uvs = skin.positions[skin.faces[faces]], skin.uvs[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum()
    flat = np.abs(np.linalg.det(uvs[:, 1:] - uvs[:, :1])).sum() * len(skin.texels.covered) ** 2
    return 1000 * float(np.sqrt(area / flat))


def moved_mm(before: np.ndarray, after: np.ndarray, normals: np.ndarray, skin: SkinMap) -> tuple[float, float]:
    """How far the face's vertices [V, 3], metres, move along their normals: at most, and averaged over BROAD_MM."""
    along = 1000 * ((after - before) * normals).sum(1)
    face = np.flatnonzero(skin.positions[:, 2] > FACE_Z)
    tree = cKDTree(1000 * skin.positions[face])
    around = tree.query_ball_point(1000 * skin.positions[face], BROAD_MM / 2)
    broad = [along[face[one]].mean() for one in around]
    return float(np.abs(along[face]).max()), float(np.abs(broad).max())


@torch.no_grad()
def picture(head: Head, fitted: Fitted, normal: np.ndarray, clay: bool, azimuth_deg: float, lamp=LAMP) -> np.ndarray:
    """[S, S, 3] uint8 sRGB of a head, neutral, under a lamp from the side, with the relief of the map `normal`."""
    wear = dict(fitted.wear) | {"skin": replace(fitted.wear["skin"], normal=normal)}
    rasterizer, dressed = rasterizer_of(fitted, torch.device("cpu")), dressed_head(head, wear, torch.device("cpu"))
    scene = scene_of(head, head.expressions.index("neutral"), dressed, rasterizer)
    camera = face_cameras(torch.tensor([azimuth_deg]), CLOSE)
    surface = draw_surface(scene.positions, scene.faces, camera, rasterizer, 2 * SIZE, scene.normals)
    bent = bent_normals(surface, scene.tangents, torch.from_numpy(slopes_of(normal)))
    albedo, rough, _ = read_dressed(dressed, surface).split([3, 1, 1], -1)
    material = Material(albedo if not clay else torch.full_like(albedo, 0.45), rough, torch.zeros_like(rough))
    image = under_lamp(surface, bent, material, torch.nn.functional.normalize(torch.tensor(lamp), dim=0), 1.0)
    return to_uint8(torch.nn.functional.avg_pool2d(image.permute(0, 3, 1, 2), 2)[0].permute(1, 2, 0))


def write_pictures(folder: Path, fitted: Fitted, heads: dict[str, tuple[Head, np.ndarray]]) -> None:
    """before and after side by side, clay above and colours below, from two sides."""
    folder.mkdir(parents=True, exist_ok=True)
    for azimuth in (0.0, 35.0):
        rows = [
            np.concatenate([picture(*one[:1], fitted, one[1], clay, azimuth) for one in heads.values()], 1)
            for clay in (True, False)
        ]
        Image.fromarray(np.concatenate(rows)).save(folder / f"carved_{azimuth:.0f}.png")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompt", default="a middle-aged man", help="words about the person")
    parser.add_argument("--photo", type=Path, help="a photo of the person")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an option of the head")
    return parser


def fit_of(options: HeadOptions, photo: Path | None):
    """The fit of words or a photo, what the guidance is asked for, and the options with the weights' own values."""
    weights = exhausted(find_bundle(options.weights))
    subject, encoder = exhausted(meet([photo] if photo else [], options, weights))
    models = exhausted(load_models(options, encoder, weights))
    options = resolved(options, models.guidance.info)
    start = start_of(subject, options, models.prior)
    return exhausted(fit_head(subject, start, models, options)), make_wish(start, options, models), options


def carved(fitted: Fitted, wish, options: HeadOptions, checkpoints) -> tuple[Head, np.ndarray, float]:
    """The carved head, its normal map, and the seconds of a step."""
    device = fitted.rest.head.parts[0].vertices.device
    dressed, rasterizer = dressed_head(fitted.rest.head, fitted.wear, device), rasterizer_of(fitted, device)
    head = fitted.rest.head
    scene = scene_of(head, options.expressions.index("neutral"), dressed, rasterizer)
    stage, since = carve(wish, block_in(head, fitted, options), scene, options, checkpoints), time.monotonic()
    while True:
        try:
            if isinstance(event := next(stage), StepDone) and event.step % 10 == 0:
                tell(f"{event.step} of {event.steps}")
        except StopIteration as end:
            carver = end.value
            break
    seconds = (time.monotonic() - since) / options.carving.steps
    return with_skin(head, carver.finished()), carver.worn(fitted.wear["skin"].normal), seconds


def main(argv: list[str]) -> int:
    """The command."""
    asked = make_parser().parse_args(argv)
    start = replace(preset("draft"), prompt="" if asked.photo else asked.prompt)
    options = checked(reduce(lambda o, one: with_option(o, *one.split("=", 1)), asked.set, start))
    fitted, wish, options = fit_of(options, asked.photo)
    before, own = fitted.rest.head, fitted.wear["skin"].normal
    after, normal, seconds = carved(fitted, wish, options, _Nowhere())
    skins = [head.parts[0].vertices.cpu().double().numpy() for head in (before, after)]
    normals = before.parts[0].shading()[0].cpu().double().numpy()
    most, broad = moved_mm(*skins, normals, fitted.skin)
    if asked.pictures:
        write_pictures(asked.pictures, fitted, {"before": (before, own), "after": (after, normal)})
    details = {name: vars(detail_of(one, fitted.skin)) for name, one in (("before", own), ("after", normal))}
    moves = {"moved_mm": most, "moved_broadly_mm": broad, "seconds_a_step": seconds}
    print(json.dumps(details | moves | machine(wish.device()), indent=1))
    return 0


class _Nowhere:
    """Checkpoints of a stage that nobody goes on with."""

    def due(self) -> bool:
        return False

    def save(self, stage, step, tensors) -> None:
        """Nothing is kept."""

    def latest(self, stage) -> None:
        """Nothing is there."""


if __name__ == "__main__":
    run_command(main)
