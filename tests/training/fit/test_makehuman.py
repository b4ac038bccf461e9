"""Carrying MakeHuman's changes over, on eggs; with IDTO3D_ICT and IDTO3D_MAKEHUMAN (.npz or checkouts) on real ones."""

import os

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from idto3d.errors import UserError
from idto3d.head.template import CENTIMETRE, LANDMARKS
from idto3d.training.fit import follow, makehuman, register
from idto3d.training.fit.makehuman_files import makehuman_arrays
from idto3d.training.people.ict import read_ict


@pytest.fixture(scope="module")
def model(small_ict):
    return read_ict(small_ict)


def other_egg(model) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [13380, 3] and faces of the same egg with other vertices; MakeHuman's landmarks where ICT's lie."""
    index = np.arange(13380) + 0.5
    height, turn = 1 - 2 * index / 13380, np.pi * (1 + 5**0.5) * index
    ring = np.sqrt(1 - height**2)
    vertices = CENTIMETRE * np.stack([8 * ring * np.sin(turn), 12 * height - 1, 9.5 * ring * np.cos(turn)], 1)
    vertices = vertices[np.random.default_rng(1).permutation(len(vertices))]
    marks = [LANDMARKS[i] for i in register.MARKED_LANDMARKS]
    vertices[list((*register.CHIN, *register.NOSE_EYES_LIPS))] = model.neutral[marks]
    faces = ConvexHull(vertices).simplices
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    inward = (np.cross(b - a, c - a) * (a - vertices.mean(0))).sum(1) < 0
    faces[inward] = faces[inward][:, ::-1]
    return vertices, faces


def test_a_similarity_is_found_again():
    random = np.random.default_rng(0)
    points = random.normal(size=(20, 3))
    turn = 1.7 * np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    found, offset = register.similarity(points, points @ turn.T + [1, 2, 3])
    assert np.allclose(found, turn) and np.allclose(offset, [1, 2, 3])


def test_every_vertex_finds_its_place_on_a_turned_and_smaller_head(model):
    vertices, faces = other_egg(model)
    moved = 0.5 * vertices[:, [0, 1, 2]] + [0.0, -1.0, 0.2]
    side = (np.abs(vertices[:, 0]) > 0.074) & (np.abs(vertices[:, 1]) < 0.04) & (np.abs(vertices[:, 2]) < 0.04)
    ears = tuple(np.flatnonzero(side & (np.sign(vertices[:, 0]) == sign)) for sign in (1, -1))
    match = register.register(model, moved, faces, ears)
    gap = np.linalg.norm(match.read(moved) - model.neutral[: register.SKIN], axis=1)
    assert np.median(gap) < 0.002 and np.quantile(gap, 0.95) < 0.02


def test_eyes_and_teeth_follow_a_head_that_moves_and_grows(model):
    skin = model.neutral[: register.SKIN].astype(np.float64)
    for change in (lambda x: np.broadcast_to([0.01, 0.02, -0.01], x.shape), lambda x: 0.1 * x):
        full = follow.complete(model, change(skin))
        rest = np.r_[0 : register.SKIN, 14062 : len(full)]
        assert np.abs(full - change(model.neutral))[rest].max() < 2e-5


def test_a_change_of_the_lips_does_not_part_them(model):
    skin = model.neutral[: register.SKIN].astype(np.float64)
    delta = np.zeros_like(skin)
    delta[LANDMARKS[62], 1] = 0.004
    smoothed = follow._with_shut_lips(skin, delta)
    assert smoothed[LANDMARKS[62], 1] < 0.002


def test_a_packed_model_with_words_is_read_with_them(model, small_ict, tmp_path):
    with np.load(small_ict) as data:
        packed = {name: data[name] for name in data.files}
    identity = np.concatenate([packed["identity"], np.ones_like(packed["identity"][:2])])
    np.savez(tmp_path / "words.npz", **packed | {"identity": identity, "word_names": np.array(["baby", "wide nose"])})
    read = read_ict(tmp_path / "words.npz")
    assert read.words == ("baby", "wide nose") and read.identity.shape[0] == 102 and model.words == ()
    assert np.allclose(read.identity[100:], CENTIMETRE)


@pytest.fixture
def checkout(tmp_path):
    """A made-up checkout: two squares of skin, one at head height, a square of clothes, and all targets."""
    data = tmp_path / "makehuman" / "data"
    (data / "3dobjs").mkdir(parents=True)
    lines = [f"v {x} {y} 1.5" for y in (6, 0) for x in (0, 1, 2, 3)]
    faces = ["g body", "f 1/1 2/2 3/3 4/4", "f 5/1 6/2 7/3", "g helper-hair", "f 1/1 2/2 3/3 4/4"]
    (data / "3dobjs" / "base.obj").write_text("\n".join(["# MakeHuman", *lines, "vt 0 0", *faces]))
    for number, name in enumerate(makehuman.used_targets()):
        path = data / "targets" / f"{name}.target"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# basemesh hm08\n0 .{number:03} 0 -1\n1 0 0 0\n2 0 1 0\n3 0 0 0\n5 0 9 0\n")
    return tmp_path


def test_a_checkout_is_read_as_its_packed_arrays_are(checkout, tmp_path):
    read = makehuman.read_makehuman(checkout)
    assert read.vertices.shape == (8, 3) and read.vertices[7].tolist() == pytest.approx([0.3, 0, 0.15])  # metres
    assert read.faces.tolist() == [[0, 1, 2], [0, 2, 3]]  # the skin of the head alone
    number = makehuman.used_targets().index("head/head-round")
    moved = read.delta("head/head-round")
    assert moved[0] == pytest.approx([number / 10_000, 0, -0.1]) and moved[2, 1] == pytest.approx(0.1)
    assert not moved[5].any() and len(read.ears[0]) and read.delta("ears/*-ear-wing-incr")[2, 1] == pytest.approx(0.2)
    packed = tmp_path / "packed.npz"
    np.savez(packed, **makehuman_arrays(checkout, makehuman.used_targets()))
    again = makehuman.read_makehuman(packed)
    assert np.array_equal(again.faces, read.faces) and np.array_equal(again.delta("head/head-round"), moved)


def test_what_is_no_makehuman_is_refused(checkout, tmp_path):
    def refused(path, said):
        with pytest.raises(UserError, match=said):
            makehuman.read_makehuman(path)

    refused(tmp_path / "nowhere.npz", "no MakeHuman at .*nowhere")
    refused(tmp_path / "makehuman" / "data" / "targets", "holds no 3dobjs/base.obj")
    np.savez(tmp_path / "old.npz", target_names=np.array(["head/head-round"]))
    refused(tmp_path / "old.npz", "lacks the target")
    (tmp_path / "makehuman/data/targets/head/head-round.target").unlink()
    refused(checkout, "head-round.target is missing")


@pytest.mark.skipif("IDTO3D_MAKEHUMAN" not in os.environ, reason="the real meshes are not in the repository")
def test_babies_have_short_faces_and_old_people_stay_in_the_frame():
    real = read_ict(os.environ["IDTO3D_ICT"])
    shapes = makehuman.carry_over(real, os.environ["IDTO3D_MAKEHUMAN"])
    change = dict(zip(shapes.names, shapes.deltas, strict=True))
    chin, brow = LANDMARKS[8], LANDMARKS[27]
    heights = {word: (real.neutral + change[word])[[brow, chin], 1] for word in ("baby", "child", "long face")}
    span = {word: float(top - bottom) for word, (top, bottom) in heights.items()}
    assert span["baby"] < span["child"] < real.neutral[brow, 1] - real.neutral[chin, 1] < span["long face"]
    assert max(np.abs(delta[:9409].mean(0)).max() for delta in shapes.deltas) < 0.006
    mouth = [LANDMARKS[62], LANDMARKS[66]]
    assert all(np.abs(np.diff(delta[mouth], axis=0)).max() < 0.001 for delta in shapes.deltas)
