"""Our scorer's file, and what it answers; networks of random weights."""

import json

import numpy as np
import pytest
import torch

from idto3d.bundle.find import find_bundle
from idto3d.config import EMBEDDED
from idto3d.errors import UserError
from idto3d.events import Notice, exhausted
from idto3d.files import read_tensors, write_tensors
from idto3d.guidance.scorer.file import KEY, load_scoring, new_scoring, save_scoring
from idto3d.guidance.scorer.find import find_scorer
from idto3d.guidance.scorer.scorer import OwnScorer
from idto3d.words.traits import TAUGHT_COLOURS, TAUGHT_STYLES

CPU = torch.device("cpu")


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(0)
    save_scoring(new_scoring(7), tmp_path / "scorer.safetensors", {"seed": 0})
    return tmp_path / "scorer.safetensors"


@pytest.fixture
def scorer(file):
    return OwnScorer(load_scoring(file), "ours")


def test_embeddings_have_length_one(scorer):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 80, 80, 3), np.uint8)
    for found in (scorer.text(["old man", ""]), scorer.pictures(pictures), scorer.heads(np.eye(7, dtype=np.float32))):
        assert torch.allclose(found.norm(dim=1), torch.ones(len(found)), atol=1e-5) and found.shape[1] == 64


def test_what_clay_cannot_show_is_left_out_where_colours_are(scorer):
    plain, green = scorer.text(["a woman", "a woman with green hair"], colours=False)
    assert torch.equal(plain, green)
    assert not torch.equal(*scorer.text(["a woman", "a woman with green hair"]))
    assert scorer.hears("a woman with green hair") and not scorer.hears("green hair")


def test_heads_of_another_template_are_not_guessed(scorer):
    assert scorer.heads(np.zeros((2, 8), np.float32)) is None


def test_all_hair_is_scored(scorer):
    styles, colours = scorer.hair("an old woman")
    assert tuple(styles) == TAUGHT_STYLES and tuple(colours) == TAUGHT_COLOURS


def test_a_file_comes_back_as_it_was_written(file, tmp_path):
    again = tmp_path / "again.safetensors"
    save_scoring(load_scoring(file), again, {"seed": 0})
    assert again.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("change", ["version", "modes", "tokens", "missing", "nan"])
def test_a_damaged_file_is_refused(file, change):
    tensors, said = read_tensors(file), {"version": 1, "modes": 7, "tokens": ["a"], "styles": ["b"], "colours": ["c"]}
    if change == "missing":
        tensors.pop("text.tokens.weight")
    elif change == "nan":
        tensors["text.tokens.weight"][0, 0] = torch.nan
    else:
        said[change] = {"version": 2, "modes": -1, "tokens": "all"}[change]
    write_tensors(file, tensors, {KEY: json.dumps(said)})
    with pytest.raises(UserError):
        load_scoring(file)


def test_a_scorer_is_found_by_file_and_by_folder(file):
    files = exhausted(find_bundle("embedded"))
    for asked in (file, file.parent):
        assert isinstance(exhausted(find_scorer(str(asked), files, 7, CPU)), OwnScorer)
    with pytest.raises(UserError, match="7 identity modes"):
        exhausted(find_scorer(str(file), files, 8, CPU))
    with pytest.raises(UserError, match="There is no scorer"):
        exhausted(find_scorer("nowhere", files, 7, CPU))


def test_weights_without_a_scorer_for_their_template_say_so(file):
    events = list(find_scorer("auto", exhausted(find_bundle("embedded")), 7, CPU))
    assert [type(event) for event in events] == [Notice] and "no scorer" in events[0].text


def test_the_embedded_scorer_fits_the_embedded_template():
    scorer = exhausted(find_scorer("auto", exhausted(find_bundle("embedded")), 115, CPU))
    assert scorer.hears("a man with a big nose") and (EMBEDDED / "scorer.safetensors").stat().st_size <= 4 << 20


def test_a_folder_of_a_scorer_of_another_template_is_refused(file):
    folder = file.parent / "folder"
    folder.mkdir()
    (folder / "scorer.safetensors").write_bytes(file.read_bytes())
    with pytest.raises(UserError, match="7 identity modes"):
        exhausted(find_scorer(str(folder), None, 115, torch.device("cpu")))
