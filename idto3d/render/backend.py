"""Which rasteriser draws on which device."""

import torch

from idto3d.render.rasterizer import Rasterizer


def make_rasterizer(device: torch.device | str) -> Rasterizer:
    """The rasteriser for `device`: nvdiffrast on CUDA, our own z-buffer on the CPU.

    Raises UserError on a CUDA device without nvdiffrast: silently computing on the CPU would be 100 times slower.
    """
    device = torch.device(device)
    if device.type == "cuda":
        from idto3d.render.backends.nvdiffrast_raster import NvdiffrastRasterizer

        return NvdiffrastRasterizer(device)
    from idto3d.render.backends.numba_raster import NumbaRasterizer

    return NumbaRasterizer()
