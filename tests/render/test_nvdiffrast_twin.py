"""Both rasterisers draw the same picture with the same gradients. Needs a GPU with nvdiffrast."""

import pytest
import torch

from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import clip_positions, standard_cameras
from idto3d.render.rasterizer import interpolate

if not torch.cuda.is_available():
    pytest.skip("no CUDA device: the nvdiffrast twin is not compared", allow_module_level=True)
pytest.importorskip("nvdiffrast.torch", reason="nvdiffrast is not installed: the twin is not compared")


def picture(vertices, faces, device):
    rasterizer = make_rasterizer(device)
    vertices, faces = vertices.to(device), faces.to(device)
    clip = clip_positions(vertices, standard_cameras([20.0], [10.0]))
    fragments = rasterizer.fragments(clip, faces, (64, 64))
    image = interpolate(vertices, fragments, faces)
    return fragments, rasterizer.antialias(image, fragments, clip, faces).cpu()


def test_faces_attributes_and_depths_agree_away_from_edges(sphere):
    vertices, faces = sphere(10)
    (ours, image), (theirs, other) = (picture(vertices, faces, device) for device in ("cpu", "cuda"))
    same = ours.face == theirs.face.cpu()
    assert same.float().mean() > 0.99
    assert torch.allclose(ours.barycentric[same], theirs.barycentric.cpu()[same], atol=1e-3)
    assert torch.allclose(ours.depth[same], theirs.depth.cpu()[same], atol=1e-4)
    assert (image - other).abs().mean() < 1e-3


def test_gradients_agree_inside_and_at_the_outline(sphere):
    points, faces = sphere(10)
    gradients = []
    for device in ("cpu", "cuda"):
        scale = torch.ones((), requires_grad=True)
        gradients.append(torch.autograd.grad(picture(points * scale, faces, device)[1].square().sum(), scale)[0])
    assert torch.allclose(gradients[0], gradients[1], rtol=0.05)
