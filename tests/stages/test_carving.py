"""Details are carved where nothing is known, as the guidance asks, and no farther than they may reach."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_heads import brief, everything, run, small

from idto3d import pipeline
from idto3d.bundle.asking import Timesteps
from idto3d.bundle.find import find_bundle
from idto3d.config import CarvingOptions
from idto3d.events import Preview, StageStarted, StepDone, exhausted
from idto3d.head.start import start_of
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.stages.carriers import block_in, rasterizer_of
from idto3d.stages.carving import carve
from idto3d.stages.carving.carver import Carver
from idto3d.stages.carving.views import draw_face_views, front_lamp
from idto3d.stages.dressing import dressed_head
from idto3d.stages.models import load_models, make_wish
from idto3d.stages.saved import load_head

STEPS = 4


@pytest.fixture(scope="module")
def block(old_man, asked):
    return block_in(old_man.rest.head, old_man, with_carving(asked))


def with_carving(options, **chosen):
    return replace(options, carving=CarvingOptions(**({"steps": STEPS, "image_size": 32} | chosen)))


def moved_everywhere(block, **chosen):
    """A carver of which everything wants to change a lot."""
    carver, random = Carver(block, CarvingOptions(**chosen)), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in carver.parameters():
            parameter.copy_(3 * torch.randn(parameter.shape, generator=random))
    return carver


def test_what_is_not_carved_stays_bit_for_bit(block, old_man):
    carver, normal = Carver(block, CarvingOptions()), old_man.wear["skin"].normal
    assert torch.equal(carver.finished().vertices, block.skin.vertices)
    assert (carver.worn(normal) == normal).all()
    assert not (carver().rough + carver().drift + carver().uneven).any()


def test_the_skin_moves_along_its_normals_as_far_as_it_may(block):
    moved = 1000 * (moved_everywhere(block, reach=0.3).finished().vertices - block.skin.vertices)
    along = (moved * block.normals).sum(-1)
    assert 0.25 < float(along.abs().max()) <= 0.3 + 1e-3
    assert torch.allclose(moved, along[:, None] * block.normals, atol=1e-3)
    assert not moved[block.free == 0].any() and int((block.free == 0).sum()) > 100
    assert torch.equal(moved_everywhere(block, reach=0.0).finished().vertices, block.skin.vertices)


def test_what_photos_show_stays(her, of_photo):
    block, known = block_in(her.rest.head, her, with_carving(of_photo)), her.colour.known
    carver, normal = moved_everywhere(block), her.wear["skin"].normal
    seen = np.zeros(her.skin.texels.covered.shape, bool)
    seen[her.skin.texels.covered] = known == 1
    after = carver.worn(normal)
    assert seen.sum() > 5000 and (after[seen] == normal[seen]).all()
    assert (after[her.skin.texels.covered & ~seen] != normal[her.skin.texels.covered & ~seen]).any()
    moved = (carver.finished().vertices - block.skin.vertices).norm(dim=-1)
    shown = her.rest.held == her.rest.held.max()
    assert float(moved[shown].max()) == 0 and float(moved[~shown].max()) > 1e-4


def test_lamps_stand_before_the_face_and_cameras_on_their_arc():
    random = torch.Generator().manual_seed(0)
    lamps = torch.stack([front_lamp(random) for _ in range(200)])
    assert torch.allclose(lamps.norm(dim=-1), torch.ones(200)) and float(lamps[:, 2].min()) >= 0
    assert (lamps.amax(0) > 0.8).all() and (lamps[:, :2].amin(0) < -0.8).all()
    views = draw_face_views(200, 3, 1.5, random, torch.device("cpu"))
    assert -45 <= min(views.azimuth_deg) < -40 and 40 < max(views.azimuth_deg) <= 45
    assert set(views.elevation_deg) == {0.0} and set(views.expression_ids) == {3}
    assert torch.allclose(views.camera.c2w[:, 1, 3], views.camera.c2w[:1, 1, 3].expand(200), atol=1e-5)


def test_timesteps_are_the_papers_as_far_as_the_weights_are_asked():
    assert carve.carving_range(CarvingOptions(), Timesteps()) == (20, 900)
    assert carve.carving_range(CarvingOptions(), Timesteps(refine=(50, 999))) == (20, 980)
    assert carve.carving_range(CarvingOptions(timesteps=(5, 50)), Timesteps()) == (5, 50)


@pytest.fixture
def stage(tiny_bundle, old_man, asked, block, tmp_path):
    """stage(folder, judge) is the carving of the old man that tiny weights ask for, saved after every step."""
    options = replace(with_carving(asked, views=1), weights=str(tiny_bundle), preview_every=2, preview_size=32)
    models = exhausted(load_models(options, None, exhausted(find_bundle(options.weights))))
    wish = make_wish(start_of(None, options, models.prior), options, models)
    device, head = torch.device("cpu"), old_man.rest.head
    dressed, rasterizer = dressed_head(head, old_man.wear, device), rasterizer_of(old_man, device)
    scene = carve.scene_of(head, head.expressions.index("neutral"), dressed, rasterizer)

    def begun(folder, judge):
        asking = replace(options, carving=replace(options.carving, judge=judge))
        return carve.carve(wish, block, scene, asking, Checkpointer(tmp_path / folder, 0.0))

    return begun


@pytest.mark.parametrize("judge", ["light", "normals"])
def test_carving_resumes_bit_for_bit(stage, judge):
    events, whole = everything(stage("whole", judge))
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [event.step for event in steps] == list(range(1, STEPS + 1)) and all(e.losses["finite"] for e in steps)
    assert len([event for event in events if isinstance(event, Preview)]) == 1 + STEPS // 2
    stopped = stage("stopped", judge)
    while not (isinstance(event := next(stopped), StepDone) and event.step == 2):
        pass
    stopped.close()
    events, again = everything(stage("stopped", judge))
    assert [event.step for event in events if isinstance(event, StepDone)] == [3, 4]
    pairs = zip(whole.state_dict().items(), again.state_dict().items(), strict=True)
    assert all(name == other and torch.equal(one, two) for (name, one), (other, two) in pairs)
    assert bool(whole.slopes.any() and whole.along.any())


def test_a_head_is_saved_with_what_is_carved(tiny_bundle, fit_once, no_asset, tmp_path, monkeypatch):
    fits = []

    def fit(subject, start, models, options):
        fits.append((yield from fit_once(subject, start, models, options)))
        return fits[0]

    monkeypatch.setattr(pipeline, "fit_head", fit)
    cut = replace(brief(small(tiny_bundle)), carving=CarvingOptions(steps=2, learning_rate=2.0))
    events = list(run(cut, tmp_path / "head"))
    begun = [event.stage for event in events if isinstance(event, StageStarted)]
    assert begun.index("shape") < begun.index(carve.STAGE) < begun.index("material")
    before, after = fits[0].wear["skin"].normal, load_head(tmp_path / "head").painted["skin"].normal
    assert (before != after).mean() > 0.1
