"""Score distillation: turning predicted noise into a gradient on latents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from idto3d.guidance.conditions import Conditions
from idto3d.guidance.prediction import Guidance

FORMS = ("sds", "csd", "sds_shared")


@dataclass(frozen=True)
class Distillation:
    """How noise predictions become a gradient.

    `guidance_scale` s, of which a term may have its own, is not used by the form csd.
    """

    form: str = "csd"
    guidance_scale: float = 7.5

    def __post_init__(self):
        if self.form not in FORMS:
            raise ValueError(f"form: expected one of {FORMS}, got {self.form!r}")


def draw_noise(form: str, shape: Sequence[int], generator: torch.Generator) -> Tensor:
    """Standard normal noise of `shape` [B, C, h, w] on the CPU; for sds_shared all B views get the same noise.

    One noise for all views of a step makes its error common to them instead of a contradiction between them.
    """
    if form != "sds_shared":
        return torch.randn(*shape, generator=generator)
    return torch.randn(1, *shape[1:], generator=generator).expand(*shape)


def distillation_gradient(
    how: Distillation, eps_cond: Tensor, eps_uncond: Tensor, noise: Tensor, alpha_bar: Tensor
) -> Tensor:
    """Gradient [B, C, h, w] on the latents, before the division by B. alpha_bar: [B, 1, 1, 1].

    sds, sds_shared: `w (eps_uncond + s (eps_cond - eps_uncond) - noise)`, DreamFusion, Poole et al. 2022, eq. 3.
    csd: `w (eps_cond - eps_uncond)`, the classifier score alone, free of the noise; Yu et al. 2023.
    w is the noise's variance, `1 - alpha_bar`.
    """
    weight = 1 - alpha_bar
    score = eps_cond - eps_uncond
    if how.form == "csd":
        return weight * score
    return weight * (eps_uncond + how.guidance_scale * score - noise)


def sds_loss(latents: Tensor, gradient: Tensor) -> Tensor:
    """Scalar whose gradient on `latents` is exactly `gradient / B`. Its value means nothing.

    It is not finite where the gradient is not; the caller skips such a step.
    """
    return (gradient.detach() * latents).sum() / latents.shape[0]


@dataclass(frozen=True)
class Term:
    """One guidance, how much it weighs, and what it is asked for (each guidance has its own text encoder).

    `guidance_scale`, `images` [B, 3, S, S] in 0..1 and int64 `timesteps` [B] are its own; where one is None, it has
    that of all terms.
    """

    guidance: Guidance
    weight: float
    conditions: Conditions
    guidance_scale: float | None = None
    images: Tensor | None = None
    timesteps: Tensor | None = None


def distil(
    terms: Sequence[Term],
    domain: str,
    images: Tensor,
    timesteps: Tensor,
    generator: torch.Generator,
    how: Distillation,
) -> Tensor:
    """Weighted sum of the distillation losses of all `terms` on `images` [B, 3, S, S] in 0..1.

    `timesteps` int64 [B]; the noise is drawn from the CPU `generator`. Pictures that several guidances see through one
    VAE are encoded once. See `sds_loss` for what the value means.
    """
    total, encoded = images.new_zeros(()), {}
    for term in (_with_own(term, images, timesteps, how) for term in terms):
        seen = (id(term.images), id(term.guidance.bundle.parts.vae), term.guidance.info.image_size)
        if seen not in encoded:
            encoded[seen] = term.guidance.encode(term.images)
        latents = encoded[seen]
        noise = draw_noise(how.form, latents.shape, generator).to(latents.device)
        gradient = latents_gradient(term, domain, latents.detach(), noise, how.form)
        total = total + term.weight * sds_loss(latents, gradient)
    return total


def _with_own(term: Term, images: Tensor, timesteps: Tensor, how: Distillation) -> Term:
    """A term in which nothing is None."""
    return replace(
        term,
        guidance_scale=how.guidance_scale if term.guidance_scale is None else term.guidance_scale,
        images=images if term.images is None else term.images,
        timesteps=timesteps if term.timesteps is None else term.timesteps,
    )


@torch.no_grad()
def latents_gradient(term: Term, domain: str, latents: Tensor, noise: Tensor, form: str) -> Tensor:
    """The gradient [B, C, h, w], unweighted, that one guidance puts on `latents` at its own timesteps and scale."""
    noisy = term.guidance.add_noise(latents, noise, term.timesteps)
    eps_cond, eps_uncond = term.guidance.predict(domain, noisy, term.timesteps, term.conditions)
    how, alpha_bar = Distillation(form, term.guidance_scale), term.guidance.alpha_bar(term.timesteps)
    return distillation_gradient(how, eps_cond, eps_uncond, noise, alpha_bar)
