from dataclasses import replace

import numpy as np
import pygltflib
import pytest

from idto3d.errors import UserError
from idto3d.export.gltf.glb import HeadMesh, ImageFiles, PartMesh, glb_bytes, target_name
from idto3d.export.gltf.load import load_asset, posed
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.gltf.tangents import vertex_tangents
from idto3d.export.images import jpeg_bytes, png_bytes

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
    return HeadMesh((PartMesh("head", "skin", positions, normals, tangents, uvs, faces, moved),), names)


@pytest.fixture
def written(grid, images, tmp_path):
    path = tmp_path / "head.glb"
    path.write_bytes(glb_bytes(grid, images, PROVENANCE))
    return path


def test_the_khronos_validator_finds_nothing_to_say(written, issues):
    assert issues(written) == []


def test_the_khronos_validator_accepts_a_head_without_expressions(grid, images, tmp_path, issues):
    (part,) = grid.parts
    alone = HeadMesh((replace(part, displacements=part.displacements[:0]),), ())
    path = tmp_path / "still.glb"
    path.write_bytes(glb_bytes(alone, images, PROVENANCE))
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
    assert [mesh.name for mesh in document.meshes] == ["head"]
    assert [material.name for material in document.materials] == ["skin"]
    assert [image.name for image in document.images] == ["skin_albedo", "skin_metallic_roughness", "skin_normal"]


def test_a_movement_too_small_to_see_is_left_out(written):
    assert not load_asset(written.parent).mesh.parts[0].displacements[0].any()


def test_morph_targets_have_camel_case_names_and_lie_sparse(written):
    document = pygltflib.GLTF2.load_binary(str(written))
    mesh = document.meshes[0]
    assert mesh.extras["targetNames"] == ["smile", "eyesClosed", "mouthStretch"]
    accessors = [document.accessors[target["POSITION"]] for target in mesh.primitives[0].targets]
    assert [accessor.sparse.count if accessor.sparse else None for accessor in accessors] == [None, 50, None]
    assert accessors[0].bufferView is None and accessors[2].bufferView is not None
    assert np.allclose(accessors[1].min, 0.0) and np.allclose(accessors[1].max, [0.001, 0.002, 0.003])


def test_the_clip_plays_each_expression_once_and_ends_at_rest(written):
    from idto3d.export.gltf.accessors import read_accessor

    document = pygltflib.GLTF2.load_binary(str(written))
    sampler = document.animations[0].samplers[0]
    times = read_accessor(document, sampler.input)
    weights = read_accessor(document, sampler.output).reshape(len(times), 3)
    assert times[-1] == 3.0
    np.testing.assert_array_equal(weights[1::2], np.eye(3))
    assert not weights[::2].any()


def test_the_file_says_where_it_comes_from(written):
    provenance = load_asset(written.parent).provenance
    assert provenance["ai_generated"] is True
    assert (provenance["seed"], provenance["weights"]) == (7, "embedded")
    assert provenance["licences"] == ["CC0-1.0"] and provenance["options"] == {"preset": "draft"}


def test_sliders_mix_expressions_by_either_name(grid, written):
    mesh = load_asset(written.parent).mesh
    (mixed,), (part,) = posed(mesh, {"mouth stretch": 0.5, "eyesClosed": 1.0, "neutral": 1.0}), grid.parts
    expected = part.positions + 0.5 * part.displacements[2] + part.displacements[1]
    np.testing.assert_allclose(mixed, expected, atol=1e-7)


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
