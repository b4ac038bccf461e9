"""The gate of damaged weights in a small version, and what it found."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from benchmarks.gates import weights
from idto3d.errors import UserError
from idto3d.guidance.loading import load_bundle

CPU = torch.device("cpu")


def test_a_few_damaged_weights_are_refused_or_change_nothing(tmp_path):
    found = weights.run(12, 5, tmp_path)
    assert found.tries == 12 and not found.failures
    assert dict(found.figures)["refused"] > 6


def test_a_text_encoder_without_a_key_is_refused_and_not_random(folder):
    path = folder / "base/text_encoder/model.safetensors"
    tensors = load_file(path)
    gone = sorted(tensors)[0]
    save_file({name: value.clone() for name, value in tensors.items() if name != gone}, path)
    with pytest.raises(UserError, match=f"model.safetensors could not be read: {gone} is missing"):
        load_bundle(folder, CPU)


@pytest.mark.parametrize(
    ("file", "entry", "value"),
    [
        ("scheduler/scheduler_config", "num_train_timesteps", 10**9),
        ("scheduler/scheduler_config", "beta_end", float("nan")),
        ("unet/config", "layers_per_block", 10**6),
        ("unet/config", "cross_attention_dim", 10**9),
        ("vae/config", "block_out_channels", [8] * 4000),
        ("text_encoder/config", "vocab_size", 10**12),
        ("text_encoder/config", "num_hidden_layers", 60),
        ("tokenizer/tokenizer_config", "model_max_length", 10**9),
        ("morphable/config", "image_size", 10**6),
    ],
)
def test_absurd_numbers_are_refused_before_anything_is_built(folder, file, entry, value):
    path = folder / f"base/{file}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {entry: value}))
    with pytest.raises(UserError, match="could not be read") as refused:
        load_bundle(folder, CPU)
    assert path.name in refused.value.what


def test_numbers_that_are_not_finite_are_refused(folder):
    path = folder / "albedo/lora.safetensors"
    tensors = {name: value.clone() for name, value in load_file(path).items()}
    next(iter(tensors.values())).view(-1)[0] = float("inf")
    save_file(tensors, path)
    with pytest.raises(UserError, match="no finite numbers"):
        load_bundle(folder, CPU)


def test_json_without_bottom_is_refused(folder):
    (folder / "bundle.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="nested too deeply"):
        load_bundle(folder, CPU)
