"""The code of a skin's atlas: what is optimised, how it is seen on the head, and what it changes on the texture."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt
from torch import Tensor, nn

from idto3d.guidance.atlas import AtlasGuidance
from idto3d.render.color import srgb_from_linear
from idto3d.render.draw import Surface, paint
from idto3d.render.dressed import Dressed, read_map

FINEST = 4  # pixels of a picture per latent, along each side, from which a latent's share of skin is counted
MARGIN = 0.02  # of an atlas's side: so far from a chart's border latents show what lies outside of it as well
SKIN = 0  # the number of the skin among a dressed head's maps


class AtlasCode(nn.Module):
    """The code [1, C, h, w] that is learned; it begins as the atlas that the head wears, `begun` [1, C, h, w]."""

    def __init__(self, begun: Tensor):
        super().__init__()
        self.code = nn.Parameter(begun.clone())
        self.register_buffer("begun", begun)


@dataclass(frozen=True, eq=False)
class SkinAtlas:
    """The skin's texture as it is worn: picture [1, 3, S, S] sRGB; covered [1, 1, S, S], 1 where there is skin; open
    [1, 1, S, S] 0..1, where it may change; inner [s, s] int64, for each texel of a decoded atlas the nearest one that
    lies MARGIN inside of a chart."""

    picture: Tensor
    covered: Tensor
    open: Tensor
    inner: Tensor

    def spread(self, difference: Tensor) -> Tensor:
        """A difference [1, 3, s, s] of decoded atlases, whose borders, where white mixes in, copy the inside."""
        return difference.flatten(2)[..., self.inner.flatten()].view_as(difference)

    def on_white(self) -> Tensor:
        """The picture as the model of atlases knows atlases: white around the charts."""
        return self.picture * self.covered + 1 - self.covered


def skin_atlas(worn: Tensor, covered: np.ndarray, hidden: np.ndarray, size: int) -> SkinAtlas:
    """What the skin wears, `worn` [S, S, 5], see `render.dressed`; it may change where it is not certain.

    hidden: [S, S] 0..1, where hair hides it; covered [S, S] bool, where there is skin at all. size: of decoded atlases.
    """
    image = worn.permute(2, 0, 1)[None]
    skin, free = (torch.from_numpy(one).to(image)[None, None] for one in (covered, covered * (1 - hidden)))
    inner = _inner(F.interpolate(skin, (size, size), mode="area")[0, 0].cpu().numpy() > 0.5)
    return SkinAtlas(srgb_from_linear(image[:, :3]), skin, (1 - image[:, 4:5]) * free, inner.to(image.device))


def _inner(covered: np.ndarray) -> Tensor:
    """[s, s] int64, see SkinAtlas; `covered` [s, s] bool."""
    away = distance_transform_edt(np.pad(covered, 1))[1:-1, 1:-1]
    rows, columns = distance_transform_edt(away <= MARGIN * len(covered), return_distances=False, return_indices=True)
    return torch.from_numpy(rows * len(covered) + columns).long()


def changed(atlas: SkinAtlas, guidance: AtlasGuidance, code: AtlasCode) -> Tensor:
    """[1, 3, S, S] sRGB: the texture with what its code has changed, at its own resolution.

    What an autoencoder of few pixels loses of a texture lies in both decoded atlases, and goes out of their difference.
    """
    with torch.no_grad():
        before = guidance.decode(code.begun)
    difference = atlas.spread(guidance.decode(code.code) - before)
    return atlas.picture + atlas.open * F.interpolate(difference, atlas.picture.shape[-2:], mode="bicubic")


def coded_views(code: Tensor, pictures: Tensor, surface: Surface, dressed: Dressed) -> Tensor:
    """Latents [B, C, h, w] of views in which the skin shows its `code` [1, C, H, W] and the rest what was encoded.

    DreamFace, equation 10: the code is drawn as a texture. pictures [B, C, h, w]: latents of the whole head's pictures;
    surface: what is seen, FINEST times as many pixels as latents on a side.
    """
    fragments = surface.fragments
    face = fragments.face[fragments.covered]
    uvs = (dressed.uvs[face] * fragments.barycentric[fragments.covered][..., None]).sum(1)
    on_skin = (dressed.worn[face] == SKIN).to(code)[:, None]
    values = torch.cat([read_map(code[0].permute(1, 2, 0), uvs.detach()) * on_skin, on_skin], 1)
    image = paint(surface, values, 0.0)[0].permute(0, 3, 1, 2)
    image = F.avg_pool2d(image, image.shape[-1] // pictures.shape[-1])
    return image[:, :-1] + (1 - image[:, -1:]) * pictures
