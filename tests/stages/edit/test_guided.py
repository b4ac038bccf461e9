"""Guidance under an edit's mask: what it may change, what it leaves, and when it is loaded at all."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from idto3d.bundle.asking import Asking, StageDefaults
from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.events import Notice, Preview, StageStarted, StepDone, exhausted
from idto3d.fields.material_field import MaterialField
from idto3d.geometry.tet_grid import BOX_HIGH, BOX_LOW
from idto3d.guidance import distillation, memory
from idto3d.guidance.loading import load_bundle
from idto3d.guidance.prediction import Guidance
from idto3d.head.start import start_of
from idto3d.stages.dressing import painted
from idto3d.stages.edit.guidance import colour, guide
from idto3d.stages.edit.guidance.guide import Guide, KeptGuide, load_guide
from idto3d.stages.edit.guided import guided
from idto3d.stages.edit.paint.parted import parted
from idto3d.stages.edit.work import Allowed, Work
from idto3d.stages.saved import FinishedHead
from idto3d.stages.wish import Companion
from idto3d.words.edits import EditRequest

EVERYWHERE = Allowed({}, {})


@pytest.fixture(scope="module")
def before(old_man, asked, embedded):
    """A finished head with textures of 128 texels."""
    field = MaterialField(asked.expressions, asked.material, (BOX_LOW, BOX_HIGH))
    parts = (old_man.rest.head, old_man.rest.coefficients, {}, embedded.prior, field)
    about = (replace(asked, preview_size=32), "tiny", ())
    return FinishedHead(start_of(None, asked, embedded.prior), *parts, *about, painted(old_man.wear))


@pytest.fixture(scope="module")
def load(tiny_bundle):
    """A small random guide in place of the head's own."""
    guide = Guide(Guidance(load_bundle(tiny_bundle, torch.device("cpu"))), own=False)

    def loaded(_before):
        yield Notice("loaded")
        return guide

    return loaded


@pytest.fixture(scope="module")
def work(before, old_man):
    """work(head, ...) is an edit that has made `head` so far."""

    def made(head, allowed=EVERYWHERE, **options):
        options = EditOptions(**{"steps": 2} | options)
        return Work(before, head, EditRequest(), options, old_man.template, before.prior, allowed)

    return made


@pytest.fixture(scope="module")
def green(before):
    """The head with green hair."""
    albedo = before.painted["hair"].albedo.copy()
    albedo[..., :3] = (60, 160, 80)
    return replace(before, painted=before.painted | {"hair": replace(before.painted["hair"], albedo=albedo)})


@pytest.fixture(scope="module")
def raised(before):
    """The head with its left half a millimetre higher, and that half of its texture darker."""
    skin, *others = before.head.parts
    vertices = skin.vertices + torch.tensor([0.0, 0.001, 0.0]) * (skin.vertices[:, :1] > 0.01)
    head = replace(before.head, parts=(replace(skin, vertices=vertices), *others))
    albedo = before.painted["skin"].albedo.copy()
    albedo[:, :64] = albedo[:, :64] // 2
    return replace(before, head=head, painted=before.painted | {"skin": replace(before.painted["skin"], albedo=albedo)})


def refuses(_before):
    raise AssertionError("nothing needs to be loaded")


def test_without_steps_or_changes_nothing_is_loaded(before, green, work):
    for left in (work(green, steps=0), work(before), work(green, keep="texture"), work(green, strength=0.0)):
        assert exhausted(guided(left, refuses)) is left
    assert exhausted(guided(work(green), None)).head is green


def test_a_colour_is_guided_where_it_was_changed_and_nowhere_else(before, green, work, load, monkeypatch):
    monkeypatch.setattr(colour, "RATE", 1.0)  # random weights waver, and usual steps may end where they began
    events, steps = [], guided(work(green, steps=8, strength=2.0), load)
    with pytest.raises(StopIteration) as end:
        while True:
            events.append(next(steps))
    head = end.value.value.head
    assert events[:2] == [Notice("loaded"), StageStarted("edit", 8)] and isinstance(events[-1], Preview)
    assert [(one.step, one.steps) for one in events if isinstance(one, StepDone)] == [(n, 8) for n in range(1, 9)]
    now, was = head.painted["hair"].albedo, green.painted["hair"].albedo
    assert (now != was).any() and np.abs(now.astype(int) - was).max() < 40 and (now[..., 3] == was[..., 3]).all()
    assert all(head.painted[name] is one for name, one in before.painted.items() if name != "hair")
    assert head.head is green.head


