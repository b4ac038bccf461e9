"""The product on one page: photos and words in, events out, a relightable and expressive head last.

A person is read from the photos, a shape is grown from the head prior by the geometry guidance, its surface is
painted by the albedo guidance, and the asset is written. Closing the generator cancels the run.
"""

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError

from idto3d.bundle.find import Found, fetch_weights, find_bundle
from idto3d.bundle.info import BundleInfo, check_encoder, check_encoder_name
from idto3d.checks import checked
from idto3d.config import AUTO, HDRI, HeadOptions, RenderOptions, as_json
from idto3d.device import choose_device
from idto3d.errors import UserError
from idto3d.events import Event, Finished, LikenessMeasured, Notice
from idto3d.export.asset import write_asset
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.view import draw_view
from idto3d.fields.material_field import Material
from idto3d.fields.shape_field import ShapeStart
from idto3d.guidance.loading import load_refinement, load_weights
from idto3d.guidance.prediction import Guidance
from idto3d.head.colours import first_colours
from idto3d.head.ellipsoid import EllipsoidPrior
from idto3d.head.parts import HeadShape
from idto3d.head.prior import HAIR_STYLES, HeadPrior, load_prior
from idto3d.render.backend import make_rasterizer
from idto3d.render.environment import environment_to, load_environments
from idto3d.stages.material import Canvas, make_canvas, paint_material, relit_picture
from idto3d.stages.shape import Checkpoints, grow_shape, shape_from, shape_tensors
from idto3d.stages.wish import Wish
from idto3d.subject.encoders import FREE, make_encoder, to_download
from idto3d.subject.face import IdentityEncoder
from idto3d.subject.similarity import cosine, same_person
from idto3d.subject.subject import Subject, read_subject
from idto3d.words import looks, prompts

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Models:
    """What a run computes with: the guidance, the prior it starts from, and the device both are on.

    `refinement` is the second guidance with its weight, None where the bundle has none or it is not wanted. `title`
    names the weights with their commit.
    """

    guidance: Guidance
    prior: HeadPrior | EllipsoidPrior
    device: torch.device
    refinement: tuple[Guidance, float] | None
    title: str


def create_head(
    photos: list[Path], options: HeadOptions, folder: Path, checkpoints: Checkpoints, resume: bool = False
) -> Iterator[Event]:
    """Turn photos of one person, words, or both into a head in `folder`, reporting as it goes.

    `checkpoints` is where the stages save themselves; with `resume` the run goes on from its latest one. The last
    event is Finished. Raises UserError for what the user can fix.
    """
    found = yield from find_bundle(checked(options).weights)
    subject, encoder = yield from meet(photos, options, found)
    models = yield from load_models(options, encoder, found)
    yield from say_unknown(options, models.guidance.info)
    yield from say_looks(subject)
    wish = make_wish(subject, options, models)
    yield from say_cut(wish)
    saved = checkpoints.latest() if resume else None
    shape, z = yield from carve(wish, subject, models, options, checkpoints, saved)
    look = seen_looks(subject) | looks.said_looks(options.prompt)
    head = yield from colour(wish, shape, z, look, models, options, checkpoints, saved)
    if subject is not None:
        yield measured(head, subject, encoder)
    glb = yield from write_asset(shape, head.material, folder, options.export, provenance(options, models))
    yield Finished(folder, glb)


def encoder_for(found: Found, asked: str) -> IdentityEncoder:
    """The identity encoder that is asked for by name, or of "auto" the one that the weights were trained with.

    An encoder whose models have terms of their own is never chosen unasked. Raises UserError where it is not the
    weights' own, or its file is missing or damaged.
    """
    encoder = make_encoder(encoder_name(found, asked), found.identity_path())
    check_encoder(found.info, encoder.name, encoder.dimension)
    return encoder


def encoder_name(found: Found, asked: str) -> str:
    """The name of that encoder, before anything of it is loaded. Raises UserError where it is not the weights' own."""
    own = found.info.identity_encoder
    name = (own.name if own.name in FREE else "dlib") if asked == AUTO else asked
    check_encoder_name(found.info, name)
    return name


