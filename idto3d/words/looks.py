"""How people look beside their shape: the words for it, the colours they stand for, and who says them.

A look is a mapping from ATTRIBUTES to words; what is not known is missing or empty. Colours are linear RGB.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from idto3d.words import prompts

HAIR_STYLES = ("bald", "buzzcut", "short", "long", "curly", "side-parted", "afro", "bob", "ponytail", "bun")
HAIR_COLOURS = {
    "black": (0.012, 0.010, 0.009),
    "brown": (0.085, 0.045, 0.022),
    "blonde": (0.48, 0.31, 0.13),
    "red": (0.30, 0.085, 0.025),
    "grey": (0.28, 0.28, 0.28),
    "white": (0.75, 0.74, 0.72),
    "green": (0.05, 0.38, 0.08),
    "blue": (0.04, 0.12, 0.50),
    "pink": (0.75, 0.20, 0.40),
    "purple": (0.22, 0.05, 0.42),
}
DYED = ("green", "blue", "pink", "purple")
BEARDS = ("clean", "stubble", "moustache", "goatee", "beard")
# Range of melanin of each skin word.
SKINS = {"pale": (0.04, 0.20), "fair": (0.20, 0.38), "tan": (0.38, 0.58), "brown": (0.58, 0.78), "dark": (0.78, 1.0)}
AGES = ("baby", "child", "young", "middle-aged", "old")
GENDERS = ("female", "male")
ANCESTRIES = ("african", "asian", "caucasian")
ATTRIBUTES = {
    **{"hair_style": HAIR_STYLES, "hair_colour": tuple(HAIR_COLOURS), "beard": BEARDS, "skin": tuple(SKINS)},
    **{"age": AGES, "gender": GENDERS, "ancestry": ANCESTRIES},
}
PARTS = ("skin", "hair", "beard", "age", "ancestry", "gender", "face", "freckles", "makeup", "glasses")
SMALL = ("baby", "child")
ONLY_BEFORE = {  # words that mean something else unless one of these follows, perhaps after one or two others
    **dict.fromkeys(HAIR_COLOURS, "hair"),
    **{"short": "hair", "long": "hair", "curly": "hair"},
}
OTHER_PARTS = ("and", "with", "face", "nose", "neck", "skin", "hair", "eyes", "lips", "ears", "beard")
SKIN_BASE = 0.18
MELANIN = np.array([1.25, 1.85, 2.45], np.float32)
HAEMOGLOBIN = np.array([0.06, 0.42, 0.44], np.float32)
USUAL_REDNESS = 0.5
IDLE = frozenset(("a", "an", "and", "as", "hair", "head", "of", "person", "skin", "the", "with"))


def skin_colour(melanin, redness) -> np.ndarray:
    """Linear RGB [..., 3] of skin with `melanin` and `redness` (arrays of one shape, or numbers; 0..1).

    White light through two pigments by the modified Beer-Lambert law, after Tsumura et al., "Image-based skin color and
    texture analysis/synthesis by extracting hemoglobin and melanin information in the skin" (SIGGRAPH 2003). The
    absorptions per channel are fitted by eye.
    """
    melanin, blood = np.asarray(melanin, np.float32), 0.25 + np.asarray(redness, np.float32)
    return np.exp(-(SKIN_BASE + melanin[..., None] * MELANIN + blood[..., None] * HAEMOGLOBIN))


def skin_tone(look: Mapping[str, str]) -> tuple[float, ...] | None:
    """The usual colour of the look's skin word; None where there is none."""
    word = look.get("skin", "")
    return tuple(skin_colour(sum(SKINS[word]) / 2, USUAL_REDNESS).tolist()) if word else None


def hair_tone(look: Mapping[str, str]) -> tuple[float, ...] | None:
    """The colour of the look's hair; None where it is not said."""
    return HAIR_COLOURS.get(look.get("hair_colour", ""))


