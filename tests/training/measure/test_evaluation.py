"""The questions to the guidance: an oracle answers all of them, someone who always draws another person does not."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from idto3d.errors import UserError
from idto3d.guidance.prediction import Conditions
from idto3d.subject.align import AVERAGE_FACE
from idto3d.subject.face import Face
from idto3d.training.measure import evaluate, evaluation, even_light
from idto3d.training.measure.evaluation import Case, Sight
from idto3d.training.people import synthetic
from idto3d.training.people.ict import read_ict
from idto3d.training.people.person import changed, draw_person
from idto3d.words.prompts import VIEWS

SIZE = 48


@pytest.fixture(scope="module")
def studio(small_ict):
    return synthetic.open_studio(read_ict(small_ict))


@pytest.fixture(scope="module")
def case():
    person = draw_person(3)
    look = replace(person.look, hair_style="short", hair_colour="green")
    embeddings = torch.nn.functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    return Case(Sight(replace(person, look=look), 2, 0.0), embeddings, np.array([[1.0, -0.5]] * 3))


def options(**changed):
    values = {"bundle": "", "ict": Path(), "people": 1, "portraits": (1, 3), "among": 3, "steps": 1}
    return evaluate.EvaluateOptions(**values | {"scale": None, "ablations": True, "seed": 0} | changed)


class Knowing:
    """A guidance that knows all words but "old"; its samples are drawn by a stand-in."""

    class info:
        image_size = SIZE

        @staticmethod
        def unknown_words(text):
            return ["old"] if text == "old" else []


def drawing(monkeypatch, studio, draws):
    """Let every sample be the true map of `draws(sight)`."""

    def stand_in(guidance, domain, asked, *_):
        return [evaluation.truth(studio, draws(sight), domain, SIZE) for sight, _ in asked]

    monkeypatch.setattr(evaluation, "samples", stand_in)


def answered(monkeypatch, studio, case, draws):
    """The figures of a guidance that draws `draws(sight)` when asked for a sight."""
    drawing(monkeypatch, studio, draws)
    others = [draw_person(seed, studio.model.words) for seed in (11, 12)]
    answers = evaluate.true_maps(studio, case.sight, others, np.zeros(len(studio.model.identity), np.float32), SIZE)
    (image,) = evaluate.sampled(Knowing, "geometry", [(case.sight, case.identity(1))], case, options())
    heard = evaluate.words_heard(Knowing, studio, case, answers, options())
    return evaluate.measure(image, case, answers) | heard


def test_an_oracle_is_right_about_everything(monkeypatch, studio, case):
    found = answered(monkeypatch, studio, case, lambda sight: sight)
    assert found["error_deg"] == pytest.approx(0, abs=0.1) and found["average_head_error_deg"] > 0.2
    assert {found[key] for key in found if key.startswith("right") and not np.isnan(found[key])} == {1.0}
    assert found["light_left_right"] == found["light_up_down"] == 0.0


def test_who_draws_someone_else_in_blue_from_behind_is_wrong(monkeypatch, studio, case):
    def another(sight):
        look = replace(sight.person.look, hair_colour="blue")
        person = replace(sight.person, look=look, coefficients=draw_person(11).coefficients)
        return replace(sight, person=person)

    found = answered(monkeypatch, studio, case, another)
    assert found["right_person"] == found["right_hair_colour"] == 0.0 and found["right_view"] == 1.0
    found = answered(monkeypatch, studio, case, lambda sight: replace(sight, azimuth_deg=180.0))
    assert found["right_view"] == 0.0


def test_light_baked_into_an_albedo_map_is_noticed():
    flat = np.full((SIZE, SIZE, 3), 140, np.uint8)
    assert even_light.uneven_light(flat) == (0.0, 0.0)
    lit = flat.copy()
    lit[:, : SIZE // 2] = 180
    side, height = even_light.uneven_light(lit)
    assert side > 0.3 and abs(height) < 1e-6


def test_a_face_painted_darker_below_leans_up_and_not_to_a_side(studio, case):
    answers = evaluate.true_maps(studio, case.sight, [], np.zeros(len(studio.model.identity), np.float32), SIZE)
    shaded = answers.front_albedo.astype(np.float64) * np.linspace(1.0, 0.6, SIZE)[:, None, None]
    shaded, true = shaded.astype(np.uint8), answers.front_albedo
    found = even_light.unevenness(shaded, true, answers.regrown_albedo)
    assert found["light_up_down_lean"] == found["light_up_down"] > 0.1
    assert found["light_left_right"] < 0.03 and found["light_up_down_strands"] > 0


def test_an_albedo_map_that_follows_the_light_of_its_portrait_is_noticed(monkeypatch, studio, case):
    told, front = options(), replace(case.sight, **evaluate.FRONT)
    answers = evaluate.true_maps(studio, case.sight, [], np.zeros(len(studio.model.identity), np.float32), SIZE)
    true, shade = answers.front_albedo, np.linspace(1.0, 0.6, SIZE)[None, :, None]

    def draws(shading):
        return lambda guidance, domain, asked, *_: [(true * shading(asked[0][1])).astype(np.uint8)]

    lit = replace(case, light=np.array([[0.5, 0.0], [-0.5, 0.0], [9.0, 9.0]]))
    first = lambda identity: bool(torch.equal(identity, case.embeddings[0]))  # noqa: E731
    monkeypatch.setattr(evaluation, "samples", draws(lambda identity: shade if first(identity) else shade[:, ::-1]))
    assert evaluate.light_followed(Knowing, front, lit, told)["light_left_right_followed"] > 0.1
    swapped = replace(lit, light=-lit.light)
    assert evaluate.light_followed(Knowing, front, swapped, told)["light_left_right_followed"] < -0.1
    monkeypatch.setattr(evaluation, "samples", draws(lambda identity: shade))
    assert evaluate.light_followed(Knowing, front, lit, told)["light_left_right_followed"] == 0
    alone = replace(case, embeddings=case.embeddings[:1])
    assert np.isnan(evaluate.light_followed(Knowing, front, alone, told)["light_up_down_followed"])


@pytest.mark.parametrize("scale", [20.0, 60.0])
def test_the_side_from_which_a_portrait_is_lit_is_seen(scale):
    y, x = np.mgrid[:300, :300]
    marks = AVERAGE_FACE * scale + 150.0
    left, below = (np.where(side, 200, 100).astype(np.uint8)[..., None].repeat(3, 2) for side in (x < 150, y > 160))
    one, height = even_light.portrait_light(left, marks)
    assert one > 1 and abs(height) < 0.05
    side, height = even_light.portrait_light(below, marks)
    assert abs(side) < 0.05 and height < -0.2


def test_the_rows_are_the_numbers_of_portraits_and_the_ablations():
    names = [setting.name for setting in evaluate.settings(options())]
    assert names == ["portraits_1", "portraits_3", "lambda_id_0", "lambda_exp_0", "lambda_id_0_unsaid"]
    assert len(evaluate.settings(options(ablations=False))) == 2


def test_questions_without_an_answer_do_not_count_in_the_mean():
    nan = float("nan")
    rows = [{"right": 1.0, "asked": nan, "never": nan}, {"right": 0.0, "asked": 1.0, "never": nan}]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluate.mean_of(rows) == {"right": 0.5, "asked": 1.0, "never": None}


class Seeing:
    """An encoder that finds an average face in every portrait, known by its colours."""

    def embed(self, pixels):
        colour = np.resize(pixels.mean((0, 1)), 128).astype(np.float32)
        return [Face((0, 0, 9, 9), AVERAGE_FACE * 20 + 128, colour / np.linalg.norm(colour))]


def strictly(text: str) -> dict:
    """`text` as JSON, in which there is no NaN."""

    def refused(constant):
        raise ValueError(constant)

    return json.loads(text, parse_constant=refused)


def test_the_command_prints_a_row_for_each_setting_as_json(monkeypatch, tiny_bundle, small_ict, capsys):
    monkeypatch.setattr(evaluate, "make_encoder", lambda *_: Seeing())
    words = ["guidance", str(tiny_bundle), "--ict", str(small_ict), "--people", "1", "--among", "2", "--steps", "1"]
    assert evaluate.main([*words, "--portraits", "1,2", "--ablations", "--json"]) == 0
    found = strictly(capsys.readouterr().out)
    assert (found["people"], found["no_face"], found["among"], found["steps"]) == (1, 0, 2, 1)
    assert {"portraits_1", "portraits_2", "lambda_id_0", "lambda_exp_0", "lambda_id_0_unsaid", "words"} < set(found)
    assert found["portraits_2"]["error_deg"] > 0 and found["portraits_2"]["morphable_error_deg"] > 0
    assert found["words"]["right_baby"] is None  # the stand-in of ICT-FaceKit has no words


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        (["--portraits", "one"], "'one' are no numbers of portraits"),
        (["--portraits", "0"], "'0' are no numbers"),
        (["--portraits", "1,"], "no numbers"),
        (["--people", "0"], "--people 0 measures nothing"),
        (["--among", "0"], "--among 0"),
        (["--among", "1"], "--among 1"),
        (["--steps", "0"], "--steps 0"),
        (["--processes", "0"], "--processes 0"),
    ],
)
def test_numbers_of_which_nothing_follows_are_refused(extra, why):
    with pytest.raises(UserError, match=why):
        evaluate.main(["guidance", "bundle", "--ict", "ict.npz", *extra])


def test_an_identity_is_the_unit_mean_of_the_first_portraits(case):
    mean = case.embeddings[:2].mean(0)
    assert torch.allclose(case.identity(2), mean / mean.norm(), atol=1e-6)


def obeyed(monkeypatch, studio, case, draws):
    """What is found of the words that shape a head."""
    found = answered(monkeypatch, studio, case, draws)
    return {f"right_{word}": found[f"right_{word}"] for word in evaluation.ASKED_WORDS}


def test_who_obeys_words_is_right_and_who_ignores_them_is_not(monkeypatch, studio, case):
    words = ("baby", "old", "female")
    identity = np.concatenate([studio.model.identity, 2 * studio.model.identity[:3]])
    worded = replace(studio, model=replace(studio.model, identity=identity, words=words))
    person = draw_person(3, words)
    asked = replace(case, sight=replace(case.sight, person=person))
    found = obeyed(monkeypatch, worded, asked, lambda sight: sight)
    assert found["right_baby"] == found["right_male"] == found["right_female"] == 1.0 and np.isnan(found["right_old"])
    adult = changed(person, words, age="young", gender="male")
    found = obeyed(monkeypatch, worded, asked, lambda sight: replace(sight, person=adult))
    assert found["right_baby"] == found["right_female"] == 0.0


def test_no_word_is_asked_of_a_model_without_words(monkeypatch, studio, case):
    assert all(np.isnan(value) for value in obeyed(monkeypatch, studio, case, lambda sight: sight).values())


def test_the_average_head_has_the_looks_but_neither_shape_nor_strands(case):
    average = evaluation.average_head(case.sight.person, np.ones(100, np.float32))
    assert average.look == case.sight.person.look and average.seed != case.sight.person.seed
    assert (average.coefficients == 1).all()


class Echo:
    """A guidance whose sample's grey level is the azimuth word's place among the views."""

    class info:
        @staticmethod
        def prompt(domain, view, subject, expression):
            return view

    @staticmethod
    def conditions(prompts, negative, identity, expressions, camera):
        said = torch.tensor([[[VIEWS.index(prompt) / 255]] for prompt in prompts])
        return Conditions(said, said, identity[None], said[:, 0], camera)

    @staticmethod
    def sample(domain, conditions, steps, generator, scale):
        return conditions.text[:, :, :, None].expand(-1, 3, 4, 4)


def test_samples_are_asked_together_and_come_back_in_order(case):
    asked = [(replace(case.sight, azimuth_deg=angle), case.identity(1)) for angle in (90.0, 180.0)]
    images = evaluation.samples(Echo, "geometry", asked, 2, None, 5)
    assert [image.shape for image in images] == [(4, 4, 3)] * 2
    assert [int(image.mean()) for image in images] == [VIEWS.index("left side"), VIEWS.index("back")]
