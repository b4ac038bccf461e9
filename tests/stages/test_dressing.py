"""What the parts of a fitted head wear: textures by material, for drawing and for the file."""

from dataclasses import replace

import numpy as np
import torch

from idto3d.head.start import Start, Trait
from idto3d.render.color import linear_from_srgb
from idto3d.stages.dressing import (
    dressed_head,
    holes_of,
    melanin_of,
    painted,
    repainted,
    skin_worn,
)
from idto3d.words.traits import SKIN_TONES


def test_there_are_textures_for_every_material(old_man):
    for name, worn in old_man.wear.items():
        size = worn.map.shape[0]
        assert worn.map.shape == (size, size, 5) and worn.map.min() >= 0 and worn.map.max() <= 1, name
        assert (worn.opacity is not None) == (name in ("hair", "lashes"))
        assert worn.opacity is None or (worn.opacity.shape == (size, size) and worn.opacity.dtype == np.uint8)
    skin = old_man.wear["skin"]
    assert len(skin.map) == 128 and skin.normal.shape == (128, 128, 3)
    assert all((worn.map[..., 4] == 1).all() for name, worn in old_man.wear.items() if name != "skin")


def test_lips_shine_more_than_the_scalp(old_man):
    texels = old_man.skin.texels
    rough = old_man.wear["skin"].map[..., 3].numpy()[texels.covered]
    points = texels.read(old_man.template.neutral[old_man.template.part("skin").vertices].double().numpy())
    lips = (np.abs(points[:, 0]) < 0.015) & (np.abs(points[:, 1] + 0.033) < 0.008) & (points[:, 2] > 0.09)
    lips &= texels.read(old_man.skin.dry[:, None])[:, 0] < 0.3  # where they meet they are in the dark
    crown = points[:, 1] > 0.13
    assert lips.sum() > 5 and crown.sum() > 100 and rough[lips].mean() < rough[crown].mean() - 0.15
    brow = (np.abs(points[:, 0]) < 0.02) & (np.abs(points[:, 1] - 0.066) < 0.01) & (points[:, 2] > 0.05)
    cheek = (np.abs(np.abs(points[:, 0]) - 0.045) < 0.008) & (np.abs(points[:, 1]) < 0.01) & (points[:, 2] > 0.05)
    assert rough[lips].mean() < rough[brow].mean() < rough[cheek].mean() - 0.08
    plain = (old_man.colour.hairs == 0) & (texels.read(old_man.skin.dry[:, None])[:, 0] < 0.3)
    assert rough[plain].max() < 0.7  # but for hair, and where light does not come


def test_the_skin_wears_colour_and_certainty_where_its_texels_lie(old_man):
    texels = old_man.skin.texels
    known = np.linspace(0, 1, len(texels.uvs))
    worn = skin_worn(old_man.template, old_man.skin, replace(old_man.colour, known=known))
    values = worn.map.numpy()[texels.covered]
    assert np.allclose(values[:, :3], old_man.colour.albedo, atol=1e-6) and np.allclose(values[:, 4], known, atol=1e-6)


def test_each_face_wears_the_material_of_its_part(old_man):
    head, names = old_man.rest.head, list(old_man.wear)
    dressed = dressed_head(head, old_man.wear, torch.device("cpu"))
    assert len(dressed.uvs) == len(dressed.worn) == len(head.joined().faces)
    first = 0
    for part in head.parts:
        own = slice(first, first + len(part.faces))
        assert {names[number] for number in dressed.worn[own].unique()} == {part.material}
        assert torch.equal(dressed.uvs[own], part.uvs)
        first = own.stop


def test_hair_and_lashes_alone_have_holes(old_man):
    holes, head = holes_of(old_man.rest.head, old_man.wear), old_man.rest.head
    page = np.split(holes.page, np.cumsum([len(part.faces) for part in head.parts])[:-1])
    pages = {part.name: set(own.tolist()) for part, own in zip(head.parts, page, strict=True)}
    assert pages["lashes"] != pages["hair"] and len(pages["lashes"]) == len(pages["hair"]) == 1
    assert all(own == {-1} for name, own in pages.items() if name not in ("lashes", "hair"))
    (number,) = pages["hair"]
    opacity, start = old_man.wear["hair"].opacity, holes.start[number]
    assert np.array_equal(holes.alpha[start : start + opacity.size], opacity.ravel())
    hair = head.parts[-1]
    uvs = holes.uvs[-len(hair.vertices) :][hair.faces.numpy()]
    assert np.abs(uvs - hair.uvs.numpy()).max(axis=(1, 2)).mean() < 0.01  # but for seams


def test_what_is_saved_is_the_same_in_eight_bits(old_man):
    made = painted(old_man.wear)
    assert made.keys() == old_man.wear.keys()
    for name, material in made.items():
        worn = old_man.wear[name]
        colour = linear_from_srgb(torch.from_numpy(material.albedo[..., :3]).float() / 255)
        assert (colour - worn.map[..., :3]).abs().max() < 0.006
        assert (torch.from_numpy(material.roughness) / 255 - worn.map[..., 3]).abs().max() < 0.003
        assert (material.albedo.shape[2] == 4) == (worn.opacity is not None)
    assert np.array_equal(made["hair"].albedo[..., 3], old_man.wear["hair"].opacity)
    assert made["skin"].normal is old_man.wear["skin"].normal


def test_paint_changes_the_colour_of_the_skin_alone(old_man):
    texels, before = old_man.skin.texels, old_man.wear["skin"].map.clone()
    red = np.tile([0.5, 0.1, 0.1], (len(texels.uvs), 1))
    wear = repainted(old_man.wear, old_man.skin, red)
    assert torch.allclose(wear["skin"].map[..., :3], torch.tensor([0.5, 0.1, 0.1]))
    assert torch.equal(wear["skin"].map[..., 3:], before[..., 3:]) and torch.equal(old_man.wear["skin"].map, before)
    assert all(wear[name] is worn for name, worn in old_man.wear.items() if name != "skin")


def start(**traits):
    return Start(None, {name: Trait(word, "words") for name, word in traits.items()}, "person", torch.zeros(1))


def test_words_alone_say_how_much_melanin_skin_has():
    said = [melanin_of(start(skin=name)) for name in SKIN_TONES]
    assert len(set(said)) == len(SKIN_TONES) and min(said) > 0 and max(said) < 1
    guess = replace(start(), traits={"skin": Trait("dark", "photos")})
    assert melanin_of(start()) is None and melanin_of(guess) is None
