"""How well candidates fit words: DreamFace's score (equation 3 there), after AvatarCLIP.

`direct` is the cosine of a head's embedding and the words'; `relative` that of what sets the head apart from the mean
head and what the words say beyond "the face".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from idto3d.config import ChoiceOptions
from idto3d.guidance.scorer.clay import LIGHTS, Clay, clay_normals, light_directions, lit
from idto3d.guidance.scorer.scorer import Scorer

ANCHOR = "the face"
SIDE = {True: 64, False: 224}  # of clay pictures, for a scorer that guesses heads and for one of others, pixels
BASIS = 192  # heads that are drawn for a scorer that guesses none
RIDGE = 3.0  # of the linear map from coefficients to embeddings, in units of a coefficient
SHORTLIST = 40  # of the best by guess, which are drawn


@dataclass(frozen=True)
class Wanted:
    """What is asked for: the words' embedding and that of ANCHOR, [D] each, and the mean head's."""

    words: Tensor
    anchor: Tensor
    mean: Tensor


def wanted(scorer: Scorer, clay: Clay, prompt: str) -> Wanted:
    """What candidates for `prompt` are compared with."""
    words, anchor = scorer.text([prompt, ANCHOR], colours=False)
    return Wanted(words, anchor, drawn_embeddings(scorer, clay, np.zeros((1, len(clay.modes)), np.float32))[0])


def scores(embeddings: Tensor, asked: Wanted, options: ChoiceOptions) -> Tensor:
    """[N] scores of heads' `embeddings` [N, D]."""
    direct = embeddings @ asked.words
    apart, further = normalize(embeddings - asked.mean, dim=1), normalize(asked.words - asked.anchor, dim=0)
    return options.direct * direct + options.relative * (apart @ further)


def drawn_embeddings(scorer: Scorer, clay: Clay, coefficients: np.ndarray) -> Tensor:
    """[N, D] the mean embeddings of the clay pictures of heads [N, K], from all sides under all lights."""
    own = scorer.heads(coefficients[:1]) is not None
    lights = light_directions() if own else light_directions()[:: LIGHTS // 3]
    found = []
    for one in coefficients:
        normals = clay_normals(clay, one, SIDE[own])
        pictures = np.concatenate([lit(normals, np.repeat(light[None], len(normals), 0)) for light in lights])
        found.append(scorer.pictures(np.round(255 * pictures).astype(np.uint8)).mean(0))
    return normalize(torch.stack(found), dim=1)


def guessed_embeddings(scorer: Scorer, clay: Clay, coefficients: np.ndarray) -> Tensor:
    """[N, D] what the embeddings of heads [N, K] are expected to be, of which few are drawn, or none."""
    return guesser(scorer, clay, coefficients)(coefficients)


def guesser(scorer: Scorer, clay: Clay, some: np.ndarray) -> Callable[[np.ndarray], Tensor]:
    """The same for any heads, by what the first BASIS of `some` [N, K] look like where the scorer guesses none."""
    if scorer.heads(some[:1]) is not None:
        return scorer.heads
    basis = some[:BASIS]
    middle, seen = basis.mean(0), drawn_embeddings(scorer, clay, basis)
    apart = torch.from_numpy(basis - middle)
    inverse = torch.linalg.inv(apart @ apart.T + RIDGE * torch.eye(len(basis)))
    slopes = apart.T @ (inverse @ (seen - seen.mean(0)))
    return lambda heads: normalize(seen.mean(0) + torch.from_numpy(heads - middle) @ slopes, dim=1)


def ranked(
    scorer: Scorer, clay: Clay, lots: Iterable[np.ndarray], prompt: str, options: ChoiceOptions, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """The best candidates of `lots` [B, K], at most so many, as they come: coefficients [N, K] and scores [N].

    Scores are guessed, those of the best few as they are drawn, moved so that the least is that of the least guess
    among them: they stay the best.
    """
    asked = wanted(scorer, clay, prompt)
    coefficients, guessed = _best(scorer, clay, lots, asked, options, most)
    best = guessed.topk(min(SHORTLIST, len(guessed))).indices
    seen = scores(drawn_embeddings(scorer, clay, coefficients[best.numpy()]), asked, options)
    least = guessed[best].min()
    guessed[best] = least + (seen - seen.min())
    return coefficients, guessed.numpy()


def _best(scorer, clay: Clay, lots, asked: Wanted, options: ChoiceOptions, most: int) -> tuple[np.ndarray, Tensor]:
    """What is kept of all lots, no more than a few of them at a time in memory, with the scores that are guessed."""
    guess, kept, fit = None, [], []
    for lot in lots:
        guess = guess or guesser(scorer, clay, lot)
        own = scores(guess(lot), asked, options)
        best = _highest(own, most)
        kept.append(lot[best.numpy()])
        fit.append(own[best])
    every = torch.cat(fit)
    best = _highest(every, most)
    return np.concatenate(kept)[best.numpy()], every[best]


def _highest(values: Tensor, most: int) -> Tensor:
    """The places of the highest of `values` [N], at most so many, in their order."""
    return values.topk(min(most, len(values))).indices.sort().values
