"""The morphable head's geometry, from ICT-FaceKit: a thinned mesh, the handles that move it, colours, hair, beards."""

from dataclasses import replace

import fast_simplification
import numpy as np
import torch
from scipy.spatial import cKDTree

from idto3d.guidance.networks.morphable import HANDLES_PER_VERTEX, MorphableHead, MorphableSize
from idto3d.head.skin import skin_colour
from idto3d.head.template import DRAWN
from idto3d.training.fit.surface_modes import SHAPES_SEED, SurfaceModes
from idto3d.training.people import skin, synthetic
from idto3d.training.people.hair_shapes import hair_mesh
from idto3d.training.people.ict import IctModel
from idto3d.training.people.person import Person, draw_person
from idto3d.training.people.scalp import AZIMUTHS, RINGS, grid_faces
from idto3d.training.people.sculptor import COMBED, vertex_normals
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.traits import BEARDS, COLOURS, FACIAL_HAIR, TAUGHT_STYLES, natural_colour

THINNED_PARTS = (("M_Face", "M_BackHead"), ("M_Teeth", "M_GumsTongue"), DRAWN[4:])  # that are thinned each for itself
FACES_LEFT = (18000, 2000, 1200)  # that are left of each
HANDLE_FACES = (3600, 500, 400)  # faces of the coarser mesh whose corners are the handles
NEARNESS_WEIGHT = 1e-3  # how much the nearest handles are preferred to those that tell a vertex's movements best
HAIR_STEPS = (3, 4)  # of the rings and azimuths of a style's shell, each so manieth is kept
TIED_FACES = 2000  # that are left of a tail or a knot
HAIR_SAMPLES = 32  # of hair whose mean a style's mesh is
PAINTED_PEOPLE = 200  # people whose colours are measured


def build_morphable(
    model: IctModel, shapes: SurfaceModes, inputs: tuple[int, int, int], image_size: int
) -> MorphableHead:
    """A morphable head with the geometry of `model` that reads nothing from conditions yet.

    inputs: lengths of a text state and of an embedding, and the number of words.
    """
    studio, (kept, faces) = synthetic.open_studio(model), thinned(model)
    rest = model.neutral + np.tensordot(shapes.mean, model.identity, 1)
    locks, counts = _hair_styles(studio, rest, rest[kept])
    geometry = {"mean": rest[kept], "faces": faces, "paint": _paint(studio, kept)}
    geometry |= _movements(model, shapes, rest, kept) | _beards(studio, vertex_normals(rest[kept], faces), kept)
    text_dim, id_dim, words = inputs
    handles, moves = geometry["modes"].shape[1], len(EXPRESSIONS)
    size = MorphableSize(len(kept), handles, len(faces), len(shapes.modes), moves, words, counts, len(BEARDS))
    head = MorphableHead(text_dim, id_dim, image_size, {**vars(size)})
    for name, values in (geometry | locks).items():
        getattr(head, name).copy_(torch.from_numpy(np.asarray(values)))
    return head


def _movements(model: IctModel, shapes: SurfaceModes, rest: np.ndarray, kept: np.ndarray) -> dict[str, np.ndarray]:
    """What handles do under modes and expressions of the head `rest` [N, 3], and how vertices follow them."""
    modes = np.tensordot(shapes.modes, model.identity[:, kept], 1)
    moves = np.stack([np.tensordot(model.weights(e), model.expression[:, kept], 1) for e in EXPRESSIONS])
    handles = np.unique(cKDTree(rest[kept]).query(rest[thinned(model, HANDLE_FACES)[0]])[1])
    moved = np.concatenate([modes * shapes.deviation[:, None, None], moves])
    posed = np.concatenate(rest[kept] + moves, 1)  # the two lips, say, are near each other in some expressions only
    near, pull = followed(posed, moved, handles)
    return {"modes": modes[:, handles], "moves": moves[:, handles], "near": near, "pull": pull}


