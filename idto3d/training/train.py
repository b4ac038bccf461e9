"""`python -m idto3d train`: autoencoder, morphable head, base, LoRA style, expression branch, finished bundle.

Every stage reads the one before from the work folder and leaves a checkpoint there, so stages can be run one at a
time (`--stages vae,base`) or all in a row. A stage that was interrupted goes on, one that is finished is not trained
again. `accelerate launch -m idto3d.training.train ...` does the same on many GPUs.
"""

import json
import shutil
import sys
import time
from collections.abc import Collection
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import torch
from accelerate import Accelerator
from safetensors import safe_open
from safetensors.torch import load_file

from idto3d.bundle.info import BundleInfo, EncoderInfo
from idto3d.bundle.layout import FORMER_MORPHABLE, MORPHABLE, former_layout
from idto3d.errors import UserError, run_command
from idto3d.files import write_tensors
from idto3d.guidance.loading import save_bundle
from idto3d.guidance.networks.base import BaseParts, load_base, load_morphable, save_morphable, with_morphable
from idto3d.guidance.networks.branches import new_branches
from idto3d.guidance.networks.morphable import MorphableHead
from idto3d.guidance.networks.tiny import EMBEDDED_SPEC, tiny_base
from idto3d.training.arguments import split_domain
from idto3d.training.data.dataset import People, read_people, read_portrayed, read_shards, said_words
from idto3d.training.data.embedding import embedded_by, title
from idto3d.training.denoiser import Data, mean_embedding
from idto3d.training.fit.morphable import MorphableOptions, fit_morphable
from idto3d.training.loop import make_accelerator
from idto3d.training.measure.heard import morphable_errors
from idto3d.training.measure.samples import HEAD_TIMESTEPS, Gallery
from idto3d.training.model import Model, whiten
from idto3d.training.options import TrainOptions, parse
from idto3d.training.people.ict import read_ict
from idto3d.training.stages import run_stages
from idto3d.training.start import same_layers, start_base, start_branches
from idto3d.training.state import is_finished
from idto3d.training.vae import VaeOptions, cache_latents, psnr, scaling_factor, train_vae
from idto3d.training.watch import Watch
from idto3d.words.captions import caption, varied_words
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import DOMAINS, MEDIA, VIEWS, template, words
from idto3d.words.traits import BEARDS, SKINS, TAUGHT_COLOURS, TAUGHT_STYLES

OWN_LICENCE = (
    "Apache-2.0; trained on renders of ICT-FaceKit (MIT) with MakeHuman's shape changes (CC0) and embeddings of dlib's "
    "face recognition model (CC0)"
)
REFINING_RATE = 5e-4  # peak rate of a decoder that has learned before
APART = {  # what --domain trains beside a bundle
    "scorer": "idto3d.training.scorer.train",
    "texture": "idto3d.training.texture.command",
}
EXTRA_WORDS = ("a", "and", "beard", "hair", "head", "person", "skin", "with")


def main(argv: list[str]) -> int:
    """The command; what has a trainer of its own is handed on to it."""
    domain, argv = split_domain(argv, APART)
    if domain:
        return import_module(APART[domain]).main(argv)
    options = parse(argv)
    options.work.mkdir(parents=True, exist_ok=True)
    check_encoder_of(options)
    accelerator = make_accelerator(options.precision)
    if accelerator.is_main_process:
        run = {"processes": accelerator.num_processes, "device": accelerator.device.type}
        print(json.dumps(run | {"precision": accelerator.mixed_precision}), flush=True)
    torch.manual_seed(options.seed)
    with accelerator.main_process_first():  # it writes what the others read
        parts = _base(options)
        parts.vae.to(accelerator.device)
        if options.base is None:
            run_vae(accelerator, parts, options)
    if options.stages != ("vae",):
        _train_on_people(accelerator, parts, options)
    accelerator.end_training()
    return 0


def check_encoder_of(options: TrainOptions) -> None:
    """Raises UserError where a dataset was embedded by another encoder than the one that the bundle will name."""
    wanted = title(options.encoder, options.identity)
    for folder in filter(None, (options.data, options.faces, options.held_out)):
        others = {embedded_by(path) for path in sorted(Path(folder).glob("[0-9]*.identity.safetensors"))} - {wanted}
        if others:
            what = f"The portraits in {folder} are embedded by {others.pop().split()[0]}, and otherwise than now."
            raise UserError(what, "Embed them anew: run the command that wrote the dataset with this encoder.")


