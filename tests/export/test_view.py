from dataclasses import replace

import numpy as np
import pytest
import torch

from idto3d.config import ExportOptions, RenderOptions
from idto3d.export.asset import write_asset
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.mesh import posed
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.view import find_light, picture
from idto3d.head.parts import Head, Part
from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import standard_cameras
from idto3d.render.draw import draw_normals, to_uint8

VIEW = RenderOptions(mode="normal", size=64)


@pytest.fixture
def fine(lumpy):
    """A head of 20,480 triangles with one expression."""
    vertices, faces = (torch.tensor(one) for one in lumpy(5))
    vertices = vertices.float()
    return Head(("neutral",), (Part("head", vertices, faces, torch.zeros(1, *vertices.shape), "skin"),))


@pytest.fixture
def asset(fine, sample, tmp_path):
    options = ExportOptions(faces=300, texture_size=128, turntable_frames=0, render_size=16)
    for _ in write_asset(fine, sample, tmp_path, options, Provenance()):
        pass
    return load_asset(tmp_path)


def off(asset, fine) -> float:
    """Mean grey levels between the asset's normals and those of the dense head."""
    seen = picture(asset, posed(asset.mesh, {}), VIEW, find_light("")).astype(float)
    rasterizer = make_rasterizer(torch.device("cpu"))
    (part,) = fine.parts
    true, mask = draw_normals(part.vertices, part.faces, standard_cameras(0.0, 0.0), rasterizer, VIEW.size)
    inside = mask[0, ..., 0].numpy() > 0.99
    return np.abs(seen - to_uint8(true[0]).astype(float))[inside].mean()


def test_the_normal_map_brings_back_what_few_triangles_lost(asset, fine):
    skin = asset.textures["skin"]
    flat = replace(skin, normal=np.full_like(skin.normal, (128, 128, 255)))
    without = replace(asset, textures={"skin": flat})
    assert off(asset, fine) < 0.6 * off(without, fine)


def test_what_is_opaque_has_no_back(asset):
    """As glTF has it; other programs leave it out, so ours must not hide a hole."""
    (part,) = asset.mesh.parts
    front = part.faces[part.positions[part.faces].mean(1)[:, 2] > 0.0]
    shell = replace(asset, mesh=replace(asset.mesh, parts=(replace(part, faces=front),)))
    ahead, behind = (
        picture(shell, posed(shell.mesh, {}), replace(VIEW, azimuth_deg=angle), find_light("")) for angle in (0, 180)
    )
    assert (behind < 255).any(-1).sum() < 0.02 * (ahead < 255).any(-1).sum()  # of the rim some faces look back
