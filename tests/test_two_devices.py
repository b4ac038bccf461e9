"""A head and an edit of it on a pretended GPU (see fake_cuda.py): tensors of two devices never meet."""

from dataclasses import replace

import pytest
import torch
from fake_cuda import fake_cuda
from small_heads import run, small

from idto3d import pipeline
from idto3d.config import EditOptions, ExportOptions, MaterialOptions, ShapeOptions
from idto3d.events import Finished, StepDone
from idto3d.export.stills import FRONT
from idto3d.head.parts import head_tensors
from idto3d.stages.saved import load_head


@pytest.fixture
def gpu():
    with fake_cuda():
        yield torch.device("cuda")


@pytest.fixture(scope="module")
def made(tiny_bundle, tmp_path_factory):
    """Folder and events of a bearded head from words, with one step of each stage."""
    folder = tmp_path_factory.mktemp("gpu") / "head"
    options = replace(
        small(tiny_bundle),
        device="cuda",
        prompt="an old man with red curly hair and a full beard",
        preview_every=100,
        shape=ShapeOptions(steps=1, image_size=32),
        material=MaterialOptions(steps=1, image_size=32, refine_steps=0),
        export=ExportOptions(texture_size=64, render_size=16),
    )
    write = pipeline.write  # stills are drawn from the asset, on the CPU: one of them will do
    with pytest.MonkeyPatch.context() as patch, fake_cuda():
        patch.setattr(pipeline, "write", lambda finished, into: write(finished, into, ((FRONT,), None)))
        return folder, list(run(options, folder))


def lies_on(folder):
    """The devices of everything that the head in a folder is when it is loaded."""
    head = load_head(folder)
    tensors = [*head_tensors(head.head).values(), head.coefficients, *head.field.state_dict().values()]
    return {str(tensor.device) for tensor in tensors}


def test_a_head_with_hair_and_beard_is_made_and_saved(made, gpu):
    folder, events = made
    assert isinstance(events[-1], Finished) and lies_on(folder) == {"cuda:0"}
    assert {e.stage for e in events if isinstance(e, StepDone)} >= {"fit", "shape", "material", "asset"}
    assert {"hair", "beard"} <= {part.name for part in load_head(folder).head.parts}


def test_an_edit_of_shape_hair_and_colours_is_refined_by_both_guidances(made, gpu, tmp_path):
    asked = EditOptions(prompt="younger, blonde hair, a goatee, glasses, red lipstick", steps=1, locks=("eyes",))
    events = list(pipeline.edit_head(made[0], asked, tmp_path / "new"))
    assert isinstance(events[-1], Finished) and lies_on(tmp_path / "new") == {"cuda:0"}
    assert sum("finite" in e.losses for e in events if isinstance(e, StepDone)) == 2
    assert "glasses" in {part.name for part in load_head(tmp_path / "new").head.parts}


REFUSED = {
    "a sum": lambda here, there: here + there,
    "a product": lambda here, there: there @ here.T,
    "parts joined": lambda here, there: torch.cat([there, here]),
    "numbers joined": lambda here, there: torch.stack([there[0, 0], here[0, 0]]),
    "places of the GPU in a tensor of the CPU": lambda here, there: here[there > 0],
    "values put into places": lambda here, there: there.index_put((torch.tensor([0]),), here[:1]),
    "a network": lambda here, there: torch.nn.Linear(3, 2).to("cuda")(here),
    "numbers added in place": lambda here, there: here.add_(there[0, 0]),
    "random numbers": lambda here, there: torch.rand(2, device="cuda", generator=torch.Generator()),
}


@pytest.mark.parametrize("meeting", REFUSED.values(), ids=REFUSED)
def test_the_pretended_gpu_refuses_what_a_gpu_would(gpu, meeting):
    here = torch.rand(2, 3)
    with pytest.raises(RuntimeError, match="same device|device type"):
        meeting(here, here.to(gpu))
    with pytest.raises(TypeError, match="numpy"):
        here.to(gpu).numpy()


def test_it_computes_as_the_cpu_does(gpu):
    here = torch.rand(2, 3)
    there = here.to(gpu)
    assert torch.equal(there.cpu(), here) and not here.is_cuda and there.to("cuda") is there
    changed = there.clone()
    changed[[1], 1:] = 2 * torch.tensor(3.0)
    changed[torch.tensor([0])] += 1
    assert torch.equal(there[:, ((0, 1), (1, 2))].cpu(), here[:, ((0, 1), (1, 2))])
    assert changed.tolist() == [(here[0] + 1).tolist(), [here[1, 0].item(), 6.0, 6.0]]
    network = torch.nn.Linear(3, 2).to(gpu)
    network(there).square().sum().backward()
    alone = torch.nn.Linear(3, 2)
    alone.load_state_dict({name: value.cpu() for name, value in network.state_dict().items()})
    alone(here).square().sum().backward()
    assert torch.allclose(network.weight.grad.cpu(), alone.weight.grad)
