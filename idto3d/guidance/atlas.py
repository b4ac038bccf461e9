"""The frozen diffusion model of atlases, asked about the code of one skin: DreamFace (Zhang et al. 2023), section 5.2.

Codes are scaled latents of the base's autoencoder, atlases [B, 3, S, S] in 0..1, sRGB.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from idto3d.guidance.distillation import Distillation, distillation_gradient
from idto3d.guidance.networks.atlas import UNLIT, AtlasModel
from idto3d.guidance.networks.base import BaseParts, encode_images
from idto3d.guidance.schedules import sampling_timesteps
from idto3d.words.captions import filled


@dataclass(frozen=True, eq=False)
class AtlasConditions:
    """States [B, L, W] with and without what is said, the domain's words behind them, and masks [B, 1, h, w]."""

    said: Tensor
    unsaid: Tensor
    mask: Tensor

    def __len__(self) -> int:
        return len(self.said)


class AtlasGuidance:
    """A loaded model beside the base whose latents and texts it shares. Its parameters never hold a gradient.

    heard: a text as the bundle hears it, see BundleInfo.heard.
    """

    def __init__(self, model: AtlasModel, parts: BaseParts, heard: Callable[[str], str] = str):
        self.model, self.parts, self._heard = model, parts, heard
        self.size, self.device = model.about.image_size, model.mean.device
        self.alpha_bars = parts.scheduler.alphas_cumprod.to(self.device, torch.float32)

    def encode(self, atlases: Tensor) -> Tensor:
        """Codes [B, C, h, w] of atlases of any size, brought to the model's first; differentiable."""
        if atlases.shape[-1] != self.size:
            atlases = interpolate(atlases.float(), (self.size, self.size), mode="bilinear", antialias=True)
        return encode_images(self.parts.vae, atlases)

    def decode(self, codes: Tensor) -> Tensor:
        """Atlases [B, 3, S, S] of codes, not cut to 0..1; differentiable."""
        vae = self.parts.vae
        return vae.decode(codes.float() / vae.config.scaling_factor).sample / 2 + 0.5

    @torch.no_grad()
    def conditions(self, subjects: list[str], negative: str = "", domain: int = UNLIT) -> AtlasConditions:
        """Of B `subjects` in words, all of one domain; the mask is full: nothing but face is wanted."""
        domains = torch.full((len(subjects),), domain, device=self.device)
        said = self._states([filled(self.model.about.prompt, "", subject) for subject in subjects])
        unsaid = self._states([negative] * len(subjects))
        mask = torch.ones(len(subjects), 1, *self.model.mean.shape[1:], device=self.device)
        return AtlasConditions(self.model.states(said, domains), self.model.states(unsaid, domains), mask)

    def _states(self, texts: list[str]) -> Tensor:
        parts = self.parts
        heard = [self._heard(text) for text in texts]
        tokens = parts.tokenizer(heard, padding="max_length", truncation=True, return_tensors="pt")
        return parts.text_encoder(tokens.input_ids.to(self.device)).last_hidden_state.float()

    @torch.no_grad()
    def predict(self, noisy: Tensor, timestep: int, conditions: AtlasConditions) -> tuple[Tensor, Tensor]:
        """Predicted noise of `noisy` [B, C, h, w], as the model sees codes, with and without what is said."""
        states, mask = torch.cat([conditions.said, conditions.unsaid]), torch.cat([conditions.mask] * 2)
        twice, at = torch.cat([noisy, noisy]), torch.full((2 * len(noisy),), timestep, device=self.device)
        predicted = self.model(twice, at, states, mask)
        if self.parts.scheduler.config.prediction_type != "epsilon":
            alpha_bar = self.alpha_bars[timestep]
            predicted = alpha_bar.sqrt() * predicted + (1 - alpha_bar).sqrt() * twice
        said, unsaid = predicted.chunk(2)
        return said, unsaid

    @torch.no_grad()
    def gradient(
        self, codes: Tensor, timestep: int, noise: Tensor, conditions: AtlasConditions, how: Distillation
    ) -> Tensor:
        """The gradient [B, C, h, w] on `codes` as the model sees them, see `distillation_gradient`."""
        alpha_bar = self.alpha_bars[timestep]
        noisy = alpha_bar.sqrt() * self.model.inward(codes) + (1 - alpha_bar).sqrt() * noise
        return distillation_gradient(how, *self.predict(noisy, timestep, conditions), noise, alpha_bar)

    @torch.no_grad()
    def sample(self, conditions: AtlasConditions, steps: int, generator: torch.Generator, scale: float) -> Tensor:
        """Atlases [B, 3, S, S] in 0..1 by DDIM (Song et al. 2021, eq. 12 with sigma 0) from the generator's noise."""
        shape, timesteps = (len(conditions), *self.model.mean.shape), sampling_timesteps(len(self.alpha_bars), steps)
        codes = torch.randn(shape, generator=generator).to(self.device)
        for timestep, following in zip(timesteps, [*timesteps[1:], None], strict=True):
            said, unsaid = self.predict(codes, timestep, conditions)
            noise, alpha_bar = torch.lerp(unsaid, said, scale), self.alpha_bars[timestep]
            clean = (codes - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
            after = torch.ones_like(alpha_bar) if following is None else self.alpha_bars[following]
            codes = after.sqrt() * clean + (1 - after).sqrt() * noise
        return self.decode(self.model.outward(codes)).clamp(0, 1)
