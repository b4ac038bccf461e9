"""Run by the test of two processes: trains two stages and writes what this process drew and ended with.

python -m torch.distributed.run --nproc_per_node 2 two_processes.py FOLDER
"""

import hashlib
import json
import sys
from pathlib import Path

import torch
from training.small import tiny_data, tiny_model

from idto3d.training import loop
from idto3d.training.denoiser import DenoiserOptions
from idto3d.training.model import named_tensors
from idto3d.training.twins import draw_twins
from idto3d.training.watch import Watch
from idto3d.words.prompts import DOMAINS


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


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
