"""Whether what was asked for has come: one function for each kind of request."""

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.edits.outside import differing
from benchmarks.edits.pair import Pair
from idto3d.head.paint.atlas import texels_of_parts
from idto3d.head.prior import HeadPrior
from idto3d.training.measure.heads.finished import OneHead
from idto3d.training.measure.heads.looks import (
    Found,
    fine_deviation,
    hair_volume,
    hue_share,
    iris_colours,
    mean_lab,
    region_of,
)

MOST_HUE = 0.80  # share of the hair's, or of the irises', pixels whose hue is in the named range
LEAST_COSINE, LENGTHS = 0.5, (0.3, 3.0)  # of a change of shape and the head prior's shift for the word
HALF = 0.5  # of the hair's volume
MIDDLE_M = 0.002  # half the width of the strip in the middle that neither half has
PLAIN_JAW = 6.0  # L* by which shaven skin may be darker than cheeks
Check = Callable[[Pair], list[Found]]


def hair_hue(low: float, high: float) -> Check:
    """The share of the hair's pixels whose hue lies in low..high degrees."""

    def check(pair: Pair) -> list[Found]:
        return [_hue("hair of that hue", pair.after.shown.of("hair"), low, high)]

    return check


def iris_hue(low: float, high: float) -> Check:
    """The share of the irises' texels, pupils left out, whose hue lies there."""

    def check(pair: Pair) -> list[Found]:
        return [_hue("iris of that hue", iris_colours(pair.after, pair.layout), low, high)]

    return check


def _hue(what: str, colours: np.ndarray, low: float, high: float) -> Found:
    share = hue_share(colours, low, high)
    return Found(what, share, f">= {MOST_HUE}", share >= MOST_HUE)


def shifted(word: str) -> Check:
    """Cosine and length of the skin's change along the head prior's shift for `word`, over the skin's vertices.

    Who is called that already may stay as they are.
    """

    def check(pair: Pair) -> list[Found]:
        prior, template = pair.before.saved.prior, pair.layout.template
        if not isinstance(prior, HeadPrior):
            return [Found(f"along '{word}'", 0.0, "a head prior", False)]
        own = template.part("skin").vertices
        wanted = template.shape(prior.expected_coefficients(prior.word_shift([word]))) - template.neutral
        free = torch.from_numpy(pair.layout.vertices("face", "scalp", "ears")) > 0.5
        along = wanted[own][free].flatten()
        moved = (pair.after.part("skin").vertices - pair.before.part("skin").vertices)[free].flatten()
        if not moved.any() and word in pair.before.saved.start.words().values():
            return [Found(f"{word} already, nothing moved", 1.0, "1", True)]
        cosine = float(torch.nn.functional.cosine_similarity(moved, along, dim=0))
        length = float(moved @ along / along.square().sum())
        low, high = LENGTHS
        return [
            Found(f"cosine with '{word}'", cosine, f">= {LEAST_COSINE}", cosine >= LEAST_COSINE),
            Found(f"length along '{word}'", length, f"{low}..{high}", low <= length <= high),
        ]

    return check


def hair_halved(pair: Pair) -> list[Found]:
    """The hair's volume after, in shares of that before."""
    before, after = hair_volume(pair.before), hair_volume(pair.after)
    share = after / before if before else float("nan")
    return [Found("hair volume", share, f"<= {HALF}, hair left", 0 < share <= HALF)]


def shaven(pair: Pair) -> list[Found]:
    """Whether no beard is left, in depth or in colour: the skin where one grows is as light as the cheeks."""
    part = pair.after.part("beard") is not None
    darker = _lightness(pair.after, "cheeks", pair) - _lightness(pair.after, "goatee", pair)
    was = _lightness(pair.before, "cheeks", pair) - _lightness(pair.before, "goatee", pair)
    right = not part and darker <= max(PLAIN_JAW, was)
    return [Found("beard's place darker than cheeks (L*)", darker, f"<= {PLAIN_JAW} or as before, no part", right)]


def bearded(pair: Pair) -> list[Found]:
    """A beard is there as a part, or its place has grown darker."""
    fall = _lightness(pair.before, "goatee", pair) - _lightness(pair.after, "goatee", pair)
    part = pair.after.part("beard") is not None
    found = Found("darker where it grows (L*)", fall, ">= 3, or a part", part or fall >= 3)
    return [found, Found("beard is a part", float(part), "0 or 1", True)]


def _lightness(head: OneHead, region: str, pair: Pair) -> float:
    return float(mean_lab(head, region, pair.layout)[0])


def redder_lips(pair: Pair) -> list[Found]:
    """The mean of the lips in Lab: how much a* rises."""
    rise = float(np.diff([mean_lab(one, "lips", pair.layout)[1] for one in (pair.before, pair.after)])[0])
    return [Found("lips redder (a*)", rise, ">= 8", rise >= 8)]


def more_marks(region: str) -> Check:
    """How much more a region of the skin varies between neighbours, in colour or relief."""

    def check(pair: Pair) -> list[Found]:
        gain = [_variation(pair, kind, region) for kind in ("albedo", "normal")]
        right = max(gain) >= 1.1
        named = zip(("colour", "relief"), gain, strict=True)
        return [Found(f"finer {kind}", value, "one >= 1.1", right) for kind, value in named]

    return check


def _variation(pair: Pair, kind: str, region: str) -> float:
    """Standard deviation of the fine part of a map in a region, after by before."""
    where = region_of(region, pair.layout)
    before, after = (fine_deviation(head, kind, where, pair.layout) for head in (pair.before, pair.after))
    return 1.0 if before is None or after is None else after / max(before, 1e-6)


def has_glasses(pair: Pair) -> list[Found]:
    """Parts that are new and lie before the eyes."""
    new = {part.name for part in pair.after.saved.head.parts} - {part.name for part in pair.before.saved.head.parts}
    return [Found("new parts", len(new), ">= 1", any("glasses" in name for name in new))]


def left_half_alone(pair: Pair) -> list[Found]:
    """How many texels of the skin have changed on the person's right, and on the left of the face."""
    albedo = len(pair.before.albedo("skin"))
    texels = texels_of_parts(pair.layout.template, ("skin",), albedo)
    changed = differing(*(one.saved.painted["skin"] for one in (pair.before, pair.after)))[texels.covered]
    across = texels.read(pair.before.part("skin").vertices.numpy())[:, 0]
    left, right = (int((changed & side).sum()) for side in (across > MIDDLE_M, across < -MIDDLE_M))
    return [
        Found("texels on the right", right, "0", right == 0),
        Found("texels on the left", left, ">= 1000", left >= 1000),
    ]
