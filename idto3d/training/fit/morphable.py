"""Fitting how the morphable head reads words, expressions, and the shape and colours that follow from a face."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import torch
from torch import Tensor, nn

from idto3d.errors import UserError
from idto3d.guidance.networks.base import BaseParts
from idto3d.guidance.networks.morphable import MorphableHead
from idto3d.training.data.dataset import People, Portrayed
from idto3d.training.denoiser import mean_embedding
from idto3d.training.fit.morphable_mesh import build_morphable, tones_of
from idto3d.training.fit.surface_modes import SurfaceModes, check_people, surface_modes
from idto3d.training.model import encode_text
from idto3d.training.people import skin
from idto3d.training.people.ict import IctModel
from idto3d.training.people.person import Person, changed
from idto3d.words.captions import PARTS, caption, varied
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import DOMAINS, VIEWS
from idto3d.words.traits import AGES, BEARDS, GENDERS, TAUGHT_STYLES, taught

log = logging.getLogger(__name__)
SHAPE_WEIGHT = 28.0  # weight of all modes of shape together, where each number of a colour and each style weighs 1
WHITENING_SHARE = 0.1  # share of the largest variance that whitening adds to all, so that the smallest stay small


@dataclass(frozen=True)
class MorphableOptions:
    """How the morphable head learns to read: words from `captions`, then what follows from them in `steps` of AdamW."""

    captions: int = 12000
    steps: int = 16000
    batch: int = 512
    rate: float = 3e-3
    decay: float = 0.1
    dropout: float = 0.2  # of the small network's hidden layer
    mentioned: float = 0.6  # chance that a part of a person is said
    unknown: float = 0.1  # chance that the face is not given
    altered: float = 0.4  # chance that an age or a gender is said that may not be theirs: then the words count
    others: int = 6  # alterations that are known of each person
    seed: int = 0


@dataclass(frozen=True)
class Known:
    """What is known of n people: embeddings [n, P, D], words [n, W], wanted outputs [n, O], and the same of each one
    altered by a word in A ways: `other_words` [n, A, W], `other_wanted` [n, A, O], and `altered_words` [n, A, W], their
    ages and genders, which are then said."""

    embedding: Tensor
    words: Tensor
    wanted: Tensor
    other_words: Tensor
    other_wanted: Tensor
    altered_words: Tensor


def fit_morphable(
    parts: BaseParts, people: People | Portrayed, model: IctModel, options: MorphableOptions
) -> MorphableHead:
    """A head of `model` that reads the conditions of `parts`, fitted to `people`; two minutes on a CPU for 12,000.

    Raises UserError for scans.
    """
    if people.coefficients.isnan().any():
        what = "Scans have no coefficients to fit a morphable head to."
        raise UserError(what, "Leave --ict out: the base learns without one.")
    phrases = known_phrases(model.words)
    text_dim, id_dim = parts.text_encoder.config.hidden_size, people.embedding.shape[-1]
    check_people(people.coefficients.numpy(), model)
    shapes = surface_modes(model)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(options.seed)
        head = build_morphable(model, shapes, (text_dim, id_dim, len(phrases)), parts.vae.config.sample_size)
    read_words(head, parts, people, phrases, options)
    read_expressions(head, parts)
    read_faces(head, mean_embedding(people.embedding))
    learn(head, known_people(people, model, shapes, phrases, options), phrases, options)
    return head.requires_grad_(False).eval()


def known_phrases(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(attribute, word) of everything that the morphable head hears; `words` are those of the morphable model."""
    said = [(name, choice) for name, choices in taught().items() for choice in choices]
    return (*said, *(("face", word) for word in words if " " in word))


def said_of(look: Mapping, phrases: Sequence[tuple[str, str]], parts: Sequence[str] = PARTS) -> list[float]:
    """[W] 1 for each phrase that a caption says which mentions `parts` of a look."""
    return [float(_is_said(look, name, word, parts)) for name, word in phrases]


