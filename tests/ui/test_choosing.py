"""What a browser kept of a choice, how faces and hair are shown, and what is told of weights with their own terms."""

import base64
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from idto3d.config import EditOptions, HeadOptions, as_json
from idto3d.errors import UserError
from idto3d.events import Candidate, CandidatesFound
from idto3d.jobs.choosing.process import FACES, Proposing
from idto3d.jobs.limits import LOCAL, PUBLIC
from idto3d.ui import views
from idto3d.ui.cards.faces import ELSEWHERE, PICK, PICKED, faces
from idto3d.ui.cards.films import films
from idto3d.ui.cards.hair import STRANGER, hair
from idto3d.ui.heads.choosing import PICTURE, Choosing, Found, chosen_of, found_of
from idto3d.ui.heads.painted import SIGNATURE, painted
from idto3d.ui.heads.request import Request
from idto3d.ui.heads.thumbs import cut_from_corner
from idto3d.ui.photos import Photos
from idto3d.words.asked import read_edit

FOUND = Found('an "old" man', 3, ((1.0,),), ((f"{PICTURE}AA", (0.5, -1.0)), (f"{PICTURE}BB", (2.0, 0.0))), ("Said.",))


def test_what_a_browser_kept_comes_back_and_what_cannot_be_is_nothing():
    assert found_of(FOUND.plain()) == FOUND and not FOUND.waits
    assert found_of(Found("a man").plain()).waits
    plain = FOUND.plain()
    wrong = [{"faces": [["javascript:alert(1)", [1.0]]]}, {"faces": [[f"{PICTURE}A", [float("nan")]]]}]
    wrong += [{"like": [["a"]]}, {"seed": None}, {"faces": 3}]
    for data in (None, [], "x", {}, *(plain | one for one in wrong)):
        assert found_of(data) == Found()


def test_faces_are_marked_and_their_words_escaped():
    page = faces(FOUND, (2.0, 0.0))
    assert page.count("data-pick") == 2 and page.count('aria-pressed="true"') == 1 and PICKED in page
    assert "&quot;old&quot;" in page and '"old"' not in page and "Said." in page
    assert PICK in faces(FOUND) and ELSEWHERE in faces(FOUND, (7.0,)) and ELSEWHERE in faces(Found(), (7.0,))
    assert 'data-words="a &quot;man&quot;"' in faces(Found(), (7.0,), 'a "man"')
    assert faces(FOUND, (2.0, 0.0), FOUND.prompt).count("data-words") == 1
    assert faces(FOUND, (7.0,), "a man").count("data-words") == 2  # the one that is made is for words of its own
    assert faces(Found()) == "" and faces(Found("a man")).count("face wait") == 9
    part = replace(FOUND, whole=False)
    assert part.waits and faces(part).count("face wait") == 7 and "data-pick" not in faces(part)


def test_faces_are_given_as_they_are_drawn_and_none_twice():
    drawn = [Candidate((float(i),), 1.0 - i, np.full((4, 4, 3), i, np.uint8)) for i in range(3)]
    told = []

    def propose(options, like, count):
        for number in range(1, count + 1):
            told.append(number)
            yield CandidatesFound(tuple(drawn[:number]))

    proposing = Proposing(SimpleNamespace(propose=propose))
    question = {"options": as_json(HeadOptions(prompt="young")), "wanted": FACES, "like": [], "count": 3}
    said, pictures = proposing.answer(question | {"beyond": 0})
    assert (said["coefficients"], said["over"], len(pictures), told) == ([[0.0]], False, 48, [1])
    assert proposing.answer(question | {"beyond": 0})[0]["coefficients"] == [[0.0]]
    assert proposing.answer(question | {"beyond": 1})[0]["coefficients"] == [[1.0]]
    said, pictures = proposing.answer(question)
    assert (said["coefficients"], said["over"], len(pictures), told) == ([[0.0], [1.0], [2.0]], True, 144, [1, 2, 3])
    said, pictures = proposing.answer(question | {"beyond": 3})
    assert (said["coefficients"], said["over"], said["shape"][0], pictures) == ([], True, 0, b"")


class Template:
    """What is too large to be kept for each question."""


