"""Relief: slopes and normal maps of each other, two laid over each other, and what a mesh shows of them."""

import numpy as np
import pytest
import torch

from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import standard_cameras
from idto3d.render.draw import draw_surface
from idto3d.stages.carving.relief import FLAT, bent_normals, normal_map_of, over, slopes_of, tangents_of

SIZE = 32


@pytest.fixture(scope="module")
def random():
    return np.random.default_rng(0)


def test_a_normal_map_tells_its_slopes(random):
    slopes = random.uniform(-0.6, 0.6, (SIZE, SIZE, 2)).astype(np.float32)
    assert np.abs(slopes_of(normal_map_of(slopes)) - slopes).max() < 0.02
    assert (normal_map_of(np.zeros((2, 2, 2), np.float32)) == FLAT).all()


def test_slopes_add_up_and_texels_without_new_ones_stay_byte_for_byte(random):
    before = normal_map_of(random.uniform(-0.3, 0.3, (SIZE, SIZE, 2)).astype(np.float32))
    new = np.zeros((SIZE, SIZE, 2), np.float32)
    new[:, 16:, 0] = 0.2
    after = over(before, new)
    assert (after[:, :16] == before[:, :16]).all()
    assert np.abs(slopes_of(after) - slopes_of(before) - new).max() < 0.03
    alone = over(None, new).astype(int)
    assert (alone[:, :16] == FLAT).all() and np.abs(alone - normal_map_of(new)).max() <= 1


def square(mirrored: bool):
    """A plane of 20 cm that looks to the camera, on the whole of a texture, or on its mirror image."""
    corners = torch.tensor([[-0.1, 0.1, 0.0], [0.1, 0.1, 0.0], [-0.1, -0.1, 0.0], [0.1, -0.1, 0.0]])
    places = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    if mirrored:
        places = torch.stack([1 - places[:, 0], places[:, 1]], -1)
    faces = torch.tensor([[0, 2, 1], [1, 2, 3]])
    return corners, faces, places[faces]


@pytest.mark.parametrize("mirrored", [False, True])
def test_what_rises_to_the_right_looks_to_the_left_and_what_rises_upwards_looks_down(mirrored):
    corners, faces, uvs = square(mirrored)
    rasterizer, camera = make_rasterizer(torch.device("cpu")), standard_cameras(0.0, 0.0)
    surface = draw_surface(corners, faces, camera, rasterizer, 24)
    tangents, slope = tangents_of(corners, faces, uvs), torch.zeros(8, 8, 2, requires_grad=True)
    assert torch.allclose(bent_normals(surface, tangents, slope), surface.normal, atol=1e-5)
    right, upwards = (
        bent_normals(surface, tangents, slope + slope.new_tensor(way)) for way in ([0.5, 0.0], [0.0, 0.5])
    )
    across = -0.5 / 1.25**0.5 * (-1 if mirrored else 1)
    assert torch.allclose(right.mean(0), torch.tensor([across, 0.0, 1 / 1.25**0.5]), atol=1e-3)
    assert torch.allclose(upwards.mean(0), torch.tensor([0.0, -0.5 / 1.25**0.5, 1 / 1.25**0.5]), atol=1e-3)
    right[:, 0].sum().backward()
    assert float(slope.grad[..., 0].abs().sum()) > 0 and torch.isfinite(slope.grad).all()


def test_faces_without_a_texture_keep_their_normals():
    corners, faces, uvs = square(False)
    surface = draw_surface(corners, faces, standard_cameras(0.0, 0.0), make_rasterizer(torch.device("cpu")), 24)
    tangents = tangents_of(corners, faces[:1], uvs[:1])
    bent = bent_normals(surface, tangents, torch.full((4, 4, 2), 0.5))
    second = surface.fragments.face[surface.fragments.covered] == 1
    assert torch.equal(bent[second], surface.normal[second]) and (bent[~second][:, 0] < -0.3).all()
