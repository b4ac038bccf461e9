"""How much memory a run takes is known before it is taken."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from idto3d.bundle.asking import Beside
from idto3d.bundle.find import fetch_weights, find_bundle
from idto3d.bundle.sources import Refinement
from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.events import exhausted
from idto3d.guidance import memory
from idto3d.guidance.loading import load_bundle
from idto3d.guidance.memory import Live, Need, expect_memory, free_memory, needed_memory, networks_bytes, step_bytes
from idto3d.guidance.networks.base import encode_images
from idto3d.guidance.networks.reading import outlines
from idto3d.stages import models

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(pristine_folder):
    return exhausted(fetch_weights(exhausted(find_bundle(pristine_folder))))


def test_what_lives_is_counted_as_long_as_it_lives():
    with Live() as live:
        first = torch.zeros(250)
        second = first + 1
        view = second[:10]
        del first
        assert (live.now, live.peak) == (1000, 2000)
        del second
        assert live.now == 1000 and len(view) == 10
        torch.zeros(100).add_(1)
    assert (live.now, live.peak) == (1000, 2000)


def test_the_networks_take_what_they_take_when_they_are_loaded(weights, pristine_folder):
    bundle = load_bundle(pristine_folder, CPU, torch.bfloat16)
    networks = (bundle.parts.unet, bundle.parts.vae, bundle.parts.text_encoder)
    own = [
        value
        for network in networks
        for name, value in network.named_parameters()
        if not any(word in name for word in (".lora_", ".processor.", "encoder_hid_proj."))
    ]
    there = sum(value.numel() * value.element_size() for value in own)
    assert networks_bytes(weights, torch.bfloat16, refine=True) == there


def test_what_was_not_fetched_is_not_counted(weights):
    absent = Refinement("elsewhere", "", "a {subject}", 7.5, 1.0)
    beside = Beside("geometry", "depth", "elsewhere", "", "a {subject} in {view} view")
    more = replace(weights, info=replace(weights.info, refinement=absent, beside=(beside,)))
    one = networks_bytes(weights, torch.float32, refine=True)
    assert networks_bytes(more, torch.float32, refine=True) == one
    there = replace(more, sources={"elsewhere": weights.place(weights.info.base)})
    assert networks_bytes(there, torch.float32, refine=True) > 2 * one  # both as the base again, the UNet of one alone


def test_a_step_takes_on_meta_what_it_takes_on_a_cpu(weights, pristine_folder):
    _, vae = outlines(weights.place(weights.info.base))
    real = load_bundle(pristine_folder, CPU, torch.float32).parts.vae
    size, peaks = weights.info.image_size, []
    for network, device in ((vae, "meta"), (real, "cpu")):
        images = torch.zeros(3, 3, size, size, device=device, requires_grad=True)
        with Live() as live:
            encode_images(network.requires_grad_(False), images).sum().backward()
        peaks.append(live.peak)
    assert peaks[0] == pytest.approx(peaks[1], rel=0.1)


def test_more_pictures_and_longer_numbers_take_more(weights, need):
    many = needed_memory(weights, 6, torch.float32, refine=True)
    half = needed_memory(weights, 6, torch.bfloat16, refine=True)
    assert many.networks == need.networks > half.networks
    assert 2 * need.step < many.step < 4 * need.step and many.step > 1.5 * half.step


def test_a_step_of_published_size_takes_gigabytes_and_no_table_of_all_pairs():
    from benchmarks.sd15_step import sd15_parts

    with torch.device("meta"):
        parts = sd15_parts()
    one = step_bytes(parts.unet, parts.vae, 512, 1, torch.bfloat16)
    assert 1.5e9 < one < 3.5e9


@pytest.fixture(scope="module")
def need(weights):
    return needed_memory(weights, 2, torch.float32, refine=True)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_who_has_less_is_told_how_much_before_it_is_taken(weights, need, monkeypatch, device):
    monkeypatch.setattr(memory, "choose_dtype", lambda _: torch.float32)
    monkeypatch.setattr(memory, "needed_memory", lambda *_: need)
    monkeypatch.setattr(memory, "free_memory", lambda _: 1000)
    words = r"tiny takes 0\.\d GB of memory.*a step of 2 pictures\), and 0\.0 are free"
    with pytest.raises(UserError, match=words) as told:
        expect_memory(weights, 2, torch.device(device), refine=True)
    assert ("of the GPU" in told.value.what) == (device == "cuda") and "shape.views" in told.value.remedy
    monkeypatch.setattr(memory, "free_memory", lambda _: need.total)
    expect_memory(weights, 2, torch.device(device), refine=True)
    monkeypatch.setattr(memory, "free_memory", lambda _: need.total - 1)
    with pytest.raises(UserError):
        expect_memory(weights, 2, torch.device(device), refine=True)


def test_where_plenty_is_free_no_step_is_counted(weights, monkeypatch):
    monkeypatch.setattr(memory, "needed_memory", lambda *_: Need(1 << 60, 0, 1))
    monkeypatch.setattr(memory, "free_memory", lambda _: 1 << 50)
    expect_memory(weights, 2, CPU, refine=True)


def test_a_run_without_room_ends_before_its_networks_are_loaded(pristine_folder, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda _: 0)
    monkeypatch.setattr(models, "load_weights", lambda *_: pytest.fail("loaded"))
    located = exhausted(find_bundle(pristine_folder))
    encoder = SimpleNamespace(name="dlib", dimension=located.info.identity_encoder.dimension)
    with pytest.raises(UserError, match="GB of memory"):
        exhausted(models.load_models(HeadOptions(device="cpu"), encoder, located))


def test_what_is_free_on_a_gpu_counts_what_torch_keeps_in_reserve(monkeypatch):
    given = {"mem_get_info": (500, 1000), "memory_reserved": 300, "memory_allocated": 200}
    for name, value in given.items():
        monkeypatch.setattr(torch.cuda, name, lambda _device, value=value: value)
    assert free_memory(torch.device("cuda")) == 600


@pytest.mark.parametrize("kind", [0, 1])
def test_a_container_leaves_what_its_limit_leaves(tmp_path, monkeypatch, kind):
    most, now, stat, given_back = memory.LIMITS[kind]
    (tmp_path / most).parent.mkdir(exist_ok=True)
    (tmp_path / most).write_text("100000\n")
    (tmp_path / now).write_text("60000\n")
    (tmp_path / stat).write_text(f"anon 30000\n{given_back} 20000\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert free_memory(CPU) == 60000
    (tmp_path / most).write_text("max\n")
    assert free_memory(CPU) > 1 << 20
    (tmp_path / stat).unlink()
    assert free_memory(CPU) > 1 << 20
