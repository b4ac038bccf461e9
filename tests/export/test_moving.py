"""A head that moves as a clip says: what the file says is what the preview shows, and it is sound glTF."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from idto3d.config import ExportOptions, RenderOptions
from idto3d.events import exhausted
from idto3d.evidence.motion.pose import rotations
from idto3d.evidence.motion.track import Track
from idto3d.export.asset import write_asset
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.mesh import posed
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.gltf.reading import local_matrix, open_glb
from idto3d.export.moving.clip import moving_glb
from idto3d.export.moving.figure import figure_of
from idto3d.export.moving.neck import neck_of
from idto3d.export.moving.preview import Stage, moving_weights
from idto3d.export.view import find_light, picture

FPS = 25.0


@pytest.fixture
def folder(tmp_path, portrait, sample):
    """The folder of a portrait's asset: skin, an eye that turns about its centre, hair."""
    options = ExportOptions(faces=2000, texture_size=64, render_size=32)
    exhausted(write_asset(portrait, sample, tmp_path, options, Provenance(), pictures=()))
    return tmp_path


@pytest.fixture
def track():
    weights = np.array([[0.0, 0.0], [0.5, 0.2], [1.0, 0.0], [0.0, 0.6]])
    turns = np.radians([[0, 0, 0], [20, 5, -4], [-30, 10, 8], [5, -12, 0]])
    return Track(FPS, ("jawOpen", "noseSneerLeft"), weights, turns, np.ones(4, bool))


def matrices(nodes: list[dict], turned: dict[int, np.ndarray]) -> list[np.ndarray]:
    """Each node's matrix in the world, those of `turned` rotated, from the JSON alone."""
    found = [None] * len(nodes)
    below = {child for node in nodes for child in node.get("children", [])}
    waiting = [(number, np.eye(4)) for number in range(len(nodes)) if number not in below]
    while waiting:
        number, above = waiting.pop()
        own = local_matrix(nodes[number])
        own[:3, :3] = own[:3, :3] @ turned.get(number, np.eye(3))
        found[number] = above @ own
        waiting += [(child, found[number]) for child in nodes[number].get("children", [])]
    return found


