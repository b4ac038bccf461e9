"""The many ways to say the same, told in one: clauses in the words of our tables.

"her hair should be long and brown" becomes "long brown hair", "a gray-haired guy" "a man, grey hair", "remove the
beard" "no beard". Every pattern repeats only so often, so that a long text takes no longer per word than a short one.
"""

import re

from idto3d.words.figures.table import BUILDS, MORE_OF, NOUNS, OF_PERSONS
from idto3d.words.looks.amounts import amounts_told
from idto3d.words.looks.eyes import eyes_told
from idto3d.words.looks.eyewear import glasses_told
from idto3d.words.looks.patterns import BEARDS, CUTS, LOOK, MORE, PARTS, PERSONS, REMOVABLE, STYLED, either
from idto3d.words.paints import BEARERS
from idto3d.words.prompts import with_article
from idto3d.words.same import DECADES, LEANING, LESSENED, NEVER_OF, NUMBERS, ONES, ONLY_OF, SAME, SHADES, TENS
from idto3d.words.traits import AGE_GROUPS, ANCESTRIES, COLOURS

POSSESSIVE = r"(?:the|his|her|their|my|your|its|any|all|of|all of) "
LINK = (
    "is|are|was|be|being|looks?|turn|turns|turned|goes|go|in|into|to|should|must|shall|would|colou?r|colou?red|dyed"
    "|painted|cut|made|more|much|a|bit|really|quite|styled|have|become|becomes|of|with"
)
# What is asked at the beginning of a clause, and says nothing of how somebody looks.
ASKING = (
    "please|kindly|makes?|gives?|changes?|turns?|transform|dye|paint|set|let|put|add|apply|i want|i would like|i'd like"
    "|can you|could you|would you|you|me|to have|him|her|them|it|also|then|now|just|looks?|be|become|into|to|have|get"
    "|grow|wear|cut|style|recolou?r|colou?r|edit|show|show me|so that|with a|his|their|my|your"
)
OTHERS = ("glasses", "sunglasses", "makeup", "freckles", "face", "nose", "ears", "jaw", "chin")
STAYS = (*(part for part in PARTS if part not in BEARDS), *CUTS, *OTHERS)  # what may be said to stay as it is
ADJECTIVE = either(("old", "young", "middle-aged", "bald", *BUILDS))  # that may stand between a tone and a person
LONGEST = 4000  # letters
PAIRS = 3  # words for looks between commas, before one noun
MIDDLE = 5  # of the years of a decade

