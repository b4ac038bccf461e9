"""Questions to the guidance with a known answer: which of several true pictures does its sample resemble most?

A held-out person is described by words and by embeddings of *other* portraits of theirs; the sample is compared with
the true map of that person and with those of others (another person, expression, view, hair), which are drawn alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from idto3d.guidance.cameras import camera_codes
from idto3d.guidance.conditions import Conditions, joined
from idto3d.guidance.prediction import Guidance
from idto3d.training.denoiser import mean_embedding
from idto3d.training.measure.even_light import portrait_light
from idto3d.training.people import synthetic
from idto3d.training.people.person import Person, changed, draw_person
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import view_word
from idto3d.words.traits import TAUGHT_COLOURS, TAUGHT_STYLES

VIEWS_DEG = (0.0, 45.0, 90.0, 135.0, 180.0, -135.0, -90.0, -45.0)
VIEW_CHANCE = (0.28, 0.16, 0.10, 0.06, 0.08, 0.06, 0.10, 0.16)
WHITE_LEVEL = 250  # above this in all channels a pixel counts as background
VISIBLE_LEVELS = 12  # grey levels by which two candidates must differ at a pixel for it to count
ASKED_WORDS = {  # word -> attribute, opposite
    **{"baby": ("age", "young"), "old": ("age", "young")},
    **{"male": ("gender", "female"), "female": ("gender", "male")},
}
OTHER_STRANDS_SEED = 500_000_000  # added to a seed: the same words with other hair


@dataclass(frozen=True)
class Sight:
    """A person in one expression (index) from one azimuth in degrees; `said`: whether a prompt describes them."""

    person: Person
    expression: int
    azimuth_deg: float
    said: bool = True


@dataclass(frozen=True)
class Case:
    """What is to be sampled, and unit embeddings [P, D] of portraits in other light, view and expression.

    light: [P, 2] how unevenly each portrait is lit, see even_light.py.
    """

    sight: Sight
    embeddings: torch.Tensor
    light: np.ndarray

    def identity(self, portraits: int) -> torch.Tensor:
        """Mean embedding [D] of the first `portraits` of them."""
        return mean_embedding(self.embeddings[None, :portraits])[0]


def draw_case(studio, encoder, seed: int, portraits: int) -> Case | None:
    """A case from a seed; None where one of the `portraits` shows no face to the encoder."""
    person, random = draw_person(seed, studio.model.words), np.random.default_rng([seed, 5])
    embeddings, light = [], []
    for _ in range(portraits):
        index, strength = synthetic.draw_expression(random)
        weights = studio.model.weights(EXPRESSIONS[index], strength * 0.6)
        portrait = synthetic.portrait(synthetic.sculpt(studio, person, weights), random, 256)
        faces = encoder.embed(portrait)
        if not faces:
            return None
        embeddings.append(faces[0].embedding)
        light.append(portrait_light(portrait, faces[0].landmarks))
    sight = Sight(person, int(random.integers(len(EXPRESSIONS))), float(random.choice(VIEWS_DEG, p=VIEW_CHANCE)))
    return Case(sight, torch.from_numpy(np.stack(embeddings)), np.array(light))


def truth(studio, sight: Sight, domain: str, size: int, dressed: synthetic.Dressed | None = None) -> np.ndarray:
    """The true normal or albedo map [S, S, 3] uint8; `dressed` is what the person wears, made here when None."""
    sculpture = synthetic.sculpt(studio, sight.person, studio.model.weights(EXPRESSIONS[sight.expression]), dressed)
    normal, albedo, _ = synthetic.maps(sculpture, synthetic.camera(sight.azimuth_deg, 0.0), size)
    return normal if domain == "geometry" else albedo


def samples(
    guidance: Guidance, domain: str, asked: Sequence[tuple[Sight, torch.Tensor]], steps: int, scale, seed: int
) -> list[np.ndarray]:
    """A sampled map [S, S, 3] uint8 for each pair of a sight, described if it is said, and an identity [D]."""
    given = [_conditions(guidance, domain, *pair) for pair in asked]
    return _pictures(guidance.sample(domain, joined(given), steps, torch.Generator().manual_seed(seed), scale))


def morphable_picture(guidance: Guidance, domain: str, sight: Sight, identity: torch.Tensor) -> np.ndarray | None:
    """The map [S, S, 3] uint8 of the morphable head; None where the guidance has none."""
    if guidance.bundle.parts.morphable is None:
        return None
    return _pictures(guidance.morphable_pictures(domain, _conditions(guidance, domain, sight, identity)))[0]


def _pictures(images: torch.Tensor) -> list[np.ndarray]:
    return list((images.permute(0, 2, 3, 1).cpu().numpy() * 255).round().astype(np.uint8))


def _conditions(guidance: Guidance, domain: str, sight: Sight, identity: torch.Tensor) -> Conditions:
    descriptor = EXPRESSIONS[sight.expression].descriptor
    subject = sight.person.subject() if sight.said else "person"
    prompt = guidance.info.prompt(domain, view_word(sight.azimuth_deg), subject, descriptor)
    camera = camera_codes(torch.tensor([sight.azimuth_deg]), torch.zeros(1))
    return guidance.conditions([prompt], "", identity, [descriptor], camera)


def angle(first: np.ndarray, second: np.ndarray) -> float:
    """Mean angle in degrees between two normal maps [S, S, 3] uint8 where either shows the head."""
    a, b = (image.astype(np.float32) / 127.5 - 1 for image in (first, second))
    inside = ~((first > WHITE_LEVEL).all(-1) & (second > WHITE_LEVEL).all(-1))
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosine = (a * b).sum(-1)[inside] / np.maximum(lengths[inside], 1e-6)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())


def nearest_by_angle(image: np.ndarray, candidates: Sequence[np.ndarray]) -> int:
    """Which of the normal maps lies nearest to `image`."""
    return int(np.argmin([angle(image, candidate) for candidate in candidates]))


def nearest_by_colour(image: np.ndarray, candidates: Sequence[np.ndarray]) -> int:
    """Which of the albedo maps lies nearest to `image` in sRGB where the candidates differ at all."""
    stack = np.stack(candidates).astype(np.float32)
    differs = np.ptp(stack, axis=0).max(-1) > VISIBLE_LEVELS
    gaps = np.abs(stack - image.astype(np.float32))[:, differs].mean((1, 2))
    return int(np.argmin(gaps))


def other_people(sight: Sight, people: Sequence[Person]) -> list[Sight]:
    """The sight first, then the same view and expression of the other people, with the sight's hair and skin."""
    return [sight, *(replace(sight, person=replace(sight.person, coefficients=p.coefficients)) for p in people)]


