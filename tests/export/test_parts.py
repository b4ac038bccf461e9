"""A head of two parts on the whole road to its files and back."""

from dataclasses import replace

import numpy as np
import pygltflib
import pytest
import torch

from idto3d.config import ExportOptions, RenderOptions
from idto3d.export.asset import write_asset
from idto3d.export.decimate import FEWEST, pieces
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.mesh import posed
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.prepare import dense_surfaces
from idto3d.export.view import draw_view, find_light, picture
from idto3d.head.parts import Head

OPTIONS = ExportOptions(
    faces=700, texture_size=64, turntable_frames=2, render_size=32, clip=True, expression_files=True
)
SIZE = 96


def write(head, sample, folder):
    for _ in write_asset(head, sample, folder, OPTIONS, Provenance(seed=1)):
        pass
    return folder


@pytest.fixture
def folder(seeing, sample, tmp_path):
    return write(seeing, sample, tmp_path / "run")


@pytest.fixture
def asset(folder):
    return load_asset(folder)


def piece_count(mesh) -> int:
    """Connected pieces of a part, whose texture seams do not part them."""
    places, group = np.unique(mesh.positions, axis=0, return_inverse=True)
    return len(pieces(group.reshape(-1)[mesh.faces], len(places)))


def drawn(asset, mode, azimuth_deg=0.0, **weights):
    options = RenderOptions(mode=mode, size=SIZE, azimuth_deg=azimuth_deg)
    return picture(asset, posed(asset.mesh, weights), options, find_light("")).astype(int)


def test_the_file_names_parts_and_materials_below_one_root(folder):
    document = pygltflib.GLTF2.load_binary(str(folder / "head.glb"))
    assert [node.name for node in document.nodes] == ["skin", "eyes", "head"]
    assert document.nodes[2].children == [0, 1] and document.scenes[0].nodes == [2]
    assert not document.skins and not document.animations
    assert [mesh.name for mesh in document.meshes] == ["skin", "eyes"]
    assert [material.name for material in document.materials] == ["skin", "eye"]
    assert [mesh.primitives[0].material for mesh in document.meshes] == [0, 1]
    assert [mesh.extras["targetNames"] for mesh in document.meshes] == [["mouthStretch"]] * 2
    maps = ("albedo", "metallic_roughness")
    names = [*(f"skin_{kind}" for kind in (*maps, "normal")), *(f"eye_{kind}" for kind in maps)]
    assert [image.name for image in document.images] == names  # the eyes lost no relief
    written = {path.stem for path in (folder / "textures").iterdir()}
    assert written == {image.name for image in document.images}


def test_the_khronos_validator_finds_nothing_to_say_about_two_parts(folder, issues):
    assert issues(folder / "head.glb") == [] and issues(folder / "expressions" / "mouthStretch.glb") == []
    assert issues(folder / "expressions" / "clip.glb") == []


def test_all_pieces_of_all_parts_come_back(asset):
    skin, eyes = asset.mesh.parts
    assert (skin.name, skin.material, eyes.name, eyes.material) == ("skin", "skin", "eyes", "eye")
    assert piece_count(skin) == 2 and piece_count(eyes) == 2
    assert skin.positions[:, 1].max() > 0.165  # the bun
    assert len(skin.faces) <= OPTIONS.faces + FEWEST


def test_a_part_that_came_with_texture_coordinates_keeps_them_and_all_its_triangles(seeing, asset):
    given, eyes = seeing.parts[1], asset.mesh.parts[1]
    np.testing.assert_allclose(eyes.positions[eyes.faces], given.vertices[given.faces], atol=1e-7)
    np.testing.assert_allclose(eyes.uvs[eyes.faces], given.uvs, atol=1e-7)
    seams = len(eyes.positions) - len(np.unique(eyes.positions, axis=0))
    assert 0 < seams < 0.4 * len(eyes.positions)
    outwards = eyes.positions - np.where(eyes.positions[:, :1] > 0, [0.03, 0.03, 0.085], [-0.03, 0.03, 0.085])
    assert ((outwards * eyes.normals).sum(1) > 0.96 * 0.014).all()  # smooth across those seams


