"""What a prompt names of a head's hair, beard, skin, eyes and make-up, and whether the head has it."""

from collections.abc import Callable, Iterator
from colorsys import rgb_to_hsv

import numpy as np
from scipy.spatial import cKDTree
from skimage.color import rgb2lab

from idto3d.head.glasses.part import NAME as GLASSES
from idto3d.head.template import LANDMARKS
from idto3d.stages.edit.drawn.adorned import pattern
from idto3d.stages.edit.paint.place import place_of
from idto3d.stages.edit.paint.skin import melanin_in
from idto3d.training.measure.heads.looks import (
    FINE,
    LINES,
    Found,
    at_least,
    fine_deviation,
    hair_height,
    hair_parallel,
    hair_volume,
    hue_share,
    iris_colours,
    mean_lab,
    plain_share,
    region_of,
    srgb_of,
    within,
)
from idto3d.training.measure.heads.sight import CHIN, Sight
from idto3d.words.paints import BROWS_MARK, ONE_EYE, paint_of
from idto3d.words.traits import COLOURS, FACIAL_HAIR, SKIN_TONES, STYLES, HairStyle

MOST_SKIN = 0.60  # share of the face's texels: lips, brows, lids and what is drawn have colours of their own
MOST_HUE, NEAR_HUE, NEAR_LIGHT = 0.80, 22.0, 16.0  # share of pixels; degrees; L* by which a mean may differ
HUELESS, FAINT = 0.20, 0.06  # saturations: of a table's colour without a hue, and of skin of a faint one
HANGS_M, STANDS = 0.045, (0.45, 2.4)  # by how far the ends of hair may err; how high it stands against the table
TIED_M, CLOSE_M = 0.022, 0.020  # off the head that tied hair reaches behind at least, and lies elsewhere at most
BEHIND_M = -0.05  # depth from which that is
FULL_M, CURLED = 0.015, 0.86  # of curls: how far they stand off at least; mean cosine of neighbouring strands at most
NO_END = 9999.0
EYES = {"eyes": 0, **dict(zip(ONE_EYE, (1, -1), strict=True))}  # sides
MELANIN = 0.08  # by which a skin may be darker or lighter than its word says
TAKEN = {"lips": 0.5, "lids": 0.22, "cheeks": 0.08, "brows": 0.2, "lashes": 0.5}  # of the way from skin to a paint
FRECKLED, LINED = 0.018, 4.0  # of the cheeks' brightness; deviation of relief on a lined forehead
FULL_BROWS = 9.0  # L* by which full brows are darker than the face
DARKER, DRAWN = 3.0, 5.0  # L* of stubble below the skin around; CIE distance of a drawing from it

Rows = Iterator[tuple[str, list[Found]]]


def looks_named(sight: Sight) -> Rows:
    """Each trait that is named, and what was measured of it."""
    traits, asked = sight.traits, sight.asked
    for name, check in TRAITS.items():
        if word := traits.get(name):
            yield f"{name.replace('_', ' ')}: {word}", check(sight, word)
    for bearer, name in asked.colours.items():
        yield f"{bearer}: {name}", _painted(sight, bearer, name)
    if asked.glasses is not None:
        worn = sum(part.name == GLASSES for part in sight.head.saved.head.parts)
        yield "glasses", [within("glasses as a part", worn, asked.glasses, asked.glasses)]
    for mark, amount in asked.marks.items():
        if amount > 0:
            yield mark, MARKED[mark](sight)
    for drawn in asked.drawings:
        yield f"{drawn.form} {drawn.kind}".strip(), _drawn(sight, drawn)


def hair_style(sight: Sight, word: str) -> list[Found]:
    """How much hair there is, where it ends, whether it is tied or curls."""
    style, volume = STYLES[word], 1e6 * hair_volume(sight.head)
    hair = sight.head.part("hair")
    if not style.grows or hair is None:
        return [within("hair, cubic centimetres", volume, *((0.0, 0.0) if not style.grows else (1.0, NO_END)))]
    skin, points = sight.head.part("skin").vertices.numpy(), hair.vertices.numpy()
    found = [_stands(sight, style), _ends(sight, style, points)]
    found += _tied(skin, points) if style.tied else []
    return [*found, within("strands alike", hair_parallel(hair), 0, CURLED)] if style.curled else found


