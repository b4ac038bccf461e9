"""What linear statistics of atlases say of a noisy one: the start from which a network of atlases learns the rest.

All atlases lie alike, so that a few directions hold most of what tells people apart, and what is said of a person
shifts them. Of such a normal distribution the best guess at the clean atlas has a formula.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LOG_SPREAD = (-8.0, 10.0)  # bounds of the logarithm of a variance
MASK_SIDE = 4  # the mask is read in so many squares on a side


class UsualAtlas(nn.Module):
    """Atlases as a normal distribution in K orthonormal directions `basis` [K, C, h, w].

    What conditions let expect is linear in facts of them by `reading` [F, K], and so is the logarithm of the variance
    about it, by `spread` [F, K]; `rest` [1] is the variance in all other directions.
    """

    def __init__(self, basis: Tensor, spread: Tensor, rest: Tensor, reading: Tensor):
        super().__init__()
        for name, value in (("basis", basis), ("spread", spread), ("rest", rest), ("reading", reading)):
            self.register_buffer(name, value)

    def clean(self, noisy: Tensor, alpha_bar: Tensor, facts: Tensor) -> Tensor:
        """The mean of clean atlases [B, C, h, w] given noisy ones, their alpha_bar [B, 1] and `facts` [B, F].

        With y = a x + b n and x normal of mean m and variance s: `m + a s / (a^2 s + b^2) (y - a m)`, by direction.
        """
        a, basis, flat = alpha_bar.sqrt(), self.basis.flatten(1), noisy.flatten(1)
        along, expected = flat @ basis.T, facts @ self.reading
        spread = (facts @ self.spread).clamp(*LOG_SPREAD).exp()
        gain = a * spread / (alpha_bar * spread + 1 - alpha_bar)
        guess = expected + gain * (along - a * expected)
        others = a * self.rest / (alpha_bar * self.rest + 1 - alpha_bar) * (flat - along @ basis)
        return (guess @ basis + others).view_as(noisy)


def facts_of(text: Tensor, words: Tensor, mask: Tensor) -> Tensor:
    """[B, 1 + 2 W + MASK_SIDE^2] of text states [B, L, W], a domain's words [B, n, W] and masks [B, 1, h, w]."""
    squares = F.adaptive_avg_pool2d(mask, MASK_SIDE).flatten(1)
    return torch.cat([torch.ones_like(squares[:, :1]), text.mean(1), words.mean(1), squares], 1)
