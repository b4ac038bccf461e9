"""A bundle folder: what is written can be read, and everything wrong with it is said plainly."""

import json
from dataclasses import replace

import pytest
import torch
from rounding import same_but_for_rounding
from safetensors.torch import load_file, save_file

from idto3d.bundle import find as weights_module
from idto3d.bundle.find import find_bundle
from idto3d.bundle.info import write_info
from idto3d.errors import UserError
from idto3d.events import exhausted
from idto3d.guidance.loading import load_bundle, save_bundle
from idto3d.guidance.networks import base, reading
from idto3d.guidance.prediction import Guidance

CPU = torch.device("cpu")


def load(folder):
    return load_bundle(folder, CPU, torch.float32)


def answer(bundle):
    guidance = Guidance(bundle)
    identity = torch.ones(guidance.info.identity_encoder.dimension)
    wanted = guidance.conditions(["a face"], "", identity, ["jaw open"])
    return [guidance.predict(d, torch.ones(1, 4, 4, 4), torch.tensor([500]), wanted)[0] for d in ("geometry", "albedo")]


def test_a_bundle_says_what_was_written_into_it(bundle, info):
    assert bundle.info == info
    assert bundle.prior_path.read_bytes() == b"a head prior"
    assert bundle.info.prompt("albedo", "front", "old man") == (
        "a front view albedo map face portrait of an old man on a white background"
    )


def test_a_bundle_saved_again_answers_the_same(bundle, tmp_path):
    save_bundle(tmp_path, bundle.info, bundle.parts, bundle.branches, None, torch.float32)
    again = load(tmp_path)
    assert again.prior_path is None
    for first, second in zip(answer(bundle), answer(again), strict=True):
        assert same_but_for_rounding(first, second)


def test_only_safetensors_and_json_are_written(folder):
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".safetensors"}


def test_everything_is_frozen(bundle):
    for network in (bundle.parts.unet, bundle.parts.vae, bundle.parts.text_encoder, *bundle.branches.values()):
        assert not any(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize(
    "name",
    [
        "bundle.json",
        "base/unet/config.json",
        "base/unet/diffusion_pytorch_model.safetensors",
        "base/vae/diffusion_pytorch_model.safetensors",
        "base/text_encoder/model.safetensors",
        "base/tokenizer/tokenizer_config.json",
        "base/scheduler/scheduler_config.json",
        "geometry/lora.safetensors",
        "geometry/id.safetensors",
        "albedo/expression.safetensors",
    ],
)
def test_a_missing_or_damaged_file_is_named(folder, name):
    (folder / name).write_bytes(b'{"cut off')
    with pytest.raises(UserError):
        load(folder)
    (folder / name).unlink()
    with pytest.raises(UserError, match=name.removeprefix("base/")):
        load(folder)


def test_pickled_weights_are_refused(folder):
    weights = folder / "base/unet/diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(UserError, match="pickled"):
        load(folder)


def test_a_pickle_that_calls_itself_safetensors_is_refused(folder):
    torch.save({"a": torch.zeros(1)}, folder / "albedo/id.safetensors")
    with pytest.raises(UserError, match="could not be read"):
        load(folder)


@pytest.mark.parametrize("checked", [True, False])
def test_a_folders_own_python_is_never_run(folder, monkeypatch, checked):
    """Neither where a configuration names it, nor where that went unseen, not even when somebody says yes."""
    tokenizer, sprung = folder / "base/tokenizer", folder / "sprung"
    (tokenizer / "trap.py").write_text(f"import pathlib\npathlib.Path({str(sprung)!r}).touch()\n")
    config = {"tokenizer_class": "Trap", "auto_map": {"AutoTokenizer": [None, "trap.Trap"]}}
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(config))
    monkeypatch.setattr("builtins.input", lambda _: "y")
    if not checked:
        monkeypatch.setattr(reading, "_expect_no_code", lambda _: None)
    with pytest.raises(UserError, match="asks for Python code of its own" if checked else "tokenizer_class"):
        load(folder)
    assert not sprung.exists()


def test_a_base_that_is_nowhere_is_not_called_pickled(tmp_path):
    with pytest.raises(UserError, match="no base model at .*nowhere. Check the path"):
        base.load_base(tmp_path / "nowhere")


def test_a_branch_for_another_encoder_is_refused(folder, info):
    write_info(replace(info, identity_encoder=replace(info.identity_encoder, dimension=512)), folder)
    with pytest.raises(UserError, match="identities of 6 numbers"):
        load(folder)


def test_a_lora_that_fits_nowhere_is_refused(folder):
    path = folder / "geometry/lora.safetensors"
    save_file({"unet.no.such.module.lora_A.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(UserError, match="no.such.module"):
        load(folder)
    save_file({}, path)
    with pytest.raises(UserError, match="does not fit"):
        load(folder)


def test_the_network_of_the_identity_encoder_travels_with_the_bundle(bundle, tmp_path):
    network, folder = tmp_path / "any.safetensors", tmp_path / "bundle"
    network.write_bytes(b"a network")
    info = replace(bundle.info, identity_encoder=replace(bundle.info.identity_encoder, name="portrait"))
    save_bundle(folder, info, bundle.parts, bundle.branches, None, torch.float32, identity=network)
    found = exhausted(find_bundle(folder))
    assert found.identity_path().read_bytes() == b"a network"
    again = load_bundle(folder, torch.device("cpu"), torch.float32)
    assert again.identity_path == found.identity_path() and bundle.identity_path is None


def test_weights_that_are_nowhere_are_refused(tmp_path):
    with pytest.raises(UserError, match="no weights at"):
        load_bundle(tmp_path / "nowhere", CPU)
    with pytest.raises(UserError, match="no weights at"):
        load_bundle("not/a/repository", CPU)
    with pytest.raises(UserError, match="bundle.json"):
        load_bundle(tmp_path, CPU)


def test_embedded_is_the_folder_that_comes_with_the_program(folder, monkeypatch):
    monkeypatch.setitem(weights_module.NAMED, "embedded", folder)
    assert load("embedded").folder == folder
    monkeypatch.setitem(weights_module.NAMED, "embedded", folder / "nowhere")
    with pytest.raises(UserError, match="embedded weights"):
        load("embedded")
