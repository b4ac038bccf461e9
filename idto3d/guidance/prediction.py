"""The frozen guidance: encodes pictures, predicts their noise under text, identity and expression, and samples.

Images are [B, 3, S, S] in 0..1 (normal maps as (n+1)/2, albedo in sRGB), on the background of `Guidance.asking`.
Everything that goes in and comes out is float32; only inside the frozen networks the precision is lower.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn.functional import interpolate

from idto3d.bundle.asking import BACKGROUNDS, Asking
from idto3d.errors import UserError
from idto3d.guidance.asked import settled
from idto3d.guidance.cameras import CAMERA
from idto3d.guidance.conditions import Conditions
from idto3d.guidance.loading import Bundle
from idto3d.guidance.networks.base import encode_images
from idto3d.guidance.networks.branches import set_scales
from idto3d.guidance.networks.lora import use_domain
from idto3d.guidance.schedules import sampling_timesteps

CACHED_TEXTS = 1024


@dataclass(frozen=True)
class Drawn:
    """The morphable head's pictures [B, 3, S, S] in 0..1 under some conditions, and their latents [B, C, h, w]."""

    domain: str
    conditions: Conditions
    pictures: Tensor
    latents: Tensor


class Guidance:
    """A loaded bundle that is asked about pictures. Its parameters never hold a gradient.

    `alpha_bars` [1000] is the cumulative signal level of each timestep. Not for use by two threads at once.
    """

    def __init__(self, bundle: Bundle, lambda_id: float | None = None, lambda_exp: float | None = None):
        self.bundle = bundle
        self.info = bundle.info
        self.device = bundle.device
        self._lambda_id = lambda_id
        self.lambda_exp = bundle.info.lambda_exp if lambda_exp is None else lambda_exp
        if self.lambda_exp and not all("expression" in branches.names() for branches in bundle.branches.values()):
            raise UserError(
                f"The weights '{self.info.name}' have no expression branch.",
                "Leave guidance.lambda_exp at 0; expressions are asked for in words.",
            )
        self.alpha_bars = bundle.parts.scheduler.alphas_cumprod.to(self.device, torch.float32)
        self._texts: dict[str, tuple[Tensor, Tensor]] = {}
        self._empty: dict[str, Tensor] = {}
        self._drawn: Drawn | None = None

    def asking(self, domain: str) -> Asking:
        """How it is asked about `domain`, nothing left open. A LoRA that is the identity's goes where that is 0."""
        own, adapter = settled(self.info, domain, self._lambda_id), self.bundle.adapters.get(domain)
        return replace(own, lora=0.0) if adapter and adapter.of_identity and not own.lambda_id else own

    def background(self, domain: str) -> float:
        """What is behind the head in pictures of `domain`, in each of their channels, 0..1."""
        return BACKGROUNDS[self.asking(domain).background]

    def latent_shape(self, count: int) -> tuple[int, int, int, int]:
        """Shape of the latents of `count` pictures of the bundle's image size."""
        vae = self.bundle.parts.vae.config
        side = self.info.image_size >> (len(vae.block_out_channels) - 1)
        return (count, vae.latent_channels, side, side)

    def conditions(
        self,
        prompts: Sequence[str],
        negative_prompt: str,
        identity: Tensor | np.ndarray,
        expressions: Sequence[str],
        camera: Tensor | None = None,
        likeness: Sequence[float] | None = None,
    ) -> Conditions:
        """Conditions of B pictures: B prompts, one negative prompt, one unit identity [D], B expression descriptors.

        `camera` are `cameras.camera_codes` [B, 3]; without them the view is known from the prompts alone. `likeness`
        are B shares 0..1 of the identity's strength, see `asked.likeness_at`.
        """
        identity = torch.as_tensor(identity)
        if len(prompts) != len(expressions):
            raise ValueError(
                f"expressions: expected {len(prompts)} descriptors as there are prompts, got {expressions}"
            )
        dimension = self.info.identity_encoder.dimension
        if tuple(identity.shape) != (dimension,):
            raise ValueError(f"identity: expected shape [{dimension}], got {tuple(identity.shape)}")
        return Conditions(
            text=torch.stack([self._text(prompt)[0] for prompt in prompts]),
            negative=self._text(negative_prompt)[0].expand(len(prompts), -1, -1),
            identity=identity.to(self.device, torch.float32).expand(len(prompts), -1),
            expression=torch.stack([self._text(descriptor)[1] for descriptor in expressions]),
            camera=torch.zeros(len(prompts), CAMERA, device=self.device) if camera is None else camera.to(self.device),
            likeness=None if likeness is None else tuple(likeness),
        )

    def encode(self, images: Tensor) -> Tensor:
        """Latents [B, C, h, w] of `images` [B, 3, S, S] in 0..1: the posterior's mean, scaled. Differentiable.

        Images of another size than the bundle's are brought to it first (bilinear): the model knows no other.
        """
        vae, size = self.bundle.parts.vae, self.info.image_size
        if images.shape[-1] != size:
            images = interpolate(images.float(), (size, size), mode="bilinear", antialias=True)
        return encode_images(vae, images)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Images [B, 3, S, S] in 0..1 of `latents`; the inverse of `encode`, without gradient."""
        vae = self.bundle.parts.vae
        return (vae.decode(latents.float() / vae.config.scaling_factor).sample / 2 + 0.5).clamp(0, 1)

    def add_noise(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """`sqrt(alpha_bar) latents + sqrt(1 - alpha_bar) noise` for int64 `timesteps` [B]."""
        alpha_bar = self.alpha_bar(timesteps)
        return alpha_bar.sqrt() * latents + (1 - alpha_bar).sqrt() * noise

    def alpha_bar(self, timesteps: Tensor) -> Tensor:
        """Cumulative signal level [B, 1, 1, 1] of int64 `timesteps` [B]."""
        return self.alpha_bars[timesteps.to(self.device)][:, None, None, None]

    @torch.no_grad()
    def predict(self, domain: str, noisy: Tensor, timesteps: Tensor, conditions: Conditions) -> tuple[Tensor, Tensor]:
        """Predicted noise of `noisy` [B, C, h, w] at int64 `timesteps` [B]: (with, without) condition, each float32."""
        unet, names = self._select(domain)
        text, embeddings = conditions.both()
        dtype = self.bundle.dtype
        predicted = unet(
            self._inputs(domain, noisy, conditions).to(dtype),
            torch.cat([timesteps, timesteps]).to(self.device),
            text.to(dtype),
            added_cond_kwargs={"image_embeds": [embeddings[name].to(dtype) for name in names]} if names else None,
            cross_attention_kwargs=_fading(conditions, names),
        ).sample.float()
        with_condition, without = predicted.chunk(2)
        return self._as_noise(with_condition, noisy, timesteps), self._as_noise(without, noisy, timesteps)

    @torch.no_grad()
    def morphable_latents(self, domain: str, conditions: Conditions) -> tuple[Tensor, Tensor] | None:
        """Latents [B, C, h, w] of the morphable head's pictures (with, without) condition; None without a head."""
        if self.bundle.parts.morphable is None:
            return None
        latents = self._draw(domain, conditions).latents
        return latents, self._empty_latents(domain).expand_as(latents)

    def _empty_latents(self, domain: str) -> Tensor:
        """Latents [1, C, h, w] of a picture of nothing but the background."""
        background = self.asking(domain).background
        if background not in self._empty:
            size = self.info.image_size
            plain = torch.full((1, 3, size, size), BACKGROUNDS[background], device=self.device)
            self._empty[background] = self.encode(plain)
        return self._empty[background]

    def _draw(self, domain: str, conditions: Conditions) -> Drawn:
        """What the morphable head draws, drawn once for the same conditions: sampling asks at every step."""
        known = self._drawn
        if known is None or known.domain != domain or known.conditions is not conditions:
            pictures = self.morphable_pictures(domain, conditions)
            known = self._drawn = Drawn(domain, conditions, pictures, self.encode(pictures))
        return known

    def morphable_pictures(self, domain: str, conditions: Conditions) -> Tensor:
        """Pictures [B, 3, S, S] in 0..1 of the morphable head under `conditions`; empty without any."""
        given = (conditions.text.mean(1), conditions.identity, conditions.expression, conditions.camera)
        strengths = (self.asking(domain).lambda_id * conditions.shares(), self.lambda_exp)
        return self.bundle.parts.morphable(domain, *given, strengths, self.background(domain))

    def _inputs(self, domain: str, noisy: Tensor, conditions: Conditions) -> Tensor:
        """What the UNet is given [2B, C or 2C, h, w]: the noisy latents twice, beside the morphable head's."""
        twice, beside = torch.cat([noisy, noisy]).to(self.device), self.morphable_latents(domain, conditions)
        return twice if beside is None else torch.cat([twice, torch.cat(beside)], 1)

    @torch.no_grad()
    def sample(
        self,
        domain: str,
        conditions: Conditions,
        steps: int,
        generator: torch.Generator,
        guidance_scale: float | None = None,
    ) -> Tensor:
        """Pictures [B, 3, S, S] in 0..1 by DDIM (Song et al. 2021, eq. 12 with sigma 0) from the generator's noise.

        Where there is a morphable head, all cameras are known and the bundle says so (`sampling_from`), it begins with
        that head's pictures under noise of that level (SDEdit, Meng et al. 2022): they are nearer to the answer than
        noise is. It ends with what the autoencoder lost of them put back: the smallest forms of a face do not fit into
        the latents.
        """
        scale = self.asking(domain).guidance_scale if guidance_scale is None else guidance_scale
        drawn = self._draw(domain, conditions) if self._begins_drawn(conditions) else None
        latents, timesteps = self._begin(drawn, len(conditions), steps, generator)
        for timestep, following in zip(timesteps, [*timesteps[1:], None], strict=True):
            batch = torch.full((len(conditions),), timestep, dtype=torch.int64)
            with_condition, without = self.predict(domain, latents, batch, conditions)
            noise = without + scale * (with_condition - without)
            alpha_bar = self.alpha_bars[timestep]
            clean = (latents - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
            after = torch.ones_like(alpha_bar) if following is None else self.alpha_bars[following]
            latents = after.sqrt() * clean + (1 - after).sqrt() * noise
        return self.decode(latents) if drawn is None else self._finish(drawn, latents)

    def _begins_drawn(self, conditions: Conditions) -> bool:
        """Whether sampling begins at the morphable head's pictures, not at noise alone."""
        near = self.info.sampling_from < len(self.alpha_bars)
        return near and self.bundle.parts.morphable is not None and bool(conditions.camera.any(-1).all())

    def _finish(self, drawn: Drawn, latents: Tensor) -> Tensor:
        """Pictures of `latents`, with what coding took from the morphable head's pictures."""
        return (self.decode(latents) + drawn.pictures - self.decode(drawn.latents)).clamp(0, 1)

    def _begin(
        self, drawn: Drawn | None, count: int, steps: int, generator: torch.Generator
    ) -> tuple[Tensor, list[int]]:
        """Latents that sampling of `count` pictures begins with, and the timesteps it visits."""
        noise = torch.randn(self.latent_shape(count), generator=generator).to(self.device)
        if drawn is None:
            return noise, sampling_timesteps(len(self.alpha_bars), steps)
        timesteps = sampling_timesteps(self.info.sampling_from, steps)
        return self.add_noise(drawn.latents, noise, torch.tensor(timesteps[:1])), timesteps

    @torch.no_grad()
    def denoising_error(
        self, domain: str, images: Tensor, conditions: Conditions, timesteps: Tensor, noise: Tensor
    ) -> Tensor:
        """Mean squared error [B] of the conditional prediction of `noise` [B, C, h, w]: low where images fit."""
        noisy = self.add_noise(self.encode(images), noise.to(self.device), timesteps)
        predicted, _ = self.predict(domain, noisy, timesteps, conditions)
        return (predicted - noise.to(self.device)).square().mean(dim=(1, 2, 3))

    def _select(self, domain: str) -> tuple[UNet2DConditionModel, tuple[str, ...]]:
        """The UNet of a domain, ready to be asked, and the names of its branches."""
        unet, adapter = self.bundle.unets[domain], self.bundle.adapters.get(domain)
        if adapter is None:
            use_domain(unet, "", None)
            return unet, ()
        asking = self.asking(domain)
        use_domain(unet, adapter.lora, adapter.branches, asking.lora)
        set_scales(unet, asking.lambda_id, self.lambda_exp)
        return unet, adapter.branches.names()

    def _as_noise(self, predicted: Tensor, noisy: Tensor, timesteps: Tensor) -> Tensor:
        kind = self.bundle.parts.scheduler.config.prediction_type
        if kind == "epsilon":
            return predicted
        alpha_bar = self.alpha_bar(timesteps)
        return alpha_bar.sqrt() * predicted + (1 - alpha_bar).sqrt() * noisy.to(self.device)

    def cut_off(self, text: str) -> str:
        """The end of `text` that the text encoder has no room for; empty where all of it is read."""
        tokenizer = self.bundle.parts.tokenizer
        read = tokenizer(text, truncation=True, verbose=False).input_ids
        places = tokenizer(text, truncation=False, verbose=False, return_offsets_mapping=True).offset_mapping
        end = len(read) - tokenizer.num_special_tokens_to_add() // 2
        return text[places[end][0] :] if len(places) > len(read) else ""

    @torch.no_grad()
    def _text(self, text: str) -> tuple[Tensor, Tensor]:
        """States [L, C] and pooled embedding [C] of a text as the bundle hears it, computed once per text."""
        text = self.info.heard(text)
        if text not in self._texts:
            if len(self._texts) >= CACHED_TEXTS:
                self._texts.clear()
            parts = self.bundle.parts
            tokens = parts.tokenizer(text, padding="max_length", truncation=True, return_tensors="pt")
            encoded = parts.text_encoder(tokens.input_ids.to(self.device))
            self._texts[text] = (encoded.last_hidden_state[0].float(), encoded.pooler_output[0].float())
        return self._texts[text]


def _fading(conditions: Conditions, names: Sequence[str]) -> dict[str, list[Tensor | None]] | None:
    """What attention is given where the identity counts less in some pictures: a mask of it, and of no other branch."""
    masks = conditions.fading() if names else None
    return None if masks is None else {"ip_adapter_masks": [masks, *[None] * (len(names) - 1)]}
