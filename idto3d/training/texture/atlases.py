"""Atlases of synthetic people's skin: clean, worn (with what is no face), and lit, each with the look of the person.

A worn atlas shows what atlases of other sources show: hair over the scalp, black outside of the charts, marks and
holes; its mask says where. A lit one keeps the light of a photo.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np

from idto3d.head.features.face_masks import skin_masks
from idto3d.head.paint.age import aged, years_of
from idto3d.head.paint.atlas import Texels, texels_of
from idto3d.head.paint.usual_skin import facial_hair, grown_over, usual_skin
from idto3d.head.template import MOUTH_SOCKET
from idto3d.head.template_model import Template
from idto3d.training.people import skin
from idto3d.training.people.person import Person, draw_person
from idto3d.training.people.sculptor import vertex_normals
from idto3d.training.people.synthetic import byte, lights, srgb
from idto3d.words.traits import COLOURS, SHAVEN, STYLES

SAID = ("skin", "hair", "beard", "age", "ancestry", "gender", "freckles", "makeup")  # of captions: what skin shows
HAIR_CHANCE, BLACK_CHANCE, MARK_CHANCE = 0.7, 0.5, 0.35  # of what a worn atlas shows
WORN_CHANCE = 0.5  # that a lit atlas is a worn one
MOST_MARKS, MARK_SIDE = 3, (0.03, 0.16)  # how many marks, and their sides as shares of the atlas
HAIR_COVER = 0.3  # share from which hair hides a face
NO_BROW = 1e-6  # thickness of brows, which are painted hair by hair instead


@dataclass(frozen=True, eq=False)
class Board:
    """What all atlases share: the template, its skin's texels and mean head, and regions on it; `inner` [V, 3] is the
    linear colour of mouth and sockets."""

    template: Template
    texels: Texels
    mean: np.ndarray
    regions: skin.Regions
    inner: np.ndarray


@dataclass(frozen=True, eq=False)
class Atlases:
    """One person's atlases [S, S, 3] uint8 sRGB, the masks [S, S] uint8, 1 where face is, and the `look` as JSON."""

    clean: np.ndarray
    worn: np.ndarray
    worn_mask: np.ndarray
    lit: np.ndarray
    lit_mask: np.ndarray
    look: dict


def open_board(template: Template, size: int) -> Board:
    """Measure what atlases of `size` pixels on the template's skin share."""
    part = template.part("skin")
    mean = template.neutral[part.vertices].cpu().double().numpy()
    texels = texels_of(part.faces.cpu().numpy(), part.uvs.cpu().numpy(), size)
    nothing = np.zeros(len(mean), np.float32)
    inside = dict.fromkeys(("iris", "pupil", "eyes", "teeth", "mouth"), nothing)
    return Board(template, texels, mean, skin.Regions(**skin_masks(mean), **inside), usual_skin(mean, {}))


def draw_atlases(board: Board, seed: int) -> Atlases:
    """The atlases of the person of `seed`; the same seed gives the same bytes."""
    person = draw_person(seed, board.template.words)
    paint, wear, shine = (np.random.default_rng([seed, 4, stream]) for stream in range(3))
    albedo = _skin(board, person, paint)
    clean = on_white(board.texels, albedo)
    worn, face = _worn(board, person, albedo, wear)
    shown, mask = (worn, face) if shine.random() < WORN_CHANCE else (clean, np.ones_like(face))
    lit = _lit(board, person, shown, shine)
    lit[~board.texels.covered & (mask == 1)] = 1.0
    return Atlases(*(byte(srgb(clean)), byte(srgb(worn)), face, byte(srgb(lit)), mask), person.attributes())


def on_white(texels: Texels, values: np.ndarray) -> np.ndarray:
    """The atlas [S, S, 3] of `values` [N, 3] with white around the charts, as there is around heads in other pictures.

    An autoencoder that learned from those loses the colours of a picture that is skin all over.
    """
    image = np.ones((*texels.covered.shape, 3))
    image[texels.covered] = values
    return image


def _skin(board: Board, person: Person, random: np.random.Generator) -> np.ndarray:
    """Linear albedo [N, 3] at the texels: bare skin with its spots and paint, then brows, beard and years."""
    look = person.look
    bare = replace(look, beard=SHAVEN, brows=NO_BROW, hair_style="bald")
    painted = skin.paint(bare, board.regions, board.mean.astype(np.float32), random)
    painted[MOUTH_SOCKET.start :] = board.inner[MOUTH_SOCKET.start :]
    traits = {name: value for name, value in asdict(look).items() if isinstance(value, str)}
    albedo = board.texels.read(painted)
    if (years := aged(board.mean, years_of(traits), board.texels, person.seed)) is not None:
        albedo = albedo * np.exp(years.shade)[:, None]
    return np.clip(grown_over(albedo, facial_hair(board.mean, traits, board.texels, person.seed)), 0, 1)


def _worn(board: Board, person: Person, albedo: np.ndarray, random) -> tuple[np.ndarray, np.ndarray]:
    """The atlas [S, S, 3], linear, with what is no face, and the mask [S, S] uint8 of what is."""
    texels, look = board.texels, person.look
    chances = random.random(3)
    cover = np.zeros(len(albedo))
    if chances[0] < HAIR_CHANCE:
        cover = STYLES[look.hair_style].scalp_cover * texels.read(board.regions.scalp[:, None])[:, 0]
    streaks = np.exp(0.15 * random.standard_normal(len(albedo)))[:, None]
    shown = albedo * (1 - cover[:, None]) + 0.85 * np.array(COLOURS[look.hair_colour].rgb) * streaks * cover[:, None]
    image, face = on_white(texels, shown), np.ones_like(texels.covered)
    face[texels.covered] = cover < HAIR_COVER
    if chances[1] < BLACK_CHANCE:
        image, face = image * texels.covered[..., None], face & texels.covered
    if chances[2] < MARK_CHANCE:
        image, face = _marked(image, face, random)
    return image, face.astype(np.uint8)


def _marked(image: np.ndarray, face: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """With some ellipses of one colour each, as tracking marks, caps and holes are."""
    image, face, size = image.copy(), face.copy(), len(image)
    y, x = (np.indices((size, size)) + 0.5) / size
    for _ in range(random.integers(1, MOST_MARKS + 1)):
        (row, column), sides = random.random(2), random.uniform(*MARK_SIDE, 2)
        inside = ((y - row) / sides[0]) ** 2 + ((x - column) / sides[1]) ** 2 < 1
        image[inside] = random.random(3) ** 2
        face &= ~inside
    return image, face


def _lit(board: Board, person: Person, shown: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The atlas `shown` [S, S, 3], linear, as a photo's light leaves it on the person's own shape."""
    import torch

    part = board.template.part("skin")
    shape = board.template.shape(torch.from_numpy(person.coefficients))[part.vertices].numpy()
    normals = board.texels.read(vertex_normals(shape, part.faces.numpy().astype(np.int32)).astype(np.float64))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    light = lights(normals, random)
    image = shown * board.texels.spread(light)
    bright = np.percentile(image[board.texels.covered], 92)
    return image * random.uniform(0.75, 1.25) / max(float(bright), 0.1) * 0.75
