"""tiny-cuda-nn's hash grid against its twin in plain torch, with the same parameters."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from benchmarks.gpu.part import Absent, Found, Host, mean_seconds
from idto3d.config import HashGridOptions
from idto3d.device import CUDA

SMALL = 1e-6  # a loss this much smaller should give a gradient this much smaller, not none


def tiny_cuda_nn(here: Host) -> Found:
    """The package's kernels against `compared`'s twin. It fails where the package was built for another GPU."""
    from idto3d.fields.tcnn_grid import TcnnHashGrid

    if here.device.type != CUDA:
        raise Absent("tiny-cuda-nn computes on CUDA alone.")
    try:
        import tinycudann  # noqa: F401
    except ModuleNotFoundError as missing:
        raise Absent(f"tiny-cuda-nn is not installed: {missing}") from missing
    options = HashGridOptions()
    plain, fused = (TcnnHashGrid(options, device).to(here.device) for device in (torch.device("cpu"), here.device))
    return compared(plain, fused, here)


def compared(ours: nn.Module, theirs: nn.Module, here: Host) -> Found:
    """Two hash grids on one lattice: features, gradients small ones included, what is learned, and seconds."""
    theirs.load_state_dict(ours.state_dict())
    points = torch.rand(500 if here.tiny else 100_000, 3, generator=torch.Generator().manual_seed(0)).to(here.device)
    features = [grid(points).detach() for grid in (ours, theirs)]
    gradients = [_gradient(grid, points, 1.0) for grid in (ours, theirs)]
    small = float(_gradient(theirs, points, SMALL).norm() / gradients[1].norm().clamp(min=1e-30))
    apart = float((features[0] - features[1]).abs().max() / features[0].abs().max())
    figures = {
        "features_apart": apart,
        "gradient_cosine": float(cosine_similarity(*gradients, 0)),
        "small_gradient": small,
        "losses": [_learned(grid, points, 20 if here.tiny else 200) for grid in (ours, theirs)],
        "seconds": [_seconds(grid, points, here) for grid in (ours, theirs)],
    }
    checks = {
        "type": features[1].dtype == torch.float32,
        "same_features": apart < 1e-3,
        "same_gradient": figures["gradient_cosine"] > 0.999,
        "small_gradients_live": abs(small - SMALL) < 0.05 * SMALL,
        "learns": figures["losses"][1] < 1.5 * figures["losses"][0] + 1e-5,
    }
    return Found(figures, checks)


def _target(points: Tensor) -> Tensor:
    return (points * torch.tensor([9.0, 7.0, 5.0], device=points.device)).sin().sum(-1)


def _loss(grid: nn.Module, points: Tensor) -> Tensor:
    """How far the sum of the features is from a smooth field, squared."""
    return (grid(points).sum(-1) - _target(points)).square().mean()


def _gradient(grid: nn.Module, points: Tensor, scale: float) -> Tensor:
    """The gradient of `scale` times the loss on all parameters, flat, double precision."""
    found = torch.autograd.grad(scale * _loss(grid, points), list(grid.parameters()))
    return torch.cat([one.flatten().double() for one in found])


def _learned(grid: nn.Module, points: Tensor, steps: int) -> float:
    """The loss that is left after `steps` of Adam."""
    adam, loss = torch.optim.Adam(grid.parameters(), 1e-2), torch.zeros(())
    for _ in range(steps):
        adam.zero_grad(set_to_none=True)
        loss = _loss(grid, points)
        loss.backward()
        adam.step()
    return float(loss.detach())


def _seconds(grid: nn.Module, points: Tensor, here: Host) -> float:
    def work() -> None:
        grid.zero_grad(set_to_none=True)
        grid(points).square().sum().backward()

    return mean_seconds(here.device, work, 2 if here.tiny else 20)
