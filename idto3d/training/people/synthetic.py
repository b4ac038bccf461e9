"""Synthetic people in pictures: a sculpture of a person and its renders (normal map, albedo map, lit portrait)."""

import numpy as np

from idto3d.render.backends.kernel import rasterize
from idto3d.training.people.sculptor import Dressed, Sculpture, Studio, dress, open_studio, sculpt
from idto3d.words.captions import caption
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import view_word

__all__ = ["Dressed", "Sculpture", "Studio", "dress", "open_studio", "sculpt"]  # beside what is defined below
TARGET, DISTANCE, FOV_Y_DEG = np.array([0.0, -0.017, 0.01]), 1.0, 21.5  # the framing of the guidance's images


def camera(azimuth_deg: float, elevation_deg: float, target=TARGET) -> np.ndarray:
    """c2w [4, 4] of a camera on the orbit (OpenGL: looks along -Z)."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    back = np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
    right = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)])
    c2w = np.eye(4)
    c2w[:3, 0], c2w[:3, 1], c2w[:3, 2], c2w[:3, 3] = right, np.cross(back, right), back, target + DISTANCE * back
    return c2w


def look_at(sculpture: Sculpture, c2w: np.ndarray, size: int, fov_y_deg: float = FOV_Y_DEG):
    """What a camera sees: camera-space normals [size, size, 3], linear albedo [size, size, 3], mask [size, size].

    sculpture: a Sculpture, or anything else with its vertices, normals, faces and colours().
    """
    c2w = c2w.astype(np.float32)
    seen = (sculpture.vertices.astype(np.float32) - c2w[:3, 3]) @ c2w[:3, :3]
    near, far, focal = 0.3, 3.0, 1 / np.tan(np.radians(fov_y_deg) / 2)
    depth = (-seen[:, 2] * (far + near) - 2 * far * near) / (far - near)
    clip = np.stack([seen[:, 0] * focal, seen[:, 1] * focal, depth, -seen[:, 2]], 1).astype(np.float32)
    face, barycentric, _ = rasterize(clip, sculpture.faces, size, size)
    mask = face >= 0
    corners, weight = sculpture.faces[face[mask]], barycentric[mask]
    normals, albedo = np.zeros((size, size, 3), np.float32), np.zeros((size, size, 3), np.float32)
    normal = np.einsum("pkc,pk->pc", sculpture.normals[corners], weight) @ c2w[:3, :3]
    normal *= np.where(normal[:, 2:] < -0.15, -1, 1)  # the inside of an open shell is drawn as its outside
    normals[mask] = normal / (np.sqrt(np.einsum("pc,pc->p", normal, normal))[:, None] + 1e-12)
    albedo[mask] = sculpture.colours(face[mask], weight)
    return normals, albedo, mask


def maps(sculpture: Sculpture, c2w: np.ndarray, size: int):
    """Normal map and albedo map (sRGB) on white, and the mask: [size, size, 3] uint8 twice, [size, size] uint8."""
    normals, albedo, mask = look_at(sculpture, c2w, size * 2)
    cover = mask[..., None].astype(np.float32)
    normal_image = halve((normals + 1) / 2 * cover + 1 - cover)
    albedo_image = halve(srgb(albedo) * cover + 1 - cover)
    return byte(normal_image), byte(albedo_image), byte(halve(cover)[..., 0])


def portrait(sculpture: Sculpture, random: np.random.Generator, size: int) -> np.ndarray:
    """A lit photo-like portrait [size, size, 3] uint8: random view, lights, background, exposure and noise."""
    c2w = camera(random.uniform(-35, 35), random.uniform(-12, 14), np.array([0.0, -0.005, 0.05]))
    return taken(*look_at(sculpture, c2w, size, FOV_Y_DEG * random.uniform(0.78, 0.95)), random)


def taken(normals: np.ndarray, albedo: np.ndarray, mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The photo [size, size, 3] uint8 of what `look_at` gives: random lights, background, exposure and noise."""
    light, size = lights(normals, random), len(mask)
    background = random.uniform(0.02, 0.9, 3) * np.linspace(*random.uniform(0.6, 1.2, 2), size)[:, None, None]
    image = np.where(mask[..., None], albedo * light, background)
    image = image * random.uniform(0.75, 1.25) / max(np.percentile(image[mask], 92), 0.1) * 0.75
    return byte(srgb(image) + random.normal(0, random.uniform(0, 0.02), image.shape))


def lights(normals: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Light and shine [..., 3], linear, of a random sky and some random lamps on surfaces of `normals` [..., 3].

    They are +Y up, and the lamps stand rather before the face, which looks to +Z.
    """
    sky, ground = random.uniform(0.25, 0.6, 3), random.uniform(0.08, 0.3, 3)
    light = ground + (sky - ground) * (normals[..., 1:2] * 0.5 + 0.5)
    for _ in range(random.integers(1, 4)):
        direction = random.normal(size=3) + [0, 0.3, 0.7]
        direction /= np.linalg.norm(direction)
        tint = random.uniform(0.8, 1.0, 3) * random.uniform(0.3, 1.0)
        half = (direction + [0, 0, 1]) / np.linalg.norm(direction + [0, 0, 1])
        shine = 0.25 * np.clip(normals @ half, 0, 1) ** 24
        light = light + (np.clip(normals @ direction, 0, 1) + shine)[..., None] * tint
    return light


def draw_view(random: np.random.Generator) -> tuple[float, float]:
    """Azimuth and elevation in degrees: near the centre of one of the eight view words, the front ones more often."""
    centre = random.choice((0, 45, -45, 90, -90, 135, -135, 180), p=(0.28, 0.16, 0.16, 0.10, 0.10, 0.06, 0.06, 0.08))
    return float(centre + random.uniform(-15, 15)), float(random.uniform(-8, 12))


def draw_expression(random: np.random.Generator) -> tuple[int, float]:
    """Index of an expression and its strength; neutral more often than the others."""
    others = (1 - 0.2) / (len(EXPRESSIONS) - 1)
    index = int(random.choice(len(EXPRESSIONS), p=[0.2] + [others] * (len(EXPRESSIONS) - 1)))
    return index, float(random.uniform(0.85, 1.1))


def captions(subject: str, azimuth_deg: float) -> tuple[str, str]:
    """The geometry and the albedo caption of a view of `subject`, a person in words."""
    view = view_word(azimuth_deg)
    return caption(view, "geometry", subject), caption(view, "albedo", subject)


def srgb(linear: np.ndarray) -> np.ndarray:
    """sRGB curve on 0..1, clipped."""
    x = np.clip(linear, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def halve(image: np.ndarray) -> np.ndarray:
    """Average 2 x 2 blocks of [2H, 2W, C]."""
    return (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4


def byte(image: np.ndarray) -> np.ndarray:
    """0..1 to uint8."""
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
