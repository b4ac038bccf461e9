"""What is drawn on a head: sketches as they are drawn, or as what their words say they are, and patterns by words."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_dilation

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.events import Notice, exhausted
from idto3d.stages.edit.carried_mask import as_file, brief, carried
from idto3d.stages.edit.drawn.adorned import pattern
from idto3d.stages.edit.drawn.patterns import FORMS, PATTERNS, PLACES
from idto3d.stages.edit.edited import edited
from idto3d.stages.edit.paint.place import place_of
from idto3d.words.figures import table
from idto3d.words.figures.heard import Drawn

SIZE = 256  # of the head's textures


@pytest.fixture
def edit(finished, ground):
    """edit(**options): what becomes of the head."""
    return lambda **options: exhausted(edited(finished, EditOptions(**options), ground.template, ground.prior))


@pytest.fixture
def cheek(ground):
    """[S, S] bool: texels of the face's plain skin to its left."""
    place = place_of(ground.template, SIZE)
    share = place.at("plain") * place.at("face") * (place.texels.read(place.mean)[:, 0] > 0.02)
    return place.texels.spread((share > 0.9)[:, None])[..., 0] & place.texels.covered


@pytest.fixture
def sketch(tmp_path):
    """sketch(where, colour, name): the path of a picture that has a `colour` where [H, W] bool says, else nothing."""

    def saved(where, colour=(200, 30, 40), name="sketch.png"):
        picture = np.zeros((*where.shape, 4), np.uint8)
        picture[where] = (*colour, 255)
        Image.fromarray(picture).save(tmp_path / name)
        return str(tmp_path / name)

    return saved


def test_a_sketch_of_no_strength_is_as_drawn_and_all_else_byte_for_byte(edit, finished, ground, cheek, sketch):
    skin = edit(sketch=sketch(cheek), strength=0.0).painted["skin"].albedo
    before = finished.painted["skin"].albedo
    assert (skin[cheek] == (200, 30, 40)).all()
    beside = binary_dilation(cheek, iterations=2) & ~cheek  # texels off the surface, and those that read a border
    covered = place_of(ground.template, SIZE).texels.covered
    assert cheek.sum() > 500 and (skin == before)[covered & ~cheek & ~beside].all()


def test_nothing_but_the_skins_colour_changes(edit, finished, cheek, sketch):
    after = edit(sketch=sketch(cheek), strength=0.0)
    assert all(after.painted[name] is one for name, one in finished.painted.items() if name != "skin")
    assert all(a.vertices is b.vertices for a, b in zip(after.head.parts, finished.head.parts, strict=True))


def test_half_transparent_colours_are_mixed_as_pictures_are(edit, finished, cheek, tmp_path):
    picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    picture[cheek] = (0, 0, 0, 128)
    Image.fromarray(picture).save(tmp_path / "half.png")
    skin = edit(sketch=str(tmp_path / "half.png"), strength=0.0).painted["skin"].albedo[cheek].astype(float)
    assert np.abs(skin - 127 / 255 * finished.painted["skin"].albedo[cheek]).max() < 2


def test_in_a_view_a_sketch_lies_on_what_is_seen_there(edit, finished, ground, sketch):
    where = np.zeros((200, 200), bool)
    where[:, 100:] = True  # the person's left
    skin = edit(sketch=sketch(where), strength=0.0, mask_space="view").painted["skin"].albedo
    place = place_of(ground.template, SIZE)
    changed = (skin != finished.painted["skin"].albedo).any(-1)[place.texels.covered]
    points = place.texels.read(finished.head.parts[0].vertices.double().numpy())
    assert changed.any() and (points[changed, 0] > -0.003).all()
    assert not changed[points[:, 2] < -0.05].any()


