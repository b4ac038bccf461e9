"""Write the sixty lights as small Radiance files: `python -m idto3d.render.make_hdri --out assets/hdri`."""

import argparse
from pathlib import Path

import numpy as np
import torch

from idto3d.render.color import luminance
from idto3d.render.environment import diffuse_light, map_directions, prefilter, solid_angles
from idto3d.render.lights import LIGHTS, Light, radiance
from idto3d.render.panorama.hdr import write_hdr

SIZE = (48, 96)
BRIGHTEST = 2.0  # most that a white diffuser may send back, so that one hard lamp does not burn the face out


def light_map(light: Light, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Exposed map [H, W, 3] float32 of a light.

    Its mean luminance is 1, or less where a white diffuser turned towards the light would exceed `BRIGHTEST`.
    """
    directions = map_directions(*size)
    linear = torch.from_numpy(radiance(light, directions.double().numpy())).float()
    mean = (luminance(linear) * solid_angles(*size)[..., None]).sum() / (4 * np.pi)
    brightest = luminance(diffuse_light(prefilter(linear), directions)).max()
    return (linear / torch.maximum(mean, brightest / BRIGHTEST)).numpy()


def write_lights(folder: Path) -> None:
    """Write every light of `LIGHTS` to `folder` as NAME.hdr."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, light in LIGHTS.items():
        write_hdr(folder / f"{name}.hdr", light_map(light))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder that receives the files")
    write_lights(parser.parse_args().out)