def _is_said(look: Mapping, name: str, word: str, parts: Sequence[str]) -> bool:
    if name == "face":
        return name in parts and word in look["face"]
    silent = (name == "beard" and word == "clean") or (name == "hair_colour" and look["hair_style"] == "bald")
    return name.split("_")[0] in parts and look[name] == word and not silent


@torch.no_grad()
def read_words(
    head: MorphableHead, parts: BaseParts, people: People | Portrayed, phrases, options: MorphableOptions
) -> None:
    """Set the reading of words by ridge regression from mean text states of random captions."""
    chance, texts, said = Random(options.seed), [], []
    for _ in range(options.captions):
        look = people.looks[chance.randrange(len(people.looks))]
        mentioned = [part for part in PARTS if chance.random() < options.mentioned]
        texts.append(caption(chance.choice(tuple(VIEWS)), chance.choice(DOMAINS), varied(look, mentioned, chance)))
        said.append(said_of(look, phrases, mentioned))
    states = torch.cat([encode_text(parts, texts[i : i + 250])[0].mean(1) for i in range(0, len(texts), 250)]).double()
    wanted = torch.tensor(said, dtype=torch.float64)
    given = torch.cat([states - states.mean(0), torch.ones(len(states), 1)], 1)
    system = given.T @ given + 1e-5 * len(given) * states.var(0).mean() * torch.eye(given.shape[1])
    solved = torch.linalg.solve(system, given.T @ wanted)
    head.words.weight.copy_(solved[:-1].T)
    head.words.bias.copy_(solved[-1] - states.mean(0) @ solved[:-1])


@torch.no_grad()
def read_expressions(head: MorphableHead, parts: BaseParts) -> None:
    """Set the reading of expressions: each descriptor means its own expression and none of the others."""
    states = encode_text(parts, [expression.descriptor for expression in EXPRESSIONS])[1]
    head.expression.weight.copy_(torch.linalg.pinv(states.double()).T)


@torch.no_grad()
def read_faces(head: MorphableHead, embeddings: Tensor) -> None:
    """Set the reading of `embeddings` [n, D]: their principal directions, the strongest of a deviation of 0.48."""
    layer, mean = head.identity, embeddings.mean(0)
    variances, directions = torch.linalg.eigh(torch.cov((embeddings - mean).T))
    variances, directions = variances[-layer.out_features :].clamp(min=0), directions[:, -layer.out_features :]
    layer.weight.copy_(0.5 * (directions / (variances + WHITENING_SHARE * variances.max()).sqrt()).T)
    layer.bias.copy_(-layer.weight @ mean)


def known_people(
    people: People | Portrayed, model: IctModel, shapes: SurfaceModes, phrases, options: MorphableOptions
) -> Known:
    """What the morphable head should find of each of the `people`, as they are and altered by a word."""
    chance, rows = Random(options.seed), list(zip(people.looks, people.coefficients.numpy(), strict=True))
    others = [_altered(look, row, model, chance) for look, row in rows for _ in range(options.others)]
    words = torch.tensor([said_of(look, phrases) for look in people.looks])
    other_words = torch.tensor([said_of(vars(other.look), phrases) for other in others])
    wanted = _wanted(people.looks, people.coefficients.numpy(), shapes)
    other_wanted = _wanted([vars(o.look) for o in others], np.stack([o.coefficients for o in others]), shapes)
    altered = torch.tensor([float(name in ("age", "gender")) for name, _ in phrases])
    of_others = (other_words, other_wanted, altered * other_words)
    return Known(people.embedding, words, wanted, *(one.unflatten(0, (len(rows), options.others)) for one in of_others))


def _altered(look: Mapping, coefficients: np.ndarray, model: IctModel, chance: Random) -> Person:
    traits = {**look, "face": tuple(look["face"])}
    person = Person(coefficients, skin.Look(**traits), 0)
    attribute = chance.choice(("age", "gender"))
    return changed(person, model.words, **{attribute: chance.choice(AGES if attribute == "age" else GENDERS)})