def _stands(sight: Sight, style: HairStyle) -> Found:
    height = 1000 * hair_height(sight.head)
    usual = 1000 * (style.crown_m + style.sides_m) / 2
    if style.curled:
        return at_least("hair stands off the head, mm", height, 1000 * FULL_M)
    return within("hair stands off the head, mm", height, STANDS[0] * usual, STANDS[1] * usual + 6)


def _ends(sight: Sight, style: HairStyle, points: np.ndarray) -> Found:
    """Where hair ends, beside and before the spine, below the chin; what is tied may end anywhere."""
    below = 1000 * (sight.chin[1] - np.quantile(points[:, 1], 0.01))
    usual = float(sight.layout.template.neutral[LANDMARKS[CHIN], 1])
    if style.ends_m is None:
        return within("hair ends below the chin, mm", below, -NO_END, NO_END if style.tied else 15.0)
    ends = 1000 * (usual - style.ends_m)
    return within("hair ends below the chin, mm", below, ends - 1000 * HANGS_M, ends + 1000 * HANGS_M)


def _tied(skin: np.ndarray, points: np.ndarray) -> list[Found]:
    """Whether hair stands far off the head behind, and lies close elsewhere."""
    gap = 1000 * cKDTree(skin).query(points)[0]
    behind = points[:, 2] < BEHIND_M
    return [
        at_least("hair behind off the head, mm", np.quantile(gap[behind], 0.99) if behind.any() else 0, 1000 * TIED_M),
        within("elsewhere off the head, mm", np.median(gap[~behind]) if (~behind).any() else 0, 0, 1000 * CLOSE_M),
    ]


def coloured(what: str, colours: np.ndarray, rgb, least: float = HUELESS, most: float = MOST_HUE) -> list[Found]:
    """The share of `colours` [N, 3] of the hue of a linear colour, or without hue as that is, and how light they are.

    least: saturation under which a colour has no hue; most: the share that is enough.
    """
    if not len(colours):
        return [at_least(f"{what} of that hue", 0.0, most)]
    wanted = srgb_of(rgb)
    high, low = float(wanted.max()), float(wanted.min())
    if high - low <= least * high:
        share = plain_share(colours, 2 * HUELESS)
    else:
        hue = _hue_deg(wanted)
        share = hue_share(colours, hue - NEAR_HUE, hue + NEAR_HUE, least / 2)
    light, mean = (float(rgb2lab(one[None, None])[0, 0, 0]) for one in (wanted, colours.mean(0)))
    return [
        at_least(f"{what} of that hue", share, most),
        within(f"lightness of {what}", mean, light - NEAR_LIGHT, light + NEAR_LIGHT),
    ]


def _hue_deg(srgb: np.ndarray) -> float:
    return 360 * rgb_to_hsv(*srgb)[0]


def hair_colour(sight: Sight, word: str) -> list[Found]:
    """The hues of the hair's pixels."""
    style = STYLES.get(sight.traits.get("hair_style", ""))
    if style is not None and not style.grows:
        return []
    return coloured("hair", sight.head.shown.of("hair"), COLOURS[word].rgb)


def beard(sight: Sight, word: str) -> list[Found]:
    """A part where it has depth; a darker place where it has none."""
    part, own = float(sight.head.part("beard") is not None), FACIAL_HAIR[word]
    if own.depth_m or not own.cover:
        return [within("beard as a part", part, *(2 * (float(own.depth_m > 0),)))]
    cheeks, chin = (mean_lab(sight.head, name, sight.layout)[0] for name in ("cheeks", "goatee"))
    return [at_least("chin darker than cheeks, L*", cheeks - chin, DARKER)]


def skin_tone(sight: Sight, word: str) -> list[Found]:
    """The melanin of the face's skin."""
    least, most = SKIN_TONES[word].melanin
    melanin, _ = melanin_in(_linear(_face(sight)))
    return [within("melanin", melanin, least - MELANIN, most + MELANIN)]


