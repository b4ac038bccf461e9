"""Hair as a part of the head: from words, its cards, cap and textures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.head.hair.atlas import WORDS, Grid, Strand, cap_uvs, encoded, paint_atlas
from idto3d.head.hair.cap import INSET, NO_CAP, Cap, make_cap
from idto3d.head.hair.cards import Strips, make_strips
from idto3d.head.hair.comb import Tucked
from idto3d.head.hair.guides import grow
from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import MeanSpace, Skin, hairline_band, smoothstep, spread_roots
from idto3d.head.hair.strands import Guides
from idto3d.head.hair.styles import TIES, Cut, cut_of, fine_cut
from idto3d.head.hair.told.cap import painted_cap
from idto3d.head.hair.told.locks import shades
from idto3d.head.hair.volume import HairVolume, volume_of_words
from idto3d.head.hair_volumes import HIDING
from idto3d.head.parts import Part
from idto3d.words.traits import COLOURS, STYLES

ROUGHNESS, CURLED = 0.7, 0.75  # of hair that lies in one direction, and in all
NAME = "hair"
RESTS = (0.006, 0.016)  # metres off the skin up to which hair rests on it, and from which it does not
SHOWN = 1.0  # of the scalp that takes the colour of hair too short to lie on it
SHADED = 0.92  # of that colour, between the hairs: cards that lie on another colour are dots
ON_TINT = (0.75, 1.0)  # shares of the scalp's colour between which hair that is no longer than its roots has cards
STAYS, TIED = 0.0007, 0.014  # metres; width of the cards of what is tied, likewise
LOWEST = (-0.2, -0.7)  # heights of unit normals from which hair is shaded as if it looked to the side
CARRIERS = 4  # vertices of the skin that carry a point


@dataclass(frozen=True, eq=False)
class HairPart:
    """The hair of a head.

    part: called "hair" and made of "hair", with texture coordinates. normals [V, 3]: unit, those of the hair's volume,
    for shading: cards are thin and must not show their own flatness. albedo [S, S, 4] uint8 sRGB with opacity;
    roughness 0..1; normal [S, S, 3] uint8 in tangent space. scalp_cover [V of the skin]: 0..1, how much of the hair's
    colour the skin under it shows; scalp_rgb: that colour, linear.
    """

    part: Part
    normals: Tensor
    albedo: np.ndarray
    roughness: float
    normal: np.ndarray | None
    scalp_cover: Tensor
    scalp_rgb: tuple[float, float, float]


def hair_of_words(skin: Skin, style: str, colour: str, size: int, seed: int, moves: np.ndarray) -> HairPart | None:
    """Hair of a style and a colour of the table of traits; None for a style that does not grow.

    size: texels along a side of its textures. moves [E, V, 3]: how the skin moves in the head's expressions,
    metres; hair that rests on it follows.
    """
    return styled_hair(skin, style, COLOURS[colour].rgb, size, seed, moves)


def styled_hair(
    skin: Skin, style: str, rgb: tuple[float, float, float], size: int, seed: int, moves: np.ndarray
) -> HairPart | None:
    """Likewise, of any linear colour `rgb`."""
    if not STYLES[style].grows:
        return None
    random = np.random.default_rng([seed, 18])
    cut = cut_of(style)
    if skin.pointed_ears and STYLES[style].sides_m >= HIDING and cut.comb.end is None:
        cut = replace(cut, comb=Tucked(cut.comb))
    space = MeanSpace(skin)
    volume = volume_of_words(skin, STYLES[style], cut.comb, space)
    fine, near = fine_cut(cut), hairline_band(skin)
    grown = skin.covered() if cut.capped else smoothstep(skin.tinted(), *ON_TINT)  # alone on skin, cards are dots
    groups = [Group(grow(volume, cut, spread_roots(skin, grown, cut.cards, random), space, random), cut)]
    if cut.capped:
        groups.append(
            Group(grow(volume, fine, spread_roots(skin, near, fine.cards, random), space, random), fine, True)
        )
    groups += [Group(tied, replace(cut, width=TIED)) for tied in _tied(TIES, style, space, random)]
    atlas = paint_atlas(Strand(rgb, cut.wisp), size, random)
    layout = lay_out(groups, volume, random, WORDS, INSET if cut.capped else None)
    atlas = painted_cap(atlas, layout.cap, rgb, cut, volume, space, random)
    part, normals = layout.part(size, skin, moves)
    albedo, relief = encoded(atlas)
    cover = torch.from_numpy(skin.tinted() * (STYLES[style].scalp_cover if cut.capped else SHOWN)).float()
    root = rgb if cut.capped else tuple(SHADED * value for value in rgb)
    return HairPart(part, normals, albedo, CURLED if STYLES[style].curled else ROUGHNESS, relief, cover, root)


def _tied(ties: Mapping[str, Callable], style: str, space: MeanSpace, random: np.random.Generator) -> list[Guides]:
    if style not in ties:
        return []
    tied = ties[style](random)
    points = space.from_mean(tied.points.reshape(-1, 3)).reshape(tied.points.shape)
    return [replace(tied, points=points)]


@dataclass(frozen=True, eq=False)
class Group:
    """Cards that are alike: along `guides`, as wide and shaded as in a `cut`, of locks or of single `fine` hairs."""

    guides: Guides
    cut: Cut
    fine: bool = False


@dataclass(frozen=True, eq=False)
class Layout:
    """Hair before it is painted: its cap, and groups of cards with the number of each one's tile in the grid, [C]."""

    cap: Cap
    groups: list[tuple[Strips, np.ndarray]]
    grid: Grid

    def part(self, size: int, skin: Skin, moves: np.ndarray) -> tuple[Part, Tensor]:
        """Everything as one part, and its shading normals [V, 3]. size: of the atlas; moves: see `hair_of_words`."""
        vertices, normals, faces = [self.cap.vertices], [self.cap.normals], [self.cap.faces]
        uvs = [cap_uvs(self.cap.uvs, size)]
        for strips, tiles in self.groups:
            faces.append(strips.faces() + sum(map(len, vertices)))
            vertices.append(strips.vertices.reshape(-1, 3))
            normals.append(np.repeat(strips.normals.reshape(-1, 3), 2, 0))
            uvs.append(strips.uvs(self.grid.corners(tiles, size)))
        points, corners = (torch.from_numpy(np.concatenate(arrays)).float() for arrays in (vertices, uvs))
        rest = torch.from_numpy(followed(points.double().numpy(), skin, moves)).float()
        part = Part(NAME, points, torch.from_numpy(np.concatenate(faces)).long(), rest, NAME, corners)
        return part, torch.from_numpy(_raised(np.concatenate(normals), points.double().numpy())).float()


