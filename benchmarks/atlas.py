"""What a model of atlases gives a skin of words: variants of one fitted head, as pictures side by side and as figures.

    python -m benchmarks.atlas BUNDLE OUT ["a young woman with freckles" ...] [--set texture.steps=40 ...]

Each prompt's head is fitted once, without shape and material stages; then its atlas is painted in the ways of
VARIANTS: DreamFace's ablations (Zhang et al. 2023, section 7.3). OUT/PROMPT.png shows the face from in front and from
its left and the texture, a row for each variant, the first one as words alone paint it; make-up and freckles are on it
as they are on a finished head. Prints JSON: seconds a step of both kinds of steps, how far colours moved (mean Delta E
2000 where they may, averaged over 6 mm), and by how much fine detail grew: the standard deviation of brightness below
2 mm against that of words alone.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.color import deltaE_ciede2000, rgb2lab

from benchmarks.machine import machine
from idto3d.bundle.find import find_bundle
from idto3d.bundle.resolved import resolved
from idto3d.checks import checked
from idto3d.config import HDRI, HeadOptions, preset
from idto3d.device import choose_device
from idto3d.errors import run_command
from idto3d.events import StepDone, exhausted
from idto3d.fields.material_field import MaterialField
from idto3d.geometry.tet_grid import BOX_HIGH, BOX_LOW
from idto3d.guidance.networks.atlas import load_atlas, save_atlas
from idto3d.guidance.prediction import Guidance
from idto3d.head.start import start_of
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.options import with_option
from idto3d.render.color import srgb_from_linear
from idto3d.render.environment import environment_to, load_environments
from idto3d.stages.carriers import rasterizer_of
from idto3d.stages.dressing import dressed_head, painted
from idto3d.stages.edit.paint.told import as_told
from idto3d.stages.edit.seen.shown import picture_of
from idto3d.stages.fit import Fitted, fit_head
from idto3d.stages.material import Canvas, make_canvas
from idto3d.stages.materials.worn import with_materials
from idto3d.stages.models import Models, load_models, make_wish
from idto3d.stages.saved import FinishedHead
from idto3d.stages.texture.paint import STAGE
from idto3d.stages.texture.skin import with_atlas

VARIANTS = {
    "words": ("texture.steps=0", "texture.lit_steps=0"),
    "both": (),
    "views alone": ("texture.atlas=0",),
    "atlases alone": ("texture.generic=0",),
    "uniform": ("texture.order=uniform",),
    "no domain": ("texture.domain=none",),
    "code alone": ("texture.lit_steps=0",),
    "statistics alone": (),
}
SILENT = "statistics alone"  # without what the network adds to them
USUAL = ("texture.steps=24", "texture.lit_steps=12")
PROMPTS = (
    "a young asian woman with makeup",
    "an old caucasian man",
    "a young woman with pale skin and freckles",
    "a middle-aged african man with dark skin",
)
BROAD, FINE = 0.0235, 0.0078  # shares of an atlas's side that are about 6 and 2 mm on a face
SIDE, TURNED_DEG = 384, 40.0
DRAWN, FACE = 640, (slice(60, 444), slice(128, 512))  # pixels of a picture, and its part that is shown


def fitted_head(prompt: str, options: HeadOptions) -> tuple[Fitted, Canvas, Models, HeadOptions]:
    """The head of words before any guidance, what draws it, and the models."""
    options = checked(replace(options, prompt=prompt))
    models = exhausted(load_models(options, None, exhausted(find_bundle(options.weights))))
    options = resolved(options, models.guidance.info)
    fitted = exhausted(fit_head(None, start_of(None, options, models.prior), models, options))
    lights = tuple(environment_to(light, models.device) for light in load_environments(HDRI))
    dressed = dressed_head(fitted.rest.head, fitted.wear, models.device)
    head = fitted.rest.head.first(len(options.expressions))
    return fitted, make_canvas(head, lights, rasterizer_of(fitted, models.device), dressed), models, options


def varied(made, asked: Sequence[str]) -> tuple[Fitted, list[float]]:
    """One variant, and when each of its steps was over, seconds."""
    fitted, canvas, models, options = made
    options = with_all(options, asked)
    wish, times = make_wish(start_of(None, options, models.prior), options, models), [time.perf_counter()]
    with tempfile.TemporaryDirectory() as folder:
        stage = with_atlas(wish, fitted, canvas, models, options, Checkpointer(Path(folder) / "c", 1e9))
        while True:
            try:
                event = next(stage)
            except StopIteration as end:
                return end.value[0], times
            if isinstance(event, StepDone) and event.stage == STAGE:
                times.append(time.perf_counter())


def silenced(made, folder: Path):
    """What was made, with a model of atlases, kept in `folder`, whose network says nothing."""
    fitted, canvas, models, options = made
    bundle = models.guidance.bundle
    model = load_atlas(bundle.folder, bundle.parts)
    model.unet.load_state_dict({name: torch.zeros_like(value) for name, value in model.unet.state_dict().items()})
    save_atlas(model, folder)
    return fitted, canvas, replace(models, guidance=Guidance(replace(bundle, folder=folder))), options


def with_all(options: HeadOptions, changes: Sequence[str]) -> HeadOptions:
    """`options` with each of `changes`, NAME=VALUE."""
    return reduce(lambda so_far, one: with_option(so_far, *one.split("=", 1)), changes, options)


def figures(first: Fitted, other: Fitted) -> dict[str, float]:
    """How far colours moved, and by how much fine detail grew, where no photo and no part tells the colour."""
    free = first.colour.known < 0.5
    side = len(first.skin.texels.covered)
    broad = [_smooth(one, BROAD * side) for one in (first, other)]
    moved = deltaE_ciede2000(*(rgb2lab(_srgb(one)) for one in broad))
    fine = [(_bright(one.colour.albedo) - _bright(_smooth(one, FINE * side)))[free].std() for one in (first, other)]
    return {"moved": round(float(moved[free].mean()), 2), "detail": round(float(fine[1] / fine[0]), 3)}


def _smooth(one: Fitted, width: float) -> np.ndarray:
    covered = one.skin.texels.covered
    picture = np.zeros((*covered.shape, 4))
    picture[covered] = np.concatenate([one.colour.albedo, np.ones((covered.sum(), 1))], 1)
    picture = gaussian_filter(picture, (width / 2, width / 2, 0))[covered]
    return picture[:, :3] / picture[:, 3:]


def _srgb(albedo: np.ndarray) -> np.ndarray:
    return srgb_from_linear(torch.from_numpy(albedo)).numpy()


def _bright(albedo: np.ndarray) -> np.ndarray:
    return _srgb(albedo).mean(-1)


def shown(made, fitted: Fitted) -> np.ndarray:
    """The head's face from two sides and its texture [SIDE, 3 SIDE, 3], with what words paint on a finished head."""
    head = _finished(made, fitted)
    views = [picture_of(head, DRAWN, azimuth)[FACE] for azimuth in (0.0, TURNED_DEG)]
    atlas = Image.fromarray(head.painted["skin"].albedo).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.concatenate([*views, np.asarray(atlas)], 1)


