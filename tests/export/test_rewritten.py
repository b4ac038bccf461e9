"""Heads that other programs rewrote: read as glTF has it, or refused by the name of what they need."""

import numpy as np
import pytest
from foreign_glb import Foreign, rounded

from idto3d.errors import UserError
from idto3d.export.gltf.container import packed, unpacked
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.mesh import posed
from idto3d.export.gltf.reading import open_glb

POINTS = np.array([[-0.1, -0.1, 0], [0.1, -0.1, 0], [0.1, 0.1, 0.05], [-0.1, 0.1, 0]], np.float32)
NORMALS = np.tile(np.array([0, 0.6, 0.8], np.float32), (4, 1))
UVS = np.array([[0.25, 0.75], [0.75, 0.75], [0.75, 0.25], [0.25, 0.25]], np.float32)
FACES = np.array([[0, 1, 2], [0, 2, 3]], np.uint16)
MOVED = np.array([[0, 0, 0], [0, 0, 0], [0.01, 0, 0.02], [0, 0, 0]], np.float32)
PICTURE = np.random.default_rng(0).integers(0, 255, (4, 4, 3), np.uint8)
SCALE, SHIFT = 0.2, np.array([0.01, 0.02, 0.03])


def material(file: Foreign, **places) -> dict:
    return {"pbrMetallicRoughness": {"baseColorTexture": {"index": file.picture(PICTURE)} | places}}


def read(tmp_path, file: Foreign):
    (tmp_path / "head.glb").write_bytes(file.content())
    asset = load_asset(tmp_path)
    return asset, asset.mesh.parts[0]