def _raised(normals: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The `normals` [V, 3] at `points` [V, 3] without those that look down: light comes through the ends of hair."""
    outward = normalised(points * [1, 0, 1])
    down = smoothstep(normals[:, 1], LOWEST[0], LOWEST[1])[:, None]
    return normalised(np.maximum(normals, [-1, LOWEST[0], -1]) + down * outward)


def followed(points: np.ndarray, skin: Skin, moves: np.ndarray) -> np.ndarray:
    """[E, N, 3] metres that hair at `points` [N, 3] is carried by the skin it rests on, less the farther off it is.

    What would move less than STAYS stays, so that files hold only what is seen.
    """
    gap, near = cKDTree(skin.vertices).query(points, k=CARRIERS, distance_upper_bound=RESTS[1])
    weight = smoothstep(gap, RESTS[1], RESTS[0]) * np.isfinite(gap)
    share = weight.max(1, keepdims=True) * weight / np.maximum(weight.sum(1, keepdims=True), 1e-9)
    near = np.where(np.isfinite(gap), near, 0)
    moved = np.stack([np.einsum("nk,nkc->nc", share, move[near]) for move in moves])
    return moved * (np.abs(moved).max(-1, keepdims=True) > STAYS)


def lay_out(
    groups: list[Group],
    volume: HairVolume,
    random: np.random.Generator,
    grid: Grid,
    inset: tuple[float, float] | None = INSET,
) -> Layout:
    """Cards along the guides of all `groups` with tiles of their shade, and the cap.

    inset: see `make_cap`; None where there is no cap.
    """
    laid = [(make_strips(one.guides, one.cut.width, random), _tiles(one, grid, random)) for one in groups]
    return Layout(NO_CAP if inset is None else make_cap(volume, inset), laid, grid)


def _tiles(group: Group, grid: Grid, random: np.random.Generator) -> np.ndarray:
    """[C] the number of the tile that each card of a group has: the deeper and the darker its lock, the darker."""
    if group.fine:
        return grid.body + random.integers(0, grid.fine, len(group.guides))
    shade = 0.5 + group.cut.shaded * (shades(group.guides.level, group.guides.lock, random) - 0.5)
    return np.round(shade * (grid.body - 1)).astype(int)
