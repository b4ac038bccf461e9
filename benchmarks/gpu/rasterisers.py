"""The rasterisers for CUDA against the one for the CPU: what is seen, attributes, depth, outline, gradients, time."""

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from benchmarks.gpu.part import Absent, Found, Host, mean_seconds
from idto3d.device import CUDA
from idto3d.render.backends.numba_raster import NumbaRasterizer
from idto3d.render.camera import clip_positions, standard_cameras
from idto3d.render.rasterizer import Fragments, Rasterizer, interpolate

RADIUS = 0.11  # of the ball that stands for a head, metres


def nvdiffrast(here: Host) -> Found:
    """nvdiffrast beside the CPU's rasteriser. It resolves edges in fixed point, so that a pixel on one may differ."""
    try:
        import nvdiffrast.torch  # noqa: F401
    except ImportError as missing:
        raise Absent(f"nvdiffrast cannot be used: {missing}") from missing
    if here.device.type != CUDA:
        raise Absent("nvdiffrast draws on CUDA alone.")
    from idto3d.render.backends.nvdiffrast_raster import NvdiffrastRasterizer

    return compared(NvdiffrastRasterizer(here.device), here, least_same=0.99)


def torch_rasteriser(here: Host) -> Found:
    """Our own in plain torch, which should see the very same as the CPU's."""
    from idto3d.render.backends.torch_raster import TorchRasterizer

    return compared(TorchRasterizer(), here, least_same=0.9999)


def compared(rasterizer: Rasterizer, here: Host, least_same: float) -> Found:
    """What `rasterizer` draws on the host's device beside what the CPU's draws: random meshes, and a ball."""
    random = _random_meshes(rasterizer, here)
    figures, checks = _ball(rasterizer, here, least_same)
    figures["random_meshes"] = random
    checks["random_meshes_same"] = random["same"] >= least_same and random["barycentric"] < 1e-2
    return Found(figures, checks)


def _random_meshes(rasterizer: Rasterizer, here: Host) -> dict:
    """The share of pixels that see the same face of random triangles, and how far their barycentrics differ."""
    generator, count, size = torch.Generator().manual_seed(0), 5 if here.tiny else 100, (48, 64)
    same, pixels, apart = 0, 0, 0.0
    for _ in range(count):
        clip, faces = _triangles(generator)
        ours, theirs = _fragments(NumbaRasterizer(), clip, faces, size), _seen(rasterizer, here, clip, faces, size)
        equal = ours.face == theirs.face
        same, pixels = same + int(equal.sum()), pixels + equal.numel()
        apart = max(apart, float((ours.barycentric - theirs.barycentric)[equal].abs().max()))
    return {"meshes": count, "same": same / pixels, "barycentric": apart}


