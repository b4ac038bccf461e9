"""`python -m idto3d train`: autoencoder, base, LoRA style, expression branch, and the finished bundle.

Every stage reads the one before from the work folder and leaves a checkpoint there, so stages can be run one at a
time (`--stages vae,base`) or all in a row.
"""

import argparse
import json
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from idto3d.expressions import EXPRESSIONS
from idto3d.guidance.branches import new_branches
from idto3d.guidance.bundle import save_bundle
from idto3d.guidance.info import BundleInfo, EncoderInfo
from idto3d.guidance.lora import DOMAINS, add_lora, lora_parameters
from idto3d.guidance.tiny import EMBEDDED_SPEC, tiny_base
from idto3d.prompts import MEDIA, VIEWS, caption, words
from idto3d.training import hair, skin
from idto3d.training.dataset import People, read_people, said_words
from idto3d.training.denoiser import (
    DenoiserOptions,
    Model,
    identity_gap,
    load_average,
    mean_embedding,
    train_denoiser,
    whiten_identity,
)
from idto3d.training.vae import VaeOptions, cache_latents, psnr, scaling_factor, train_vae

LICENCE = "Apache-2.0; trained on renders of ICT-FaceKit (MIT) and embeddings of dlib's face recognition model (CC0)"
STAGES = ("vae", "base", "style", "expression", "bundle")
EXTRA_WORDS = ("a", "and", "beard", "hair", "head", "person", "skin", "with")


@dataclass(frozen=True)
class TrainOptions:
    """Where the data is, where checkpoints go, and how many minutes each stage gets."""

    data: Path
    held_out: Path | None
    work: Path
    stages: tuple[str, ...]
    vae_minutes: float
    base_minutes: float
    style_minutes: float
    expression_minutes: float
    batch: int
    seed: int
    out: Path
    prior: Path | None
    name: str
    encoder: str
    guidance_scale: float


def main(argv: list[str]) -> int:
    """The command."""
    options = _parse(argv)
    options.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    vocabulary = known_words(said_words(options.data))
    parts = tiny_base(EMBEDDED_SPEC, vocabulary)
    run_vae(parts, options)
    if options.stages == ("vae",):
        return 0
    people = read_people(options.data)
    model, latents = prepare(parts, people, options)
    held_out = _held_out(model, parts, options)
    for stage in ("base", "style", "expression"):
        run_stage(stage, model, people, latents, held_out, options)
    if "bundle" in options.stages:
        save_bundle(options.out, bundle_info(people, vocabulary, options), parts, dict(model.branches), options.prior)
    return 0


def bundle_info(people: People, vocabulary: list[str], options: TrainOptions) -> BundleInfo:
    """What the bundle says about itself."""
    return BundleInfo(
        name=options.name,
        licence=people.licence or LICENCE,
        image_size=EMBEDDED_SPEC.image_size,
        identity_encoder=EncoderInfo(options.encoder, people.embedding.shape[-1]),
        expressions={expression.name: expression.descriptor for expression in EXPRESSIONS},
        prompts={domain: caption("{view}", domain, "{subject}") for domain in DOMAINS},
        guidance_scale=options.guidance_scale,
        training={"people": len(people.coefficients), "views": len(people.person), "seed": options.seed},
        vocabulary=tuple(vocabulary),
    )


def known_words(said: Collection[str] = ()) -> list[str]:
    """Every word that a caption of ours or an expression's descriptor can hold, then the dataset's own, `said`."""
    looks = [*hair.STYLES, *hair.COLOURS, *skin.SKINS, *skin.BEARDS, *EXTRA_WORDS]
    texts = [*looks, *VIEWS, *MEDIA.values(), caption("", "albedo"), *(e.descriptor for e in EXPRESSIONS), *said]
    return list(dict.fromkeys(word for text in texts for word in words(text)))


def run_vae(parts, options: TrainOptions) -> None:
    """Train the autoencoder, or load the one that the work folder holds."""
    checkpoint = options.work / "vae.safetensors"
    if "vae" in options.stages:
        people = read_people(options.data, most=40, embedded=False)
        train_vae(parts.vae, people, VaeOptions(options.vae_minutes, seed=options.seed), checkpoint, _progress("vae"))
        print(json.dumps({"psnr_normal": psnr(parts.vae, people.normal[:32])}), flush=True)
    parts.vae.load_state_dict(load_file(checkpoint))
    parts.vae.requires_grad_(False).eval()


