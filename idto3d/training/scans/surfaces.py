"""What every reader of scans makes of a file: surfaces with their colours. And the files beside a scan."""

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from idto3d.config import SubjectOptions
from idto3d.errors import UserError
from idto3d.subject.costs.descriptions import check_descriptions
from idto3d.subject.images import FORMATS, decoded

LONGEST_NAME = 1000  # of a file that a scan names


@dataclass(frozen=True)
class MeshLimits:
    """What is refused unread: larger files, larger textures, more triangles."""

    megabytes: float = 1500.0
    megapixels: float = 150.0
    faces: int = 12_000_000


@dataclass(frozen=True, eq=False)
class Surface:
    """One geometry of a file in the file's own space.

    vertices [V, 3], faces [F, 3], albedo [V, 3] linear, which an `image` [H, W, 3] uint8 sRGB is multiplied by; uv
    [V, 2], v upwards, repeating.
    """

    vertices: np.ndarray
    faces: np.ndarray
    albedo: np.ndarray
    uv: np.ndarray
    image: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Content:
    """The surfaces of a file, and the names of files with colours that it names and that are not there."""

    surfaces: list[Surface]
    missing: tuple[str, ...] = ()


def linear_of(srgb: np.ndarray) -> np.ndarray:
    """Linear values of sRGB ones, 0..1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


LINEAR_OF_BYTE = linear_of(np.arange(256) / 255)


def texels(data: bytes, name: str, limits: MeshLimits) -> np.ndarray:
    """[H, W, 3] uint8 sRGB of a picture file, at most 2048 on a side, whatever its alpha says. Raises UserError."""
    check_descriptions(data, f"texture of {name}")
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as fault:
        raise _too_large(name, "too many", limits) from fault
    except Exception as fault:  # Pillow's readers raise many kinds for a broken header
        raise UserError(f"A texture of '{name}' is no picture that is read.", "Save it as PNG or JPEG.") from fault
    megapixels = picture.width * picture.height / 1e6
    if megapixels > limits.megapixels:
        raise _too_large(name, f"{megapixels:.0f}", limits)
    options = SubjectOptions(max_megapixels=limits.megapixels)
    return decoded(picture, f"texture of {name}", options, upright=False, on_white=False)


def _too_large(name: str, count: str, limits: MeshLimits) -> UserError:
    remedy = f"Save it smaller; at most {limits.megapixels:g} are decoded."
    return UserError(f"A texture of '{name}' has {count} megapixels.", remedy)


def beside(folder: Path, named: str) -> Path | None:
    """The file in `folder` that a scan in it means by `named`, None where there is none.

    The name may have been written on another machine: its separators, its letter case and the folders it begins with
    are not held against it. What lies outside `folder` is never meant.
    """
    if len(named) > LONGEST_NAME or "\0" in named:
        return None
    parts = [part for part in re.split(r"[\\/]+", named.strip().strip('"')) if part not in ("", ".")]
    parts = parts[max((i + 1 for i, part in enumerate(parts) if part == ".."), default=0) :]
    tails = (_spelled(folder, parts[first:]) for first in range(len(parts)))
    home = folder.resolve()
    return next((path for path in tails if path and path.is_file() and home in path.resolve().parents), None)


def _spelled(folder: Path, parts: list[str]) -> Path | None:
    """The path below `folder` whose parts are these but for their letter case."""
    for part in parts:
        if not folder.is_dir():
            return None
        names = sorted(path.name for path in folder.iterdir())
        same = part if part in names else next((name for name in names if name.casefold() == part.casefold()), None)
        if same is None:
            return None
        folder = folder / same
    return folder


def read_beside(path: Path, name: str, limits: MeshLimits) -> bytes:
    """The bytes of a file beside the scan `name`. Raises UserError for one too large."""
    if path.stat().st_size > limits.megabytes * 1e6:
        raise UserError(f"A file that '{name}' names is larger than {limits.megabytes:g} MB.", "Save it smaller.")
    return path.read_bytes()
