"""The network of materials learns from painted skins; an interrupted training goes on as if it had never stopped."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.head.template_file import load_template
from idto3d.stages.materials.network import MaterialSize, load_materials
from idto3d.training.materials import train as training
from idto3d.training.materials.train import MaterialsOptions, People, crops, loss, train
from idto3d.training.materials.truth import drawn_skin, ground_of
from idto3d.training.state import state_path, step_random


@pytest.fixture(scope="module")
def template():
    return load_template(EMBEDDED / TEMPLATE_FILE)


@pytest.fixture(scope="module")
def ground(template):
    return ground_of(template, 128)


@pytest.fixture(autouse=True, scope="module")
def each_painted_once():
    """Nobody is painted anew for another training."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "drawn_skin", cache(drawn_skin))
        yield


@pytest.fixture
def options(tmp_path):
    return MaterialsOptions(
        tmp_path / "materials.safetensors", EMBEDDED / TEMPLATE_FILE, 60.0, 4, batch=2, crop=32, people=1,
        steps_each=3, save_seconds=0.0, held_out=1, sizes=(128,), net=MaterialSize((4, 6)),
    )  # fmt: skip


@pytest.fixture
def people(template, ground, options):
    return People(template, options, {128: ground})


def test_a_painted_skin_is_the_same_for_the_same_number(ground):
    one, again, other = (drawn_skin(ground, 0, number) for number in (3, 3, 4))
    assert np.array_equal(one.albedo, again.albedo) and not np.array_equal(one.albedo, other.albedo)
    for skin in (one, other):
        assert skin.albedo.min() > 0 and 0 < skin.roughness.min() <= skin.roughness.max() < 1
        assert 0 < skin.specular.min() <= skin.specular.max() <= 1 and skin.height.min() < 0


def test_an_interrupted_training_arrives_at_the_same_weights(people, options, monkeypatch, tmp_path):
    train(people, options)
    there = replace(options, out=tmp_path / "other" / "materials.safetensors")
    steps = iter(range(2))
    real = training._step

    def stopping(*given):
        next(steps)
        return real(*given)

    monkeypatch.setattr(training, "_step", stopping)
    with pytest.raises(StopIteration):
        train(People(people.template, there, people.grounds), there)
    assert state_path(there.out).is_file() and not there.out.is_file()
    monkeypatch.undo()
    train(People(people.template, there, people.grounds), there)
    nets = [load_materials(one.out).state_dict() for one in (options, there)]
    assert all(torch.equal(value, nets[1][name]) for name, value in nets[0].items())


def test_steps_lower_the_error(people, options):
    options = replace(options, steps=60, steps_each=30, net=MaterialSize((8, 12)))
    people.options = options
    torch.manual_seed(0)
    net = training.MaterialNet(options.net)
    batch = crops(people.for_step(0), replace(options, batch=8), step_random(9, 9))
    before = loss(net, *batch).item()
    optimiser = torch.optim.AdamW(net.parameters(), 5e-3)
    for step in range(options.steps):
        training._step(net, optimiser, people, options, step)
    assert loss(net, *batch).item() < 0.7 * before
