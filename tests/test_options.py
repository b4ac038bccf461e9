"""Options by their dotted names, and presets that can be met."""

import json

import pytest

from idto3d import cli
from idto3d.checks import checked
from idto3d.config import (
    PRESETS,
    HeadOptions,
    ShapeOptions,
    as_json,
    from_json,
)
from idto3d.errors import UserError
from idto3d.options import option_names, with_option


def test_what_every_preset_asks_for_can_be_met_and_so_can_what_is_set_of_it():
    for name in PRESETS:
        assert checked(PRESETS[name]) is PRESETS[name]
    asked = cli.make_parser().parse_args(["generate", "x.png", "--out", "new", "--set", "expressions=smile,anger"])
    assert cli.head_options(asked).expressions == ("neutral", "smile", "anger")
    for wrong in (("smile",), ("neutral", "smile", "smile")):
        with pytest.raises(UserError, match="must hold neutral"):
            checked(HeadOptions(expressions=wrong))
    for wrong in ((200,), (200.0, 700), [200, 700], 300):
        with pytest.raises(UserError, match="shape.early_timesteps is no pair of whole numbers. Give one like 200,700"):
            checked(HeadOptions(shape=ShapeOptions(early_timesteps=wrong)))


def test_every_option_can_be_set_by_its_dotted_name():
    options = HeadOptions()
    assert "shape.steps" in option_names(options)
    options = with_option(options, "shape.early_timesteps", "300,800")
    options = with_option(options, "guidance.lambda_id", "0.5")
    options = with_option(options, "shape.prior", "no")
    assert (options.shape.early_timesteps, options.guidance.lambda_id, options.shape.prior) == ((300, 800), 0.5, False)
    for wrong in ("shape", "steps", "shape.early_timesteps.x", "nothing"):
        with pytest.raises(UserError, match="no option"):
            with_option(options, wrong, "1")
    assert from_json(HeadOptions, json.loads(json.dumps(as_json(options)))) == options
    options = with_option(options, "shape.early_timesteps", "none")
    assert options.shape.early_timesteps is None
    for text in ("1,2,3", ""):
        with pytest.raises(UserError, match="no value"):
            with_option(options, "shape.late_timesteps" if "," in text else "shape.learning_rate", text)


def test_one_mesh_per_expression_is_refused_on_the_template():
    with pytest.raises(UserError, match="same mesh in every expression.*shape.carrier=tets"):
        checked(HeadOptions(shape=ShapeOptions(meshes="each")))
    assert checked(HeadOptions(shape=ShapeOptions(carrier="tets", meshes="each")))
