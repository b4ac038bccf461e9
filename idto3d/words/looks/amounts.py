"""How much of what is put on a face there shall be: "hardly any make-up", "a bit of blush", "lots of freckles".

Each way to say so becomes one of four words before its noun, and what says that there is none of it becomes "no".
"""

import re
from collections.abc import Mapping

from idto3d.words.looks.patterns import BEARDS, LOOK, either

SCARCE, FAINT, SUBTLE, HEAVY = "scarce", "faint", "subtle", "heavy"
SHARES: Mapping[str, float] = {SCARCE: 0.3, FAINT: 0.3, SUBTLE: 0.5, HEAVY: 1.4}  # of make-up that is put on
OF_MARKS: Mapping[str, float] = {SCARCE: -0.8, FAINT: 0.4, SUBTLE: 0.6}  # of freckles and lines, heavy ones see MANY
HARDLY = ("hardly", "barely", "scarcely")
ALMOST = ("almost", "next to", "nearly", "practically", "virtually")
QUANTITIES = ("much", "many", "a lot of", "lots of")
SAID: Mapping[str, tuple[str, ...]] = {
    "no": (
        *("without any", "without a trace of", "without a hint of", "free of", "free from", "devoid of", "zero"),
        *(f"{no} {bit} of" for no in ("no", "not a") for bit in ("trace", "hint", "bit", "touch")),
    ),
    SCARCE: (
        *(f"{word}{any_of}" for word in HARDLY for any_of in ("", " any", " a", " wearing any", " wears any")),
        *(f"{word} {without}" for word in ALMOST for without in ("no", "without", "without any")),
        *(f"{no} {much}" for no in ("not", "without", "not very") for much in QUANTITIES),
        *("almost none of the", "very little", "very few", "so little", "a minimum of", "minimal", "ever so little"),
    ),
    FAINT: (
        *(f"{a}{bit} of" for a in ("a ", "the ", "") for bit in ("hint", "trace", "dab", "tiny bit", "whisper")),
        *(f"{word} {seen}" for word in HARDLY for seen in ("visible", "noticeable", "there", "seen")),
        *("faint", "very faint", "the faintest", "very subtle", "very slight", "the slightest", "very light"),
    ),
    SUBTLE: (
        *(f"{no} {so} {much}" for no in ("not", "without") for so in ("too", "so", "that") for much in QUANTITIES[:2]),
        *(f"{no} {so}{big}" for no in ("not", "no", "without") for so in ("", "too ", "so ", "very ")
          for big in ("heavy", "strong", "thick", "bold", "dramatic", "excessive")),
        *(f"{a}{bit} of" for a in ("a ", "") for bit in ("little bit", "bit", "touch", "small amount", "little")),
        *(f"{a} {bit} more" for a in ("a", "just a") for bit in ("bit", "little", "touch")),
        *("a little", "little", "slightly more", "slight", "slightly", "subtle", "modest", "moderate", "discreet"),
        *("delicate", "soft", "sheer", "natural", "natural looking", "simple", "understated", "a few", "a few more"),
    ),
    HEAVY: (
        *(f"{a}{lot} of" for a in ("a ", "") for lot in ("lot", "ton", "lots", "tons", "loads", "plenty", "layers")),
        *(f"{so} much" for so in ("too", "so", "very")),
        *("heavy", "very heavy", "strong", "bold", "dramatic", "thick", "excessive", "intense", "glamorous", "caked"),
    ),
}  # fmt: skip
LIGHT = (
    "light",
    "lightly",
)  # an amount right before a noun alone, and never of lips: "light pink lipstick" is a colour
PUT_ON = r"make[- ]?up|blush(?:er)?|rouge|eye[- ]?shadows?|mascara|freckles?|wrinkles?"
ON_LIPS = r"lip[- ]?sticks?|lip[- ]?gloss"
_WORD = {phrase: word for word, phrases in SAID.items() for phrase in phrases}
_NOUN = rf"(?:{PUT_ON}|{ON_LIPS})\b"
_BEFORE = re.compile(
    rf"\b(?:(?:just|only) )?({either(_WORD)})(?: (?:any|an?|the|her|his|their|wearing|visible))?"
    rf" ((?:(?:{LOOK}) ){{0,2}})({_NOUN}(?:(?:,| and|,? or) {_NOUN}){{0,3}})"
)
_LIGHT = re.compile(rf"\b(?:{'|'.join(LIGHT)}) (?=(?:{PUT_ON})\b)")
_AFTER = re.compile(
    rf"\b({_NOUN})(?: (?:that|which))? (?:is|are|looks?|should be|be) (?:only |just )?({either((*_WORD, *LIGHT))})"
    r"(?=\s*(?:$|[,.;!?\n]|and\b|but\b))"
)
_FREE = re.compile(rf"\b({_NOUN})[- ]free\b|\b(?:bare|fresh)[- ]faced\b")
_LISTED = re.compile(rf"(,| and|,? or) ({_NOUN})")
_SCARCE_HAIR = re.compile(
    rf"\b(?:{either(SAID[SCARCE])})(?: (?:an?|any|of an?))? ((?:{either(BEARDS)}|facial hair)|hair)\b"
    rf"|\b(?:{either((*SAID[FAINT], 'a bit of', 'a little bit of', 'slight'))})(?: an?)? (?:{either(BEARDS)})\b"
    r"|\b(?:some |very )?light stubble\b"
)
# "does not wear", "isn't wearing any" and the like, which say no to what follows.
_NOT_WORN = re.compile(
    r"\b(?:(?:does|do|did|should|must|is|are|was|has|have|need|needs)(?:n't|nt| not)|never|not)"
    r"(?: (?:have|has|having|wear|wears|wearing|got|put on|use|uses|using|want|need|show|be wearing)\b)"
    r"(?: (?:any|an?)\b)?(?! (?:much|many|a lot|lots|too|so|that|very)\b)"
)
_SHORT_NOT = re.compile(r"\b(is|are|was|does|do|did|has|have|should|must)n't\b")


def amounts_told(text: str) -> str:
    """`text` with how much there is of what is put on a face in one word before its noun, or "no"."""
    text = _SHORT_NOT.sub(r"\1 not", _NOT_WORN.sub("no", text))
    text = _SCARCE_HAIR.sub(_of_hair, _FREE.sub(lambda found: f"no {found[1] or 'makeup'}", text))
    text = _AFTER.sub(lambda found: f"{_WORD.get(found[2], SUBTLE)} {found[1]}", text)
    return _LIGHT.sub(f"{SUBTLE} ", _BEFORE.sub(_listed, text))


def _listed(found: re.Match) -> str:
    """Of "a bit of lipstick and mascara": "subtle lipstick and subtle mascara"."""
    word = _WORD[found[1]]
    return f"{word} {found[2]}" + _LISTED.sub(rf"\1 {word} \2", found[3])


def _of_hair(found: re.Match) -> str:
    """Hardly any hair is none, hardly any beard and a little stubble are stubble."""
    return "bald" if found[1] == "hair" else "stubble"
