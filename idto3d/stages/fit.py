"""The first stage: the template becomes this person, from photos where there are any, and from words.

It takes seconds, and its pictures are already a head: what follows refines the shape and paints what no photo saw.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.config import HeadOptions, MaterialOptions
from idto3d.events import Event, Notice, StageStarted, StepDone
from idto3d.evidence.completion import symmetry_of, vertex_means
from idto3d.evidence.fit import familiarity
from idto3d.evidence.judgement import resting
from idto3d.evidence.light import brightness
from idto3d.evidence.projection import Look, ramp
from idto3d.evidence.relief import CARVED_MM
from idto3d.evidence.skin import LEAST_SEEN, LIT_FROM, SkinColour, SkinMap, skin_from, skin_of_words
from idto3d.fields.template_shape import Rest
from idto3d.head.features.assemble import head_of, settled
from idto3d.head.features.face_masks import skin_masks
from idto3d.head.features.regions import regions_of
from idto3d.head.hair.beard.part import BeardPart
from idto3d.head.hair.part import HairPart
from idto3d.head.paint.age import Aged, aged, lined
from idto3d.head.paint.atlas import texels_of
from idto3d.head.paint.eye_texture import iris_of_words
from idto3d.head.paint.hollows import DARKER, hollow
from idto3d.head.paint.pores import shaded, skin_dents
from idto3d.head.paint.unevenness import uneven
from idto3d.head.paint.usual_skin import (
    DARKER_BEARD,
    beard_place,
    facial_hair,
    grown_over,
    lip_share,
    plain_skin,
    razored,
    unseen_hair,
    usual_skin,
)
from idto3d.head.parts import Head
from idto3d.head.start import WORDS, Start, seen_in_face
from idto3d.head.template import EYE_SOCKETS, MOUTH_SOCKET
from idto3d.head.template_model import Template
from idto3d.stages.beard import asked_for, beard_of
from idto3d.stages.choice.choose import chosen_head, is_chosen, shape_of_words
from idto3d.stages.choice.rest import relaxed, rest_weights
from idto3d.stages.dressing import Worn, melanin_of, worn_textures
from idto3d.stages.evidence import Taken, fit_person, iris_of, skin_looks
from idto3d.stages.hair import hair_of, widened, with_scalp
from idto3d.stages.models import Models
from idto3d.subject.subject import Subject
from idto3d.words.arkit import ARKIT, TONGUE_OUT
from idto3d.words.expressions import NAMES

STAGE, STEPS = "fit", 4
WITH_DLIB = ("portrait", "dlib")  # encoders whose embeddings begin with dlib's numbers
INNER = ("eye_left", "eye_right", "teeth")
SOCKETS = slice(MOUTH_SOCKET.start, None)
FREE_FROM_M = (0.004, 0.015)  # distances from eyes and mouth between which the skin becomes free to move, metres
SEEN_HOLD = 3.0
BESIDE_PHOTOS = 0.5  # of the unevenness where photos, which are smoother, show the skin beside it
BEARD_SURE = 0.6  # share of a beard, and of a texel that photos know, from which it tells its colour
BROW_FROM = (0.15, 0.6)  # logarithms by which a photo's brow is darker than skin, where it begins to hide it and does
LIPS_OPEN = 0.6  # of a hollow's shade that lips are without where they meet, for they open
BEARD_RINGS = 2  # of vertices around a photo's beard in which single hairs show


def all_expressions(asked: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are asked for, then the rest of our thirteen, then Apple's: a template head has them all."""
    return tuple(name for name in dict.fromkeys((*asked, *NAMES, *ARKIT)) if name != TONGUE_OUT)


def expected_coefficients(start: Start, models: Models) -> Tensor | None:
    """[K] template coefficients that photos' embedding and words let expect.

    None where a face was seen that the prior cannot read: what is expected of nobody in particular would hold the fit
    as firmly as what is expected of this person.
    """
    if start.embedding is not None and not models.prior.reads_faces:
        return None
    return models.prior.expected_coefficients(start.coefficients)


