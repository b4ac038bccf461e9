"""A bundle folder: what is written can be read, and everything wrong with it is said plainly."""

import json
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from idto3d.bundle import find as weights_module
from idto3d.bundle.find import find_bundle
from idto3d.bundle.info import check_encoder, read_info, write_info
from idto3d.errors import UserError
from idto3d.events import exhausted
from idto3d.guidance.loading import load_bundle, save_bundle
from idto3d.guidance.networks import base
from idto3d.guidance.prediction import Guidance
from idto3d.words.prompts import DOMAINS

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
        assert torch.equal(first, second)


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
        monkeypatch.setattr(base, "_expect_no_code", lambda _: None)
    with pytest.raises(UserError, match="asks for Python code of its own" if checked else "custom code"):
        load(folder)
    assert not sprung.exists()


def test_a_base_that_is_nowhere_is_not_called_pickled(tmp_path):
    with pytest.raises(UserError, match="no base model at .*nowhere. Check the path"):
        base.load_base(tmp_path / "nowhere")


def test_a_branch_for_another_encoder_is_refused(folder, info):
    write_info(replace(info, identity_encoder=replace(info.identity_encoder, dimension=512)), folder)
    with pytest.raises(UserError, match="512 are expected"):
        load(folder)


def test_a_lora_that_fits_nowhere_is_refused(folder):
    path = folder / "geometry/lora.safetensors"
    save_file({"unet.no.such.module.lora_A.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(UserError, match="no.such.module"):
        load(folder)
    save_file({}, path)
    with pytest.raises(UserError, match="does not fit"):
        load(folder)


def test_another_identity_encoder_is_refused(info):
    check_encoder(info, "dlib", 6)
    for name, dimension in (("insightface", 6), ("dlib", 128)):
        with pytest.raises(UserError, match="identity encoder dlib"):
            check_encoder(info, name, dimension)


def test_the_network_of_the_identity_encoder_travels_with_the_bundle(bundle, tmp_path):
    network, folder = tmp_path / "any.safetensors", tmp_path / "bundle"
    network.write_bytes(b"a network")
    info = replace(bundle.info, identity_encoder=replace(bundle.info.identity_encoder, name="portrait"))
    save_bundle(folder, info, bundle.parts, bundle.branches, None, torch.float32, identity=network)
    found = exhausted(find_bundle(folder))
    assert found.identity_path().read_bytes() == b"a network"
    again = load_bundle(folder, torch.device("cpu"), torch.float32)
    assert again.identity_path == found.identity_path() and bundle.identity_path is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 2}, "schema version 2"),
        ({"schema": None}, "schema version None"),
        ({"colour": "blue"}, "'colour' is not known"),
        ({"name": 3}, "'name' should be of type str"),
        ({"lambda_id": "much"}, "'lambda_id' should be of type float"),
        ({"lambda_id": True}, "'lambda_id' should be of type float"),
        ({"lambda_exp": -1}, "negative"),
        ({"identity_encoder": {"name": "dlib"}}, "'identity_encoder.dimension' is missing"),
        ({"identity_pooling": "concatenate"}, "identity_pooling"),
        ({"expressions": {}}, "'expressions' is empty"),
        ({"expressions": {"neutral": 1}}, "should hold texts"),
        ({"prompts": {"geometry": "{view} {subject}"}}, "'prompts'"),
        ({"prompts": {"geometry": "{view} {subject}", "albedo": "{view}"}}, "{subject}"),
        ({"image_size": 100}, "image_size"),
        ({"base": "../elsewhere"}, "'base'"),
        ({"base": "/etc"}, "'base'"),
        ({"base": {"repo": "org/model"}}, "'base' should be of type str"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, info, changes, said):
    (tmp_path / "bundle.json").write_text(json.dumps({**asdict(info), **changes}))
    with pytest.raises(UserError, match=said):
        read_info(tmp_path)


SOURCE = {"repo": "org/model", "revision": "a" * 40, "licence": "MIT", "files": {"a.bin": ""}}
ELSEWHERE = {"sources": {"faceid": SOURCE}, "lambda_exp": 0.0}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sources": {"base": {**SOURCE, "revision": "main"}}}, "40 hexadecimal"),
        ({"sources": {"base": {**SOURCE, "repo": "model"}}}, "ORG/REPO"),
        ({"sources": {"base": {**SOURCE, "files": {"../a.bin": ""}}}}, "inside the repository"),
        ({"sources": {"base": {**SOURCE, "files": {"a.py": ""}}}}, "inside the repository"),
        ({"sources": {"base": {**SOURCE, "files": {"a.bin": "123"}}}}, "SHA-256"),
        ({"sources": {"base": {**SOURCE, "files": {}}}}, "empty"),
        ({"sources": {"base": 3}}, "should be an object"),
        ({"domains": {"geometry": {"unet": "", "adapter": "nowhere"}}}, "names no entry of sources"),
        (ELSEWHERE | {"domains": {"geometry": {"unet": "", "adapter": "faceid"}}}, "all of geometry, albedo"),
        (ELSEWHERE | {"domains": {d: {"unet": "", "adapter": "faceid"} for d in ("geometry", "albedo")}}, "expression"),
        (
            {"sources": {"faceid": SOURCE}, "domains": {d: {"unet": "", "adapter": "faceid"} for d in DOMAINS}},
            "'lambda_exp' should be 0",
        ),
        (
            {"refinement": {"base": "nowhere", "adapter": "", "prompt": "", "guidance_scale": 1, "weight": 1}},
            "no entry",
        ),
    ],
)
def test_a_wrong_entry_about_the_hub_is_named(tmp_path, info, changes, said):
    (tmp_path / "bundle.json").write_text(json.dumps({**asdict(info), **changes}))
    with pytest.raises(UserError, match=said):
        read_info(tmp_path)


def test_a_missing_entry_is_named(tmp_path, info):
    data = asdict(info)
    del data["licence"]
    (tmp_path / "bundle.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match="'licence' is missing"):
        read_info(tmp_path)
    (tmp_path / "bundle.json").write_text("[1]")
    with pytest.raises(UserError, match="object"):
        read_info(tmp_path)


def test_words_outside_the_vocabulary_are_named_unless_it_is_open(info):
    assert info.unknown_words("a normal face with a Tiara") == ["with", "tiara"]
    assert replace(info, vocabulary=()).unknown_words("tiara") == []


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
