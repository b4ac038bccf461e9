"""Who a head becomes by the words of an edit: its age, gender and ancestry against those that it has.

Amounts are in the head prior's own words, 1 being what the word alone says: a head that is "old" by 1 and becomes a
baby loses that word and gains the other.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from idto3d.config import HeadOptions
from idto3d.head.prior import HeadPrior
from idto3d.head.sculpt.features import forms_for
from idto3d.head.sculpt.persons import FORMS, forms_had, forms_of
from idto3d.head.template_model import Template
from idto3d.stages.edit.work import Work
from idto3d.stages.saved import FinishedHead
from idto3d.words.figures.table import CONTRARY_TO, ONE_SIDED
from idto3d.words.traits import AGE_GROUPS, ANCESTRIES, GENDER_MODES

TETS = "tets"  # the carrier whose heads keep the prior's coefficients in place of the template's
# How old somebody is in steps of about twenty years from young, and the words of shape that say it.
LADDER = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
RUNGS = {"baby": (1, 0, 0, 0, 0, 0, 0), "child": (0, 1, 0.6, 0, 0, 0, 0), "old": (0, 0, 0, 0, 0.5, 1, 1.4)}
YOUNG = LADDER.index(0.0)
# The age that a head is called by up to each place on the ladder.
CALLED = ((-2.5, "baby"), (-1.0, "child"), (0.5, "young"), (1.5, "middle-aged"), (np.inf, "old"))
STEP, FARTHEST = (
    0.5,
    2.0,
)  # of a feature's word that a comparative adds to what is there, and amount up to which it does
WHO = frozenset(("age", "gender", "ancestry"))  # attributes that say who somebody is
MOST = 1.4  # amount of a word that a head is taken to have at most


def asks_for_shape(work: Work) -> bool:
    """Whether the request says who the head shall be."""
    request = work.request
    return bool(request.years or request.features or WHO & request.traits.keys())


def code_change(work: Work) -> Tensor:
    """[K] by how much the shape code of the prior changes, for an edit of full strength."""
    prior, changes = work.prior, amounts_changed(work)
    changes |= {name: amount for name, amount in features_changed(work).items() if name in prior.phrases}
    shifts = [amount * prior.word_shift((word,)) for word, amount in changes.items()]
    return torch.stack(shifts).sum(0) if shifts else prior.word_shift(())


def features_wanted(work: Work) -> dict[str, float]:
    """How much of each feature that the request names, or that is contrary to it, the head shall have, for an edit of
    full strength.

    What it shall have more of than it has goes on from there, up to FARTHEST. What only goes with a build may be there
    in a greater amount already.
    """
    request, has = work.request, work.before.start.features
    wanted: dict[str, float] = {}
    for name, amount in request.features.items():
        other = CONTRARY_TO.get(name, "")
        held = has.get(name, 0.0) - has.get(other, 0.0)
        own = _further(amount, held) if name in request.further else amount
        own = max(own, held) if name in request.at_least and amount > 0 else own
        if other and other not in request.features and (own or name in request.further):
            wanted |= {name: max(own, 0.0), other: max(-own, 0.0)}
        else:
            wanted[name] = max(own, 0.0) if name in ONE_SIDED and name in request.further else own
    return wanted


def features_changed(work: Work) -> dict[str, float]:
    """How much of each feature is added to what the head has of it, for an edit of full strength."""
    has = work.before.start.features
    return {name: more for name, amount in features_wanted(work).items() if (more := amount - has.get(name, 0.0))}


def features_after(work: Work) -> dict[str, float]:
    """How much the head has of each feature that changes, at the strength of the edit."""
    has, strength = work.before.start.features, work.options.strength
    return {name: has.get(name, 0.0) + strength * more for name, more in features_changed(work).items()}


def forms_changed(work: Work) -> dict[str, float]:
    """How much of each form of people (head.sculpt.persons) is added, for an edit of full strength.

    Of what it does not know whether the head has it, that is what the new words ask for beyond the old ones.
    """
    if in_code(work.before.options) or not (work.request.years or WHO & work.request.traits.keys()):
        return {}
    had, said, shall = forms_held(work), forms_of(work.before.start.words()), forms_of(words_after(work))
    changed = {}
    for name in (one for one in FORMS if one in had or one in shall):
        wanted = shall.get(name, 0.0)
        known = had[name] if name in had else min(max(said.get(name, 0.0), min(wanted, 0.0)), max(wanted, 0.0))
        changed[name] = wanted - known
    return {name: more for name, more in forms_for(work.template, changed).items() if more}


def forms_after(work: Work) -> dict[str, float]:
    """How much the head has of each form that changes, at the strength of the edit."""
    had, strength = forms_held(work), work.options.strength
    return {name: had.get(name, 0.0) + strength * more for name, more in forms_changed(work).items()}


def forms_held(work: Work) -> dict[str, float]:
    """How much of each form the head is known to have: as it was made and edits have left it; on photos by its face.

    Heads of words that were made before there were forms have none, and a photographed neck is as it was measured.
    """
    head = work.before
    known = {name: amount for name, amount in head.start.features.items() if name in FORMS}
    return (forms_had(head.start.words(), photos=True) if head.photos else {}) | known


def words_after(work: Work) -> dict[str, str]:
    """The words for who the head is when the edit is done."""
    said = {name: word for name, word in work.request.traits.items() if name in WHO}
    if work.request.years and "age" not in said:
        said["age"] = age_called(place_of(held(work.before, work.template, work.prior)) + work.request.years)
    return work.before.start.words() | said


def _further(amount: float, has: float) -> float:
    """The next amount of a feature of which a word asks for `amount`, on the side of that word."""
    side, much = (1.0, amount) if amount >= 0 else (-1.0, -amount)
    has = side * has
    more = has + much if has <= 0 else max(much, has + STEP * much)
    return side * min(more, max(FARTHEST, has))


def amounts_changed(work: Work) -> dict[str, float]:
    """How much of each word of shape is added, for an edit of full strength."""
    before = held(work.before, work.template, work.prior)
    after = dict(before)
    said = work.request.traits
    if "age" in said:
        after |= {word: AGE_GROUPS[said["age"]].modes.get(word, 0.0) for word in RUNGS}
    elif work.request.years:
        place = place_of(before)
        before = dict(before) | words_at(place)
        after |= words_at(place + work.request.years)
    if "gender" in said:
        after[said["gender"]] = 1.0  # genders are the two ends of one mode, and this word's amount tells of both
    if "ancestry" in said:
        after |= {word: float(word == said["ancestry"]) for word in ANCESTRIES}
    return {word: amount - before[word] for word, amount in after.items() if amount != before[word]}


def held(head: FinishedHead, template: Template, prior: HeadPrior) -> dict[str, float]:
    """How much of each word of age, gender and ancestry a head's coefficients have."""
    return held_by(coefficients_of(head, prior), template, prior)


