"""A film of a moving head. Two pictures are drawn at a time: the kernels leave Python to itself."""

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numba import njit

from idto3d.evidence.motion.pose import rotations
from idto3d.evidence.motion.track import Track
from idto3d.export.gltf.load import Asset
from idto3d.export.moving.figure import figure_of
from idto3d.export.moving.neck import Neck
from idto3d.export.moving.shading import Worn, light_of, pages_of, shaded
from idto3d.export.view import asset_holes, find_light
from idto3d.render.backends.kernel import rasterize
from idto3d.render.camera import clip_positions, standard_cameras

AT_ONCE = 2


class Stage:
    """Draws one head in any moment of tracks; what does not change from picture to picture is worked out once."""

    def __init__(self, asset: Asset, neck: Neck, light: str = ""):
        """light: see RenderOptions."""
        parts, names = asset.mesh.parts, list(asset.textures)
        self.figure = figure_of(asset, neck)
        material = np.repeat([names.index(part.material) for part in parts], [len(part.faces) for part in parts])
        along = (np.concatenate([getattr(p, name) for p in parts]).astype(np.float32) for name in ("uvs", "tangents"))
        self._worn = Worn(*along, self.figure.faces, material.astype(np.int64))
        self._solid = np.array([not one.see_through for one in asset.textures.values()])[material]
        self._pages, self._holes = pages_of(list(asset.textures.values())), asset_holes(asset)
        self._light, self._camera = light_of(find_light(light)), standard_cameras(0.0, 0.0)

    def picture(self, weights: Mapping[str, float], turn: np.ndarray, size: int) -> np.ndarray:
        """[size, size, 3] uint8 sRGB of the head from the front, its expressions at `weights`, turned by [3, 3]."""
        positions, normals = self.figure.posed(weights, turn)
        eye = self._camera.c2w[0, :3, 3].numpy()
        clip = clip_positions(torch.from_numpy(positions), self._camera)[0].numpy()
        fronts = _fronts(positions, self.figure.faces, self._solid, eye)
        face, barycentric, _ = rasterize(clip, fronts, 2 * size, 2 * size, self._holes)
        return shaded(face, barycentric, positions, normals, eye, self._worn, self._pages, self._light)

    def film(self, track: Track, size: int) -> Iterator[np.ndarray]:
        """The pictures of a whole track, in order."""
        moments = zip(moving_weights(tuple(self.figure.expressions), track), rotations(track.turns), strict=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = deque()
            for moment in moments:
                waiting.append(pool.submit(self.picture, *moment, size))
                if len(waiting) > AT_ONCE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


@njit(nogil=True, cache=True)
def _fronts(positions, faces, solid, eye):
    """The faces [F, 3] without opaque ones turned away from `eye` [3], which shrink to a corner: see `view`."""
    fronts = faces.copy()
    for f in range(len(faces)):
        if not solid[f]:
            continue
        a, b, c = positions[faces[f, 0]], positions[faces[f, 1]], positions[faces[f, 2]]
        p, q, r = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        s, t, u = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        x, y, z = q * u - r * t, r * s - p * u, p * t - q * s
        if x * (eye[0] - a[0]) + y * (eye[1] - a[1]) + z * (eye[2] - a[2]) < 0:
            fronts[f, 1] = fronts[f, 2] = faces[f, 0]
    return fronts


def moving_weights(expressions: tuple[str, ...], track: Track) -> list[dict[str, float]]:
    """What moves in each picture of a track, of the `expressions` that the head has."""
    known = [(number, name) for number, name in enumerate(track.names) if name in expressions]
    return [{name: float(row[number]) for number, name in known if row[number] > 0} for row in track.weights]
