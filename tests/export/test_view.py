from dataclasses import replace

import numpy as np
import pytest
import torch

from idto3d.config import ExportOptions, RenderOptions
from idto3d.export.asset import write_asset
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.view import find_light, picture
from idto3d.head.parts import HeadShape
from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import standard_cameras
from idto3d.render.draw import draw_normals, to_uint8

VIEW = RenderOptions(mode="normal", size=64)


@pytest.fixture
def fine(lumpy):
    """A head of 20,480 triangles with one expression."""
    vertices, faces = (torch.tensor(part) for part in lumpy(5))
    return HeadShape(vertices.float(), faces, ("neutral",), vertices.float()[None])


@pytest.fixture
def asset(fine, sample, tmp_path):
    options = ExportOptions(faces=300, texture_size=128, turntable_frames=0, render_size=16)
    for _ in write_asset(fine, sample, tmp_path, options, Provenance()):
        pass
    return load_asset(tmp_path)


def off(asset, fine) -> float:
    """Mean grey levels between the asset's normals and those of the dense head."""
    seen = picture(asset, asset.mesh.positions, VIEW, find_light("")).astype(float)
    rasterizer = make_rasterizer(torch.device("cpu"))
    neutral = fine.expression("neutral").float()
    true, mask = draw_normals(neutral, fine.faces, standard_cameras(0.0, 0.0), rasterizer, VIEW.size)
    inside = mask[0, ..., 0].numpy() > 0.99
    return np.abs(seen - to_uint8(true[0]).astype(float))[inside].mean()


def test_the_normal_map_brings_back_what_few_triangles_lost(asset, fine):
    flat = np.full_like(asset.textures.normal, (128, 128, 255))
    without = replace(asset, textures=replace(asset.textures, normal=flat))
    assert off(asset, fine) < 0.6 * off(without, fine)
