"""OpenEXR pictures of light. The reading is OpenEXR's own library's; ours is to look at a file before it is decoded."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from idto3d.errors import UserError
from idto3d.render.panorama.hdr import MAX_BYTES, MAX_PIXELS

MOST_CHANNELS = 16
BRIGHTEST = np.float32(1e6)  # radiance; infinities of a file become that
REMEDY = "Use a flat RGB panorama of at most 4096 x 2048 pixels as .exr or .hdr, for example one from Poly Haven."


class ExrError(UserError):
    """A file that is no usable OpenEXR panorama."""

    def __init__(self, path: Path, what: str):
        super().__init__(f"The light '{path.name}' cannot be read: {what}.", REMEDY)


def read_exr(path: str | Path) -> np.ndarray:
    """Linear radiance [H, W, 3] float32, 0..BRIGHTEST, of the first part of an OpenEXR file.

    Raises UserError for a missing, too large, damaged or foreign file, and where the library is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise ExrError(path, "there is no such file")
    if path.stat().st_size > MAX_BYTES:
        raise ExrError(path, "the file is too large")
    if find_spec("OpenEXR") is None:
        raise UserError("Files ending in .exr need the package OpenEXR.", "Install it: python -m pip install OpenEXR.")
    import OpenEXR  # a compiled library that only those need who bring such a file

    try:
        with OpenEXR.File(str(path), header_only=True) as file:
            _check(path, file.header(), len(file.parts))
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = {name: channel.pixels for name, channel in file.channels().items()}
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        raise ExrError(path, "it is damaged or no OpenEXR picture") from error
    picture = np.stack([channels[name].astype(np.float32) for name in "RGB"], -1)
    return np.nan_to_num(picture, nan=0.0, posinf=BRIGHTEST, neginf=0.0).clip(0.0, BRIGHTEST)


def _check(path: Path, header: dict, parts: int) -> None:
    """Raise ExrError for what is not a flat, fully sampled RGB picture of a sensible size."""
    low, high = header["dataWindow"]
    width, height = (int(last) - int(first) + 1 for first, last in zip(low, high, strict=True))
    channels = {channel.name: channel for channel in header["channels"]}
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise ExrError(path, f"{width} x {height} pixels are too many or too few")
    if parts > 1 or len(channels) > MOST_CHANNELS or "deep" in str(header.get("type", "")).lower():
        raise ExrError(path, "it holds more than one flat picture")
    if not set("RGB") <= set(channels):
        raise ExrError(path, "it has no channels R, G and B")
    if any(one.xSampling != 1 or one.ySampling != 1 for one in channels.values()):
        raise ExrError(path, "some of its channels have fewer pixels than others")