def meet(
    photos: list[Path], options: HeadOptions, found: Found
) -> Generator[Event, None, tuple[Subject | None, IdentityEncoder]]:
    """Who the photos show to the encoder of the weights that were found; None without photos.

    What the encoder downloads is told first.
    """
    if told := to_download(encoder_name(found, options.subject.encoder)):
        yield Notice(told)
    encoder = encoder_for(found, options.subject.encoder)
    if not photos:
        return None, encoder
    subject = yield from read_subject(photos, options.subject, encoder)
    return subject, encoder


def load_models(options: HeadOptions, encoder: IdentityEncoder, found: Found) -> Generator[Event, None, Models]:
    """Fetch where needed, and load the weights that were found, reporting a download's size, licence and progress.

    Raises UserError where they are missing or were trained with another encoder; that is told before anything large
    is fetched.
    """
    device, asked = choose_device(options.device), options.guidance
    check_encoder(found.info, encoder.name, encoder.dimension)
    refine = asked.refinement and options.material.refine_steps > 0
    weights = yield from fetch_weights(found, refine)
    bundle = load_weights(weights, device)
    second = load_refinement(weights, device) if refine else None
    return Models(
        guidance=Guidance(bundle, asked.lambda_id, asked.lambda_exp),
        prior=load_start(bundle.prior_path if options.shape.prior else None, device, encoder.dimension),
        device=device,
        refinement=second and (Guidance(second, asked.lambda_id), weights.info.refinement.weight),
        title=weights.title,
    )


def load_start(prior: Path | None, device: torch.device, dimension: int) -> HeadPrior | EllipsoidPrior:
    """The learned head prior of a file; without one an ellipsoid.

    Raises UserError where the file is damaged or of another version, or reads other embeddings.
    """
    if prior is None:
        return EllipsoidPrior()
    try:
        loaded = load_prior(prior, device)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as fault:
        what = f"The head prior {prior} is damaged or of another version of idto3d."
        raise UserError(what, "Fetch the weights again, or add --set shape.prior=no.") from fault
    if loaded.size.embedding != dimension:
        what = f"The head prior reads embeddings of {loaded.size.embedding} numbers, the encoder gives {dimension}."
        raise UserError(what, "Refit its regression: python -m idto3d.training.fit.head_prior --refit-regression")
    return loaded


def say_unknown(options: HeadOptions, info: BundleInfo) -> Iterator[Notice]:
    """Name the words that the weights' text encoder never saw, and say where expressions are mere words."""
    if options.prompt.strip() and not prompts.words(options.prompt):
        yield Notice("The prompt holds no word in Latin letters and is not heard. Write it in English.")
    unknown = info.unknown_words(prompts.meant(f"{options.prompt} {options.negative_prompt}"))
    if unknown:
        yield Notice(f"The weights '{info.name}' do not know: {', '.join(repr(word) for word in unknown)}.")
    if info.in_words():
        yield Notice(f"The weights '{info.name}' have no expression branch; expressions are asked for in words.")


def say_cut(wish: Wish) -> Iterator[Notice]:
    """Name the words of the prompt that the weights' text encoder has no room for."""
    guidance = wish.guidances[0][0]
    longest = guidance.info.prompt("geometry", max(prompts.VIEWS, key=len), wish.subject, "")
    lost = [word for word in prompts.words(guidance.cut_off(longest)) if word in prompts.words(wish.subject)]
    if lost:
        yield Notice(f"The prompt is too long for the weights; this is not heard: {' '.join(lost)}.")


def say_looks(subject: Subject | None) -> Iterator[Notice]:
    """Tell what the photos suggest, since it goes into the prompt and may be wrong."""
    if subject is not None and subject.looks:
        yield Notice(f"The photos suggest: {looks.describe(subject.looks)}. Words in the prompt overrule this.")


def make_wish(subject: Subject | None, options: HeadOptions, models: Models) -> Wish:
    """What the guidance is asked for; without photos, for nobody in particular."""
    info = models.guidance.info
    nobody = np.zeros(info.identity_encoder.dimension, np.float32)
    scale = options.guidance.guidance_scale
    wish = Wish(
        guidances=((models.guidance, 1.0),),
        identity=torch.from_numpy(nobody if subject is None else subject.embedding).to(models.device),
        subject=looks.subject_of(options.prompt, seen_looks(subject)),
        negative_prompt=options.negative_prompt,
        expressions=options.expressions,
        form=options.guidance.form,
        guidance_scale=info.guidance_scale if scale is None else scale,
    )
    if models.refinement is None:
        return wish
    second = models.refinement[0].info.guidance_scale
    return replace(wish, refinement=replace(wish, guidances=(models.refinement,), guidance_scale=second))


