"""Our own small scorer: a network of pictures and one of words that meet in one space, and one of coefficients.

A picture's embedding and that of words are the closer, the better the words fit. `Shortcut` says of a head's
coefficients what its clay pictures' mean embedding is expected to be, so that many heads need not be drawn.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from idto3d.words.faces.table import TOKENS

SIZE, WIDTH = 64, 64  # pixels of a picture's side, numbers of an embedding


class PictureTower(nn.Module):
    """Pictures [B, 3, 64, 64] sRGB 0..1 -> [B, 64], not of length 1."""

    def __init__(self, width: int = WIDTH):
        super().__init__()
        layers, channels = [], 3
        for out, kernel in ((24, 5), (40, 3), (72, 3), (112, 3)):
            layers += [nn.Conv2d(channels, out, kernel, 2, kernel // 2), nn.GroupNorm(4, out), nn.SiLU()]
            channels = out
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * channels, 160), nn.SiLU())
        self.last = nn.Linear(160, width)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.last(self.layers(2 * pictures - 1))


class TextTower(nn.Module):
    """Which tokens are said [B, T] 0 or 1 -> [B, 64], not of length 1."""

    def __init__(self, tokens: int = len(TOKENS), width: int = WIDTH):
        super().__init__()
        self.tokens = nn.Linear(tokens, 96)
        self.layers = nn.Sequential(nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, width))
        self.straight = nn.Linear(tokens, width, bias=False)

    def forward(self, said: Tensor) -> Tensor:
        return self.layers(self.tokens(said)) + self.straight(said)


class Shortcut(nn.Module):
    """Identity coefficients [B, K] of the template -> [B, 64], about the mean embedding of a head's clay pictures."""

    def __init__(self, modes: int, width: int = WIDTH):
        super().__init__()
        self.straight = nn.Linear(modes, width)
        self.layers = nn.Sequential(nn.Linear(modes, 256), nn.SiLU(), nn.Linear(256, 192), nn.SiLU())
        self.last = nn.Linear(192, width)

    def forward(self, coefficients: Tensor) -> Tensor:
        return self.straight(coefficients) + self.last(self.layers(coefficients))


class Towers(nn.Module):
    """All networks of the scorer; `styles` [S, 64] and `colours` [C, 64] are mean embeddings of hair in pictures."""

    def __init__(self, modes: int, styles: int, colours: int, tokens: int = len(TOKENS)):
        super().__init__()
        self.picture, self.text, self.shortcut = PictureTower(), TextTower(tokens), Shortcut(modes)
        self.register_buffer("styles", torch.zeros(styles, WIDTH))
        self.register_buffer("colours", torch.zeros(colours, WIDTH))


def said_tokens(tokens: Sequence[str], known: Sequence[str] = TOKENS) -> Tensor:
    """[T] 1 for each of `known` that is among `tokens`."""
    return torch.tensor([float(token in tokens) for token in known])
