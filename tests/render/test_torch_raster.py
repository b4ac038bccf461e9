"""The rasteriser in plain torch draws what the numba z-buffer draws, in every bit, and within bounded memory."""

import numpy as np
import pytest
import torch

from idto3d.render.backends.kernel import QUARTERS, holes_of
from idto3d.render.backends.numba_raster import NumbaRasterizer
from idto3d.render.backends.torch_raster import TorchRasterizer
from idto3d.render.backends.torch_visible import spread, visible
from idto3d.render.camera import clip_positions, standard_cameras
from idto3d.render.rasterizer import interpolate


def random_mesh(seed):
    """Clip positions [B, V, 4], faces [F, 3] and a size: near and far, behind the camera, aligned, degenerate."""
    draws = torch.Generator().manual_seed(seed)

    def number(low, high):
        return int(torch.randint(low, high, (1,), generator=draws))

    views, vertices, size = number(1, 3), number(3, 60), (number(1, 50), number(1, 50))
    clip = torch.randn(views, vertices, 4, generator=draws)
    clip[..., 3] = clip[..., 3].abs() * (-1 if seed % 5 == 0 else 1) + 0.2
    if seed % 4 == 1:  # corners on pixel centres and edges through them, all equally far
        clip[..., :2], clip[..., 3] = (clip[..., :2] * 8).round() / 8, 1.0
        clip[..., 2] = 0.25 * (seed % 8 == 1)
    if seed % 4 == 2:
        clip[..., :2] *= 50
    return clip, torch.randint(vertices, (number(1, 80), 3), generator=draws), size


def test_a_hundred_random_meshes_look_the_same_to_both_and_have_the_same_gradient():
    seen = 0
    for seed in range(100):
        clip, faces, size = random_mesh(seed)
        weights = torch.rand(len(clip), *size, 5, generator=torch.Generator().manual_seed(seed))
        results = []
        for rasterizer in (NumbaRasterizer(), TorchRasterizer()):
            moving = clip.clone().requires_grad_()
            hits = rasterizer.fragments(moving, faces, size)
            image = torch.cat([hits.barycentric, hits.depth, hits.covered[..., None].float()], -1)
            smooth = rasterizer.antialias(image, hits, moving, faces)
            (gradient,) = torch.autograd.grad((smooth * weights).sum(), moving)
            results.append((hits.face, hits.barycentric, hits.depth, smooth, gradient))
        assert all(torch.equal(*pair) for pair in zip(*results, strict=True)), seed
        seen += int((results[0][0] >= 0).sum())
    assert seen > 50_000


def test_both_see_the_same_through_holes():
    for seed in range(20):
        clip, faces, size = random_mesh(seed)
        draws = np.random.default_rng(seed)
        pictures = [draws.integers(0, 256, (side, side), dtype=np.uint8) for side in (5, 9)]
        uvs = draws.uniform(-0.1, 1.1, (clip.shape[1], 2))
        holes = holes_of(uvs, draws.integers(-1, 2, len(faces)), pictures, QUARTERS)
        ours, theirs = (kind(holes).fragments(clip, faces, size) for kind in (TorchRasterizer, NumbaRasterizer))
        assert torch.equal(ours.face, theirs.face) and torch.equal(ours.barycentric, theirs.barycentric), seed
        assert torch.equal(ours.depth, theirs.depth)


def test_small_pieces_give_the_same_picture_as_large_ones(sphere):
    vertices, faces = sphere(9)
    card = torch.tensor([[-0.3, -0.3, -0.05], [0.3, -0.3, 0.0], [0.0, 0.3, 0.05]])  # spans many pieces
    vertices, faces = torch.cat([vertices, card]), torch.cat([faces, len(vertices) + torch.arange(3)[None]])
    clip = clip_positions(vertices, standard_cameras([20.0, 200.0], [15.0, 0.0]))
    whole = visible(clip, faces, (40, 48))
    for piece in (1000, 61):
        assert all(torch.equal(*pair) for pair in zip(whole, visible(clip, faces, (40, 48), piece=piece), strict=True))


def test_things_are_spread_in_pieces_that_are_no_larger_than_asked():
    counts = torch.tensor([3, 0, 5, 1, 0])
    pieces = list(spread(counts, 4))
    assert [len(owner) for owner, _ in pieces] == [4, 4, 1]
    pairs = [pair for owner, place in pieces for pair in zip(owner.tolist(), place.tolist(), strict=True)]
    assert pairs == [(owner, place) for owner, count in enumerate(counts.tolist()) for place in range(count)]
    assert not list(spread(torch.zeros(0, dtype=torch.int64)))


def test_of_equal_depths_the_same_triangle_stays_in_any_piece():
    card = torch.tensor([[-1.0, -1.0, 0.25, 1.0], [1.0, -1.0, 0.25, 1.0], [0.0, 1.0, 0.25, 1.0]])
    faces = torch.arange(3).repeat(7, 1).roll(1, 1)
    expected = NumbaRasterizer().fragments(card[None], faces, (16, 16)).face
    for piece in (5, 2**16):
        assert torch.equal(visible(card[None], faces, (16, 16), piece=piece).face, expected)


def test_nothing_and_numbers_that_are_none_are_drawn_as_nothing():
    clip = torch.tensor([[[0.0, 0.0, 0.0, 1.0], [torch.nan, 1.0, 0.0, 1.0], [1.0, torch.inf, 0.0, 1.0]]])
    for faces in (torch.zeros(0, 3, dtype=torch.int64), torch.tensor([[0, 1, 2]])):
        rasterizer = TorchRasterizer()
        hits = rasterizer.fragments(clip, faces, (8, 8))
        assert not hits.covered.any() and (hits.depth == 1).all()
        blank = torch.zeros(1, 8, 8, 1)
        assert torch.equal(rasterizer.antialias(blank, hits, clip, faces), blank)


def test_another_mesh_after_the_first_has_its_own_edges(sphere, triangle, front):
    rasterizer = TorchRasterizer()
    for vertices, faces in (sphere(5), triangle, sphere(5), sphere(6)):
        clip = clip_positions(vertices, front)
        hits = rasterizer.fragments(clip, faces, (24, 24))
        image = interpolate(vertices, hits, faces)
        expected = NumbaRasterizer().antialias(image, hits, clip, faces)
        assert torch.equal(rasterizer.antialias(image, hits, clip, faces), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: the picture of a GPU is not compared")
def test_a_gpu_draws_the_same_picture(sphere):
    vertices, faces = sphere(40)
    clip = clip_positions(vertices, standard_cameras([20.0, 200.0], [15.0, 0.0]))
    there = torch.device("cuda")
    hits = TorchRasterizer().fragments(clip.to(there), faces.to(there), (256, 256))
    expected = NumbaRasterizer().fragments(clip, faces, (256, 256))
    assert torch.equal(hits.face.cpu(), expected.face) and torch.equal(hits.barycentric.cpu(), expected.barycentric)
