"""The training loop: it stops, goes on, is repeatable, and many processes learn one model."""

import json
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training import two_processes

from idto3d.errors import UserError
from idto3d.training import loop
from idto3d.training.denoiser import DenoiserOptions
from idto3d.training.loop import Stage, make_accelerator, train_denoiser
from idto3d.training.model import named_tensors, trained_tensors
from idto3d.training.state import is_finished, state_path, step_random
from idto3d.training.watch import Watch, draw_curve
from idto3d.words.prompts import DOMAINS

SHORT = DenoiserOptions(batch=2, most_steps=6, warmup=2, save_seconds=0.0)


class Killed(BaseException):
    """The machine goes away."""


class DyingWatch(Watch):
    def __init__(self, folder, after=3):
        super().__init__(folder)
        self.after = after

    def step(self, stage, step, seconds, loss):
        super().step(stage, step, seconds, loss)
        if step == self.after:
            raise Killed


@pytest.fixture(scope="module")
def accelerator():
    return make_accelerator("auto")


def base_stage(folder: Path, **changed) -> Stage:
    folder.mkdir(exist_ok=True)
    return Stage("base", DOMAINS, replace(SHORT, **changed), folder / "base.safetensors")


def trained(small, accelerator, stage, watch=None, held_out=None):
    """A tiny model after `stage`."""
    model = small.tiny_model()
    watch = watch or Watch(stage.checkpoint.parent)
    train_denoiser(accelerator, model, stage, small.tiny_data(), held_out, watch)
    return model


def test_a_killed_training_goes_on_to_the_same_weights(small, accelerator, tmp_path):
    whole, broken = (base_stage(tmp_path / name) for name in ("whole", "broken"))
    trained(small, accelerator, whole)
    with pytest.raises(Killed):
        trained(small, accelerator, broken, DyingWatch(tmp_path / "broken"))
    assert not is_finished(broken.checkpoint)
    trained(small, accelerator, broken)
    assert is_finished(broken.checkpoint) and not state_path(broken.checkpoint).exists()
    first, second = load_file(whole.checkpoint), load_file(broken.checkpoint)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_state_is_safetensors_with_everything_a_continued_run_needs(small, accelerator, tmp_path):
    stage = base_stage(tmp_path)
    with pytest.raises(Killed):
        trained(small, accelerator, stage, DyingWatch(tmp_path))
    names = {name.rsplit("/", 1)[0] for name in load_file(state_path(stage.checkpoint))}
    assert names == {"raw", "average", "adam/step", "adam/exp_avg", "adam/exp_avg_sq"}
    state_path(stage.checkpoint).write_bytes(b"not a state")
    with pytest.raises(UserError, match="could not be read"):
        trained(small, accelerator, stage)


def test_a_state_of_other_parameters_is_refused(small, accelerator, tmp_path):
    stage = base_stage(tmp_path)
    with pytest.raises(Killed):
        trained(small, accelerator, stage, DyingWatch(tmp_path))
    model = small.tiny_model()
    model.unet.requires_grad_(False)
    with pytest.raises(UserError, match="other parameters"):
        train_denoiser(accelerator, model, stage, small.tiny_data(), None, Watch(tmp_path))


def test_it_stops_early_and_keeps_the_best_average(small, accelerator, tmp_path, monkeypatch):
    errors, seen = iter([3.0, 1.0, 2.0, 2.5]), []

    def measured(model, data, domain):
        seen.append({name: value.detach().clone() for name, value in named_tensors(model).items()})
        return {"error": next(errors), "identity_gap": 0.01}

    monkeypatch.setattr(loop, "heard", measured)
    stage = replace(base_stage(tmp_path, most_steps=100, evaluate_steps=2, early_stop=2), domains=("geometry",))
    model = trained(small, accelerator, stage, held_out=small.tiny_data())
    assert len(seen) == 4
    assert all(torch.equal(value, seen[1][name]) for name, value in named_tensors(model).items())
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "geometry_error" in line] == [2, 4, 6, 8]
    assert all("geometry_identity_gap" in line for line in lines)


