"""The pictures in docs/: the guidance's sample grid, the shape over its steps, the relit turntable, the expressions.

python -m benchmarks.pictures photo.png --out docs [--expressions 13]
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from idto3d import pipeline
from idto3d.bundle.find import find_bundle
from idto3d.config import HeadOptions, RenderOptions, preset
from idto3d.device import choose_device
from idto3d.events import Notice, Preview, StageStarted, exhausted
from idto3d.guidance.cameras import camera_codes
from idto3d.guidance.loading import load_bundle
from idto3d.guidance.prediction import Guidance
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.subject.encoders import make_encoder
from idto3d.subject.subject import read_subject
from idto3d.words import expressions
from idto3d.words.prompts import VIEWS

SUBJECTS = ("person with short green hair", "person with afro purple hair", "old male with dark skin", "baby")
LIGHTS = ("studio_three_point", "sunset_left", "night_neon_pink_cyan", "window_right")


def sample_grid(guidance: Guidance, identity: torch.Tensor, scale: float | None) -> np.ndarray:
    """Rows: normal and albedo samples in eight views, in expressions, and for several subjects."""
    rows = []
    for domain in ("geometry", "albedo"):
        rows.append(samples(guidance, domain, identity, [(view, "person", "neutral") for view in VIEWS], scale))
        chosen = expressions.NAMES[:8]
        rows.append(samples(guidance, domain, identity, [("front", "person", name) for name in chosen], scale))
        asked = [(view, subject, "neutral") for subject in SUBJECTS for view in ("front", "left side")]
        rows.append(samples(guidance, domain, identity, asked, scale))
    return np.concatenate(rows)


def samples(guidance: Guidance, domain: str, identity: torch.Tensor, asked, scale: float | None) -> np.ndarray:
    """One row of samples for (view, subject, expression name) triples."""
    descriptors = [expressions.expression(name).descriptor for _, _, name in asked]
    said = zip(asked, descriptors, strict=True)
    prompts = [guidance.info.prompt(domain, view, subject, words) for (view, subject, _), words in said]
    angles = torch.tensor([45.0 * VIEWS.index(view) for view, _, _ in asked])
    cameras = camera_codes(angles, torch.zeros(len(angles)))
    conditions = guidance.conditions(prompts, "", identity, descriptors, cameras)
    images = guidance.sample(domain, conditions, 25, torch.Generator().manual_seed(3), scale)
    return np.concatenate(
        [(image.permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8) for image in images], 1
    )


def strip(images: list[np.ndarray], count: int = 8) -> np.ndarray:
    """`count` of `images`, evenly spaced, side by side."""
    chosen = np.linspace(0, len(images) - 1, count).round().astype(int)
    return np.concatenate([images[i] for i in chosen], 1)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--weights", default="embedded")
    parser.add_argument("--preset", default="draft")
    parser.add_argument("--expressions", default="13")
    parser.add_argument("--scale", type=float, default=None, help="guidance scale of the sample grid")
    parser.add_argument("--grid-only", action="store_true")
    told = parser.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    found = exhausted(find_bundle(told.weights))
    encoder = make_encoder(found.info.identity_encoder.name, found.identity_path())
    reading = read_subject([told.photo], HeadOptions().subject, encoder)
    identity = torch.from_numpy(exhausted(reading).embedding)
    guidance = Guidance(load_bundle(told.weights, choose_device("auto")))
    Image.fromarray(sample_grid(guidance, identity, told.scale)).save(told.out / "samples.jpg", quality=75)
    if told.grid_only:
        return
    options = replace(preset(told.preset), expressions=expressions.chosen(told.expressions), weights=told.weights)
    with tempfile.TemporaryDirectory() as folder:
        make_pictures(told.photo, options, Path(folder), told.out)


def make_pictures(photo: Path, options: HeadOptions, folder: Path, out: Path) -> None:
    """Run a whole head and keep its pictures."""
    seen: dict[str, list[np.ndarray]] = {}
    for event in pipeline.create_head([photo], options, folder, Checkpointer(folder / "checkpoints", 1e9)):
        if isinstance(event, Preview):
            seen.setdefault(f"{event.stage}-{event.kind}", []).append(event.image)
        elif isinstance(event, StageStarted | Notice):
            print(event, flush=True)
    Image.fromarray(strip(seen["shape-normal"])).save(out / "shape_steps.png")
    Image.fromarray(strip(seen["material-relit"])).save(out / "material_steps.png")
    Image.open(folder / "expressions" / "contact_sheet.png").convert("RGB").save(out / "expressions.png")
    turns = [
        pipeline.render_view(folder, RenderOptions(light=light, azimuth_deg=turn, size=192))
        for light, turn in zip(LIGHTS * 2, (0, 45, 90, 135, 180, -135, -90, -45), strict=True)
    ]
    Image.fromarray(np.concatenate(turns, 1)).save(out / "turntable.png")


if __name__ == "__main__":
    main()
