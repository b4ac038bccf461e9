"""Identity by InsightFace's buffalo_l: 512 numbers. Its code is MIT, its models are for non-commercial research."""

import contextlib
import io
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np

from idto3d.errors import UserError
from idto3d.subject.face import Face, check_pixels
from idto3d.subject.similarity import unit

PACK = "buffalo_l"
OTHERWISE = "choose weights that do without it, e.g. embedded (with subject.encoder=auto)"
PACK_URL = "https://github.com/deepinsight/insightface/releases/download/model-zoo/buffalo_l.zip"
DOWNLOAD = (
    f"Fetching InsightFace's face models {PACK}, about 300 MB, from {PACK_URL}; "
    "they may be used for non-commercial research only."
)


def pack_home() -> Path:
    """Where the pack lies unless it is said otherwise, or where it comes to lie."""
    return Path.home() / ".insightface" / "models" / PACK


def missing() -> bool:
    """Whether the pack has to be downloaded before an encoder can be made."""
    return not pack_home().exists()


class InsightFaceEncoder:
    """Holds InsightFace's detector and recogniser. They are downloaded once unless their folder is there."""

    name = "insightface"
    dimension = 512
    border = 1.2  # a cosine of 0.28
    notice = "The InsightFace models may be used for non-commercial research only."

    def __init__(self, folder: Path | None = None):
        """`folder` holds the pack's .onnx files (default ~/.insightface/models/buffalo_l). Raises UserError."""
        folder = Path(folder or pack_home())
        analysis = _import_analysis()
        if not folder.exists():
            _download(folder)
        self._analysis = _load(analysis, _pack_folder(folder))

    def embed(self, pixels: np.ndarray, once: bool = False) -> list[Face]:
        """Every face in `pixels` [H, W, 3] uint8 sRGB, the surest first; it always looks once."""
        bgr = np.ascontiguousarray(check_pixels(pixels)[..., ::-1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # its aligner calls a deprecated scikit-image function
            found = self._analysis.get(bgr)
        found = sorted(found, key=lambda face: -float(face.det_score))
        return [_face(face) for face in found]

    def traits(self, pixels: np.ndarray, face: Face) -> dict[str, dict[str, float]]:
        """Nothing: this network only recognises."""
        return {}

    def recognition(self, embeddings: np.ndarray) -> np.ndarray:
        """`embeddings` [..., 512]: all of it recognises."""
        return embeddings


def _face(found) -> Face:
    """Plain arrays of one InsightFace result: that object can be neither copied nor pickled."""
    left, top, right, bottom = (float(edge) for edge in found.bbox)
    return Face((left, top, right, bottom), np.array(found.kps, np.float32), unit(found.embedding))


def _import_analysis():
    try:
        from insightface.app import FaceAnalysis
    except ImportError as fault:
        raise UserError(
            "The face encoder InsightFace is not installed.",
            f"Run: python -m pip install -r requirements-insightface.txt, or {OTHERWISE}",
        ) from fault
    return FaceAnalysis


def _download(folder: Path) -> None:
    """Fetch the pack and move it to `folder` only when it is whole. Raises UserError."""
    from insightface.utils.storage import ensure_available

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch, contextlib.redirect_stdout(io.StringIO()):
            os.replace(ensure_available("models", PACK, root=scratch), folder)
    except Exception as fault:  # requests, zipfile and the library itself raise many kinds
        raise UserError(
            "The InsightFace models are not on this machine and cannot be downloaded.",
            f"Unpack {PACK_URL} into {folder}, or {OTHERWISE}",
        ) from fault


def _pack_folder(folder: Path) -> Path:
    """`folder`, or its one sub-folder that holds the .onnx files: some published packs are nested."""
    if any(folder.glob("*.onnx")):
        return folder
    nested = sorted({path.parent for path in folder.glob("*/*.onnx")})
    if len(nested) != 1:
        raise _incomplete(folder)
    return nested[0]


def _load(analysis, folder: Path):
    """FaceAnalysis with detector and recogniser only. An incomplete pack would end in an empty AssertionError.

    At which sizes the detector looks is left to the library: one fixed size misses faces that fill the frame.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            loaded = analysis(name=str(folder), allowed_modules=["detection", "recognition"])
            loaded.prepare(ctx_id=0)
    except Exception as fault:  # AssertionError, or one of ONNX Runtime's many
        raise _incomplete(folder) from fault
    if "recognition" not in loaded.models:
        raise _incomplete(folder)
    return loaded


def _incomplete(folder: Path) -> UserError:
    return UserError(
        f"The InsightFace models in {folder} are incomplete or damaged.",
        f"Delete that folder and unpack {PACK_URL} there, or {OTHERWISE}",
    )
