"""Photos of one person in, a Subject out: whose face it is, as numbers."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from idto3d.config import AUTO, EMBEDDED, LANDMARKS_FILE, SubjectOptions
from idto3d.errors import UserError
from idto3d.events import Event, Notice, Preview, StageStarted, StepDone
from idto3d.subject.align import aligned_crop
from idto3d.subject.encoders import make_encoder, to_download
from idto3d.subject.face import IdentityEncoder
from idto3d.subject.face_points import FACE
from idto3d.subject.finding import TILE, Found, enlarged, find_person, find_small
from idto3d.subject.graph.graph_net import GraphNet
from idto3d.subject.images import LONG_SIDE, load_photo, shown_name
from idto3d.subject.landmarks import LandmarkReader
from idto3d.subject.masks import find_masks
from idto3d.subject.parsing.covers import cover_contrast, eyes_covered
from idto3d.subject.parsing.hair_shape import fitted, hair_shape
from idto3d.subject.parsing.looks import face_shares
from idto3d.subject.photo import Photo, photo_of
from idto3d.subject.similarity import disagreements, unit
from idto3d.subject.verdict.chances import agreed, corrected
from idto3d.subject.verdict.facts import SMALL_FACE

STAGE = "subject"
TURNED = ("", "by 90 degrees to the left", "by 180 degrees", "by 90 degrees to the right")  # by turns to the left
BORDER = 0.6  # the value of options.disagreement that stands for an encoder's own border between two people
COVERED = 1.05  # unlikeness of nose and cheeks to the skin between the eyes that only a mask makes
CUT = 0.04  # share of a face past the photo's edge that is told
COLOURS = ("skin", "hair_colour")  # attributes of TOLD that a photo in bad light does not say
STYLE = "hair_style"  # an attribute of which also the outline of the hair tells
CLOSE_FACE = 400  # pixels; where a smaller one was found in a photo that was scaled down, the photo is decoded anew


@dataclass(frozen=True, eq=False)
class Subject:
    """One person as seen by one identity encoder.

    embedding: [D] float32, length 1: the mean of the used photos' unit embeddings, made unit again.
    traits: attributes of `idto3d.words.traits` that the photos agree on, where the encoder tells any.
    photos: what each of the used photos shows.
    """

    embedding: np.ndarray
    traits: dict[str, str] = field(default_factory=dict)
    photos: tuple[Photo, ...] = ()


@dataclass(frozen=True, eq=False)
class Reading:
    """What the photo called `name` gave; `photo` is None when it is left out for a `reason`.

    turns: as in Found. others: how many more faces there are.
    """

    name: str
    reason: str = ""
    photo: Photo | None = None
    turns: int = 0
    others: int = 0


def read_subject(
    paths: Sequence[str | Path],
    options: SubjectOptions | None = None,
    encoder: IdentityEncoder | None = None,
    reader: LandmarkReader | None = None,
) -> Generator[Event, None, Subject]:
    """Find the person's face in each photo and return the Subject, reporting as it goes.

    Of several faces in a photo the largest counts that the `reader` of landmarks (None: the embedded bundle's) takes
    for one. A photo without a usable face is left out with a Notice; one whose face differs from the others is used,
    with a Notice. Raises UserError when no photo or too many are given, when one cannot be read, when none has a
    usable face, or when the encoder or the reader cannot be loaded.
    """
    options = options or SubjectOptions()
    _check_count(len(paths), options)
    yield StageStarted(STAGE, len(paths))
    encoder = encoder or (yield from _made(options))
    reader = reader or LandmarkReader(EMBEDDED / LANDMARKS_FILE)
    if encoder.notice:
        yield Notice(encoder.notice)
    readings = []
    for step, path in enumerate(paths, 1):
        reading = yield from read_photo(path, options, encoder, reader)
        readings.append(reading)
        if reading.photo is not None:
            yield Preview(STAGE, "crop", aligned_crop(reading.photo.pixels, reading.photo.face.landmarks))
        yield StepDone(STAGE, step, len(paths))
    _check_any_used(readings)
    yield from _doubt_strangers(readings, encoder, options.disagreement * encoder.border / BORDER)
    return _subject(readings)


def with_masks(subject: Subject, matte: GraphNet) -> Subject:
    """The same person, each photo with the masks of its regions, and what those tell of traits.

    matte: the network of `matte.load_matte`.
    """
    photos = tuple(masked(photo, matte) for photo in subject.photos)
    return replace(subject, photos=photos, traits=subject.traits | agreed([photo.traits for photo in photos]))


def masked(photo: Photo, matte: GraphNet) -> Photo:
    """The same photo with its masks, and what those tell of traits."""
    masks = find_masks(photo.pixels, photo.landmarks.points, matte, photo.others)
    traits = corrected(photo.traits, face_shares(masks, photo.landmarks.points))
    if STYLE in traits:
        told = fitted(traits.pop(STYLE), hair_shape(masks, photo.landmarks.points, photo.frame))
        traits |= {STYLE: told} if told else {}
    return replace(photo, masks=masks, traits=traits)


def covers(subject: Subject) -> Iterator[Notice]:
    """What hides a part of the face in the photos, and is therefore made up."""
    for photo in subject.photos:
        points = photo.landmarks.points
        if eyes_covered(photo.pixels, points):
            yield Notice(f"The eyes in '{photo.name}' are covered and are made up; a photo that shows them would help.")
        elif cover_contrast(photo.pixels, points) > COVERED:
            yield Notice(f"Something covers the face in '{photo.name}'; a photo of the whole face would help.")
        if cut_off(photo) > CUT:
            yield Notice(f"'{photo.name}' cuts off a part of the face, which is made up; one of the whole would help.")


def cut_off(photo: Photo) -> float:
    """The share of the face's points that lie past the edge of the photo."""
    left, top, width, height = photo.frame
    places = photo.landmarks.points[:FACE, :2] - np.array([left, top])
    return float(((places < 0) | (places > [width, height])).any(1).mean())


def _made(options: SubjectOptions) -> Generator[Event, None, IdentityEncoder]:
    """The encoder that is asked for; what it downloads is told first."""
    name = "dlib" if options.encoder == AUTO else options.encoder
    if download := to_download(name):
        yield Notice(download)
    return make_encoder(name)


def _check_count(count: int, options: SubjectOptions) -> None:
    if count == 0:
        raise UserError("There is no photo.", "Give at least one photo of the person.")
    if count > options.max_photos:
        raise UserError(
            f"There are {count} photos; at most {options.max_photos} are read.", "Keep the sharpest frontal ones."
        )


def read_photo(
    path: str | Path,
    options: SubjectOptions,
    encoder: IdentityEncoder,
    reader: LandmarkReader,
    pixels: np.ndarray | None = None,
) -> Generator[Event, None, Reading]:
    """The person in the photo at `path`, or why it is left out; what the user should know of it is told.

    pixels: the photo, where it is loaded already. Raises UserError when it cannot be read.
    """
    name = shown_name(path)
    found = yield from _found(path, load_photo(path, options) if pixels is None else pixels, options, encoder, reader)
    reason = _unusable(found, options)
    if found is None or reason:
        yield Notice(f"'{name}' is left out: {reason}.")
        return Reading(name, reason)
    photo = photo_of(name, found)
    yield from map(Notice, (*_hints(name, found), *photo.quality.told(name)))
    traits = encoder.traits(photo.pixels, photo.face) if options.traits else {}
    unsaid = () if photo.quality.true_colours else COLOURS
    told = {key: said for key, said in traits.items() if key not in unsaid}
    return Reading(name, photo=replace(photo, traits=told), turns=found.turns, others=len(found.others))


def _found(
    path: str | Path, pixels: np.ndarray, options: SubjectOptions, encoder: IdentityEncoder, reader: LandmarkReader
) -> Generator[Event, None, Found | None]:
    """The person in the photo; where none is seen at first sight, a large photo is searched part by part."""
    found, shrunk = find_person(pixels, encoder, reader), max(pixels.shape) >= LONG_SIDE
    if found and shrunk and found.face.side < CLOSE_FACE:
        return enlarged(found, load_photo(path, options, whole=True), reader)
    if found or max(pixels.shape) <= TILE:
        return found
    yield Notice(
        f"No face is seen in '{shown_name(path)}' at first sight; it is searched part by part for a small one."
    )
    return find_small(load_photo(path, options, whole=True), encoder, reader)


def _unusable(found: Found | None, options: SubjectOptions) -> str:
    """Why a photo cannot be used; empty where it can."""
    if found is None:
        return "no face was found"
    if found.face.side < options.min_face_pixels:
        return f"its face is {found.face.side:.0f} pixels wide and {options.min_face_pixels} are needed"
    return ""


def _hints(name: str, found: Found) -> Iterator[str]:
    """What was done with the photo, and what would make a better one."""
    if found.turns:
        yield f"'{name}' was turned {TURNED[found.turns]}, as its face was not upright."
    if found.others:
        yield f"'{name}' shows {len(found.others) + 1} faces; the largest is used."
    if found.face.side < SMALL_FACE:
        yield f"The face in '{name}' is only {found.face.side:.0f} pixels wide; a closer photo would help."


def _check_any_used(readings: Sequence[Reading]) -> None:
    if any(reading.photo for reading in readings):
        return
    if len(readings) == 1:
        what = f"'{readings[0].name}' cannot be used: {readings[0].reason}."
    else:
        what = f"None of the {len(readings)} photos shows a face that can be used."
    raise UserError(
        what, "Use a sharp photo with the face uncovered and towards the camera, filling much of the picture."
    )


def _doubt_strangers(readings: Sequence[Reading], encoder: IdentityEncoder, limit: float) -> Iterator[Event]:
    """Tell which photos lie farther than `limit` from the others."""
    used = [reading for reading in readings if reading.photo]
    embeddings = np.stack([reading.photo.face.embedding for reading in used])
    distances = disagreements(encoder.recognition(embeddings))
    names = [f"'{reading.name}'" for reading, distance in zip(used, distances, strict=True) if distance > limit]
    if len(used) == 2 and names:
        yield Notice(f"{' and '.join(names)} may show different people.")
        return
    for name in names:
        yield Notice(f"{name} may show another person than the other photos; it is used all the same.")


def _subject(readings: Sequence[Reading]) -> Subject:
    used = [reading for reading in readings if reading.photo]
    photos = tuple(reading.photo for reading in used)
    embeddings = np.stack([photo.face.embedding for photo in photos]).astype(np.float32)
    return Subject(unit(embeddings.mean(0)), agreed([photo.traits for photo in photos]), photos)
