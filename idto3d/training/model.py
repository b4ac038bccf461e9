"""What the trainer trains, under one roof, and how its tensors are named, written and read."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from idto3d.files import read_tensors, unfit
from idto3d.guidance.networks.base import BaseParts, encode_images
from idto3d.guidance.networks.branches import BRANCHES, Branches, attach
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import FORMS, heard

WHITENING_SHARE = 0.02  # share of the largest variance that whitening adds to all
TENSORS = ("latents", "identity", "expression", "no_expression", "camera", "weight")


@dataclass(frozen=True)
class Batch:
    """Scaled latents [B, C, h, w], captions, identity [B, 1, D], expression indices [B], and what is dropped [B].

    `camera` [B, 3] are camera codes, zeros where none is known. `weight` [B, 1, h, w] is how much each place counts in
    the loss. The last `twins` views are the first ones again, in another expression and otherwise under the same
    conditions.
    """

    latents: Tensor
    captions: list[str]
    identity: Tensor
    expression: Tensor
    no_expression: Tensor
    camera: Tensor
    weight: Tensor
    twins: int = 0

    def to(self, device: torch.device) -> "Batch":
        """The batch on `device`."""
        return replace(self, **{name: getattr(self, name).to(device) for name in TENSORS})

    def pieces(self, size: int) -> list["Batch"]:
        """The batch in pieces of at most `size`."""
        tensors = zip(*(getattr(self, name).split(size) for name in TENSORS), strict=True)
        texts = [self.captions[i : i + size] for i in range(0, len(self.captions), size)]
        return [
            Batch(captions=said, **dict(zip(TENSORS, piece, strict=True)))
            for said, piece in zip(texts, tensors, strict=True)
        ]

    def unconditional(self) -> "Batch":
        """The same without text, identity, expression and camera."""
        nothing = torch.ones_like(self.no_expression)
        unsaid = {"captions": [""] * len(self.captions), "no_expression": nothing}
        return replace(self, **unsaid, identity=0 * self.identity, camera=0 * self.camera)


class Model(nn.Module):
    """What is trained: the UNet and both domains' branches; beside them the morphable head, where there is one.

    Everything is on the UNet's device.
    """

    def __init__(self, parts: BaseParts, branches: dict[str, Branches]):
        super().__init__()
        self.unet, self.text_encoder, self.vae = parts.unet, parts.text_encoder, parts.vae
        self.morphable = parts.morphable
        self.branches = nn.ModuleDict(branches)
        self.tokenizer, self.scheduler = parts.tokenizer, parts.scheduler
        self._descriptors: Tensor | None = None

    def encode_text(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Token states [B, L, C] and pooled states [B, C]."""
        return encode_text(self, texts)

    def descriptors(self) -> Tensor:
        """Pooled states [E, C] of all expressions' descriptors; kept once the text encoder no longer learns."""
        if any(parameter.requires_grad for parameter in self.text_encoder.parameters()):
            self._descriptors = None
            return self.encode_text([expression.descriptor for expression in EXPRESSIONS])[1]
        if self._descriptors is None:
            with torch.no_grad():
                self._descriptors = self.encode_text([expression.descriptor for expression in EXPRESSIONS])[1]
        return self._descriptors

    def described(self, batch: Batch) -> Tensor:
        """[B, C] pooled states of the batch's expressions, zeros for those left out."""
        return self.descriptors()[batch.expression] * (~batch.no_expression)[:, None]

    def states(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Text states [B, L, C] of the batch's captions, and their means [B, C], zeros for captions left out."""
        unique, inverse = _unique(batch.captions)
        said = torch.tensor([bool(text) for text in unique], device=self.unet.device)
        text = self.encode_text(unique)[0]
        return text[inverse], (text.mean(1) * said[:, None])[inverse]

    @torch.no_grad()
    def morphable_latents(self, domain: str, batch: Batch, mean_text: Tensor | None = None) -> Tensor:
        """Latents [B, C, h, w] of the morphable head's pictures."""
        mean_text = self.states(batch)[1] if mean_text is None else mean_text
        return encode_images(
            self.vae, self.morphable(domain, mean_text, batch.identity[:, 0], self.described(batch), batch.camera)
        )

    def forward(self, domain: str, noisy: Tensor, timesteps: Tensor, batch: Batch) -> Tensor:
        """What the base predicts [B, C, h, w]: noise or velocity."""
        attach(self.unet, self.branches[domain])
        text, mean = self.states(batch)
        embeds = {"image_embeds": [batch.identity, self.described(batch)[:, None]]}
        inputs = noisy if self.morphable is None else torch.cat([noisy, self.morphable_latents(domain, batch, mean)], 1)
        return self.unet(inputs, timesteps, encoder_hidden_states=text, added_cond_kwargs=embeds).sample


def encode_text(parts: BaseParts | Model, texts: list[str]) -> tuple[Tensor, Tensor]:
    """Token states [B, L, C] and pooled states [B, C] of `texts`, in the forms of words that the tokenizer knows."""
    known = known_forms(parts.tokenizer)
    texts = [heard(text, known) for text in texts]
    tokens = parts.tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    output = parts.text_encoder(tokens.input_ids.to(parts.text_encoder.device))
    return output.last_hidden_state, output.pooler_output


def known_forms(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Those of the words of FORMS, and of what they mean, that `tokenizer` knows."""
    read = {word: tokenizer(word, add_special_tokens=False).input_ids for word in (*FORMS, *FORMS.values())}
    return [word for word, tokens in read.items() if tokenizer.unk_token_id not in tokens]


def _unique(texts: list[str]) -> tuple[list[str], list[int]]:
    order = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    return list(order), [order[text] for text in texts]


def named_tensors(model: Model) -> dict[str, nn.Parameter]:
    """Every parameter by one name, whichever branches are attached to the UNet at the moment."""
    names = {f"branches.{name}": parameter for name, parameter in model.branches.named_parameters()}
    owned = {id(parameter) for parameter in names.values()}
    for part in ("unet", "text_encoder"):
        module = getattr(model, part)
        for name, parameter in module.named_parameters() if module is not None else ():
            if id(parameter) not in owned:
                names[f"{part}.{name}"] = parameter
    return names


def trained_tensors(model: Model) -> dict[str, nn.Parameter]:
    """The parameters of `named_tensors` that learn."""
    return {name: parameter for name, parameter in named_tensors(model).items() if parameter.requires_grad}


def load_average(model: Model, checkpoint: Path) -> None:
    """Put a checkpoint's tensors into `model` by name. Raises UserError when it is damaged or does not fit."""
    parameters = named_tensors(model)
    for name, value in read_tensors(checkpoint).items():
        if name not in parameters or parameters[name].shape != value.shape:
            raise unfit(checkpoint, f"the model has no {name} of shape {tuple(value.shape)}")
        parameters[name].data.copy_(value)


@torch.no_grad()
def whiten(branches: Branches, branch: str, embeddings: Tensor) -> None:
    """Start a branch's MLP so that its tokens tell the `embeddings` [n, D] apart from the first step, however alike.

    The first layer mixes whitened directions at random, those in which the embeddings hardly differ weakly; the second
    starts without a bias, which the layer norm behind it would take for the signal. Seed torch first.
    """
    first, second = (branches.projection.image_projection_layers[BRANCHES.index(branch)].ff.net[i] for i in (0, 2))
    first, mean = first.proj, embeddings.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((embeddings - mean).T))
    whitening = (vectors / (values + WHITENING_SHARE * values.max()).sqrt()).T
    heard = values.clamp(min=0) / (values + WHITENING_SHARE * values.max())  # variance of each direction, at most 1
    mixing = torch.randn(first.out_features, len(whitening)) * heard.sqrt() / heard.sum().sqrt()
    first.weight.copy_(mixing @ whitening)
    first.bias.copy_(-first.weight @ mean)
    second.bias.zero_()