def test_each_part_moves_as_its_own_expression_says(seeing, asset):
    skin, eyes = asset.mesh.parts
    assert asset.mesh.names == ("mouth stretch",)
    np.testing.assert_allclose(eyes.displacements[0], np.tile([0.003, 0.0, 0.0], (len(eyes.positions), 1)), atol=1e-7)
    deepest = seeing.parts[0].displacements[1, :, 1].min().item()
    assert skin.displacements[0, :, 1].min() == pytest.approx(deepest, rel=0.1)
    assert not skin.displacements[0][skin.positions[:, 1] > 0.14].any()  # the bun stays
    opened, aside = posed(asset.mesh, {"mouthStretch": 0.5})
    np.testing.assert_allclose(aside.positions - eyes.positions, 0.5 * eyes.displacements[0], atol=1e-7)
    np.testing.assert_allclose(opened.positions - skin.positions, 0.5 * skin.displacements[0], atol=1e-7)


def test_each_material_has_its_own_colours_and_gloss(asset):
    skin, eye = asset.textures["skin"], asset.textures["eye"]
    assert skin.albedo[..., 2].mean() < 20 and eye.albedo[..., 2].mean() > 230
    assert (skin.metallic_roughness[..., 1] == 153).all() and (eye.metallic_roughness[..., 1] == 51).all()


def test_pictures_show_each_part_in_its_own_material(asset):
    front, back = drawn(asset, "albedo"), drawn(asset, "albedo", azimuth_deg=180.0)
    blue = (front[..., 2] > 200) & (front[..., :2] < 120).all(-1)
    rows, columns = blue.nonzero()
    assert 20 < blue.sum() < 400 and rows.max() < SIZE / 2
    assert (columns < SIZE / 2).any() and (columns > SIZE / 2).any()
    assert not ((back[..., 2] > 200) & (back[..., :2] < 120).all(-1)).any()
    gloss = drawn(asset, "roughness")[..., 0]
    assert abs(gloss[blue].mean() - 51) < 12 and (gloss == 153).sum() > 500


@pytest.mark.parametrize("mode", ["relit", "normal", "clay"])
def test_the_other_modes_show_the_eyes_too(asset, mode):
    skin = replace(asset.mesh, parts=asset.mesh.parts[:1])
    alone = replace(asset, mesh=skin, textures={"skin": asset.textures["skin"]})
    changed = (np.abs(drawn(asset, mode) - drawn(alone, mode)) > 8).any(-1)
    assert 20 < changed.sum() < 600


def test_a_written_head_is_drawn_in_an_expression(folder):
    still, aside = (
        draw_view(folder, RenderOptions(mode="albedo", size=SIZE, expressions=weights)).astype(int)
        for weights in ((), (("mouthStretch", 1.0),))
    )
    assert (np.abs(still - aside) > 60).any()


def test_the_same_head_gives_the_same_bytes(seeing, sample, folder, tmp_path):
    again = write(seeing, sample, tmp_path / "again")
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert len(names) == 15
    assert all((folder / name).read_bytes() == (again / name).read_bytes() for name in names)


def test_parts_of_one_material_share_its_textures(head, sample, tmp_path):
    (face,) = head.parts
    bust = replace(face, name="bust", vertices=face.vertices - torch.tensor([0.0, 0.3, 0.0]))
    asset = load_asset(write(Head(head.expressions, (face, bust)), sample, tmp_path))
    assert list(asset.textures) == ["skin"] and [part.name for part in asset.mesh.parts] == ["head", "bust"]
    upper, lower = asset.mesh.parts
    assert upper.positions[:, 1].min() > -0.13 > lower.positions[:, 1].max()
    assert abs(len(upper.faces) - len(lower.faces)) < 80 and len(upper.faces) + len(lower.faces) <= OPTIONS.faces
    tiles = [{tuple(tile) for tile in (part.uvs[part.faces].mean(1) * 64).astype(int)} for part in (upper, lower)]
    assert len(tiles[0] & tiles[1]) < 0.1 * len(tiles[0])


def test_a_material_of_which_only_some_parts_have_coordinates_is_refused(seeing, sample, tmp_path):
    skin, eyes = seeing.parts
    with pytest.raises(ValueError, match="of the parts of skin some have uvs"):
        write(replace(seeing, parts=(skin, replace(eyes, material="skin"))), sample, tmp_path)


def test_a_part_of_which_nothing_is_left_is_refused(seeing):
    skin, eyes = seeing.parts
    nothing = replace(skin, faces=skin.faces[:, :1].expand(-1, 3))
    with pytest.raises(ValueError, match="skin has no faces"):
        dense_surfaces(replace(seeing, parts=(nothing, eyes)))
