"""`accelerate launch ... idto3d.training.train`: what all processes start from is written by one and read by all."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from idto3d import files
from idto3d.bundle.info import BundleInfo, EncoderInfo
from idto3d.files import write_tensors
from idto3d.guidance.loading import load_bundle, save_bundle
from idto3d.guidance.networks.branches import new_branches
from idto3d.guidance.networks.lora import add_lora
from idto3d.guidance.networks.tiny import EMBEDDED_SPEC, tiny_base
from idto3d.training import train
from idto3d.words.prompts import DOMAINS

ROOT = Path(__file__).parents[2]
LAUNCH = (sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", "--multi_gpu", "--num_processes", "2")
PLAIN = ("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no")
ON_CPU = {"ACCELERATE_USE_CPU": "true", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
ONE_STEP = ("--most-steps", "1", "--batch", "2", "--sample-minutes", "0")

pytestmark = pytest.mark.usefixtures("own_accelerator")


@pytest.fixture(scope="module")
def given(small, tmp_path_factory):
    """The words of a command that goes on from a bundle of the small base's size, and their folder."""
    folder = tmp_path_factory.mktemp("many")
    torch.manual_seed(0)
    parts = tiny_base(EMBEDDED_SPEC, train.known_words())
    branches = {domain: new_branches(parts.unet, 8, EMBEDDED_SPEC.text_width) for domain in DOMAINS}
    for domain in DOMAINS:
        add_lora(parts.unet, domain)
    prompts = dict.fromkeys(DOMAINS, "{view} {subject}")
    info = BundleInfo("old", "MIT", 32, EncoderInfo("dlib", 8), {"neutral": "calm"}, prompts)
    save_bundle(folder / "init", info, parts, branches)
    data = small.write_dataset(folder / "people", small.made_up_people())
    paths = {"--data": data, "--init": folder / "init", "--work": folder / "work", "--out": folder / "bundle"}
    return [word for name, path in paths.items() for word in (name, str(path))], folder


def launched(words) -> dict:
    """Run the command in two processes; what it says of itself."""
    command = [*LAUNCH, *PLAIN, "-m", "idto3d.training.train", *words, *ONE_STEP]
    environment = os.environ | ON_CPU | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[0])


def test_the_command_runs_in_two_processes_and_trains_nothing_twice(given):
    words, folder = given
    words = [*words, "--stages", "base,style,expression,bundle"]
    told = launched(words)
    assert (told["processes"], told["device"]) == (2, "cpu")
    stages = {f"{stage}-{domain}" for stage in ("style", "expression") for domain in DOMAINS}
    files = {path.name: path.stat().st_mtime_ns for path in (folder / "work").glob("*.safetensors")}
    assert {name.split(".")[0] for name in files} == {"text_encoder", "vae", "latents-24", "base", *stages}
    assert load_bundle(folder / "bundle", torch.device("cpu")).info.image_size == 32
    train.main([*words, *ONE_STEP])
    assert files == {path.name: path.stat().st_mtime_ns for path in (folder / "work").iterdir()}


def test_who_does_not_come_first_writes_nothing_that_all_start_from(given, tmp_path, monkeypatch):
    words, _ = given
    first, second = tmp_path / "first", tmp_path / "second"
    train.main([*words, "--work", str(first), "--stages", "vae", "--vae-minutes", "0"])

    @contextmanager
    def after_the_main_process(_):
        shutil.copytree(first, second, dirs_exist_ok=True)
        yield

    written = []
    monkeypatch.setattr(Accelerator, "main_process_first", after_the_main_process)
    monkeypatch.setattr(train, "write_tensors", lambda path, *_: written.append(path.name))
    train.main([*words, "--work", str(second), "--stages", "vae"])
    assert not written and {path.stem for path in first.iterdir()} == {"text_encoder", "vae"}


def test_two_processes_may_write_one_file_at_a_time(tmp_path, monkeypatch):
    path, processes, synced = tmp_path / "a.safetensors", iter((1, 2)), []

    def interrupted(file):
        synced.append(file)
        if len(synced) == 1:
            write_tensors(path, {"a": torch.ones(1)})

    monkeypatch.setattr(files.os, "getpid", lambda: next(processes))
    monkeypatch.setattr(files.os, "fsync", interrupted)
    write_tensors(path, {"a": torch.zeros(1)})
    assert load_file(path)["a"] == 0 and len(list(tmp_path.iterdir())) == 1
