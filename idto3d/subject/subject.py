"""Photos of one person in, a Subject out: whose face it is, as numbers."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from idto3d.config import AUTO, SubjectOptions
from idto3d.errors import UserError
from idto3d.events import Event, Notice, Preview, StageStarted, StepDone
from idto3d.subject.align import aligned_crop
from idto3d.subject.encoders import make_encoder, to_download
from idto3d.subject.face import Face, IdentityEncoder
from idto3d.subject.images import load_photo, shown_name
from idto3d.subject.similarity import unit

STAGE = "subject"
BORDER = 0.6  # the value of options.disagreement that stands for an encoder's own border between two people
SMALL_FACE = 100  # pixels; below it a closer photo is asked for
TOLD = ("hair_style", "hair_colour", "beard", "skin")  # attributes that photos may say
SURE = 0.5  # mean chance at which an attribute is believed
BLURRED = 50.0  # variance of the Laplacian of a crop, grey levels squared; below it the photo is called blurred


@dataclass(frozen=True, eq=False)
class Subject:
    """One person as seen by one identity encoder.

    embedding: [D] float32, length 1: the mean of the used photos' unit embeddings, made unit again.
    traits: attributes of `idto3d.words.traits` that the photos agree on, where the encoder tells any.
    """

    embedding: np.ndarray
    traits: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Reading:
    """What the photo called `name` gave; `notices` are told to the user.

    `face` and `crop` [150, 150, 3] uint8 sRGB, eyes level, are None when it is left out for a `reason`.
    """

    name: str
    reason: str = ""
    face: Face | None = None
    crop: np.ndarray | None = None
    notices: tuple[str, ...] = ()
    traits: dict[str, dict[str, float]] = field(default_factory=dict)


def read_subject(
    paths: Sequence[str | Path], options: SubjectOptions | None = None, encoder: IdentityEncoder | None = None
) -> Generator[Event, None, Subject]:
    """Find the person's face in each photo and return the Subject, reporting as it goes.

    Of several faces in a photo the largest counts. A photo without a usable face is left out with a Notice; one whose
    face differs from the others is used, with a Notice. Raises UserError when no photo or too many are given, when one
    cannot be read, when none has a usable face, or when the encoder cannot be loaded.
    """
    options = options or SubjectOptions()
    _check_count(len(paths), options)
    yield StageStarted(STAGE, len(paths))
    encoder = encoder or (yield from _made(options))
    if encoder.notice:
        yield Notice(encoder.notice)
    readings = []
    for step, path in enumerate(paths, 1):
        reading = _read(path, options, encoder)
        readings.append(reading)
        yield from map(Notice, reading.notices)
        if reading.crop is not None:
            yield Preview(STAGE, "crop", reading.crop)
        yield StepDone(STAGE, step, len(paths))
    _check_any_used(readings)
    yield from _doubt_strangers(readings, encoder, options.disagreement * encoder.border / BORDER)
    return _subject(readings)


def _made(options: SubjectOptions) -> Generator[Event, None, IdentityEncoder]:
    """The encoder that is asked for; what it downloads is told first."""
    name = "dlib" if options.encoder == AUTO else options.encoder
    if download := to_download(name):
        yield Notice(download)
    return make_encoder(name)


def disagreements(embeddings: np.ndarray) -> np.ndarray:
    """Distance [n] of each unit embedding of `embeddings` [n, D] from the unit mean of the others; 0 when alone."""
    if len(embeddings) < 2:
        return np.zeros(len(embeddings), np.float32)
    others = (embeddings.sum(0) - embeddings) / (len(embeddings) - 1)
    others /= np.maximum(np.linalg.norm(others, axis=1, keepdims=True), 1e-6)
    return np.linalg.norm(embeddings - others, axis=1)


def sharpness(crop: np.ndarray) -> float:
    """Variance of the 4-neighbour Laplacian of `crop` [H, W, 3] uint8, in grey levels squared; low when blurred."""
    grey = crop.astype(np.float32).mean(-1)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var())


def _check_count(count: int, options: SubjectOptions) -> None:
    if count == 0:
        raise UserError("There is no photo.", "Give at least one photo of the person.")
    if count > options.max_photos:
        raise UserError(
            f"There are {count} photos; at most {options.max_photos} are read.", "Keep the sharpest frontal ones."
        )


def _read(path: str | Path, options: SubjectOptions, encoder: IdentityEncoder) -> _Reading:
    """The largest face of the photo at `path`, or why it is left out."""
    name = shown_name(path)
    pixels = load_photo(path, options)
    faces = encoder.embed(pixels)
    if not faces:
        return _left_out(name, "no face was found")
    face = max(faces, key=lambda face: face.side)  # the first, so the surest, of equals
    if face.side < options.min_face_pixels:
        return _left_out(name, f"its face is {face.side:.0f} pixels wide and {options.min_face_pixels} are needed")
    several = (f"'{name}' shows {len(faces)} faces; the largest is used.",) if len(faces) > 1 else ()
    crop = aligned_crop(pixels, face.landmarks)
    traits = encoder.traits(pixels, face) if options.traits else {}
    return _Reading(name, face=face, crop=crop, notices=(*several, *_hints(name, face, crop)), traits=traits)


def _left_out(name: str, reason: str) -> _Reading:
    return _Reading(name, reason, notices=(f"'{name}' is left out: {reason}.",))


def _hints(name: str, face: Face, crop: np.ndarray) -> Iterator[str]:
    """What would make a better photo."""
    if face.side < SMALL_FACE:
        yield f"The face in '{name}' is only {face.side:.0f} pixels wide; a closer photo would help."
    if sharpness(crop) < BLURRED:
        yield f"'{name}' looks blurred; a sharper photo would help."


def _check_any_used(readings: Sequence[_Reading]) -> None:
    if any(reading.face for reading in readings):
        return
    if len(readings) == 1:
        what = f"'{readings[0].name}' cannot be used: {readings[0].reason}."
    else:
        what = f"None of the {len(readings)} photos shows a face that can be used."
    raise UserError(what, "Use a sharp photo with the face towards the camera, filling much of the picture.")


def _doubt_strangers(readings: Sequence[_Reading], encoder: IdentityEncoder, limit: float) -> Iterator[Event]:
    """Tell which photos lie farther than `limit` from the others."""
    used = [reading for reading in readings if reading.face]
    embeddings = np.stack([reading.face.embedding for reading in used])
    distances = disagreements(encoder.recognition(embeddings))
    names = [f"'{reading.name}'" for reading, distance in zip(used, distances, strict=True) if distance > limit]
    if len(used) == 2 and names:
        yield Notice(f"{' and '.join(names)} may show different people.")
        return
    for name in names:
        yield Notice(f"{name} may show another person than the other photos; it is used all the same.")


def _subject(readings: Sequence[_Reading]) -> Subject:
    used = [reading for reading in readings if reading.face]
    embeddings = np.stack([reading.face.embedding for reading in used]).astype(np.float32)
    return Subject(unit(embeddings.mean(0)), agreed([reading.traits for reading in used]))


def agreed(traits: Sequence[dict[str, dict[str, float]]]) -> dict[str, str]:
    """For each of TOLD the word whose mean chance over the photos is at least SURE; others are left out.

    Age, gender and ancestry are for the user to say: a guess at them can offend, and hair and skin show anyway.
    """
    found = {}
    for name in (name for name in TOLD if traits and name in traits[0]):
        chances = {word: float(np.mean([photo[name][word] for photo in traits])) for word in traits[0][name]}
        word = max(chances, key=chances.get)
        if chances[word] >= SURE:
            found[name] = word
    return found
