"""What a prompt names of a head's shape, and whether the head has it: who somebody is, builds, features and faces."""

from collections.abc import Iterator, Mapping

import numpy as np

from idto3d.head.features.face_masks import ears
from idto3d.training.measure.heads.looks import Found, at_least, within
from idto3d.training.measure.heads.named import lined
from idto3d.training.measure.heads.sight import Sight
from idto3d.training.measure.text.ablations import FEMALE, HALF, THERE, is_there
from idto3d.training.scorer.measures import group_of
from idto3d.words.asked import figures_said
from idto3d.words.faces.heard import said_faces
from idto3d.words.faces.table import FACES
from idto3d.words.figures.table import FIGURES, UNREAL
from idto3d.words.traits import AGE_GROUPS, ANCESTRIES, GENDER_MODES

ENOUGH = 0.4  # of what sculpting a word alone would add
HIGHER_MM = 8.0  # by which a pointed ear stands higher than the same ear without its tip
AURICLE = 0.5  # of the mask of the ears
Rows = Iterator[tuple[str, list[Found]]]


def shape_named(sight: Sight) -> Rows:
    """Each word for a shape, and what was measured of it."""
    for name in ("age", "gender", "ancestry"):
        if word := sight.traits.get(name):
            yield f"{name}: {word}", [_who(word, sight), *(lined(sight) if _lined(name, word) else [])]
    usual = sight.ruler.ways_of(sight.vertices, group_of(sight.age))
    for face in said_faces(sight.prompt):
        yield f"face: {face}", [at_least("deviations from usual", usual[list(FACES).index(face)], THERE)]
    for said, amounts in figures_said(sight.prompt):
        yield said, _features(said, amounts, sight)
    for being in sight.asked.beings:
        if features := FIGURES[being].features:
            yield f"shape of a {being}", _features(being, features, sight)


def _lined(name: str, word: str) -> bool:
    return name == "age" and AGE_GROUPS[word].modes.get("old", 0.0) >= 1


def _who(word: str, sight: Sight) -> Found:
    """How much of the template's mode of a word the head has."""
    modes = sight.layout.template.words
    held = dict(zip(modes, sight.coefficients[-len(modes) :], strict=True))
    right = bool(is_there(word, held))
    if word in GENDER_MODES:
        return Found(word, float(held["female"] * np.sign(GENDER_MODES[word].female)), f"> {FEMALE}", right)
    if word in ANCESTRIES:
        return Found(word, float(held[word]), "the most of any", right)
    if word in held:
        return Found(word, float(held[word]), f"> {HALF}", right)
    small = max(held["baby"], held["child"], held["old"])
    return (
        Found("child's or old", float(small), f"< {HALF}", right)
        if word == "young"
        else Found("old", float(held["old"]), f"> {HALF / 2}", right)
    )


def _features(said: str, amounts: Mapping[str, float], sight: Sight) -> list[Found]:
    """How much of the features there is: of what nobody has, against the same head without."""
    if {*amounts} == {*UNREAL}:
        return [_ears(sight)]
    wanted = {name: amount for name, amount in amounts.items() if amount}
    if not wanted:  # "normal ears"
        return [within(said, sight.amount(dict.fromkeys(amounts, 1.0), sight.own), -ENOUGH, ENOUGH)]
    return [at_least("of what the word asks for", sight.amount(wanted, sight.usual), ENOUGH)]


def _ears(sight: Sight) -> Found:
    """By how much the ears reach higher than those of the head of the same coefficients."""
    outer = ears(sight.layout.template.neutral.numpy()) > AURICLE
    higher = 1000 * float(sight.vertices[outer, 1].max() - sight.own[outer, 1].max())
    return at_least("ears higher than without, mm", higher, HIGHER_MM)
