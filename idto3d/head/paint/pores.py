"""Pores, furrows and the lines of lips, laid on the skin one by one: as large at every size of texture, never repeated.

Each is a dent at its own place on the mean head, so that a finer texture shows the same ones more sharply. Densities
and widths are of the order that skin replicas show (Mizukoshi and Takahashi 2014: pores 0.1 to 0.4 mm wide).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from idto3d.head.features.regions import regions_of
from idto3d.head.paint.atlas import Texels
from idto3d.head.template_model import Template

MILLIMETRE = 1e-3
REACH = 2.6  # deviations from a dent's middle at which it ends
SHARPEST = 0.42  # deviation of what a texture can show of a point, in the longer sides of texels
WIDTHS = 40.0, 4000.0  # least and most millimetres that a side of the texture counts for
WIDEST = 48  # texels to a dent's edge
FINEST = 120.0  # millimetres across the texture: where more of it shows less skin, dents would be smears
AT_ONCE = 1 << 21  # texels of dents that are laid at a time
YOUNG = {"baby": 0.15, "child": 0.4}  # of the depth of pores
UP = np.array([0.0, 1.0, 0.0])
CAVITY = np.array([1.2, 1.7, 1.85])  # of the logarithms of red, green and blue lost per millimetre of depth


@dataclass(frozen=True)
class Dents:
    """One kind of dent: how many lie on a square centimetre, their deviations across and along, and depth, in mm.

    slant_deg: their directions lie this far to either side of upright, None for any.
    """

    name: str
    per_cm2: float
    across: float
    along: float
    depth: float
    slant_deg: float | None = None


KINDS = (
    Dents("nose", 70, 0.17, 0.20, 0.110),
    Dents("cheeks", 45, 0.18, 0.24, 0.085, 20.0),
    Dents("skin", 38, 0.15, 0.18, 0.060),
    Dents("furrows", 70, 0.09, 0.60, 0.035, 55.0),
    Dents("lips", 36, 0.18, 1.00, 0.070, 7.0),
)


def skin_dents(template: Template, texels: Texels, age: str, seed: int) -> np.ndarray:
    """[N] millimetres that the skin lies deeper for its pores, furrows and lines, at the texels of the skin's texture.

    age: the word for it, "" where none is said.
    """
    part, random = template.part("skin"), np.random.default_rng([seed, 43])
    surface = _Surface(
        1e3 * template.neutral[part.vertices].cpu().double().numpy(),
        part.faces.cpu().numpy(),
        part.uvs.cpu().double().numpy() * len(texels.covered),
    )
    page = np.zeros(texels.covered.size)
    places = dent_places(template)
    for kind in KINDS:
        _lay(page, surface, kind, places[kind.name], random)
    return YOUNG.get(age, 1.0) * page.reshape(texels.covered.shape)[texels.covered]


def dent_places(template: Template) -> dict[str, np.ndarray]:
    """[V] 0..1 by the name of each of KINDS, how many of them there are at the skin's vertices."""
    masks, own = regions_of(template), template.part("skin").vertices
    at = {name: getattr(masks, name)[own].cpu().double().numpy() for name in ("nose", "cheeks", "lips", "ears", "lids")}
    bare = 1 - np.maximum.reduce([getattr(masks, name)[own].cpu().double().numpy() for name in ("mouth", "sockets")])
    plain = bare * (1 - at["lips"])
    pored = plain * (1 - 0.8 * at["lids"]) * (1 - at["ears"])
    return {
        "nose": pored * at["nose"],
        "cheeks": pored * at["cheeks"] * (1 - at["nose"]),
        "skin": pored * (1 - at["nose"]) * (1 - at["cheeks"]),
        "furrows": plain,
        "lips": bare * at["lips"],
    }


def shaded(depth: np.ndarray) -> np.ndarray:
    """[N, 3] what is added to the logarithm of the albedo of skin that lies `depth` [N] millimetres deeper."""
    return -depth[:, None] * CAVITY


@dataclass(frozen=True, eq=False)
class _Surface:
    """points [V, 3] millimetres, faces [F, 3], and the corners [F, 3, 2] of these on the texture, texels."""

    points: np.ndarray
    faces: np.ndarray
    corners: np.ndarray


def _lay(page: np.ndarray, surface: _Surface, kind: Dents, share: np.ndarray, random: np.random.Generator) -> None:
    """Add the dents of a kind to the flat `page`, as many as `share` [V] says."""
    sides = surface.points[surface.faces[:, 1:]] - surface.points[surface.faces[:, :1]]
    normal = np.cross(sides[:, 0], sides[:, 1])
    area = np.linalg.norm(normal, axis=1) / 2
    on_page = surface.corners[:, 1:] - surface.corners[:, :1]
    count = random.poisson(kind.per_cm2 * area / 100 * share[surface.faces].mean(1) * _even(sides, on_page, page))
    face = np.repeat(np.arange(len(count)), count)
    slopes = _slopes(sides[face], on_page[face])
    unit = normal[face] / np.maximum(2 * area[face, None], 1e-12)
    spread = _spread(kind, unit, slopes, random)
    depth = kind.depth * random.lognormal(0.0, 0.35, len(face))
    _stamp(page, _middles(surface.corners[face], random), *_blurred(spread, depth, slopes))


