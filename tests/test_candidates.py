"""Candidates for words as events and files, and a head of one: with the embedded weights."""

import json
from dataclasses import replace

import numpy as np
import pytest

from idto3d import candidates, cli
from idto3d.config import ChoiceOptions, HeadOptions
from idto3d.errors import UserError
from idto3d.events import CandidatesFound, HairFound, Notice, exhausted
from idto3d.jobs.record import read_job

OPTIONS = HeadOptions(device="cpu", prompt="an old man with a big nose", choice=ChoiceOptions(candidates=300))


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr("idto3d.stages.choice.score.SHORTLIST", 2)
    monkeypatch.setattr(candidates, "SIZE", 32)


def found(options=OPTIONS, **asked):
    *_, last = candidates.propose(options, **asked)
    assert isinstance(last, CandidatesFound)
    return last.candidates


def test_so_many_are_proposed_as_are_asked_for_the_best_first_and_again_the_same():
    first, again = found(count=3), found(count=3)
    assert len(first) == 3 and first[0].score == max(one.score for one in first)
    assert [one.coefficients for one in first] == [one.coefficients for one in again]
    assert len(first[0].coefficients) == 115 and first[0].picture.shape == (32, 32, 3)
    assert not np.array_equal(first[0].picture, first[1].picture)


def test_more_like_one_are_near_it():
    one = found(count=1)[0]
    near = found(count=2, like=(one.coefficients,))
    other = found(replace(OPTIONS, seed=1), count=1)[0]
    gap = [np.linalg.norm(np.subtract(each.coefficients, one.coefficients)) for each in (*near, other)]
    assert 0 < max(gap[:2]) < gap[2]


@pytest.mark.parametrize(
    ("changed", "asked"),
    [({"prompt": " "}, {}), ({}, {"count": 0}), ({}, {"count": 65}), ({}, {"like": ((0.5,),)})],
)
def test_what_cannot_be_proposed_is_refused(changed, asked):
    with pytest.raises(UserError):
        exhausted(candidates.propose(replace(OPTIONS, **changed), **asked))


def test_hair_is_proposed_as_pictures():
    *_, last = candidates.hair_choices(replace(OPTIONS, prompt="a bald old man"), styles=1, colours=2)
    assert isinstance(last, HairFound)
    assert [one.name for one in last.styles] == ["bald"] and len(last.colours) == 2


def test_hair_is_shown_where_nobody_is_chosen():
    free = replace(OPTIONS, choice=ChoiceOptions(candidates=0))
    *_, last = candidates.hair_choices(free, styles=1, colours=1)
    assert isinstance(last, HairFound)


@pytest.mark.parametrize(("prompt", "drawn"), [("a man with a tiara", False), ("a tiara", True)])
def test_words_that_nobody_hears_are_named(prompt, drawn):
    events = candidates.propose(replace(OPTIONS, prompt=prompt), count=1)
    said = " ".join(event.text for event in events if isinstance(event, Notice))
    assert "'tiara'" in said and ("at random" in said) == drawn


def test_a_candidate_is_a_file_of_which_a_head_is_made(tmp_path, fake, capsys):
    out = tmp_path / "faces"
    words = ["--prompt", OPTIONS.prompt, "--device", "cpu", "--count", "2", "--set", "choice.candidates=300"]
    assert cli.main(["candidates", *words, "--out", str(out)]) == 0
    one = out / "candidate-1.json"
    assert (out / "candidate-2.png").is_file() and "score" in capsys.readouterr().out
    assert cli.main(["generate", "--candidate", str(one), "--out", str(tmp_path / "run")]) == 0
    options = read_job(tmp_path / "run").options
    assert options.prompt == OPTIONS.prompt
    assert options.choice.chosen == tuple(json.loads(one.read_text())["coefficients"])


def test_candidates_are_printed_where_no_folder_is_named(capsys):
    words = ["--prompt", "a woman", "--device", "cpu", "--count", "1", "--set", "choice.candidates=100"]
    assert cli.main(["candidates", *words]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["prompt"] == "a woman" and len(row["coefficients"]) == 115


@pytest.mark.parametrize("text", ["{}", "[]", '{"kind": "idto3d candidate", "prompt": "x", "coefficients": ["a"]}'])
def test_a_file_of_another_kind_is_no_candidate(tmp_path, text, capsys):
    path = tmp_path / "x.json"
    path.write_text(text)
    assert cli.main(["generate", "--candidate", str(path), "--out", str(tmp_path / "run")]) == 2


def test_a_candidate_of_other_weights_is_told(tmp_path, fake, capsys):
    path = tmp_path / "x.json"
    said = {"kind": "idto3d candidate", "prompt": "x", "weights": "some/where", "coefficients": [0.5]}
    path.write_text(json.dumps(said))
    assert cli.main(["generate", "--candidate", str(path), "--out", str(tmp_path / "run")]) == 0
    assert "found with the weights 'some/where'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--like", "no.json"], "There is no file no.json"),
        (["--set", "choice.scorer=EMPTY"], "There is no scorer in the folder"),
        (["--out", "FILE"], "is a file"),
    ],
)
def test_refusals_say_what_helps(tmp_path, capsys, words, said):
    (tmp_path / "file").write_text("")
    words = [word.replace("EMPTY", str(tmp_path)).replace("FILE", str(tmp_path / "file")) for word in words]
    assert cli.main(["candidates", "--prompt", "a man", "--device", "cpu", *words]) == 2
    told = capsys.readouterr().err
    assert said in told and "Fetch the weights" not in told


def test_a_candidate_and_photos_contradict_each_other(tmp_path, astronaut, capsys):
    words = ["generate", str(astronaut), "--candidate", str(tmp_path / "x.json"), "--out", str(tmp_path / "run")]
    assert cli.main(words) == 2
    assert "photos" in capsys.readouterr().err