def _expected_of_photos(start: Start, models: Models) -> tuple[np.ndarray | None, float]:
    """[K] as `expected_coefficients`, and how far the embedding is like those that the prior learned to read, 0..1.

    The less it is, the more is expected what words say of people in general.
    """
    expected, prior = expected_coefficients(start, models), models.prior
    if expected is None or models.guidance.info.identity_encoder.name not in WITH_DLIB:
        return None if expected is None else expected.cpu().double().numpy(), 1.0
    familiar = familiarity(start.embedding, prior.embedding_mean.numpy(force=True))
    own = seen_in_face(start.embedding, prior)
    expected = prior.expected_coefficients(start.coefficients - (1 - familiar) * own)
    return expected.cpu().double().numpy() + (1 - familiar) * models.landmark_model.mean, familiar


@dataclass(frozen=True, eq=False)
class Fitted:
    """A person's head before any guidance: its shape, what photos say, and what its parts wear.

    `skin` is what the skin's texture is laid on and `colour` what photos and words make it; `wear` are all parts'
    textures, by material.
    """

    template: Template
    rest: Rest
    skin: SkinMap
    colour: SkinColour
    wear: Mapping[str, Worn]
    hair: HairPart | None
    taken: tuple[Taken, ...]


def fit_head(
    subject: Subject | None, start: Start, models: Models, options: HeadOptions
) -> Generator[Event, None, Fitted]:
    """The head that photos and words say, with all expressions; reports a picture of it."""
    yield StageStarted(STAGE, STEPS)
    template = models.template
    coefficients, relaxing, taken = yield from _who(subject, start, models, options)
    yield StepDone(STAGE, 1, STEPS)
    choice = is_chosen(options, models.scorer)
    vertices = settled(template, _shape(template, coefficients, start, taken, options.prompt, choice))
    relaxing = rest_weights(template, start.words(), relaxing if taken else None)
    head = head_of(template, relaxed(template, vertices, relaxing), all_expressions(options.expressions))
    yield StepDone(STAGE, 2, STEPS)
    skin = skin_map(template, options.export.painted_size)
    years = _years(template, skin, start, taken, options.seed)
    colour = _skin_colour(taken, template, vertices, skin, start, options.seed)
    colour = colour if years is None else replace(colour, albedo=colour.albedo * np.exp(years.shade)[:, None])
    yield StepDone(STAGE, 3, STEPS)
    hair = hair_of(head, template, start, taken, options)
    colour = with_scalp(colour, hair, skin)
    beard = beard_of(head, template, start, taken, colour, skin, options)
    grown = [one for one in (hair, beard) if one is not None]
    share = options.carving.relief * (BESIDE_PHOTOS if taken else 1.0) * (1 - colour.known)
    carved = _uneven(years, skin, start, share, options.seed)
    shown = replace(colour, depth=np.zeros(len(colour.known))) if reads_relief(options.material) else colour
    wear = worn_textures(template, skin, shown, grown, iris_of(taken) or iris_of_words(start.words()), carved)
    rest = Rest(_with_hair(head, grown), free_to_move(template), _held(template, skin, colour), coefficients)
    yield StepDone(STAGE, STEPS, STEPS)
    return Fitted(template, rest, skin, colour, wear, hair, taken)


def reads_relief(material: MaterialOptions) -> bool:
    """Whether a network is to say how pores rise that no photo shows; unevenness and lines of age come beside."""
    return material.translate and material.relief == "read"