_SAME = {"".join(phrase.split()): same for phrase, same in SAME.items()}
_SAID = re.compile(rf"\b(?:{either(SAME, '[- ]?')})\b")
_LESSENED = re.compile(rf"\b(?:{either(LESSENED)})\b")
_OF = {  # "droopy", with the eyes that are so
    said: re.compile(
        rf"\b(?P<of>(?:{either(nouns)}) (?:(?:{LINK}|all|very) ){{0,3}})?{either((said,), '[- ]?')}\b"
        rf"(?P<to>(?:[- ](?:{LOOK})){{0,2}}[- ](?:{either(nouns)})\b)?"
    )
    for said, (_, nouns) in (ONLY_OF | NEVER_OF).items()
}
_TENS_AND_ONES = re.compile(rf"\b({either(TENS)})[- ]({either(ONES)})(?=[- ](?:years?|something)\b|\s*(?:$|[,.;!?]))")
_NUMBER = re.compile(rf"\b({either(NUMBERS)})(?=[- ]years?\b)|\b(?<=at )({either(TENS)})\b")
_AGED = re.compile(
    r"\b(\d{1,3})[- ]?(?:years?|yrs?)[- ]olds?\b|\b(?:aged|at|age|at age|at the age of) (\d{1,3})\b(?! ?years?)"
    rf"|\b(\d{{1,3}}) ?y\.?o\b\.?|\bin (?:his|her|their|the) (?:early |mid |late )?({either(DECADES)})\b"
    r"|\bin (?:his|her|their|the) (?:early |mid |late )?([1-9]0)'?s\b|\b([2-9]0)[- ]?something\b"
)
# How the nouns of a face may look: "nose smaller", and "less chubby", of which some is left.
_FACES = {*MORE_OF, *(word for noun in NOUNS.values() for word in noun)}
_SO = rf"(?:(?:much|more|less|very|slightly|bit|too) )?(?:{either(_FACES)})"
_NOSE_SMALL = re.compile(
    rf"\b({either(NOUNS)})(?: (?:that|which|is|are|be|should|a|bit|lot|little|look)){{0,5}} ({_SO})(?: and ({_SO}))?\b"
    rf"(?! (?:{either((*_FACES, *NOUNS, *PARTS))})\b)"
)
_LESS = (
    rf"less(?! (?:{either(BUILDS)})\b(?! (?:{either(PARTS)})\b))"
    rf"(?! (?:(?:{either(_FACES)}) )+(?:{either(NOUNS)})\b)(?! (?:{either(OF_PERSONS)}) (?:{either(PERSONS)})\b)"
)
_REMOVE = re.compile(
    rf"\b(?:remove|take (?:off|away)|lose|get rid of|delete|erase|fewer|{_LESS})"
    r"(?: (?:all|any|most|some|half|of)){0,2}"
    rf" ({POSSESSIVE})?((?:(?:{LOOK}) ){{0,2}})([a-z]+)(?: and (?:{POSSESSIVE})?({either(REMOVABLE)})\b)?"
)
_OFF = re.compile(rf"\b(?:take |get )?(?:{POSSESSIVE})?({either(REMOVABLE)}) off\b")
_SHAVE_HEAD = re.compile(rf"\bshav(?:e|es|ed|en|ing)(?: off)? (?:{POSSESSIVE})?(?:head|hair|scalp|skull)\b")
_HEAD_SHAVED = re.compile(r"\b(?:head|hair|scalp) (?:is )?(?:completely )?shav(?:ed|en)(?: off)?\b")
_SHAVE = re.compile(
    r"\b(?:clean|freshly|smooth)?[- ]?shav(?:e|es|ed|en|ing)\b(?: off)?(?: (?:him|her|them))?"
    rf"(?: (?:{POSSESSIVE})?(?:{either(BEARDS)}|face)\b)?(?: off)?"
)
_HAIRED = re.compile(rf"\b((?:(?:{LOOK})[- ]){{0,3}}(?!(?:an?|the|and|or|with|not?|as)\b)[a-z]+)[- ](hair|skin)n?ed\b")
_EYED = re.compile(rf"\b((?:(?:{LOOK})[- ]){{1,3}})(eye|lip|brow|lashe?)d\b")
# Where people come from whose ancestry is none of ours: the nearest, and the skin that goes with it.
_FROM_THERE = {
    **dict.fromkeys(("indian", "south asian", "pakistani", "bengali", "sri lankan", "tamil"), ("caucasian", "brown")),
    **dict.fromkeys(("latino", "latin american", "hispanic", "mexican", "brazilian"), ("caucasian", "tan")),
    **{"latina": ("caucasian woman", "tan")},
    **dict.fromkeys(("arab", "arabic", "middle eastern", "persian", "iranian", "turkish"), ("caucasian", "tan")),
    **dict.fromkeys(("mediterranean", "italian", "greek", "spanish", "egyptian", "moroccan"), ("caucasian", "tan")),
    **dict.fromkeys(("polynesian", "maori", "hawaiian", "samoan", "native american"), ("asian", "brown")),
}
_NOUN_OF = {("nosed" if noun == "nose" else noun.rstrip("s").removesuffix("e") + "ed"): noun for noun in NOUNS}
_PARTED = {  # "necked", and the words that a neck may be said to be
    said: re.compile(
        rf"\b({either({*NOUNS[noun], *(word for word, of in MORE_OF.items() if of in NOUNS[noun])})})[- ]{said}\b"
    )
    for said, noun in _NOUN_OF.items()
}
# "big-hearted", which says nothing of a build.
_HEARTED = re.compile(rf"\b(?:{either({*OF_PERSONS, *BUILDS, *MORE_OF})})-(?!rimmed|framed)([a-z]+ed)\b")
# Of hair and such, where people's names tell of no people: a "french braid".
_PEOPLES = (*_FROM_THERE, *(said for said, ours in SAME.items() if ours in ANCESTRIES))
_FASHIONS = re.compile(
    rf"\b(?:{either(_PEOPLES, '[- ]')})[- ](?=(?:(?:{LOOK}) )?(?:braid|plait|twist|knot|bob|crop|cut|roll"
    r"|tuck|fringe|bangs|m(?:o)?ustache|beard|goatee|manicure|nails|beret|lace|press|curls?|pony ?tail|bun)s?\b)"
)
_BEARDED = re.compile(rf"\b((?:(?:{LOOK})[- ]){{0,2}})bearded\b")
_MARKED = re.compile(r"\b((?:very |heavily |deeply |lightly |slightly )?)(freckl|wrinkl)(?:ed|y)\b")
_BLONDE = {"blonde": "blonde", "brunette": "brown", "redhead": "red", "redhaired": "red", "ginger": "red"}
_BLONDE |= {"platinum blonde": "platinum"} | {name: name for name, colour in COLOURS.items() if colour.alone}
_LONE = re.compile(
    rf"\b({either(_BLONDE)})s?\b(?! (?:(?:{LOOK}) ){{0,2}}(?:{either((*PARTS, *CUTS))})\b)( (?:{either(PERSONS)})\b)?"
)
_SAID_AFTER = re.compile(
    rf"\b((?:(?:{LOOK}) ){{1,3}})?\b({either(PARTS)})((?: (?:{LINK})\b){{0,4}})"
    rf" ((?:{LOOK})\b(?:(?: and| or|,)? (?:{LOOK})\b){{0,3}})(?! (?:{either((*PARTS, *CUTS, *PERSONS, *NOUNS))})\b)"
)
_PAIR = re.compile(rf"\b({LOOK})(?: and|,) (?=(?:(?:{LOOK}) ){{1,3}}(?:{either((*PARTS, *CUTS))})\b)")
_FROM = re.compile(
    rf"\b(?:from )?(?:(?:{LOOK}) ){{1,3}}(?:(?:in)?to (?=(?:an? )?(?:{LOOK})\b)|(?:{either(PARTS)}) (?:in)?to "
    rf"(?=(?:an? )?(?:(?:{LOOK}) ){{1,3}}(?:{either((*PARTS, *CUTS))})\b))"
)
_SHADE = re.compile(rf"\b({either(SHADES)})(?= (?:(?:{LOOK}) ){{0,2}}(?:{either((*PARTS, *CUTS))})\b)")
_LEANING = {
    part: re.compile(rf"\b({either(words)})((?: (?:{either((*STYLED, *MORE))})){{0,2}} (?:{either(nouns)})\b)")
    for part, words, nouns in (
        ("hair", LEANING["hair"], ("hair", *CUTS)),
        ("skin", LEANING["skin"], ("skin", "complexion")),
        *(
            (bearer, LEANING[bearer], (*BEARERS[bearer].nouns, *BEARERS[bearer].cosmetics))
            for bearer in LEANING
            if bearer in BEARERS and bearer != "skin"
        ),
    )
}
_IS = re.compile(r"\b(?:who|he|she|they|it)(?:'s| is|'re| are| was| looks?| should (?:be|look)| becomes?)(?! got)\b")
_HAS = re.compile(
    r"\b(?:(?:who|that|he|she|they|it|and) (?:has|have|had|wears?|gets?|should have)(?: got)?|(?:he|she|who)'s got)\b"
)
_ASKING = re.compile(rf"(^|[,.;:!?\n]|\b(?:and|but|then)\b)\s*(?:(?:{ASKING})(?:\s+|$)){{1,8}}")
_OWN = re.compile(rf"\b{POSSESSIVE}(?=(?:(?:{LOOK}) ){{0,3}}(?:{either((*PARTS, *CUTS))})\b)")
_BLACK = re.compile(
    rf"\b(black|white) (?=(?:(?:{ADJECTIVE}|cute|elderly) ){{0,2}}(?:{either(PERSONS)})\b)"
    r"|\b(?<=him |her |hem )(black|white)(?= ?(?:$|[,.;!]))"
)
_ANCESTRY = {"black": ("african", "dark"), "white": ("caucasian", "fair")}
_THERE = re.compile(rf"\b(?:{either(_FROM_THERE, '[- ]')})\b")
_TONES = {"pale": "pale", "paler": "paler", "tan": "tan", "tanner": "tanner"}
_TONED = re.compile(
    rf"\b(?:sun ?)?(tanned|{either(_TONES)})\b"
    rf"(?= ?(?:$|[,.;!\n]|and\b)| (?:(?:{ADJECTIVE}) ){{0,2}}(?:{either(PERSONS)})\b)"
    rf"|\b(?:sun ?)?(tanned)\b(?! (?:(?:{LOOK}) ){{0,2}}(?:{either(PARTS)})\b)"
)
_ALBINO = re.compile(r"\balbino\b")
# What shall not be any more, or shall stay as it is, and so changes nothing.
_INSTEAD = re.compile(
    rf"(?:,? \b(?:instead of|rather than|in place of)|, not|,? and not) (?:(?:an?|{POSSESSIVE.strip()}) )?"
    rf"((?:(?:{LOOK}) ){{0,2}}(?:{either((*PARTS, *CUTS, *PERSONS))}|ones?)\b|(?:{LOOK})(?=\s*(?:$|[,.;!?\n])))"
    rf"(?! (?:{either((*PARTS, *CUTS))})\b)"
)
_STAYING = re.compile(
    rf"\b(?:keep|leave|preserve|(?:don't|do not|without) (?:chang(?:e|ing)|touch(?:ing)?|alter(?:ing)?))"
    rf"(?: (?:{POSSESSIVE})?(?:(?:{LOOK}) ){{0,2}}(?:{either((*STAYS, *BEARDS))})\b(?: and| or|,)?){{1,4}}"
    r"(?: (?:as (?:it|they) (?:is|are)|alone|unchanged|the same))?"
)
_BEARD = re.compile(rf"\b(?:{either(BEARDS)})\b")
_SPACE = re.compile(r"[^\S\n]+")
_ARTICLE = re.compile(r"\ban? ([a-z]+)")


