"""The identity encoders by name."""

import importlib.util
from pathlib import Path

from idto3d.config import AUTO, CHOICES
from idto3d.errors import UserError
from idto3d.subject.face import IdentityEncoder

ENCODERS = tuple(name for name in CHOICES if name != AUTO)


def make_encoder(name: str, weights: Path | None = None) -> IdentityEncoder:
    """The encoder called `name`, its models loaded. Raises UserError when it is unknown or cannot be loaded.

    weights: the identity.safetensors of a bundle, which the encoder portrait needs and the others pass over.
    """
    if name == "dlib":
        from idto3d.subject.identity.dlib_encoder import DlibEncoder

        return DlibEncoder()
    if name == "portrait":
        from idto3d.subject.identity.portrait_encoder import PortraitEncoder

        return PortraitEncoder(weights)
    if name == "insightface":
        from idto3d.subject.identity.insightface_encoder import InsightFaceEncoder

        return InsightFaceEncoder()
    raise UserError(f"There is no identity encoder named '{name}'.", f"Choose from: {', '.join(ENCODERS)}.")


def obstacle(name: str) -> UserError | None:
    """Why the encoder called `name` cannot be made here, as far as packages go; None where nothing is missing."""
    needed = ("insightface",) if name == "insightface" else ("dlib", "face_recognition_models")
    if all(importlib.util.find_spec(package) for package in needed):
        return None
    file = "requirements-insightface.txt" if name == "insightface" else "requirements.txt"
    return UserError(f"The face encoder {name} is not installed.", f"Run: python -m pip install -r {file}.")


def to_download(name: str) -> str:
    """What the encoder called `name` would fetch when it is made, for the user to read first; empty when nothing."""
    if name != "insightface":
        return ""
    from idto3d.subject.identity.insightface_encoder import DOWNLOAD, missing

    return DOWNLOAD if missing() else ""
