"""Our scorer's trainer: what is measured of faces, and a training that is interrupted and goes on."""

import json

import numpy as np
import pytest
import torch

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.errors import UserError
from idto3d.guidance.scorer.file import load_scoring
from idto3d.head.template_file import load_template
from idto3d.training import train as command
from idto3d.training.scorer import drawn, learn, train
from idto3d.training.scorer.drawn import Drawn
from idto3d.training.scorer.measures import degrees, ruler_of
from idto3d.words.faces.table import FACES, TOKENS


@pytest.fixture(scope="module")
def template():
    return load_template(EMBEDDED / TEMPLATE_FILE)


@pytest.fixture(scope="module")
def ruler(template):
    return ruler_of(template)


@pytest.mark.parametrize(
    ("mode", "way"),
    [
        ("wide nose", "wide nose"),
        ("narrow nose", "narrow nose"),
        ("full lips", "full lips"),
        ("long face", "long face"),
        ("round face", "round face"),
        ("large ears", "large ears"),
        ("heavy brow", "heavy brow"),
    ],
)
def test_a_mode_of_words_is_measured_as_what_it_is(template, ruler, mode, way):
    heads = np.zeros((2, len(template.identity)))
    heads[1, len(heads[1]) - len(template.words) + template.words.index(mode)] = 1
    before, after = ruler.ways(heads, "")[:, list(FACES).index(way)]
    assert after > before + 0.7


def test_a_larger_head_is_not_more_so(ruler):
    larger = {name: 1.1 * ruler.points[None, part] for name, part in ruler.parts.items()}
    same = {name: ruler.points[None, part] for name, part in ruler.parts.items()}
    from idto3d.training.scorer.measures import measured

    assert np.allclose(measured(larger), measured(same), rtol=1e-6)


def test_degrees_rise_from_nothing_to_all():
    assert degrees(np.array([-1.0, 0.2, 0.7, 1.2, 3.0])).tolist() == pytest.approx([0, 0, 0.5, 1, 1])


def painted(count, seed):
    """People of whom the picture tells the age alone: the old are dark."""
    random = np.random.default_rng(seed)
    old = random.random(count) < 0.5
    tokens = np.zeros((count, len(TOKENS)), np.float32)
    tokens[:, TOKENS.index("old")], tokens[:, TOKENS.index("young")] = old, ~old
    normals = np.zeros((count, 1, 64, 64, 3), np.int8)
    normals[..., 2] = 127
    albedo = np.full((count, 1, 64, 64, 3), 200, np.uint8)
    albedo[old] = 40
    return Drawn(normals, albedo, tokens, np.zeros((count, 4), np.float32))


def test_pictures_come_to_lie_by_their_words():
    torch.manual_seed(0)
    people, judge = painted(60, 0), learn.Judge(train.new_scoring(4).towers)
    optimiser = torch.optim.Adam(judge.parameters(), 3e-3)
    losses = []
    for step in range(12):
        loss = judge.loss(learn.draw_batch(people, np.random.default_rng(step), 32))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert learn.agreement(judge.towers, painted(40, 1))["old"] > 0.9


def test_a_caption_fits_whoever_has_all_it_says():
    batch = learn.draw_batch(painted(30, 0), np.random.default_rng(0))
    silent = batch.captions.sum(1) == 0
    assert torch.allclose(batch.fits[:, silent], torch.ones_like(batch.fits[:, silent]), atol=1e-3)
    assert batch.fits.min() >= 0 and torch.allclose(batch.fits.diagonal(), torch.ones(30), atol=1e-3)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A training of people who are drawn at once."""

    def shard(seeds):
        people = painted(len(seeds), seeds[0])
        return {"normals": people.normals, "tokens": people.tokens, "coefficients": people.coefficients} | {
            "albedo": people.albedo
        }

    monkeypatch.setattr(drawn, "PER_SHARD", 20)
    monkeypatch.setattr(train, "clay_shard", lambda *given: shard(given[-1]))
    monkeypatch.setattr(train, "dressed_shard", lambda *given: shard(given[-1]))
    monkeypatch.setattr(train, "ruler_of", lambda _template: None)
    monkeypatch.setattr(train, "read_ict", lambda _path: None)
    monkeypatch.setattr(train.synthetic, "open_studio", lambda _model: None)
    monkeypatch.setattr(learn, "BATCH", 16)

    def run(name, steps):
        work = tmp_path / name
        words = ["--ict", "none", "--work", str(work), "--out", str(work / "scorer.safetensors"), "--clay", "40"]
        words += ["--dressed", "40", "--steps", str(steps), "--shortcut-steps", "3"]
        assert command.main(["--domain", "scorer", *words]) == 0
        return work

    return run


def test_an_interrupted_training_goes_on_to_the_same_end(small, monkeypatch):
    monkeypatch.setattr(train, "rate_share", lambda *_: 1.0)
    whole = small("whole", 4) / "scorer.safetensors"
    small("parts", 2)
    parts = small("parts", 4) / "scorer.safetensors"
    assert parts.read_bytes() == whole.read_bytes()
    assert load_scoring(whole).modes == 4
    lines = (whole.parent / "log.jsonl").read_text().splitlines()
    assert "shortcut_rank_correlation" in json.loads(lines[-1])


def test_a_domain_nobody_trains_is_refused():
    with pytest.raises(UserError, match="no trainer of the domain"):
        command.main(["--domain", "voice"])