def _train_on_people(accelerator: Accelerator, parts: BaseParts, options: TrainOptions) -> None:
    with accelerator.main_process_first():  # it encodes, the others read
        parts = run_morphable(accelerator, parts, options) if options.base is None else parts
        model, data = prepare(parts, options)
        held_out = _held_out(parts, options)
    if "morphable" in options.stages and model.morphable is not None and accelerator.is_main_process:
        print(json.dumps(morphable_errors(model, held_out or data)), flush=True)
    gallery = Gallery(parts.vae, held_out or data, options.guidance_scale)
    watch = Watch(options.work, gallery, options.sample_minutes)
    run_stages(accelerator, model, data, held_out, watch, options)
    if "bundle" in options.stages and accelerator.is_main_process:
        info, prior, identity = bundle_info(data.people, options), options.prior, options.identity
        if parts.morphable is not None:
            info = replace(info, timesteps=HEAD_TIMESTEPS, sampling_from=gallery.sampling_from)
        save_bundle(options.out, info, parts, dict(model.branches), prior, identity=identity)


def _base(options: TrainOptions) -> BaseParts:
    """The base to specialise, or a small one with random weights."""
    if options.base is None:
        return _own_base(options)
    parts = load_base(options.base)
    if parts.scheduler.config.prediction_type not in ("epsilon", "v_prediction"):
        kind = parts.scheduler.config.prediction_type
        what = f"The base model predicts '{kind}', neither noise nor velocity."
        raise UserError(what, "Choose one of the Stable Diffusion 1 or 2 kind.")
    return parts


def _own_base(options: TrainOptions) -> BaseParts:
    """The small base; its text encoder, which no stage trains, is kept in the work folder."""
    parts = tiny_base(EMBEDDED_SPEC, _words_of(options))
    if options.init is not None:
        parts = start_base(parts, options.init)
    kept = options.work / "text_encoder.safetensors"
    order = " ".join(parts.tokenizer.convert_ids_to_tokens(range(len(parts.tokenizer))))
    about = {"words": order, "predicts": parts.scheduler.config.prediction_type}
    if not kept.exists():
        write_tensors(kept, parts.text_encoder.state_dict(), about)
    with safe_open(kept, "pt") as file:
        known = file.metadata() or {}
    if known.get("words") != about["words"]:
        raise UserError("The dataset's captions hold other words than before.", "Train in a new --work folder.")
    if known.get("predicts") != about["predicts"]:
        raise UserError(f"{kept} is of a base of another kind.", "Train in a new --work folder.")
    parts.text_encoder.load_state_dict(load_file(kept))
    return parts


def _words_of(options: TrainOptions) -> list[str]:
    """Every word that a caption can hold."""
    return known_words([word for folder in filter(None, (options.data, options.faces)) for word in said_words(folder)])


def bundle_info(people: People, options: TrainOptions) -> BundleInfo:
    """What the bundle says about itself."""
    return BundleInfo(
        name=options.name,
        licence="; ".join(filter(None, (options.licence, people.licence))) or OWN_LICENCE,
        image_size=people.normal.shape[1],
        identity_encoder=EncoderInfo(options.encoder, people.embedding.shape[-1]),
        expressions={expression.name: expression.descriptor for expression in EXPRESSIONS},
        prompts={domain: template(domain) for domain in DOMAINS},
        guidance_scale=options.guidance_scale,
        training={"people": len(people.coefficients), "views": len(people.person), "seed": options.seed},
        vocabulary=() if options.base else tuple(_words_of(options)),
    )


def known_words(said: Collection[str] = ()) -> list[str]:
    """Every word that a caption of ours or an expression's descriptor can hold, then the dataset's own, `said`."""
    texts = [
        *(*TAUGHT_STYLES, *TAUGHT_COLOURS, *SKINS, *BEARDS, *EXTRA_WORDS),
        *VIEWS,
        *MEDIA.values(),
        caption("", "albedo"),
        *(e.descriptor for e in EXPRESSIONS),
        *said,
        *varied_words(said),
    ]
    return list(dict.fromkeys(word for text in texts for word in words(text)))


def run_vae(accelerator: Accelerator, parts: BaseParts, options: TrainOptions) -> None:
    """Train the autoencoder, or load the one that the work folder holds."""
    checkpoint = options.work / "vae.safetensors"
    if "vae" in options.stages and (options.again or not is_finished(checkpoint)):
        _train_vae(accelerator, parts, options)
    elif options.init is not None and not checkpoint.exists():
        write_tensors(checkpoint, parts.vae.state_dict())
    elif not checkpoint.exists():
        raise UserError(f"There is no autoencoder in {options.work}.", "Train it first, with --stages vae.")
    parts.vae.load_state_dict(load_file(checkpoint))
    parts.vae.requires_grad_(False).eval()


