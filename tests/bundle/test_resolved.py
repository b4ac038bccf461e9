"""What options come to with weights: their own values where nobody asks otherwise, and refusals for what they lack."""

from dataclasses import fields, is_dataclass, replace

import pytest

from idto3d.bundle.asking import StageDefaults
from idto3d.bundle.info import read_info
from idto3d.bundle.resolved import expect_served, resolved
from idto3d.config import COMMUNITY, EMBEDDED, PRESETS, GuidanceOptions, HeadOptions, MaterialOptions, ShapeOptions
from idto3d.errors import UserError

OWN = ("shape.image_size", "shape.anchor", "material.image_size", "material.anchor")
OPEN = ("timesteps", "guidance.")  # each guidance that is asked has its own


def left_open(options, section=""):
    """Dotted names of the options that are None."""
    names = []
    for field in fields(options):
        value, name = getattr(options, field.name), section + field.name
        names += left_open(value, f"{name}.") if is_dataclass(value) else [name] if value is None else []
    return names


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("weights", [EMBEDDED, COMMUNITY])
def test_a_preset_says_how_long_and_how_fine_and_the_weights_the_rest(name, weights):
    info, preset = read_info(weights), PRESETS[name]
    assert preset.guidance == GuidanceOptions() and set(OWN) <= set(left_open(preset))
    made = resolved(preset, info)
    assert not [option for option in left_open(made) if not any(part in option for part in OPEN)]
    sides = (made.shape.image_size, made.material.image_size)
    assert sides == ((128, 128) if weights == EMBEDDED else (512, 512))
    assert (made.shape.anchor, made.material.anchor) == (info.stages.shape_anchor, info.stages.material_anchor)
    assert (made.shape.steps, made.material.views) == (preset.shape.steps, preset.material.views)
    assert resolved(made, read_info(EMBEDDED)) == made


def test_what_is_asked_for_stays_even_where_it_is_nothing(info):
    info = replace(info, stages=StageDefaults(64, 3.0, 32, 5.0))
    asked = HeadOptions(shape=ShapeOptions(image_size=16, anchor=0.0), material=MaterialOptions(anchor=0.0))
    made = resolved(asked, info)
    assert (made.shape.image_size, made.shape.anchor) == (16, 0.0)
    assert (made.material.image_size, made.material.anchor) == (32, 0.0)


def test_weights_want_a_graphics_card_or_to_be_told_to_do_without():
    large, small = read_info(COMMUNITY), read_info(EMBEDDED)
    with pytest.raises(UserError, match="'community' take hours for a head without a graphics card.*--device cpu"):
        expect_served(HeadOptions(device="auto"), large, "cpu")
    expect_served(HeadOptions(device="cpu"), large, "cpu")
    expect_served(HeadOptions(device="auto"), large, "cuda")
    expect_served(HeadOptions(device="auto"), small, "cpu")


def test_an_expression_branch_that_is_not_there_cannot_be_asked():
    asked = HeadOptions(device="cpu", guidance=GuidanceOptions(lambda_exp=0.5))
    with pytest.raises(UserError, match="no expression branch.*lambda_exp at 0"):
        expect_served(asked, read_info(COMMUNITY), "cpu")
    expect_served(asked, read_info(EMBEDDED), "cpu")
    expect_served(replace(asked, guidance=GuidanceOptions(lambda_exp=0.0)), read_info(COMMUNITY), "cpu")


def test_an_expression_that_weights_never_learned_is_refused_where_it_would_be_asked_of_them():
    embedded = read_info(EMBEDDED)
    known = replace(embedded, expressions={name: text for name, text in embedded.expressions.items() if name != "grin"})
    asked = HeadOptions(device="cpu", expressions=("neutral", "grin"))
    with pytest.raises(UserError, match="never learned to show grin.*Choose from: neutral, smile"):
        expect_served(asked, known, "cpu")
    expect_served(asked, embedded, "cpu")
    expect_served(replace(asked, guidance=GuidanceOptions(lambda_exp=0.0)), known, "cpu")
