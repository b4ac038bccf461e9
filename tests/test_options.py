"""Options by their dotted names, and presets that can be met."""

import json
from contextlib import nullcontext

import pytest

from idto3d import cli
from idto3d.checks import checked, checked_motion
from idto3d.config import (
    PRESETS,
    AnimateOptions,
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


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "seed=" + "9" * 400],
        ["--set", "shape.learning_rate=" + "9" * 400],
        ["--set", "shape.steps=nan"],
        ["--set", "a" * 300 + "=1"],
        ["--weights", "w\0w"],
        ["--weights", "w" * 5000],
        ["--expressions", "smile\0"],
        ["--out", "n" * 300],
        ["--out", "a\0b"],
    ],
)
def test_options_of_any_length_and_kind_are_refused_in_two_short_sentences(tmp_path, capsys, words):
    start = ["generate", "--out", str(tmp_path / "head"), "--prompt", "a man"]
    assert cli.main([*start, *words]) == 2
    what, remedy = capsys.readouterr().err.strip().splitlines()
    assert what.endswith(".") and remedy.endswith(".") and len(what) < 120 and "\0" not in what
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("light", ["l" * 300, "a\0b", "l" * 300 + ".hdr", "../../etc"])
def test_lights_of_any_name_are_refused(tmp_path, capsys, light):
    assert cli.main(["render", str(tmp_path), "--out", str(tmp_path / "a.png"), "--light", light]) == 2
    assert len(capsys.readouterr().err.splitlines()[0]) < 120


def test_a_prompt_is_kept_on_one_line_without_what_cannot_be_seen(tmp_path):
    words = ["generate", "--out", str(tmp_path), "--prompt", "a\nman\0 with\u202e\ud800 hair"]
    assert cli.head_options(cli.make_parser().parse_args(words)).prompt == "a man with hair"


@pytest.mark.parametrize("size, fine", [(0, True), (1, False), (15, False), (16, True)])
def test_a_preview_of_an_animation_is_left_out_or_large_enough_to_be_seen(size, fine):
    options = AnimateOptions(size=size)
    with nullcontext() if fine else pytest.raises(UserError, match=f"A preview of {size} pixels shows nothing"):
        assert checked_motion(options) == options