def _face(sight: Sight) -> np.ndarray:
    """[3] the median colour of the cheeks."""
    albedo = sight.head.albedo("skin")
    return np.median(albedo[sight.layout.shares("skin", "cheeks", len(albedo)) > 0.7], 0)


def _linear(srgb: np.ndarray) -> np.ndarray:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _painted(sight: Sight, bearer: str, name: str) -> list[Found]:
    rgb = paint_of(name).rgb_on(bearer)
    if bearer in EYES:
        return coloured("irises", iris_colours(sight.head, sight.layout, EYES[bearer]), rgb)
    if bearer == "beard":
        stands = sight.head.part("beard") is not None
        return coloured("beard", sight.head.shown.of("beard"), rgb) if stands else []
    if bearer == "skin":
        albedo = sight.head.albedo("skin")
        face = albedo[sight.layout.shares("skin", "face", len(albedo)) > 0.9]
        return coloured("skin", face, rgb, FAINT, MOST_SKIN)
    skin, paint = mean_lab(sight.head, "face", sight.layout), rgb2lab(srgb_of(rgb)[None, None])[0, 0]
    if bearer == "lashes":
        lashes = sight.head.saved.painted["lashes"].albedo
        now = rgb2lab(lashes[lashes[..., 3] > 127][:, :3].mean(0)[None, None] / 255)[0, 0]
    else:
        now = mean_lab(sight.head, bearer, sight.layout)
    share = float((now - skin) @ (paint - skin) / ((paint - skin) ** 2).sum())
    return [at_least(f"{bearer} from the skin's colour to the paint's", share, TAKEN[bearer])]


def freckled(sight: Sight) -> list[Found]:
    """How much the cheeks, where freckles are, vary between neighbouring places, against their brightness."""
    albedo = 255 * sight.head.albedo("skin")
    where = region_of("cheeks", sight.layout)
    tone = albedo[sight.layout.spread("skin", where, len(albedo)) > 0.5].mean()
    return [at_least("fine colour of the cheeks", _fine(sight, "albedo", where, FINE) / tone, FRECKLED)]


def lined(sight: Sight) -> list[Found]:
    """How deep the lines on the forehead are, in its relief."""
    where = region_of("forehead", sight.layout)
    return [at_least("lines on the forehead, of 255", _fine(sight, "normal", where, LINES), LINED)]


def _fine(sight: Sight, kind: str, where: np.ndarray, band: tuple[float, float]) -> float:
    return fine_deviation(sight.head, kind, where, sight.layout, band) or 0.0


def browed(sight: Sight) -> list[Found]:
    """How dark the skin is where brows grow, against the skin around."""
    brows, face = (mean_lab(sight.head, name, sight.layout)[0] for name in ("brows", "face"))
    return [at_least("brows darker than the face, L*", face - brows, FULL_BROWS)]


def _drawn(sight: Sight, drawn) -> list[Found]:
    """How far what is drawn differs from the skin around."""
    image = sight.head.saved.painted["skin"].albedo
    place, seed = place_of(sight.layout.template, len(image)), sight.head.saved.options.seed
    share = np.max([one.share for one in pattern(drawn, place, seed)], 0)
    lab = rgb2lab(image[place.texels.covered][:, :3] / 255)
    inside, around = share > 0.5, (share < 0.02) & (place.at("face") > 0.5)
    if not inside.any():
        return [at_least("drawn on the skin", 0.0, DRAWN)]
    off = np.linalg.norm(lab[inside].mean(0) - lab[around].mean(0))
    return [at_least("differs from the skin around", off, DRAWN)]


MARKED: dict[str, Callable[[Sight], list[Found]]] = {"freckles": freckled, "wrinkles": lined, BROWS_MARK: browed}
TRAITS: dict[str, Callable[[Sight, str], list[Found]]] = {
    **{"hair_style": hair_style, "hair_colour": hair_colour, "beard": beard, "skin": skin_tone},
}
