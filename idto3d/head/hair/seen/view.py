"""A photo as evidence of hair: its pixels, its masks and the camera that took it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import Skin, smoothstep
from idto3d.render.backends.kernel import rasterize
from idto3d.render.color import linear_from_srgb

SLACK = 0.004  # metres that a point may lie behind what the depth image says of the skin and still be seen
DEPTH_SIZE = 256  # pixels along a side of the depth image
VIEW_SIZE = 512  # pixels along a side of a view
SURE = 0.6  # share of hair from which a pixel is taken for hair
HANGS_FROM, BESIDE = (0.0, 0.04), (0.06, 0.12)  # heights under which hair hangs, under the skull and beside it
GAP = 0.015  # metres: half the width of a gap in the head's outline that is closed
FACE = (0.05, 0.02)  # depths between which the face stays, metres
STEEPEST, FRONTAL = 0.7, 0.5  # of a head's tilt that is followed, a tangent; cosine of the turn up to which it is seen


@dataclass(frozen=True, eq=False)
class HairView:
    """A square of a photo around the head, S x S pixels.

    colour [S, S, 3] linear RGB; hair, head [S, S] 0..1: the share of hair, and of all that belongs to the head, hair
    with it. c2w [4, 4] camera to world, OpenGL axes, metres; focal, centre: focal length and principal point (x, y) in
    pixels of the square. ahead [D, D]: metres to the nearest skin, see `on`; None before a head is there.
    """

    colour: np.ndarray
    hair: np.ndarray
    head: np.ndarray
    c2w: np.ndarray
    focal: float
    centre: tuple[float, float]
    ahead: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Pixels along a side."""
        return len(self.hair)

    @property
    def back(self) -> np.ndarray:
        """[3] unit, from the head to the camera."""
        return self.c2w[:3, 2]

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels [N, 2] (x, y; centres of pixels at halves) of `points` [N, 3], and metres ahead [N]."""
        local = (self.hanging(points) - self.c2w[:3, 3]) @ self.c2w[:3, :3]
        ahead = -local[:, 2]
        scale = self.focal / np.maximum(ahead, 1e-6)
        return np.stack([self.centre[0] + scale * local[:, 0], self.centre[1] - scale * local[:, 1]], -1), ahead

    @property
    def lean(self) -> float:
        """Metres to the person's left that hair went per metre that it hung down: the tilt of the head in the photo."""
        right = self.c2w[:3, 0]
        return float(np.clip(right[1] / right[0], -STEEPEST, STEEPEST)) if right[0] > FRONTAL else 0.0

    def hanging(self, points: np.ndarray) -> np.ndarray:
        """`points` [N, 3] where they hung when the photo was taken, if the head is upright here.

        Under the jaw, hair and neck of a tilted head go straight down in its photo, and its face does not.
        """
        return points + np.outer(self._fallen(points), [self.lean, 0, 0])

    def upright(self, points: np.ndarray, ways: np.ndarray) -> np.ndarray:
        """[N, 3] what directions `ways` [N, 3] at `hanging` points are on the upright head; unit."""
        turned = ways + np.outer((self._fallen(points) > 0) * self.lean * ways[:, 1], [1, 0, 0])
        return normalised(turned)

    def _fallen(self, points: np.ndarray) -> np.ndarray:
        start = HANGS_FROM[0] + (HANGS_FROM[1] - HANGS_FROM[0]) * smoothstep(np.abs(points[:, 0]), *BESIDE)
        return np.maximum(start - points[:, 1], 0) * smoothstep(points[:, 2], *FACE)

    def read(self, image: np.ndarray, pixels: np.ndarray) -> np.ndarray:
        """[N, ...] of an image [S, S, ...] at `pixels` [N, 2], linear; beyond its edge the nearest pixel."""
        place = pixels[:, ::-1].T - 0.5
        if image.ndim == 2:
            return map_coordinates(image, place, order=1, mode="nearest")
        return np.stack(
            [map_coordinates(part, place, order=1, mode="nearest") for part in np.moveaxis(image, -1, 0)], -1
        )

    def metres_per_pixel(self) -> float:
        """At the distance of the head's middle."""
        return float(np.linalg.norm(self.c2w[:3, 3])) / self.focal

    @cached_property
    def to_hair(self) -> np.ndarray:
        """[S, S] signed distance in pixels from the hair's outline, negative in hair."""
        return signed_pixels(gaussian_filter(self.hair, 0.8) > 0.5)

    @cached_property
    def to_head(self) -> np.ndarray:
        """[S, S] signed distance in pixels from the outline of all that belongs to the head, its gaps closed."""
        gap = GAP / self.metres_per_pixel()
        grown = np.pad(signed_pixels(self.head > 0.5) < gap, 1, mode="edge")
        return signed_pixels(signed_pixels(grown)[1:-1, 1:-1] < -gap)

    def on(self, skin: Skin) -> "HairView":
        """The view of a head: it knows what the skin hides."""
        pixels, ahead = self.project(skin.vertices)
        ndc = np.stack([pixels[:, 0] / self.size * 2 - 1, 1 - pixels[:, 1] / self.size * 2], -1)
        clip = np.concatenate([ndc, (ahead[:, None] - 0.05) / 20, np.ones((len(ndc), 1))], 1) * ahead[:, None]
        face, barycentric, _ = rasterize(clip.astype(np.float32), skin.faces.astype(np.int32), DEPTH_SIZE, DEPTH_SIZE)
        metres = (ahead[skin.faces[face]] * barycentric).sum(-1)
        inner = (skin.normals[skin.faces].mean(1) * (skin.vertices[skin.faces[:, 0]] - self.c2w[:3, 3])).sum(1) > 0
        metres = np.where(inner[face], 0.0, metres)  # through the eyes one looks at the skull from within
        return replace(self, ahead=np.where(face >= 0, metres, np.inf))

    def sees(self, points: np.ndarray) -> np.ndarray:
        """[N] bool, whether no skin lies before `points` [N, 3]."""
        pixels, away = self.project(points)
        place = np.clip((pixels / self.size * len(self.ahead)).astype(int), 0, len(self.ahead) - 1)
        return away < self.ahead[place[:, 1], place[:, 0]] + SLACK

    def shares_of(self, skin: Skin) -> tuple[np.ndarray, np.ndarray]:
        """[V] the share of hair that covers each vertex of the skin, and how well the photo shows it, 0..1 both."""
        facing = np.clip((skin.normals @ self.back - 0.1) / 0.3, 0, 1)
        pixels, _ = self.project(skin.vertices)
        inside = ((pixels > 0) & (pixels < self.size)).all(1)
        shown = facing * inside * self.sees(skin.vertices)
        return self.read(gaussian_filter(self.hair, 1.0), pixels), shown


