"""How bright what is not metal shines, as glTF says it: KHR_materials_specular."""

import numpy as np
import torch

from idto3d.render.color import srgb_from_linear

SPECULAR = "KHR_materials_specular"


def coded(specular: np.ndarray) -> np.ndarray:
    """A linear map [S, S] uint8 as the extension's colour texture has it, in sRGB."""
    tones = srgb_from_linear(torch.arange(256) / 255).mul(255).round().to(torch.uint8).numpy()
    return tones[specular]
