"""From a person to triangles: what a person wears is made once (dress), what an expression moves each time (sculpt)."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from idto3d.head import template
from idto3d.head.skin import skin_colour
from idto3d.training.people import glasses, ict, skin, wrinkles
from idto3d.training.people.fringe import draw_fringe
from idto3d.training.people.hair_shapes import Hair, hair_mesh
from idto3d.training.people.person import Person
from idto3d.training.people.scalp import Scalp, read_scalp
from idto3d.training.people.strands import bumps
from idto3d.words.traits import COLOURS, FACIAL_HAIR, STYLES

SKIN = template.SKIN.stop  # the face and the back of the head come first among the model's vertices
BROW_DEPTH = 0.0011
COMBED = np.array([0.0, -0.35, 0.0])  # added to the skin's normal: where a beard points


@dataclass(frozen=True)
class Studio:
    """What all samples share: the model and what was measured once on its mean head."""

    model: ict.IctModel
    regions: skin.Regions
    scalp: Scalp
    creases: np.ndarray  # [4, V] of wrinkles.KINDS


@dataclass(frozen=True)
class Sculpture:
    """A posed person as triangles: `vertices` [V, 3] metres, `normals` [V, 3] unit, `albedo` [V, 3] linear."""

    vertices: np.ndarray
    normals: np.ndarray
    albedo: np.ndarray
    faces: np.ndarray

    def colours(self, face: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Linear albedo [P, 3] of P points: their `face` [P] and barycentric `weight` [P, 3]."""
        return np.einsum("pkc,pk->pc", self.albedo[self.faces[face]], weight)


@dataclass(frozen=True)
class Dressed:
    """What of a person no expression changes; V vertices of the model and W of hair and glasses."""

    rest: np.ndarray  # [V, 3] metres, the bare head without expression
    offsets: np.ndarray  # [V, 3] metres, of beard and brows
    inward: np.ndarray  # [V, 3] metres, where a full crease moves the skin
    albedo: np.ndarray  # [V + W, 3] linear
    worn: np.ndarray  # [W, 3] metres
    worn_normals: np.ndarray  # [W, 3] unit
    faces: np.ndarray  # [F, 3] over V + W


def open_studio(model: ict.IctModel) -> Studio:
    """Measure the regions, the scalp and the creases of the model's mean head."""
    regions = skin.read_regions(model, template.LANDMARKS)
    scalp = read_scalp(model.neutral, model.faces[(model.faces < SKIN).all(1)])
    return Studio(model, regions, scalp, wrinkles.read_creases(model.neutral, template.LANDMARKS, regions.face))


def dress(studio: Studio, person: Person) -> Dressed:
    """A person's head at rest, skin, hair, beard and glasses; the same person gives the same arrays."""
    paint, grow, stand = (np.random.default_rng([person.seed, 2, stream]) for stream in range(3))
    model, look = studio.model, person.look
    rest = model.neutral + np.tensordot(person.coefficients.astype(np.float32), model.identity, 1)
    albedo = skin.paint(look, studio.regions, model.neutral, paint)
    normals = vertex_normals(rest, model.faces)
    offsets = _beard_offsets(studio, look, normals, stand)
    fringe = draw_fringe(look.hair_style, model.neutral, studio.regions.face, stand)
    if fringe:
        mask, thickness, shade = (part[:, None] for part in fringe)
        albedo = albedo * (1 - mask) + mask * shade * np.array(COLOURS[look.hair_colour].rgb, np.float32)
        offsets = offsets + normals * thickness
    worn = [part for part in (_hair(studio, look, rest, grow), glasses.wear(look.glasses, rest)) if part]
    starts = np.cumsum([len(rest), *(len(vertices) for vertices, _, _ in worn)])
    return Dressed(
        rest=rest,
        offsets=offsets,
        inward=-wrinkles.CREASE_DEPTH * normals,
        albedo=np.concatenate([albedo, *(colours for _, _, colours in worn)]).astype(np.float32),
        worn=np.concatenate([np.zeros((0, 3), np.float32), *(vertices for vertices, _, _ in worn)]),
        worn_normals=np.concatenate([np.zeros((0, 3), np.float32), *(vertex_normals(v, f) for v, f, _ in worn)]),
        faces=np.concatenate([model.faces, *(f + s for (_, f, _), s in zip(worn, starts, strict=False))]),
    )


def _hair(studio: Studio, look: skin.Look, rest: np.ndarray, random: np.random.Generator):
    """Vertices, faces and colours of the hair, or None."""
    made: Hair | None = hair_mesh(look.hair_style, rest, studio.scalp, random)
    if made is None:
        return None
    colours = np.array(COLOURS[look.hair_colour].rgb, np.float32) * made.shade[:, None]
    if shows := STYLES[look.hair_style].skin_shows:
        colours = (1 - shows) * colours + shows * skin_colour(look.melanin, look.redness)
    return made.vertices, made.faces, np.clip(colours, 0, 1)


def _beard_offsets(studio: Studio, look: skin.Look, normals: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """[V, 3] how far beard and brows stand off the skin, metres: combed down and a little forward."""
    place = studio.model.neutral
    depth = FACIAL_HAIR[look.beard].depth_m * random.uniform(0.75, 1.35)
    strands = 0.75 + 0.45 * bumps(place * np.array([1.0, 0.45, 1.0], np.float32), random, 0.006, 0.013)
    grown = skin.regions_of_beard(look.beard, studio.regions) * depth * strands
    brows = BROW_DEPTH * look.brows * skin.brow_mask(look, studio.regions)
    return (normals + COMBED) * grown[:, None] + normals * brows[:, None]


def sculpt(studio: Studio, person: Person, weights: np.ndarray, dressed: Dressed | None = None) -> Sculpture:
    """Pose a person: blendshape `weights` [57]. `dressed` is dress(studio, person), made here when None."""
    dressed = dress(studio, person) if dressed is None else dressed
    model = studio.model
    creases = wrinkles.crease_amounts(model.expression_names, weights, person.look.age) @ studio.creases
    used = np.flatnonzero(weights)
    moved = np.tensordot(weights[used].astype(np.float32), model.expression[used], 1)
    skinned = (dressed.rest + dressed.offsets + moved + dressed.inward * creases[:, None]).astype(np.float32)
    albedo = dressed.albedo.copy()
    albedo[: len(skinned)] *= (1 - wrinkles.CREASE_DARKENING * np.minimum(creases, 1.3))[:, None]
    normals = np.concatenate([vertex_normals(skinned, model.faces), dressed.worn_normals])
    return Sculpture(np.concatenate([skinned, dressed.worn]), normals, albedo, dressed.faces)


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[V, 3] float32 unit normals: of the faces around each vertex, by their areas."""
    return _vertex_normals(np.ascontiguousarray(vertices, np.float32), faces)


@njit(cache=True, fastmath=False)
def _vertex_normals(vertices, faces):
    summed = np.zeros_like(vertices)
    for f in range(len(faces)):
        a, b, c = vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]]
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in range(3):
            summed[faces[f, i], 0] += nx
            summed[faces[f, i], 1] += ny
            summed[faces[f, i], 2] += nz
    for i in range(len(summed)):
        length = np.sqrt(summed[i, 0] ** 2 + summed[i, 1] ** 2 + summed[i, 2] ** 2) + 1e-20
        for k in range(3):  # a row at once would take seconds to compile
            summed[i, k] /= length
    return summed
