"""A light as the page's viewer reads it: our own prefiltered maps, so that it shades as our renderer does.

The file: a magic word, the length of the header, the header (JSON) and one gzip stream of texels, uint32 little-endian,
[L, H, W], as WebGL2's RGB9_E5 has them: three mantissas of nine bits share an exponent of five.
"""

import base64
import gzip
import io
import math

import numpy as np
import torch
from PIL import Image

from idto3d.export.viewer.payload import GZIP_LEVEL, wrapped
from idto3d.render.brdf import shade
from idto3d.render.color import srgb_from_linear, tone_map
from idto3d.render.draw import to_uint8
from idto3d.render.environment import Environment, specular_light

MAGIC = b"IDL1"
MANTISSA, BIAS, LARGEST_EXPONENT = 9, 15, 31
MOST = (2**MANTISSA - 1) / 2**MANTISSA * 2.0 ** (LARGEST_EXPONENT - BIAS)  # what RGB9_E5 can say
THUMB = 48  # pixels
GREY, GLOSS = 0.5, 0.35  # of the ball on a thumbnail


def light_bytes(environment: Environment) -> bytes:
    """The file for a light. Its own turn is told in the header, and so is a factor where it is brighter than `MOST`."""
    levels = environment.levels[..., 1:-1].permute(1, 2, 3, 0).numpy()
    scale = max(float(levels.max()) / MOST, 1.0)
    texels = shared_exponent(levels / scale)
    header = {
        "name": environment.name,
        "size": list(texels.shape),
        "harmonics": environment.harmonics.flatten().tolist(),
        "turn": environment.rotation,
        "gain": environment.gain.tolist(),
        "scale": scale,
        "thumb": f"data:image/jpeg;base64,{base64.b64encode(_jpeg(thumbnail(environment, THUMB))).decode()}",
    }
    return wrapped(MAGIC, header, gzip.compress(texels.astype("<u4").tobytes(), GZIP_LEVEL, mtime=0))


def shared_exponent(linear: np.ndarray) -> np.ndarray:
    """Colours [..., 3] in 0..MOST as RGB9_E5 uint32 [...] (OpenGL ES 3.0, 3.8.3.2)."""
    bounded = np.clip(linear.astype(np.float64), 0.0, MOST)
    peak = bounded.max(-1)
    exponent = np.maximum(np.frexp(peak)[1] - 1, -BIAS - 1) + 1 + BIAS
    over = np.rint(np.ldexp(peak, BIAS + MANTISSA - exponent)) == 2**MANTISSA
    exponent = np.where(over, exponent + 1, exponent)
    parts = np.rint(np.ldexp(bounded, (BIAS + MANTISSA - exponent)[..., None])).astype(np.uint32)
    return parts[..., 0] | parts[..., 1] << 9 | parts[..., 2] << 18 | exponent.astype(np.uint32) << 27


def from_shared_exponent(texels: np.ndarray) -> np.ndarray:
    """The colours [..., 3] float64 of `shared_exponent`."""
    parts = np.stack([(texels >> shift) & (2**MANTISSA - 1) for shift in (0, 9, 18)], -1).astype(np.float64)
    return np.ldexp(parts, ((texels >> 27).astype(int) - BIAS - MANTISSA)[..., None])


@torch.no_grad()
def thumbnail(environment: Environment, side: int) -> np.ndarray:
    """A grey, slightly glossy ball in a light, before what shines behind it, [side, side, 3] uint8 sRGB."""
    fine = 2 * side
    axis = (torch.arange(fine) + 0.5) / fine * 2 - 1
    x, y = axis[None].expand(fine, fine), -axis[:, None].expand(fine, fine)
    behind = specular_light(environment, _behind(x, y), torch.full((fine, fine, 1), 0.25))
    radius = 0.74
    height = (radius**2 - x**2 - y**2).clamp(min=0.0)
    normal = torch.stack([x, y, height.sqrt()], -1) / radius
    view = torch.tensor([0.0, 0.0, 1.0]).expand_as(normal)
    values = [torch.full_like(normal[..., :n], value) for n, value in ((3, GREY), (1, GLOSS), (1, 0.0))]
    ball = shade(normal, view, *values, environment)
    seen = srgb_from_linear(tone_map(torch.where((height > 0)[..., None], ball, 0.6 * behind)))
    return to_uint8(torch.nn.functional.avg_pool2d(seen.movedim(-1, 0)[None], 2)[0].movedim(0, -1))


def _behind(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Where to look [S, S, 3] for what lies behind the ball at places x, y in -1..1: a wide view away from the face."""
    wide = math.radians(70.0)
    ways = torch.stack([x * math.tan(wide / 2), y * math.tan(wide / 2), -torch.ones_like(x)], -1)
    return torch.nn.functional.normalize(ways, dim=-1)


def _jpeg(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=85)
    return stream.getvalue()