def natural_tone(look: Mapping[str, str]) -> tuple[float, ...] | None:
    """The colour of the look's beard: the hair's, or brown under dyed hair; None where it is not said."""
    colour = look.get("hair_colour", "")
    return HAIR_COLOURS.get("brown" if colour in DYED else colour)


def said_looks(prompt: str) -> dict[str, str]:
    """The attributes that `prompt` states: "an old man with short green hair" has an age, a gender, a style, a colour.

    Of several words for one attribute the last of its list counts, so "short curly hair" is curly. Who has "no beard"
    is clean.
    """
    said = prompts.words(prompts.meant(prompt))
    text = " ".join(said)
    found = {"beard": "clean"} if set(prompts.denied(prompt)) & {*BEARDS, "facial hair"} else {}
    for name, choices in ATTRIBUTES.items():
        stated = [choice for choice in prompts.said_phrases(said, choices) if _meant(choice, name, text)]
        if stated:
            found[name] = stated[-1]
    return found


def _meant(word: str, attribute: str, text: str) -> bool:
    """Whether `word` says the attribute in `text`: "brown" is hair before "hair" and skin before "skin"."""
    follows = "skin" if attribute == "skin" else ONLY_BEFORE.get(word, "")
    between = rf"(?: (?!{'|'.join(OTHER_PARTS)})\w+){{0,2}}"
    return not follows or re.search(rf"\b{word}{between} {follows}\b", text) is not None


def subject_of(prompt: str, seen: Mapping[str, str]) -> str:
    """The subject of a caption: what `prompt` says, and of a photo's look `seen` what it leaves open.

    ("with green hair", a young woman with short brown hair) becomes "young female with short green hair".
    """
    if not seen:
        return prompts.subject_of(prompt)
    described = describe({**seen, **said_looks(prompt)})
    said, heard = prompts.words(prompts.meant(prompt)), {*prompts.words(described), *IDLE}
    further = [i for i, word in enumerate(said) if not heard >= set(prompts.SYNONYMS.get(word, (word,)))]
    return f"{described}, {' '.join(said[further[0] : further[-1] + 1])}" if further else described


def describe(look: Mapping, parts: Sequence[str] = PARTS) -> str:
    """A person in words; `parts` says which attributes are mentioned, those that `look` lacks never are.

    "young asian female with round face and fair skin and short black hair"; "person" when nothing is said.
    """
    return joined(who(look, parts), mentioned(look, parts))


def joined(person: str, said: Sequence[str]) -> str:
    """`person` with everything `said` of them."""
    return f"{person} with " + " and ".join(said) if said else person


def who(look: Mapping, parts: Sequence[str]) -> str:
    """Age, ancestry and gender, as far as they are among `parts`."""
    age, ancestry, gender = (look.get(part, "") if part in parts else "" for part in ("age", "ancestry", "gender"))
    noun = age if age in SMALL else ""
    told = ["" if noun else age, ancestry, gender]
    return " ".join(word for word in (*told, noun or ("" if gender else "person")) if word)


def mentioned(look: Mapping, parts: Sequence[str]) -> list[str]:
    """Phrases about face, skin, hair and what is worn, as far as they are among `parts`."""
    kept = {part: look.get(part, "") if part in parts else "" for part in PARTS}
    said = [" and ".join(kept["face"] or ()), f"{kept['skin']} skin" if kept["skin"] else ""]
    said += [_crown(look) if "hair" in parts else "", _beard(kept["beard"])]
    said += [part if kept[part] else "" for part in ("freckles", "makeup", "glasses")]
    return [phrase for phrase in said if phrase]


def _crown(look: Mapping) -> str:
    style, colour = look.get("hair_style", ""), look.get("hair_colour", "")
    if style == "bald":
        return "bald head"
    return " ".join(word for word in (style, colour, "hair") if word) if style or colour else ""


def _beard(beard: str) -> str:
    return {"clean": "", "stubble": "stubble"}.get(beard, f"a {beard}" if beard else "")
