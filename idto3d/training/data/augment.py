"""Makes drawn portraits as varied as photos: light, colour, blur, noise, JPEG, clutter behind and things in front.

Never mirrored: a face and its mirror image are two heads of two codes. Everything is drawn from one torch.Generator.
"""

import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from idto3d.subject.identity.portrait_net import SIDE

CROPS_PER_SIZE = 8  # crops that share a size to which they are shrunk
# Spread of roll, scale, place (crop widths) and landmarks.
ROLL_DEG, ZOOM_SHARE, SHIFT_WIDTHS, JITTER_PIXELS = 7.0, 0.08, 0.045, 0.5


def augmented(crops: Tensor, landmarks: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Photo-like head crops [B, 3, 96, 96], sRGB 0..1, and their landmarks [B, 5, 2] in pixels.

    crops: [B, W, W, 4] uint8 of W >= 96 at the same scale, sRGB and the head's mask; landmarks: in their pixels.
    """
    pictures = crops.permute(0, 3, 1, 2).float() / 255
    pictures, marks = moved(pictures, landmarks, random)
    image = behind(pictures[:, :3], pictures[:, 3:], random)
    image = relit(image, random)
    image = in_front(image, random)
    image = coarse(image, random)
    image = noisy(image, random)
    return compressed(image.clamp(0, 1), random), marks


def moved(pictures: Tensor, landmarks: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Crops [B, C, W, W] turned, scaled and shifted a little, as [B, C, 96, 96]; landmarks follow, not exactly."""
    count, wide = len(pictures), pictures.shape[-1]
    angle = torch.deg2rad(_normal((count,), ROLL_DEG, random)).clamp(-0.35, 0.35)
    zoom = torch.exp(_normal((count,), ZOOM_SHARE, random))
    shift = _normal((count, 2), SHIFT_WIDTHS * SIDE, random)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2) * zoom[:, None, None]
    theta = torch.cat([turn * (SIDE / wide), (shift * 2 / wide)[..., None]], 2)
    grid = F.affine_grid(theta, [count, 1, SIDE, SIDE], align_corners=False)
    centred = landmarks - wide / 2 - shift[:, None]
    marks = torch.linalg.solve(turn, centred.transpose(1, 2)).transpose(1, 2) + SIDE / 2
    sampled = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    return sampled, marks + _normal(marks.shape, JITTER_PIXELS, random)


def behind(image: Tensor, mask: Tensor, random: torch.Generator) -> Tensor:
    """Four of five backgrounds replaced by gradients, blobs, textures, other crops as clutter; `mask` [B, 1, S, S]."""
    count = len(image)
    clutter = _blobs(count, int(_whole(2, 5, random)), random) * _uniform((count, 1, 1, 1), 0.1, 1.0, random)
    clutter = clutter + _blobs(count, int(_whole(6, 40, random)), random) * _uniform((count, 1, 1, 1), 0, 0.35, random)
    clutter = (clutter + _uniform((count, 3, 1, 1), -0.3, 0.9, random)).clamp(0, 1)
    others = image.roll(1 + int(_whole(0, max(count - 1, 1), random)), 0).flip(2)
    clutter = torch.where(_chance(count, 0.2, random), others, clutter)
    return torch.where(_chance(count, 0.8, random), image * mask + clutter * (1 - mask), image)


def relit(image: Tensor, random: torch.Generator) -> Tensor:
    """Other exposure, contrast, white balance, saturation, and soft light and shade across the picture."""
    count = len(image)
    linear = image.clamp(1e-3, 1) ** 2.2
    linear = linear * torch.exp(_blobs(count, 3, random) * _uniform((count, 1, 1, 1), 0, 0.8, random))
    warmth = _normal((count, 1, 1, 1), 0.16, random) * linear.new_tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1)
    tint = _normal((count, 3, 1, 1), 0.05, random)
    linear = linear * torch.exp(_normal((count, 1, 1, 1), 0.35, random) + warmth + tint)
    grey = linear.mean(1, keepdim=True)
    linear = grey + (linear - grey) * _uniform((count, 1, 1, 1), 0.45, 1.25, random)
    linear = torch.where(_chance(count, 0.06, random), grey, linear)
    curve = torch.exp(_normal((count, 1, 1, 1), 0.18, random)) / 2.2
    shown = linear.clamp(1e-4, 4) ** curve
    middle = shown.mean((1, 2, 3), keepdim=True)
    return (middle + (shown - middle) * _uniform((count, 1, 1, 1), 0.7, 1.3, random)).clamp(0, 1)


