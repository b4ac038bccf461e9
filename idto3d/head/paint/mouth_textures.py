"""Textures of teeth, and of gums, palate, throat and tongue: by place in the mouth, darker the deeper inside it."""

import numpy as np

from idto3d.head.features.regions import tongue_of
from idto3d.head.paint.atlas import Texels, texels_of_parts
from idto3d.head.template_model import Template

ENAMEL, NECK, TIP = ((0.66, 0.62, 0.53), (0.56, 0.46, 0.32), (0.58, 0.58, 0.55))  # linear: a tooth, its neck, its edge
GUMS, TONGUE = ((0.42, 0.13, 0.12), (0.44, 0.14, 0.12))
FRONT_M, DEPTH_M = 0.100, 0.034  # how far forward the mouth begins, and over what depth light fades
LEAST = 0.04  # light at the throat
BITE_Y_M = -0.0318  # height at which the teeth of the mean head meet


def teeth_texture(template: Template, size: int = 512) -> np.ndarray:
    """[S, S, 3] linear albedo of the teeth: edges greyer, necks yellower, molars darker. Always the same."""
    texels, points = _texels(template, "teeth", size)
    high = np.clip(np.abs(points[:, 1] - BITE_Y_M) / 0.011, 0, 1)[:, None]
    colour = np.array(TIP) + np.clip(high / 0.25, 0, 1) * (np.array(ENAMEL) - np.array(TIP))
    colour = colour + np.clip((high - 0.55) / 0.45, 0, 1) * (np.array(NECK) - np.array(ENAMEL))
    cloud = 1 + 0.03 * _cloud(points, 0.0016) + 0.02 * _cloud(points, 0.0005)
    return texels.spread(colour * (cloud * _light(points))[:, None]).clip(0, 1)


def mouth_texture(template: Template, size: int = 512) -> np.ndarray:
    """[S, S, 3] linear albedo of gums, palate, throat and tongue. Always the same."""
    texels, points = _texels(template, "gums_tongue", size)
    part, whole = template.part("gums_tongue"), np.zeros((len(template.neutral), 1), np.float32)
    whole[part.vertices, 0] = tongue_of(template)
    tongue = texels.read(whole)
    groove = np.exp(-((points[:, 0] / 0.0014) ** 2)) * tongue[:, 0]
    rough = (0.07 + 0.10 * tongue[:, 0]) * _cloud(points, 0.0006) + 0.06 * _cloud(points, 0.003)
    colour = np.array(GUMS) * (1 - tongue) + np.array(TONGUE) * tongue
    return texels.spread(colour * ((1 + rough) * (1 - 0.22 * groove) * _light(points))[:, None]).clip(0, 1)


def socket_light(points: np.ndarray) -> np.ndarray:
    """[N] 0..1 how much light reaches places `points` [N, 3] in the mean head's mouth: little at the throat."""
    return _light(points)


def _texels(template: Template, name: str, size: int) -> tuple[Texels, np.ndarray]:
    """The part's texels, and where they lie on the mean head, [P, 3] metres."""
    texels = texels_of_parts(template, [name], size)
    return texels, texels.read(template.neutral.cpu().numpy())


def _light(points: np.ndarray) -> np.ndarray:
    deep = np.clip(FRONT_M - points[:, 2], 0, None) + 0.5 * np.clip(np.abs(points[:, 0]) - 0.020, 0, None)
    return LEAST + (1 - LEAST) * np.exp(-((deep / DEPTH_M) ** 1.5))


def _cloud(points: np.ndarray, length: float) -> np.ndarray:
    """[N] about -1..1: an uneven pattern of waves about `length` metres long."""
    random = np.random.default_rng(7)
    ways = random.standard_normal((12, 3))
    ways = ways / np.linalg.norm(ways, axis=1, keepdims=True) * random.uniform(0.6, 1.6, (12, 1)) / length
    return np.sin(2 * np.pi * points @ ways.T + random.uniform(0, 6.3, 12)).sum(1) / 5
