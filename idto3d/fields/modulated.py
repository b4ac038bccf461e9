"""Networks that an expression code modulates: the transformer runs once per expression, the mlp once per point.

FiLM: every hidden layer's output is scaled and shifted, channel by channel (Perez et al. 2018).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

CODE_SIZE = 32
WIDTH = 64
HIDDEN_LAYERS = 2
HEADS = 4


@dataclass(frozen=True, eq=False)
class Film:
    """scale and shift [E, L, H] of each of L hidden layers with H channels, for E expressions; scale is about 0."""

    scale: Tensor
    shift: Tensor


@contextmanager
def seeded(generator: torch.Generator | None) -> Iterator[None]:
    """Make torch's own initialisers draw from `generator`, and leave the global random state as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
        yield


class ExpressionTransformer(nn.Module):
    """Expression codes to FiLM: tokens for the code, an optional context and each modulated layer, attending freely.

    `depth` is 4 for shapes and 3 for materials, as in ID-to-3D. `context` is the size of the context vector, 0 for
    none.
    """

    def __init__(self, depth: int, context: int = 0, generator: torch.Generator | None = None):
        super().__init__()
        with seeded(generator):
            self.read_code = nn.Linear(CODE_SIZE, WIDTH)
            self.read_context = nn.Linear(context, WIDTH) if context else None
            self.queries = nn.Parameter(torch.randn(HIDDEN_LAYERS, WIDTH))
            layer = nn.TransformerEncoderLayer(
                WIDTH, HEADS, 2 * WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            self.layers = nn.TransformerEncoder(layer, depth, nn.LayerNorm(WIDTH), enable_nested_tensor=False)
            self.write = nn.Linear(WIDTH, 2 * WIDTH)

    def forward(self, codes: Tensor, context: Tensor | None = None) -> Film:
        """FiLM for `codes` [E, 32] and `context` [context]."""
        tokens = [self.read_code(codes)[:, None], self.queries.expand(len(codes), -1, -1)]
        if self.read_context is not None:
            tokens.append(self.read_context(context).expand(len(codes), 1, -1))
        read = self.layers(torch.cat(tokens, 1))[:, 1 : 1 + HIDDEN_LAYERS]
        scale, shift = self.write(read).chunk(2, -1)
        return Film(scale, shift)


class ModulatedMlp(nn.Module):
    """Features shared by all expressions through two hidden layers of 64, modulated per expression; starts at zero."""

    def __init__(self, in_channels: int, out_channels: int, generator: torch.Generator | None = None):
        super().__init__()
        with seeded(generator):
            sizes = [in_channels] + [WIDTH] * HIDDEN_LAYERS
            self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in zip(sizes, sizes[1:], strict=False))
        self.out = zero_linear(WIDTH, out_channels)

    def forward(self, features: Tensor, film: Film) -> Tensor:
        """[E, N, out_channels] from `features` [N, in_channels] under `film` of E expressions."""
        hidden = features.expand(len(film.scale), -1, -1)
        for level, layer in enumerate(self.hidden):
            hidden = nn.functional.silu(_modulated(layer, hidden, film.scale[:, level], film.shift[:, level]))
        return self.out(hidden)


class SmallMlp(nn.Module):
    """Features [N, in_channels] -> [N, out_channels] by one hidden layer; starts at zero."""

    def __init__(self, in_channels: int, out_channels: int, width: int = 32, generator: torch.Generator | None = None):
        super().__init__()
        with seeded(generator):
            self.hidden = nn.Linear(in_channels, width)
        self.out = zero_linear(width, out_channels)

    def forward(self, features: Tensor) -> Tensor:
        """[N, out_channels] from `features` [N, in_channels]."""
        return self.out(nn.functional.silu(self.hidden(features)))


def zero_linear(in_channels: int, out_channels: int) -> nn.Linear:
    """A linear layer that gives zeros until it is trained; draws nothing."""
    layer = nn.utils.skip_init(nn.Linear, in_channels, out_channels)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _modulated(layer: nn.Linear, hidden: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """(1 + scale) layer(hidden) + shift per expression, with the FiLM folded into the layer's weights: one product."""
    gain = 1 + scale
    weight = layer.weight * gain[..., None]
    bias = layer.bias * gain + shift
    return torch.baddbmm(bias[:, None], hidden, weight.transpose(1, 2))
