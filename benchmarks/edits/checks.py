"""Whether what was asked for has come: one function for each kind of request."""

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from skimage.color import rgb2lab

from benchmarks.edits.outside import differing
from benchmarks.edits.pair import OneHead, Pair
from idto3d.head.paint.atlas import texels_of_parts
from idto3d.head.prior import HeadPrior

MOST_HUE = 0.80  # share of the hair's, or of the irises', pixels whose hue is in the named range
LEAST_COSINE, LENGTHS = 0.5, (0.3, 3.0)  # of a change of shape and the head prior's shift for the word
PLAIN_SATURATION = 0.12  # under which a colour has no hue
HALF = 0.5  # of the hair's volume
SMOOTH = (1.0, 6.0)  # texels of 1024 between which marks on skin lie
MIDDLE_M = 0.002  # half the width of the strip in the middle that neither half has
PLAIN_JAW = 6.0  # L* by which shaven skin may be darker than cheeks


@dataclass(frozen=True)
class Found:
    """A measured `value` in words of what it is, and whether it is as `wanted`."""

    what: str
    value: float
    wanted: str
    right: bool


Check = Callable[[Pair], list[Found]]


def hair_hue(low: float, high: float) -> Check:
    """The share of the hair's pixels whose hue lies in low..high degrees."""

    def check(pair: Pair) -> list[Found]:
        shown = pair.after.shown()
        return [_hue("hair of that hue", shown.albedo[shown.material == "hair"], low, high)]

    return check


def iris_hue(low: float, high: float) -> Check:
    """The share of the irises' texels, pupils left out, whose hue lies there."""

    def check(pair: Pair) -> list[Found]:
        albedo = pair.after.albedo("eyes")
        share = [pair.layout.shares("eyes", name, len(albedo)) for name in ("iris", "pupil")]
        return [_hue("iris of that hue", albedo[(share[0] > 0.9) & (share[1] < 0.1)], low, high)]

    return check


def _hue(what: str, colours: np.ndarray, low: float, high: float) -> Found:
    if not len(colours):
        return Found(what, 0.0, f">= {MOST_HUE}", False)
    hues = np.array([colorsys.rgb_to_hsv(*colour) for colour in colours[:: max(len(colours) // 20000, 1)]])
    within = (hues[:, 0] * 360 - low) % 360 <= (high - low) % 360
    share = float((within & (hues[:, 1] >= PLAIN_SATURATION)).mean())
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


def hair_volume(head: OneHead) -> float:
    """Cubic metres below the hair: over each vertex of the skin, its area times how high hair stands nearest to it."""
    hair, skin = head.part("hair"), head.part("skin")
    if hair is None:
        return 0.0
    points, vertices, faces = (values.numpy() for values in (hair.vertices, skin.vertices, skin.faces))
    gap, near = cKDTree(vertices).query(points)
    height = np.zeros(len(vertices))
    np.maximum.at(height, near, gap)
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return float((height * np.bincount(faces.ravel(), area.repeat(3), len(vertices))).sum())


def bearded(pair: Pair) -> list[Found]:
    """A beard is there as a part, or its place has grown darker."""
    fall = _lightness(pair.before, "goatee", pair) - _lightness(pair.after, "goatee", pair)
    part = pair.after.part("beard") is not None
    found = Found("darker where it grows (L*)", fall, ">= 3, or a part", part or fall >= 3)
    return [found, Found("beard is a part", float(part), "0 or 1", True)]


def _lightness(head: OneHead, region: str, pair: Pair) -> float:
    return float(_lab(head, region, pair)[0])


def _lab(head: OneHead, region: str, pair: Pair) -> np.ndarray:
    albedo = head.albedo("skin")
    share = pair.layout.shares("skin", region, len(albedo))
    return (rgb2lab(albedo) * share[..., None]).sum((0, 1)) / share.sum()


def redder_lips(pair: Pair) -> list[Found]:
    """The mean of the lips in Lab: how much a* rises."""
    rise = float(_lab(pair.after, "lips", pair)[1] - _lab(pair.before, "lips", pair)[1])
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
    deviations = []
    for head in (pair.before, pair.after):
        image = getattr(head.saved.painted["skin"], kind)
        if image is None:
            return 1.0
        image, scale = (
            image[..., :3].astype(np.float32).mean(-1) if kind == "albedo" else image[..., 1],
            len(image) / 1024,
        )
        image = image.astype(np.float32)
        fine = gaussian_filter(image, SMOOTH[0] * scale) - gaussian_filter(image, SMOOTH[1] * scale)
        deviations.append(float(fine[pair.layout.shares("skin", region, len(image)) > 0.5].std()))
    return deviations[1] / max(deviations[0], 1e-6)


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
