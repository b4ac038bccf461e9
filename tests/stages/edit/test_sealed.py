"""Whatever an edit did on its way: what was not to change is bit for bit what it was."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from idto3d.head.parts import Head
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.place import lips_at, place_of
from idto3d.stages.edit.sealed import sealed
from idto3d.words.edits import EditRequest

LIPS = EditRequest(colours={"lips": "red"})
OLDER = EditRequest(years=1.0)


def spoiled(work):
    """The work with every vertex moved and every texel another one."""
    parts = [
        replace(part, vertices=part.vertices + 0.01, displacements=part.displacements + 0.01)
        for part in work.head.head.parts
    ]
    painted = {name: PaintedMaterial(255 - one.albedo, 255 - one.roughness) for name, one in work.head.painted.items()}
    return replace(work, head=replace(work.head, head=Head(work.head.head.expressions, tuple(parts)), painted=painted))


def changed(before, after):
    """[S, S] bool, the texels of which something differs."""
    return (before.albedo != after.albedo).any(-1) | (before.roughness != after.roughness)


def test_outside_what_is_named_nothing_differs(work, finished, ground):
    head = sealed(spoiled(work(LIPS)))
    for before, after in zip(finished.head.parts, head.head.parts, strict=True):
        assert torch.equal(before.vertices, after.vertices) and torch.equal(before.displacements, after.displacements)
    others = [name for name in finished.painted if name != "skin"]
    assert others and not any(changed(finished.painted[name], head.painted[name]).any() for name in others)
    place = place_of(ground.template, 256)
    lips = place.texels.spread((lips_at(place) > 1e-3)[:, None])[..., 0]
    assert (changed(finished.painted["skin"], head.painted["skin"]) == lips).all()


def test_who_somebody_is_changes_all_of_a_head(work, finished):
    head = sealed(spoiled(work(OLDER)))
    assert all(changed(finished.painted[name], one).all() for name, one in head.painted.items())
    pairs = zip(finished.head.parts, head.head.parts, strict=True)
    assert not any(torch.equal(before.vertices, after.vertices) for before, after in pairs)


def test_geometry_that_is_kept_keeps_every_vertex(work, finished):
    head = sealed(spoiled(work(OLDER, keep="geometry")))
    assert head.head.parts == finished.head.parts
    assert changed(finished.painted["skin"], head.painted["skin"]).all()


def test_texture_that_is_kept_keeps_every_texel(work, finished):
    head = sealed(spoiled(work(OLDER, keep="texture")))
    assert all(head.painted[name] is one for name, one in finished.painted.items())
    assert not torch.equal(head.head.parts[0].vertices, finished.head.parts[0].vertices)


@pytest.mark.parametrize(
    ("lock", "materials", "parts"),
    [
        ("eyes", {"eyes", "lashes"}, {"eye_left", "eye_right", "lashes"}),
        ("mouth", {"teeth", "mouth"}, {"teeth", "gums_tongue"}),
        ("hair", {"hair"}, {"hair"}),
        ("skin", set(), set()),
        ("ears", set(), set()),
        ("nose", set(), set()),
    ],
)
def test_a_lock_protects_its_region(work, finished, ground, lock, materials, parts):
    head = sealed(spoiled(work(OLDER, locks=(lock,))))
    assert not any(changed(finished.painted[name], head.painted[name]).any() for name in materials)
    old = {part.name: part for part in finished.head.parts}
    assert all(torch.equal(old[p.name].vertices, p.vertices) for p in head.head.parts if p.name in parts)
    place = place_of(ground.template, 256)
    core = {"eyes": "sockets", "mouth": "lips", "hair": "scalp", "skin": "face"}.get(lock, lock)
    inside = place.texels.read(place.masks[core][:, None])[:, 0] > 0.97
    texels = changed(finished.painted["skin"], head.painted["skin"])[place.texels.covered]
    assert inside.any() and not texels[inside].any()
    assert texels.any() == (lock != "skin")
    if lock != "hair":
        held = place.masks[core] > 0.97
        moved = (head.head.parts[0].vertices != old["skin"].vertices).any(1).numpy()
        assert not moved[held].any()


def test_what_is_allowed_in_part_changes_in_part(work, finished):
    begun = work(OLDER)
    half = {"skin": torch.full((len(finished.head.parts[0].vertices),), 0.5)}
    texels = {"skin": np.full(finished.painted["skin"].roughness.shape, 0.5, np.float32)}
    allowed = replace(begun.allowed, vertices=half, texels=texels)
    head = sealed(spoiled(replace(begun, allowed=allowed)))
    moved = head.head.parts[0].vertices - finished.head.parts[0].vertices
    torch.testing.assert_close(moved, torch.full_like(moved, 0.005), atol=1e-6, rtol=0)
    whole = finished.painted["skin"].albedo.astype(float)
    assert np.abs(head.painted["skin"].albedo - (whole + (255 - whole)) / 2).max() <= 1


def test_parts_come_and_go_only_where_they_are_asked_for(work, finished):
    def without(name, begun):
        parts = tuple(part for part in finished.head.parts if part.name != name)
        return replace(begun, head=replace(begun.head, head=Head(finished.head.expressions, parts)))

    def names(head):
        return [part.name for part in head.head.parts]

    shaved = EditRequest(traits={"beard": "clean"})
    assert "beard" not in names(sealed(without("beard", work(shaved))))
    assert "beard" in names(sealed(without("beard", work(LIPS))))
    assert "beard" in names(sealed(without("beard", work(shaved, keep="geometry"))))
    assert "hair" in names(sealed(without("hair", work(EditRequest(traits={"hair_style": "bald"}), locks=("hair",)))))


def test_a_new_mesh_brings_its_own_texture(work, finished):
    begun = work(EditRequest(traits={"hair_style": "bob"}))
    hair = next(part for part in finished.head.parts if part.name == "hair")
    grown = replace(hair, vertices=hair.vertices[:-1], displacements=hair.displacements[:, :-1], normals=None)
    grown = replace(grown, faces=grown.faces.clamp(max=len(grown.vertices) - 1))
    parts = tuple(grown if part is hair else part for part in finished.head.parts)
    new = PaintedMaterial(np.zeros((64, 64, 4), np.uint8), np.zeros((64, 64), np.uint8))
    after = replace(finished, head=Head(finished.head.expressions, parts), painted={**finished.painted, "hair": new})
    assert sealed(replace(begun, head=after)).painted["hair"] is new
    kept = sealed(replace(work(begun.request, keep="geometry"), head=after))
    assert kept.painted["hair"] is finished.painted["hair"] and kept.head.parts == finished.head.parts


def test_a_mask_on_the_skin_restricts_an_edit(work, finished, tmp_path):
    mask = np.zeros((128, 128), np.uint8)
    mask[:, :64] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    head = sealed(spoiled(work(OLDER, mask=str(tmp_path / "mask.png"))))
    texels = changed(finished.painted["skin"], head.painted["skin"])
    assert texels[:, :120].mean() > 0.95 and not texels[:, 130:].any()
