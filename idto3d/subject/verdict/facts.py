"""What one photo shows of a face, as plain data that another process may have found out. Imports no torch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from idto3d.errors import UserError

SMALL_FACE = 100  # pixels; below it a closer photo is asked for
# What may be wrong with the light of a face, and what may hide a part of it.
DARK, OVEREXPOSED, ONE_SIDED, COLOURLESS, TINTED = "dark", "overexposed", "one-sided", "colourless", "tinted"
EYES, GLASSES, MASK, EDGE = "eyes", "glasses", "mask", "edge"


@dataclass(frozen=True)
class Look:
    """The facts of one photo, or the `refusal` of one that cannot be used: what is wrong, and what to do.

    face_px: side of the face, pixels. others: how many more faces there are. turns: how often by 90 degrees to the left
    the photo was turned. azimuth_deg, elevation_deg: where the camera stood, as in RenderOptions. light: of DARK and so
    on. hidden: of EYES and so on. traits: for TOLD, where the photo may say them, the chance of each word. recognition:
    [R] of length 1, by which people are told apart, whose `border` is as an IdentityEncoder's.
    """

    name: str
    refusal: tuple[str, str] | None = None
    face_px: float = 0.0
    others: int = 0
    turns: int = 0
    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    blurred: bool = False
    light: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    traits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    recognition: tuple[float, ...] = ()
    border: float = 0.0

    @property
    def usable(self) -> bool:
        return self.refusal is None


@dataclass(frozen=True)
class Seen:
    """A look at a photo, with its face (upright, 128 pixels wide) and the whole of it as PNG; empty where none is."""

    look: Look
    crop: bytes = b""
    thumbnail: bytes = b""


def refused(name: str, error: UserError) -> Seen:
    """The look at a photo that could not be looked at."""
    return Seen(Look(name, (error.what, error.remedy)))


def as_plain(look: Look) -> dict:
    """A look as plain JSON types."""
    return asdict(look)


def from_plain(data: Mapping) -> Look:
    """The inverse of `as_plain`."""
    rows = {name: tuple(data[name]) for name in ("light", "hidden", "recognition")}
    return Look(**{**data, **rows, "refusal": tuple(data["refusal"]) if data["refusal"] else None})