def _finished(made, fitted: Fitted) -> FinishedHead:
    _, _, models, options = made
    start, wear = start_of(None, options, models.prior), fitted.wear
    if models.materials is not None:
        skin = (fitted.template, fitted.skin, fitted.colour)
        wear = exhausted(with_materials(wear, *skin, models.materials, relief=False))
    field = MaterialField(options.expressions, options.material, (BOX_LOW, BOX_HIGH))
    grown = (fitted.rest.head, fitted.rest.coefficients, {}, models.prior, field)
    return as_told(FinishedHead(start, *grown, options, "", (), painted(wear)), models.template, models.prior)


def measure(prompt: str, options: HeadOptions, variants: Sequence[str], out: Path) -> dict:
    """All variants of one prompt: pictures into `out`, figures returned."""
    made = fitted_head(prompt, options)
    rows, found = [], {}
    for name in variants:
        with tempfile.TemporaryDirectory() as folder:
            own = silenced(made, Path(folder)) if name == SILENT else made
            fitted, times = varied(own, VARIANTS[name])
        rows.append(shown(made, fitted))
        steps = np.diff(times)
        begin, end = (options.texture.steps, options.texture.lit_steps) if len(steps) else (0, 0)
        spent = {"code_step": steps[1:begin].mean() if begin > 1 else 0.0}
        spent |= {"lit_step": steps[begin:].mean() if end and len(steps) > begin else 0.0}
        found[name] = figures(made[0], fitted) | {key: round(float(value), 3) for key, value in spent.items()}
    Image.fromarray(np.concatenate(rows)).save(out / f"{prompt.replace(' ', '_')}.png")
    return found


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle")
    parser.add_argument("out", type=Path)
    parser.add_argument("prompts", nargs="*", default=list(PROMPTS))
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--variants", nargs="*", choices=list(VARIANTS), default=list(VARIANTS))
    asked = parser.parse_args(argv)
    options = with_all(preset("draft"), (f"weights={asked.bundle}", *USUAL, *asked.changes))
    asked.out.mkdir(parents=True, exist_ok=True)
    found = {prompt: measure(prompt, options, asked.variants, asked.out) for prompt in asked.prompts}
    print(json.dumps({"machine": machine(choose_device(options.device)), "prompts": found}, indent=1))
    return 0


if __name__ == "__main__":
    run_command(main)
