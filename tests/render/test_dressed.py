"""Worn textures: each face its own, bilinear; and holes in them, through which what lies behind is seen."""

import numpy as np
import pytest
import torch

from idto3d.render.backends.kernel import QUARTERS, SOLID, holes_of, rasterize
from idto3d.render.backends.numba_raster import NumbaRasterizer
from idto3d.render.camera import clip_positions, standard_cameras
from idto3d.render.draw import draw_surface
from idto3d.render.dressed import CHANNELS, Dressed, read_dressed, read_map

SIZE = 40
# Two squares of 14 cm beside each other around the middle of the picture.
CORNERS = torch.tensor([[0.0, -0.07, 0], [0.14, -0.07, 0], [0.0, 0.07, 0], [0.14, 0.07, 0]])
FACES = torch.tensor([[0, 1, 2], [2, 1, 3]])
UVS = torch.tensor([[0.0, 1], [1, 1], [0, 0], [1, 0]])


def plain(values):
    return torch.tensor(values).expand(4, 4, CHANNELS).contiguous()


@pytest.fixture
def pair():
    """vertices [8, 3], faces [4, 3] and uvs [4, 3, 2] of both squares, the right one first."""
    vertices = torch.cat([CORNERS, CORNERS - torch.tensor([0.14, 0, 0])])
    return vertices, torch.cat([FACES, FACES + 4]), UVS[FACES].repeat(2, 1, 1)


def test_between_texels_values_are_bilinear_and_end_at_the_border():
    image = torch.arange(8.0).view(2, 2, 2)
    uvs = torch.tensor([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.5, 0.25], [0.5, 0.5], [0, 0], [1, 1]])
    assert read_map(image, uvs).tolist() == [[0, 1], [2, 3], [4, 5], [1, 2], [3, 4], [0, 1], [6, 7]]


def test_every_face_shows_its_own_map(pair, cpu, front):
    vertices, faces, uvs = pair
    red, green = plain([1.0, 0, 0, 0.3, 1]), plain([0, 1.0, 0, 0.7, 0])
    surface = draw_surface(vertices, faces, front, cpu, SIZE)
    values = read_dressed(Dressed(uvs, torch.tensor([1, 1, 0, 0]), (red, green)), surface)
    right = surface.position[:, 0] > 0
    assert values.shape == (len(right), CHANNELS) and right.sum() > 100 and (~right).sum() > 100
    assert torch.allclose(values[right], green[0, 0]) and torch.allclose(values[~right], red[0, 0])


def test_a_map_lies_on_its_face_with_u_to_the_right_and_v_down(pair, cpu, front):
    vertices, faces, uvs = pair
    steps = (torch.arange(64) + 0.5) / 64
    ramp = torch.stack([steps.expand(64, 64), steps[:, None].expand(64, 64), *torch.zeros(3, 64, 64)], -1)
    surface = draw_surface(vertices[:4], faces[:2], front, cpu, SIZE)
    values = read_dressed(Dressed(uvs[:2], torch.zeros(2, dtype=torch.long), (ramp,)), surface)
    assert torch.allclose(values[:, 0], surface.position[:, 0] / 0.14, atol=0.01)
    assert torch.allclose(values[:, 1], 0.5 - surface.position[:, 1] / 0.14, atol=0.01)


def test_the_colours_of_a_map_get_a_gradient(pair, cpu, front):
    vertices, faces, uvs = pair
    image = torch.full((4, 4, CHANNELS), 0.5, requires_grad=True)
    surface = draw_surface(vertices, faces, front, cpu, SIZE)
    read_dressed(Dressed(uvs, torch.zeros(4, dtype=torch.long), (image,)), surface).sum().backward()
    assert image.grad.min() > 0


# A curtain of two triangles before a wall of two, and a picture of holes.
CURTAIN = np.array([[-0.08, -0.09, 0.05], [0.09, -0.07, 0.02], [-0.07, 0.08, -0.03], [0.08, 0.09, 0.05]], np.float32)
WALL = np.array([[-0.15, -0.15, -0.1], [0.15, -0.15, -0.1], [-0.15, 0.15, -0.1], [0.15, 0.15, -0.1]], np.float32)
ALPHA = np.random.default_rng(0).integers(0, 256, (6, 6)).astype(np.uint8)


@pytest.fixture
def scene(front):
    """Clip positions [8, 4], faces [4, 3] and texture coordinates [8, 2]: the curtain, then the wall."""
    vertices = torch.from_numpy(np.concatenate([CURTAIN, WALL]))
    clip = clip_positions(vertices, front)[0].numpy()
    return clip, np.concatenate([FACES.numpy(), FACES.numpy() + 4]), UVS.repeat(2, 1).numpy()


