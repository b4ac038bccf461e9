"""Looking at one photo before a head is made of it."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from idto3d.config import EMBEDDED, LANDMARKS_FILE, MATTE_FILE, SubjectOptions
from idto3d.errors import UserError
from idto3d.events import exhausted
from idto3d.subject.align import aligned_crop
from idto3d.subject.encoders import make_encoder
from idto3d.subject.face import IdentityEncoder
from idto3d.subject.graph.graph_net import GraphNet
from idto3d.subject.images import load_photo, shown_name
from idto3d.subject.landmarks import LandmarkReader
from idto3d.subject.matte import load_matte
from idto3d.subject.parsing.covers import cover_contrast, eyes_covered
from idto3d.subject.parsing.glasses import glasses_worn
from idto3d.subject.photo import Photo
from idto3d.subject.quality import Quality
from idto3d.subject.subject import COVERED, CUT, Reading, cut_off, masked, read_photo
from idto3d.subject.verdict.chances import TOLD
from idto3d.subject.verdict.facts import (
    COLOURLESS,
    DARK,
    EDGE,
    EYES,
    GLASSES,
    MASK,
    ONE_SIDED,
    OVEREXPOSED,
    TINTED,
    Look,
    Seen,
    refused,
)
from idto3d.subject.verdict.turn import direction

CROP_SIDE, THUMBNAIL_SIDE = 128, 160  # pixels
HARD = 2.0  # stops between the halves of a face from which its light comes hard from one side
NO_FACE = ("No face is seen.", "Use a photo with the face uncovered and towards the camera, filling much of it.")


@dataclass(frozen=True, eq=False)
class Eyes:
    """What photos are looked at with. One serves one thread at a time."""

    encoder: IdentityEncoder
    reader: LandmarkReader
    matte: GraphNet


def open_eyes(folder: Path = EMBEDDED) -> Eyes:
    """The networks of the embedded weights, loaded in two seconds. Raises UserError where one is missing."""
    encoder = make_encoder("portrait", folder / "identity.safetensors")
    return Eyes(encoder, LandmarkReader(folder / LANDMARKS_FILE), load_matte(folder / MATTE_FILE))


def look_at(path: str | Path, options: SubjectOptions, eyes: Eyes) -> Seen:
    """What the photo at `path` shows; a photo that cannot be read, or without a face, is one that cannot be used."""
    try:
        pixels = load_photo(path, options)
        reading = exhausted(read_photo(path, options, eyes.encoder, eyes.reader, pixels))
    except UserError as error:
        return refused(shown_name(path), error)
    thumbnail = png(_reduced(pixels))
    if reading.photo is None:
        return Seen(Look(reading.name, _why(reading)), thumbnail=thumbnail)
    photo = masked(reading.photo, eyes.matte)
    crop = aligned_crop(photo.pixels, photo.face.landmarks, CROP_SIDE)
    return Seen(_facts(reading, photo, eyes.encoder), png(crop), thumbnail)


def _why(reading: Reading) -> tuple[str, str]:
    if "pixels" not in reading.reason:
        return NO_FACE
    return f"{reading.reason[:1].upper()}{reading.reason[1:]}.", "Use a closer photo."


def _facts(reading: Reading, photo: Photo, encoder: IdentityEncoder) -> Look:
    azimuth, elevation = direction(photo.landmarks.points)
    recognition = encoder.recognition(photo.face.embedding)
    return Look(
        name=reading.name,
        face_px=photo.face.side,
        others=reading.others,
        turns=reading.turns,
        azimuth_deg=azimuth,
        elevation_deg=elevation,
        blurred=photo.quality.blurred,
        light=_light(photo.quality),
        hidden=_hidden(photo),
        traits={name: photo.traits[name] for name in TOLD if name in photo.traits},
        recognition=tuple(float(number) for number in recognition),
        border=encoder.border,
    )


def _light(quality: Quality) -> tuple[str, ...]:
    """What is wrong with the light, the worst first."""
    facts = {
        DARK: quality.dark,
        OVEREXPOSED: quality.overexposed,
        ONE_SIDED: abs(quality.stops) > HARD and not quality.dark,
        COLOURLESS: quality.colourless and not quality.dark,
        TINTED: quality.cast,
    }
    return tuple(name for name, holds in facts.items() if holds)


def _hidden(photo: Photo) -> tuple[str, ...]:
    """What hides a part of the face."""
    pixels, points = photo.pixels, photo.landmarks.points
    dark = eyes_covered(pixels, points)
    facts = {
        MASK: not dark and cover_contrast(pixels, points) > COVERED,
        EYES: dark,
        GLASSES: not dark and glasses_worn(pixels, points),
        EDGE: cut_off(photo) > CUT,
    }
    return tuple(name for name, holds in facts.items() if holds)


def _reduced(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.array(image)


def png(pixels: np.ndarray) -> bytes:
    """[H, W, 3] uint8 sRGB as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