def plain(prompt: str) -> str:
    """`prompt` in lower case, told as clauses in our words; whatever it says beyond them is left as it is.

    So is what lies beyond its first LONGEST letters, where it says nothing to anybody.
    """
    text, beyond = prompt[:LONGEST].lower(), prompt[LONGEST:].lower()
    text = _SPACE.sub(" ", text.replace("’", "'").replace(":", " is ").replace("=", " is "))
    text = amounts_told(_FASHIONS.sub("", text))
    text = _LESSENED.sub("less", text)
    text = _SAID.sub(lambda found: _SAME[re.sub("[- ]", "", found[0])], text)
    text = glasses_told(_bound(eyes_told(_instead(text))))
    text = _SHAVE.sub(" clean-shaven", _HEAD_SHAVED.sub("bald", _SHAVE_HEAD.sub("bald", text)))
    text = _NOSE_SMALL.sub(lambda found: " ".join(filter(None, (found[2], found[3], found[1]))), text)
    text = _OFF.sub(r"no \1", _REMOVE.sub(_removed, _ages(text)))
    text = _ancestry(_told_of(_FROM.sub("", text)))
    text = _SAID_AFTER.sub(_before, text)
    for _ in range(PAIRS):
        text = _PAIR.sub(r"\1 ", text)
    text = _leaning(_SHADE.sub(lambda found: SHADES[found[1]], text))
    text = _OWN.sub("", _ASKING.sub(r"\1 ", _HAS.sub(", with", _IS.sub(", ", text))))
    return _SPACE.sub(" ", _ARTICLE.sub(lambda found: with_article(found[1]), text) + beyond).strip()


