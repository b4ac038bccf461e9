"""`python -m idto3d train --domain texture`: the diffusion model of atlases of a bundle, from drawing to bundle.

Stages: `atlases` draws synthetic people's atlases into the work folder, `learn` trains, `bundle` writes the model into
the folder `texture` of the bundle that is given by --out, which is --bundle itself where it is left out. What is
finished is not done again, what was interrupted goes on.
"""

import argparse
import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from idto3d.bundle.info import read_info
from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.device import choose_device
from idto3d.errors import UserError
from idto3d.files import read_tensors, write_tensors
from idto3d.guidance.networks.atlas import EMBEDDED_ATLAS, TEST_ATLAS, AtlasModel, new_atlas_model, save_atlas
from idto3d.guidance.networks.base import BaseParts, load_base, networks
from idto3d.training.arguments import PROCESSORS, add_seed, add_workers, count, expect_folder, expect_one
from idto3d.training.state import is_finished
from idto3d.training.texture.dataset import AtlasSet, Encoded, read_encoded, shards_of, write_atlases
from idto3d.training.texture.learn import CHECKPOINT, LearnOptions, learn, load_learned
from idto3d.training.texture.measure import measured, sample_sheet
from idto3d.training.texture.usual import usual_of

STAGES = ("atlases", "learn", "measure", "bundle")
SIZES = {"embedded": EMBEDDED_ATLAS, "test": TEST_ATLAS}
REPORT_STEPS, LOG, SHEET, USUAL = 20, "log.jsonl", "samples.png", "usual.safetensors"
FAR_SEED = 7_000_000  # people held out for measuring; no training seed is near


@dataclass(frozen=True)
class TextureTraining:
    """Where everything lies, what is drawn and what is done."""

    bundle: Path
    work: Path
    out: Path | None
    stages: tuple[str, ...]
    people: int
    held_out: int
    first_seed: int
    workers: int
    sizes: str
    device: str
    samples: int
    learn: LearnOptions


def main(argv: list[str]) -> int:
    """The command."""
    options = parse(argv)
    options.work.mkdir(parents=True, exist_ok=True)
    spec = SIZES[options.sizes]
    if "atlases" in options.stages:
        _draw(options, spec.image_size)
    if options.stages != ("atlases",):
        _train(options)
    return 0


def _draw(options: TextureTraining, size: int) -> None:
    own = options.bundle / TEMPLATE_FILE
    template = own if own.is_file() else EMBEDDED / TEMPLATE_FILE
    for name, people, seed in (("people", options.people, options.first_seed), ("others", options.held_out, FAR_SEED)):
        (options.work / name).mkdir(exist_ok=True)
        write_atlases(AtlasSet(template, options.work / name, people, size, seed), options.workers)


def _train(options: TextureTraining) -> None:
    parts = load_base(options.bundle / read_info(options.bundle).base)
    for network in networks(parts):
        network.to(choose_device(options.device))
    data = _read(parts, options.work / "people")
    model = new_model(parts, data, options)
    if "learn" in options.stages and not is_finished(options.work / CHECKPOINT):
        with open(options.work / LOG, "a", encoding="utf-8") as log:
            learn(model, parts, data, options.learn, options.work, _reporter(log))
    else:
        load_learned(model, options.work)
    model.requires_grad_(False).eval()
    if "measure" in options.stages:
        others = _read(parts, options.work / "others")
        print(json.dumps(measured(model, parts, others, options.samples, options.learn.seed), indent=1), flush=True)
        sample_sheet(model, parts, others, options.learn.seed).save(options.work / SHEET)
    if "bundle" in options.stages:
        save_atlas(model, options.bundle if options.out is None else options.out)


def _read(parts: BaseParts, folder: Path) -> Encoded:
    if not shards_of(folder):
        raise UserError(f"There are no atlases in {folder}.", "Draw them first: --stages atlases")
    return read_encoded(parts.vae, folder)


def new_model(parts: BaseParts, data: Encoded, options: TextureTraining) -> AtlasModel:
    """The model to train, with the linear statistics of `data`.

    They are kept in the work folder: atlases that are drawn later leave them.
    """
    path, spec = options.work / USUAL, SIZES[options.sizes]
    torch.manual_seed(options.learn.seed)
    if not path.exists():
        write_tensors(path, usual_of(data, parts, spec, options.learn.seed))
    torch.manual_seed(options.learn.seed)
    return new_atlas_model(spec, parts, read_tensors(path)).to(parts.unet.device)


def _reporter(log):
    recent = []

    def report(step: int, seconds: float, loss: float) -> None:
        recent.append(loss)
        if step % REPORT_STEPS == 0:
            line = {"step": step, "seconds": round(seconds, 1), "loss": round(sum(recent) / len(recent), 5)}
            print(json.dumps(line), file=log, flush=True)
            recent.clear()

    return report


def parse(argv: list[str]) -> TextureTraining:
    """The options in `argv`. Raises UserError for those that name what is not there."""
    values = vars(_parser().parse_args(argv))
    named = {field.name: values.pop(field.name) for field in _learn_fields()}
    learned = replace(LearnOptions(), seed=values.pop("seed"), **{k: v for k, v in named.items() if v is not None})
    asked = tuple(values.pop("stages").split(","))
    if unknown := [stage for stage in asked if stage not in STAGES]:
        raise UserError(f"There is no stage '{unknown[0]}' to train.", f"Choose from: {', '.join(STAGES)}.")
    expect_one("A batch or a number of people", learned.batch, values["people"], values["held_out"])
    expect_folder(values["bundle"], "bundle", "Check the path; it should be a bundle, such as weights/embedded.")
    return TextureTraining(**values, stages=asked, learn=learned)


def _learn_fields() -> list:
    return [field for field in fields(LearnOptions) if "help" in field.metadata]


def _parser() -> argparse.ArgumentParser:
    text = "Train the diffusion model of atlases."
    parser = argparse.ArgumentParser(prog="idto3d train --domain texture", description=text)
    parser.add_argument("--bundle", type=Path, default=EMBEDDED, help="bundle whose base it works beside")
    parser.add_argument("--work", type=Path, required=True, help="folder of atlases, checkpoints, log and samples")
    parser.add_argument("--out", type=Path, default=None, help="folder of a bundle to write it into; --bundle")
    parser.add_argument("--stages", default=",".join(STAGES), help=f"which of {','.join(STAGES)}")
    parser.add_argument("--people", type=count, default=600, help="people to draw and to learn from")
    parser.add_argument("--held-out", type=count, default=100, help="further people to measure with")
    parser.add_argument("--first-seed", type=int, default=0, help="people are drawn from consecutive seeds")
    parser.add_argument("--sizes", choices=list(SIZES), default="embedded", help="how large the model is")
    parser.add_argument("--device", default="auto", help="where to compute")
    parser.add_argument("--samples", type=count, default=48, help="of each domain, that are measured")
    add_workers(parser, "processes that draw", PROCESSORS)
    add_seed(parser)
    for field in _learn_fields():
        said = f"{field.metadata['help']} ({field.default:g})".replace("%", "%%")
        parser.add_argument("--" + field.name.replace("_", "-"), type=type(field.default), default=None, help=said)
    return parser
