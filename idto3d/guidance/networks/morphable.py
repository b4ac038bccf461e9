"""A small morphable head with hair and beard that follows the conditions, and is drawn beside the noise.

The UNet sees the latents of its picture next to the noisy ones and refines them, as DiffusionRig (Ding et al., CVPR
2023) conditions its denoiser on pixel-aligned renders of a fitted morphable model. Where a face is, how it is
turned and what an expression does to it need not be learned from pictures; and all views show one and the same head.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from idto3d.guidance.cameras import angles_of
from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import Camera, standard_cameras
from idto3d.render.draw import Surface, camera_normals, draw_surface, paint, sample
from idto3d.render.rasterizer import Rasterizer
from idto3d.words.prompts import MEDIA

COLOUR_NUMBERS = 9  # numbers of the colours of skin, of hair, and of brows and beard, sRGB
HANDLES_PER_VERTEX = 8  # handles that a vertex follows
BEARD_TONE = 0.95  # of the colour of brows: a beard's, in sRGB
SUPERSAMPLING = 2  # times as many pixels on a side are drawn and averaged, as in the maps that are trained on
BEHIND_Z = -0.15  # camera-space z below which a normal shows the inside of an open shell, which is drawn as its outside


@dataclass(frozen=True)
class MorphableSize:
    """How many of everything there are. `hair`: vertices and faces of each hair style's mesh; zeros for a bald head."""

    vertices: int
    handles: int
    faces: int
    modes: int
    moves: int
    words: int
    hair: tuple[tuple[int, int], ...]
    beards: int
    id_rank: int = 192
    hidden: int = 192


@dataclass(frozen=True)
class Figures:
    """What is read from the conditions of B pictures.

    shape [B, K] coefficients of the modes; skin, hair, brows [B, 3] colours in sRGB; style, beard [B] the numbers of
    hair and beard; moves [B, E] how much of each expression.
    """

    shape: Tensor
    skin: Tensor
    hair: Tensor
    brows: Tensor
    style: Tensor
    beard: Tensor
    moves: Tensor


