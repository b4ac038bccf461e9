"""Fitting the initial predictor: ridge regressions from the conditions of views to their latents."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from idto3d.guidance.lora import DOMAINS
from idto3d.guidance.predictor import OFFSETS, UNKNOWN, InitialPredictor, view_of
from idto3d.training.denoiser import EVERYTHING, Data, draw_batch, mean_embedding
from idto3d.training.model import Batch, Model

PIECE = 250


@dataclass(frozen=True)
class FitOptions:
    """Deviations that text, identity and expression are brought to, and the ridge on their weights.

    Chosen by the error on 350 views of 50 held-out people: of the identity the least is certain.
    """

    text: float = 0.4
    identity: float = 0.25
    expression: float = 0.5
    ridge: float = 100.0
    draws: int = 2  # captions and subsets of portraits per view
    seed: int = 0


@torch.no_grad()
def fit_predictor(model: Model, data: Data, options: FitOptions) -> None:
    """Fit the initial predictor of `model` in place to the views of `data`.

    One regression per domain and view, and one for unknown cameras. All share the `rank` patterns that hold most of
    what they predict.
    """
    predictor = model.predictor
    texts = [_told(model, data, DOMAINS[0], which, seed)[0] for which, seed in _pieces(data, options)]
    whiten(predictor.text, torch.cat(texts), options.text)
    whiten(predictor.identity, mean_embedding(data.people.embedding), options.identity)
    whiten(predictor.expression, model.descriptors(), options.expression)
    sums = [_sums(model, data, domain, options) for domain in DOMAINS]
    _share_patterns(predictor, sums, options.ridge)


def whiten(layer: nn.Linear, values: Tensor, size: float) -> None:
    """Make `layer` the principal directions of `values` [n, D], each brought to the deviation `size`."""
    mean, count = values.mean(0), layer.out_features
    variances, directions = torch.linalg.eigh(torch.cov((values - mean).T))
    variances, directions = variances[-count:].clamp(min=0), directions[:, -count:]
    layer.weight.copy_(size * (directions / (variances + 0.003 * variances.max()).sqrt()).T)
    layer.bias.copy_(-layer.weight @ mean)


def _pieces(data: Data, options: FitOptions) -> list[tuple[Tensor, int]]:
    """All views a piece at a time, `draws` times over, each with a seed of its own."""
    views = torch.arange(len(data.people.person)).split(PIECE)
    return [(which, options.seed + number) for number, which in enumerate(views * options.draws)]


def _told(model: Model, data: Data, domain: str, which: Tensor, seed: int) -> tuple[Tensor, Batch]:
    """Mean text states [B, C] and everything else that is said of the views `which` [B]."""
    random = torch.Generator().manual_seed(seed)
    batch = draw_batch(data.people, data.latents[domain], domain, which, EVERYTHING, random)
    return model.states(batch)[1], batch


def _sums(model: Model, data: Data, domain: str, options: FitOptions) -> tuple[Tensor, Tensor]:
    """Per view the moments [V + 1, F + 1, F + 1] of features and a one, and theirs with latents [V + 1, F + 1, N]."""
    predictor = model.predictor
    size, wide = predictor.maps.shape[2] + 1, predictor.patterns.out_features
    own, crossed = torch.zeros(UNKNOWN + 1, size, size), torch.zeros(UNKNOWN + 1, size, wide)
    for which, seed in _pieces(data, options):
        text, batch = _told(model, data, domain, which, seed)
        found = predictor.features(text, batch.identity[:, 0], model.described(batch), batch.camera)
        found = torch.cat([found, torch.ones(len(found), 1)], 1)
        views, latents = view_of(batch.camera), batch.latents.flatten(1)
        for view in views.unique().tolist():
            chosen = found[views == view]
            own[view] += chosen.T @ chosen
            crossed[view] += chosen.T @ latents[views == view]
        found[:, -1 - OFFSETS : -1] = 0
        own[UNKNOWN] += found.T @ found
        crossed[UNKNOWN] += found.T @ latents
    return own, crossed


def _share_patterns(predictor: InitialPredictor, sums: list[tuple[Tensor, Tensor]], ridge: float) -> None:
    """Solve all regressions; keep the patterns [rank, N] in which their predictions vary most."""
    own, crossed = (torch.stack(one) for one in zip(*sums, strict=True))
    penalty = ridge * torch.eye(own.shape[-1])
    penalty[-1, -1] = 1e-3  # the centre is free; no view at all leaves zeros
    weights = torch.linalg.solve(own + penalty, crossed)
    mean = crossed[:, :, -1].sum((0, 1)) / own[:, :, -1, -1].sum()
    weights[:, :, -1] -= mean * (own[:, :, -1, -1] > 0)[..., None]
    spread = torch.linalg.cholesky(own + penalty).transpose(-1, -2) @ weights
    _, _, patterns = torch.linalg.svd(spread.flatten(0, 2), full_matrices=False)
    patterns = patterns[: predictor.maps.shape[-1]]
    held = weights @ patterns.T
    predictor.maps[..., : patterns.shape[0]] = held[:, :, :-1]
    predictor.centres[..., : patterns.shape[0]] = held[:, :, -1]
    predictor.patterns.weight[:, : patterns.shape[0]] = patterns.T
    predictor.patterns.bias.copy_(mean)
