"""The stages of the denoiser: which parameters learn, for how long, and what is done with those already trained."""

from collections.abc import Iterator
from dataclasses import replace

from accelerate import Accelerator

from idto3d.errors import UserError
from idto3d.guidance.networks.lora import add_lora, lora_parameters
from idto3d.training.denoiser import Data, DenoiserOptions
from idto3d.training.loop import Stage, train_denoiser
from idto3d.training.model import Model, load_average
from idto3d.training.options import DENOISER_STAGES, TrainOptions
from idto3d.training.state import is_finished, state_path
from idto3d.training.watch import Watch, draw_curve
from idto3d.words.prompts import DOMAINS


def run_stages(
    accelerator: Accelerator, model: Model, data: Data, held_out: Data | None, watch: Watch, options: TrainOptions
) -> None:
    """Train every stage that is asked for and unfinished, load the others; the model ends with all of their results.

    Raises UserError where a stage that a later one builds on was never trained.
    """
    for name in needed(options):
        for stage in plan(name, model, options):
            if name in options.stages and (options.again or not is_finished(stage.checkpoint)):
                _train(accelerator, model, stage, data, held_out, watch)
            elif not stage.checkpoint.exists():
                raise UserError(f"There is no {stage.checkpoint} to build on.", f"Train the stage '{name}' first.")
            else:
                load_average(model, stage.checkpoint)


def needed(options: TrainOptions) -> tuple[str, ...]:
    """The denoiser's stages up to the last one that is asked for; a bundle needs all. A base of others is trained."""
    names = DENOISER_STAGES[1:] if options.base else DENOISER_STAGES
    if "bundle" in options.stages:
        return names
    asked = [index for index, name in enumerate(names) if name in options.stages]
    return names[: asked[-1] + 1] if asked else ()


def _train(
    accelerator: Accelerator, model: Model, stage: Stage, data: Data, held_out: Data | None, watch: Watch
) -> None:
    if stage.checkpoint.exists() and not state_path(stage.checkpoint).exists():
        load_average(model, stage.checkpoint)  # trained again: from where it ended
    train_denoiser(accelerator, model, stage, data, held_out, watch)
    if accelerator.is_main_process and (watch.folder / "log.jsonl").exists():
        draw_curve(watch.folder)


def plan(name: str, model: Model, options: TrainOptions) -> Iterator[Stage]:
    """The parts of stage `name` in turn, the model prepared for each: what learns is marked by `requires_grad`.

    The text encoder never learns, as in Stable Diffusion: trained along, ours came to give all captions of one view
    nearly the same states, and words and expressions went unheard.
    """
    denoiser = _denoiser_options(name, options)
    if name == "base":
        model.requires_grad_(True)
        for fixed in filter(None, (model.text_encoder, model.vae, model.morphable)):
            fixed.requires_grad_(False)
        yield Stage("base", DOMAINS, denoiser, options.work / "base.safetensors")
        return
    for domain in DOMAINS:
        if domain not in getattr(model.unet, "peft_config", {}):
            add_lora(model.unet, domain, options.rank_self, options.rank_cross)
        model.unet.set_adapters(domain, 1.0)
        model.requires_grad_(False)
        _mark_adapter(name, model, domain)
        title = f"{name}-{domain}"
        yield Stage(title, (domain,), denoiser, options.work / f"{title}.safetensors")


def _mark_adapter(name: str, model: Model, domain: str) -> None:
    """The paper's two stages: LoRA with the identity branch, then the expression branch alone."""
    parameters = model.branches[domain].branch_parameters("identity" if name == "style" else "expression")
    if name == "style":
        parameters += lora_parameters(model.unet, domain)
    for parameter in parameters:
        parameter.requires_grad_(True)


def _denoiser_options(name: str, options: TrainOptions) -> DenoiserOptions:
    minutes = getattr(options, f"{name}_minutes") / (1 if name == "base" else len(DOMAINS))
    return replace(options.denoiser, minutes=minutes, seed=options.seed)
