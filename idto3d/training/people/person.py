"""Who the synthetic people are: age, gender, ancestry, face, shape and look, drawn from a seed; and them in words.

A model without words (see makehuman.py) gives people without age, gender, ancestry and face.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from idto3d.training.people import hair, skin
from idto3d.words import looks
from idto3d.words.looks import ANCESTRIES, PARTS, SMALL

PLAIN, SPREAD = 100, 0.9  # identity modes without words, and the deviation of their coefficients
# Chance, the word modes at full strength, how much of gender and ancestry shows, and of the plain modes.
AGES = {
    "baby": (0.12, {"baby": 1.0}, 0.35, 0.6),
    "child": (0.14, {"child": 1.0}, 0.6, 0.8),
    "young": (0.38, {}, 1.0, 1.0),
    "middle-aged": (0.16, {"old": 0.45}, 1.0, 1.0),
    "old": (0.20, {"old": 1.0}, 1.0, 1.0),
}
GENDERS = {"female": 0.5, "male": -0.5}  # of the mode "female"
FACE_CHANCE = 0.12
SAMPLED = 2000  # people whose coefficients tell how coefficients vary
EXCLUSIVE = (("round face", "long face", "square face"), ("wide nose", "narrow nose"))
SKIN_CHANCE = {  # in the order of skin.SKINS
    "": (0.18, 0.26, 0.22, 0.18, 0.16),
    "african": (0.0, 0.03, 0.13, 0.42, 0.42),
    "asian": (0.14, 0.44, 0.34, 0.08, 0.0),
    "caucasian": (0.34, 0.42, 0.19, 0.05, 0.0),
}
IRIS_CHANCE = {"african": (0.94, 0.01, 0.03, 0.02), "asian": (0.94, 0.01, 0.03, 0.02)}  # of skin.IRISES
NOUNS = {("young", "female"): "woman", ("young", "male"): "man", ("child", "female"): "girl", ("child", "male"): "boy"}
CUTE = 0.2  # chance that a varied caption calls a baby cute


@dataclass(frozen=True)
class Person:
    """One synthetic person: identity `coefficients` [100 + M] and a look."""

    coefficients: np.ndarray
    look: skin.Look
    seed: int

    def subject(self) -> str:
        """The words of a caption that describe this person."""
        return describe(asdict(self.look))

    def attributes(self) -> dict:
        """The look as JSON."""
        return asdict(self.look)


def draw_person(seed: int, words: Sequence[str] = ()) -> Person:
    """A person from a seed; `words` are those of the model (IctModel.words)."""
    random = np.random.default_rng([seed, 1])
    who = _draw_attributes(random, words) if words else {"age": "", "gender": "", "ancestry": "", "face": ()}
    look = _draw_look(random, who)
    plain = SPREAD * AGES.get(look.age, AGES["young"])[3] * random.standard_normal(PLAIN)
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
    found = drawn.T @ drawn / len(drawn)
    found[:PLAIN] *= np.eye(PLAIN, len(found))  # only by chance do plain modes go with anything
    found[PLAIN:, :PLAIN] = 0
    return found


def word_codes(words: Sequence[str], coefficient_map: np.ndarray) -> dict[str, np.ndarray]:
    """z [K] of each word and phrase that changes the shape, by the `coefficient_map` [100 + M, K] of a prior."""
    looks = {age: {"age": age} for age in AGES if age != "young"}
    looks |= {gender: {"gender": gender} for gender in GENDERS} | {name: {"ancestry": name} for name in ANCESTRIES}
    looks |= {word: {"face": (word,)} for word in words if " " in word}
    nobody = replace(draw_person(0).look, age="", gender="", ancestry="", face=())
    amounts = {word: word_coefficients(replace(nobody, **changed), words) for word, changed in looks.items()}
    return {word: amount @ coefficient_map[PLAIN:] for word, amount in amounts.items() if amount.any()}


def _draw_attributes(random: np.random.Generator, words: Sequence[str]) -> dict:
    age = str(random.choice(list(AGES), p=[chance for chance, *_ in AGES.values()]))
    gender, ancestry = str(random.choice(list(GENDERS))), str(random.choice(ANCESTRIES))
    face = [word for word in words if " " in word and random.random() < FACE_CHANCE]
    face = [word for word in face if word != "heavy brow" or age not in SMALL]
    for group in EXCLUSIVE:
        face = [word for word in face if word not in group or word == next(w for w in face if w in group)]
    return {"age": age, "gender": gender, "ancestry": ancestry, "face": tuple(face)}


def _draw_look(random: np.random.Generator, who: dict) -> skin.Look:
    tone = str(random.choice(list(skin.SKINS), p=SKIN_CHANCE[who["ancestry"]]))
    gender, age = who["gender"] or str(random.choice(list(GENDERS))), who["age"] or "young"
    style, colour = hair.draw_hair(random, gender, age)
    return skin.Look(
        skin=tone,
        melanin=float(random.uniform(*skin.SKINS[tone])),
        redness=float(random.uniform(0, 1)),
        iris=str(random.choice(list(skin.IRISES), p=IRIS_CHANCE.get(who["ancestry"], (0.5, 0.22, 0.14, 0.14)))),
        hair_style=style,
        hair_colour=colour,
        beard=hair.draw_beard(random, gender, age),
        **who,
        **skin.draw_extras(random, age, gender),
    )


def word_coefficients(look: skin.Look, words: Sequence[str], random: np.random.Generator | None = None) -> np.ndarray:
    """[M] coefficients of the modes `words` for a look: their usual strength, jittered where `random` is given."""
    _, modes, share, _ = AGES.get(look.age, AGES["young"])
    amounts = modes | {"female": share * GENDERS.get(look.gender, 0.0), look.ancestry: 0.5 + 0.5 * share}
    amounts |= dict.fromkeys(look.face, 1.0)
    jitter = (lambda: 1.0) if random is None else (lambda: random.uniform(0.8, 1.15))
    return np.array([amounts.get(word, 0.0) * jitter() for word in words], np.float32)


def changed(person: Person, words: Sequence[str], **attributes: str) -> Person:
    """The same person with another age or gender (as Look names them), at its usual strength."""
    look = replace(person.look, **attributes)
    if look.age in SMALL or look.gender == "female":
        look = replace(look, beard=skin.BEARDS[0])
    before, after = word_coefficients(person.look, words), word_coefficients(look, words)
    coefficients = person.coefficients.copy()
    coefficients[PLAIN:] = np.where(before == after, coefficients[PLAIN:], after)
    return replace(person, look=look, coefficients=coefficients)


def describe(look: dict, parts: Sequence[str] = PARTS, random=None) -> str:
    """A person in words, see `looks.describe`.

    With `random` (a numpy Generator or random.Random) the order and the phrasing vary: "short black hair, asian woman".
    """
    if random is None:
        return looks.describe(look, parts)
    said, who = looks.mentioned(look, parts), _varied_who(look, parts, random)
    if random.random() < 0.5:
        random.shuffle(said)
        return looks.joined(who, said)
    listed = [*said, *([who] if who != "person" or not said else [])]
    random.shuffle(listed)
    return ", ".join(listed)


def _varied_who(look: dict, parts: Sequence[str], random) -> str:
    age, gender, ancestry = (look.get(part, "") if part in parts else "" for part in ("age", "gender", "ancestry"))
    noun = NOUNS.get((age if age in SMALL else "young", gender), "") if random.random() < 0.4 else ""
    if age == "baby":
        told = ["cute"] if random.random() < CUTE else []
        return " ".join([*told, *(word for word in (ancestry, gender) if word), "baby"])
    told = [word for word in (age if age != "child" else "", ancestry) if word]
    random.shuffle(told)
    told += [noun or gender] if noun or gender else []
    told += ["child"] if age == "child" and not noun else []
    return " ".join(told if gender or age == "child" else [*told, "person"])


def synonyms(said: Collection[str]) -> list[str]:
    """Words that varied captions say beyond those `said` by plain ones."""
    nouns = [noun for (_, gender), noun in NOUNS.items() if gender in said]
    return [*nouns, *(["cute"] if "baby" in said else [])]
