"""Expressions of a head of its own: the jaw is a bone, lips meet, and the mean head moves as ever."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from idto3d.bundle.layout import PERSONAL_FILE
from idto3d.config import EMBEDDED, HeadOptions, as_json, run_options
from idto3d.errors import UserError
from idto3d.files import read_metadata
from idto3d.geometry.mesh import vertex_normals
from idto3d.head.features.assemble import at_rest, displacements, settled, weights_of
from idto3d.head.motion.contact import TOUCH_M, lips_meet
from idto3d.head.motion.jaw import SHAPES, jaw_of, with_jaw
from idto3d.head.motion.lips import mouth_of
from idto3d.head.motion.moves import displacement_of, moves_of
from idto3d.head.motion.personal_file import KEY, load_personal, with_personal
from idto3d.head.template import LANDMARKS
from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import Camera, clip_positions, orbit

FILE = EMBEDDED / PERSONAL_FILE
INNER = list(LANDMARKS[60:])
LIPS = ("smile", "lip roll", "dimpler", "mouthPucker", "mouthPressLeft", "mouthClose")


@pytest.fixture(scope="module")
def own(ict):
    """The template whose heads have expressions of their own."""
    return with_personal(ict, FILE)


@pytest.fixture(scope="module")
def baby(ict, people):
    return settled(ict, people[2])


def edges_of(ict, name):
    """[F, 2] vertices of the template at both ends of edges of a part."""
    part = ict.part(name)
    return part.faces[:, :2] + part.vertices.start


def lengths(points, edges):
    return (points[..., edges[:, 0], :] - points[..., edges[:, 1], :]).norm(dim=-1)


def gaps(ict, vertices, moved, weights):
    """[N] metres by which lips are further apart than on the mean head, where those touch; mouthClose with its jaw."""
    mouth, jaw = mouth_of(ict), ict.displacement(ict.weights({"jawOpen": 1.0}))
    upper, lower = (mouth.zone[lip.own] for lip in mouth.lips)
    found = []
    for one, plain, weight in zip(moved, ict.displacement(weights), weights, strict=True):
        fallen = jaw if weight[ict.shapes.index("mouthClose")] else 0
        mean, posed = ict.neutral + plain + fallen, vertices + one + fallen
        apart, near = torch.cdist(mean[upper], mean[lower]).min(1)
        first, second = upper[apart < TOUCH_M[0]], lower[near[apart < TOUCH_M[0]]]
        normals = vertex_normals(posed, ict.part("skin").faces)
        way = torch.nn.functional.normalize(normals[second] - normals[first], dim=1)
        found.append(((posed[first] - posed[second] - mean[first] + mean[second]) * way).sum(1))
    return torch.cat(found)


def test_the_mean_head_moves_as_everybody(ict, own):
    assert torch.allclose(moves_of(own, ict.neutral), ict.dense_moves(), atol=1e-6)
    weights = weights_of(ict, LIPS)
    assert torch.allclose(
        lips_meet(ict, ict.neutral, ict.displacement(weights), weights), ict.displacement(weights), atol=1e-5
    )


def test_without_a_file_nothing_changes(ict, baby):
    weights = weights_of(ict, ["smile"])
    assert torch.equal(displacement_of(ict, baby, weights), ict.displacement(weights))


def test_what_a_shape_leaves_alone_stays_alone(ict, own, baby):
    assert not moves_of(own, baby)[(ict.dense_moves() == 0).all(-1)].any()


def test_teeth_are_hard(ict, baby):
    edges = edges_of(ict, "teeth")
    numbers = [ict.shapes.index(name) for name in SHAPES]
    moved = baby + with_jaw(ict, baby, ict.dense_moves())[numbers]
    off = (lengths(moved, edges) - lengths(baby, edges)).abs().max()
    assert off < 1e-4 < (lengths(baby + ict.dense_moves()[numbers], edges) - lengths(baby, edges)).abs().max()


def test_a_short_jaw_falls_less_by_the_same_angle(ict, own, baby):
    jaw, chin, number = jaw_of(ict), LANDMARKS[8], ict.shapes.index("jawOpen")
    reach = [(one[chin] - jaw.joints_of(ict, one))[1:].norm() for one in (baby, ict.neutral)]
    fall = [moves_of(own, one)[number, chin].norm() for one in (baby, ict.neutral)]
    assert reach[0] < 0.97 * reach[1]
    assert abs(fall[0] / fall[1] - reach[0] / reach[1]) < 0.12


def test_lips_meet_where_those_of_the_mean_head_do(ict, people):
    weights = weights_of(ict, LIPS)
    for vertices in (settled(ict, people[0]), settled(ict, people[3])):
        moved = ict.displacement(weights)
        before, after = (gaps(ict, vertices, one, weights) for one in (moved, lips_meet(ict, vertices, moved, weights)))
        assert after.square().mean() < 0.5 * before.square().mean()


def teeth_seen(ict, vertices):
    """How many pixels of a picture from in front and of two from aside show teeth or gums."""
    starts = np.cumsum([len(part.faces) for part in ict.parts])
    first, last = starts[2], starts[4]  # teeth and gums_tongue, after the skin and both eyes
    camera = Camera(
        orbit(
            torch.tensor([0.0, 40.0, 0.0]), torch.tensor([0.0, 0.0, 20.0]), 1.0, tuple(vertices[INNER].mean(0).tolist())
        ),
        0.09,
    )
    face = make_rasterizer("cpu").fragments(clip_positions(vertices, camera), ict.faces, (160, 160)).face
    return int(((face >= first) & (face < last)).sum())


def test_lips_are_closed_at_rest_and_nowhere_else_moved(ict, people):
    for vertices in (ict.neutral, people[0], people[2], people[3]):
        open_, closed = settled(ict, vertices), at_rest(ict, vertices)
        assert teeth_seen(ict, open_) > 10 and not teeth_seen(ict, closed)
        moved = (closed - open_)[: ict.part("skin").vertices.stop].norm(dim=1)
        assert moved.max() < 0.004 and not moved[[LANDMARKS[8], LANDMARKS[30], *LANDMARKS[36:48]]].any()
    smile = displacements(ict, closed, weights_of(ict, ["smile"]))[0]
    assert teeth_seen(ict, closed + smile) <= teeth_seen(
        ict, open_ + displacements(ict, open_, weights_of(ict, ["smile"]))[0]
    )


def test_an_open_mouth_stays_open(ict, people):
    weights, vertices = weights_of(ict, ["mouth stretch"]), settled(ict, people[0])
    moved = ict.displacement(weights)
    change = lips_meet(ict, vertices, moved, weights) - moved
    middle = [5533, 5517]  # of the upper and of the lower lip
    assert change[0, middle].norm(dim=1).max() < 0.001


def test_a_face_that_only_blinks_keeps_its_lips(ict, people):
    weights = weights_of(ict, ["eyes closed"])
    moved = ict.displacement(weights)
    assert torch.equal(lips_meet(ict, people[0], moved, weights), moved)


def test_a_file_is_small_and_of_this_template(ict):
    assert FILE.stat().st_size < 3e6 and load_personal(FILE, ict) is not None
    assert load_personal(FILE, replace(ict, neutral=1.01 * ict.neutral)) is None
    assert with_personal(replace(ict, neutral=1.01 * ict.neutral), FILE).personal is None


def test_a_damaged_file_is_refused_in_plain_words(ict, tmp_path):
    tensors, about = load_file(FILE), {KEY: read_metadata(FILE)[KEY]}
    broken = [
        {name: value for name, value in tensors.items() if name != "weights"},
        tensors | {"weights": tensors["weights"][:5].clone()},
        tensors | {"moved": tensors["moved"] + 20000},
        tensors | {"directions": tensors["directions"][:-3].clone()},
    ]
    for number, one in enumerate(broken):
        path = tmp_path / f"{number}.safetensors"
        save_file(one, path, about)
        with pytest.raises(UserError, match="damaged or of another version"):
            load_personal(path, ict)
    with pytest.raises(UserError):
        load_personal(tmp_path / "none.safetensors", ict)


def test_heads_of_before_move_as_they_did():
    old = {name: value for name, value in as_json(HeadOptions()).items() if name != "rig"}
    assert not run_options(old).rig.personal
    known = run_options({"material": {"steps": 3}})
    assert (known.choice.candidates, known.carving.relief, known.material.translate) == (0, 0.0, False)
    assert known.material.steps == 3
    assert run_options(as_json(HeadOptions())) == HeadOptions()


def test_shut_lids_and_all_displacements_are_finite(own, baby):
    moved = displacements(own, baby, weights_of(own, ["eyes closed", "squeeze", "lip roll"]))
    assert bool(moved.isfinite().all()) and np.percentile(moved.norm(dim=-1), 99.9) < 0.05
