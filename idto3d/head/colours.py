"""The colours a head's skin, hair and beard start in, before any guidance has seen them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from idto3d.head.hair_strands import strand_tone
from idto3d.head.prior import HAIR_ALBEDO, HeadPrior
from idto3d.words import looks

# Points [N, 3] metres to linear albedo [N, 3] and how far it is vouched for [N, 1], 0..1.
ColourPrior = Callable[[Tensor], tuple[Tensor, Tensor]]
BEARD_TONE = 0.9  # of the hair's natural colour
FINER = 1.6  # times as fine as the curls of a head are those of a beard


def first_colours(prior: HeadPrior, z: Tensor, look: Mapping[str, str]) -> ColourPrior:
    """Colours of a head of coefficients `z` [K] in the words of a `look`.

    They are vouched for, but of hair and beard only where their colour is said.
    """
    skin_tone, hair_tone = looks.skin_tone(look), looks.hair_tone(look)

    def colours(points: Tensor) -> tuple[Tensor, Tensor]:
        on_mean = prior.to_mean(points, z)  # the costly part, once for all
        hair, beard = prior.hair_share(on_mean), _beard(prior, on_mean, look)
        strands = torch.lerp(torch.ones_like(hair), strand_tone(on_mean, look.get("hair_style", "")), hair)
        albedo = prior.albedo(on_mean, None, skin_tone, hair_tone) * strands
        if beard.any():
            albedo = torch.lerp(albedo, _beard_colour(on_mean, look), beard)
        return albedo, 1 - torch.maximum(hair, beard) if hair_tone is None else torch.ones_like(hair)

    return colours


def _beard(prior: HeadPrior, on_mean: Tensor, look: Mapping[str, str]) -> Tensor:
    """[N, 1] how much the look's beard hides; nothing of a shaven face."""
    if look.get("beard", "clean") == "clean":
        return torch.zeros_like(on_mean[:, :1])
    return prior.beard_share(on_mean)[:, looks.BEARDS.index(look["beard"]), None]


def _beard_colour(on_mean: Tensor, look: Mapping[str, str]) -> Tensor:
    """[N, 3] of a beard whose hairs lie every way."""
    tone = on_mean.new_tensor(looks.natural_tone(look) or HAIR_ALBEDO)
    return BEARD_TONE * tone * strand_tone(FINER * on_mean, "curly")