def _instead(text: str) -> str:
    """`text` without what others take the place of, and without what is to stay."""
    shaven = "shav" in text  # but for the beard that is to stay
    return _STAYING.sub(lambda found: found[0] if shaven and _BEARD.search(found[0]) else "", _INSTEAD.sub("", text))


def age_word(years: int) -> str:
    """The word for somebody of that age: baby, child, young, middle-aged or old."""
    return next((age.name for age in AGE_GROUPS.values() if years < age.below), next(reversed(AGE_GROUPS)))


def _bound(text: str) -> str:
    """`text` with the words in ours that mean them of some nouns only."""
    for said, pattern in _OF.items():
        ours, only = (ONLY_OF | NEVER_OF)[said][0], said in ONLY_OF
        text = pattern.sub(lambda found, ours=ours, only=only: _of_noun(found, ours, only), text)
    return text


def _of_noun(found: re.Match, ours: str, only: bool) -> str:
    before, after = found["of"] or "", found["to"] or ""
    return f"{before}{ours}{after}" if bool(before or after) == only else found[0]


def _ages(text: str) -> str:
    """Numbers of years as words for an age, each a clause by itself."""
    text = _TENS_AND_ONES.sub(lambda found: str(NUMBERS[found[1]] + NUMBERS[found[2]]), text)
    text = _NUMBER.sub(lambda found: str(NUMBERS[found[1] or found[2]]), text)
    return _AGED.sub(lambda found: f", {_aged(found)}, ", text)


