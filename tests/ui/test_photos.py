"""What the page can ask before a head is made, and what becomes of corrections, strengths and weights."""

from dataclasses import replace
from pathlib import Path

import pytest

from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.jobs.limits import LOCAL, PUBLIC
from idto3d.ui.actions import Actions
from idto3d.ui.columns.ask import chip_choices
from idto3d.ui.heads.request import Request, check, options_of, request_of
from idto3d.ui.photos import Photos, corrections_after, with_weights
from idto3d.ui.shelf import Shelf
from idto3d.words.traits import ATTRIBUTES

PHOTO = (Path("anna.png"),)


class Desk:
    """Notes what it is asked to start."""

    root = Path("nowhere")

    def start(self, photos, options, visitor, *more):
        self.options = options
        return "a" * 22


@pytest.fixture
def does(tmp_path):
    return Actions(Desk(), Shelf(tmp_path), base={"weights": "embedded", "device": "cpu"})


def test_no_photo_is_looked_at_without_consent():
    with pytest.raises(UserError, match="need a yes"):
        next(Photos().verdicts(["anna.png"], consent=False))
    (nothing,) = Photos().verdicts([], consent=False)
    assert nothing.photos == () and nothing.advice == ""


def test_corrections_and_strengths_reach_the_options(does):
    chosen = {"hair_style": "bob", "hair_colour": "black", "beard": "clean", "skin": "tan"}
    does.start(Request(PHOTO, True, **chosen, lambda_id=0.5, lambda_exp=0.0, guidance_scale=3))
    options = does.desk.options
    assert {name: getattr(options.subject, name) for name in chosen} == chosen and not options.subject.keep
    assert (options.guidance.lambda_id, options.guidance.lambda_exp, options.guidance.guidance_scale) == (0.5, 0.0, 3)
    does.start(Request(PHOTO, True))
    assert does.desk.options.guidance == HeadOptions().guidance and does.desk.options.subject.hair_style == ""
    assert request_of({"photos": ["a.png"], "lambda_id": None, "weights": None}) == Request((Path("a.png"),))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hair_style": "mohawk"}, "'mohawk' is no value of subject.hair_style"),
        ({"beard": "<b>"}, "'<b>' is no value of subject.beard"),
        ({"lambda_id": -1.0}, "guidance.lambda_id cannot be -1.0"),
        ({"guidance_scale": float("nan")}, "guidance.guidance_scale cannot be nan"),
        ({"lambda_exp": "much"}, "guidance.lambda_exp is no number"),
        ({"weights": "no such weights"}, "no weights at 'no such weights'"),
    ],
)
def test_what_no_head_can_be_made_with_is_refused(does, wrong, said):
    with pytest.raises(UserError, match=said.replace(".", r"\.")):
        does.start(replace(Request(PHOTO, True), **wrong))


def test_the_shell_corrects_as_well():
    from idto3d.checks import checked
    from idto3d.options import with_option

    assert checked(with_option(HeadOptions(), "subject.hair_style", "bob")).subject.hair_style == "bob"
    with pytest.raises(UserError, match="Choose from: pale, fair, tan, brown, dark; or leave it empty"):
        checked(with_option(HeadOptions(), "subject.skin", "green"))


def test_chosen_weights_take_the_place_of_the_servers_with_their_encoder(does, tiny_bundle):
    does.start(Request(PHOTO, True, weights=f" {tiny_bundle} "))
    assert does.desk.options.weights == str(tiny_bundle) and does.desk.options.subject.encoder == "auto"
    does.start(Request(PHOTO, True))
    assert does.desk.options.weights == "embedded"
    community = with_weights(options_of(Request(PHOTO, True)), "community")
    assert (community.weights, community.subject.encoder) == ("community", "insightface")
    served = with_weights(replace(options_of(Request(PHOTO, True)), weights="community"), "")  # the host chose them
    assert (served.weights, served.subject.encoder) == ("community", "insightface")


def test_strangers_choose_no_weights_but_those_that_are_offered():
    check(Request(PHOTO, True, weights="ORG/REPO"), LOCAL)
    check(Request(PHOTO, True, weights="embedded"), PUBLIC)
    for weights in ("ORG/REPO", "/etc", "community"):
        with pytest.raises(UserError, match="are not offered here") as refused:
            check(Request(PHOTO, True, weights=weights), PUBLIC)
        assert "embedded" in refused.value.remedy
        with pytest.raises(UserError, match="are not offered here"):
            Photos(PUBLIC).offer(weights)


def test_weights_are_offered_by_another_process_and_looked_up_when_asked(hub, tiny_bundle):
    photos = Photos(base={"device": "cpu", "weights": str(tiny_bundle)})
    try:
        named = {one.offer.weights: one for one in photos.offers()}
        assert list(named) == ["embedded", "community", str(tiny_bundle)]
        assert named["community"].offer.size is None and hub.requests == []
        assert photos.offer("").offer.title == "tiny"
        with pytest.raises(UserError, match="no repository org/nobody"):
            photos.offer("org/nobody")
    finally:
        photos.rest(0.0)


def test_a_chip_says_what_is_seen_and_how_sure_that_is():
    assert chip_choices("beard")[0] == ("As seen", "")
    assert chip_choices("beard", "goatee", "likely")[0] == ("Goatee: likely", "")
    assert [value for _, value in chip_choices("skin", "tan", "sure")][1:] == list(ATTRIBUTES["skin"])


def test_words_said_after_a_correction_count_instead():
    chosen = {"hair_style": "bob", "hair_colour": "", "beard": "goatee", "skin": ""}
    assert corrections_after("", chosen) == chosen
    assert corrections_after("with long hair", chosen) == {**chosen, "hair_style": ""}


def test_what_was_seen_is_forgotten_with_a_job(does, monkeypatch):
    forgotten = []
    monkeypatch.setattr(does.photos, "forget", lambda: forgotten.append(True))
    monkeypatch.setattr(does.desk, "delete", lambda job_id: None, raising=False)
    does.delete("b" * 22)
    assert forgotten