def held_by(own: Tensor, template: Template, prior: HeadPrior) -> dict[str, float]:
    """Likewise of the template's coefficients `own` [C]."""
    words = (*RUNGS, *ANCESTRIES)
    found = {word: min(max(_amount(word, own, template, prior), 0.0), MOST) for word in words}
    return found | {word: min(max(_amount(word, own, template, prior), -1.0), 1.0) for word in GENDER_MODES}


def own_share(amounts: Mapping[str, float]) -> float:
    """0..1 how much of what no word says of a face shows on a head with these amounts of words."""
    return 1 - sum(min(amounts[age.name], 1.0) * (1 - age.plain) for age in AGE_GROUPS.values() if age.small)


def place_of(amounts: Mapping[str, float]) -> float:
    """Where on the ladder a head with these amounts is."""
    older, younger = slice(YOUNG, None), slice(YOUNG, 0, -1)
    up = np.interp(amounts["old"], RUNGS["old"][older], LADDER[older])
    down = np.interp(amounts["child"], RUNGS["child"][younger], LADDER[younger])
    return float(up + down + LADDER[0] * amounts["baby"])


def words_at(place: float) -> dict[str, float]:
    """The amounts of the words for an age at a place on the ladder."""
    return {word: float(np.interp(place, LADDER, rungs)) for word, rungs in RUNGS.items()}


def age_called(place: float) -> str:
    """The word for the age at a place on the ladder."""
    return next(word for most, word in CALLED if place < most)


def coefficients_of(head: FinishedHead, prior: HeadPrior) -> Tensor:
    """[C] the template's coefficients of a head, or those that the prior expects of one that was grown without."""
    return prior.expected_coefficients(head.coefficients) if in_code(head.options) else head.coefficients


def in_code(options: HeadOptions) -> bool:
    """Whether a head keeps the prior's coefficients, [K], and not the template's."""
    return options.shape.carrier == TETS


def _amount(word: str, own: Tensor, template: Template, prior: HeadPrior) -> float:
    """How much of a `word` there is in coefficients `own` [C], whose last are those of the template's words."""
    alone = prior.expected_coefficients(prior.word_shift((word,)))
    mode = word if word in template.words else "female"
    place = len(own) - len(template.words) + template.words.index(mode)
    return float(own[place] / alone[place]) if alone[place] else 0.0
