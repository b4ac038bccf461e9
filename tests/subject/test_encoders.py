"""The encoders find faces, and say in words what is missing."""

import importlib.util
import sys
import types

import numpy as np
import pytest
from PIL import Image

from idto3d.errors import UserError
from idto3d.subject.encoders import make_encoder, to_download
from idto3d.subject.identity import insightface_encoder
from idto3d.subject.identity.insightface_encoder import InsightFaceEncoder
from idto3d.subject.similarity import cosine, unit


@pytest.fixture(scope="module")
def dlib_encoder():
    return make_encoder("dlib")


@pytest.fixture(scope="module")
def face(dlib_encoder, astronaut):
    (found,) = dlib_encoder.embed(astronaut)
    return found


def test_dlib_finds_the_astronaut(face):
    left, top, right, bottom = face.box
    assert left < 225 < right and top < 120 < bottom
    assert face.embedding.shape == (128,) and face.embedding.dtype == np.float32
    assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)


def test_the_first_landmarks_are_left_eye_right_eye_and_nose(face):
    left_eye, right_eye, nose = face.landmarks[:3]
    assert face.landmarks.shape == (5, 2)
    assert left_eye[0] < nose[0] < right_eye[0]
    assert nose[1] > max(left_eye[1], right_eye[1])


def test_half_or_double_the_size_is_the_same_person(dlib_encoder, astronaut, face):
    image = Image.fromarray(astronaut)
    for side in (280, 1500):
        (again,) = dlib_encoder.embed(np.array(image.resize((side, side))))
        assert cosine(again.embedding, face.embedding) > 0.97
        assert again.box[0] == pytest.approx(face.box[0] * side / 512, rel=0.1)


def test_a_crop_cut_at_the_face_is_found_by_padding(dlib_encoder, astronaut, face):
    left, top, right, bottom = (int(edge) for edge in face.box)
    (again,) = dlib_encoder.embed(astronaut[top:bottom, left:right])
    assert cosine(again.embedding, face.embedding) > 0.95


def test_no_face_is_an_empty_list(dlib_encoder):
    assert dlib_encoder.embed(np.full((200, 300, 3), 128, np.uint8)) == []
    assert dlib_encoder.embed(np.zeros((1, 1, 3), np.uint8)) == []


def test_a_single_look_finds_a_plain_face_and_tries_no_harder(dlib_encoder, astronaut, face):
    (again,) = dlib_encoder.embed(astronaut, once=True)
    assert cosine(again.embedding, face.embedding) > 0.97
    wide = np.full((700, 700, 3), 150, np.uint8)
    wide[200:500, 200:500] = np.asarray(Image.fromarray(astronaut).resize((300, 300)))  # the face is 51 pixels wide
    assert dlib_encoder.embed(wide) and dlib_encoder.embed(wide, once=True) == []


def test_a_known_rectangle_needs_no_search(dlib_encoder, astronaut, face):
    assert cosine(dlib_encoder.embed_box(astronaut, face.box).embedding, face.embedding) > 0.999
    batch = dlib_encoder.embed_batch([astronaut, astronaut[::-1]], [face.box, face.box])
    assert batch.shape == (2, 128) and cosine(batch[0], face.embedding) > 0.999
    assert cosine(batch[0], batch[1]) < 0.99
    assert dlib_encoder.embed_batch([], []).shape == (0, 128)


def test_wrong_pixels_are_a_programming_error(dlib_encoder):
    with pytest.raises(ValueError, match="uint8"):
        dlib_encoder.embed(np.zeros((10, 10, 3), np.float32))


def test_the_package_of_models_is_never_imported(dlib_encoder):
    assert "face_recognition_models" not in sys.modules


