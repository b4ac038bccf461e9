"""The head prior: a small neural head, fitted once to many synthetic heads, that every shape starts from.

The mean head's signed distance lies on two lattices, a coarse one of the whole box and a fine one of the face. Two
networks of position do the rest: `motion` gives the displacement of each expression and the flow that carries a head
of known coefficients back to the mean head, `colour` the mean skin. The modes of the distance follow from the flow and
the mean's slope; hair volumes are formulas over the mean's distance. Metres everywhere.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from idto3d.head.beards import beard_cover, beard_thickness
from idto3d.head.hair_volumes import hair_distances, rounded_intersection, smooth
from idto3d.words.expressions import NAMES
from idto3d.words.traits import HAIR_STYLES

CODE = 32
POINTS_AT_ONCE = 32768
BOX = ((-0.15, -0.21, -0.15), (0.15, 0.17, 0.15))
FACE_BOX = ((-0.072, -0.062, 0.045), (0.072, 0.076, 0.135))
LATTICE_BLEND_M = 0.008  # width of the border in which the fine lattice takes over from the coarse one, metres
SLOPE_STEP = 0.002  # half the step of the finite differences of the distance, metres
BUST_END_Y_M = -0.192  # the bust's flat end, inside the box, metres
BUST_RIM_M = 0.016  # over which the bust's side is rounded into its end, metres
SKIN_ALBEDO = (0.45, 0.27, 0.19)  # of the mean head
NO_SKIN = (0.25, 0.60)  # squared distances of logarithms of colours from skin's: less and less, then no skin at all
HAIR_ALBEDO = (0.060, 0.036, 0.020)


@dataclass(frozen=True)
class PriorSize:
    """How large the lattices and networks are; written to the file's metadata."""

    modes: int = 40
    embedding: int = 128
    coarse: float = 0.0035  # spacing of the lattice of the whole box, metres
    fine: float = 0.002  # spacing of the lattice of the face, metres
    motion_width: int = 128
    colour_width: int = 96
    coefficients: int = 100  # identity modes of the model it is fitted to
    words: tuple[str, ...] = ()  # words and phrases that have a code


@dataclass(frozen=True)
class SdfBasis:
    """Distances at N points, metres, negative inside: the bald head of coefficients z is `mean + modes @ z`."""

    mean: Tensor  # [N]
    modes: Tensor  # [N, K]
    hair: Tensor  # [N, S] hair volume of each of HAIR_STYLES on the mean head; add `modes @ z` to carry it along


class PositionNetwork(nn.Module):
    """Points [N, 3] metres -> [N, outputs]: Fourier features of wavelengths `finest`..0.6 m, then a small mlp."""

    def __init__(self, outputs: int, width: int, features: int, finest: float):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        direction = nn.functional.normalize(torch.randn(features, 3, generator=generator), dim=1)
        wavelength = 0.6 * (finest / 0.6) ** torch.linspace(0, 1, features)
        self.register_buffer("frequency", direction.T * (2 * torch.pi / wavelength))
        sizes = (2 * features + 3, width, width, width)
        layers = [part for pair in zip(sizes, sizes[1:], strict=False) for part in (nn.Linear(*pair), nn.SiLU())]
        self.layers = nn.Sequential(*layers, nn.Linear(width, outputs))

    def forward(self, points: Tensor) -> Tensor:
        return self.layers[-1](self.hidden(points))

    def hidden(self, points: Tensor) -> Tensor:
        """[N, width] what the last layer, which is linear, is given at `points` [N, 3]."""
        phase = points @ self.frequency
        return self.layers[:-1](torch.cat([points * 10.0, phase.sin(), phase.cos()], -1))