def other_expressions(sight: Sight) -> list[Sight]:
    """The sight first, then the same in all other expressions."""
    return [sight, *(replace(sight, expression=e) for e in range(len(EXPRESSIONS)) if e != sight.expression)]


def other_views(sight: Sight) -> list[Sight]:
    """The sight first, then the same from the seven other sides."""
    return [sight, *(replace(sight, azimuth_deg=a) for a in VIEWS_DEG if a != sight.azimuth_deg)]


def other_styles(sight: Sight) -> list[Sight]:
    """The sight first, then the same with every other hair style."""
    return [sight, *(_with_look(sight, hair_style=s) for s in TAUGHT_STYLES if s != sight.person.look.hair_style)]


def other_colours(sight: Sight) -> list[Sight]:
    """The sight first, then the same with every other hair colour."""
    return [sight, *(_with_look(sight, hair_colour=c) for c in TAUGHT_COLOURS if c != sight.person.look.hair_colour)]


def _with_look(sight: Sight, **changed: str) -> Sight:
    return replace(sight, person=replace(sight.person, look=replace(sight.person.look, **changed)))


def average_head(person: Person, average: np.ndarray) -> Person:
    """Whoever is known by nothing but the words about hair and skin: `average` [C] coefficients, other strands."""
    return replace(person, coefficients=average, seed=person.seed + OTHER_STRANDS_SEED)


def with_word(person: Person, word: str, words: Sequence[str]) -> tuple[Person, Person]:
    """The person as `word` of ASKED_WORDS has it, and the opposite: a young adult, or the other gender."""
    attribute, opposite = ASKED_WORDS[word]
    return tuple(changed(person, words, **{attribute: value}) for value in (word, opposite))
