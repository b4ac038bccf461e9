"""A skin whose atlas is painted by two diffusion models at once: what changes, what stays, and what is saved of it."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_heads import brief, everything, files, run, small

from idto3d import pipeline
from idto3d.bundle.info import read_info
from idto3d.config import HeadOptions, TextureOptions
from idto3d.events import Notice, StepDone
from idto3d.guidance.atlas import AtlasGuidance
from idto3d.guidance.networks.atlas import LIT, NONE, TEST_ATLAS, UNLIT, load_atlas, new_atlas_model, save_atlas
from idto3d.guidance.networks.base import load_base
from idto3d.guidance.networks.usual_atlas import UsualAtlas
from idto3d.guidance.schedules import evenly_falling
from idto3d.render.draw import Surface
from idto3d.render.dressed import Dressed
from idto3d.stages.texture.code import AtlasCode, changed, skin_atlas
from idto3d.stages.texture.normals import bent
from idto3d.stages.texture.skin import with_atlas as painted


@pytest.fixture(scope="module")
def with_atlas(tiny_bundle, tmp_path_factory):
    """The tiny bundle with a model of atlases that knows nothing."""
    folder = tmp_path_factory.mktemp("atlas") / "bundle"
    shutil.copytree(tiny_bundle, folder)
    parts = load_base(folder / read_info(folder).base)
    torch.manual_seed(0)
    model = new_atlas_model(TEST_ATLAS, parts, some_statistics(parts))
    torch.nn.init.normal_(model.unet.conv_out.weight, std=0.2)  # so that it says something
    save_atlas(model, folder, torch.float32)
    return folder


def some_statistics(parts):
    """Random statistics for the tiny model, in two directions."""
    shape, width = (parts.vae.config.latent_channels, 8, 8), parts.text_encoder.config.hidden_size
    basis = torch.linalg.qr(torch.randn(torch.Size(shape).numel(), 2)).Q.T.reshape(2, *shape)
    found = {"words": torch.randn(2, TEST_ATLAS.domain_words, width), "mean": torch.randn(shape), "basis": basis}
    found |= {"deviation": torch.full((shape[0], 1, 1), 0.5), "spread": 0.1 * torch.randn(1 + 2 * width + 16, 2)}
    return found | {"rest": torch.tensor([0.5]), "reading": 0.1 * torch.randn(1 + 2 * width + 16, 2)}


@pytest.fixture(scope="module")
def guidance(with_atlas):
    parts = load_base(with_atlas / read_info(with_atlas).base)
    return AtlasGuidance(load_atlas(with_atlas, parts), parts)


@pytest.fixture
def options(with_atlas, fit_once, monkeypatch):
    monkeypatch.setattr(pipeline, "fit_head", fit_once)
    texture = TextureOptions(steps=3, lit_steps=2, learning_rate=0.2)
    return replace(brief(small(with_atlas)), texture=texture)


def test_a_model_that_was_saved_says_the_same(with_atlas, guidance):
    again = AtlasGuidance(load_atlas(with_atlas, guidance.parts), guidance.parts)
    noisy = torch.randn(1, *guidance.model.mean.shape, generator=torch.Generator().manual_seed(0))
    one, other = (g.predict(noisy, 400, g.conditions(["person"])) for g in (guidance, again))
    assert torch.equal(one[0], other[0]) and not torch.equal(one[0], one[1])


def test_the_domain_is_heard_and_none_is_silence(guidance):
    noisy = torch.randn(1, *guidance.model.mean.shape, generator=torch.Generator().manual_seed(0))
    said = [guidance.conditions(["person"], domain=domain) for domain in (UNLIT, LIT, NONE)]
    heard = [guidance.predict(noisy, 400, one)[0] for one in said]
    assert not torch.equal(heard[0], heard[1]) and not torch.equal(heard[0], heard[2])
    assert said[2].said[:, -TEST_ATLAS.domain_words :].abs().max() == 0


def test_what_is_usual_is_the_best_guess_of_a_normal_distribution():
    """Against the average of many atlases that lie near a noisy one, weighed by how likely they made it."""
    random = torch.Generator().manual_seed(2)
    spread, rest, a2 = torch.tensor([[4.0]]).log(), torch.tensor([0.25]), torch.tensor([[0.5]])
    basis = torch.tensor([0.6, 0.8]).view(1, 1, 1, 2)
    usual = UsualAtlas(basis, spread, rest, torch.tensor([[1.5]]))
    draws = torch.randn(400_000, 2, generator=random)
    axes = torch.tensor([[0.6, 0.8], [-0.8, 0.6]])
    atlases = (draws * torch.tensor([2.0, 0.5]) + torch.tensor([1.5, 0.0])) @ axes
    noisy = torch.tensor([1.0, 0.3])
    weight = torch.softmax(-(noisy - a2.sqrt() * atlases).square().sum(1) / (2 * (1 - a2[0])), 0)
    guess = usual.clean(noisy.view(1, 1, 1, 2), a2, torch.ones(1, 1)).flatten()
    assert torch.allclose(guess, weight @ atlases, atol=0.02)


def test_timesteps_fall_evenly_towards_nothing():
    assert [evenly_falling(step, 4, 600) for step in range(4)] == [600, 450, 300, 150]


def test_a_texture_changes_where_it_may_and_keeps_what_an_autoencoder_would_lose(guidance):
    random = torch.Generator().manual_seed(1)
    worn = torch.rand(128, 128, 5, generator=random)
    worn[..., 4] = 0
    worn[:64, :, 4] = 1  # photos know the upper half
    hidden = np.zeros((128, 128))
    hidden[:, :32] = 1
    atlas = skin_atlas(worn, np.ones((128, 128), bool), hidden, guidance.size)
    with torch.no_grad():
        code = AtlasCode(guidance.encode(atlas.on_white()))
        assert torch.equal(changed(atlas, guidance, code), atlas.picture)
        code.code += 1
        difference = (changed(atlas, guidance, code) - atlas.picture).abs()[0].amax(0)
    assert difference[:64].max() == 0 and difference[:, :32].max() == 0 and difference[64:, 32:].min() > 0


def test_the_border_of_a_chart_changes_as_its_inside_does():
    covered = np.zeros((100, 100), bool)
    covered[20:60, 30:90] = True
    atlas = skin_atlas(torch.zeros(100, 100, 5), covered, np.zeros((100, 100)), 100)
    difference = torch.zeros(1, 3, 100, 100)
    difference[..., 22:58, 32:88] = 1.0  # what lies further out shows white as well
    assert (atlas.spread(difference)[0][:, covered] == 1).all()


def test_relief_turns_normals_by_the_axes_of_the_texture():
    """A square that faces +Z, u along +X and v down: a normal map's red turns to +X, its green up, to +Y."""
    corners = torch.tensor([[-1.0, 1, 0], [-1, -1, 0], [1, -1, 0], [1, 1, 0]])
    faces, uvs = torch.tensor([[0, 1, 2], [0, 2, 3]]), (corners[:, :2] * torch.tensor([1.0, -1]) + 1) / 2
    covered = torch.ones(1, 1, 2, dtype=torch.bool)
    fragments = SimpleNamespace(
        covered=covered, face=torch.tensor([[[0, 1]]]), barycentric=torch.full((1, 1, 2, 3), 1 / 3)
    )
    surface = Surface(faces, None, None, None, fragments, None, torch.tensor([[0.0, 0, 1]] * 2), None)
    dressed = Dressed(uvs[faces], torch.tensor([0, 1]), ())
    relief = torch.nn.functional.normalize(torch.tensor([0.3, 0.4, 1.0]), dim=0).expand(4, 4, 3)
    turned = bent(surface, corners[None], dressed, relief).normal
    assert torch.allclose(turned[0], relief[0, 0], atol=1e-6)
    assert torch.equal(turned[1], surface.normal[1])  # another part's


