"""The options of `python -m idto3d train`, from the command line."""

import argparse
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path

from idto3d.config import FREE
from idto3d.errors import UserError
from idto3d.training.arguments import add_dataset, add_ict, add_out, add_seed, expect_folder, expect_one
from idto3d.training.denoiser import PAPER, DenoiserOptions
from idto3d.training.loop import PRECISIONS

DENOISER_STAGES = ("base", "style", "expression")
STAGES = ("vae", "morphable", *DENOISER_STAGES, "bundle")
DATASET_REMEDY = "Check the path, or write a dataset with `python -m idto3d synthesize` or `python -m idto3d scans`."
FOLDERS = {  # options that name a folder which must be there, and what to do where it is not
    **dict.fromkeys(("data", "faces", "held_out"), DATASET_REMEDY),
    "base": "Check the path; it should be a Stable Diffusion model in diffusers' layout.",
    "init": "Check the path; it should be a bundle, such as weights/embedded.",
}
MINUTES = {"vae": 60.0, "base": 360.0, "style": 60.0, "expression": 40.0}


@dataclass(frozen=True)
class TrainOptions:
    """Where the data is, where checkpoints go, what is trained and for how long.

    `faces` are people whom the morphable head learns to read from instead of those of `data`: portraits of many are
    quickly drawn.
    `base` is a folder in the layout of a StableDiffusionPipeline; without one a small base is trained, from `init`, a
    bundle, where one is given. The minutes of style and expression are for both domains together.
    """

    data: Path
    faces: Path | None
    held_out: Path | None
    ict: Path | None
    work: Path
    base: Path | None
    init: Path | None
    stages: tuple[str, ...]
    again: bool
    decoder_only: bool
    vae_minutes: float
    base_minutes: float
    style_minutes: float
    expression_minutes: float
    denoiser: DenoiserOptions
    rank_self: int
    rank_cross: int
    precision: str
    sample_minutes: float
    seed: int
    out: Path
    prior: Path | None
    name: str
    licence: str
    encoder: str
    identity: Path | None
    guidance_scale: float


def parse(argv: list[str]) -> TrainOptions:
    """The options in `argv`. Raises UserError for those that contradict each other or name what is not there."""
    values = vars(_parser().parse_args(argv))
    paper = values.pop("paper")
    named = {name: values.pop(name) for name in _denoiser_fields()}
    denoiser = replace(PAPER if paper else DenoiserOptions(), **{k: v for k, v in named.items() if v is not None})
    for stage, minutes in MINUTES.items():
        if values[f"{stage}_minutes"] is None:
            values[f"{stage}_minutes"] = math.inf if paper and stage != "vae" else minutes
    values["stages"] = _stages(values["stages"], values["base"], values["ict"])
    options = TrainOptions(**values, denoiser=denoiser)
    _check(options)
    return options


def _stages(text: str | None, base: Path | None, ict: Path | None) -> tuple[str, ...]:
    usual = STAGES[3:] if base else STAGES
    asked = tuple(text.split(",")) if text else usual
    for stage in asked:
        if stage not in usual:
            why = " with --base" if stage in STAGES else ""
            raise UserError(f"There is no stage '{stage}'{why} to train.", f"Choose from: {', '.join(usual)}.")
    if text and "morphable" in asked and ict is None:
        raise UserError("A morphable head is made of a morphable model.", "Give one by --ict.")
    return asked