def _wanted(looks: Sequence[Mapping], coefficients: np.ndarray, shapes: SurfaceModes) -> Tensor:
    """[n, K + 9 + styles + beards] of people: what `MorphableHead.estimate` should say."""
    tones = np.stack([tones_of(look) for look in looks])
    styles = np.eye(len(TAUGHT_STYLES))[[TAUGHT_STYLES.index(look["hair_style"]) for look in looks]]
    beards = np.eye(len(BEARDS))[[BEARDS.index(look["beard"]) for look in looks]]
    return torch.from_numpy(np.concatenate([shapes.amounts(coefficients), tones, styles, beards], 1)).float()


def learn(head: MorphableHead, known: Known, phrases, options: MorphableOptions) -> None:
    """Learn shape, colours and styles from words and faces, any of which may be missing."""
    generator = torch.Generator().manual_seed(options.seed)
    mean, scale = _start(head, known)
    learning = nn.ModuleList([head.plain, head.hidden, head.bent]).parameters()
    optimiser = torch.optim.AdamW(learning, options.rate, weight_decay=options.decay)
    parts = torch.tensor([_part(name) for name, _ in phrases])
    for step in range(options.steps):
        optimiser.param_groups[0]["lr"] = options.rate * (1 - step / options.steps)
        features, wanted = draw(head, known, parts, options, generator)
        kept = (torch.rand(len(features), head.hidden.out_features, generator=generator) >= options.dropout).float()
        hidden = nn.functional.silu(head.hidden(features)) * kept / (1 - options.dropout)
        loss = (head.plain(features) + head.bent(hidden) - (wanted - mean) / scale).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 1000 == 999:
            log.info("morphable: step %d of %d, loss %.4f", step + 1, options.steps, loss.item())
    _finish(head, mean, scale)


def draw(
    head: MorphableHead, known: Known, parts: Tensor, options: MorphableOptions, generator
) -> tuple[Tensor, Tensor]:
    """Features [B, F] of random people, of whom some things are not said or known, and what is wanted [B, O]."""
    which = torch.randint(len(known.words), (options.batch,), generator=generator)
    altered = torch.rand(options.batch, 1, generator=generator) < options.altered
    other = (which, torch.randint(options.others, (options.batch,), generator=generator))
    words = torch.where(altered, known.other_words[other], known.words[which])
    mentioned = torch.rand(options.batch, int(parts.max()) + 1, generator=generator)[:, parts] < options.mentioned
    mentioned |= altered & (known.altered_words[other] > 0)
    identity = mean_embedding(known.embedding[which], generator)
    unknown = torch.rand(options.batch, 1, generator=generator) < options.unknown
    faces = head.identity(identity).detach() * (identity.any(-1, keepdim=True) & ~unknown)
    wanted = torch.where(altered, known.other_wanted[other], known.wanted[which])
    return torch.cat([words * mentioned, faces], 1), wanted


def _part(name: str) -> int:
    """Words of one part of a person are said together."""
    return PARTS.index(name.split("_")[0])


@torch.no_grad()
def _start(head: MorphableHead, known: Known) -> tuple[Tensor, Tensor]:
    """Mean and scale of the outputs: modes of shape keep their sizes against each other, as errors of one surface."""
    mean, scale = known.wanted.mean(0), known.wanted.std(0)
    modes = head.size.modes
    scale[:modes] = (scale[:modes].square().sum() / SHAPE_WEIGHT).sqrt()
    head.bent.weight.zero_()
    return mean, scale.clamp(min=1e-6)


@torch.no_grad()
def _finish(head: MorphableHead, mean: Tensor, scale: Tensor) -> None:
    """Put the outputs' mean and scale into the last layers."""
    for layer in (head.plain, head.bent):
        layer.weight.mul_(scale[:, None])
        layer.bias.mul_(scale)
    head.plain.bias.add_(mean)