def test_what_it_takes_to_draw_faces_is_let_go_of():
    drawn = [Candidate((float(i),), 1.0 - i, np.zeros((4, 4, 3), np.uint8)) for i in range(3)]
    held = []

    def propose(options, like, count):
        template = Template()
        held.append(weakref.ref(template))
        for number in range(1, count + 1):
            yield CandidatesFound(tuple(drawn[:number]))
        yield CandidatesFound(tuple(drawn[:count]))

    proposing = Proposing(SimpleNamespace(propose=propose))
    asked = [{"options": as_json(HeadOptions(seed=seed)), "wanted": FACES, "like": [], "count": 3} for seed in range(4)]
    answers = [proposing.answer(asked[0] | {"beyond": beyond})[0] for beyond in range(3)]
    assert [one["over"] for one in answers] == [False, False, True] and held[0]() is None
    for question in asked[1:]:
        proposing.answer(question | {"beyond": 0})
    assert [one() is None for one in held] == [True, True, False, False]
    proposing.answer(asked[0] | {"beyond": 0})
    assert len(held) == 4  # its pictures are still known
    again, _ = proposing.answer(asked[1] | {"beyond": 1})
    assert (again["coefficients"], again["over"]) == ([[1.0], [2.0]], True) and held[4]() is None


def test_hair_that_is_pressed_is_a_request_that_is_understood():
    page = hair({"styles": [("bald", "data:"), ("bob", "data:")], "colours": [("dark red", "data:")]})
    assert STRANGER not in page and STRANGER in hair({}, photos=True)
    asked = [part.partition('"')[0] for part in page.split('data-pick="')[1:]]
    assert asked == ["bald", "bob hair", "dark red hair"]
    assert not any(read_edit(text).unknown or read_edit(text).empty for text in asked)


def test_faces_are_for_words_alone():
    choosing = Choosing(LOCAL, {})
    with pytest.raises(UserError, match="photos show the face"):
        choosing.nine(Request(("anna.png",), True, "young"))
    with pytest.raises(UserError, match="Nothing is said"):
        choosing.nine(Request(prompt=" "))
    with pytest.raises(UserError, match="no choice"):
        choosing.nine(Request(prompt="young"), count=99)
    for like in (5, {"a": 1}, "abc", True):
        with pytest.raises(UserError, match="is no list"):
            choosing.nine(Request(prompt="young"), like)
    assert chosen_of([0.5, 1]) == (0.5, 1.0)
    assert not any(map(chosen_of, (None, 5, "x", [float("nan")], {"a": 1})))


def test_a_picture_is_cut_out_of_whatever_ground_it_has():
    picture = np.full((16, 16, 3), 221, np.uint8)
    picture[4:12, 4:12] = (120, 90, 80)
    alpha = cut_from_corner(picture)[..., 3]
    assert alpha[0, 0] == 0 and alpha[8, 8] == 255


def test_a_drawing_lies_where_it_was_drawn_and_a_mask_in_a_view(tmp_path):
    said = {"png": "data:image/png;base64," + base64.b64encode(SIGNATURE + b"x").decode()}
    said |= {"azimuth_deg": 30, "elevation_deg": 0, "space": "uv"}
    drawn = painted(said, "sketch").options(EditOptions(), tmp_path)
    assert (drawn.mask, drawn.mask_space, drawn.mask_azimuth_deg) == ("", "uv", 30.0) and drawn.sketch
    masked = painted(said).options(EditOptions(), tmp_path)
    assert (masked.sketch, masked.mask_space) == ("", "view") and masked.mask
    for space in ("elsewhere", None, 3):
        with pytest.raises(UserError, match="did not arrive"):
            painted(said | {"space": space}, "sketch")


def test_terms_of_an_encoder_are_told_to_visitors_where_they_may_get_it():
    assert Photos(PUBLIC).terms() == () and Photos(LOCAL).terms() == ()
    [(text, licences)] = Photos(PUBLIC, {"weights": "community"}).terms()
    assert "non-commercial research only" in text and any("InsightFace" in one for one in licences)
    page = views.terms([(text, ("<b>",))])
    assert "InsightFace" in page and "&lt;b&gt;" in page


def test_a_clip_is_kept_for_one_film_of_one_head():
    one, later = (SimpleNamespace(id="a001", name="hello", created=f"2026-01-0{day}") for day in (1, 2))
    pages = [films(job, [film], lambda _one: ("g", "f")) for job, film in (("x", one), ("y", one), ("x", later))]
    assert len({page.partition('data-clip="')[2].partition('"')[0] for page in pages}) == 3
