"""Batches in which some views come twice, in two expressions: all that differs between twins is the expression."""

from dataclasses import replace

import torch
from torch import Tensor

from idto3d.training.data.dataset import People
from idto3d.training.denoiser import DenoiserOptions, draw_batch
from idto3d.training.model import Batch


def sittings(people: People) -> Tensor:
    """[N, 2] for each view the first and the number of the views of the same person by the same camera.

    They follow one another in a dataset.
    """
    seen = torch.stack([people.person.double(), people.azimuth_deg.double(), people.elevation_deg.double()], 1)
    begins = torch.ones(len(seen), dtype=torch.bool)
    begins[1:] = (seen[1:] != seen[:-1]).any(1)
    first, number = begins.nonzero()[:, 0], begins.cumsum(0) - 1
    return torch.stack([first[number], torch.bincount(number)[number]], 1)


def draw_twins(
    people: People, latents: Tensor, domain: str, sitting: Tensor, options: DenoiserOptions, random: torch.Generator
) -> Batch:
    """A batch of random views; unless twins weigh nothing up to half have one at its end. `sitting`: see `sittings`."""
    which = torch.randint(len(sitting), (options.batch,), generator=random)
    paired = (sitting[which, 1] > 1).nonzero()[: options.batch // 2 if options.twins else 0, 0]
    count = options.batch - len(paired)
    rest = torch.ones(options.batch, dtype=torch.bool)
    rest[paired] = False
    order = torch.cat([paired, rest.nonzero()[:, 0]])[:count]
    batch = draw_batch(people, latents, domain, which[order], options, random)
    return _joined(people, latents, batch, which[paired], _twin_of(sitting[which[paired]], which[paired], random))


def _twin_of(sitting: Tensor, which: Tensor, random: torch.Generator) -> Tensor:
    """For each view of a sitting of several another one of it."""
    first, count = sitting.unbind(1)
    hop = (torch.rand(len(which), generator=random) * (count - 1)).long() + 1
    return first + (which - first + hop) % count


def _joined(people: People, latents: Tensor, batch: Batch, which: Tensor, twin: Tensor) -> Batch:
    """The batch, which begins with the views `which`, and their twins behind it."""
    count = len(which)
    again = {name: getattr(batch, name)[:count] for name in ("identity", "no_expression", "camera", "weight")}
    again |= {"latents": latents[twin].float(), "expression": people.expression[twin]}
    tensors = {name: torch.cat([getattr(batch, name), value]) for name, value in again.items()}
    return replace(batch, captions=[*batch.captions, *batch.captions[:count]], twins=count, **tensors)
