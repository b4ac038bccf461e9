"""A head from words and one from a photo, fitted with the embedded weights: whole, and as was said and shown."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab
from small_heads import few_expressions

from idto3d.config import ExportOptions
from idto3d.evidence.shapes import shapes_of
from idto3d.guidance.scorer.clay import clay_of
from idto3d.head.paint.usual_skin import usual_skin
from idto3d.head.parts import Head, head_tensors
from idto3d.head.start import start_of
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.stages.choice.picture import portrait_of
from idto3d.stages.choice.rest import rest_of_words
from idto3d.stages.fit import _shape, all_expressions, expected_coefficients, free_to_move
from idto3d.stages.hair import hair_of
from idto3d.subject.parsing.looks import skin_colour
from idto3d.words.arkit import ARKIT, TONGUE_OUT
from idto3d.words.expressions import NAMES
from idto3d.words.traits import COLOURS

PARTS = ("skin", "eye_left", "eye_right", "teeth", "gums_tongue", "lashes", "hair")
NOSE_TIP, BROWS, LIDS, LIPS = LANDMARKS[30], LANDMARKS[17:27], LANDMARKS[36:48], LANDMARKS[60:68]


def test_a_head_of_words_has_all_parts_and_each_wears_something(old_man):
    head, wear = old_man.rest.head, old_man.wear
    assert tuple(part.name for part in head.parts) == PARTS
    assert {part.material for part in head.parts} == set(wear)
    for part in head.parts:
        assert part.uvs.shape == (len(part.faces), 3, 2) and part.uvs.min() >= 0 and part.uvs.max() <= 1
        assert part.displacements.shape == (len(head.expressions), *part.vertices.shape)
        assert part.vertices.isfinite().all() and part.displacements.isfinite().all()
        assert int(part.faces.max()) < len(part.vertices)


def test_whom_photos_show_has_the_shape_that_was_measured_and_no_forms_of_words(embedded, asked):
    template, start = embedded.template, start_of(None, asked, embedded.prior)
    coefficients = torch.randn(len(template.identity), generator=torch.Generator().manual_seed(1))
    shown = _shape(template, coefficients, start, (None,), "a chubby old woman", True)
    assert torch.equal(shown, template.shape(coefficients))
    told = _shape(template, coefficients, start, (), "an old man", True)
    assert (told - shown).norm(dim=1).max() > 0.002


def test_it_has_our_expressions_and_apples_those_first_that_were_asked_for(old_man, asked):
    names = old_man.rest.head.expressions
    assert names[:2] == asked.expressions and len(names) == len(set(names)) == len(NAMES) + len(ARKIT) - 1 == 13 + 51
    assert set(names) == {*NAMES, *ARKIT} - {TONGUE_OUT}
    assert all_expressions(("anger",))[:3] == ("anger", "neutral", "smile")


def test_faces_of_words_rest_with_open_lids_and_corners_of_the_mouth_that_do_not_hang():
    baby, woman, man = (rest_of_words(one) for one in ({"age": "baby"}, {"gender": "female"}, {"gender": "male"}))
    assert baby["eyeBlink"] < woman["eyeBlink"] < man["eyeBlink"] and min(man.values()) > 0
    assert baby["mouthSmile"] == man["mouthSmile"] < rest_of_words({"age": "old"})["mouthSmile"] < 0.3


def test_the_picture_of_a_candidate_shows_the_head_that_is_made(old_man, embedded, asked):
    template, rest = embedded.template, old_man.rest
    start = start_of(None, asked, embedded.prior)
    shown = portrait_of(template, clay_of(template), rest.coefficients.numpy(), start, asked.prompt, False).vertices
    made = torch.cat([part.vertices for part in rest.head.parts])[: len(shown)]
    assert (torch.from_numpy(shown) - made).norm(dim=1).max() < 1e-6


def test_every_expression_but_the_neutral_one_moves_the_head(old_man):
    moved = torch.cat([part.displacements for part in old_man.rest.head.parts], 1).norm(dim=-1).amax(1)
    names = old_man.rest.head.expressions
    still = {name for name, most in zip(names, moved.tolist(), strict=True) if most < 0.0005}
    assert still == {"neutral"} and moved[0] == 0 and moved.max() < 0.07  # a jaw


def test_eyes_turn_about_their_own_centres(old_man):
    parts = {part.name: part for part in old_man.rest.head.parts}
    for name, side in (("eye_left", 1), ("eye_right", -1)):
        low, high = parts[name].vertices.amin(0), parts[name].vertices.amax(0)
        pivot = parts[name].pivot
        assert ((pivot > low) & (pivot < high)).all() and side * pivot[0] > 0.02
        away = (parts[name].vertices - pivot).norm(dim=1)
        assert away.min() > 0.7 * away.max()
    assert all(part.pivot is None for name, part in parts.items() if not name.startswith("eye"))


def test_words_change_age_and_hair(old_man, asked, embedded):
    plain = expected_coefficients(start_of(None, replace(asked, prompt=""), embedded.prior), embedded)
    older = old_man.rest.coefficients - plain
    words = embedded.template.words
    assert older[len(older) - len(words) + words.index("old")] > 0.3
    grey = np.array(old_man.hair.scalp_rgb)
    assert (
        np.ptp(grey) < 0.1 * grey.mean() + 0.02
        and not old_man.taken
        and not old_man.colour.known[~inside_the_mouth(old_man)].any()
    )


def inside_the_mouth(fitted):
    return (fitted.skin.texels.corners >= MOUTH_SOCKET.start).all(1)


def test_the_same_seed_gives_the_same_bytes(old_man, fit, asked):
    again = fit(asked)
    first, second = head_tensors(old_man.rest.head), head_tensors(again.rest.head)
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(old_man.rest.coefficients, again.rest.coefficients)
    for name, worn in old_man.wear.items():
        assert torch.equal(worn.map, again.wear[name].map)
        assert (worn.opacity is None) or worn.opacity.tobytes() == again.wear[name].opacity.tobytes()
        assert (worn.normal is None) or worn.normal.tobytes() == again.wear[name].normal.tobytes()


def test_sockets_and_lids_stay_and_the_face_is_free(embedded):
    free = free_to_move(embedded.template)
    assert free.shape == (len(embedded.template.neutral[embedded.template.part("skin").vertices]),)
    assert free[MOUTH_SOCKET.start :].max() == 0 and free[list(LIDS)].max() == 0 and free[list(LIPS)].max() < 0.1
    assert free[NOSE_TIP] == 1 and free[list(BROWS)].min() > 0.9


# The photo of somebody.


def lab(linear):
    return rgb2lab(srgb_from_linear(torch.as_tensor(np.asarray(linear, np.float32))).clamp(0, 1).numpy())


def apart(first, second):
    """Delta E 2000 of two linear colours [3]."""
    return float(deltaE_ciede2000(lab(first), lab(second)))


def test_a_photo_tells_of_a_part_of_the_skin(her):
    known = her.colour.known[~inside_the_mouth(her)]
    assert 0.1 < (known > 0.9).mean() < 0.6 and (known == 0).mean() > 0.2
    held = her.rest.held
    assert held[NOSE_TIP] > 2 and held.min() >= 1


def test_the_face_has_the_colour_of_the_photos_skin(her, somebody):
    (photo,) = somebody.photos
    shown = skin_colour(photo.pixels, photo.masks, photo.landmarks.points)
    part = her.template.part("skin")
    mean = her.template.neutral[part.vertices].double().numpy()
    sure = (her.colour.known > 0.9) & ~inside_the_mouth(her)
    usual = np.median(her.skin.texels.read(usual_skin(mean, {"skin": "fair"}))[sure], 0)
    albedo = np.median(her.colour.albedo[sure], 0)
    assert apart(albedo, shown) < min(apart(usual, shown), 8)
    ours, hers, other = (np.log(one / one.mean()) for one in (albedo, shown, usual))
    assert np.linalg.norm(ours - hers) < np.linalg.norm(other - hers)


def test_the_photos_hair_becomes_a_part_of_its_colour(her, somebody):
    (photo,) = somebody.photos
    assert her.rest.head.parts[-1].name == "hair" and len(her.hair.part.faces) > 1000
    sure = photo.masks.region("hair") > 0.95
    places = photo.masks.places[sure].astype(int)
    places = places[((places >= 0) & (places < photo.pixels.shape[1::-1])).all(1)]
    shown = linear_from_srgb(torch.from_numpy(photo.pixels[places[:, 1], places[:, 0]]).float() / 255)
    worn = her.wear["hair"]
    ours = worn.map[..., :3][torch.from_numpy(worn.opacity > 128)]
    assert apart(ours.median(0).values, shown.median(0).values) < 8


def test_the_camera_looks_from_the_front(her):
    (taken,) = her.taken
    azimuth, elevation = taken.fit.camera.angles()
    assert np.degrees(np.arccos(np.cos(azimuth) * np.cos(elevation))) < 25
    nose = her.rest.head.parts[0].vertices[NOSE_TIP][None].double().numpy()
    shown = taken.photo.landmarks.points[4, :2]  # the tip of the nose among MediaPipe's points
    side = np.ptp(taken.photo.landmarks.points[:, 1])
    assert np.linalg.norm(taken.view.place(nose)[0] - shown) < 0.06 * side


# Landmarks by MediaPipe's numbers: the nose's wings, corners of the mouth, the jaw at three heights, bridge to chin.
SPANS = ((129, 358), (61, 291), (58, 288), (172, 397), (150, 379), (168, 152))
PUPILS = (468, 473)


def spans(places):
    """Distances of pairs of landmarks [478, 2], by that of the pupils."""
    apart = [np.linalg.norm(places[one] - places[other]) for one, other in (*SPANS, PUPILS)]
    return np.array(apart[:-1]) / apart[-1]


def test_nose_mouth_jaw_and_chin_lie_on_the_photo(her, embedded):
    (taken,), template = her.taken, her.template
    shapes = shapes_of(template, embedded.landmark_model)
    marks = taken.photo.landmarks.points[:, :2]
    coefficients = her.rest.coefficients.double().numpy()
    drawn = taken.fit.camera.project(shapes.points(coefficients, taken.fit.expression))
    assert np.abs(spans(drawn) / spans(marks) - 1).max() < 0.05
    assert taken.fit.error < 0.0015


def test_brows_stay_as_far_above_the_eyes_as_the_photo_shows_them(her, embedded):
    (taken,), shapes = her.taken, shapes_of(her.template, embedded.landmark_model)
    points = shapes.points(her.rest.coefficients.double().numpy(), taken.fit.expression)[[105, 334]]
    shifted = taken.view.place(points) - taken.fit.camera.project(points)
    assert np.abs(shifted).max() < 0.02 * np.ptp(taken.photo.landmarks.points[:, 1])


@pytest.mark.parametrize("prompt", ["bald", "green hair"])
def test_words_beat_the_photo_for_hair(her, somebody, embedded, of_photo, prompt):
    options = replace(of_photo, prompt=prompt, export=ExportOptions(texture_size=64))
    head = Head(her.rest.head.expressions, her.rest.head.parts[:-1]).first(1)
    hair = hair_of(head, her.template, start_of(somebody, options, embedded.prior), her.taken, options)
    if prompt == "bald":
        assert hair is None
    else:
        assert hair.scalp_rgb == pytest.approx(COLOURS["green"].rgb)
        solid = hair.albedo[hair.albedo[..., 3] > 128][:, :3].mean(0)
        assert solid[1] > 1.4 * solid[0] and solid[1] > 1.4 * solid[2]


# Beards.


def test_a_beard_of_words_is_a_part_of_its_own_and_stubble_and_a_bald_head_have_none(fit, asked):
    with few_expressions():
        bearded, rough = (fit(replace(asked, prompt=f"a bald man with {beard}")) for beard in ("a beard", "stubble"))
    assert tuple(part.name for part in bearded.rest.head.parts) == (*PARTS[:-1], "beard")
    assert bearded.wear["beard"].opacity is not None and "beard" not in rough.wear
    assert tuple(part.name for part in rough.rest.head.parts) == PARTS[:-1]
    assert bearded.hair is None and rough.hair is None and not {"hair"} & {*bearded.wear, *rough.wear}


def test_a_shaven_face_in_a_photo_grows_no_beard_unless_it_is_asked_for(her, somebody, fit, of_photo):
    assert "beard" not in her.wear
    small = replace(of_photo, export=ExportOptions(texture_size=64), prompt="with a goatee")
    with few_expressions():
        assert fit(small, somebody).rest.head.parts[-1].name == "beard"
