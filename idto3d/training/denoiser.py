"""Training the denoiser: the base with its branches first, then each domain's LoRA, then its expression branch.

The base stage stands in for the portrait-tuned Stable Diffusion that the paper starts from: all weights learn, both
domains, all conditions. The two later stages are the paper's: style by LoRA with the base frozen, then the expression
branch alone. Loss: plain epsilon error. Each condition is dropped at random for classifier-free guidance.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from idto3d.expressions import EXPRESSIONS
from idto3d.guidance.base import BaseParts
from idto3d.guidance.branches import Branches, attach
from idto3d.prompts import caption, view_word
from idto3d.training.dataset import People
from idto3d.training.synthetic import PARTS, describe
from idto3d.training.vae import progress

LATE = 0.75  # exponent on uniform draws of the timestep; below 1 there are more noisy ones, where conditions matter


@dataclass(frozen=True)
class DenoiserOptions:
    """How one stage is trained. `condition_rate` is for what reads words and embeddings, the rest has the other."""

    minutes: float
    batch: int = 16
    learning_rate: float = 4e-4
    condition_rate: float = 1.2e-3
    ema: float = 0.998
    drop: float = 0.1
    drop_all: float = 0.05
    warmup: int = 100
    save_seconds: float = 120.0
    seed: int = 0
    most_steps: int = 10**9


@dataclass(frozen=True)
class Batch:
    """Scaled latents [B, C, h, w], captions, identity [B, 1, D], expression indices [B], and what is dropped [B]."""

    latents: Tensor
    captions: list[str]
    identity: Tensor
    expression: Tensor
    no_expression: Tensor


class Model(nn.Module):
    """What is trained, under one roof: the UNet, the text encoder and both domains' branches."""

    def __init__(self, parts: BaseParts, branches: dict[str, Branches]):
        super().__init__()
        self.unet, self.text_encoder = parts.unet, parts.text_encoder
        self.branches = nn.ModuleDict(branches)
        self.tokenizer, self.scheduler = parts.tokenizer, parts.scheduler

    def encode_text(self, texts: list[str]):
        """Token states [B, L, C] and pooled states [B, C]."""
        tokens = self.tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
        output = self.text_encoder(tokens.input_ids.to(self.unet.device))
        return output.last_hidden_state, output.pooler_output

    def forward(self, domain: str, noisy: Tensor, timesteps: Tensor, batch: Batch) -> Tensor:
        """Predicted noise [B, C, h, w]."""
        attach(self.unet, self.branches[domain])
        unique, inverse = _unique(batch.captions)
        text, _ = self.encode_text(unique)
        _, descriptors = self.encode_text([expression.descriptor for expression in EXPRESSIONS])
        expression = descriptors[batch.expression] * (~batch.no_expression)[:, None]
        embeds = {"image_embeds": [batch.identity, expression[:, None]]}
        return self.unet(noisy, timesteps, encoder_hidden_states=text[inverse], added_cond_kwargs=embeds).sample


def _unique(texts: list[str]) -> tuple[list[str], list[int]]:
    order = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    return list(order), [order[text] for text in texts]


def draw_batch(people: People, latents: Tensor, domain: str, which: Tensor, drop: DenoiserOptions, random) -> Batch:
    """Conditions for views `which` [B], with random omissions; `latents` [N, C, h, w] scaled."""
    size = len(which)
    chances = torch.rand(4, size, generator=random)
    nothing = chances[3] < drop.drop_all
    parts = [[p for p in PARTS if torch.rand((), generator=random) < 0.6] for _ in range(size)]
    captions = [
        "" if empty else _caption(people, int(view), domain, tuple(said))
        for view, said, empty in zip(which, parts, (chances[0] < drop.drop) | nothing, strict=True)
    ]
    identity = mean_embedding(people.embedding[people.person[which]], random)
    identity[(chances[1] < drop.drop) | nothing] = 0
    dropped = (chances[2] < drop.drop) | nothing
    return Batch(latents[which].float(), captions, identity[:, None], people.expression[which], dropped)


def _caption(people: People, view: int, domain: str, parts: tuple[str, ...]) -> str:
    subject = describe(people.looks[int(people.person[view])], parts)
    return caption(view_word(float(people.azimuth_deg[view])), domain, subject)


def mean_embedding(embedding: Tensor, random: torch.Generator | None = None) -> Tensor:
    """Unit mean [B, D] of each row's portraits [B, P, D]; of a random non-empty subset when `random` is given."""
    weights = (embedding.norm(dim=-1) > 0.5).float()
    if random is not None:
        chosen = weights * (torch.rand(weights.shape, generator=random) < 0.6)
        weights = torch.where(chosen.sum(-1, keepdim=True) > 0, chosen, weights)
    mean = (embedding * weights[..., None]).sum(1)
    return mean / mean.norm(dim=-1, keepdim=True).clamp(min=1e-6)


