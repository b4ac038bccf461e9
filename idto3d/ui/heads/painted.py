"""What a visitor painted onto the viewer: a mask or a drawing, taken in as any upload from a stranger."""

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.files import write_atomic

PNG = "data:image/png;base64,"
MASK, SKETCH = "mask", "sketch"  # fields of EditOptions
VIEW, UV = "view", "uv"
LARGEST = 1 << 19  # bytes
SIGNATURE = b"\x89PNG\r\n\x1a\n"
WRONG = UserError("What was painted did not arrive as a picture.", "Paint it again.")


@dataclass(frozen=True)
class Painted:
    """A PNG file's bytes, the camera it was painted from, degrees, what it is and lies on.

    kind: "mask", white where the head may change, or "sketch", a drawing that is clear where nothing is. space: as
    EditOptions.mask_space.
    """

    png: bytes
    azimuth_deg: float
    elevation_deg: float
    kind: str = MASK
    space: str = VIEW

    def options(self, options: EditOptions, folder: Path) -> EditOptions:
        """`options` within this mask, or with this drawing, which is written into `folder`."""
        path = write_atomic(folder / "painted.png", self.png)
        camera = {"mask_azimuth_deg": self.azimuth_deg, "mask_elevation_deg": self.elevation_deg}
        return replace(options, **{self.kind: str(path)}, mask_space=self.space, **camera)


def painted(said, kind: str = MASK) -> Painted:
    """What a browser says that was painted, a mask or a sketch. Raises UserError for anything else."""
    if not isinstance(said, Mapping) or not str(said.get("png", "")).startswith(PNG):
        raise UserError(WRONG.what, WRONG.remedy)
    try:
        png = base64.b64decode(said["png"].removeprefix(PNG), validate=True)
    except (ValueError, binascii.Error):
        raise UserError(WRONG.what, WRONG.remedy) from None
    if len(png) > LARGEST or not png.startswith(SIGNATURE):
        raise UserError(WRONG.what, WRONG.remedy)
    space = VIEW if kind == MASK else said.get("space")
    if space not in (VIEW, UV):
        raise UserError(WRONG.what, WRONG.remedy)
    return Painted(png, _degrees(said.get("azimuth_deg")), _degrees(said.get("elevation_deg")), kind, space)


def _degrees(value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UserError(WRONG.what, WRONG.remedy)
    return float(value)
