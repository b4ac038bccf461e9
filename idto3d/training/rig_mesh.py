"""The rig's geometry, from a morphable model: a thinned mesh, modes of shape, expressions, colours, hair."""

from dataclasses import replace

import fast_simplification
import numpy as np
import torch
from scipy.spatial import cKDTree

from idto3d.expressions import EXPRESSIONS
from idto3d.guidance.rig import HeadRig, RigSize
from idto3d.looks import HAIR_STYLES
from idto3d.training import hair, skin, synthetic
from idto3d.training.hair_shapes import hair_mesh
from idto3d.training.ict import DRAWN, IctModel
from idto3d.training.people import Person, draw_person
from idto3d.training.surface_modes import SEED, SurfaceModes

PARTS = (("M_Face", "M_BackHead"), ("M_Teeth", "M_GumsTongue"), DRAWN[4:])  # that are thinned each for itself
FACES = (7400, 700, 600)  # that are left of each
HAIR_FACES = 2000  # that are left of each style
HEADS = 32  # of hair whose mean a style's mesh is
PAINTED = 200  # people whose colours are measured


def build_rig(model: IctModel, shapes: SurfaceModes, inputs: tuple[int, int, int], image_size: int) -> HeadRig:
    """A rig with the geometry of `model` that reads nothing from conditions yet.

    inputs: lengths of a text state and of an embedding, and the number of words.
    """
    studio = synthetic.open_studio(model)
    kept, faces = thinned(model)
    rest = model.neutral + np.tensordot(shapes.mean, model.identity, 1)
    locks = [_hair(style, studio, rest, rest[kept]) for style in HAIR_STYLES]
    counts = tuple((len(offsets), len(triangles)) for offsets, _, _, triangles in locks)
    text_dim, id_dim, words = inputs
    size = RigSize(len(kept), len(faces), len(shapes.modes), len(EXPRESSIONS), words, counts)
    rig = HeadRig(text_dim, id_dim, image_size, {**vars(size)})
    moves = np.stack([np.tensordot(model.weights(e), model.expression[:, kept], 1) for e in EXPRESSIONS])
    offsets, roots, shades, triangles = (np.concatenate(part) for part in zip(*locks, strict=True))
    geometry = {"mean": rest[kept], "modes": np.tensordot(shapes.modes, model.identity[:, kept], 1), "moves": moves}
    geometry |= {"faces": faces, "paint": _paint(studio, kept)}
    geometry |= {"hair_offsets": offsets, "hair_roots": roots, "hair_shade": shades, "hair_faces": triangles}
    for name, values in geometry.items():
        getattr(rig, name).copy_(torch.from_numpy(np.asarray(values)))
    return rig


def thinned(model: IctModel) -> tuple[np.ndarray, np.ndarray]:
    """Indices [V] of the model's vertices that are kept, and faces [F, 3] over these."""
    groups = [np.isin(model.material, [DRAWN.index(name) for name in names]) for names in PARTS]
    drawn = [(group, most) for group, most in zip(groups, FACES, strict=True) if group.any()]
    faces = [simplified(model.neutral, model.faces[group], most) for group, most in drawn]
    kept, flat = np.unique(np.concatenate(faces), return_inverse=True)
    return kept, flat.reshape(-1, 3)


def simplified(vertices: np.ndarray, faces: np.ndarray, most: int) -> np.ndarray:
    """About `most` faces [F, 3] instead of `faces`, of the same `vertices`: new corners become the nearest old ones."""
    used, flat = np.unique(faces, return_inverse=True)
    told = {"target_count": min(most, len(faces) - 1), "agg": 3}
    points, triangles = fast_simplification.simplify(vertices[used], flat.reshape(-1, 3).astype(np.int64), **told)
    corners = used[cKDTree(vertices[used]).query(points)[1]][triangles]
    a, b, c = corners.T
    return corners[(a != b) & (b != c) & (c != a)]


def _hair(style: str, studio, rest: np.ndarray, roots: np.ndarray):
    """Offsets [H, 3] from the nearest of `roots` [V, 3], those roots [H], factors [H] on the colour, faces [F, 3]."""
    made = [hair_mesh(style, rest, studio.scalp, np.random.default_rng(SEED + i)) for i in range(HEADS)]
    if made[0] is None:
        return np.zeros((0, 3)), np.zeros(0, int), np.zeros(0), np.zeros((0, 3), int)
    vertices, shade = (np.mean([getattr(one, name) for one in made], 0) for name in ("vertices", "shade"))
    faces = simplified(vertices, made[0].faces, HAIR_FACES)
    kept, flat = np.unique(faces, return_inverse=True)
    vertices, shade = vertices[kept], synthetic.srgb(0.2 * shade[kept]) / synthetic.srgb(np.float64(0.2))
    nearest = cKDTree(roots).query(vertices)[1]
    return vertices - roots[nearest], nearest, shade, flat.reshape(-1, 3)


def _paint(studio, kept: np.ndarray) -> np.ndarray:
    """[2, V, 3]: sRGB colours of bald heads as `[0] + [1] * skin`, by least squares in each channel."""
    people = [_bald(draw_person(SEED + i, studio.model.words)) for i in range(PAINTED)]
    neutral = studio.model.neutral
    painted = [skin.paint(p.look, studio.regions, neutral, np.random.default_rng(p.seed))[kept] for p in people]
    wanted, tones = synthetic.srgb(np.stack(painted)), np.stack([tones_of(vars(person.look)) for person in people])
    paint = np.zeros((2, len(kept), 3))
    for channel in range(3):
        given = np.stack([np.ones(len(tones)), tones[:, channel]], 1)
        paint[:, :, channel] = np.linalg.lstsq(given, wanted[:, :, channel], rcond=None)[0]
    return paint


def _bald(person: Person) -> Person:
    return replace(person, look=replace(person.look, hair_style="bald", beard="clean", makeup=False, freckles=False))


def tones_of(look: dict) -> np.ndarray:
    """[6] colours of skin and hair in sRGB."""
    tones = [skin.skin_colour(look["melanin"], look["redness"]), hair.COLOURS[look["hair_colour"]]]
    return synthetic.srgb(np.concatenate([np.asarray(tone) for tone in tones]))
