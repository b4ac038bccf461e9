"""Small pictures of heads for the page itself: cut out of their white ground, so that they fit either theme."""

import base64
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

WHITE = 250  # from which on a pixel may be ground
NEAR = 3  # of 255, how far the ground may be from its colour
FRONT = Path("renders") / "front.png"


def thumb(folder: Path, size: int = 96) -> str:
    """The front of the head in `folder` as a data URL, `size` pixels a side; '' where there is no picture (yet)."""
    return data_url(folder / FRONT, size)


def data_url(path: Path, size: int) -> str:
    """One of our own pictures as a data URL of WebP, at most `size` pixels a side; '' where it cannot be read."""
    try:
        return _encoded(path, path.stat().st_mtime_ns, size)
    except OSError:
        return ""


def forget() -> None:
    """Forget all that was read, as where heads are deleted."""
    _encoded.cache_clear()


@lru_cache(maxsize=256)
def _encoded(path: Path, _changed: int, size: int) -> str:
    with Image.open(path) as picture:
        image = cut_out(np.asarray(picture.convert("RGB")))
    return webp_url(image, size)


def webp_url(image: np.ndarray, size: int) -> str:
    """An [H, W, 3 or 4] uint8 sRGB picture as a data URL of WebP, at most `size` pixels a side."""
    buffer, picture = io.BytesIO(), Image.fromarray(image)
    picture.thumbnail((size, size))
    picture.save(buffer, "WEBP", quality=88)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def cut_out(image: np.ndarray) -> np.ndarray:
    """An [H, W, 3] uint8 picture on white as [H, W, 4], clear where the white reaches the border."""
    return _cut(image, (image >= WHITE).all(-1))


def cut_from_corner(image: np.ndarray) -> np.ndarray:
    """The same of a picture on any one colour, that of its first corner."""
    return _cut(image, (np.abs(image.astype(np.int16) - image[0, 0]) <= NEAR).all(-1))


def _cut(image: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """`image` with alpha, clear where the `ground` [H, W] bool reaches the border."""
    from scipy.ndimage import label, uniform_filter  # here, as the page is there sooner without it

    areas, _ = label(ground)
    outer = np.unique(np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]]))
    inside = ~np.isin(areas, outer[outer > 0])
    alpha = np.where(inside, uniform_filter(inside.astype(np.float32), 3, mode="nearest") ** 2, 0.0)
    return np.dstack([image, np.uint8(np.round(255 * alpha))])
