"""A tiny model and made-up people for it, for tests of the training loop."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from idto3d.guidance.networks.base import with_morphable
from idto3d.guidance.networks.branches import new_branches
from idto3d.guidance.networks.tiny import TEST_SPEC, tiny_base, tiny_morphable
from idto3d.training import train
from idto3d.training.data.dataset import ARRAYS, People
from idto3d.training.denoiser import Data
from idto3d.training.model import Model
from idto3d.training.people.person import draw_person
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import DOMAINS


def made_up_people(count: int = 6, views: int = 4, size: int = 32) -> People:
    """Views whose normal maps are flat colours that depend on the person alone."""
    random = np.random.default_rng(0)
    colours = random.integers(40, 215, (count, 1, 1, 3))
    images = np.broadcast_to(colours[:, None], (count, views, size, size, 3)).reshape(-1, size, size, 3)
    looks = [dataclasses.asdict(draw_person(seed).look) for seed in range(count)]
    images = torch.from_numpy(images.astype(np.uint8))
    embedding = torch.nn.functional.normalize(torch.from_numpy(random.normal(size=(count, 3, 8))).float(), dim=-1)
    total = count * views
    return People(
        normal=images,
        albedo=images.flip(-1),
        expression=torch.arange(total) % len(EXPRESSIONS),
        azimuth_deg=torch.zeros(total),
        elevation_deg=torch.zeros(total),
        person=torch.arange(count).repeat_interleave(views),
        embedding=embedding,
        coefficients=torch.zeros(count, 100),
        looks=tuple(looks),
    )


def tiny_parts():
    """A base with random weights that are always the same."""
    torch.manual_seed(0)
    return tiny_base(TEST_SPEC, train.known_words())


def tiny_model() -> Model:
    """The base with a morphable head and fresh branches in both domains, all of it learning."""
    parts = with_morphable(tiny_parts(), tiny_morphable(TEST_SPEC, 8))
    return Model(parts, {name: new_branches(parts.unet, 8, TEST_SPEC.text_width) for name in DOMAINS})


def tiny_data() -> Data:
    """Made-up people with latents that are noise about a value of their own."""
    people = made_up_people()
    random = torch.Generator().manual_seed(1)
    own = torch.randn(len(people.person), 4, 1, 1, generator=random)
    latents = {name: own + 0.1 * torch.randn(len(people.person), 4, 4, 4, generator=random) for name in DOMAINS}
    return Data(people, latents)


def write_dataset(folder: Path, people: People) -> Path:
    """`people` as two embedded shards, as synthesize writes them."""
    folder.mkdir()
    half = len(people.looks) // 2
    for number, who in enumerate((range(half), range(half, len(people.looks)))):
        seen = (people.person >= who.start) & (people.person < who.stop)
        arrays = {name: getattr(people, name)[seen].contiguous() for name in (*ARRAYS, "person")}
        arrays["coefficients"] = people.coefficients[list(who)]
        save_file(arrays, folder / f"{number:04}.safetensors")
        save_file({"embedding": people.embedding[list(who)]}, folder / f"{number:04}.identity.safetensors")
        looks = [{"look": people.looks[i], "subject": "person"} for i in who]
        (folder / f"{number:04}.json").write_text(json.dumps({"people": looks}))
    return folder
