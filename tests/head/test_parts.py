"""A head of several parts is drawn as one, and comes back whole from what is saved."""

from dataclasses import replace

import pytest
import torch

from idto3d.head.parts import Head, Part, head_from, head_names, head_tensors

FACES = torch.tensor([[0, 1, 2]])


def part(name: str, material: str, count: int = 3, uvs=None, expressions: int = 2) -> Part:
    vertices = torch.rand(count, 3, generator=torch.Generator().manual_seed(count))
    moved = torch.arange(expressions).float()[:, None, None].expand(-1, count, 3)
    return Part(name, vertices, FACES, moved, material, uvs)


def test_parts_are_joined_in_their_order():
    head = Head(("neutral", "smile"), (part("skin", "skin", 4), part("eye", "eye", 3)))
    joined = head.joined()
    assert joined.faces.tolist() == [[0, 1, 2], [4, 5, 6]] and joined.positions.shape == (2, 7, 3)
    assert torch.equal(joined.canonical[4:], head.parts[1].vertices)
    assert torch.equal(joined.positions[1], joined.canonical + 1)


def test_a_head_is_saved_and_read_back():
    head = Head(("neutral", "smile"), (part("skin", "skin"), part("eye", "glass", 5, torch.rand(1, 3, 2))))
    again = head_from(head_tensors(head), head_names(head))
    assert again.expressions == head.expressions
    assert [(p.name, p.material) for p in again.parts] == [("skin", "skin"), ("eye", "glass")]
    assert again.parts[0].uvs is None and torch.equal(again.parts[1].uvs, head.parts[1].uvs)
    assert torch.equal(again.parts[1].displacements, head.parts[1].displacements)


def test_what_an_eye_turns_about_is_saved_with_it():
    pivot = torch.tensor([0.03, 0.03, 0.08])
    head = Head(("neutral", "smile"), (part("skin", "skin"), replace(part("eye", "glass"), pivot=pivot)))
    again = head_from(head_tensors(head), head_names(head))
    assert again.parts[0].pivot is None and torch.equal(again.parts[1].pivot, pivot)
    with pytest.raises(ValueError, match="pivot must be"):
        replace(head.parts[1], pivot=torch.zeros(1, 3))


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ValueError, match="different names"):
        Head(("neutral", "smile"), (part("skin", "skin"), part("skin", "eye")))
    with pytest.raises(ValueError, match="eye has 1 expressions where the head has 2"):
        Head(("neutral", "smile"), (part("skin", "skin"), part("eye", "eye", expressions=1)))
    with pytest.raises(ValueError, match="uvs must be"):
        part("skin", "skin", uvs=torch.rand(3, 2))


def test_what_is_worn_comes_to_the_device_of_the_head():
    far = replace(part("hair", "hair"), normals=torch.rand(3, 3), pivot=torch.zeros(3)).on(torch.device("meta"))
    head = Head(("neutral", "smile"), (part("skin", "skin").on(torch.device("meta")),))
    with pytest.raises(ValueError, match="not on one device"):
        Head(head.expressions, (*head.parts, part("hair", "hair")))
    worn = head.wearing(part("hair", "hair"), replace(far, name="beard"))
    assert [one.name for one in worn.parts] == ["skin", "hair", "beard"]
    assert {tensor.device.type for tensor in head_tensors(worn).values()} == {"meta"}
    assert worn.joined().positions.device.type == "meta"
