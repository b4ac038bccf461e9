"""The eyes' texture: sclera with veins, limbal ring, iris fibres and pupil, painted by angle from where the eye looks.

After the anatomy in Lefohn et al., "An ocularist's approach to human iris synthesis" (2003): layers of radial fibres,
a collarette, a dark limbus; the iris is 11.7 mm wide.
"""

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import map_coordinates

from idto3d.head.features.eyes import NAMES, eye_of
from idto3d.head.paint.atlas import Texels, texels_of_parts
from idto3d.head.template_model import Template
from idto3d.words.traits import COLOURS

IRIS_M, PUPIL_M = 0.0058, 0.0019  # radii as seen from in front
LIMBUS_M = 0.0006  # over which the iris gives way to the white
SCLERA = np.array([0.60, 0.565, 0.545], np.float32)  # linear
VEIN = np.array([0.55, 0.16, 0.12], np.float32)
RIM = np.array([0.62, 0.40, 0.34], np.float32)  # the white towards the corners of the eye, where it is red
FIBRES = ((28, 0.45), (61, 0.35), (113, 0.30))  # how many around, and how strong
VEINS = 20
VEIN_REACH = 0.30  # radians to either side that one wanders
# Heights over the middle of the eye, and widths beside it, between which lids take light: from, to, and how much of it.
UPPER_LID, LOWER_LID, CORNERS = (0.0002, 0.0062, 0.62), (0.0032, 0.0080, 0.25), (0.0062, 0.0118, 0.52)
CAUGHT = 0.30  # of its light by which the iris is brighter below, where light that falls in from above meets it
# Radii over which the cornea's gloss ends, and roughness before and beyond: a mirror to its rim is white from the side.
CORNEA_M, CORNEA_ROUGH, WHITE_ROUGH = (0.0032, 0.0062), 0.06, 0.42
DARK_BROWN, BROWN, HAZEL = (0.022, 0.011, 0.006), (0.055, 0.026, 0.011), (0.075, 0.058, 0.026)  # linear
BLUE = (0.075, 0.115, 0.165)
DARK_EYED, DARK_SKINS, PALEST = ("african", "asian"), ("brown", "dark"), "pale"
FAIR_HAIR, GREYED = ("blonde", "red"), ("grey", "white")  # colours of hair with which eyes are often light
LIMBUS = 0.80  # of its light that the iris loses at its rim
AROUND = 768
RADII = np.linspace(0, 0.017, 256)  # metres
ANGLES = np.linspace(-np.pi, np.pi, AROUND, endpoint=False)
SEED = 4


def eye_texture(template: Template, iris_colour: tuple[float, float, float], size: int = 512) -> np.ndarray:
    """[S, S, 3] linear albedo of both eyeballs in their square; `iris_colour` is linear RGB. Always the same."""
    texels, (x, y, z) = _front(template, size)
    radius, around = np.where(z > 0, np.hypot(x, y), RADII[-1]), np.arctan2(y, x)  # the back is white
    painted = _painted(np.asarray(iris_colour, np.float32))
    places = np.stack([radius / RADII[1], (around + np.pi) / (2 * np.pi) * AROUND])
    colours = [map_coordinates(painted[..., channel], places, order=1, mode="grid-wrap") for channel in range(3)]
    return texels.spread((np.stack(colours, -1) * _lit(x, y)[:, None]).astype(np.float32)).clip(0, 1)


def eye_roughness(template: Template, size: int = 512) -> np.ndarray:
    """[S, S] roughness of both eyeballs in their square: the cornea mirrors, the white is wet and veined."""
    texels, (x, y, z) = _front(template, size)
    white = np.where(z > 0, np.clip((np.hypot(x, y) - CORNEA_M[0]) / (CORNEA_M[1] - CORNEA_M[0]), 0, 1), 1.0)
    rough = CORNEA_ROUGH + (WHITE_ROUGH - CORNEA_ROUGH) * white
    return texels.spread(rough[:, None].astype(np.float32))[..., 0]


def _front(template: Template, size: int) -> tuple[Texels, np.ndarray]:
    """The texels of both eyeballs, and [3, N] metres from their eye's centre: to the left, up, and where it looks."""
    texels, offsets = texels_of_parts(template, NAMES, size), np.zeros((len(template.neutral), 3), np.float32)
    for side, name in enumerate(NAMES):
        offsets[template.part(name).vertices] = _offsets(template, side)
    return texels, texels.read(offsets).T