def _who(
    subject: Subject | None, start: Start, models: Models, options: HeadOptions
) -> Generator[Event, None, tuple[Tensor, Tensor, tuple[Taken, ...]]]:
    """Template coefficients [K], the weights [S] of the face at rest, and how each photo was taken."""
    template = models.template
    none = template.neutral.new_zeros(len(template.shapes))
    if subject is None or not subject.photos:
        usual, expected = template.neutral.new_zeros(len(template.identity)), expected_coefficients(start, models)
        usual = usual if expected is None else expected.to(usual)
        return chosen_head(usual, start, template, models.scorer, options), none, ()
    if options.choice.chosen:
        yield Notice("Photos say who the head is; the candidate that was chosen is not used.")
    known, familiar = _expected_of_photos(start, models)
    fit, taken = yield from fit_person(subject.photos, template, models.landmark_model, known, familiar)
    return torch.from_numpy(fit.coefficients).to(none), torch.from_numpy(resting(fit, template.shapes)).to(none), taken


def _shape(
    template: Template, coefficients: Tensor, start: Start, taken: Sequence[Taken], prompt: str, choice: bool
) -> Tensor:
    """[V, 3] the head of the coefficients; somebody on photos is as they show, see edit.paint.told."""
    if taken:
        return template.shape(coefficients)
    return shape_of_words(template, coefficients, start.words(), prompt, choice)


def skin_map(template: Template, size: int) -> SkinMap:
    """What a skin texture of `size` pixels is laid on."""
    part = template.part("skin")
    faces, uvs = part.faces.cpu().numpy(), part.uvs.cpu().numpy()
    mean = template.neutral[part.vertices].cpu().double().numpy()
    masks = regions_of(template)
    shaded = torch.maximum(masks.lids, masks.neck)[part.vertices].cpu().double().numpy()
    about = plain_skin(mean), lip_share(mean), shaded
    return SkinMap(texels_of(faces, uvs, size), faces, uvs, symmetry_of(mean), mean, *about)


def _skin_colour(taken, template: Template, vertices: Tensor, skin: SkinMap, start: Start, seed: int) -> SkinColour:
    mean = template.neutral[template.part("skin").vertices].cpu().double().numpy()
    usual, hair = _shaded(usual_skin(mean, start.words()), skin), facial_hair(mean, start.words(), skin.texels, seed)
    looks = skin_looks(taken, template, vertices, skin)
    looks = [without_beard(one, start, skin) for one in looks] if asked_for(start) else looks
    looks = [one for one in looks if (one.share > LIT_FROM).sum() >= LEAST_SEEN]
    if looks:
        colour = skin_from(looks, usual, skin, melanin_of(start), seed)
    else:
        dents = skin_dents(template, skin.texels, start.words().get("age", ""), seed)
        colour = replace(skin_of_words(usual, skin, seed, shaded(dents)), depth=dents)
        colour = replace(colour, albedo=razored(colour.albedo, mean, start.words(), skin.texels, seed))
    if (rgb := beard_colour(looks, colour)) is not None:
        hair = replace(hair, beard_rgb=DARKER_BEARD * rgb)
    hair = unseen_hair(hair, colour.known, asked_for(start))
    corners = skin.texels.corners
    inner = ((corners >= MOUTH_SOCKET.start) & (corners < EYE_SOCKETS.stop)).all(1)[:, None]
    albedo = np.where(inner, skin.texels.read(usual), grown_over(colour.albedo, hair))
    known, hairs = np.where(inner[:, 0], 1.0, colour.known), np.maximum(hair.brow, hair.beard)
    return SkinColour(albedo, known, colour.depth, np.maximum(hairs, brows_shown(colour, template, skin)))


def _shaded(usual: np.ndarray, skin: SkinMap) -> np.ndarray:
    """`usual` [V, 3] of the skin, darker in its hollows; but for the mouth, which opens."""
    lips = skin_masks(skin.positions)["lips"]
    deep = hollow(skin.hidden) * (1 - LIPS_OPEN * lips)
    deep[SOCKETS] = 0
    return usual * np.exp(-deep[:, None] * DARKER)


