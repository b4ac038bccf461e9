"""The network of personal expressions on people it never saw, and a whole training in small."""

import json
from dataclasses import replace

import pytest
import torch

from idto3d.bundle.layout import PERSONAL_FILE, TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.files import read_metadata
from idto3d.head.motion.jaw import SHAPES
from idto3d.head.motion.moves import moves_of
from idto3d.head.motion.personal_file import KEY, load_personal, save_personal, with_personal
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Moves
from idto3d.training.motion import personal
from idto3d.training.motion.people import HELD_OUT_SEED, carrier_of, differences_in, people, sampled

SOME = (*SHAPES, "mouthSmile_L", "mouthSmile_R")


@pytest.fixture(scope="module")
def ict():
    return load_template(EMBEDDED / TEMPLATE_FILE)


@pytest.fixture(scope="module")
def few(ict):
    """The template with some of its shapes, which takes less long."""
    numbers = torch.tensor([ict.shapes.index(name) for name in SOME])
    place = torch.full((len(ict.shapes),), -1, dtype=torch.int32)
    place[numbers] = torch.arange(len(SOME), dtype=torch.int32)
    kept = place[ict.moves.shape.long()] >= 0
    moves = Moves(place[ict.moves.shape.long()][kept], ict.moves.vertex[kept], ict.moves.offset[kept])
    return replace(ict, shapes=SOME, moves=moves)


@pytest.fixture(scope="module")
def carrier(few):
    return carrier_of(few)


def test_heads_held_out_move_as_what_was_worked_out_for_them(ict, few, carrier):
    own, numbers = with_personal(ict, EMBEDDED / PERSONAL_FILE), [ict.shapes.index(name) for name in SOME]
    for vertices in people(few, 2, HELD_OUT_SEED + 1000):
        right = torch.from_numpy(carrier.differences(vertices)).float()
        told = (moves_of(own, vertices) - ict.dense_moves())[numbers][:, torch.from_numpy(carrier.moved)]
        assert (told - right).square().sum() < 0.4 * right.square().sum()


def test_the_mean_head_is_told_nothing(few, carrier):
    assert abs(carrier.differences(few.neutral)).max() < 1e-5


def test_a_training_goes_on_where_it_stopped_and_its_file_is_read(few, carrier, tmp_path, monkeypatch):
    monkeypatch.setattr(personal, "carrier_of", lambda _: carrier)
    monkeypatch.setattr(personal, "CODED", 40)
    learning = personal.Learning(people=3, held_out=1, head=8, basis=9)
    first = next(sampled(carrier, people(few, 3, 0), tmp_path))  # stopped after the first
    written = first.stat().st_mtime_ns
    found = personal.learned(few, learning, tmp_path)
    assert first.stat().st_mtime_ns == written and len(list(tmp_path.iterdir())) == 3
    again = personal.learned(few, learning, tmp_path)
    assert torch.equal(found.weights, again.weights)
    save_personal(tmp_path / "personal.safetensors", found, few, {"people": 3})
    read = load_personal(tmp_path / "personal.safetensors", few)
    head = people(few, 1, 7)[0]
    told = [one.differences(few.neutral, head) for one in (found, read)]
    assert torch.allclose(*told, atol=0.02 * float(told[0].abs().max()))
    assert json.loads(read_metadata(tmp_path / "personal.safetensors")[KEY])["provenance"] == {"people": 3}
    scores = personal.measured(few, read, learning, tmp_path / "held_out")
    assert scores["people"] == 1 and set(scores["by_shape"]) == set(SOME)
    assert differences_in(first).shape == carrier.shapes.shape