def between(picture, u, v):
    """The value of a picture at (u, v), linear between the middles of its texels, the nearest beyond them."""
    side = len(picture)
    x, y = (np.clip(one * side - 0.5, 0, side - 1) for one in (u, v))
    shares = [np.maximum(1 - np.abs(np.arange(side) - one), 0) for one in (y, x)]
    return shares[0] @ picture.astype(float) @ shares[1]


def slow(clip, faces, uvs, page, pictures, least):
    """[SIZE, SIZE] which face each pixel sees: all faces are asked, the nearest first."""
    seen = np.full((SIZE, SIZE), -1)
    for y in range(SIZE):
        for x in range(SIZE):
            spot, hits = np.array([(2 * x + 1) / SIZE - 1, 1 - (2 * y + 1) / SIZE]), []
            for number, face in enumerate(faces):
                a, b, c = clip[face, :2].astype(float) - spot * clip[face, 3:]
                areas = np.array([np.linalg.det([b, c]), np.linalg.det([c, a]), np.linalg.det([a, b])])
                weights = areas / areas.sum()
                if (weights >= 0).all():
                    hits.append(((weights @ clip[face, 2]) / (weights @ clip[face, 3]), number, weights @ uvs[face]))
            for _, number, (u, v) in sorted(hits, key=lambda hit: hit[:2]):
                solid = page[number] < 0 or between(pictures[page[number]], u, v) >= 255 * least[y % 2, x % 2]
                if solid:
                    seen[y, x] = number
                    break
    return seen


@pytest.mark.parametrize("least", [np.full((2, 2), 0.5), QUARTERS], ids=["half", "quarters"])
def test_through_holes_what_lies_behind_is_seen(scene, least):
    clip, faces, uvs = scene
    page, pictures = np.array([1, 1, -1, -1]), [np.zeros((3, 3), np.uint8), ALPHA]
    face, weights, depth = rasterize(clip, faces, SIZE, SIZE, holes_of(uvs, page, pictures, least.astype(np.float32)))
    wanted = slow(clip, faces, uvs, page, pictures, least)
    curtain, wall = np.isin(wanted, (0, 1)), np.isin(wanted, (2, 3))
    assert (face == wanted).mean() > 0.995 and curtain.sum() > 100
    closed = rasterize(clip, faces, SIZE, SIZE)[0]
    behind = wall & np.isin(closed, (0, 1))
    assert behind.sum() > 100 and (depth[behind & (face >= 2)] > depth[curtain & (face < 2)].max()).all()
    assert np.allclose(weights[face >= 0].sum(-1), 1, atol=1e-5)


def test_two_holes_behind_each_other_show_nothing_and_no_pictures_are_no_holes(scene):
    clip, faces, uvs = scene
    nothing = [np.zeros((2, 2), np.uint8)]
    empty = rasterize(clip, faces, SIZE, SIZE, holes_of(uvs, np.zeros(4, int), nothing, np.full((2, 2), 0.5)))
    assert (empty[0] == -1).all() and (empty[2] == 1).all()
    assert holes_of(uvs, np.full(4, -1), [], QUARTERS) is SOLID


def test_the_share_of_solid_quarters_is_the_opacity(scene):
    clip, faces, uvs = scene
    shares = []
    for opacity in (0.0, 0.25, 0.5, 0.75, 1.0):
        picture = np.full((2, 2), round(255 * opacity), np.uint8)
        holes = holes_of(uvs, np.array([-1, -1, 0, 0]), [picture], QUARTERS)
        shares.append(
            (rasterize(clip[4:], faces[2:] - 4, SIZE, SIZE, holes._replace(page=holes.page[2:]))[0] >= 0).mean()
        )
    assert np.allclose(np.array(shares) / shares[-1], [0, 0.25, 0.5, 0.75, 1], atol=0.03)


def test_a_rasteriser_with_holes_draws_them_for_every_view(scene):
    _, faces, uvs = scene
    holes = holes_of(uvs, np.array([0, 0, -1, -1]), [ALPHA], np.full((2, 2), 0.5))
    vertices = torch.from_numpy(np.concatenate([CURTAIN, WALL]))
    clip = clip_positions(vertices, standard_cameras([0.0, 20.0], [0.0, 0.0]))
    face = NumbaRasterizer(holes).fragments(clip, torch.from_numpy(faces), (SIZE, SIZE)).face
    for view, one in zip(clip, face, strict=True):
        assert np.array_equal(one.numpy(), rasterize(view.numpy(), faces, SIZE, SIZE, holes)[0])
        assert (one < 2).any() and (one >= 2).any()
