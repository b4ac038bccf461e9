"""A head whose parts bring texture coordinates and painted textures, on the whole road to its file and back."""

from dataclasses import replace

import numpy as np
import pygltflib
import pytest
import torch

from idto3d.config import ExportOptions, RenderOptions
from idto3d.events import exhausted
from idto3d.export.asset import write_asset
from idto3d.export.enlarging.network import Enlarger
from idto3d.export.given import given_mesh
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.mesh import HeadMesh, posed, still
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.view import find_light, picture

SIZE = 32
OPTIONS = ExportOptions(texture_size=SIZE, render_size=32)


def never(*_):
    raise AssertionError("a painted material was sampled")


@pytest.fixture
def write(portrait, painted, tmp_path):
    def written(options=OPTIONS, head=portrait, textures=painted, name="run"):
        exhausted(write_asset(head, never, tmp_path / name, options, Provenance(seed=1), textures))
        return tmp_path / name

    return written


def document_of(folder):
    return pygltflib.GLTF2.load_binary(str(folder / "head.glb"))


def drawn(asset, mode="albedo", **weights):
    options = RenderOptions(mode=mode, size=96)
    return picture(asset, posed(asset.mesh, weights), options, find_light("")).astype(int)


def test_an_eye_has_a_node_of_its_own_that_turns_it(write, portrait):
    document, eye = document_of(write()), portrait.parts[1]
    skin, node, hair, root = document.nodes
    assert (skin.name, node.name, hair.name, root.name) == ("skin", "eye_left", "hair", "head")
    assert root.children == [0, 1, 2] and document.scenes[0].nodes == [3]
    assert skin.translation is None and node.translation == pytest.approx([0.03, 0.03, 0.085])
    mesh = load_asset(write()).mesh.parts[1]
    assert np.abs(mesh.positions).max() < 0.0141  # about its own centre
    np.testing.assert_allclose(
        posed(load_asset(write()).mesh, {})[1].positions[mesh.faces], eye.vertices[eye.faces], atol=1e-6
    )


def test_the_khronos_validator_finds_nothing_to_say_in_any_layout(write, issues):
    for number, options in enumerate(
        [OPTIONS, replace(OPTIONS, alpha="blend"), replace(OPTIONS, morphs="dense"), replace(OPTIONS, only="neutral")]
    ):
        assert issues(write(options, name=str(number)) / "head.glb") == []


def test_every_part_has_every_target_so_that_sliders_mix(write):
    document = document_of(write())
    assert [mesh.extras["targetNames"] for mesh in document.meshes] == [["mouthStretch", "jawOpen"]] * 3
    skin, eye, hair = load_asset(write()).mesh.parts
    assert skin.displacements.any() and skin.normal_displacements.any()
    assert not eye.displacements.any() and not hair.normal_displacements.any()
    assert eye.displacements.shape == (2, *eye.positions.shape)


def test_a_plain_mesh_has_no_targets(write):
    folder = write(replace(OPTIONS, only="neutral"))
    assert load_asset(folder).mesh.names == ()
    assert not any(mesh.primitives[0].targets for mesh in document_of(folder).meshes)


def test_painted_textures_are_taken_as_they_are_and_smaller_ones_asked_for_are_averages(write, painted):
    small = write(replace(OPTIONS, texture_size=16), name="small")
    asset = load_asset(write())
    off = np.abs(asset.textures["hair"].albedo.astype(int) - painted["hair"].albedo)
    assert off[..., :3].max() <= 3 and not off[..., 3].any()  # six bits a colour
    assert np.abs(asset.textures["skin"].albedo.astype(int) - painted["skin"].albedo).max() < 8  # a JPEG
    assert asset.textures["eyes"].normal is None and asset.textures["skin"].normal.shape == (32, 32, 3)
    assert not asset.textures["skin"].metallic_roughness[..., 2].any()
    assert asset.textures["eyes"].metallic_roughness[..., 1].mean() == pytest.approx(25, abs=1)
    reduced = load_asset(small).textures
    assert (len(reduced["skin"].albedo), len(reduced["eyes"].albedo), len(reduced["hair"].albedo)) == (16, 8, 16)
    assert reduced["hair"].albedo[8, 12].tolist() == [20, 203, 20, 0]  # clear texels keep their colour


def test_hair_that_an_edit_has_parted_keeps_its_size(write, portrait, painted):
    second = replace(portrait.parts[2], name="hair 2", material="hair 2")
    head = replace(portrait, parts=(*portrait.parts, second))
    folder = write(replace(OPTIONS, texture_size=16), head, {**painted, "hair 2": painted["hair"]})
    assert [len(load_asset(folder).textures[name].albedo) for name in ("eyes", "hair", "hair 2")] == [8, 16, 16]


def test_hair_is_cut_out_or_blended(write):
    cut, blended = (document_of(write(replace(OPTIONS, alpha=alpha), name=alpha)) for alpha in ("mask", "blend"))
    modes = {material.name: material.alphaMode for material in cut.materials}
    assert modes == {"skin": "OPAQUE", "eyes": "OPAQUE", "hair": "MASK"}
    assert [material.alphaMode for material in blended.materials] == ["OPAQUE", "OPAQUE", "BLEND"]
    assert all(material.pbrMetallicRoughness.metallicFactor == 0.0 for material in cut.materials)