def _triangles(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Clip positions [1, V, 4] in front of the camera, and faces [F, 3] among them, drawn anew."""
    w = 0.5 + 1.5 * torch.rand(30, 1, generator=generator)
    ndc = torch.rand(30, 3, generator=generator) * torch.tensor([2.4, 2.4, 1.8]) - torch.tensor([1.2, 1.2, 0.9])
    faces = torch.stack([torch.randperm(30, generator=generator)[:3] for _ in range(40)])
    return torch.cat([ndc * w, w], -1)[None], faces


def _fragments(rasterizer: Rasterizer, clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Fragments:
    return rasterizer.fragments(clip, faces, size)


def _seen(rasterizer: Rasterizer, here: Host, clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Fragments:
    found = _fragments(rasterizer, clip.to(here.device), faces.to(here.device), size)
    return Fragments(found.face.cpu(), found.barycentric.cpu(), found.depth.cpu())


def _ball(rasterizer: Rasterizer, here: Host, least_same: float) -> tuple[dict, dict[str, bool]]:
    """A ball of as many faces as a head has, at the size that guidance sees: agreement, gradients and seconds."""
    vertices, faces = ball(*((10, 20) if here.tiny else (123, 124)))
    side = 64 if here.tiny else 512
    ours = _drawn(NumbaRasterizer(), vertices, faces, side)
    theirs = _drawn(rasterizer, vertices.to(here.device), faces.to(here.device), side)
    same = ours[0].face == theirs[0].face
    apart = {
        "same": float(same.float().mean()),
        "barycentric": float((ours[0].barycentric - theirs[0].barycentric)[same].abs().max()),
        "depth": float((ours[0].depth - theirs[0].depth)[same].abs().max()),
        "picture": float((ours[1] - theirs[1]).abs().mean()),
        "gradient_cosine": float(cosine_similarity(ours[2].flatten(), theirs[2].flatten(), 0)),
        "growth": [float((g * vertices).sum()) for g in (ours[2], theirs[2])],  # d picture / d scale
    }
    checks = {
        "same_faces": apart["same"] >= least_same,
        "same_attributes": apart["barycentric"] < 1e-2 and apart["depth"] < 1e-4 and apart["picture"] < 1e-3,
        "same_growth": abs(apart["growth"][0] - apart["growth"][1]) < 0.05 * abs(apart["growth"][0]),
        "same_gradient": apart["gradient_cosine"] > 0.95,
    }
    work = (vertices.to(here.device), faces.to(here.device), side)
    return apart | {"faces": len(faces), "side": side} | _times(rasterizer, here, work), checks


def _times(rasterizer: Rasterizer, here: Host, work: tuple[Tensor, Tensor, int]) -> dict:
    vertices, faces, side = work
    count = 2 if here.tiny else 10
    clip = clip_positions(vertices, standard_cameras([20.0], [10.0]))
    look = mean_seconds(here.device, lambda: rasterizer.fragments(clip, faces, (side, side)), count)
    whole = mean_seconds(here.device, lambda: _drawn(rasterizer, vertices, faces, side), count)
    return {"seconds_visibility": look, "seconds_with_gradient": whole}


def _drawn(rasterizer: Rasterizer, vertices: Tensor, faces: Tensor, side: int) -> tuple[Fragments, Tensor, Tensor]:
    """Fragments, the picture [1, S, S, 3] of the positions, and its gradient [V, 3] on the vertices; all on the CPU."""
    vertices = vertices.clone().requires_grad_()
    clip = clip_positions(vertices, standard_cameras([20.0], [10.0]))
    found = rasterizer.fragments(clip, faces, (side, side))
    picture = rasterizer.antialias(interpolate(vertices / RADIUS, found, faces), found, clip, faces)
    (gradient,) = torch.autograd.grad(picture.square().sum(), vertices)
    cpu = Fragments(found.face.cpu(), found.barycentric.detach().cpu(), found.depth.detach().cpu())
    return cpu, picture.detach().cpu(), gradient.cpu()


def ball(rings: int, columns: int) -> tuple[Tensor, Tensor]:
    """A bumpy ball where heads are: vertices [V, 3] in metres, faces [2 rings columns, 3]."""
    down = torch.linspace(0.01, torch.pi - 0.01, rings + 1)[:, None].expand(-1, columns)
    around = torch.arange(columns)[None] * (2 * torch.pi / columns) + 0.0 * down
    radius = RADIUS * (1 + 0.05 * (3 * around).sin() * (2 * down).sin())
    spread = [down.sin() * around.sin(), down.cos(), down.sin() * around.cos()]
    vertices = (radius[..., None] * torch.stack(spread, -1)).reshape(-1, 3)
    row, column = torch.meshgrid(torch.arange(rings), torch.arange(columns), indexing="ij")
    a, b = (row * columns + column).flatten(), (row * columns + (column + 1) % columns).flatten()
    return vertices, torch.cat([torch.stack([a, a + columns, b], -1), torch.stack([b, a + columns, b + columns], -1)])