def whiten_identity(branches: Branches, embeddings: Tensor, shrink: float = 0.02) -> None:
    """Start the identity MLP's first layer as a whitening of `embeddings` [n, D] in both signs (hidden = 2 D)."""
    first = branches.projection.image_projection_layers[0].ff.net[0].proj
    mean = embeddings.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((embeddings - mean).T))
    whitening = (vectors / (values + shrink * values.max()).sqrt()).T
    repeats = -(-first.out_features // len(whitening))
    signs = [whitening * (-1) ** i for i in range(repeats)]
    with torch.no_grad():
        first.weight.copy_(torch.cat(signs)[: first.out_features])
        first.bias.copy_(-first.weight @ mean)


def train_denoiser(
    model: Model,
    parameters: Iterable[nn.Parameter],
    people: People,
    latents: dict[str, Tensor],
    domains: tuple[str, ...],
    options: DenoiserOptions,
    checkpoint: Path,
    report: Callable[[int, str, float], None],
) -> None:
    """Train `parameters` for `options.minutes`, ending with their moving average; saves it to `checkpoint`."""
    random = torch.Generator().manual_seed(options.seed)
    trained = [p for p in parameters if p.requires_grad]
    average = [p.detach().clone() for p in trained]
    optimiser = torch.optim.AdamW(_groups(model, trained, options), betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
    started = saved = time.monotonic()
    step = 0
    while (share := progress(started, options.minutes, step, options.most_steps)) < 1:
        rate = min(1, (step + 1) / options.warmup) * max(0.03, 1 - share)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * rate
        domain = domains[step % len(domains)]
        which = torch.randint(len(people.person), (options.batch,), generator=random)
        batch = draw_batch(people, latents[domain], domain, which, options, random)
        loss = denoising_loss(model, domain, batch, random)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        step += 1
        _follow(average, trained, min(options.ema, step / (step + 10)))
        report(step, domain, loss.item())
        if time.monotonic() - saved > options.save_seconds:
            save_average(model, trained, average, checkpoint)
            saved = time.monotonic()
    with torch.no_grad():
        for parameter, value in zip(trained, average, strict=True):
            parameter.copy_(value)
    save_average(model, trained, average, checkpoint)


def _groups(model: Model, trained: list[nn.Parameter], options: DenoiserOptions) -> list[dict]:
    """Parameter groups with their peak rates: the UNet's own weights, and what reads words and embeddings."""
    reading = {id(p) for p in (*model.text_encoder.parameters(), *model.branches.parameters())}
    if model.unet.add_embedding is not None:
        reading |= {id(p) for p in model.unet.add_embedding.parameters()}
    groups = (
        ([p for p in trained if id(p) not in reading], options.learning_rate),
        (
            [p for p in trained if id(p) in reading],
            options.condition_rate,
        ),
    )
    return [{"params": params, "lr": rate, "peak": rate} for params, rate in groups if params]


@torch.no_grad()
def _follow(average: list[Tensor], trained: list[nn.Parameter], decay: float) -> None:
    torch._foreach_lerp_(average, [p.detach() for p in trained], 1 - decay)


def named_tensors(model: Model) -> dict[str, nn.Parameter]:
    """Every parameter by one name, whichever branches are attached to the UNet at the moment."""
    names = {f"branches.{name}": parameter for name, parameter in model.branches.named_parameters()}
    owned = {id(parameter) for parameter in names.values()}
    for part in ("unet", "text_encoder"):
        for name, parameter in getattr(model, part).named_parameters():
            if id(parameter) not in owned:
                names[f"{part}.{name}"] = parameter
    return names


def save_average(model: Model, trained: list[nn.Parameter], average: list[Tensor], checkpoint: Path) -> None:
    """Write all trained tensors of `model` by name, with the averaged values."""
    names = {id(parameter): name for name, parameter in named_tensors(model).items()}
    state = {names[id(p)]: value.contiguous() for p, value in zip(trained, average, strict=True)}
    partial = checkpoint.with_suffix(".partial")
    save_file(state, partial)
    partial.replace(checkpoint)


def load_average(model: Model, checkpoint: Path) -> None:
    """Put a checkpoint's tensors into `model` by name. Raises ValueError when one has no place there."""
    parameters = named_tensors(model)
    for name, value in load_file(checkpoint).items():
        if name not in parameters:
            raise ValueError(f"{checkpoint} holds {name}, which the model lacks")
        parameters[name].data.copy_(value)


def denoising_loss(model: Model, domain: str, batch: Batch, random: torch.Generator) -> Tensor:
    """Mean squared error of the predicted noise at random timesteps, the noisier ones more often."""
    share = torch.rand(len(batch.latents), generator=random) ** LATE
    return noise_error(model, domain, batch, (1000 * share).long(), random).mean()


def noise_error(model: Model, domain: str, batch: Batch, timesteps: Tensor, random: torch.Generator) -> Tensor:
    """[B] squared error of the predicted noise at `timesteps` [B]."""
    noise = torch.randn(batch.latents.shape, generator=random)
    alpha_bar = model.scheduler.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    noisy = alpha_bar.sqrt() * batch.latents + (1 - alpha_bar).sqrt() * noise
    with torch.autocast(noisy.device.type, torch.bfloat16):
        predicted = model(domain, noisy, timesteps, batch)
    return F.mse_loss(predicted.float(), noise, reduction="none").mean((1, 2, 3))


@torch.no_grad()
def identity_gap(
    model: Model, people: People, latents: dict[str, Tensor], domain: str, count: int = 128
) -> tuple[float, float]:
    """Held-out noise error with the right identity, and how much larger it is (share) with someone else's."""
    random = torch.Generator().manual_seed(7)
    which = torch.randint(len(people.person), (count,), generator=random)
    keep = DenoiserOptions(minutes=0, drop=0.0, drop_all=0.0)
    batch = draw_batch(people, latents[domain], domain, which, keep, random)
    wrong = Batch(batch.latents, batch.captions, batch.identity.roll(1, 0), batch.expression, batch.no_expression)
    timesteps = torch.randint(100, 700, (count,), generator=random)
    errors = [
        noise_error(model, domain, given, timesteps, torch.Generator().manual_seed(1)).mean().item()
        for given in (batch, wrong)
    ]
    return errors[0], errors[1] / errors[0] - 1
