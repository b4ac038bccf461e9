"""The textures of a material as files that every browser reads, and where they lie in a payload."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from idto3d.export.images import png_bytes, small_jpeg
from idto3d.export.textures import Textures, fitted

LARGEST_SIDE = 1024
SHARES = {
    "albedo": 0.45,
    "normal": 0.3,
    "roughness": 0.12,
    "metallic": 0.12,
    "specular": 0.12,
}  # bytes per texel, at most
Picture = bytes | float  # a file, or the one value (0..1) that it would show everywhere


@dataclass
class Packed:
    """Files one after the other."""

    _files: list[bytes] = field(default_factory=list)
    _length: int = 0

    def add(self, file: bytes) -> list[int]:
        """Append a file; where it begins and how long it is."""
        self._files.append(file)
        self._length += len(file)
        return [self._length - len(file), len(file)]

    def add_all(self, pictures: Mapping[str, Picture]) -> dict[str, list[int] | float]:
        """Append those of `pictures` that are files; the others are told as they are."""
        return {kind: self.add(one) if isinstance(one, bytes) else one for kind, one in pictures.items()}

    def content(self) -> bytes:
        """All of them."""
        return b"".join(self._files)


def material_files(textures: Textures) -> dict[str, Picture]:
    """albedo (JPEG, sRGB), opacity (PNG, grey; where there is an alpha), roughness, metallic and specular (JPEG, grey,
    linear, or one value), normal (JPEG, linear; where there is relief). JPEGs have full colour resolution.
    """
    albedo, gloss = fitted(textures.albedo, LARGEST_SIDE), fitted(textures.metallic_roughness, LARGEST_SIDE)
    files: dict[str, Picture] = {"albedo": small_jpeg(np.ascontiguousarray(albedo[..., :3]), SHARES["albedo"])}
    if textures.see_through:
        files["opacity"] = png_bytes(np.ascontiguousarray(albedo[..., 3]))
    files["roughness"] = _grey(gloss[..., 1], SHARES["roughness"])
    files["metallic"] = _grey(gloss[..., 2], SHARES["metallic"])
    whole = textures.specular is None
    files["specular"] = 1.0 if whole else _grey(fitted(textures.specular, LARGEST_SIDE), SHARES["specular"])
    if textures.normal is not None:
        files["normal"] = small_jpeg(fitted(textures.normal, LARGEST_SIDE), SHARES["normal"])
    return files


def _grey(values: np.ndarray, share: float) -> Picture:
    """One channel [S, S] uint8 as a picture, or as a number where it is the same everywhere."""
    if values.min() == values.max():
        return float(values.flat[0]) / 255
    return small_jpeg(np.ascontiguousarray(values), share)
