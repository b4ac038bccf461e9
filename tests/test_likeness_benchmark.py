"""The benchmark of likeness: its arithmetic, how it cuts out faces, whom it asks, and a whole measurement."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data
from small_heads import small

from idto3d.config import EMBEDDED, LANDMARKS_FILE
from idto3d.errors import UserError
from idto3d.events import Finished, exhausted
from idto3d.subject.encoders import make_encoder
from idto3d.subject.landmarks import LandmarkReader
from idto3d.subject.subject import read_subject

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """The benchmarks can be imported; they are no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A face in a photo, found by the product."""
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    reading = read_subject([path], None, make_encoder("dlib"), LandmarkReader(EMBEDDED / LANDMARKS_FILE))
    return exhausted(reading).photos[0]


def at_angles(*angles_deg):
    radians = np.radians(angles_deg)
    return list(np.stack([np.cos(radians), np.sin(radians)], 1))


def test_rank_own_and_strangers_are_counted_over_people():
    from benchmarks.likeness import scores

    held, high, low = at_angles(0, 90, 180), 3**0.5 / 2, 0.5
    found = scores([*at_angles(60, 60), None], held)  # the first is nearer the second's photo, and so is the second
    assert found["rank1"] == pytest.approx(1 / 3) and found["faces_found"] == 2
    assert found["each"] == [pytest.approx(low), pytest.approx(high), None]
    assert found["own"] == pytest.approx((low + high) / 2)
    assert found["strangers"] == pytest.approx((high - low + low - low) / 4)
    assert scores(held, held)["rank1"] == 1
    twins = at_angles(0, 0, 90)
    assert scores(twins, twins)["rank1"] == pytest.approx(1 / 3)  # as near a stranger is not recognised
    assert scores([None, None, None], held) == {
        "rank1": 0,
        "own": None,
        "strangers": None,
        "faces_found": 0,
        "each": [None] * 3,
    }


def test_a_face_is_cut_out_as_the_template_says(seen):
    from benchmarks.recogniser import SIDE, TEMPLATE, cut_face, face_square, five_points

    turn = np.array([[1.5, 0.6], [-0.6, 1.5]])
    square = face_square(TEMPLATE @ turn + [40, 7])
    assert np.allclose(square.from_photo(TEMPLATE @ turn + [40, 7]) * SIDE, TEMPLATE)  # exact where the points allow it
    points = five_points(seen.landmarks.points)
    placed = face_square(points).from_photo(points) * SIDE
    assert np.linalg.norm(placed - TEMPLATE, axis=1).max() < 7  # she smiles, with her head turned and tilted
    crop = cut_face(seen)
    assert crop.shape == (SIDE, SIDE, 3) and crop.dtype == np.uint8
    found = make_encoder("dlib").embed(np.pad(crop, ((56, 56), (56, 56), (0, 0))))
    middle = np.mean([found[0].landmarks[:2] - 56], 1)[0]
    assert np.linalg.norm(middle - TEMPLATE[:2].mean(0)) < 5


def onnx_of_one_step(operator):
    """The bytes of an ONNX file whose network is one operator on [1, 3, 112, 112]; onnx.proto3 tells the fields."""

    def number(field, value):
        return bytes([field << 3, value])

    def block(field, content):
        length = len(content)
        return bytes([field << 3 | 2, *([length] if length < 128 else [length & 127 | 128, length >> 7])]) + content

    def value(name, *shape):
        sizes = b"".join(block(1, number(1, one)) for one in shape)
        return block(1, name) + block(2, block(1, number(1, 1) + block(2, sizes)))

    node = block(1, b"in") + block(2, b"out") + block(4, operator)
    graph = block(1, node) + block(2, b"graph") + block(11, value(b"in", 1, 3, 112, 112)) + block(12, value(b"out"))
    return number(1, 8) + block(7, graph) + block(8, number(2, 13))


@pytest.mark.parametrize(("centred", "offset"), [(False, 0.0), (True, 127.5)])
def test_a_network_in_a_file_is_given_the_face_in_its_range(seen, tmp_path, centred, offset):
    pytest.importorskip("cv2")
    from benchmarks.recogniser import OnnxRecogniser, cut_face

    (tmp_path / "flat.onnx").write_bytes(onnx_of_one_step(b"Flatten"))
    recogniser = OnnxRecogniser(tmp_path / "flat.onnx", centred)
    wanted = (cut_face(seen).astype(np.float32) - offset).transpose(2, 0, 1).reshape(-1)
    assert np.allclose(recogniser.embedding(seen), wanted / np.linalg.norm(wanted), atol=1e-5)
    assert recogniser.independent and len(recogniser.about["sha256"]) == 64
    (tmp_path / "no.onnx").write_bytes(b"no network")
    with pytest.raises(UserError, match="no network that OpenCV reads"):
        OnnxRecogniser(tmp_path / "no.onnx", centred)


def test_who_judges_follows_from_what_is_installed_and_what_the_runs_used(monkeypatch):
    from benchmarks import recogniser

    monkeypatch.setattr(recogniser, "find_spec", lambda name: None)
    assert not recogniser.installed_recogniser({"portrait"}).independent
    assert recogniser.installed_recogniser({"insightface"}).independent
    monkeypatch.setattr(recogniser, "find_spec", lambda name: name)
    monkeypatch.setattr(recogniser, "to_download", lambda name: "")
    monkeypatch.setattr(recogniser, "make_encoder", lambda name: type("Named", (), {"name": name}))
    chosen = recogniser.installed_recogniser({"portrait"})
    assert chosen.independent and chosen.about == {"name": "insightface"}
    assert recogniser.installed_recogniser({"insightface"}).about == {"name": "dlib"}


def test_photos_are_held_back_or_made(astronaut, tmp_path):
    from benchmarks.likeness import SMALLER, people_in

    for name in ("a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png"):
        (tmp_path / "people" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(astronaut, tmp_path / "people" / name)
    folder = tmp_path / "people"
    first, second = people_in(folder, every=False, altered=None)
    assert [path.name for path in first.shown] == ["1.png"] and first.held.name == "3.png"
    assert second.name == "b" and second.held.name == "2.png"
    assert [path.name for path in people_in(folder, every=True, altered=None)[0].shown] == ["1.png", "2.png"]
    (folder / "b" / "2.png").unlink()
    with pytest.raises(UserError, match="holds 1 photos"):
        people_in(folder, every=False, altered=None)
    made = people_in(folder, every=False, altered=tmp_path)[1].held
    image = np.asarray(Image.open(made)).astype(float)
    assert image.shape[0] == pytest.approx(SMALLER * 512 * 1.186, abs=2)  # cos 12 + sin 12 degrees, as it was turned
    middle = image[len(image) // 2]
    before = np.asarray(Image.open(astronaut).resize(image.shape[1::-1])).astype(float)[len(image) // 2]
    assert (middle[-80:-40] / (before[-80:-40] + 1)).mean() < (middle[40:80] / (before[40:80] + 1)).mean()


def test_heads_are_made_drawn_and_judged(astronaut, plain_head, tiny_bundle, tmp_path, capsys, monkeypatch):
    """Two people of one photo, altered; what is drawn of the head of the first is the photo, of the second nothing."""

    def made(photos, options, folder, _checkpoints):
        assert photos == [tmp_path / "people" / "a" / "astronaut.png"] and options.seed == 3
        yield Finished(shutil.copytree(plain_head, folder), folder / "head.glb")

    from benchmarks import likeness, recogniser

    for name in ("a", "b"):
        (tmp_path / "people" / name).mkdir(parents=True)
        shutil.copy(astronaut, tmp_path / "people" / name)
    pictures = {"a": data.astronaut(), "b": np.full((64, 64, 3), 255, np.uint8)}
    shutil.copytree(plain_head, tmp_path / "runs" / "b")
    monkeypatch.setattr(likeness.pipeline, "create_head", made)
    monkeypatch.setattr(likeness.pipeline, "render_view", lambda folder, options: pictures[folder.name])
    monkeypatch.setattr(recogniser, "find_spec", lambda name: None)
    monkeypatch.setattr(likeness, "preset", lambda name: small(tiny_bundle))
    words = ["--altered", "--runs", str(tmp_path / "runs"), "--picture", str(tmp_path / "faces.png")]
    assert likeness.main([str(tmp_path / "people"), *words, "--set", "seed=3"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert list(found["views"]) == ["photo_itself", "0_degrees", "20_degrees", "40_degrees"]
    assert found["altered"] and found["views"]["photo_itself"]["faces_found"] == 2
    for view in ("0_degrees", "20_degrees", "40_degrees"):
        told = found["views"][view]
        assert told["faces_found"] == 1 and told["each"][1] is None
        assert told["each"][0] > 0.95 and told["strangers"] > 0.95  # one photo, altered: it shows the same face
    assert found["recogniser"] == {"name": "dlib", "independent_of_the_run": False} and "flatter" in printed.err
    assert found["options"] == [{"preset": "draft", "seed": 3}, {"preset": "draft"}]
    assert found["seconds"][0] > 0 and found["seconds"][1] is None  # the head that lay there was taken
    assert Image.open(tmp_path / "faces.png").size == (5 * 112, 2 * 112)