def test_the_held_out_figures_are_those_of_the_average(small, accelerator, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(loop, "heard", lambda model, *_: (seen.append(flat(model)), {"error": 1.0})[1])
    model = trained(small, accelerator, base_stage(tmp_path, evaluate_steps=6), held_out=small.tiny_data())
    assert torch.equal(seen[-1], flat(model))


def flat(model) -> torch.Tensor:
    return torch.cat([value.detach().flatten() for value in trained_tensors(model).values()])


def test_a_step_whose_gradient_is_not_finite_is_left_out(small, accelerator, tmp_path):
    data = small.tiny_data()
    for latents in data.latents.values():
        latents[0] = float("nan")
    model = small.tiny_model()
    stage = base_stage(tmp_path, most_steps=12)
    train_denoiser(accelerator, model, stage, data, None, Watch(tmp_path))
    assert flat(model).isfinite().all()


def test_processes_and_steps_draw_different_numbers():
    drawn = [torch.rand(2, generator=step_random(0, step, process)) for step in (0, 1) for process in (0, 1)]
    assert len({tuple(value.tolist()) for value in drawn}) == 4
    assert torch.equal(drawn[0], torch.rand(2, generator=step_random(0, 0, 0)))


def test_the_curve_is_drawn_and_a_repeated_step_replaces_the_first(tmp_path):
    watch = Watch(tmp_path)
    for step, loss in ((50, 0.9), (100, 0.8), (100, 0.5)):
        watch.tell("base", step, 1.0, {"loss": loss})
    with open(tmp_path / "log.jsonl", "a") as log:
        log.write('{"stage": "base", "st\n')
    watch.tell("style-geometry", 50, 1.0, {"loss": 0.4, "geometry_error": 0.6})
    draw_curve(tmp_path)
    svg = (tmp_path / "loss.svg").read_text()
    assert svg.count("<polyline") == 3 and "base: 0.5 to 0.9, step 100" in svg


def test_two_processes_end_with_one_model_after_different_batches(tmp_path):
    fork = get_context("fork")  # with all libraries loaded; that a launcher's processes train is tested beside
    processes = [fork.Process(target=two_processes.begin, args=(tmp_path, rank)) for rank in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        process.kill()
    assert [process.exitcode for process in processes] == [0, 0]
    first, second = (json.loads((tmp_path / f"{process}.json").read_text()) for process in range(2))
    assert first["processes"] == second["processes"] == 2
    assert first["weights"] == second["weights"] and len(set(first["weights"])) == 2
    assert len(first["batches"]) == len(second["batches"]) == 8
    assert all(one != two for one, two in zip(first["batches"], second["batches"], strict=True))
    assert (tmp_path / "base.safetensors").exists() and not (tmp_path / "base.state.safetensors").exists()


@pytest.fixture
def bf16(own_accelerator):
    """An accelerator of that precision."""
    return make_accelerator("bf16")


def test_in_mixed_precision_the_networks_compute_in_bf16_and_all_that_is_kept_is_float32(small, bf16, tmp_path):
    whole, broken = (base_stage(tmp_path / name, most_steps=2) for name in ("whole", "broken"))
    model, computed = small.tiny_model(), set()
    model.unet.mid_block.register_forward_hook(lambda module, given, out: computed.add(out.dtype))
    train_denoiser(bf16, model, whole, small.tiny_data(), None, Watch(tmp_path))
    assert computed == {torch.bfloat16} and {value.dtype for value in named_tensors(model).values()} == {torch.float32}
    with pytest.raises(Killed):
        trained(small, bf16, broken, DyingWatch(tmp_path / "broken", after=1))
    assert {value.dtype for value in load_file(state_path(broken.checkpoint)).values()} == {torch.float32}
    trained(small, bf16, broken)
    first, second = load_file(whole.checkpoint), load_file(broken.checkpoint)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["unet.conv_in.weight"], small.tiny_model().unet.conv_in.weight)