def _even(sides: np.ndarray, on_page: np.ndarray, page: np.ndarray) -> np.ndarray:
    """[F] bool: the faces that the texture shows neither as a line nor stretched beyond FINEST."""
    even = np.abs(np.linalg.det(on_page)) > 1e-6
    slopes = _slopes(sides[even], on_page[even])
    least = np.linalg.eigvalsh(np.swapaxes(slopes, 1, 2) @ slopes)[:, 0]
    even[even] = np.sqrt(least.clip(0)) * np.sqrt(len(page)) > FINEST
    return even


def _slopes(sides: np.ndarray, on_page: np.ndarray) -> np.ndarray:
    """[F, 3, 2] millimetres per texel, from two sides of each face in space [F, 2, 3] and on the texture [F, 2, 2]."""
    return np.swapaxes(sides, 1, 2) @ np.linalg.inv(np.swapaxes(on_page, 1, 2))


def _middles(corners: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A random point [P, 2] of each triangle [P, 3, 2]."""
    first, second = np.sqrt(random.random(len(corners))), random.random(len(corners))
    shares = np.stack([1 - first, first * (1 - second), first * second], 1)
    return np.einsum("pk,pkc->pc", shares, corners)


def _spread(kind: Dents, unit: np.ndarray, slopes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """[P, 2, 2] covariances in texels of dents on surfaces of normals `unit` [P, 3] and `slopes` [P, 3, 2]."""
    size = random.lognormal(0.0, 0.22, len(unit))
    across, along = kind.across * size, kind.along * size * random.lognormal(0.0, 0.15, len(unit))
    side = np.cross(UP, unit)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-6)
    upright = np.cross(unit, side)
    angle = random.uniform(0, np.pi, len(unit))
    if kind.slant_deg is not None:
        sign = random.choice([-1.0, 1.0], len(unit))
        angle = np.radians(sign * kind.slant_deg + random.normal(0, 0.4 * kind.slant_deg, len(unit)))
    way = np.cos(angle)[:, None] * upright + np.sin(angle)[:, None] * side
    lengthwise = np.einsum("pc,pck->pk", way, slopes)  # mm along a dent, per texel
    metric = np.einsum("pck,pcl->pkl", slopes, slopes)
    lengths = lengthwise[:, :, None] * lengthwise[:, None, :]
    inverse = (metric - lengths) / across[:, None, None] ** 2 + lengths / along[:, None, None] ** 2
    return np.linalg.inv(inverse + 1e-9 * np.eye(2))


def _blurred(spread: np.ndarray, depth: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The covariances [P, 2, 2] and depths [P] of what a texture shows of dents: wider and flatter ones.

    slopes: [P, 3, 2]. Where texels are longer than wide a point is spread as far to all sides as they are long: spread
    along them alone, pores would be strokes.
    """
    metric = np.einsum("pck,pcl->pkl", slopes, slopes) + 1e-9 * np.eye(2)
    longer = np.linalg.eigvalsh(metric)[:, 1]
    shown = spread + SHARPEST**2 * longer[:, None, None] * np.linalg.inv(metric)
    return shown, depth * np.sqrt(np.linalg.det(spread) / np.linalg.det(shown))


def _stamp(page: np.ndarray, middles: np.ndarray, spread: np.ndarray, depth: np.ndarray) -> None:
    """Add to the flat square `page` dents at `middles` [P, 2] texels, of covariances `spread` and `depth` [P]."""
    size = int(np.sqrt(len(page)))
    reach = np.ceil(REACH * np.sqrt(np.maximum(spread[:, 0, 0], spread[:, 1, 1]))).astype(int).clip(1, WIDEST)
    inverse = np.linalg.inv(spread)
    for radius in np.unique(reach):
        for rows in _portions(np.flatnonzero(reach == radius), (2 * radius + 1) ** 2):
            down, right = (way.ravel() for way in np.mgrid[-radius : radius + 1, -radius : radius + 1])
            first = np.floor(middles[rows]).astype(int)
            column, row = first[:, :1] + right, first[:, 1:] + down
            x, y = column + 0.5 - middles[rows, :1], row + 0.5 - middles[rows, 1:]
            own = inverse[rows][..., None]
            form = np.exp(-0.5 * (own[:, 0, 0] * x * x + 2 * own[:, 0, 1] * x * y + own[:, 1, 1] * y * y))
            inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
            place = (row * size + column)[inside]
            np.add.at(page, place, (depth[rows, None] * form)[inside])


def _portions(rows: np.ndarray, each: int) -> Iterator[np.ndarray]:
    """`rows` in portions of as many as have AT_ONCE texels, of which `each` has that many."""
    step = max(1, AT_ONCE // each)
    return (rows[start : start + step] for start in range(0, len(rows), step))


def widths(template: Template) -> np.ndarray:
    """[V] millimetres of the mean head that the whole side of the texture would show at the scale of each vertex."""
    part = template.part("skin")
    points, faces = 1e3 * template.neutral[part.vertices].cpu().double().numpy(), part.faces.cpu().numpy()
    sides, flat = points[faces[:, 1:]] - points[faces[:, :1]], part.uvs.cpu().double().numpy()
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    shown = np.abs(np.linalg.det(flat[:, 1:] - flat[:, :1]))
    total, on_page = (np.bincount(faces.ravel(), np.repeat(values, 3), len(points)) for values in (area, shown))
    return np.sqrt(total / np.maximum(on_page, 1e-12)).clip(*WIDTHS)