def _lit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[N] 0..1 the light that lids and their corners leave at places of the eye."""
    taken = ((y, UPPER_LID), (-y, LOWER_LID), (np.abs(x), CORNERS))
    shares = [1 - most * np.clip((at - low) / (high - low), 0, 1) ** 1.2 for at, (low, high, most) in taken]
    return np.prod(shares, 0)


def iris_of_words(traits: Mapping[str, str]) -> tuple[float, float, float]:
    """Linear RGB of the irises that go with `traits`: light with fair hair or the palest skin, else brown."""
    skin, hair = traits.get("skin", ""), COLOURS.get(traits.get("hair_colour", ""))
    shown = (hair.heard_as or hair.name) if hair else ""
    if traits.get("ancestry") in DARK_EYED or skin in DARK_SKINS:
        return DARK_BROWN
    if shown in FAIR_HAIR or skin == PALEST:
        return BLUE
    return HAZEL if shown in GREYED else BROWN


def _painted(iris_colour: np.ndarray) -> np.ndarray:
    """[R, A, 3] an eye's front by radius (RADII) and angle around its axis."""
    radius, around = (grid.ravel() for grid in np.meshgrid(RADII, ANGLES, indexing="ij"))
    white = _white(radius, around, np.random.default_rng(SEED))
    iris = _iris(radius, around, iris_colour, np.random.default_rng(SEED + 1))
    share = np.clip((IRIS_M + LIMBUS_M / 2 - radius) / LIMBUS_M, 0, 1)[:, None]
    return (white * (1 - share) + iris * share).reshape(len(RADII), AROUND, 3).astype(np.float32)


def _offsets(template: Template, side: int) -> np.ndarray:
    """[N, 3] metres at an eye's vertices: to the person's left, upwards, and along where it looks."""
    eye = eye_of(template, template.neutral, side)
    axis = eye.axis.cpu().numpy()
    left = np.array([axis[2], 0.0, -axis[0]]) / np.hypot(axis[0], axis[2])
    frame = np.stack([left, np.cross(axis, left), axis])
    return (template.neutral[template.part(NAMES[side]).vertices] - eye.centre).cpu().numpy() @ frame.T


def _white(radius: np.ndarray, around: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """[P, 3] the sclera: veins from the corners that thin out towards the iris, redder away from it."""
    outwards = np.clip((radius - IRIS_M) / 0.009, 0, 1)[:, None]
    colour = SCLERA * (1 - 0.35 * outwards**2) + RIM * 0.35 * outwards**2
    for start in random.uniform(-0.9, 0.9, VEINS) + np.pi * random.integers(0, 2, VEINS):
        own = np.flatnonzero(np.abs(_turn(around - start)) < VEIN_REACH)
        far, bends, phase, thickness = (
            radius[own],
            random.uniform(500, 1100),
            random.uniform(0, 6.3),
            random.uniform(0.5, 1),
        )
        place = start + 0.06 * np.sin(bends * far + phase) + 0.03 * np.sin(2.7 * bends * far + 2 * phase)
        gap = np.abs(_turn(around[own] - place)) * far
        reach = np.clip((far - random.uniform(0.0068, 0.0095)) / 0.003, 0, 1)
        vein = (thickness * 0.35 * reach * np.exp(-((gap / (0.00006 + 0.0001 * reach)) ** 2)))[:, None]
        colour[own] = colour[own] * (1 - vein) + VEIN * vein
    return colour


def _iris(radius: np.ndarray, around: np.ndarray, colour: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """[P, 3] the iris: fibres outside and inside the collarette, a dark rim, the pupil."""
    place = np.clip((radius - PUPIL_M) / (IRIS_M - PUPIL_M), 0, 1)
    fibres = sum(amount * _rings(around + 0.05 * np.sin(9 * place + count), count, random) for count, amount in FIBRES)
    collarette = np.exp(-(((place - 0.30 - 0.04 * _rings(around, 19, random)) / 0.09) ** 2))
    shade = 1 + 0.5 * fibres * np.sin(np.pi * np.clip(place, 0.05, 1)) + 0.25 * collarette
    shade = shade * (1 - CAUGHT * place * np.sin(around)) * (1 - LIMBUS * np.clip((place - 0.74) / 0.26, 0, 1) ** 1.5)
    warm = np.array([0.16, 0.085, 0.035], np.float32)  # around the pupil, whatever the colour
    mixed = colour * (1 - 0.35 * collarette[:, None]) + (0.5 * colour + 0.5 * warm) * 0.35 * collarette[:, None]
    pupil = np.clip((PUPIL_M - radius) / 0.00025 + 0.5, 0, 1)[:, None]
    return (mixed * shade[:, None].clip(0.15, 1.7)) * (1 - pupil) + 0.004 * pupil


def _turn(angle: np.ndarray) -> np.ndarray:
    """`angle` in -pi..pi."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _rings(around: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """[P] about -1..1: smooth random values at `count` places around the pupil."""
    values = random.uniform(-1, 1, count)
    place = (around / (2 * np.pi)) % 1 * count
    low, share = place.astype(int) % count, place % 1
    share = share * share * (3 - 2 * share)
    return values[low] * (1 - share) + values[(low + 1) % count] * share
