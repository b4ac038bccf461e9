"""One interface for scorers of pictures and words: how well a picture shows a text is the product of two vectors.

Ours is small and hears a closed list of words; CLIP (see `clip`) hears any.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize

from idto3d.guidance.scorer.file import Scoring
from idto3d.guidance.scorer.towers import SIZE, said_tokens
from idto3d.words.faces.heard import heard_tokens, of_shape

AT_ONCE = 8192  # heads whose embeddings are guessed together


class Scorer(Protocol):
    """What judges how well pictures fit words. Embeddings are float32 of length 1, on the CPU."""

    title: str

    def text(self, prompts: Sequence[str], colours: bool = True) -> Tensor:
        """[N, D] embeddings of texts; without `colours` of what a clay picture can show of them."""

    def pictures(self, pictures: np.ndarray) -> Tensor:
        """[N, D] embeddings of `pictures` [N, S, S, 3] uint8 sRGB."""

    def heads(self, coefficients: np.ndarray) -> Tensor | None:
        """[N, D] about the mean embeddings of the clay pictures of heads [N, K]; None where only drawing them tells."""

    def hears(self, prompt: str) -> bool:
        """Whether `prompt` says anything of a shape that this scorer can tell."""


class OwnScorer:
    """The scorer of a bundle's scorer.safetensors."""

    def __init__(self, scoring: Scoring, title: str):
        self.scoring, self.title = scoring, title

    @torch.no_grad()
    def text(self, prompts: Sequence[str], colours: bool = True) -> Tensor:
        """As in Scorer: tokens alone are heard."""
        said = [heard_tokens(prompt) for prompt in prompts]
        said = said if colours else [of_shape(tokens) for tokens in said]
        return normalize(self.scoring.towers.text(self._ask(said)), dim=1).cpu()

    def _ask(self, said: Sequence[Sequence[str]]) -> Tensor:
        return torch.stack([said_tokens(tokens, self.scoring.tokens) for tokens in said]).to(self._device())

    def _device(self) -> torch.device:
        return self.scoring.towers.styles.device

    @torch.no_grad()
    def pictures(self, pictures: np.ndarray) -> Tensor:
        """As in Scorer; they are made SIZE pixels wide."""
        values = torch.from_numpy(pictures).to(self._device()).permute(0, 3, 1, 2).float() / 255
        if values.shape[-1] != SIZE:
            values = interpolate(values, (SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False)
        return normalize(self.scoring.towers.picture(values), dim=1).cpu()

    @torch.no_grad()
    def heads(self, coefficients: np.ndarray) -> Tensor | None:
        """As in Scorer; None for a template that it did not learn."""
        if coefficients.shape[1] != self.scoring.modes:
            return None
        parts = torch.from_numpy(coefficients.astype(np.float32)).to(self._device()).split(AT_ONCE)
        return torch.cat([normalize(self.scoring.towers.shortcut(part), dim=1) for part in parts]).cpu()

    def hears(self, prompt: str) -> bool:
        """As in Scorer."""
        return bool({*of_shape(heard_tokens(prompt))} & {*self.scoring.tokens})

    def hair(self, prompt: str) -> tuple[dict[str, float], dict[str, float]]:
        """Cosines of each hair style and each colour of hair with what `prompt` says of somebody."""
        said = self.text([prompt])[0]
        towers, scoring = self.scoring.towers, self.scoring
        styles, colours = ((kept.cpu() @ said).tolist() for kept in (towers.styles, towers.colours))
        return dict(zip(scoring.styles, styles, strict=True)), dict(zip(scoring.colours, colours, strict=True))
