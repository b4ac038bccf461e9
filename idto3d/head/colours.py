"""The colours a head's skin, hair and beard start in, before any guidance has seen them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from idto3d.head.hair_strands import strand_tone
from idto3d.head.prior import HAIR_ALBEDO, HeadPrior
from idto3d.head.skin import skin_colour
from idto3d.words.traits import BEARDS, COLOURS, FACIAL_HAIR, SHAVEN, SKIN_TONES, STYLES, natural_colour

# Points [N, 3] metres to linear albedo [N, 3] and how far it is vouched for [N, 1], 0..1.
ColourPrior = Callable[[Tensor], tuple[Tensor, Tensor]]
USUAL_REDNESS = 0.5
BEARD_TONE = 0.9  # of the hair's natural colour
FINER = 1.6  # times as fine as the curls of a head are those of a beard


def first_colours(prior: HeadPrior, z: Tensor, traits: Mapping[str, str]) -> ColourPrior:
    """Colours of a head of coefficients `z` [K] with `traits`: its hair style, hair colour, beard and skin in words.

    They are vouched for, but of hair and beard only where their colour is said.
    """
    skin, hair_rgb, curled = skin_tone(traits), hair_tone(traits), is_curled(traits)

    def colours(points: Tensor) -> tuple[Tensor, Tensor]:
        on_mean = prior.to_mean(points, z)  # the costly part, once for all
        hair, beard = prior.hair_share(on_mean), _beard(prior, on_mean, traits)
        strands = torch.lerp(torch.ones_like(hair), strand_tone(on_mean, curled), hair)
        albedo = prior.albedo(on_mean, None, skin, hair_rgb) * strands
        if beard.any():
            albedo = torch.lerp(albedo, _beard_colour(on_mean, traits), beard)
        return albedo, 1 - torch.maximum(hair, beard) if hair_rgb is None else torch.ones_like(hair)

    return colours


def skin_tone(traits: Mapping[str, str]) -> tuple[float, ...] | None:
    """The usual linear RGB of the skin that `traits` name; None where they name none."""
    skin = SKIN_TONES.get(traits.get("skin", ""))
    return tuple(skin_colour(sum(skin.melanin) / 2, USUAL_REDNESS).tolist()) if skin else None


def hair_tone(traits: Mapping[str, str]) -> tuple[float, ...] | None:
    """The linear RGB of the hair that `traits` name; None where they say no colour."""
    colour = COLOURS.get(traits.get("hair_colour", ""))
    return colour.rgb if colour else None


def natural_tone(traits: Mapping[str, str]) -> tuple[float, ...] | None:
    """The linear RGB of brows and beard: the hair's, or a natural one under dyed hair; None where no colour is said."""
    colour = natural_colour(traits.get("hair_colour", ""))
    return colour.rgb if colour else None


def is_curled(traits: Mapping[str, str]) -> bool:
    """Whether the strands of the hair that `traits` name lie every way."""
    style = STYLES.get(traits.get("hair_style", ""))
    return style is not None and style.curled


def _beard(prior: HeadPrior, on_mean: Tensor, traits: Mapping[str, str]) -> Tensor:
    """[N, 1] how much the beard hides; nothing of a shaven face."""
    beard = FACIAL_HAIR[traits.get("beard") or SHAVEN]
    if not beard.cover:
        return torch.zeros_like(on_mean[:, :1])
    return prior.beard_share(on_mean)[:, BEARDS.index(beard.name), None]


def _beard_colour(on_mean: Tensor, traits: Mapping[str, str]) -> Tensor:
    """[N, 3] of a beard whose hairs lie every way."""
    tone = on_mean.new_tensor(natural_tone(traits) or HAIR_ALBEDO)
    return BEARD_TONE * tone * strand_tone(FINER * on_mean, curled=True)