class HeadPrior(nn.Module):
    """Signed distance, expression motion and albedo of an average head and its variations; see the methods.

    `styles` are the hair styles that its regression from a face knows; its hair volumes are all of HAIR_STYLES.
    """

    def __init__(self, size: PriorSize = PriorSize(), styles: tuple[str, ...] = HAIR_STYLES):
        super().__init__()
        self.size, self.styles = size, styles
        self.register_buffer("coarse", torch.zeros(lattice(BOX, size.coarse).shape[:3]))
        self.register_buffer("fine", torch.zeros(lattice(FACE_BOX, size.fine).shape[:3]))
        self.motion = PositionNetwork(3 * (CODE + size.modes), size.motion_width, 48, 0.015)
        self.colour = PositionNetwork(3, size.colour_width, 64, 0.007)
        self.codes = nn.Parameter(torch.randn(len(NAMES), CODE, generator=torch.Generator().manual_seed(1)))
        self.register_buffer("coefficient_map", torch.zeros(size.coefficients, size.modes))
        self.register_buffer("expected_map", torch.zeros(size.coefficients, size.modes))
        self.register_buffer("word_codes", torch.zeros(len(size.words), size.modes))
        self.register_buffer("embedding_mean", torch.zeros(size.embedding))
        self.register_buffer("shape_map", torch.zeros(size.embedding, size.modes))
        self.register_buffer("shape_bias", torch.zeros(size.modes))
        self.register_buffer("style_map", torch.zeros(size.embedding, len(styles)))
        self.register_buffer("style_bias", torch.zeros(len(styles)))

    def mean_distance(self, points: Tensor) -> Tensor:
        """[N] signed distance of the mean bald head at `points` [N, 3], metres; canonical pose."""
        low, high = points.new_tensor(FACE_BOX)
        depth = torch.minimum(points - low, high - points).amin(-1)
        share = smooth(depth, 0.0, LATTICE_BLEND_M)
        fine, coarse = _read(self.fine, FACE_BOX, points), _read(self.coarse, BOX, points)
        return _floored(coarse + share * (fine - coarse), points)

    def basis(self, points: Tensor) -> SdfBasis:
        """Mean distance, modes and hair volumes at `points` [N, 3] metres (canonical pose: lips parted, eyes open).

        A mode is the flow against the mean's slope: the distance's first-order change as the surface moves.
        """
        mean, flow = self.mean_distance(points), self._flow(points)
        modes = -torch.einsum("nkc,nc->nk", flow, self._slope(points))
        low, high = BUST_END_Y_M - 0.013, BUST_END_Y_M + 0.012
        kept = smooth(points[:, 1], low, high)[:, None]  # the flat end of the neck stays
        return SdfBasis(mean, modes * kept, hair_distances(points, mean))

    def distance(self, points: Tensor, z: Tensor) -> Tensor:
        """[N] signed distance of the bald head of coefficients `z` [K]: the mean's where the flow carries `points`.

        Keeps lips, lids and ears whole where `mean + modes @ z` of a far z would smear them; not linear in z.
        """
        return _floored(self.mean_distance(self.to_mean(points, z)), points)

    def _flow(self, points: Tensor) -> Tensor:
        values = _in_chunks(self.motion, points)[:, 3 * CODE :] * 0.01
        return values.view(len(points), -1, 3)

    def _slope(self, points: Tensor) -> Tensor:
        steps = SLOPE_STEP * torch.eye(3, dtype=points.dtype, device=points.device)
        change = [self.mean_distance(points + step) - self.mean_distance(points - step) for step in steps]
        return torch.stack(change, -1) / (2 * SLOPE_STEP)

    def to_mean(self, points: Tensor, z: Tensor) -> Tensor:
        """[N, 3] where `points` [N, 3] on a head of coefficients `z` [K] lie on the mean head, metres.

        `points - flow @ z`, with z folded into the network's last layer, of whose 240 outputs three are left.
        """
        last = self.motion.layers[-1]
        weight, bias = (part[3 * CODE :].unflatten(0, (-1, 3)) for part in (last.weight, last.bias))
        weight, bias = torch.einsum("kch,k->ch", weight, z), torch.einsum("kc,k->c", bias, z)
        carried = _in_chunks(lambda part: self.motion.hidden(part) @ weight.T + bias, points)
        return points - 0.01 * carried

    def warp(self, points: Tensor, z: Tensor | None = None) -> Tensor:
        """[N, 13, 3] displacement in metres from the canonical pose to each expression of expressions.NAMES.

        points: [N, 3] canonical positions, metres. z: [K] coefficients of the head they lie on, the mean head if None.
        """
        return self.displacement(points, self.codes, z)

    def displacement(self, points: Tensor, codes: Tensor, z: Tensor | None = None) -> Tensor:
        """[N, E, 3] displacement in metres for expression `codes` [E, 32]; linear in the code."""
        points = points if z is None else self.to_mean(points, z)
        modes = _in_chunks(self.motion, points)[:, : 3 * CODE].view(len(points), CODE, 3)
        return torch.einsum("nkc,ek->nec", modes, codes) * (0.01 / CODE**0.5)

    def albedo(self, points: Tensor, z: Tensor | None = None) -> Tensor:
        """[N, 3] mean linear albedo 0..1 at canonical `points` [N, 3]: skin, lips, brows, eyes; hair off the scalp."""
        points = points if z is None else self.to_mean(points, z)
        skin, hair = torch.sigmoid(_in_chunks(self.colour, points)), self.hair_share(points)
        return skin * (1 - hair) + hair * skin.new_tensor(HAIR_ALBEDO)

    def hair_share(self, points: Tensor) -> Tensor:
        """[N, 1] how much of what lies at `points` [N, 3] on the mean head is hair, 0..1: off the scalp, in a style."""
        mean = self.mean_distance(points)
        covered = torch.sigmoid((0.004 - hair_distances(points, mean)[:, 1:].amin(1)) / 0.001)
        return (torch.sigmoid((mean - 0.003) / 0.0006) * covered)[:, None]

    def beard_share(self, points: Tensor) -> Tensor:
        """[N, B] how much each of BEARDS hides at `points` [N, 3] on the mean head, 0..1; lips are spared."""
        unlike = _unlike_skin(torch.sigmoid(_in_chunks(self.colour, points)))
        return beard_cover(points) * (1 - smooth(unlike, *NO_SKIN))

    def beard(self, points: Tensor, z: Tensor) -> Tensor:
        """[N, B] metres by which each of BEARDS thickens a head of coefficients `z` [K] at `points` [N, 3]."""
        on_mean = self.to_mean(points, z)
        return beard_thickness(on_mean, self.beard_share(on_mean))

    def shape_code(self, embedding: Tensor) -> Tensor:
        """Coefficients z [K] (about unit normal over people) for a face `embedding` [D]; zeros when unfitted."""
        return self._centred(embedding) @ self.shape_map + self.shape_bias

    @property
    def reads_faces(self) -> bool:
        """Whether an embedding says anything about the shape."""
        return bool(self.shape_map.any())

    @property
    def phrases(self) -> tuple[str, ...]:
        """The words and phrases that have a say in the shape, such as "old" and "round face"."""
        return self.size.words

    def word_shift(self, phrases: Collection[str]) -> Tensor:
        """[K] what `phrases` add to z: "old", "middle aged", "round face"; nothing for others."""
        said = [float(phrase in phrases) for phrase in self.phrases]
        return self.word_codes.new_tensor(said) @ self.word_codes

    def expected_coefficients(self, z: Tensor) -> Tensor:
        """Identity coefficients [C] expected of a person whose shape code is `z` [K]."""
        return self.expected_map @ z

    def code_of(self, coefficients: Tensor) -> Tensor:
        """The shape code z [K] of a head of identity `coefficients` [C]."""
        return coefficients @ self.coefficient_map

    def hair_style(self, embedding: Tensor) -> Tensor:
        """Scores [len(styles)] of `styles` for a face `embedding` [D], about probabilities; zeros when unfitted."""
        return self._centred(embedding) @ self.style_map + self.style_bias

    def _centred(self, embedding: Tensor) -> Tensor:
        if embedding.shape[-1] != self.size.embedding:
            raise ValueError(f"embedding must have {self.size.embedding} values, got {embedding.shape[-1]}")
        return embedding - self.embedding_mean


