"""Clay pictures of heads of the template: front and both three-quarter sides, under lights from several directions.

What a camera sees is worked out once as normals; any light is then a product. Heads are told by their coefficients.
"""

from dataclasses import dataclass

import numpy as np

from idto3d.head.template_model import Template
from idto3d.render.backends.kernel import SOLID, Holes, rasterize

AZIMUTHS_DEG = (0.0, 45.0, -45.0)
SHOWN = ("skin", "eye_left", "eye_right")  # parts of the template, the first of its vertices
FINER = 2  # pixels of the raster along one of a picture
STEPS = 127.0  # of a normal's component, which is kept in eight bits
LIGHTS = 10  # as many as the paper's, around the camera
AMBIENT, GREY, BACKDROP = 0.14, 0.55, 1.0


@dataclass(frozen=True)
class View:
    """Where a camera stands: what it looks at, from how far, metres, and the angle it sees from top to bottom."""

    target: tuple[float, float, float]
    distance_m: float
    fov_y_deg: float


FACING = View((0.0, -0.005, 0.02), 1.0, 17.0)  # the face, of which clay pictures are


@dataclass(frozen=True)
class Clay:
    """The template as far as clay pictures show it: neutral [V, 3], modes [K, 3 V] metres, faces [F, 3] int32."""

    neutral: np.ndarray
    modes: np.ndarray
    faces: np.ndarray

    def vertices(self, coefficients: np.ndarray) -> np.ndarray:
        """[V, 3] float32 metres, the head of identity `coefficients` [K]."""
        return self.neutral + (coefficients.astype(np.float32) @ self.modes).reshape(-1, 3)


def clay_of(template: Template) -> Clay:
    """What of `template` clay pictures show."""
    parts = [template.part(name) for name in SHOWN]
    end = max(part.vertices.stop for part in parts)
    faces = np.concatenate([(part.faces + part.vertices.start).cpu().numpy() for part in parts])
    modes = template.identity[:, :end].flatten(1).cpu().float().numpy()
    return Clay(template.neutral[:end].cpu().float().numpy(), np.ascontiguousarray(modes), faces.astype(np.int32))


def clay_normals(clay: Clay, coefficients: np.ndarray, size: int) -> np.ndarray:
    """[3, size, size, 3] int8 camera-space normals of one head from AZIMUTHS_DEG, in 1 / 127; 0 where there is none.

    The normals of a pixel's quarters are averaged, so that those of an outline are short.
    """
    vertices = clay.vertices(coefficients)
    normals = smooth_normals(vertices, clay.faces)
    views = []
    for azimuth in AZIMUTHS_DEG:
        seen, _ = seen_from(vertices, normals, clay.faces, azimuth, size * FINER)
        views.append(finer_mean(_unit(seen) @ _axes(azimuth)))
    return np.round(np.stack(views) * STEPS).astype(np.int8)


def finer_mean(image: np.ndarray) -> np.ndarray:
    """[S, S, C] the means of FINER x FINER pixels of an `image`."""
    side, channels = len(image) // FINER, image.shape[-1]
    return image.reshape(side, FINER, side, FINER, channels).mean((1, 3))


def seen_from(
    vertices: np.ndarray,
    values: np.ndarray,
    faces: np.ndarray,
    azimuth_deg: float,
    size: int,
    holes: Holes = SOLID,
    view: View = FACING,
) -> tuple[np.ndarray, np.ndarray]:
    """[size, size, C] the `values` [V, C] that the camera of `view` sees of a mesh, and [size, size, 1] bool where.

    vertices [V, 3] metres, faces [F, 3] int32; azimuth_deg around the head, positive towards the person's left.
    """
    away = np.array([0, 0, view.distance_m], np.float32)
    seen = (vertices - np.array(view.target, np.float32)) @ _axes(azimuth_deg) - away
    focal = 1 / np.tan(np.radians(view.fov_y_deg) / 2)
    near, far = 0.3, 3.0
    depth = (-seen[:, 2] * (far + near) - 2 * far * near) / (far - near)
    clip = np.stack([seen[:, 0] * focal, seen[:, 1] * focal, depth, -seen[:, 2]], 1).astype(np.float32)
    face, weight, _ = rasterize(clip, faces, size, size, holes)
    covered, image = face >= 0, np.zeros((size, size, values.shape[1]), np.float32)
    image[covered] = np.einsum("pkc,pk->pc", values[faces[face[covered]]], weight[covered])
    return image, covered[..., None]


def _axes(azimuth_deg: float) -> np.ndarray:
    """[3, 3] the camera's axes as columns: right, up, back."""
    turn = np.radians(azimuth_deg)
    back, right = np.array([np.sin(turn), 0, np.cos(turn)]), np.array([np.cos(turn), 0, -np.sin(turn)])
    return np.stack([right, [0, 1, 0], back], 1).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-12)


def smooth_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[V, 3] unit normals, of the faces around each vertex by their areas."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    summed = np.stack(
        [np.bincount(faces.ravel(), np.repeat(across[:, axis], 3), len(vertices)) for axis in range(3)], 1
    )
    return (summed / (np.linalg.norm(summed, axis=1, keepdims=True) + 1e-20)).astype(np.float32)


def light_directions(count: int = LIGHTS) -> np.ndarray:
    """[count, 3] unit directions to lights in front of the face, in the camera's space: a ring, and one above."""
    angle = 2 * np.pi * np.arange(count - 1) / (count - 1)
    ring = np.stack([0.75 * np.cos(angle), 0.25 + 0.6 * np.sin(angle), np.full(count - 1, 0.65)], 1)
    every = np.concatenate([[[0.0, 0.45, 0.9]], ring])
    return (every / np.linalg.norm(every, axis=1, keepdims=True)).astype(np.float32)


def lit(normals: np.ndarray, light: np.ndarray, albedo: np.ndarray | float = GREY) -> np.ndarray:
    """[..., S, S, 3] float32 sRGB 0..1 of `normals` [..., S, S, 3] int8 under a `light` [..., 3] each, on white.

    albedo: linear 0..1, a number or like the picture.
    """
    normal = normals.astype(np.float32) / STEPS
    cover = np.minimum(np.linalg.norm(normal, axis=-1, keepdims=True), 1)
    shade = np.clip(np.einsum("...hwc,...c->...hw", normal, light), 0, 1)[..., None] + AMBIENT * cover
    linear = np.clip(shade * albedo, 0, 1) + (1 - cover) * BACKDROP
    return np.broadcast_to(np.clip(linear, 0, 1) ** np.float32(1 / 2.2), (*normal.shape[:-1], 3)).astype(np.float32)