def test_hair_lies_in_the_file_from_both_sides_so_that_no_viewer_turns_its_normals(write, portrait):
    folder, hair = write(), portrait.parts[2]
    document, mesh = document_of(folder), load_asset(folder).mesh.parts[2]
    assert not any(material.doubleSided for material in document.materials)
    assert document.accessors[document.meshes[2].primitives[0].indices].count == 2 * hair.faces.numel()
    assert document.accessors[document.meshes[2].primitives[0].attributes.POSITION].count == 2 * len(mesh.positions)
    assert len(mesh.faces) == len(hair.faces) and mesh.faces.max() < len(mesh.positions)
    assert len(mesh.displacements[0]) == len(mesh.normal_displacements[0]) == len(mesh.positions)
    skin = document.meshes[0].primitives[0]
    assert document.accessors[skin.indices].count == portrait.parts[0].faces.numel()


def test_skin_is_seen_through_the_clear_half_of_hair(write):
    asset = load_asset(write())
    image = drawn(asset)
    green = (image[..., 1] > 150) & (image[..., 0] < 90)
    rows, columns = green.nonzero()
    assert green.sum() > 60 and columns.max() <= 49  # the person's right is the left of the picture
    beside = image[rows.min() + 5 : rows.max() - 2, 51:56]
    assert (np.abs(beside - [200, 40, 40]) < 25).all()


def test_a_half_clear_veil_lets_half_of_the_skin_through_where_it_is_blended(write, painted):
    veil = painted["hair"].albedo.copy()
    veil[..., 3] = 128
    textures = painted | {"hair": replace(painted["hair"], albedo=veil)}
    image = drawn(load_asset(write(replace(OPTIONS, alpha="blend"), textures=textures)))
    before = image[22:26, 45:51]
    assert (np.abs(before - (np.array([200, 40, 40]) + [20, 200, 20]) / 2) < 14).all()


def test_normals_are_smooth_across_seams_in_every_expression(portrait):
    mesh = given_mesh(portrait.parts[0], 0, [1, 2])
    places, group = np.unique(mesh.positions, axis=0, return_inverse=True)
    assert len(places) < len(mesh.positions)  # there is a seam
    for normals in (mesh.normals, *(mesh.normals + turn for turn in mesh.normal_displacements)):
        first = np.zeros((len(places), 3))
        first[group.reshape(-1)] = normals
        np.testing.assert_array_equal(first[group.reshape(-1)], normals)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0)


def test_an_expression_is_lit_as_its_own_surface(write, portrait):
    read = posed(load_asset(write()).mesh, {"mouth stretch": 1.0})[0]
    neutral, own = (given_mesh(portrait.parts[0], index, []).normals for index in (0, 1))
    assert np.abs(own - neutral).max() > 0.3
    assert np.abs(read.normals - own).max() < 0.05


def test_a_part_may_bring_the_normals_it_is_shaded_by(portrait):
    hair = portrait.parts[2]
    up = torch.tensor([0.0, 0.6, 0.8]).expand(len(hair.vertices), 3)
    mesh = given_mesh(replace(hair, normals=up), 0, [1])
    np.testing.assert_allclose(mesh.normals, np.tile([0.0, 0.6, 0.8], (len(mesh.positions), 1)), atol=1e-6)
    assert not mesh.normal_displacements.any()


def test_a_still_has_tangents_across_its_own_normals(portrait):
    mesh = HeadMesh((given_mesh(portrait.parts[0], 0, [1]),), ("mouth stretch",))
    (held,) = still(mesh, "mouth stretch").parts
    assert np.abs((held.tangents[:, :3] * held.normals).sum(1)).max() < 1e-5
    assert np.abs((mesh.parts[0].tangents[:, :3] * held.normals).sum(1)).max() > 0.1


def test_what_is_painted_but_has_no_coordinates_is_refused(write, portrait):
    bare = replace(portrait, parts=(replace(portrait.parts[0], uvs=None), *portrait.parts[1:]))
    with pytest.raises(ValueError, match="painted, but their parts have no texture coordinates"):
        write(head=bare)


def test_a_part_that_is_not_painted_is_baked_at_its_own_places(portrait, painted, sample, tmp_path):
    textures = {name: painted[name] for name in ("eyes", "hair")}
    exhausted(write_asset(portrait, sample, tmp_path, OPTIONS, Provenance(), textures))
    skin = load_asset(tmp_path).textures["skin"].albedo.astype(int)
    red, green = skin[14:18, 6], skin[14:18, 15]  # u runs from the back over the person's right to the left
    assert (red[:, 0] > 200).all() and (red[:, 1] < 60).all()
    assert (green[:, 1] > 200).all() and (green[:, 0] < 60).all()


def test_the_skins_texture_alone_is_enlarged_where_a_network_is_named(write, painted, monkeypatch):
    def doubled(picture):
        return torch.nn.functional.interpolate(picture, scale_factor=2, mode="nearest")

    net = Enlarger(2, doubled, torch.device("cpu"))
    monkeypatch.setattr("idto3d.export.asset.load_enlarger", lambda path, device: net)
    large = replace(OPTIONS, texture_size=2 * SIZE, upscaler="net.safetensors")
    dull = replace(painted["skin"], specular=np.full((SIZE, SIZE), 200, np.uint8))
    textures = load_asset(write(large, textures={**painted, "skin": dull})).textures
    assert len(textures["skin"].albedo) == len(textures["skin"].metallic_roughness) == 2 * SIZE
    assert len(textures["hair"].albedo) == len(painted["hair"].albedo)
    assert np.abs(textures["skin"].specular.astype(int) - 200).max() <= 3 and textures["hair"].specular is None
