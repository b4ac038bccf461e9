"""Colours that are asked for: the right hue in the right place, and everything that is not colour as it was."""

import colorsys

import numpy as np
import pytest

from idto3d.head.features.eyes import NAMES
from idto3d.head.hair.dye import dyed, mean_colour
from idto3d.head.paint.atlas import texels_of_parts
from idto3d.head.paint.bytes import bytes_of, linear_of
from idto3d.head.paint.usual_skin import usual_skin
from idto3d.head.skin import skin_colour
from idto3d.stages.edit.paint.colours import BARE, recoloured
from idto3d.stages.edit.paint.eyes import irises
from idto3d.stages.edit.paint.place import lips_at, place_of, scalp_zone, skin_linear, with_skin
from idto3d.stages.edit.paint.skin import melanin_in, with_melanin
from idto3d.stages.edit.sealed import sealed
from idto3d.words.asked import read_edit
from idto3d.words.edits import EditRequest
from idto3d.words.traits import COLOURS, SKIN_TONES

HUES = {"green": (90, 160), "blue": (200, 250), "pink": (310, 350), "purple": (255, 300), "red": (5, 28)}
EVERY_BYTE = np.arange(256, dtype=np.uint8)


def asked(work, request, **options):
    begun = work(request, **options)
    return sealed(recoloured(begun))


def hues(texture):
    """Degrees of the opaque texels of a texture."""
    shown = texture[texture[..., 3] > 200][::7, :3] / 255
    return np.array([360 * colorsys.rgb_to_hsv(*one)[0] for one in shown])


def brightness(texture):
    shown = texture[texture[..., 3] > 200][:, :3]
    return np.log(linear_of(shown).mean(-1) + 1e-3)


def test_bytes_come_back_from_linear_as_they_were():
    assert (bytes_of(linear_of(EVERY_BYTE)) == EVERY_BYTE).all()


@pytest.mark.parametrize("colour", HUES)
def test_hair_has_the_hue_that_is_asked_for(work, colour):
    hair = asked(work, EditRequest(traits={"hair_colour": colour})).painted["hair"]
    low, high = HUES[colour]
    found = hues(hair.albedo)
    assert ((found >= low) & (found <= high)).mean() > 0.8


@pytest.mark.parametrize("colour", ["black", "blonde", "white", "green"])
def test_hair_keeps_its_strands_and_opacity(work, finished, colour):
    before = finished.painted["hair"].albedo
    after = asked(work, EditRequest(traits={"hair_colour": colour})).painted["hair"].albedo
    assert (after[..., 3] == before[..., 3]).all()
    assert np.corrcoef(brightness(before), brightness(after))[0, 1] > 0.9
    assert brightness(after).std() > 0.06
    np.testing.assert_allclose(mean_colour(after), COLOURS[colour].rgb, rtol=0.15, atol=0.01)


def test_dark_hair_with_much_light_on_it_becomes_blonde_without_white_in_it():
    tone = np.exp(np.random.default_rng(0).normal(0, 1.0, (64, 64, 1)))
    dark = np.concatenate([bytes_of(0.012 * tone * [1.2, 1, 0.8]), np.full((64, 64, 1), 255, np.uint8)], -1)
    light = linear_of(dyed(dark, COLOURS["blonde"].rgb)[..., :3])
    assert light.max() < 0.95 and np.percentile(light[..., 0], 5) > 0.12


def test_hair_goes_as_far_as_strength_says(finished):
    hair, rgb = finished.painted["hair"].albedo, COLOURS["green"].rgb
    assert (dyed(hair, rgb, 0.0) == hair).all()
    half = mean_colour(dyed(hair, rgb, 0.5))[1]
    assert mean_colour(hair)[1] < half < mean_colour(dyed(hair, rgb, 1.0))[1]


def test_green_hair_has_green_roots_and_nothing_else_changes(work, finished, ground):
    head = asked(work, EditRequest(traits={"hair_colour": "green"}))
    place = place_of(ground.template, 256)
    scalp = (scalp_zone(finished.head, place) * place.at("scalp")) > 0.95
    red, green, _ = np.median(skin_linear(head.painted["skin"], place)[scalp], 0)
    assert green > 1.5 * red
    far = place.texels.spread((scalp_zone(finished.head, place) + place.at("scalp") == 0)[:, None])[..., 0]
    assert (head.painted["skin"].albedo == finished.painted["skin"].albedo)[far].all()
    assert all(head.painted[name] is finished.painted[name] for name in ("eyes", "teeth", "beard", "lashes"))


def test_a_bald_head_says_that_it_has_no_hair_to_colour(work, finished):
    from dataclasses import replace

    from idto3d.head.parts import Head

    begun = work(EditRequest(traits={"hair_colour": "green"}))
    parts = tuple(part for part in finished.head.parts if part.material != "hair")
    bald = replace(finished, head=Head(finished.head.expressions, parts))
    assert recoloured(replace(begun, before=bald, head=bald)).told == (BARE,)


