from dataclasses import replace

import numpy as np
import pygltflib
import pytest

from idto3d.config import HeadOptions, as_json
from idto3d.errors import UserError
from idto3d.export.gltf.glb import ImageFiles, Layout, glb_bytes
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.mesh import LEAST_TURN, HeadMesh, PartMesh, posed, still, target_name
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.gltf.reading import open_glb
from idto3d.export.gltf.specular import SPECULAR, coded
from idto3d.export.gltf.tangents import vertex_tangents
from idto3d.export.images import jpeg_bytes, png_bytes
from idto3d.head.template import EXPRESSIONS as SHAPES
from idto3d.words.expressions import NAMES

PROVENANCE = Provenance(seed=7, weights="embedded", licences=("CC0-1.0",), options={"preset": "draft"})


@pytest.fixture
def images():
    grey = np.full((16, 16, 3), 128, np.uint8)
    return {"skin": ImageFiles(jpeg_bytes(grey), png_bytes(grey), png_bytes(grey))}


@pytest.fixture
def grid():
    """A flat sheet of 40 x 40 vertices: nothing moves in one expression, a corner in the next, all in the last."""
    u, v = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 40))
    positions = np.stack([0.1 * u.ravel(), -0.1 * v.ravel(), np.zeros(1600)], axis=1)
    start = (np.arange(39)[:, None] * 40 + np.arange(39)).reshape(-1, 1)
    faces = np.concatenate([start + [0, 40, 1], start + [1, 40, 41]])
    uvs, normals = np.stack([u.ravel(), v.ravel()], axis=1), np.tile([0.0, 0.0, 1.0], (1600, 1))
    moved = np.zeros((3, 1600, 3))
    moved[0, 5, 2] = 1e-5  # too little to see
    moved[1, :50] = [0.001, 0.002, 0.003]
    moved[2] = [0.0, 0.004, 0.0]
    names = ("smile", "eyes closed", "mouth stretch")
    tangents = vertex_tangents(positions, normals, uvs, faces)
    turned = np.where(moved[..., :1] > 5e-4, [0.6, 0.0, -0.2], 0.0)
    turned[2, :, 1] = 0.001  # too little to see
    surface = (positions, normals, tangents, uvs, faces)
    return HeadMesh((PartMesh("head", "skin", *surface, moved, turned, np.zeros(3)),), names)


@pytest.fixture
def written(grid, images, tmp_path):
    path = tmp_path / "head.glb"
    path.write_bytes(glb_bytes(grid, images, PROVENANCE))
    return path


def test_the_khronos_validator_finds_nothing_to_say(written, issues):
    assert issues(written) == []


def test_the_khronos_validator_accepts_a_head_without_expressions(grid, images, tmp_path, issues):
    path = tmp_path / "still.glb"
    path.write_bytes(glb_bytes(still(grid), images, PROVENANCE))
    assert issues(path) == []


def test_what_is_written_is_read_back(grid, written):
    mesh = load_asset(written.parent).mesh
    (read,), (part,) = mesh.parts, grid.parts
    np.testing.assert_allclose(read.positions, part.positions, atol=1e-7)
    np.testing.assert_array_equal(read.faces, part.faces)
    np.testing.assert_allclose(read.uvs, part.uvs, atol=1e-7)
    np.testing.assert_allclose(read.displacements[1:], part.displacements[1:], atol=1e-7)
    assert (mesh.names, read.name, read.material) == (grid.names, "head", "skin")


def test_a_head_of_one_part_is_called_as_ever(written):
    document = pygltflib.GLTF2.load_binary(str(written))
    assert [node.name for node in document.nodes] == ["head", "root"]
    assert document.nodes[1].children == [0] and document.scenes[0].nodes == [1]
    assert [mesh.name for mesh in document.meshes] == ["head"]
    assert [material.name for material in document.materials] == ["skin"]
    assert [image.name for image in document.images] == ["skin_albedo", "skin_metallic_roughness", "skin_normal"]


def test_a_movement_too_small_to_see_is_left_out(written):
    assert not load_asset(written.parent).mesh.parts[0].displacements[0].any()