def view_of(
    pixels: np.ndarray,
    box: tuple[float, float, float],
    hair: np.ndarray,
    head: np.ndarray,
    c2w: np.ndarray,
    lens: tuple,
) -> HairView:
    """The view of a photo, `pixels` [H, W, 3] uint8 sRGB, and of masks over a square of it.

    box: left, top and side of that square in the photo's pixels. hair, head [M, M] 0..1: see HairView. lens: focal
    length, and principal point x and y, in the photo's pixels. The square is read at VIEW_SIZE pixels.
    """
    left, top, side = box
    scale = VIEW_SIZE / side
    place = (np.arange(VIEW_SIZE) + 0.5) / scale - 0.5
    photo = linear_from_srgb(torch.from_numpy(_even(pixels, scale))).numpy()
    rows, columns = np.meshgrid(place + top, place + left, indexing="ij")
    colour = np.stack([map_coordinates(photo[..., k], [rows, columns], order=1, mode="nearest") for k in range(3)], -1)
    masks = [_resized(mask, VIEW_SIZE) for mask in (hair, head)]
    focal, x, y = lens
    return HairView(colour, *masks, c2w, focal * scale, ((x - left) * scale, (y - top) * scale))


def _even(pixels: np.ndarray, scale: float) -> np.ndarray:
    """[H, W, 3] 0..1, without what is finer than a pixel of the view, `scale` of which make one of the photo."""
    photo = pixels.astype(np.float32) / 255
    return photo if scale >= 1 else gaussian_filter(photo, (0.4 / scale, 0.4 / scale, 0))


def _resized(mask: np.ndarray, size: int) -> np.ndarray:
    place = (np.arange(size) + 0.5) / size * len(mask) - 0.5
    return map_coordinates(mask, np.meshgrid(place, place, indexing="ij"), order=1, mode="nearest")


def signed_pixels(mask: np.ndarray) -> np.ndarray:
    """[H, W] distance in pixels from the outline of `mask`, negative inside; far away where there is none."""
    if not mask.any():
        return np.full(mask.shape, float(max(mask.shape)))
    return distance_transform_edt(~mask) - distance_transform_edt(mask)