def test_eyes_become_blue_and_keep_pupil_white_and_fibres(work, finished, ground):
    after = asked(work, EditRequest(colours={"eyes": "blue"})).painted["eyes"].albedo
    before = finished.painted["eyes"].albedo
    share = irises(ground.template, len(before))[0].max(-1)
    iris = share > 0.3
    assert (after[share == 0] == before[share == 0]).all() and (share == 0).any()
    assert (linear_of(after)[iris].mean(0).argmax()) == 2
    told = [np.log(linear_of(image)[iris].mean(-1) + 1e-3) for image in (before, after)]
    assert np.corrcoef(*told)[0, 1] > 0.7


def test_lipstick_is_red_and_glossier_and_lies_on_the_lips_alone(work, finished, ground):
    skin, before = asked(work, EditRequest(colours={"lips": "red"})).painted["skin"], finished.painted["skin"]
    place = place_of(ground.template, 256)
    lips = lips_at(place)
    red, green, blue = np.median(skin_linear(skin, place)[lips > 0.9], 0)
    assert red > 5 * max(green, blue)
    assert skin.roughness[place.texels.covered][lips > 0.9].mean() < before.roughness[place.texels.covered].mean() - 20
    bare = place.texels.spread((lips == 0)[:, None])[..., 0]
    assert (skin.albedo == before.albedo)[bare].all() and (skin.roughness == before.roughness)[bare].all()


def test_a_little_make_up_is_less_than_make_up_and_hardly_any_less_still(work, finished, ground):
    place = place_of(ground.template, 256)
    before, lips = skin_linear(finished.painted["skin"], place), lips_at(place) > 0.9
    changes = []
    for prompt in ("hardly any make-up", "a little make-up", "make-up"):
        after = skin_linear(asked(work, read_edit(prompt)).painted["skin"], place)
        changes.append([np.abs(after - before)[where].mean() for where in (lips, place.at("cheeks") > 0.5)])
    hardly, little, usual = np.array(changes)
    assert (0.1 * usual < hardly).all() and (hardly < 0.8 * little).all() and (little < 0.7 * usual).all()


@pytest.mark.parametrize("tone", ["pale", "dark"])
def test_skin_gets_its_melanin_and_keeps_its_detail(work, finished, ground, tone):
    place = place_of(ground.template, 256)
    plain = place.at("plain") * place.at("face") > 0.95
    before = skin_linear(finished.painted["skin"], place)
    after = skin_linear(asked(work, EditRequest(traits={"skin": tone})).painted["skin"], place)
    least, most = SKIN_TONES[tone].melanin
    assert least - 0.03 <= melanin_in(np.median(after[plain], 0))[0] <= most + 0.03
    detail = [np.log(one[plain].mean(-1)) for one in (before, after)]
    assert np.corrcoef(*detail)[0, 1] > 0.8
    inside = ~place.outer
    assert (after[inside] == before[inside]).all()


def test_the_skin_model_finds_its_own_pigments():
    assert melanin_in(skin_colour(0.5, 0.5)) == pytest.approx((0.5, 0.5), abs=0.06)


def test_a_beard_changes_its_colour_and_the_hair_does_not(work, finished):
    head = asked(work, EditRequest(colours={"beard": "grey"}))
    assert head.painted["hair"] is finished.painted["hair"]
    np.testing.assert_allclose(mean_colour(head.painted["beard"].albedo), COLOURS["grey"].rgb, rtol=0.15)


def test_one_eye_alone_is_painted(work, ground, finished):
    after = recoloured(work(EditRequest(colours={"left eye": "blue"}))).head.painted["eyes"].albedo.astype(int)
    before, size = finished.painted["eyes"].albedo.astype(int), len(after)
    texels = texels_of_parts(ground.template, NAMES, size)
    side = texels.spread(texels.read(ground.template.neutral.numpy()))[..., 0]
    changed = (after != before).any(-1) & texels.covered
    assert changed.sum() > 50 and not changed[side < 0].any()
    assert (after - before)[changed][:, 2].mean() > (after - before)[changed][:, 0].mean()


def test_skin_made_dark_by_an_edit_is_no_more_orange_than_that_of_new_heads(work, ground):
    place = place_of(ground.template, 256)
    plain, tones = place.at("plain") * place.at("face") > 0.95, {}
    for word in ("tan", "dark"):
        linear = place.texels.read(usual_skin(place.mean, {"skin": word}))
        tones[word] = with_skin(work(EditRequest()).head.painted["skin"], place, linear, place.outer)
    begun = work(EditRequest())
    dark = (sum(SKIN_TONES["dark"].melanin)) / 2
    done = with_melanin({"skin": tones["tan"]}, begun.head.head, place, dark, 1.0, False)["skin"]
    edited, new = (np.median(skin_linear(one, place)[plain], 0) for one in (done, tones["dark"]))
    assert edited[0] / edited[2] == pytest.approx(new[0] / new[2], rel=0.08)