def seen_looks(subject: Subject | None) -> dict[str, str]:
    """What the photos say of hair, beard and skin; nothing without photos."""
    return {} if subject is None else subject.looks


def first_shape(subject: Subject | None, options: HeadOptions, models: Models) -> ShapeStart:
    """Shape coefficients, hair and beard to start from.

    Hair and beard are what the prompt says, else what the photos show; words such as "baby" shift the shape.
    """
    if not isinstance(models.prior, HeadPrior):
        return ShapeStart()
    z = torch.zeros(models.prior.size.modes, device=models.device)
    look = seen_looks(subject) | looks.said_looks(options.prompt)
    style = look.get("hair_style", "")
    if subject is not None:
        embedding = torch.from_numpy(subject.embedding).to(models.device)
        z = models.prior.shape_code(embedding)
        style = style or models.prior.styles[int(models.prior.hair_style(embedding).argmax())]
    z = z + models.prior.word_shift(prompts.words(prompts.meant(options.prompt)))
    beard = look.get("beard", "clean")
    grown = None if beard == "clean" else chosen(looks.BEARDS, beard)
    return ShapeStart(z, chosen(HAIR_STYLES, style or "short"), grown)


def chosen(names: tuple[str, ...], name: str) -> torch.Tensor:
    """[len(names)] one for `name`, zero for all others."""
    return torch.eye(len(names))[names.index(name)]


def carve(wish: Wish, subject, models: Models, options: HeadOptions, checkpoints: Checkpoints, saved):
    """The shape and its coefficients z, grown or taken from a checkpoint."""
    if saved is not None and saved.stage in ("shaped", "material"):
        return shape_from(saved.tensors, options.expressions, models.device)
    resumed = (saved.step, saved.tensors) if saved is not None and saved.stage == "shape" else None
    start = first_shape(subject, options, models)
    rasterizer = make_rasterizer(models.device)
    return (yield from grow_shape(wish, models.prior, start, options, rasterizer, checkpoints, resumed))


@dataclass(frozen=True, eq=False)
class Painted:
    """A finished head; the export asks for its material at points."""

    canvas: Canvas
    field: torch.nn.Module

    @torch.no_grad()
    def material(self, points: torch.Tensor, expression_id: int) -> Material:
        """Material [N, ...] at canonical points [N, 3] in one expression."""
        found = self.field(points, [expression_id])
        return Material(found.albedo[0], found.roughness[0], found.metallic[0], found.start, found.held)


def colour(
    wish: Wish, shape: HeadShape, z, look: dict[str, str], models: Models, options: HeadOptions, checkpoints, saved
):
    """The painted head; it starts in the colours of `look`."""
    lights = tuple(environment_to(light, models.device) for light in load_environments(HDRI))
    canvas = make_canvas(shape, lights, make_rasterizer(models.device))
    colours = first_colours(models.prior, z, look) if isinstance(models.prior, HeadPrior) else None
    resumed = (saved.step, saved.tensors) if saved is not None and saved.stage == "material" else None
    kept = shape_tensors(shape, z)
    field = yield from paint_material(wish, canvas, colours, options, checkpoints, kept, resumed)
    return Painted(canvas, field)


def measured(head: Painted, subject: Subject, encoder: IdentityEncoder) -> Event:
    """How alike the front render and the photos are, by the run's own encoder."""
    faces = encoder.embed(relit_picture(head.canvas, head.field, size=512))
    if not faces:
        return Notice("No face was found in the render, so its likeness could not be measured.")
    largest = max(faces, key=lambda face: face.box[2] - face.box[0])
    seen, wanted = (encoder.recognition(embedding) for embedding in (largest.embedding, subject.embedding))
    return LikenessMeasured(cosine(seen, wanted), encoder.name, same_person(encoder.border))


def provenance(options: HeadOptions, models: Models) -> Provenance:
    """What the asset says about its origin."""
    return Provenance(options.seed, models.title, models.guidance.info.licences(), as_json(options))


def render_view(folder: Path, options: RenderOptions) -> np.ndarray:
    """A picture [S, S, 3] uint8 sRGB of the finished head in `folder`; with `options.video` also its turntable."""
    return draw_view(folder, options)
