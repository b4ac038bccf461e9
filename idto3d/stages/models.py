"""What a run computes with: the encoder, the guidance, the prior it starts from, and the device they are on."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import torch

from idto3d.bundle.encoder import check_encoder, encoder_name
from idto3d.bundle.find import LocatedBundle, Weights, fetch_planned, plan_weights
from idto3d.bundle.layout import LANDMARK_MODEL_FILE, MATERIALS_FILE, PERSONAL_FILE, PRIOR_FILE, TEMPLATE_FILE
from idto3d.config import EMBEDDED, GuidanceOptions, HeadOptions
from idto3d.device import choose_device
from idto3d.errors import UserError
from idto3d.events import Event, Notice
from idto3d.evidence.landmark_model import LandmarkModel, load_landmark_model
from idto3d.fields.hash_grid import expect_encoding
from idto3d.guidance.compiling import check_compiling, compile_networks
from idto3d.guidance.loading import Bundle, load_beside, load_refinement, load_weights
from idto3d.guidance.memory import expect_memory, expect_room
from idto3d.guidance.prediction import Guidance
from idto3d.guidance.scorer.find import find_scorer
from idto3d.guidance.scorer.scorer import Scorer
from idto3d.head.motion.personal_file import with_personal
from idto3d.head.prior import HeadPrior
from idto3d.head.prior_file import load_prior, load_start_prior, without_regression
from idto3d.head.sculpt.forms import has_forms
from idto3d.head.start import Start
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.render.backend import make_rasterizer
from idto3d.stages.materials.network import MaterialNet, load_materials
from idto3d.stages.wish import Companion, Wish
from idto3d.subject.encoders import make_encoder
from idto3d.subject.face import IdentityEncoder

EVERYBODYS = (
    "The head moves as every head does: these weights have a template of their own, but no personal expressions."
)
FORMLESS = "Age, gender and ancestry show less in the head: these weights have a template that no forms are known of."


@dataclass(frozen=True, eq=False)
class Models:
    """The guidance, the prior, and the device both are on.

    `refinement` is the second guidance with its weight, None where the bundle has none or it is not wanted. `title`
    names the weights with their commit. `beside` are asked beside the guidance. `materials` reads a skin's shine and
    relief from its colour, None where that is not wanted.
    `scorer` chooses the head of words alone, None where nothing is to be chosen.
    """

    guidance: Guidance
    prior: HeadPrior
    device: torch.device
    refinement: tuple[Guidance, float] | None
    title: str
    template: Template
    landmark_model: LandmarkModel
    beside: tuple[Companion, ...] = ()
    materials: MaterialNet | None = None
    scorer: Scorer | None = None


def load_encoder(weights: LocatedBundle, asked: str) -> IdentityEncoder:
    """The encoder that is `asked` for, see `encoder_name`, its models loaded.

    Raises UserError where it is not the weights' own, or its file is missing or damaged.
    """
    encoder = make_encoder(encoder_name(weights.info, asked), weights.identity_path())
    check_encoder(weights.info, encoder.name, encoder.dimension)
    return encoder


def load_models(
    options: HeadOptions, encoder: IdentityEncoder | None, weights: LocatedBundle
) -> Generator[Event, None, Models]:
    """Fetch where needed, and load the weights, reporting a download's size, licence and progress.

    encoder: that of the photos, None without any. Raises UserError where the weights are missing or were trained with
    another encoder, which is said before anything large is fetched, and where they need more memory than is free.
    """
    device, asked = choose_device(options.device), options.guidance
    if encoder is not None:
        check_encoder(weights.info, encoder.name, encoder.dimension)
    refine = asked.refinement and options.material.refine_steps > 0
    planned = yield from plan_weights(weights, refine, asked.beside)
    expect_room(planned, device)
    files = yield from fetch_planned(planned)
    expect_memory(files, max(options.shape.views, options.material.views), device, refine)
    template, prior = load_template(files.own_or_embedded(TEMPLATE_FILE), device), start_prior(options, files, device)
    _expect_fit(prior, template)
    if encoder is None and not has_forms(template):
        yield Notice(FORMLESS)
    if options.rig.personal:
        template = yield from _personal(template, files)
    bundle = load_weights(files, device)
    second = load_refinement(files, device, main=bundle) if refine else None
    beside = companions(files, bundle, asked)
    for loaded in (bundle, *filter(None, [second]), *(one.guidance.bundle for one in beside)):
        compile_networks(loaded, asked.compile)
    return Models(
        guidance=Guidance(bundle, asked.lambda_id, asked.lambda_exp),
        prior=prior,
        device=device,
        refinement=second and (Guidance(second, asked.lambda_id), files.info.refinement.weight),
        title=files.title,
        template=template,
        landmark_model=load_landmark_model(files.own_or_embedded(LANDMARK_MODEL_FILE)),
        beside=beside,
        materials=load_materials(files.own_or_embedded(MATERIALS_FILE)) if options.material.translate else None,
        scorer=(yield from choosing(options, files, template)) if encoder is None else None,
    )


def _personal(template: Template, files: Weights) -> Generator[Event, None, Template]:
    """The template whose heads have expressions of their own, where the weights have such; says it where not."""
    own = with_personal(template, files.own_or_embedded(PERSONAL_FILE))
    if own.personal is None:
        yield Notice(EVERYBODYS)
    return own


def choosing(
    options: HeadOptions, files: Weights | LocatedBundle, template: Template
) -> Generator[Event, None, Scorer | None]:
    """The scorer that chooses among candidates; None where there is nothing to choose. Raises UserError."""
    if options.choice.chosen or not options.choice.candidates:
        return None
    return (yield from find_scorer(options.choice.scorer, files, len(template.identity), template.neutral.device))


def companions(weights: Weights, main: Bundle, asked: GuidanceOptions) -> tuple[Companion, ...]:
    """What the bundle `main` has beside its own guidance. Raises UserError."""
    return tuple(
        Companion(Guidance(bundle, asked.lambda_id), one.domain, one.picture, one.weight)
        for one, bundle in load_beside(weights, main)
    )


def ready_device(options: HeadOptions) -> torch.device:
    """The device of a run. Raises UserError where it is not there, or cannot do what `options` ask of it."""
    device = choose_device(options.device)
    check_compiling(options.guidance.compile, device)
    make_rasterizer(device)
    for section in (options.shape, options.material):
        expect_encoding(section.hash_grid, device)
    return device


def start_prior(options: HeadOptions, files: Weights | LocatedBundle, device: torch.device) -> HeadPrior:
    """The bundle's own prior; without one the embedded bundle's, which reads no embedding of another encoder's.

    Where none is wanted (`shape.prior`), that one is deaf to words as well: it starts from the mean head.
    """
    own, dimension = files.folder / PRIOR_FILE, files.info.identity_encoder.dimension
    if own.is_file() and options.shape.prior:
        return load_start_prior(own, device, dimension)
    return without_regression(load_prior(EMBEDDED / PRIOR_FILE, device), dimension, words=options.shape.prior)


def _expect_fit(prior: HeadPrior, template: Template) -> None:
    """Raise UserError unless the prior is one of heads of the template's identity modes."""
    modes, known = len(template.identity), prior.size.coefficients
    if modes != known:
        what = f"The weights' template has {modes} identity modes, the head prior knows {known}."
        raise UserError(what, "Bring a head prior along that was fitted to this template.")


def make_wish(start: Start, options: HeadOptions, models: Models) -> Wish:
    """What the guidance is asked for; without photos, for nobody in particular."""
    nobody = np.zeros(models.guidance.info.identity_encoder.dimension, np.float32)
    identity = torch.from_numpy(nobody if start.embedding is None else start.embedding)
    wish = plain_wish(start.subject, identity, options, options.guidance, models.guidance)
    if models.refinement is None:
        return replace(wish, beside=models.beside)
    refinement = replace(wish, guidances=(models.refinement,), guidance_scale=None)
    return replace(wish, refinement=refinement, beside=models.beside)


def plain_wish(
    subject: str, identity: torch.Tensor, options: HeadOptions, asked: GuidanceOptions, guidance: Guidance
) -> Wish:
    """A wish to one guidance for the person whom `subject`, a caption's noun phrase, and `identity` [D] say."""
    return Wish(
        guidances=((guidance, 1.0),),
        identity=identity.to(guidance.device),
        subject=subject,
        negative_prompt=options.negative_prompt,
        expressions=options.expressions,
        form=asked.form,
        guidance_scale=asked.guidance_scale,
        words=asked.words,
    )