def test_a_shape_is_guided_where_it_was_moved_and_expressions_stay(raised, work, load):
    head = exhausted(guided(work(raised), load)).head
    now, was = (one.head.parts[0] for one in (head, raised))
    moved = (now.vertices != was.vertices).any(-1)
    assert moved.any() and not moved[was.vertices[:, 0] <= 0.01].any()
    assert (now.vertices - was.vertices).norm(dim=-1).max() < 0.001
    assert torch.equal(now.displacements, was.displacements) and head.head.parts[1:] == raised.head.parts[1:]
    texels = (head.painted["skin"].albedo != raised.painted["skin"].albedo).any(-1)
    assert texels[:, :64].any() and not texels[:, 64:].any()


def test_what_is_kept_or_not_allowed_is_not_guided(raised, work, load):
    kept = exhausted(guided(work(raised, keep="geometry"), load)).head
    assert kept.head is raised.head and kept.painted["skin"] is not raised.painted["skin"]
    lower = torch.linspace(0, 1, len(raised.head.parts[0].vertices)).round()
    closed = np.zeros((128, 128), np.float32)
    closed[:64] = 1
    head = exhausted(guided(work(raised, Allowed({"skin": closed}, {"skin": lower})), load)).head
    assert not (head.painted["skin"].albedo[64:] != raised.painted["skin"].albedo[64:]).any()
    same = (head.head.parts[0].vertices == raised.head.parts[0].vertices).all(-1)
    assert same[lower == 0].all() and not same.all()


def test_it_asks_in_the_weights_own_way_and_what_they_have_beside(raised, work, tiny_bundle, monkeypatch):
    bundle = load_bundle(tiny_bundle, torch.device("cpu"))
    asking = {"geometry": Asking(50.0, background="black"), "albedo": Asking(9.0, background="black")}
    info = replace(bundle.info, asking=asking, stages=StageDefaults(shape_image_size=48, material_image_size=40))
    guidance, terms, gradient = Guidance(replace(bundle, info=info)), [], distillation.latents_gradient
    monkeypatch.setattr(
        distillation, "latents_gradient", lambda term, *rest: terms.append(term) or gradient(term, *rest)
    )

    def loaded(_before):
        yield Notice("loaded")
        return Guide(guidance, own=False, beside=(Companion(guidance, "geometry", "depth", 0.5),))

    exhausted(guided(work(raised, steps=1), loaded))
    assert [(term.weight, term.guidance_scale) for term in terms] == [(1.0, 50.0), (0.5, 50.0), (1.0, 9.0)]
    assert [term.images.shape[-1] for term in terms] == [48, 48, 40]
    assert all((term.images[:, :, 0, 0] == 0).all() for term in terms)


def test_it_can_be_closed_between_steps(raised, work, load):
    steps = guided(work(raised), load)
    while not isinstance(next(steps), StepDone):
        pass
    steps.close()
    assert next(steps, None) is None


def test_weights_that_are_gone_are_said_and_the_embedded_ones_are_kept(before):
    gone = replace(before, weights="mine", options=replace(before.options, weights="no/such-weights"))
    events, kept = [], KeptGuide()
    loading = kept(gone)
    with pytest.raises(StopIteration) as end:
        while True:
            events.append(next(loading))
    guide = end.value.value
    assert not guide.own and [event.text for event in events] == [
        "The weights 'mine' are not at hand; the edit asks the embedded ones."
    ]
    assert exhausted(kept(gone)) is guide
    own = replace(gone, weights="idto3d-embedded", options=before.options)
    assert exhausted(load_guide(own)).own


def test_weights_that_memory_has_no_room_for_are_told_before_they_are_loaded(before, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda _: 1000)
    monkeypatch.setattr(guide, "load_weights", lambda *_: pytest.fail("loaded"))
    own = replace(before, weights="idto3d-embedded")
    with pytest.raises(UserError, match=r"GB of memory .*a step of 2 pictures\), and 0\.0 are free.*steps=0"):
        exhausted(load_guide(own))


def test_hair_that_a_mask_has_parted_is_guided_by_itself(before, work, load):
    split = parted(
        replace(
            work(before, steps=8), request=EditRequest(traits={"hair_colour": "green"}), allowed=allowed_all(before)
        ),
        lambda name, points: (points[:, 0] > -0.03).astype(float),  # enough hair for a guide of 32 pixels
    )
    second = split.before.painted["hair 2"]
    albedo = second.albedo.copy()
    albedo[..., :3] = (60, 160, 80)
    green = replace(split.before, painted=split.before.painted | {"hair 2": replace(second, albedo=albedo)})
    head = exhausted(guided(replace(split, head=green), load)).head
    assert (head.painted["hair 2"].albedo != albedo).any()
    assert head.painted["hair"] is before.painted["hair"]


def allowed_all(head):
    texels = {name: np.ones(one.roughness.shape, np.float32) for name, one in head.painted.items()}
    return Allowed(texels, {part.name: torch.ones(len(part.vertices)) for part in head.head.parts})
