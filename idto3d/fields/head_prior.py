"""The head prior: a small neural head, fitted once to many synthetic heads, that every shape starts from.

Three networks of position: `shape` gives the signed distance of the mean head and its linear modes, `motion` gives
the displacement of each expression and the flow that carries a head of known coefficients back to the mean head, and
`colour` gives the mean skin. Hair volumes are formulas over the mean head's distance. Metres everywhere.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from idto3d.expressions import NAMES

HAIR_STYLES = ("bald", "buzzcut", "short", "long", "curly")
VERSION = 1
IDENTITY_COEFFICIENTS = 100
CODE = 32
CHUNK = 32768
HAIR_ALBEDO = (0.060, 0.036, 0.020)
# Height of the hairline on the skin (metres) by azimuth from the front (degrees); hair thickness at crown and sides.
HAIRLINE_DEG = (0.0, 30.0, 50.0, 65.0, 80.0, 100.0, 118.0, 140.0, 180.0)
HAIRLINE_Y = (0.084, 0.082, 0.066, 0.036, 0.040, 0.030, -0.012, -0.034, -0.042)
THICKNESS = {"buzzcut": (0.004, 0.004), "short": (0.018, 0.009), "long": (0.020, 0.016), "curly": (0.036, 0.032)}
# The horizontal section of the skull that long hair hangs from: half width, half depth, centre z, lower end (metres).
CURTAIN = (0.084, 0.094, 0.002, -0.155)


@dataclass(frozen=True)
class PriorSize:
    """How large the networks are; written to the file's metadata."""

    modes: int = 40
    embedding: int = 128
    shape_width: int = 128
    motion_width: int = 96
    colour_width: int = 64


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
        phase = points @ self.frequency
        return self.layers(torch.cat([points * 10.0, phase.sin(), phase.cos()], -1))


class HeadPrior(nn.Module):
    """Signed distance, expression motion and albedo of an average head and its variations; see the methods."""

    def __init__(self, size: PriorSize = PriorSize()):
        super().__init__()
        self.size = size
        self.shape = PositionNetwork(1 + size.modes, size.shape_width, 64, 0.012)
        self.motion = PositionNetwork(3 * (CODE + size.modes), size.motion_width, 48, 0.025)
        self.colour = PositionNetwork(3, size.colour_width, 48, 0.012)
        self.codes = nn.Parameter(torch.randn(len(NAMES), CODE, generator=torch.Generator().manual_seed(1)))
        self.register_buffer("coefficient_map", torch.zeros(IDENTITY_COEFFICIENTS, size.modes))
        self.register_buffer("embedding_mean", torch.zeros(size.embedding))
        self.register_buffer("shape_map", torch.zeros(size.embedding, size.modes))
        self.register_buffer("shape_bias", torch.zeros(size.modes))
        self.register_buffer("style_map", torch.zeros(size.embedding, len(HAIR_STYLES)))
        self.register_buffer("style_bias", torch.zeros(len(HAIR_STYLES)))

    def basis(self, points: Tensor) -> SdfBasis:
        """Mean distance, modes and hair volumes at `points` [N, 3] metres (canonical pose: lips parted, eyes open)."""
        values = _in_chunks(self.shape, points) * 0.01
        return SdfBasis(values[:, 0], values[:, 1:], hair_distances(points, values[:, 0]))

    def to_mean(self, points: Tensor, z: Tensor) -> Tensor:
        """[N, 3] where `points` [N, 3] on a head of coefficients `z` [K] lie on the mean head, metres."""
        flow = _in_chunks(self.motion, points)[:, 3 * CODE :] * 0.01
        return points - torch.einsum("nkc,k->nc", flow.view(len(points), -1, 3), z)

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
        basis = self.basis(points)
        skin = torch.sigmoid(_in_chunks(self.colour, points))
        covered = torch.sigmoid((0.002 - basis.hair[:, 1:].amin(1)) / 0.001)
        hair = (torch.sigmoid((basis.mean - 0.003) / 0.0006) * covered)[:, None]
        return skin * (1 - hair) + hair * skin.new_tensor(HAIR_ALBEDO)

    def shape_code(self, embedding: Tensor) -> Tensor:
        """Coefficients z [K] (about unit normal over people) for a face `embedding` [D]; zeros when unfitted."""
        return self._centred(embedding) @ self.shape_map + self.shape_bias

    def hair_style(self, embedding: Tensor) -> Tensor:
        """Scores [S] of HAIR_STYLES for a face `embedding` [D], about probabilities; zeros when unfitted."""
        return self._centred(embedding) @ self.style_map + self.style_bias

    def _centred(self, embedding: Tensor) -> Tensor:
        if embedding.shape[-1] != self.size.embedding:
            raise ValueError(f"embedding must have {self.size.embedding} values, got {embedding.shape[-1]}")
        return embedding - self.embedding_mean