def _train_vae(accelerator: Accelerator, parts: BaseParts, options: TrainOptions) -> None:
    if accelerator.num_processes > 1:
        raise UserError("One process trains the autoencoder.", "Run --stages vae without accelerate launch first.")
    people = read_people(options.data, most=40, embedded=False)
    checkpoint, watch, started = options.work / "vae.safetensors", Watch(options.work), time.monotonic()
    if checkpoint.exists():  # trained again: from where it ended
        parts.vae.load_state_dict(load_file(checkpoint))
    elif options.decoder_only and options.init is None:
        raise UserError(f"There is no autoencoder in {options.work} to refine.", "Train a whole one, or give --init.")
    vae_options = VaeOptions(options.vae_minutes, seed=options.seed)
    if options.decoder_only:
        vae_options = replace(vae_options, decoder_only=True, learning_rate=REFINING_RATE)
    report = lambda step, loss: watch.step("vae", step, time.monotonic() - started, torch.tensor(loss))  # noqa: E731
    train_vae(parts.vae, people, vae_options, checkpoint, report)
    figures = {"psnr_normal": psnr(parts.vae, people.normal[:32]), "psnr_albedo": psnr(parts.vae, people.albedo[:32])}
    print(json.dumps(figures), flush=True)


def run_morphable(accelerator: Accelerator, parts: BaseParts, options: TrainOptions) -> BaseParts:
    """`parts` with the morphable head that is fitted here, that the work folder holds, or of the bundle to start from.

    Of many processes the main one fits, before the others come. Without a morphable model there may be none.
    """
    folder = options.work / MORPHABLE
    if (options.work / FORMER_MORPHABLE).is_dir() and not (options.work / MORPHABLE).is_dir():
        raise former_layout(options.work)
    again = options.again and accelerator.is_main_process
    if "morphable" in options.stages and options.ict is not None and (again or not folder.exists()):
        people = read_portrayed(options.faces or options.data)
        head = fit_morphable(parts, people, read_ict(options.ict), MorphableOptions(seed=options.seed))
        _write_morphable(head, folder)
        return with_morphable(parts, head)
    if folder.exists():
        return with_morphable(parts, load_morphable(folder))
    if options.ict is not None:
        raise UserError(f"There is no morphable head in {options.work}.", "Fit it first, with --stages morphable.")
    if parts.morphable is None and accelerator.is_main_process:
        print("There is no --ict to make a morphable head of: the base learns without one.", file=sys.stderr)
    return parts


def _write_morphable(head: MorphableHead, folder: Path) -> None:
    """Write a morphable head that is whole or not there."""
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    save_morphable(head, partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def prepare(parts: BaseParts, options: TrainOptions) -> tuple[Model, Data]:
    """The model with fresh branches whose identity MLP starts whitened, and the dataset's scaled latents."""
    people, latents = _encoded(parts, options.data, options.work, "latents")
    if options.base is None:
        parts.vae.register_to_config(scaling_factor=scaling_factor(latents))
    id_dim, width = people.embedding.shape[-1], parts.unet.config.cross_attention_dim
    if parts.morphable is not None and parts.morphable.config.id_dim != id_dim:
        known = parts.morphable.config.id_dim
        what = f"The morphable head reads {known} numbers of a face, and the portraits have {id_dim}."
        raise UserError(what, "Fit it anew, with --stages morphable --again and --ict, or begin without --init.")
    model = Model(parts, {domain: new_branches(parts.unet, id_dim, width) for domain in DOMAINS}).to(parts.vae.device)
    for domain, branch in model.branches.items():
        whiten(branch, "identity", mean_embedding(people.embedding))
        whiten(branch, "expression", model.descriptors().detach())
        if options.init is not None:
            start_branches(branch, options.init / domain, same_layers(parts, options.init))
    return model, Data(people, _scaled(parts, latents))


def _held_out(parts: BaseParts, options: TrainOptions) -> Data | None:
    if options.held_out is None:
        return None
    people, latents = _encoded(parts, options.held_out, options.work, "latents-held")
    return Data(people, _scaled(parts, latents))


def _encoded(parts: BaseParts, folder: Path, work: Path, name: str) -> tuple[People, dict[str, torch.Tensor]]:
    people = read_people(folder, pictures=False)
    path = work / f"{name}-{len(people.person)}.safetensors"
    return people, cache_latents(parts.vae, people, path, read_shards(folder))


def _scaled(parts: BaseParts, latents: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """In half precision still, which is all that is kept in memory."""
    return {domain: value.mul_(parts.vae.config.scaling_factor) for domain, value in latents.items()}


if __name__ == "__main__":
    run_command(main)
