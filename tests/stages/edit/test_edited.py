"""A whole edit: from words to a head that knows what it has become."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.events import Notice, Preview, StepDone
from idto3d.head.start import WORDS, Trait
from idto3d.stages.edit.edited import edited
from idto3d.stages.saved import load_head, save_head


@pytest.fixture
def edit(finished, ground):
    """edit(prompt, **options): the events of an edit of the head, and what became of it."""

    def run(prompt, head=finished, **options):
        steps = edited(head, EditOptions(prompt=prompt, **options), ground.template, ground.prior)
        events = []
        while True:
            try:
                events.append(next(steps))
            except StopIteration as end:
                return events, end.value

    return run


def same(first, second):
    return all(
        torch.equal(a.vertices, b.vertices) and torch.equal(a.displacements, b.displacements)
        for a, b in zip(first.head.parts, second.head.parts, strict=True)
    )


def test_green_hair_is_green_and_everything_else_is_bit_for_bit_as_before(edit, finished):
    events, head = edit("green hair")
    assert same(finished, head)
    others = {name for name in finished.painted if name not in ("hair", "skin")}
    assert all((head.painted[name].albedo == finished.painted[name].albedo).all() for name in others)
    assert (head.painted["hair"].albedo != finished.painted["hair"].albedo).any()
    assert [event.kind for event in events if isinstance(event, Preview)] == ["relit"]
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [event.step for event in steps] == list(range(1, steps[0].steps + 1))


def test_the_head_knows_what_it_has_become(edit, finished):
    _, head = edit("green hair and freckles")
    assert head.start.traits["hair_colour"] == Trait("green", WORDS)
    assert head.start.traits["beard"] == finished.start.traits["beard"]
    assert "green hair" in head.start.subject and "freckles" in head.start.subject
    assert "brown" not in head.start.subject


@pytest.mark.parametrize("bounds", [{"strength": 0.0}, {"locks": ("hair", "skin")}, {"keep": "texture"}])
def test_a_head_that_may_not_change_does_not_think_it_has_and_says_so(edit, finished, bounds):
    events, head = edit("green hair", **bounds)
    assert same(finished, head) and head.start == finished.start
    assert any(isinstance(event, Notice) for event in events)


def test_an_edit_goes_on_from_an_edit(edit, finished, tmp_path):
    _, first = edit("green hair")
    save_head(tmp_path, first)
    again = load_head(tmp_path)
    _, second = edit("blue eyes", again)
    assert (second.painted["hair"].albedo == first.painted["hair"].albedo).all()
    assert (second.painted["eyes"].albedo != first.painted["eyes"].albedo).any()
    assert "green hair" in second.start.subject and "blue eyes" in second.start.subject


def test_words_that_mean_nothing_are_said_beside_those_that_do(edit):
    events, _ = edit("green hair and a sticker")
    assert "This changes nothing: 'sticker'." in [event.text for event in events if isinstance(event, Notice)]


@pytest.mark.parametrize("prompt", ["a sticker", "", "the"])
def test_a_request_for_nothing_is_refused(edit, prompt):
    with pytest.raises(UserError, match="changes nothing: 'sticker'" if "sticker" in prompt else "nothing|not say"):
        edit(prompt)


def test_no_strength_changes_nothing(edit, finished):
    _, head = edit("green hair, blue eyes, freckles and dark skin", strength=0.0)
    assert same(finished, head)
    assert all((head.painted[name].albedo == one.albedo).all() for name, one in finished.painted.items())


def test_geometry_is_kept(edit, finished):
    _, head = edit("older, with a goatee", keep="geometry")
    assert same(finished, head)


def test_texture_is_kept(edit, finished):
    _, head = edit("green hair", keep="texture")
    assert all((head.painted[name].albedo == one.albedo).all() for name, one in finished.painted.items())


def test_a_lock_keeps_its_region_in_any_edit(edit, finished):
    _, head = edit("green hair", locks=("hair",))
    assert head.painted["hair"] is finished.painted["hair"]


def test_a_mask_that_hides_a_region_leaves_it(edit, finished, tmp_path):
    dark = np.zeros((64, 64), np.uint8)
    dark[:2, :2] = 255  # off the face
    Image.fromarray(dark).save(tmp_path / "mask.png")
    _, head = edit("red lipstick", mask=str(tmp_path / "mask.png"))
    assert (head.painted["skin"].albedo == finished.painted["skin"].albedo).all()


def test_the_picture_has_the_size_of_previews(edit, finished):
    events, _ = edit("green hair", head=replace(finished, options=replace(finished.options, preview_size=32)))
    (shown,) = [event for event in events if isinstance(event, Preview)]
    assert shown.image.shape == (32, 32, 3)


@pytest.fixture
def half(edit, tmp_path):
    """The head with green hair on the person's left."""
    right = np.zeros((128, 128), np.uint8)
    right[:, 64:] = 255
    Image.fromarray(right).save(tmp_path / "mask.png")
    return edit("green hair", mask=str(tmp_path / "mask.png"), mask_space="view")[1]


def hair_of(head):
    return [part for part in head.head.parts if part.name.startswith("hair")]


def area(part):
    a, b, c = part.vertices[part.faces].double().unbind(1)
    return float(torch.linalg.cross(b - a, c - a).norm(dim=1).sum() / 2)


def test_a_mask_over_hair_parts_it(half, finished):
    old, new = hair_of(half)
    (before,) = hair_of(finished)
    assert (old.name, new.name, new.material) == ("hair", "hair 2", "hair 2")
    assert abs(area(old) + area(new) - area(before)) < 1e-4 * area(before)
    assert (half.painted["hair"].albedo == finished.painted["hair"].albedo).all()
    seen = new.vertices[new.vertices[:, 2] > 0.05]
    assert new.vertices[:, 0].min() > -0.001 and 0 < seen[:, 0].min() < 0.004 and old.vertices[:, 0].min() < -0.05
    red, green, _ = half.painted["hair 2"].albedo[half.painted["hair 2"].albedo[..., 3] > 200][:, :3].mean(0)
    assert green > 1.5 * red


def test_parted_hair_is_coloured_and_replaced_as_one(half, edit, tmp_path):
    save_head(tmp_path, half)
    again = load_head(tmp_path)
    _, blonde = edit("blonde hair", again)
    assert all(
        (blonde.painted[one.material].albedo != half.painted[one.material].albedo).any() for one in hair_of(half)
    )
    _, short = edit("with a short buzzcut", again)
    assert [part.name for part in hair_of(short)] == ["hair"] and "hair 2" not in short.painted