def test_missing_dlib_or_models_are_named(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(UserError, match="pip install dlib-bin face_recognition_models"):
            make_encoder("dlib")
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(UserError, match="pip install dlib-bin"):
        make_encoder("dlib")


def test_an_unknown_encoder_is_refused():
    with pytest.raises(UserError, match="dlib, portrait, insightface"):
        make_encoder("crystal ball")


def test_cosine_and_unit():
    assert cosine([3, 0], [5, 0]) == pytest.approx(1)
    assert cosine([1, 0], [0, 2]) == pytest.approx(0)
    with pytest.raises(ValueError, match="zero"):
        unit(np.zeros(4))


FILLED = 60  # side of a picture that a face fills


class FakeAnalysis:
    """Stands for insightface.app.FaceAnalysis: the embedding it gives is the first pixel it was handed.

    Like that of 2.1 it looks at two sizes unless one is asked for, and with one size alone misses a face that fills the
    frame.
    """

    def __init__(self, name, allowed_modules):
        assert name.endswith("pack") or name.endswith("nested"), name
        self.models = {"detection": None, "recognition": None}

    def prepare(self, ctx_id=0, det_thresh=0.5, det_size=None):
        self.sizes = [(128, 128), (640, 640)] if det_size is None else [det_size]

    def get(self, bgr):
        if len(self.sizes) == 1 and bgr.shape[0] == FILLED:
            return []
        face = types.SimpleNamespace(bbox=np.array([1, 2, 30, 40]), kps=np.zeros((5, 2)), det_score=0.5)
        sure = types.SimpleNamespace(**{**vars(face), "det_score": 0.9, "embedding": bgr[0, 0].astype(np.float32)})
        face.embedding = np.ones(3)
        return [face, sure]


@pytest.fixture
def insightface(monkeypatch):
    """A stand-in for the package, without network."""

    def offline(*args, **kwargs):
        raise ConnectionError("no route")

    app = types.SimpleNamespace(FaceAnalysis=FakeAnalysis)
    storage = types.SimpleNamespace(ensure_available=offline)
    monkeypatch.setitem(sys.modules, "insightface", types.SimpleNamespace(app=app))
    monkeypatch.setitem(sys.modules, "insightface.app", app)
    monkeypatch.setitem(sys.modules, "insightface.utils", types.SimpleNamespace(storage=storage))
    monkeypatch.setitem(sys.modules, "insightface.utils.storage", storage)
    return app


def pack(folder):
    folder.mkdir(parents=True)
    (folder / "w600k_r50.onnx").touch()
    return folder


def test_insightface_is_handed_blue_green_red(insightface, tmp_path):
    encoder = InsightFaceEncoder(pack(tmp_path / "pack"))
    pixels = np.zeros((50, 50, 3), np.uint8)
    pixels[0, 0] = (3, 0, 4)
    surest = encoder.embed(pixels)[0]
    assert surest.embedding == pytest.approx([0.8, 0, 0.6])
    assert surest.box == (1, 2, 30, 40)
    assert "non-commercial" in encoder.notice


def test_a_face_that_fills_the_frame_is_found(insightface, tmp_path):
    encoder = InsightFaceEncoder(pack(tmp_path / "pack"))
    assert encoder.embed(np.ones((FILLED, FILLED, 3), np.uint8))


def test_a_nested_pack_is_found(insightface, tmp_path):
    pack(tmp_path / "pack" / "nested")
    assert InsightFaceEncoder(tmp_path / "pack").dimension == 512


def test_an_empty_or_partial_pack_is_named(insightface, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="incomplete"):
        InsightFaceEncoder(tmp_path / "empty")

    def partial(name, allowed_modules):
        raise AssertionError

    monkeypatch.setattr(insightface, "FaceAnalysis", partial)
    with pytest.raises(UserError, match="incomplete"):
        InsightFaceEncoder(pack(tmp_path / "pack"))


def test_offline_without_a_pack_says_where_to_put_it(insightface, tmp_path):
    with pytest.raises(UserError, match="cannot be downloaded") as caught:
        InsightFaceEncoder(tmp_path / "models" / "pack")
    assert insightface_encoder.PACK_URL in caught.value.remedy
    assert list((tmp_path / "models").iterdir()) == []


def test_whoever_lacks_insightface_is_sent_to_weights_that_do_without_it(monkeypatch):
    """Never to another encoder: weights that were trained with this one refuse it."""
    monkeypatch.setitem(sys.modules, "insightface.app", None)
    with pytest.raises(UserError, match="not installed") as caught:
        InsightFaceEncoder()
    assert "dlib" not in caught.value.remedy and "choose weights that do without it" in caught.value.remedy


def test_a_download_is_told_with_its_licence_size_and_source(monkeypatch, tmp_path):
    monkeypatch.setattr(insightface_encoder.Path, "home", lambda: tmp_path)
    told = to_download("insightface")
    assert all(word in told for word in ("buffalo_l", "300 MB", "non-commercial", insightface_encoder.PACK_URL))
    assert to_download("dlib") == to_download("portrait") == ""
    pack(tmp_path / ".insightface" / "models" / "buffalo_l")
    assert to_download("insightface") == ""


def test_missing_insightface_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "insightface", None)
    monkeypatch.setitem(sys.modules, "insightface.app", None)
    with pytest.raises(UserError, match="pip install -r requirements-insightface.txt"):
        make_encoder("insightface")
