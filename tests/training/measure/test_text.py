"""What `evaluate text` measures of the head that is made, with the features that are sculpted over it."""

import numpy as np
import pytest
import torch

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED, ChoiceOptions, HeadOptions
from idto3d.head.start import WORDS, Start, Trait
from idto3d.head.template_file import load_template
from idto3d.training.measure.text.ablations import Tools, made_ways, ways_of
from idto3d.training.measure.text.prompts import TWELVE, Asked
from idto3d.training.scorer import measures

NOSE = Asked("a man with a big nose")


@pytest.fixture(scope="module")
def tools():
    template, before = load_template(EMBEDDED / TEMPLATE_FILE), measures.PEOPLE
    measures.PEOPLE = 60
    ruler = measures.ruler_of(template)
    measures.PEOPLE = before
    return Tools(template, None, object(), None, ruler)


def test_the_made_head_has_what_is_sculpted_and_less_of_it_where_it_was_chosen(tools):
    own, start = np.zeros(115, np.float32), Start(None, {"gender": Trait("male", WORDS)}, "man", torch.zeros(1))
    bare = ways_of(own, NOSE, start, tools)["big nose"]
    alone, chosen = (
        made_ways(own, NOSE, start, HeadOptions(choice=ChoiceOptions(candidates=count)), tools)["big nose"]
        for count in (0, 100)
    )
    assert bare + 0.1 < chosen < alone - 0.3


def test_a_head_is_measured_alike_by_its_coefficients_and_its_vertices(tools):
    own = np.random.default_rng(0).normal(0, 0.5, 115).astype(np.float32)
    whole = tools.template.shape(torch.from_numpy(own)).double().numpy()
    assert np.allclose(tools.ruler.ways(own[None].astype(np.float64), "")[0], tools.ruler.ways_of(whole, ""), atol=1e-2)


def test_every_prompt_names_something_of_a_shape():
    assert all(one.face or one.who for one in TWELVE)
