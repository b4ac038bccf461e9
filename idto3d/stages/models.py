"""What a run computes with: the encoder, the guidance, the prior it starts from, and the device they are on."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import torch

from idto3d.bundle.encoder import check_encoder, encoder_name
from idto3d.bundle.find import LocatedBundle, fetch_weights
from idto3d.bundle.layout import LANDMARK_MODEL_FILE, TEMPLATE_FILE
from idto3d.config import GuidanceOptions, HeadOptions
from idto3d.device import choose_device
from idto3d.events import Event
from idto3d.evidence.landmark_model import LandmarkModel, load_landmark_model
from idto3d.guidance.loading import load_refinement, load_weights
from idto3d.guidance.prediction import Guidance
from idto3d.head.ellipsoid import EllipsoidPrior
from idto3d.head.prior import HeadPrior
from idto3d.head.prior_file import load_start_prior
from idto3d.head.start import Start
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.stages.wish import Wish
from idto3d.subject.encoders import make_encoder
from idto3d.subject.face import IdentityEncoder


@dataclass(frozen=True, eq=False)
class Models:
    """The guidance, the prior, and the device both are on.

    `refinement` is the second guidance with its weight, None where the bundle has none or it is not wanted. `title`
    names the weights with their commit.
    """

    guidance: Guidance
    prior: HeadPrior | EllipsoidPrior
    device: torch.device
    refinement: tuple[Guidance, float] | None
    title: str
    template: Template
    landmark_model: LandmarkModel


def load_encoder(weights: LocatedBundle, asked: str) -> IdentityEncoder:
    """The encoder that is `asked` for, see `encoder_name`, its models loaded.

    Raises UserError where it is not the weights' own, or its file is missing or damaged.
    """
    encoder = make_encoder(encoder_name(weights.info, asked), weights.identity_path())
    check_encoder(weights.info, encoder.name, encoder.dimension)
    return encoder


def load_models(
    options: HeadOptions, encoder: IdentityEncoder, weights: LocatedBundle
) -> Generator[Event, None, Models]:
    """Fetch where needed, and load the weights, reporting a download's size, licence and progress.

    Raises UserError where they are missing or were trained with another encoder; that is said before anything large
    is fetched.
    """
    device, asked = choose_device(options.device), options.guidance
    check_encoder(weights.info, encoder.name, encoder.dimension)
    refine = asked.refinement and options.material.refine_steps > 0
    files = yield from fetch_weights(weights, refine)
    bundle = load_weights(files, device)
    second = load_refinement(files, device) if refine else None
    return Models(
        guidance=Guidance(bundle, asked.lambda_id, asked.lambda_exp),
        prior=load_start_prior(bundle.prior_path if options.shape.prior else None, device, encoder.dimension),
        device=device,
        refinement=second and (Guidance(second, asked.lambda_id), files.info.refinement.weight),
        title=files.title,
        template=load_template(files.own_or_embedded(TEMPLATE_FILE), device),
        landmark_model=load_landmark_model(files.own_or_embedded(LANDMARK_MODEL_FILE)),
    )


def make_wish(start: Start, options: HeadOptions, models: Models) -> Wish:
    """What the guidance is asked for; without photos, for nobody in particular."""
    nobody = np.zeros(models.guidance.info.identity_encoder.dimension, np.float32)
    identity = torch.from_numpy(nobody if start.embedding is None else start.embedding)
    wish = plain_wish(start.subject, identity, options, options.guidance, models.guidance)
    if models.refinement is None:
        return wish
    second = models.refinement[0].info.guidance_scale
    return replace(wish, refinement=replace(wish, guidances=(models.refinement,), guidance_scale=second))


def plain_wish(
    subject: str, identity: torch.Tensor, options: HeadOptions, asked: GuidanceOptions, guidance: Guidance
) -> Wish:
    """A wish to one guidance for the person whom `subject`, a caption's noun phrase, and `identity` [D] say."""
    own = guidance.info.guidance_scale
    return Wish(
        guidances=((guidance, 1.0),),
        identity=identity.to(guidance.device),
        subject=subject,
        negative_prompt=options.negative_prompt,
        expressions=options.expressions,
        form=asked.form,
        guidance_scale=own if asked.guidance_scale is None else asked.guidance_scale,
    )
