"""The colours a head's skin, hair and beard start in, before any guidance has seen them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from idto3d import looks
from idto3d.fields.hair_strands import strand_tone
from idto3d.fields.head_prior import HAIR_ALBEDO, HeadPrior
from idto3d.fields.material_field import ColourPrior

BEARD_TONE = 0.9  # of the hair's natural colour
FINER = 1.6  # times as fine as the curls of a head are those of a beard


def first_colours(prior: HeadPrior, z: Tensor, look: Mapping[str, str]) -> ColourPrior:
    """Colours of a head of coefficients `z` [K] in the words of a `look`; vouched for but where hair's is unknown."""
    skin_tone, hair_tone = looks.skin_tone(look), looks.hair_tone(look)

    def colours(points: Tensor) -> tuple[Tensor, Tensor]:
        on_mean = prior.to_mean(points, z)  # the costly part, once for all
        hair = prior.hair_share(on_mean)
        strands = torch.lerp(torch.ones_like(hair), strand_tone(on_mean, look.get("hair_style", "")), hair)
        albedo = _bearded(prior, on_mean, look, prior.albedo(on_mean, None, skin_tone, hair_tone) * strands)
        return albedo, 1 - hair if hair_tone is None else torch.ones_like(hair)

    return colours


def _bearded(prior: HeadPrior, on_mean: Tensor, look: Mapping[str, str], albedo: Tensor) -> Tensor:
    """`albedo` [N, 3] under the look's beard, whose hairs lie every way."""
    if look.get("beard", "clean") == "clean":
        return albedo
    cover = prior.beard_share(on_mean)[:, looks.BEARDS.index(look["beard"]), None]
    tone = albedo.new_tensor(looks.natural_tone(look) or HAIR_ALBEDO)
    return torch.lerp(albedo, BEARD_TONE * tone * strand_tone(FINER * on_mean, "curly"), cover)
