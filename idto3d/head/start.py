"""Who this head is, worked out once from photos and words: everything else reads it here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from idto3d.config import HeadOptions
from idto3d.head.prior import HeadPrior
from idto3d.subject.subject import Subject
from idto3d.words.asked import features_of
from idto3d.words.captions import subject_phrase
from idto3d.words.corrections import corrections_of, settled
from idto3d.words.prompts import words as words_of
from idto3d.words.reading import meant, said_phrases, said_traits
from idto3d.words.traits import AGE_GROUPS, USUAL_STYLE, usual_colour

WORDS, PHOTOS, EMBEDDING, DEFAULT = "words", "photos", "embedding", "default"  # who says a trait
HAIR, COLOUR = "hair_style", "hair_colour"


@dataclass(frozen=True)
class Trait:
    """A word for how somebody looks, and who says it: WORDS, PHOTOS, EMBEDDING (a guess) or DEFAULT."""

    word: str
    source: str


@dataclass(frozen=True, eq=False)
class Start:
    """What a head starts from, and what the guidance is asked for.

    embedding [D] float32 of length 1, None for nobody in particular; `traits` by attribute of the words room; `subject`
    the noun phrase of its captions; coefficients [K] of the head prior's shape, on the prior's device; `features` how
    much of each of words.figures.table.FEATURES words have given a head that is made, none before.
    """

    embedding: np.ndarray | None
    traits: Mapping[str, Trait]
    subject: str
    coefficients: Tensor
    features: Mapping[str, float] = field(default_factory=dict)

    def words(self) -> dict[str, str]:
        """The word of each trait."""
        return {name: trait.word for name, trait in self.traits.items()}


def start_of(subject: Subject | None, options: HeadOptions, prior: HeadPrior) -> Start:
    """Who is meant by what the photos show (None without photos) and the prompt says.

    The prompt overrules photos, and corrections (`options.subject.hair_style` and so on) overrule both. What none says
    of the hair is the prior's guess at the face where photos may say traits and it reads them, else USUAL_STYLE, of
    which captions say nothing.
    """
    embedding, corrections = None if subject is None else subject.embedding, corrections_of(options.subject)
    prompt = settled(options.prompt, corrections)
    traits = _traits(subject, options, said_traits(options.prompt) | corrections, prior)
    words = {name: trait.word for name, trait in traits.items() if trait.source != DEFAULT}
    phrases = _of_age(words.get("age", ""), said_phrases(words_of(meant(prompt)), prior.phrases))
    coefficients = prior.word_shift(phrases) + _features(prompt, phrases, prior)
    if embedding is not None:
        coefficients = seen_in_face(embedding, prior) + coefficients
    return Start(embedding, traits, subject_phrase(words, prompt), coefficients)


def _of_age(age: str, phrases: Sequence[str]) -> tuple[str, ...]:
    """`phrases` without those of another age than the one that is meant, as a boy's in "a boy in his late teens"."""
    return tuple(one for one in phrases if not age or one == age or one not in AGE_GROUPS)


def seen_in_face(embedding: np.ndarray, prior: HeadPrior) -> Tensor:
    """[K] what the face alone, an embedding [D], adds to a start's coefficients."""
    return prior.shape_code(torch.from_numpy(embedding).to(prior.word_shift(()).device))


def _features(prompt: str, said: Collection[str], prior: HeadPrior) -> Tensor:
    """[K] what words for builds and features add to the shape code beyond the phrases that are `said` themselves."""
    asked = {name: amount for name, amount in features_of(prompt).items() if name in prior.phrases and name not in said}
    shifts = [amount * prior.word_shift((name,)) for name, amount in asked.items()]
    return torch.stack(shifts).sum(0) if shifts else prior.word_shift(())


def _traits(
    subject: Subject | None, options: HeadOptions, said: Mapping[str, str], prior: HeadPrior
) -> dict[str, Trait]:
    traits = {name: Trait(word, PHOTOS) for name, word in (subject.traits if subject else {}).items()}
    traits |= {name: Trait(word, WORDS) for name, word in said.items()}
    if HAIR not in traits:
        traits[HAIR] = _usual_hair(subject if options.subject.traits and prior.styles else None, prior)
    usual = usual_colour({name: trait.word for name, trait in traits.items()})
    if subject is None and usual and COLOUR not in traits:
        traits[COLOUR] = Trait(usual, DEFAULT)
    return traits


def _usual_hair(subject: Subject | None, prior: HeadPrior) -> Trait:
    if subject is None:
        return Trait(USUAL_STYLE, DEFAULT)
    scores = prior.hair_style(torch.from_numpy(subject.embedding).to(prior.embedding_mean.device))
    return Trait(prior.styles[int(scores.argmax())], EMBEDDING)


def start_tensors(start: Start, keep_embedding: bool) -> dict[str, Tensor]:
    """The numbers of a start, to be saved; without the embedding where it is not to be kept."""
    tensors = {"start.coefficients": start.coefficients}
    if keep_embedding and start.embedding is not None:
        tensors["start.embedding"] = torch.from_numpy(start.embedding)
    return tensors


def start_words(start: Start) -> dict:
    """What `start_tensors` leaves out, as plain JSON."""
    traits = {name: [trait.word, trait.source] for name, trait in start.traits.items()}
    said = {"traits": traits, "subject": start.subject, "of_photos": start.embedding is not None}
    return said | {"features": dict(start.features)}


def start_from(tensors: Mapping[str, Tensor], words: Mapping, device: torch.device | str = "cpu") -> Start:
    """The start that was saved as `start_tensors` and `start_words`; its embedding is None where it was not kept."""
    embedding = tensors.get("start.embedding")
    return Start(
        None if embedding is None else embedding.cpu().numpy(),
        {name: Trait(*pair) for name, pair in words["traits"].items()},
        words["subject"],
        tensors["start.coefficients"].to(device),
        words.get("features", {}),  # heads of before did not keep them
    )