def test_rounded_numbers_below_a_node_that_scales_them_are_the_head_that_was_rounded(tmp_path):
    """As gltf-transform and gltfpack write one: integers, a node that scales, another that has the name."""
    file = Foreign()
    attributes = {
        "POSITION": file.accessor(rounded((POINTS - SHIFT) / SCALE, np.int16), normalized=True),
        "NORMAL": file.accessor(rounded(NORMALS, np.int8), normalized=True),
        "TEXCOORD_0": file.accessor((UVS * 4000).astype(np.uint16)),
    }
    targets = [{"POSITION": file.accessor(rounded(MOVED / SCALE, np.int16), normalized=True)}]
    places = {"KHR_texture_transform": {"offset": [0.0, 0.0], "scale": [1 / 4000, 1 / 4000]}}
    indices = file.accessor(FACES.ravel())
    node = {"scale": [SCALE] * 3, "translation": (SHIFT - [0, 0.5, 0]).tolist()}
    file.mesh(attributes, material(file, extensions=places), node, indices=indices, targets=targets)
    file.header["nodes"] += [{"name": "skin", "translation": [0, 0.5, 0], "children": [0]}]
    file.header["meshes"][0]["extras"] = {"targetNames": ["mouthStretch"]}
    file.header["extensionsRequired"] = ["KHR_mesh_quantization", "KHR_texture_transform"]
    asset, part = read(tmp_path, file)
    (pose,), (moved,) = posed(asset.mesh, {}), posed(asset.mesh, {"mouth stretch": 1.0})
    np.testing.assert_allclose(pose.positions, POINTS, atol=1e-5)
    np.testing.assert_allclose(moved.positions, POINTS + MOVED, atol=1e-5)
    np.testing.assert_allclose(pose.normals, NORMALS, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(part.normals, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(part.uvs, UVS, atol=1e-3)
    assert (part.name, asset.mesh.names) == ("skin", ("mouth stretch",)) and part.pivot.tolist() == [0, 0.5, 0]
    np.testing.assert_array_equal(asset.textures["material"].albedo, PICTURE)


def plain(file: Foreign, **more) -> dict:
    named = {"POSITION": POINTS, "NORMAL": NORMALS, "TEXCOORD_0": UVS} | more
    return {name: file.accessor(values) for name, values in named.items()}


def test_views_are_shared_offset_and_interleaved(tmp_path):
    file = Foreign()
    names = ("POSITION", "NORMAL", "TEXCOORD_0")
    attributes = dict(zip(names, file.interleaved(POINTS, NORMALS, UVS), strict=True))
    view = file.view(b"\xff" * 12 + FACES.tobytes())
    indices = file.accessor(FACES.ravel(), bufferView=view, byteOffset=12)
    _, part = read(tmp_path, file.mesh(attributes, material(file), indices=indices))
    for found, given in zip((part.positions, part.normals, part.uvs), (POINTS, NORMALS, UVS), strict=True):
        np.testing.assert_array_equal(found, given)
    np.testing.assert_array_equal(part.faces, FACES)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_sparse_values_are_laid_over_what_is_below_whatever_counts_them(kind):
    file = Foreign()
    base = file.view(POINTS.tobytes())
    over = file.sparse(np.array([1, 3], kind), POINTS[[0, 0]], skipped=b"\x01\x02\x03\x04")
    index = file.accessor(POINTS, bufferView=base, sparse=over)
    alone = file.accessor(POINTS, sparse=file.sparse(np.array([2], kind), POINTS[[2]]))
    glb = open_glb(file.content(), "head.glb")
    np.testing.assert_array_equal(glb.floats(index), POINTS[[0, 0, 2, 0]])
    np.testing.assert_array_equal(glb.floats(alone), POINTS * [[0], [0], [1], [0]])


def test_texture_coordinates_are_those_that_the_texture_names_turned_as_it_says(tmp_path):
    file = Foreign()
    turn = {"texCoord": 2, "rotation": np.pi / 2, "scale": [2, 1], "offset": [0.5, 0.25]}
    places = {"texCoord": 1, "extensions": {"KHR_texture_transform": turn}}
    attributes = plain(file, TEXCOORD_1=UVS + 5, TEXCOORD_2=UVS / 2)
    _, part = read(tmp_path, file.mesh(attributes, material(file, **places)))
    u, v = (UVS / 2).T
    np.testing.assert_allclose(part.uvs, np.stack([v + 0.5, 0.25 - 2 * u], 1), atol=1e-6)


def test_textures_of_one_material_in_different_places_are_refused(tmp_path):
    file = Foreign()
    told = material(file)
    told["normalTexture"] = {"index": 0, "texCoord": 1}
    with pytest.raises(UserError, match="different ways.*texCoord"):
        read(tmp_path, file.mesh(plain(file, TEXCOORD_1=UVS), told))


def test_factors_in_place_of_pictures_are_pictures_of_one_tone(tmp_path):
    file = Foreign()
    told = {"pbrMetallicRoughness": {"baseColorFactor": [1.0, 0.2140411, 0.0, 1.0], "roughnessFactor": 0.4}}
    asset, _ = read(tmp_path, file.mesh(plain(file), told))
    found = asset.textures["material"]
    assert found.albedo.tolist() == [[[255, 127, 0]]] or found.albedo.tolist() == [[[255, 128, 0]]]
    assert found.metallic_roughness.tolist() == [[[255, 102, 255]]]


def compressed(extension: str, kind: str) -> Foreign:
    file = Foreign()
    file.mesh(plain(file), material(file))
    holder = {"primitive": file.header["meshes"][0]["primitives"][0], "view": file.header["bufferViews"][0]}
    holder |= {"node": file.header["nodes"][0], "nothing": {}}
    holder[kind]["extensions"] = {extension: {}}
    return file


@pytest.mark.parametrize(
    ("extension", "kind"),
    [
        ("KHR_draco_mesh_compression", "primitive"),
        ("EXT_meshopt_compression", "view"),
        ("KHR_meshopt_compression", "view"),
        ("EXT_mesh_gpu_instancing", "node"),
        ("VENDOR_something_new", "nothing"),
    ],
)
def test_what_is_not_understood_is_refused_by_name_whether_required_or_used(tmp_path, extension, kind):
    file = compressed(extension, kind)
    if kind == "nothing":
        file.header["extensionsRequired"] = [extension]
    with pytest.raises(UserError, match=f"needs {extension}"):
        read(tmp_path, file)


def test_a_texture_in_a_format_that_is_not_read_is_refused_by_name(tmp_path):
    file = Foreign()
    file.mesh(plain(file), material(file))
    file.header["textures"] = [{"extensions": {"KHR_texture_basisu": {"source": 0}}}]
    with pytest.raises(UserError, match="needs KHR_texture_basisu"):
        read(tmp_path, file)
    file.header["textures"] = [{"extensions": {"EXT_texture_webp": {"source": 0}}}]
    assert read(tmp_path, file)[0].textures["material"].albedo.shape == (4, 4, 3)


def damaged(header: dict, what: str) -> None:
    view, accessor = header["bufferViews"][0], header["accessors"][0]
    if what == "claims":
        header["accessors"].append(dict(accessor, count=10**12))
        del header["accessors"][-1]["bufferView"]
        header["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = len(header["accessors"]) - 1
    elif what == "nothing there":
        header["meshes"][0]["primitives"][0]["indices"] = 10**6
    elif what == "fewer":
        header["accessors"][1]["count"] = 1
    elif what == "circle":
        header["nodes"][0]["children"] = [0]
    elif what == "view":
        view["byteLength"] = 10**9
    else:
        accessor["byteOffset"] = 8


@pytest.mark.parametrize("what", ["claims", "nothing there", "fewer", "circle", "view", "offset"])
def test_numbers_that_leave_the_file_are_no_head(tmp_path, what):
    file = Foreign()
    header, binary = unpacked(file.mesh(plain(file), material(file)).content())
    damaged(header, what)
    (tmp_path / "head.glb").write_bytes(packed(header, binary))
    with pytest.raises(UserError, match="is not a head"):
        load_asset(tmp_path)


def test_strips_and_fans_are_triangles_the_right_way_round():
    file = Foreign()
    glb = open_glb(file.content(), "head.glb")
    assert glb.faces({"mode": 5}, 4).tolist() == [[0, 1, 2], [2, 1, 3]]
    assert glb.faces({"mode": 6}, 4).tolist() == [[1, 2, 0], [2, 3, 0]]
    assert not len(glb.faces({"mode": 1}, 4))