def in_front(image: Tensor, random: torch.Generator) -> Tensor:
    """Every third crop has a tilted patch in front of a part of it, as hands, hair or a microphone are."""
    count, (y, x) = len(image), torch.meshgrid(*[torch.linspace(-1, 1, SIDE)] * 2, indexing="ij")
    place = _uniform((2, count, 1, 1), -0.95, 0.95, random)
    angle, far = _uniform((count, 1, 1), 0, 3.14, random), _uniform((2, count, 1, 1), 0.08, 0.38, random)
    u = (x - place[0]) * angle.cos() + (y - place[1]) * angle.sin()
    v = (y - place[1]) * angle.cos() - (x - place[0]) * angle.sin()
    power = 2.0 if _whole(0, 2, random) else 6.0  # an ellipse, or nearly a rectangle
    patch = ((((u / far[0]).abs() ** power + (v / far[1]).abs() ** power) < 1) & _chance(count, 0.33, random)[:, 0])[
        :, None
    ]
    colour = (_uniform((count, 3, 1, 1), 0, 1, random) + 0.2 * _blobs(count, 9, random)).clamp(0, 1)
    return torch.where(patch, colour, image)


def coarse(image: Tensor, random: torch.Generator) -> Tensor:
    """Two of three crops lose resolution: shrunk to a third or more and enlarged, a few with motion blur."""
    pieces = []
    for piece in image.split(CROPS_PER_SIZE):
        side = int(SIDE * (0.31 + 0.94 * float(torch.rand((), generator=random)) ** 0.7))
        if side < SIDE:
            piece = F.interpolate(piece, size=(side, side), mode="area" if side % 2 else "bilinear")
            piece = F.interpolate(piece, size=(SIDE, SIDE), mode="bicubic" if side % 3 else "bilinear")
        if _whole(0, 8, random) == 0:
            length = int(_whole(2, 4, random))
            piece = F.avg_pool2d(F.pad(piece, (length // 2, (length - 1) // 2, 0, 0), mode="replicate"), (1, length), 1)
        pieces.append(piece)
    return torch.cat(pieces)


def noisy(image: Tensor, random: torch.Generator) -> Tensor:
    """Grain of a strength of its own in every crop, partly the same in all channels."""
    count = len(image)
    strength = _uniform((count, 1, 1, 1), 0, 1, random) ** 2 * 0.05
    grain = torch.randn(image.shape, generator=random) * 0.6 + torch.randn(count, 1, SIDE, SIDE, generator=random) * 0.8
    return image + strength * grain


def compressed(image: Tensor, random: torch.Generator) -> Tensor:
    """Every third crop [B, 3, S, S] in 0..1 stored as a JPEG of quality 15 to 90."""
    chosen = (torch.rand(len(image), generator=random) < 0.33).nonzero()[:, 0].tolist()
    for number in chosen:
        pixels = (image[number].permute(1, 2, 0) * 255 + 0.5).to(torch.uint8).numpy()
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=int(_whole(15, 90, random)))
        image[number] = torch.from_numpy(np.array(Image.open(buffer))).permute(2, 0, 1).float() / 255
    return image


def _blobs(count: int, cells: int, random: torch.Generator) -> Tensor:
    """[count, 3, 96, 96] smooth noise of about unit deviation: `cells` random values along a side, mostly grey."""
    values = torch.randn(count, 3, cells, cells, generator=random) * 0.35
    values = values + torch.randn(count, 1, cells, cells, generator=random) * 0.9
    return F.interpolate(values, size=(SIDE, SIDE), mode="bilinear", align_corners=False)


def _normal(shape, spread: float, random: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=random) * spread


def _uniform(shape, low: float, high: float, random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=random)


def _whole(low: int, high: int, random: torch.Generator) -> Tensor:
    return torch.randint(low, high, (), generator=random)


def _chance(count: int, share: float, random: torch.Generator) -> Tensor:
    return torch.rand(count, 1, 1, 1, generator=random) < share
