"""Which rasteriser draws where, what is said of it, and nvdiffrast's conventions, by a stand-in of it."""

import fake_nvdiffrast
import numpy as np
import pytest
import torch

from idto3d.render.backend import make_rasterizer, substitute
from idto3d.render.backends.kernel import QUARTERS, SOLID, holes_of
from idto3d.render.backends.numba_raster import NumbaRasterizer
from idto3d.render.backends.nvdiffrast_raster import NvdiffrastRasterizer
from idto3d.render.backends.torch_raster import TorchRasterizer
from idto3d.render.camera import clip_positions, standard_cameras
from idto3d.render.rasterizer import interpolate


@pytest.fixture
def installed(monkeypatch):
    fake_nvdiffrast.install(monkeypatch)


def test_a_gpu_draws_with_nvdiffrast_where_that_is_installed(installed):
    assert isinstance(make_rasterizer("cuda"), NvdiffrastRasterizer)
    assert substitute("cuda") is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (None, "nvdiffrast is not installed"),
        (ModuleNotFoundError("No module named '_nvdiffrast_c'", name="_nvdiffrast_c"), "_nvdiffrast_c is missing"),
        (ImportError("undefined symbol: _ZN3c10\nmore"), "built again for this torch (undefined symbol: _ZN3c10)."),
    ],
)
def test_a_gpu_draws_in_plain_torch_where_nvdiffrast_does_not_load_and_says_so(monkeypatch, error, reason):
    fake_nvdiffrast.uninstall(monkeypatch, error)
    assert isinstance(make_rasterizer("cuda"), TorchRasterizer)
    assert reason in substitute("cuda") and substitute("cuda").startswith("Heads are drawn in plain torch")


@pytest.mark.parametrize("where", ["RasterizeCudaContext", "rasterize"])
def test_an_nvdiffrast_that_was_built_for_another_gpu_is_tried_once_and_told(installed, monkeypatch, where):
    tried = []

    def broken(*args, **options):
        tried.append(where)
        raise RuntimeError("Cuda error: 209[cudaFuncGetAttributes(...)];\nmore")

    monkeypatch.setattr(fake_nvdiffrast, where, broken)
    assert isinstance(make_rasterizer("cuda"), TorchRasterizer)
    told = substitute("cuda")
    assert told.startswith("Heads are drawn in plain torch") and "Cuda error: 209" in told and "more)" not in told
    assert told.endswith("it was built for another GPU; build it again.") and len(tried) == 1


def test_a_full_gpu_is_no_other_gpu(installed, monkeypatch):
    def full(*args, **options):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(fake_nvdiffrast, "rasterize", full)
    with pytest.raises(torch.OutOfMemoryError):
        make_rasterizer("cuda")


def test_a_processor_draws_with_numba_and_has_nothing_to_say(monkeypatch):
    fake_nvdiffrast.uninstall(monkeypatch)
    assert isinstance(make_rasterizer("cpu"), NumbaRasterizer) and substitute("cpu") is None


def lopsided(sphere):
    """A ball with a card above it, seen a little from the side: no way of turning the picture over looks the same."""
    vertices, faces = sphere(5, 0.06)
    card = torch.tensor([[0.02, 0.05, 0.03], [0.1, 0.09, 0.0], [-0.02, 0.11, 0.02]])
    return torch.cat([vertices, card]), torch.cat([faces, len(vertices) + torch.arange(3)[None]])


def pictures(rasterizer, sphere):
    """Fragments, a smoothed picture, and its gradient with regard to the vertices of two views."""
    vertices, faces = lopsided(sphere)
    moving = vertices.clone().requires_grad_()
    clip = clip_positions(moving, standard_cameras([20.0, 150.0], [10.0, -20.0]))
    hits = rasterizer.fragments(clip, faces, (26, 22))
    seen = torch.cat([interpolate(moving, hits, faces), hits.depth], -1)
    image = rasterizer.antialias(seen, hits, clip, faces)
    weights = torch.rand(image.shape, generator=torch.Generator().manual_seed(0))
    (gradient,) = torch.autograd.grad((image * weights).sum(), moving)
    return hits, image, gradient


def test_nvdiffrast_shows_the_same_faces_in_the_same_rows_with_the_same_gradient(installed, sphere):
    (ours, image, gradient), (theirs, other, its) = (
        pictures(rasterizer, sphere) for rasterizer in (NumbaRasterizer(), NvdiffrastRasterizer(torch.device("cuda")))
    )
    assert torch.equal(ours.face, theirs.face) and ours.covered.sum() > 100
    assert torch.allclose(ours.barycentric, theirs.barycentric, atol=1e-4)
    assert torch.allclose(ours.depth, theirs.depth, atol=1e-5)
    assert torch.allclose(image, other, atol=1e-4)
    assert torch.allclose(gradient, its, rtol=1e-3, atol=1e-4 * float(gradient.abs().max()))


def test_both_that_draw_on_a_gpu_look_through_holes(installed, sphere):
    vertices, faces = lopsided(sphere)
    draws = np.random.default_rng(0)
    pictures = [draws.integers(0, 256, (6, 6), dtype=np.uint8) * (draws.random((6, 6)) < 0.4).astype(np.uint8)]
    page = np.minimum(draws.integers(-1, 4, len(faces)), 0)  # most faces have holes, some have none
    holes = holes_of(draws.uniform(0, 1, (len(vertices), 2)), page, pictures, QUARTERS)
    clip = clip_positions(vertices, standard_cameras([20.0, 150.0], [10.0, -20.0]))
    expected, solid = (make_rasterizer("cpu", h).fragments(clip, faces, (26, 22)) for h in (holes, SOLID))
    for rasterizer in (make_rasterizer("cuda", SOLID), TorchRasterizer()):
        assert torch.equal(rasterizer.fragments(clip, faces, (26, 22)).face, solid.face)
    through = NvdiffrastRasterizer(torch.device("cpu"), holes)
    for rasterizer in (through, TorchRasterizer(holes)):
        hits = rasterizer.fragments(clip, faces, (26, 22))
        assert torch.equal(hits.face, expected.face) and torch.allclose(hits.depth, expected.depth, atol=1e-5)
        assert torch.allclose(hits.barycentric, expected.barycentric, atol=1e-4)
    assert (expected.face != solid.face).sum() > 30 and (solid.covered & ~expected.covered).any()
    hits = through.fragments(clip, faces, (26, 22))
    noise = torch.rand(2, 26, 22, 3, generator=torch.Generator().manual_seed(0))
    smooth = make_rasterizer("cpu", holes).antialias(noise, expected, clip, faces)
    assert torch.allclose(through.antialias(noise, hits, clip, faces), smooth, atol=1e-4)


def test_nothing_behind_the_first_triangle_is_called_the_last(installed):
    """Number 0 is nothing and 1 the first: where both are on one picture, neither is taken for another."""
    clip = torch.tensor([[[-1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0], [-1.0, -1.0, 0.0, 1.0]]])
    hits = NvdiffrastRasterizer(torch.device("cuda")).fragments(clip, torch.tensor([[0, 1, 2]]), (4, 4))
    assert hits.face[0, 0].tolist() == [0, 0, 0, 0] and hits.face[0, 3].tolist()[1:] == [-1, -1, -1]
    assert hits.barycentric[0, 0].sum(-1).allclose(torch.ones(4)) and not hits.barycentric[0, 3, 1:].any()
