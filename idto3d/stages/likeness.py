"""How alike the finished head and the photos are, by the encoder that read them."""

from idto3d.events import Event, LikenessMeasured, Notice
from idto3d.fields.material_field import MaterialField
from idto3d.stages.material import Canvas, relit_picture
from idto3d.subject.face import IdentityEncoder
from idto3d.subject.similarity import cosine, same_person
from idto3d.subject.subject import Subject

PICTURE_SIZE = 512  # pixels


def likeness(canvas: Canvas, field: MaterialField, subject: Subject, encoder: IdentityEncoder) -> Event:
    """The similarity of the front render and the photos, or a Notice where the render shows no face."""
    faces = encoder.embed(relit_picture(canvas, field, size=PICTURE_SIZE))
    if not faces:
        return Notice("No face was found in the render, so its likeness could not be measured.")
    largest = max(faces, key=lambda face: face.box[2] - face.box[0])
    seen, wanted = (encoder.recognition(embedding) for embedding in (largest.embedding, subject.embedding))
    return LikenessMeasured(cosine(seen, wanted), encoder.name, same_person(encoder.border))