def shown(glb, frame: int) -> dict[str, np.ndarray]:
    """Where a player of glTF draws the vertices of each part in a frame: morph targets, then skin or node."""
    nodes, clip = glb.all("nodes"), glb.all("animations")[0]
    values = {}
    for channel in clip["channels"]:
        sampler, target = clip["samplers"][channel["sampler"]], channel["target"]
        values[target["node"], target["path"]] = glb.floats(sampler["output"])
    turned = {
        node: Rotation.from_quat(rows[frame]).as_matrix() for (node, path), rows in values.items() if path == "rotation"
    }
    world, places = matrices(nodes, turned), {}
    for number, node in enumerate(nodes):
        if "mesh" not in node:
            continue
        primitive = glb.one("meshes", node["mesh"])["primitives"][0]
        points, targets = glb.floats(primitive["attributes"]["POSITION"]).astype(float), primitive["targets"]
        weights = values[number, "weights"].reshape(-1, len(targets))[frame]
        for weight, target in zip(weights, targets, strict=True):
            points = points + weight * glb.floats(target["POSITION"])
        points = np.concatenate([points, np.ones_like(points[:, :1])], 1)
        if "skin" in node:
            skin = glb.one("skins", node["skin"])
            inverse = glb.floats(skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
            joints = np.stack([world[joint] for joint in skin["joints"]]) @ inverse
            numbers = glb.stored(primitive["attributes"]["JOINTS_0"]).astype(int)
            mixed = np.einsum("vk,vkrc->vrc", glb.floats(primitive["attributes"]["WEIGHTS_0"]), joints[numbers % 4])
            points = np.einsum("vrc,vc->vr", mixed, points)
        else:
            points = points @ world[number].T
        places[node["name"]] = points[:, :3]
    return places


def parts_of(asset, values: np.ndarray) -> dict[str, np.ndarray]:
    """Values of all vertices by the part they belong to."""
    ends = np.cumsum([len(part.positions) for part in asset.mesh.parts])[:-1]
    return dict(zip([part.name for part in asset.mesh.parts], np.split(values, ends), strict=True))


def test_a_player_draws_what_the_preview_draws(folder, track):
    asset = load_asset(folder)
    neck = neck_of(asset.mesh)
    glb = open_glb(moving_glb((folder / "head.glb").read_bytes(), neck, track, "clip"), "clip.glb")
    figure, weights, turns = figure_of(asset, neck), moving_weights(asset.mesh.names, track), rotations(track.turns)
    for frame in range(4):
        played = shown(glb, frame)
        for name, positions in parts_of(asset, figure.posed(weights[frame], turns[frame])[0]).items():
            assert abs(played[name][: len(positions)] - positions).max() < 2e-5, (name, frame)


def test_the_bust_stays_and_the_face_turns(folder, track):
    asset = load_asset(folder)
    figure = figure_of(asset, neck_of(asset.mesh))
    rest, moved = (parts_of(asset, figure.posed({}, turn)[0]) for turn in (np.eye(3), rotations(track.turns)[1]))
    still, turned = rest["skin"], moved["skin"]
    low = still[:, 1] < still[:, 1].min() + 0.003
    nose = np.argmax(still[:, 2])
    assert abs(turned - still)[low].max() < 1e-6
    assert turned[nose, 0] > still[nose, 0] + 0.02, "yaw is to the person's left"
    assert np.allclose(spread(rest["eye_left"]), spread(moved["eye_left"]), atol=1e-6), "an eye keeps its shape"


def test_the_quick_picture_is_the_careful_one(folder):
    """A film's kernel against what draws pictures of a head: they differ in filtering and along outlines alone."""
    asset = load_asset(folder)
    stage = Stage(asset, neck_of(asset.mesh))
    weights = {"jawOpen": 0.7}
    quick = stage.picture(weights, np.eye(3), 96).astype(int)
    careful = picture(asset, posed(asset.mesh, weights), RenderOptions(size=96), find_light("")).astype(int)
    apart = abs(quick - careful)
    assert (careful < 250).any(-1).mean() > 0.1, "there is a head"
    assert apart.mean() < 1.5 and np.percentile(apart, 95) < 12
    assert np.array_equal(stage.picture({}, rotations(np.zeros((1, 3)))[0], 96), stage.picture({}, np.eye(3), 96))


def spread(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points - points.mean(0), axis=1)


def test_the_file_is_sound_and_keeps_all_that_head_glb_has(folder, track, issues):
    asset, content = load_asset(folder), (folder / "head.glb").read_bytes()
    path = folder / "clip.glb"
    path.write_bytes(moving_glb(content, neck_of(asset.mesh), track, "clip"))
    before, after = open_glb(content, "head.glb"), open_glb(path.read_bytes(), "clip.glb")
    assert after.header["asset"] == before.header["asset"] and after.all("images") == before.all("images")
    assert [mesh["extras"] for mesh in after.all("meshes")] == [mesh["extras"] for mesh in before.all("meshes")]
    assert [one["name"] for one in after.all("animations")] == ["clip"]
    assert not issues(path)


def test_frames_lie_as_far_apart_as_in_the_clip(folder, track):
    asset = load_asset(folder)
    glb = open_glb(moving_glb((folder / "head.glb").read_bytes(), neck_of(asset.mesh), track, "clip"), "clip.glb")
    sampler = glb.all("animations")[0]["samplers"][0]
    assert np.allclose(glb.floats(sampler["input"]), np.arange(4) / FPS)
    names = glb.all("meshes")[0]["extras"]["targetNames"]
    weights = glb.floats(sampler["output"]).reshape(4, len(names))
    assert np.allclose(weights[:, names.index("jawOpen")], track.weights[:, 0])
    assert not weights[:, names.index("mouthStretch")].any(), "what the track does not name rests"
