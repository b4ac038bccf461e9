"""How alike the finished head and the photos are, by the encoder that read them."""

import numpy as np

from idto3d.events import Event, LikenessMeasured, Notice
from idto3d.stages.material import Canvas, relit_picture
from idto3d.subject.face import IdentityEncoder
from idto3d.subject.similarity import cosine, same_person
from idto3d.subject.subject import Subject

PICTURE_SIZE = 512  # pixels
SIDES_DEG = (0.0, 20.0, -20.0)  # azimuths from which the neutral head is looked at


def likeness(canvas: Canvas, subject: Subject, encoder: IdentityEncoder) -> Event:
    """The mean similarity of the photos and the neutral head's renders from three sides.

    A render in which no face is found is left out; a Notice where none shows one.
    """
    pictures = [relit_picture(canvas, None, azimuth_deg=side, size=PICTURE_SIZE) for side in SIDES_DEG]
    found = [similarity for one in pictures if (similarity := _similarity(one, subject, encoder)) is not None]
    if not found:
        return Notice("No face was found in the render, so its likeness could not be measured.")
    return LikenessMeasured(float(np.mean(found)), encoder.name, same_person(encoder.border))


def _similarity(picture: np.ndarray, subject: Subject, encoder: IdentityEncoder) -> float | None:
    """That of the largest face of a picture and the photos; None where it shows none."""
    faces = encoder.embed(picture)
    if not faces:
        return None
    largest = max(faces, key=lambda face: face.box[2] - face.box[0])
    return cosine(*(encoder.recognition(embedding) for embedding in (largest.embedding, subject.embedding)))