def targets_of(document, attribute):
    """The accessors of the first mesh's morph targets."""
    return [document.accessors[target[attribute]] for target in document.meshes[0].primitives[0].targets]


def test_morph_targets_have_camel_case_names_and_lie_sparse(written):
    document = pygltflib.GLTF2.load_binary(str(written))
    assert document.meshes[0].extras["targetNames"] == ["smile", "eyesClosed", "mouthStretch"]
    positions, normals = (targets_of(document, attribute) for attribute in ("POSITION", "NORMAL"))
    counts = [[one.sparse.count if one.sparse else None for one in accessors] for accessors in (positions, normals)]
    assert counts == [[None, 50, None], [None, 50, None]]
    assert np.allclose(positions[1].min, 0.0) and np.allclose(positions[1].max, [0.001, 0.002, 0.003])


def test_targets_of_nothing_are_written_out_as_zeros_once(written):
    document = pygltflib.GLTF2.load_binary(str(written))
    targets = document.meshes[0].primitives[0].targets
    assert targets[0]["POSITION"] == targets[0]["NORMAL"] == targets[2]["NORMAL"]
    nothing = document.accessors[targets[0]["POSITION"]]
    assert nothing.sparse is None and nothing.bufferView is not None and nothing.min == nothing.max == [0.0, 0.0, 0.0]
    values = open_glb(written.read_bytes(), "head.glb").floats(targets[0]["POSITION"])
    assert values.shape == (1600, 3) and not values.any()


def test_dense_morph_targets_say_the_same_as_sparse_ones(grid, images, tmp_path, written, issues):
    (tmp_path / "dense").mkdir()
    path = tmp_path / "dense" / "head.glb"
    path.write_bytes(glb_bytes(grid, images, PROVENANCE, Layout(dense=True)))
    document = pygltflib.GLTF2.load_binary(str(path))
    assert not any(accessor.sparse for accessor in document.accessors)
    (sparse,), (dense,) = (load_asset(folder).mesh.parts for folder in (written.parent, path.parent))
    np.testing.assert_array_equal(sparse.displacements, dense.displacements)
    np.testing.assert_array_equal(sparse.normal_displacements, dense.normal_displacements)
    assert sparse.displacements.any() and sparse.normal_displacements.any()
    assert issues(path) == []


def test_the_head_itself_plays_nothing_and_has_no_skeleton(written):
    document = pygltflib.GLTF2.load_binary(str(written))
    assert not document.animations and not document.skins and not document.extensionsUsed
    assert all(node.skin is None for node in document.nodes)
    attributes = vars(document.meshes[0].primitives[0].attributes)
    named = {name for name, value in attributes.items() if value is not None}
    assert named == {"POSITION", "NORMAL", "TANGENT", "TEXCOORD_0"}


def test_a_clip_rests_for_half_a_second_then_plays_each_expression_once(grid, images, tmp_path, issues):
    path = tmp_path / "clip.glb"
    path.write_bytes(glb_bytes(grid, images, PROVENANCE, Layout(clip=True)))
    document = pygltflib.GLTF2.load_binary(str(path))
    sampler = document.animations[0].samplers[0]
    glb = open_glb(path.read_bytes(), "clip.glb")
    times = glb.floats(sampler.input)
    weights = glb.floats(sampler.output).reshape(len(times), 3)
    for second in (0.0, 0.25, 0.5):
        assert not [np.interp(second, times, track) for track in weights.T if np.interp(second, times, track)]
    assert times[-1] == 3.5
    np.testing.assert_array_equal(weights[2::2], np.eye(3))
    assert not weights[1::2].any()
    assert issues(path) == []


def test_the_file_says_where_it_comes_from(written):
    provenance = load_asset(written.parent).provenance
    assert provenance["ai_generated"] is True
    assert (provenance["seed"], provenance["weights"]) == (7, "embedded")
    assert provenance["licences"] == ["CC0-1.0"] and provenance["options"] == {"preset": "draft"}


