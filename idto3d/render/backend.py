"""Which rasteriser draws on which device."""

import torch

from idto3d.render.backends.kernel import SOLID, Holes
from idto3d.render.backends.numba_raster import NumbaRasterizer
from idto3d.render.backends.nvdiffrast_raster import NvdiffrastRasterizer, fault
from idto3d.render.backends.torch_raster import TorchRasterizer
from idto3d.render.rasterizer import Rasterizer


def make_rasterizer(device: torch.device | str, holes: Holes = SOLID) -> Rasterizer:
    """The rasteriser for `device`: our own z-buffer on the CPU; elsewhere nvdiffrast, or plain torch without it.

    holes: where the faces that it is given let through what lies behind them. Whoever begins a run says `substitute`
    once.
    """
    device = torch.device(device)
    if device.type == "cpu":
        return NumbaRasterizer(holes)
    return TorchRasterizer(holes) if fault(device) else NvdiffrastRasterizer(device, holes)


def substitute(device: torch.device | str) -> str | None:
    """Why heads are drawn more slowly on `device` than they could be, as a sentence; None where they are not."""
    device = torch.device(device)
    reason = None if device.type == "cpu" else fault(device)
    return None if reason is None else f"Heads are drawn in plain torch, more slowly than this GPU could: {reason}."