def _aged(found: re.Match) -> str:
    years, decade = found[1] or found[2] or found[3], found[5] or found[6]
    return age_word(int(years) if years else int(decade) + MIDDLE if decade else DECADES[found[4]])


def _removed(found: re.Match) -> str:
    looks, noun, second = found[2], found[3], found[4]
    return f"no {looks}{noun}" + (f", no {second}" if second else "")


def _told_of(text: str) -> str:
    """Words for a person that say something of hair, skin, eyes or beard, as clauses that follow."""
    text = _HAIRED.sub(lambda found: f", {found[1].replace('-', ' ')} {found[2]}, ", text) if "ed" in text else text
    text = _EYED.sub(lambda found: f", {found[1].replace('-', ' ')}{_plural(found[2])}, ", text)
    for said, pattern in _PARTED.items():
        text = pattern.sub(rf", \1 {_NOUN_OF[said]}, ", text) if said in text else text
    text = _HEARTED.sub(r"\1", text)
    text = _clause(_BEARDED, text, lambda found: f"a {found[1].replace('-', ' ')}beard")
    text = _clause(_MARKED, text, lambda found: ("many " if found[1] else "") + found[2] + "es")
    text = _clause(_LONE, text, lambda found: f"{_BLONDE[found[1]]} hair", lambda found: found[2] or "person")
    text = _clause(_ALBINO, text, lambda found: "pale skin, white hair, white brows, white lashes, light blue eyes")
    return _clause(_TONED, text, lambda found: f"{_TONES.get(found[1] or found[2], 'tan')} skin")


def _plural(word: str) -> str:
    return {"eye": "eyes", "lip": "lips", "brow": "brows"}.get(word, "lashes")


def _clause(pattern: re.Pattern, text: str, said, left=lambda found: "") -> str:
    """`text` with what `pattern` finds taken out but for what is `left`, and what it `said` as clauses at the end."""
    told = [said(found) for found in pattern.finditer(text)]
    return ", ".join([pattern.sub(lambda found: left(found), text), *dict.fromkeys(told)]) if told else text


def _before(found: re.Match) -> str:
    """Of "hair is long and brown": "long brown hair"; "brown hair red" stays, for red may belong to what follows."""
    before, part, link, looks = found[1] or "", found[2], found[3], re.sub(r" and\b| or\b|,", "", found[4])
    if before and not link:
        return found[0]
    kept = "" if re.search(r"\b(?:in)?to\b", link) else before
    return f"{kept}{looks} {part}"


def _leaning(text: str) -> str:
    for part, pattern in _LEANING.items():
        text = pattern.sub(lambda found, part=part: LEANING[part][found[1]] + found[2], text)
    return text


def _ancestry(text: str) -> str:
    """Of "black woman": "african woman, dark skin"; the skin is left out where it is told."""
    told = dict.fromkeys(_ANCESTRY[found[1] or found[2]][1] for found in _BLACK.finditer(text))
    told |= dict.fromkeys(_FROM_THERE[found[0].replace("-", " ")][1] for found in _THERE.finditer(text))
    text = _BLACK.sub(_ancestor, _THERE.sub(lambda found: _FROM_THERE[found[0].replace("-", " ")][0], text))
    return ", ".join([text, *(f"{tone} skin" for tone in told)]) if told and " skin" not in text else text


def _ancestor(found: re.Match) -> str:
    ancestry = _ANCESTRY[found[1] or found[2]][0]
    return f"{ancestry} " if found[1] else f"{ancestry} person"