def _floored(distance: Tensor, points: Tensor) -> Tensor:
    """`distance` [N] of a head that ends at BUST_END_Y_M, in a rim that is round enough for a coarse grid to follow."""
    return rounded_intersection(distance, BUST_END_Y_M - points[:, 1], BUST_RIM_M)


def _unlike_skin(albedo: Tensor) -> Tensor:
    """[N, 1] squared distance between the logarithms of `albedo` [N, 3] and of SKIN_ALBEDO."""
    gap = albedo.clamp_min(1e-3).log() - albedo.new_tensor(SKIN_ALBEDO).log()
    return gap.square().sum(-1, keepdim=True)


def lattice_points(box: tuple, spacing: float) -> int:
    """How many points such a `lattice` has."""
    return math.prod(_counts(box, spacing))


def _counts(box: tuple, spacing: float) -> list[int]:
    return [round((high - low) / spacing) + 1 for low, high in zip(*box, strict=True)]


def lattice(box: tuple, spacing: float) -> Tensor:
    """[D, H, W, 3] points of a regular lattice over `box` (low, high corners), z slowest; about `spacing` apart."""
    axes = [torch.linspace(low, high, count) for low, high, count in zip(*box, _counts(box, spacing), strict=True)]
    z, y, x = torch.meshgrid(*reversed(axes), indexing="ij")
    return torch.stack([x, y, z], -1)


def _read(values: Tensor, box: tuple, points: Tensor) -> Tensor:
    """[N] trilinear values of a lattice [D, H, W] over `box` at `points` [N, 3]; beyond the box, of its border."""
    low, high = points.new_tensor(box)
    place = (2 * (points - low) / (high - low) - 1).view(1, -1, 1, 1, 3)
    return nn.functional.grid_sample(values[None, None], place, padding_mode="border", align_corners=True).view(-1)


def _in_chunks(network: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    # Without gradients a chunk at a time stays in the processor's cache; with gradients nothing is gained.
    if torch.is_grad_enabled() or len(points) <= POINTS_AT_ONCE:
        return network(points)
    return torch.cat([network(part) for part in points.split(POINTS_AT_ONCE)])
