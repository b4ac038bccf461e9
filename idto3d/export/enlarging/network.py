"""A super-resolution network of others, read by the package spandrel from a safetensors file. spandrel is optional."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from idto3d.errors import UserError
from idto3d.files import read_tensors

REMEDY = "Give a network that enlarges pictures 2, 3 or 4 times, as a .safetensors file."
SCALES = (2, 3, 4)


@dataclass(frozen=True, eq=False)
class Enlarger:
    """A network that makes of a picture [1, 3, H, W], sRGB 0..1, one of `scale` times as many pixels a side."""

    scale: int
    run: Callable[[Tensor], Tensor]
    device: torch.device


def load_enlarger(path: str | Path, device: torch.device) -> Enlarger:
    """The network in a safetensors file, on `device`. Nothing is downloaded, and no code of the file is run.

    Raises UserError where spandrel is missing, or the file is no such network.
    """
    try:
        tensors = read_tensors(path)
    except UserError as fault:
        raise UserError(f"'{Path(path).name}' cannot be read.", REMEDY) from fault
    try:
        from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError
    except ImportError:
        what = "The package spandrel, which reads super-resolution networks, is not installed."
        raise UserError(what, "Run: python -m pip install -r requirements-upscale.txt.") from None
    try:
        model = ModelLoader(device).load_from_state_dict(tensors)
    except (UnsupportedModelError, RuntimeError, KeyError, ValueError, IndexError, AssertionError) as fault:
        raise UserError(f"'{Path(path).name}' holds no network of a known kind.", REMEDY) from fault
    fits = isinstance(model, ImageModelDescriptor) and model.scale in SCALES
    if not fits or (model.input_channels, model.output_channels) != (3, 3):
        raise UserError(f"'{Path(path).name}' is no network that enlarges colour pictures.", REMEDY)
    return Enlarger(model.scale, model.eval(), device)