class MorphableHead(ModelMixin, ConfigMixin):
    """Pictures of the head that conditions describe: a mean head in metres that modes and expressions move.

    A condition that is all zeros is unknown. `words` tells from mean text states which words are said; shape and
    colours follow from these and the whitened identity by a linear map and a small network. Modes and expressions move
    a few handles; every vertex follows the eight `near` it, each by its share `pull`. The skin's colours in sRGB are
    `paint[0] + paint[1] * skin + paint[2] * brows`. A beard covers them by `beard_cover` and stands off the way
    `beard_way`, `beard_depth` metres where it covers all. A style's hair hangs from the vertices `hair_roots`, its
    colour times `hair_shade`.
    """

    @register_to_config
    def __init__(self, text_dim: int, id_dim: int, image_size: int, size: dict):
        super().__init__()
        self.size = sizes = MorphableSize(**size)
        strands = [sum(counts) for counts in zip(*sizes.hair, strict=True)]
        self.words = nn.Linear(text_dim, sizes.words)
        self.identity = nn.Linear(id_dim, min(id_dim, sizes.id_rank))
        self.expression = nn.Linear(text_dim, sizes.moves, bias=False)
        features, outputs = sizes.words + self.identity.out_features, sum(self._outputs())
        self.plain, self.hidden = nn.Linear(features, outputs), nn.Linear(features, sizes.hidden)
        self.bent = nn.Linear(sizes.hidden, outputs)
        self._draws: tuple[torch.device, Rasterizer] | None = None
        for name, shape in {
            "mean": (sizes.vertices, 3),
            "modes": (sizes.modes, sizes.handles, 3),
            "moves": (sizes.moves, sizes.handles, 3),
            "pull": (sizes.vertices, HANDLES_PER_VERTEX),
            "paint": (3, sizes.vertices, 3),
            "beard_way": (sizes.vertices, 3),
            "beard_depth": (sizes.beards,),
            "beard_cover": (sizes.beards, sizes.vertices),
            "hair_offsets": (strands[0], 3),
            "hair_shade": (strands[0],),
        }.items():
            self.register_buffer(name, torch.zeros(shape))
        places = {"faces": (sizes.faces, 3), "hair_roots": (strands[0],), "hair_faces": (strands[1], 3)}
        for name, shape in {**places, "near": (sizes.vertices, HANDLES_PER_VERTEX)}.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.int32))

    def _outputs(self) -> tuple[int, ...]:
        """How many numbers `estimate` tells of shape, of each of the colours, of styles and of beards."""
        size = self.size
        return (size.modes, *[COLOUR_NUMBERS // 3] * 3, len(size.hair), size.beards)

    @torch.no_grad()
    def forward(
        self,
        domain: str,
        text: Tensor,
        identity: Tensor,
        expression: Tensor,
        camera: Tensor,
        strengths: tuple[float | Tensor, float] = (1.0, 1.0),
        background: float = 1.0,
    ) -> Tensor:
        """Pictures [B, 3, S, S] in 0..1, normal maps or sRGB albedo; of an unknown camera the `background` alone.

        From mean text states [B, C], identity [B, D], pooled descriptor [B, C] and `camera_codes` [B, 3]. `strengths`
        are lambda_id, which may be [B, 1], and lambda_exp. Float32 inside even under autocast, in whose precision a
        head would have steps.
        """
        if domain not in MEDIA:
            raise ValueError(f"domain: expected one of {tuple(MEDIA)}, got {domain}")
        size = self.config.image_size
        pictures = torch.full((len(text), 3, size, size), background, device=camera.device)
        with torch.autocast(camera.device.type, enabled=False):
            figures = self.figures(text.float(), identity.float(), expression.float(), strengths)
            cameras = standard_cameras(*angles_of(camera.float()))
            for index in camera.any(-1).nonzero()[:, 0].tolist():
                one = Camera(cameras.c2w[index : index + 1], cameras.fov_y)
                pictures[index] = self._picture(domain, figures, index, one, background)
        return pictures

    def figures(self, text: Tensor, identity: Tensor, expression: Tensor, strengths=(1.0, 1.0)) -> Figures:
        """What the conditions say, see `forward`. A word is said or not: half said it would be another colour."""
        said = (self.words(text) > 0.5).float() * text.any(-1, keepdim=True)
        known = strengths[0] * self.identity(identity) * identity.any(-1, keepdim=True)
        shape, skin, hair, brows, styles, beards = self.estimate(torch.cat([said, known], 1)).split(self._outputs(), 1)
        moves = strengths[1] * self.expression(expression)
        return Figures(shape, skin, hair, brows, styles.argmax(1), beards.argmax(1), moves)

    def estimate(self, features: Tensor) -> Tensor:
        """[B, K + 9 + styles + beards] shape, colours, and scores of styles and of beards, of `features` [B, F]."""
        return self.plain(features) + self.bent(nn.functional.silu(self.hidden(features)))

    def _picture(self, domain: str, figures: Figures, index: int, camera: Camera, background: float) -> Tensor:
        vertices, faces, colours = self.dressed(figures, index)
        rasterizer = self._rasterizer(vertices.device)
        surface = draw_surface(vertices, faces, camera, rasterizer, SUPERSAMPLING * self.config.image_size)
        values = (outward(surface) + 1) / 2 if domain == "geometry" else sample(surface, colours)
        return avg_pool2d(paint(surface, values, background)[0].permute(0, 3, 1, 2), SUPERSAMPLING)[0].clamp(0, 1)

    def _rasterizer(self, device: torch.device) -> Rasterizer:
        """Made once: that of a GPU holds buffers."""
        if self._draws is None or self._draws[0] != device:
            self._draws = (device, make_rasterizer(device))
        return self._draws[1]

    def dressed(self, figures: Figures, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Vertices [V, 3] metres, faces [F, 3] and sRGB colours [V, 3] of one head of `figures`, its hair included."""
        rest = self.mean + self.followed(torch.einsum("k,khc->hc", figures.shape[index], self.modes))
        moved = self.followed(torch.einsum("e,ehc->hc", figures.moves[index], self.moves))
        beard, cover = figures.beard[index], self.beard_cover[figures.beard[index], :, None]
        skin = rest + moved + self.beard_depth[beard] * cover * self.beard_way
        colours = self._coloured(figures, index, cover)
        first, last = (_span([count[part] for count in self.size.hair], int(figures.style[index])) for part in (0, 1))
        hair = rest[self.hair_roots[first].long()] + self.hair_offsets[first]
        shades = self.hair_shade[first, None] * figures.hair[index]
        faces = torch.cat([self.faces.long(), self.hair_faces[last].long() + len(skin)])
        return torch.cat([skin, hair]), faces, torch.cat([colours, shades]).clamp(0, 1)

    def followed(self, handles: Tensor) -> Tensor:
        """How far all vertices move [V, 3] where the handles move by `handles` [H, 3]."""
        return torch.einsum("vk,vkc->vc", self.pull, handles[self.near.long()])

    def _coloured(self, figures: Figures, index: int, cover: Tensor) -> Tensor:
        """sRGB colours [V, 3] of the skin and brows of one head, and of the beard that has a `cover` [V, 1]."""
        brows = figures.brows[index]
        bare = self.paint[0] + self.paint[1] * figures.skin[index] + self.paint[2] * brows
        return bare * (1 - cover) + BEARD_TONE * brows * cover


def outward(surface: Surface) -> Tensor:
    """Camera-space normals [P, 3] as `camera_normals`, those of the inside of open shells turned over."""
    normals = camera_normals(surface)
    return torch.where(normals[:, 2:] < BEHIND_Z, -normals, normals)


def _span(counts: Sequence[int], place: int) -> slice:
    first = sum(counts[:place])
    return slice(first, first + counts[place])
