"""Begun by the test of two processes: trains two stages and writes what this process drew and ended with."""

import hashlib
import json
import os
from pathlib import Path

import torch
from accelerate.state import AcceleratorState
from training.small import tiny_data, tiny_model

from idto3d.training import loop
from idto3d.training.denoiser import DenoiserOptions
from idto3d.training.model import named_tensors
from idto3d.training.twins import draw_twins
from idto3d.training.watch import Watch
from idto3d.words.prompts import DOMAINS


def begin(folder: Path, rank: int) -> None:
    """`main` as the process of that rank of two, in a copy of a process that may have trained alone.

    They meet in a file: another test may take a port that is free.
    """
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}
    os.environ |= {name: str(value) for name, value in place.items()} | {"ACCELERATE_USE_CPU": "true"}
    AcceleratorState._reset_state(reset_partial_state=True)
    meeting = (folder / "meeting").as_uri()
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    torch.set_num_threads(1)
    main(folder)


def main(folder: Path) -> None:
    drawn = []

    def noted(*given):
        batch = draw_twins(*given)
        drawn.append(digest(batch.latents))
        return batch

    loop.draw_twins = noted
    accelerator = loop.make_accelerator("auto")
    model, data, weights = tiny_model(), tiny_data(), []
    options = DenoiserOptions(batch=6, most_steps=4, warmup=2, evaluate_steps=2, save_seconds=0.0)
    for name, domains in (("base", DOMAINS), ("expression-albedo", ("albedo",))):
        if name != "base":
            model.requires_grad_(False)
            for parameter in model.branches["albedo"].branch_parameters("expression"):
                parameter.requires_grad_(True)
        stage = loop.Stage(name, domains, options, folder / f"{name}.safetensors")
        loop.train_denoiser(accelerator, model, stage, data, data, Watch(folder))
        weights.append(digest(torch.cat([value.detach().flatten() for value in named_tensors(model).values()])))
    report = {"processes": accelerator.num_processes, "weights": weights, "batches": drawn}
    (folder / f"{accelerator.process_index}.json").write_text(json.dumps(report))
    accelerator.end_training()


def digest(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.numpy()).hexdigest()