def test_a_head_is_painted_in_both_ways_and_comes_out_the_same_when_it_was_stopped(options, tmp_path, no_asset):
    events = list(run(options, tmp_path / "whole"))
    steps = [event for event in events if isinstance(event, StepDone) and event.stage == "texture"]
    assert [event.step for event in steps] == [1, 2, 3, 4, 5] and all(event.losses["finite"] for event in steps)
    assert steps[-1].losses["moved"] > 0
    stopped = run(options, tmp_path / "stopped")
    for event in stopped:
        if isinstance(event, StepDone) and (event.stage, event.step) == ("texture", 4):
            break
    stopped.close()
    again = [e for e in run(options, tmp_path / "stopped") if isinstance(e, StepDone) and e.stage == "texture"]
    assert [event.step for event in again] == [5]
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")


@pytest.mark.parametrize("texture", [TextureOptions(), TextureOptions(steps=2)])
def test_weights_without_a_model_of_atlases_say_so_where_it_is_asked_for(tiny_bundle, texture):
    bundle = SimpleNamespace(folder=tiny_bundle, info=SimpleNamespace(name="tiny"))
    models, fitted, canvas = SimpleNamespace(guidance=SimpleNamespace(bundle=bundle)), object(), object()
    events, left = everything(painted(None, fitted, canvas, models, HeadOptions(texture=texture), None))
    assert [isinstance(e, Notice) and "'tiny' have no model of atlases" in e.text for e in events] == [True] * bool(
        texture.steps
    )
    assert left == (fitted, canvas)