def hair_distances(points: Tensor, bald: Tensor) -> Tensor:
    """[N, S] signed distance in metres of each style's hair volume; `bald` [N] is the bald head's at `points` [N, 3].

    A style is the scalp thickened, diving under the skin at the hairline; long hair also hangs from the skull.
    """
    above = points[:, 1] - hairline_height(points)
    scalp, top = _smooth(above, 0.0, 0.014), _smooth(points[:, 1], 0.06, 0.13)
    sunk = 0.005 + 0.1 * (-above).clamp(min=0)
    columns = [torch.full_like(bald, 0.05)]
    for style in HAIR_STYLES[1:]:
        crown, side = THICKNESS[style]
        shell = bald - (side + (crown - side) * top) * scalp + sunk * (1 - scalp)
        columns.append(torch.minimum(shell, _curtain(points)) if style == "long" else shell)
    return torch.stack(columns, -1)


def hairline_height(points: Tensor) -> Tensor:
    """[N] height y in metres of the hairline at the azimuth of `points` [N, 3]."""
    angle = torch.rad2deg(torch.atan2(points[:, 0].abs(), points[:, 2]))
    knots, heights = points.new_tensor(HAIRLINE_DEG), points.new_tensor(HAIRLINE_Y)
    upper = torch.bucketize(angle, knots).clamp(1, len(knots) - 1)
    blend = (angle - knots[upper - 1]) / (knots[upper] - knots[upper - 1])
    return heights[upper - 1] + blend.clamp(0, 1) * (heights[upper] - heights[upper - 1])


def _curtain(points: Tensor) -> Tensor:
    width, depth, centre, end = CURTAIN
    x, y, z = points[:, 0], points[:, 1], points[:, 2] - centre
    radius = torch.sqrt((x / width) ** 2 + (z / depth) ** 2 + 1e-8)
    outside = (radius - 1) * (width + depth) / 2 - 0.016 * _smooth(y, end - 0.03, end + 0.06)
    front = z - 0.36 * x.abs() + 0.006  # the plane at 70 degrees from the front, on either side
    return torch.stack([outside, front, end - y, y - 0.05], -1).amax(-1)


def _smooth(x: Tensor, low: float, high: float) -> Tensor:
    t = ((x - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def _in_chunks(network: nn.Module, points: Tensor) -> Tensor:
    # Without gradients a chunk at a time stays in the processor's cache; with gradients nothing is gained.
    if torch.is_grad_enabled() or len(points) <= CHUNK:
        return network(points)
    return torch.cat([network(part) for part in points.split(CHUNK)])


def save_prior(prior: HeadPrior, path: str | Path, provenance: dict) -> None:
    """Write `prior` as safetensors; `provenance` (JSON types) says what it was fitted to."""
    description = {
        "version": VERSION,
        "units": "metres",
        "size": vars(prior.size),
        "styles": HAIR_STYLES,
        "expressions": NAMES,
        "provenance": provenance,
    }
    tensors = {name: value.detach().float().contiguous().cpu() for name, value in prior.state_dict().items()}
    save_file(tensors, str(path), metadata={"head_prior": json.dumps(description)})


def load_prior(path: str | Path, device: str | torch.device = "cpu") -> HeadPrior:
    """The prior written by `save_prior`, without gradients. Raises ValueError for a file this code does not read."""
    description = read_description(path)
    if description.get("version") != VERSION or tuple(description["expressions"]) != NAMES:
        raise ValueError(f"{path} is not a head prior of version {VERSION} over our expressions")
    prior = HeadPrior(PriorSize(**description["size"]))
    with safe_open(str(path), "pt") as file:
        prior.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    return prior.requires_grad_(False).to(device)


def read_description(path: str | Path) -> dict:
    """The JSON metadata of a prior's file; {} when it has none."""
    with safe_open(str(path), "pt") as file:
        return json.loads((file.metadata() or {}).get("head_prior", "{}"))