def test_a_mask_bounds_a_sketch(edit, finished, cheek, sketch, tmp_path):
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[: SIZE // 2] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    skin = edit(sketch=sketch(cheek), strength=0.0, mask=str(tmp_path / "mask.png")).painted["skin"].albedo
    assert (skin[SIZE // 2 :] == finished.painted["skin"].albedo[SIZE // 2 :]).all()


@pytest.mark.parametrize("words", ["a tattoo", "face paint", "a scar", "a birthmark", "brown brows"])
def test_words_say_what_a_sketch_is_made_of(edit, finished, cheek, sketch, words):
    drawn = sketch(cheek, (40, 40, 60))
    plain = edit(sketch=drawn, strength=0.0)
    made = edit(sketch=drawn, prompt=words, steps=0)
    assert [part.name for part in made.head.parts] == [part.name for part in finished.head.parts]
    before, flat, own = (one.painted["skin"].albedo for one in (finished, plain, made))
    assert (flat != own).any() and (own[cheek] != before[cheek]).any()
    assert ((own != before).any(-1) <= (flat != before).any(-1)).all()
    assert own[cheek].astype(float).std(0).mean() > flat[cheek].astype(float).std(0).mean()
    assert words.split()[-1] in made.start.subject


def test_a_beard_grows_where_it_is_drawn(edit, finished, ground, sketch):
    place = place_of(ground.template, SIZE)
    forehead = np.zeros((SIZE, SIZE), bool)
    points = place.texels.read(place.mean)
    high = (np.abs(points[:, 0]) < 0.03) & (points[:, 1] > 0.068) & (points[:, 1] < 0.09) & (points[:, 2] > 0.05)
    forehead[place.texels.covered] = high
    after = edit(sketch=sketch(forehead, (30, 60, 200)), prompt="a beard", steps=0)
    beard = next(part for part in after.head.parts if part.name == "beard")
    assert beard.vertices[:, 1].mean() > 0.05 and after.start.traits["beard"].word == "beard"
    strands = after.painted["beard"].albedo
    assert strands[strands[..., 3] > 127][:, :3].mean(0).argmax() == 2
    flat = edit(sketch=sketch(forehead, (30, 60, 200)), prompt="a beard", strength=0.0)
    assert (flat.painted["skin"].albedo[forehead] == (30, 60, 200)).all()
    assert flat.head is not after.head and flat.start.traits["beard"] == finished.start.traits["beard"]


def test_a_sketch_that_shows_nothing_is_refused(edit, sketch, tmp_path):
    with pytest.raises(UserError, match="transparent all over"):
        edit(sketch=sketch(np.zeros((8, 8), bool)))
    corner = np.zeros((SIZE, SIZE), bool)
    corner[:3, :3] = True
    with pytest.raises(UserError, match="Nothing of the sketch lies on the skin"):
        edit(sketch=sketch(corner), mask_space="view")
    (tmp_path / "x.png").write_text("red")
    with pytest.raises(UserError, match=r"x\.png"):
        edit(sketch=str(tmp_path / "x.png"))


@pytest.mark.parametrize("space", ["view", "uv"])
def test_what_of_a_sketch_lies_where_nothing_can_be_drawn_is_said(finished, ground, cheek, sketch, space):
    where = np.ones((SIZE, SIZE), bool)
    where[:2] = False  # transparent somewhere
    asked = EditOptions(sketch=sketch(where), strength=0.0, mask_space=space)
    events = list(edited(finished, asked, ground.template, ground.prior))
    (told,) = [event.text for event in events if isinstance(event, Notice)]
    assert ("on hair (" in told and "beside the head (" in told) if space == "view" else "beside the skin (" in told
    beside = EditOptions(sketch=sketch(cheek), strength=0.0)
    events = edited(finished, beside, ground.template, ground.prior)
    assert not any(isinstance(event, Notice) for event in events)


def test_pictures_travel_in_the_options_and_are_files_again(cheek, sketch, tmp_path):
    asked = EditOptions(sketch=sketch(cheek), mask=sketch(cheek, (255, 255, 255), "mask.png"))
    kept = carried(asked)
    assert str(tmp_path) not in kept.sketch + kept.mask and carried(kept) == kept
    (tmp_path / "there").mkdir()
    with as_file(kept, tmp_path / "there") as again:
        assert (np.asarray(Image.open(again.sketch)) == np.asarray(Image.open(asked.sketch))).all()
        assert carried(again) == kept
    assert not list((tmp_path / "there").iterdir())
    assert (brief(kept).sketch, brief(kept).mask) == ("drawn", "painted")
    with (
        pytest.raises(UserError, match="sketch of the edit is damaged"),
        as_file(replace(kept, sketch=kept.sketch + "!"), tmp_path),
    ):
        pass


def test_every_kind_and_form_and_place_of_the_words_can_be_drawn():
    assert set(table.KINDS) == set(PATTERNS) and set(table.FORMS) == set(FORMS)
    assert set(table.PLACES) <= set(PLACES) and {kind.place for kind in table.KINDS.values()} <= set(PLACES)


@pytest.mark.parametrize("kind", table.KINDS)
def test_a_pattern_lies_on_some_of_the_face_and_is_the_same_again(ground, kind):
    place = place_of(ground.template, SIZE)
    layers = pattern(Drawn(kind), place, 3)
    share = np.max([layer.share for layer in layers], 0)
    face = place.texels.read(place.mean)[:, 2] > -0.03
    assert 0 < (share > 0.05).mean() < 0.6 and not share[~face].any()
    again = pattern(Drawn(kind), place, 3)
    assert all(np.array_equal(one.share, other.share) for one, other in zip(layers, again, strict=True))


def test_left_is_the_persons_own(ground):
    place = place_of(ground.template, SIZE)
    x = place.texels.read(place.mean)[:, 0]
    for side, sign in (("left", 1), ("right", -1)):
        (layer,) = pattern(Drawn("birthmark", place="cheek", side=side), place, 0)
        assert (np.average(x, weights=layer.share) * sign) > 0.03
