"""What is looked at in every viewer, and how it looks in our own renderer."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from idto3d.export.gltf.load import Asset
from idto3d.export.gltf.mesh import posed, target_name
from idto3d.export.view import Seen, relief, seen, worn
from idto3d.render.brdf import shade_lamp
from idto3d.render.camera import FOV_Y_DEG, standard_cameras
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.render.draw import paint, to_uint8

FINER = 4  # pictures are drawn so many times larger, and averaged: borders and strands, not sampling, are compared
AT_ONCE = 1 << 16  # pixels that are shaded at a time
LAMP = (0.42, 0.52, 0.74)  # direction towards the lamp, world, not of unit length


@dataclass(frozen=True)
class Shot:
    """A picture of a head from `azimuth_deg` in one expression ("" is neutral), `size` pixels along its side."""

    azimuth_deg: float
    expression: str = ""
    size: int = 512

    @property
    def name(self) -> str:
        """For files."""
        return f"{self.expression.replace(' ', '_') or 'neutral'}_{self.azimuth_deg:g}"

    def weights(self) -> dict[str, float]:
        """The morph targets' weights, by the names that the file gives them."""
        return {target_name(self.expression): 1.0} if self.expression else {}

    def told(self) -> dict:
        """All of it as JSON for other programs: camera to world in rows, field of view in degrees, lamp."""
        c2w = standard_cameras(self.azimuth_deg, 0.0).c2w[0].tolist()
        about = {
            "name": self.name,
            "c2w": c2w,
            "fov_deg": FOV_Y_DEG,
            "size": self.size,
            "drawn": FINER * self.size,
            "lamp": LAMP,
        }
        return about | {"weights": self.weights()}


SHOTS = (
    Shot(0),
    Shot(40),
    Shot(-90),
    Shot(180),
    Shot(0, "jawOpen"),
    Shot(25, "eyeBlinkLeft"),
    Shot(-25, "mouthSmileRight"),
)


@dataclass(frozen=True, eq=False)
class Shown:
    """One head in one shot: lit and plain [S, S, 3] uint8 sRGB on white, under the lamp and unlit; cover [S, S].

    cover: 0..1, how much of each pixel the head covers. lit is None of a program that is not asked for light.
    """

    plain: np.ndarray
    cover: np.ndarray
    lit: np.ndarray | None = None


@torch.no_grad()
def ours(asset: Asset, shot: Shot) -> Shown:
    """What our own renderer shows."""
    weights = {shot.expression: 1.0} if shot.expression else {}
    poses = posed(asset.mesh, weights)
    found = seen(asset, poses, shot.azimuth_deg, 0.0, FINER * shot.size)
    pieces = (found.some(slice(start, start + AT_ONCE)) for start in range(0, len(found.uvs), AT_ONCE))
    colours = torch.cat([_lit_and_plain(asset, piece) for piece in pieces])
    image, cover = (_averaged(layer) for layer in paint(found.surface, colours))
    return Shown(to_uint8(image[..., 3:]), cover[..., 0].numpy(), to_uint8(image[..., :3]))


def _lit_and_plain(asset: Asset, found: Seen) -> torch.Tensor:
    """[P, 6] sRGB: what the covered pixels send out under the lamp, and their albedo."""
    rough, plain = worn(asset, found, "metallic_roughness"), worn(asset, found, "albedo")
    albedo = linear_from_srgb(plain)
    towards = torch.tensor(LAMP) / math.hypot(*LAMP)
    view = found.surface.view
    lit = shade_lamp(relief(asset, found), view, albedo, rough[:, 1:2], rough[:, 2:3], towards)
    return torch.cat([srgb_from_linear(lit), plain], -1)


def _averaged(image: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(image.permute(0, 3, 1, 2), FINER)[0].permute(1, 2, 0)
