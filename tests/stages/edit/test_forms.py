"""Forms of people (head.sculpt.persons) that an edit of who somebody is takes and gives."""

from dataclasses import replace

import pytest
import torch

from idto3d.head.sculpt.features import formed, forms_for
from idto3d.head.sculpt.forms import has_forms
from idto3d.head.sculpt.necks import NECKS
from idto3d.head.sculpt.persons import FORMS as NAMES
from idto3d.head.sculpt.persons import forms_of
from idto3d.head.start import WORDS, Trait
from idto3d.stages.edit.paint.told import as_told
from idto3d.stages.edit.who import forms_after, forms_changed
from idto3d.words.asked import read_edit

FORMS = frozenset(NAMES)


@pytest.fixture
def work(work, ground):
    """As `work`, of a head that knows the forms it was made with."""

    def begun(request, **options):
        asked = work(request, **options)
        return replace(asked, before=as_told(asked.before, ground.template, ground.prior))

    return begun


def called(asked, photos=0, **traits):
    """The edit of a head that is called so, and knows no forms."""
    start = replace(asked.before.start, traits={name: Trait(word, WORDS) for name, word in traits.items()}, features={})
    return replace(asked, before=replace(asked.before, start=start, photos=photos))


def test_a_head_of_before_loses_no_forms_that_it_never_had(work):
    woman = called(work(read_edit("as a male")), gender="female", age="old")
    assert forms_changed(woman)["manly"] > 0 and forms_changed(woman)["old woman"] == -1
    assert forms_changed(woman).keys() == forms_after(woman).keys() == {"manly", "old woman"}


def test_a_woman_on_photos_keeps_her_neck_and_a_man_gets_one_of_a_woman(work):
    older = forms_changed(called(work(read_edit("older")), photos=1, gender="female"))
    assert not NECKS.keys() & older.keys() and older["old woman"] > 0
    assert forms_changed(called(work(read_edit("as a female")), photos=1, gender="male"))["slim neck"] == 1


def test_a_template_that_is_laid_out_otherwise_has_necks_and_no_measured_forms(ground, finished):
    template, forms = ground.template, forms_of({"gender": "female"})
    other = replace(template, neutral=template.neutral[:-1])
    assert not has_forms(other) and has_forms(template) and forms_for(template, forms) == forms
    assert forms_for(other, forms).keys() == {"slim neck"}
    assert torch.equal(formed(other, forms), formed(other, {"slim neck": 1.0})) and formed(other, forms).any()
    assert not FORMS & as_told(finished, other, ground.prior).start.features.keys()
    assert FORMS & as_told(finished, template, ground.prior).start.features.keys() == {"manly", "friendly"}


def test_another_gender_takes_the_forms_of_one_and_gives_those_of_the_other(work):
    changed = forms_changed(work(read_edit("as a female")))
    assert changed["womanly"] >= changed["slim neck"] == 1 and changed["manly"] == -1 and "friendly" not in changed
    assert forms_changed(work(read_edit("freckles"))) == forms_changed(work(read_edit("as a male"))) == {}


def test_a_head_of_photos_keeps_the_neck_that_was_measured_until_it_is_a_childs(work):
    asked = work(read_edit("as a cute baby"))
    photographed = replace(asked, before=replace(asked.before, photos=1))
    changed = forms_changed(photographed)
    assert changed["babyish"] == 1 and NECKS.keys() & changed.keys() == {"baby's neck"}


@pytest.mark.parametrize("prompt", ["as a female", "older", "as a cute baby"])
def test_what_an_edit_has_left_of_forms_is_remembered(work, prompt):
    begun = work(read_edit(prompt), strength=0.5)
    left = forms_after(begun)
    start = replace(begun.before.start, features=left)
    again = replace(begun, before=replace(begun.before, start=start))
    for name, amount in forms_changed(begun).items():
        assert forms_changed(again).get(name, 0.0) == pytest.approx(0.5 * amount)