def _check(options: TrainOptions) -> None:
    denoiser = options.denoiser
    ranks = (options.rank_self, options.rank_cross)
    expect_one("A batch, a rank or a number of steps", denoiser.batch, denoiser.warmup, denoiser.evaluate_steps, *ranks)
    if options.decoder_only and "vae" not in options.stages:
        raise UserError("--decoder-only is about the autoencoder.", "Say it with --stages vae, or leave it out.")
    if options.ict is not None and (options.base or not options.ict.exists()):
        missing = f"There is no ICT-FaceKit model at {options.ict}."
        what = "A base of others takes no morphable head." if options.base else missing
        raise UserError(what, "Leave --ict out." if options.base else "Give a packed .npz or a checkout's folder.")
    if options.faces is not None and options.ict is None:
        what = "--faces is read by the morphable head, and there is none."
        raise UserError(what, "Give --ict, or leave --faces out.")
    if options.base and options.init:
        raise UserError("--base and --init name two places to start from.", "Give one of them.")
    if "bundle" in options.stages and not options.licence and (options.base or options.encoder not in FREE):
        what = "A bundle of somebody's base or encoder carries their terms."
        raise UserError(what, "Name them by --licence, as in --licence creativeml-openrail-m.")
    if (options.encoder == "portrait") != (options.identity is not None):
        what = "The encoder portrait comes with its network, and no other encoder does."
        raise UserError(what, "Give both, as in --encoder portrait --identity identity.safetensors, or neither.")
    if options.prior is not None and not options.prior.is_file():
        what = f"There is no head prior at {options.prior}."
        raise UserError(what, "Fit one with: python -m idto3d.training.fit.head_prior")
    if denoiser.early_stop and options.held_out is None:
        what = "Stopping early needs people who are never trained on."
        raise UserError(what, "Give their dataset by --held-out, or --early-stop 0.")
    _check_folders(options)


def _check_folders(options: TrainOptions) -> None:
    for name, remedy in FOLDERS.items():
        expect_folder(getattr(options, name), name, remedy)
    if options.held_out is not None and options.held_out.resolve() == options.data.resolve():
        what = "--held-out and --data name one dataset, so nobody would be held out."
        raise UserError(what, "Give a dataset of other people by --held-out, or leave it out.")


def _denoiser_fields() -> dict:
    return {field.name: field for field in fields(DenoiserOptions) if "help" in field.metadata}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="idto3d train", description="Train a bundle.")
    add_dataset(parser, "--data", "dataset written by synthesize or scans", required=True)
    many = "dataset of more people, for the morphable head to read faces from; portraits alone will do"
    add_dataset(parser, "--faces", many)
    add_dataset(parser, "--held-out", "dataset of people never trained on")
    add_ict(parser, "ICT-FaceKit, .npz or folder, for the morphable head", required=False)
    parser.add_argument("--work", type=Path, required=True, help="folder of checkpoints, log, curve and samples")
    parser.add_argument("--base", type=Path, default=None, help="folder of a Stable Diffusion model to specialise")
    parser.add_argument("--init", type=Path, default=None, help="bundle whose small base and branches to start from")
    parser.add_argument("--stages", default=None, help=f"which of {','.join(STAGES)} to train; all by default")
    parser.add_argument("--again", action="store_true", help="go on with stages that are finished")
    only = "train the autoencoder's decoder alone, gently: latents and what learned from them stay as they are"
    parser.add_argument("--decoder-only", action="store_true", help=only)
    parser.add_argument("--paper", action="store_true", help="the paper's rate, steps and early stop; no time limit")
    for stage, minutes in MINUTES.items():
        both = ", both domains together" if stage in ("style", "expression") else ""
        parser.add_argument(f"--{stage}-minutes", type=float, default=None, help=f"most minutes ({minutes:g}){both}")
    _add_denoiser(parser.add_argument_group("steps", "defaults in brackets; --paper changes some"))
    parser.add_argument("--rank-self", type=int, default=16, help="LoRA rank in self-attention")
    parser.add_argument("--rank-cross", type=int, default=32, help="LoRA rank in cross-attention")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="of the networks; weights are float32")
    parser.add_argument("--sample-minutes", type=float, default=10.0, help="minutes between sample grids; 0: none")
    add_seed(parser)
    add_out(parser, "folder of the finished bundle", Path("bundle"))
    parser.add_argument("--prior", type=Path, default=None, help="head prior to put into the bundle")
    parser.add_argument("--name", default="bundle", help="what the bundle is called")
    parser.add_argument("--licence", default="", help="terms of the bundle; needed with --base or another encoder")
    parser.add_argument("--encoder", default="dlib", help="identity encoder the dataset was embedded with")
    parser.add_argument("--identity", type=Path, default=None, help="network of the encoder portrait, for the bundle")
    parser.add_argument("--guidance-scale", type=float, default=3.0, help="default guidance scale of the bundle")
    return parser


def _add_denoiser(group) -> None:
    for name, field in _denoiser_fields().items():
        text = f"{field.metadata['help']} ({field.default:g})".replace("%", "%%")
        group.add_argument("--" + name.replace("_", "-"), type=type(field.default), default=None, help=text)
