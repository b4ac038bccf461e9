"""Who the synthetic people are: age, gender, ancestry, face, shape and look, drawn from a seed.

A model without words (see makehuman.py) gives people without age, gender, ancestry and face.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from idto3d.training.people import hair, skin
from idto3d.words.captions import described
from idto3d.words.traits import (
    AGE_GROUPS,
    ANCESTRIES,
    ANCESTRY_SKINS,
    ANYBODY,
    GENDER_MODES,
    GENDERS,
    SHAVEN,
    SKIN_TONES,
    SKINS,
    SMALL,
    Age,
)

PLAIN, SPREAD = 100, 0.9  # identity modes without words, and the deviation of their coefficients
USUAL_AGE = "young"
FACE_CHANCE = 0.12
SAMPLED = 2000  # people whose coefficients tell how coefficients vary
EXCLUSIVE = (("round face", "long face", "square face"), ("wide nose", "narrow nose"))
IRIS_CHANCE = {"african": (0.94, 0.01, 0.03, 0.02), "asian": (0.94, 0.01, 0.03, 0.02)}  # of skin.IRISES


@dataclass(frozen=True)
class Person:
    """One synthetic person: identity `coefficients` [100 + M] and a look."""

    coefficients: np.ndarray
    look: skin.Look
    seed: int

    def subject(self) -> str:
        """The words of a caption that describe this person."""
        return described(asdict(self.look))

    def attributes(self) -> dict:
        """The look as JSON."""
        return asdict(self.look)


def draw_person(seed: int, words: Sequence[str] = ()) -> Person:
    """A person from a seed; `words` are those of the model (IctModel.words)."""
    random = np.random.default_rng([seed, 1])
    who = _draw_attributes(random, words) if words else {"age": "", "gender": "", "ancestry": "", "face": ()}
    look = _draw_look(random, who)
    plain = SPREAD * _age(look).plain * random.standard_normal(PLAIN)
    named = word_coefficients(look, words, random)
    return Person(np.concatenate([plain, named]).astype(np.float32), look, seed)


def draw_coefficients(count: int, words: Sequence[str], first_seed: int) -> np.ndarray:
    """[count, 100 + M] identity coefficients of people from consecutive seeds."""
    return np.stack([draw_person(seed, words).coefficients for seed in range(first_seed, first_seed + count)])


def second_moments(words: Sequence[str], first_seed: int) -> np.ndarray:
    """[100 + M, 100 + M] second moments of people's identity coefficients about the neutral adult."""
    if not words:
        return SPREAD**2 * np.eye(PLAIN)
    drawn = draw_coefficients(SAMPLED, words, first_seed).astype(np.float64)
    moments = drawn.T @ drawn / len(drawn)
    moments[:PLAIN] *= np.eye(PLAIN, len(moments))  # only by chance do plain modes go with anything
    moments[PLAIN:, :PLAIN] = 0
    return moments


def word_codes(words: Sequence[str], coefficient_map: np.ndarray) -> dict[str, np.ndarray]:
    """z [K] of each word and phrase that changes the shape, by the `coefficient_map` [100 + M, K] of a prior."""
    traits = {age.name: {"age": age.name} for age in AGE_GROUPS.values() if age.modes}
    traits |= {gender: {"gender": gender} for gender in GENDERS} | {name: {"ancestry": name} for name in ANCESTRIES}
    traits |= {word: {"face": (word,)} for word in words if " " in word}
    nobody = replace(draw_person(0).look, age="", gender="", ancestry="", face=())
    amounts = {word: word_coefficients(replace(nobody, **changed), words) for word, changed in traits.items()}
    return {word: amount @ coefficient_map[PLAIN:] for word, amount in amounts.items() if amount.any()}


def _draw_attributes(random: np.random.Generator, words: Sequence[str]) -> dict:
    age = hair.draw_word(random, {age.name: age.chance for age in AGE_GROUPS.values()})
    gender, ancestry = str(random.choice(list(GENDERS))), str(random.choice(ANCESTRIES))
    face = [word for word in words if " " in word and random.random() < FACE_CHANCE]
    face = [word for word in face if word != "heavy brow" or age not in SMALL]
    for group in EXCLUSIVE:
        face = [word for word in face if word not in group or word == next(w for w in face if w in group)]
    return {"age": age, "gender": gender, "ancestry": ancestry, "face": tuple(face)}


def _draw_look(random: np.random.Generator, who: dict) -> skin.Look:
    skins = ANCESTRY_SKINS.get(who["ancestry"], ANYBODY).skins
    tone = hair.draw_word(random, {name: skins.get(name, 0.0) for name in SKINS})
    gender, age = who["gender"] or str(random.choice(list(GENDERS))), who["age"] or USUAL_AGE
    style, colour = hair.draw_hair(random, gender, age)
    return skin.Look(
        skin=tone,
        melanin=float(random.uniform(*SKIN_TONES[tone].melanin)),
        redness=float(random.uniform(0, 1)),
        iris=str(random.choice(list(skin.IRISES), p=IRIS_CHANCE.get(who["ancestry"], (0.5, 0.22, 0.14, 0.14)))),
        hair_style=style,
        hair_colour=colour,
        beard=hair.draw_beard(random, gender, age),
        **who,
        **skin.draw_extras(random, age, gender),
    )


def _age(look: skin.Look) -> Age:
    return AGE_GROUPS[look.age or USUAL_AGE]


def word_coefficients(look: skin.Look, words: Sequence[str], random: np.random.Generator | None = None) -> np.ndarray:
    """[M] coefficients of the modes `words` for a look: their usual strength, jittered where `random` is given."""
    age, female = _age(look), GENDER_MODES[look.gender].female if look.gender else 0.0
    amounts = {**age.modes, "female": age.shown * female, look.ancestry: 0.5 + 0.5 * age.shown}
    amounts |= dict.fromkeys(look.face, 1.0)
    jitter = (lambda: 1.0) if random is None else (lambda: random.uniform(0.8, 1.15))
    return np.array([amounts.get(word, 0.0) * jitter() for word in words], np.float32)


def changed(person: Person, words: Sequence[str], **attributes: str) -> Person:
    """The same person with another age or gender (as Look names them), at its usual strength."""
    look = replace(person.look, **attributes)
    if look.age in SMALL or look.gender == "female":
        look = replace(look, beard=SHAVEN)
    before, after = word_coefficients(person.look, words), word_coefficients(look, words)
    coefficients = person.coefficients.copy()
    coefficients[PLAIN:] = np.where(before == after, coefficients[PLAIN:], after)
    return replace(person, look=look, coefficients=coefficients)
