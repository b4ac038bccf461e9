"""A light from a file that somebody brings."""

from pathlib import Path

import torch

from idto3d.errors import UserError
from idto3d.render.environment import Environment, load_environment, prefilter
from idto3d.render.panorama.exr import read_exr

TYPES = (".hdr", ".exr")


def light_from_file(path: str | Path) -> Environment:
    """The light of a panorama, Radiance .hdr or OpenEXR .exr, by the file's name.

    Raises UserError when the file is missing, too large, damaged, or of another type.
    """
    path = Path(path)
    if path.suffix.lower() == ".exr":
        return prefilter(torch.from_numpy(read_exr(path)), path.stem)
    if path.suffix.lower() == ".hdr":
        return load_environment(path)
    raise UserError(f"'{path.name}' is no panorama.", f"Give a file of the type {' or '.join(TYPES)}.")