def prepare(parts, people: People, options: TrainOptions) -> tuple[Model, dict]:
    """The model with fresh branches whose identity MLP starts whitened, and the dataset's scaled latents."""
    latents = cache_latents(parts.vae, people, options.work / f"latents-{len(people.person)}.safetensors")
    parts.vae.register_to_config(scaling_factor=scaling_factor(latents))
    scaled = {domain: value.float() * parts.vae.config.scaling_factor for domain, value in latents.items()}
    width = parts.unet.config.cross_attention_dim
    branches = {domain: new_branches(parts.unet, people.embedding.shape[-1], width) for domain in DOMAINS}
    for branch in branches.values():
        whiten_identity(branch, mean_embedding(people.embedding))
    return Model(parts, branches), scaled


def _held_out(model: Model, parts, options: TrainOptions):
    if options.held_out is None:
        return None
    people = read_people(options.held_out)
    latents = cache_latents(parts.vae, people, options.work / f"latents-held-{len(people.person)}.safetensors")
    return people, {domain: value.float() * parts.vae.config.scaling_factor for domain, value in latents.items()}


def run_stage(stage: str, model: Model, people: People, latents: dict, held_out, options: TrainOptions) -> None:
    """Train one stage, or load its checkpoint; afterwards the model holds the stage's result."""
    for domains, parameters, minutes, name in plan(stage, model, options):
        checkpoint = options.work / f"{name}.safetensors"
        if stage in options.stages:
            if checkpoint.exists():
                load_average(model, checkpoint)
            told = DenoiserOptions(minutes, batch=options.batch, seed=options.seed)
            report = _progress(name, model, held_out, domains)
            train_denoiser(model, parameters, people, latents, domains, told, checkpoint, report)
        elif checkpoint.exists():
            load_average(model, checkpoint)


def plan(stage: str, model: Model, options: TrainOptions):
    """What each stage trains: (domains, parameters, minutes, checkpoint name), the model prepared for it."""
    if stage == "base":
        model.requires_grad_(True)
        yield DOMAINS, list(model.parameters()), options.base_minutes, "base"
        return
    for domain in DOMAINS:
        model.requires_grad_(False)
        if domain not in getattr(model.unet, "peft_config", {}):
            add_lora(model.unet, domain)
        model.unet.set_adapters(domain, 1.0)
        model.requires_grad_(False)
        yield (domain,), _adapter_parameters(stage, model, domain), _minutes(stage, options), f"{stage}-{domain}"


def _adapter_parameters(stage: str, model: Model, domain: str) -> list:
    if stage == "expression":
        parameters = model.branches[domain].branch_parameters("expression")
    else:
        parameters = lora_parameters(model.unet, domain) + model.branches[domain].branch_parameters("identity")
    for parameter in parameters:
        parameter.requires_grad_(True)
    return parameters


def _minutes(stage: str, options: TrainOptions) -> float:
    return (options.style_minutes if stage == "style" else options.expression_minutes) / len(DOMAINS)


def _progress(name: str, model: Model | None = None, held_out=None, domains=()):
    """A reporter that prints a JSON line every 50 steps, with the held-out identity gap every 500."""
    started, recent = time.monotonic(), []

    def report(step: int, *values) -> None:
        recent.append(values[-1])
        if step % 50 == 0:
            line = {"stage": name, "step": step, "seconds": round(time.monotonic() - started, 1)}
            line["loss"] = round(sum(recent[-50:]) / len(recent[-50:]), 5)
            if held_out is not None and step % 500 == 0:
                for domain in domains:
                    error, gap = identity_gap(model, held_out[0], held_out[1], domain)
                    line |= {f"{domain}_error": round(error, 5), f"{domain}_identity_gap": round(gap, 4)}
            print(json.dumps(line), flush=True)

    return report


def _parse(argv: list[str]) -> TrainOptions:
    parser = argparse.ArgumentParser(prog="idto3d train", description="Train the embedded bundle's models.")
    parser.add_argument("--data", type=Path, required=True, help="dataset written by synthesize or scans")
    parser.add_argument("--held-out", type=Path, default=None, help="dataset of people never trained on")
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--stages", default=",".join(STAGES), help=f"which of {','.join(STAGES)} to train")
    parser.add_argument("--vae-minutes", type=float, default=60)
    parser.add_argument("--base-minutes", type=float, default=360)
    parser.add_argument("--style-minutes", type=float, default=60, help="for both domains together")
    parser.add_argument("--expression-minutes", type=float, default=40, help="for both domains together")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("bundle"), help="folder of the finished bundle")
    parser.add_argument("--prior", type=Path, default=None, help="head prior to put into the bundle")
    parser.add_argument("--name", default="idto3d-embedded")
    parser.add_argument("--encoder", default="dlib", help="identity encoder the dataset was embedded with")
    parser.add_argument("--guidance-scale", type=float, default=3.0, help="default guidance scale of the bundle")
    values = vars(parser.parse_args(argv))
    values["stages"] = tuple(values["stages"].split(","))
    return TrainOptions(**values)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