def followed(posed: np.ndarray, moved: np.ndarray, handles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the `handles` [H] each vertex follows [V, 8], and their shares [V, 8].

    The nearest ones in `posed` [V, D], by the shares that tell best, in the least squares of all movements `moved`
    [M, V, 3], how the vertex moves.
    """
    distance, near = cKDTree(posed[handles]).query(posed, k=HANDLES_PER_VERTEX)
    plain = 1 / (distance + 1e-4) ** 2
    plain /= plain.sum(1, keepdims=True)
    rows = moved.transpose(1, 0, 2).reshape(len(posed), -1)
    theirs = rows[handles][near]
    gram, wanted = theirs @ theirs.transpose(0, 2, 1), np.einsum("vkm,vm->vk", theirs, rows)
    loose = NEARNESS_WEIGHT * np.trace(gram, axis1=1, axis2=2)[:, None] / HANDLES_PER_VERTEX + 1e-12
    system = gram + loose[..., None] * np.eye(HANDLES_PER_VERTEX)
    return near, np.linalg.solve(system, (wanted + loose * plain)[..., None])[..., 0]


def thinned(model: IctModel, left: tuple[int, ...] = FACES_LEFT) -> tuple[np.ndarray, np.ndarray]:
    """Indices [V] of the model's vertices that are kept where about `left` faces are, and faces [F, 3] over these."""
    groups = [np.isin(model.material, [DRAWN.index(name) for name in names]) for names in THINNED_PARTS]
    drawn = [(group, most) for group, most in zip(groups, left, strict=True) if group.any()]
    faces = [simplified(model.neutral, model.faces[group], most) for group, most in drawn]
    kept, flat = np.unique(np.concatenate(faces), return_inverse=True)
    return kept, flat.reshape(-1, 3)


def simplified(vertices: np.ndarray, faces: np.ndarray, most: int) -> np.ndarray:
    """About `most` faces [F, 3] instead of `faces`, of the same `vertices`: new corners become the nearest old ones."""
    used, flat = np.unique(faces, return_inverse=True)
    options = {"target_count": min(most, len(faces) - 1), "agg": 3}
    points, triangles = fast_simplification.simplify(vertices[used], flat.reshape(-1, 3).astype(np.int64), **options)
    corners = used[cKDTree(vertices[used]).query(points)[1]][triangles]
    a, b, c = corners.T
    return corners[(a != b) & (b != c) & (c != a)]


def _hair_styles(studio, rest: np.ndarray, roots: np.ndarray):
    """The hair's buffers of all styles on the head `rest` [N, 3], and their numbers of vertices and faces."""
    locks = [_hair(style, studio.scalp, rest, roots) for style in TAUGHT_STYLES]
    names = ("hair_offsets", "hair_roots", "hair_shade", "hair_faces")
    joined = [np.concatenate(part) for part in zip(*locks, strict=True)]
    return dict(zip(names, joined, strict=True)), tuple((len(lock[0]), len(lock[3])) for lock in locks)


def _hair(style: str, scalp, rest: np.ndarray, roots: np.ndarray):
    """Offsets [H, 3] from the nearest of `roots` [V, 3], those roots [H], factors [H] on the colour, faces [F, 3]."""
    made = [hair_mesh(style, rest, scalp, np.random.default_rng(SHAPES_SEED + i)) for i in range(HAIR_SAMPLES)]
    if made[0] is None:
        return np.zeros((0, 3)), np.zeros(0, int), np.zeros(0), np.zeros((0, 3), int)
    vertices, shade = (np.mean([getattr(one, name) for one in made], 0) for name in ("vertices", "shade"))
    kept, flat = np.unique(_fewer(vertices, made[0].faces), return_inverse=True)
    vertices, shade = vertices[kept], synthetic.srgb(0.2 * shade[kept]) / synthetic.srgb(np.float64(0.2))
    nearest = cKDTree(roots).query(vertices)[1]
    return vertices - roots[nearest], nearest, shade, flat.reshape(-1, 3)


def _fewer(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Faces [F, 3] of hair: a sparser grid for the shell, which keeps its strands' course, and what is tied thinned."""
    rings, columns = (np.arange(0, count, step) for count, step in zip((RINGS, AZIMUTHS), HAIR_STEPS, strict=True))
    rings = np.union1d(rings, RINGS - 1)
    places = (rings[:, None] * AZIMUTHS + columns).ravel()
    shell, tied = places[grid_faces(len(rings), len(columns))], faces[(faces >= RINGS * AZIMUTHS).all(1)]
    return np.concatenate([shell, simplified(vertices, tied, TIED_FACES)]) if len(tied) else shell


def _beards(studio, normals: np.ndarray, kept: np.ndarray) -> dict[str, np.ndarray]:
    """What every beard covers, and how far and which way it stands off a skin with `normals` [V, 3]."""
    masks = np.stack([skin.regions_of_beard(beard, studio.regions)[kept] for beard in BEARDS])
    depth = np.array([beard.thickness_m for beard in FACIAL_HAIR.values()])
    cover = np.array([beard.cover for beard in FACIAL_HAIR.values()])
    depth = depth / np.maximum(cover, 1e-6)
    return {"beard_cover": masks * cover[:, None], "beard_depth": depth, "beard_way": normals + COMBED}


def _paint(studio, kept: np.ndarray) -> np.ndarray:
    """[3, V, 3]: sRGB colours of bald heads as `[0] + [1] * skin + [2] * brows`, by least squares in each channel."""
    people = [_bald(draw_person(SHAPES_SEED + i, studio.model.words)) for i in range(PAINTED_PEOPLE)]
    neutral = studio.model.neutral
    painted = [skin.paint(p.look, studio.regions, neutral, np.random.default_rng(p.seed))[kept] for p in people]
    wanted, tones = synthetic.srgb(np.stack(painted)), np.stack([tones_of(vars(person.look)) for person in people])
    paint = np.zeros((3, len(kept), 3))
    for channel in range(3):
        given = np.stack([np.ones(len(tones)), tones[:, channel], tones[:, 6 + channel]], 1)
        paint[:, :, channel] = np.linalg.lstsq(given, wanted[:, :, channel], rcond=None)[0]
    return paint


def _bald(person: Person) -> Person:
    return replace(person, look=replace(person.look, hair_style="bald", beard="clean", makeup=False, freckles=False))


def tones_of(look: dict) -> np.ndarray:
    """[9] colours of skin, of hair, and of brows and beard, in sRGB."""
    hair, brows = COLOURS[look["hair_colour"]].rgb, np.array(natural_colour(look["hair_colour"]).rgb, np.float32)
    tones = (skin_colour(look["melanin"], look["redness"]), hair, brows)
    return synthetic.srgb(np.concatenate([np.asarray(tone) for tone in tones]))