def test_every_option_is_in_the_file_as_it_was_also_the_empty_ones(grid, images, tmp_path, issues):
    options = as_json(HeadOptions()) | {"odd": {"none": None, "text": "", "list": [], "table": {}, "no": False}}
    path = tmp_path / "head.glb"
    path.write_bytes(glb_bytes(grid, images, Provenance(options=options)))
    read = load_asset(tmp_path).provenance
    assert read["options"] == options and options["prompt"] == "" and options["guidance"]["lambda_id"] is None
    assert read["licences"] == [] and read["weights"] == "" and issues(path) == []


def test_sliders_mix_expressions_by_either_name(grid, written):
    mesh = load_asset(written.parent).mesh
    (mixed,), (part,) = posed(mesh, {"mouth stretch": 0.5, "eyesClosed": 1.0, "neutral": 1.0}), grid.parts
    expected = part.positions + 0.5 * part.displacements[2] + part.displacements[1]
    np.testing.assert_allclose(mixed.positions, expected, atol=1e-7)
    turned = part.normals + part.normal_displacements[1]
    np.testing.assert_allclose(mixed.normals, turned / np.linalg.norm(turned, axis=1, keepdims=True), atol=LEAST_TURN)
    assert np.abs(mixed.normals - part.normals).max() > 0.5


def test_a_still_is_the_head_in_one_expression(grid, written):
    held, read = still(grid, "eyes closed"), posed(load_asset(written.parent).mesh, {"eyes closed": 1.0})
    assert held.names == () and len(held.parts[0].displacements) == 0
    np.testing.assert_allclose(held.parts[0].positions, read[0].positions, atol=1e-6)
    np.testing.assert_allclose(held.parts[0].normals, read[0].normals, atol=LEAST_TURN)


def test_an_unknown_expression_is_named_to_the_user(written):
    with pytest.raises(UserError, match="no expression 'wink'.*smile, eyes closed"):
        posed(load_asset(written.parent).mesh, {"wink": 1.0})


def test_a_folder_without_a_head_is_named_to_the_user(tmp_path):
    with pytest.raises(UserError, match="There is no head.glb"):
        load_asset(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a GLB at all, but longer than a header", b"glTF\2\0\0\0"])
def test_a_file_that_is_no_head_is_named_to_the_user(tmp_path, content):
    (tmp_path / "head.glb").write_bytes(content)
    with pytest.raises(UserError, match="is not a head"):
        load_asset(tmp_path)


def test_target_names():
    assert [target_name(name) for name in ("neutral", "mouth stretch", "eyes closed")] == [
        "neutral",
        "mouthStretch",
        "eyesClosed",
    ]
    assert [target_name(name) for name in ("jawOpen", "eyeBlinkLeft")] == ["jawOpen", "eyeBlinkLeft"]


def test_the_thirteen_and_arkits_names_never_mean_two_targets_by_one_name(grid):
    sides = {"_L": "Left", "_R": "Right"}
    apple = [name[:-2] + sides[name[-2:]] if name[-2:] in sides else name for name in SHAPES]
    names = [target_name(name) for name in (*NAMES, *apple)]
    assert len(set(names)) == len(names) == len(NAMES) + len(SHAPES)
    with pytest.raises(ValueError, match="names of their morph targets"):
        replace(grid, names=("mouth stretch", "smile", "mouthStretch"))


def test_a_map_of_reflectance_is_written_and_read_back_and_the_validator_knows_it(grid, images, tmp_path, issues):
    dull = np.arange(256, dtype=np.uint8).reshape(16, 16)
    skin = replace(images["skin"], specular=png_bytes(coded(dull)))
    path = tmp_path / "head.glb"
    path.write_bytes(glb_bytes(grid, {"skin": skin}, PROVENANCE))
    assert issues(path) == []
    document = pygltflib.GLTF2().load(path)
    assert document.extensionsUsed == [SPECULAR] and not document.extensionsRequired
    read = load_asset(tmp_path).textures["skin"].specular
    assert read.shape == (16, 16) and np.abs(read.astype(int) - dull).max() <= 1


def test_a_material_that_says_nothing_of_its_reflectance_has_no_map_of_it(written):
    assert load_asset(written.parent).textures["skin"].specular is None