def brows_shown(colour: SkinColour, template: Template, skin: SkinMap) -> np.ndarray:
    """[N] 0..1 how far brows that photos show hide the skin: where they lie, what is darker than it."""
    if not colour.known.any():
        return np.zeros(len(colour.known))
    own = regions_of(template).brows[template.part("skin").vertices].cpu().double().numpy()
    plain = (skin.texels.read(skin.plain[:, None])[:, 0] > 0.8) & (colour.known > 0.8)
    tone = np.log(np.maximum(brightness(colour.albedo), 1e-3))
    usual = np.median(tone[plain]) if plain.any() else np.median(tone)
    darker = np.clip((usual - tone - BROW_FROM[0]) / (BROW_FROM[1] - BROW_FROM[0]), 0, 1)
    return colour.known * darker * skin.texels.read(np.clip(2 * own, 0, 1)[:, None])[:, 0]


def beard_colour(looks: Sequence[Look], colour: SkinColour) -> np.ndarray | None:
    """[3] linear, the colour of the beard that photos show; None where they show hardly any."""
    if not looks:
        return None
    sure = (np.max([one.grown for one in looks], 0) > BEARD_SURE) & (colour.known > BEARD_SURE)
    return np.median(colour.albedo[sure], 0) if sure.sum() >= LEAST_SEEN else None


def without_beard(look: Look, start: Start, skin: SkinMap) -> Look:
    """A look that does not show the beard on the photo where the one that words ask for does not grow."""
    grown, _ = vertex_means(skin.texels, look.grown[:, None], np.ones(len(look.grown)), skin.vertices)
    for _ in range(BEARD_RINGS):
        grown = widened(grown[:, 0], skin.faces)[:, None]
    bare = 1 - beard_place(skin.positions, start.words()["beard"])
    return replace(look, share=look.share * (1 - np.clip(skin.texels.read(grown * bare[:, None])[:, 0], 0, 1)))


def _years(template: Template, skin: SkinMap, start: Start, taken: Sequence[Taken], seed: int) -> Aged | None:
    """What the age that words say has left on the skin; None of a young face, and where photos show it anyway."""
    age = start.traits.get("age")
    if age is None or (taken and age.source != WORDS):
        return None
    mean = template.neutral[template.part("skin").vertices].cpu().double().numpy()
    return aged(mean, lined(start.words()), skin.texels, seed)


def _uneven(years: Aged | None, skin: SkinMap, start: Start, share: np.ndarray, seed: int) -> Aged | None:
    """What years have left on the skin, which is uneven besides, as deeply as `share` [N] says."""
    if not share.any():
        return years
    waves = uneven(skin.positions, start.words(), skin.texels, seed) / CARVED_MM
    left = Aged(np.zeros_like(waves), np.zeros_like(waves)) if years is None else years
    return replace(left, depth=left.depth + share * waves)


def free_to_move(template: Template) -> Tensor:
    """[V] 0..1, where the skin's shape may change: not where it lies against the eyes or inside the mouth."""
    own = template.part("skin").vertices
    inner = [template.neutral[template.part(name).vertices] for name in INNER] + [template.neutral[SOCKETS]]
    gap, _ = cKDTree(torch.cat(inner).cpu().numpy()).query(template.neutral[own].cpu().numpy())
    return torch.from_numpy(ramp(gap, *FREE_FROM_M)).to(template.neutral)


def _held(template: Template, skin: SkinMap, colour: SkinColour) -> Tensor:
    """[V] how firmly each vertex of the skin stays where it is: more where photos show it."""
    known, _ = vertex_means(skin.texels, colour.known[:, None], np.ones(len(colour.known)), skin.vertices)
    return torch.from_numpy(1 + SEEN_HOLD * known[:, 0]).to(template.neutral)


def known_at(rest: Rest) -> Tensor:
    """[V] 0..1, how far photos show each vertex of the skin."""
    return (rest.held - 1) / SEEN_HOLD


def _with_hair(head: Head, grown: Sequence[HairPart | BeardPart]) -> Head:
    return head.wearing(*(replace(one.part, normals=one.normals) for one in grown))
