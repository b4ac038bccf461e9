"""A CLIP model in transformers' layout is a scorer: a tiny one, written as published files are."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from idto3d.bundle.find import fetch, find_bundle
from idto3d.bundle.sources import Source
from idto3d.errors import UserError
from idto3d.events import Notice, exhausted
from idto3d.files import read_tensors, write_tensors
from idto3d.guidance.networks.tiny import EMBEDDED_SPEC, tiny_base
from idto3d.guidance.scorer.clip import FILES, ClipScorer, load_clip
from idto3d.guidance.scorer.find import find_scorer

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    tokenizer = tiny_base(EMBEDDED_SPEC, ["old", "young", "man", "woman", "nose", "big", "a"]).tokenizer
    tokenizer.save_pretrained(tmp_path)
    tower = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    places = {"max_position_embeddings": tokenizer.model_max_length, "vocab_size": len(tokenizer)}
    ends = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    config = CLIPConfig(
        text_config=tower | places | ends,
        vision_config=tower | {"image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    model = CLIPModel(config)
    write_tensors(tmp_path / "model.safetensors", model.state_dict(), {"format": "pt"})
    (tmp_path / "config.json").write_text(config.to_json_string())
    return tmp_path


def test_words_and_pictures_meet_in_one_space(folder):
    scorer = load_clip(folder, "tiny", CPU)
    words = scorer.text(["an old man", "a young woman with a big nose"])
    pictures = scorer.pictures(np.random.default_rng(0).integers(0, 256, (3, 48, 48, 3), np.uint8))
    assert words.shape == (2, 16) and pictures.shape == (3, 16)
    for found in (words, pictures):
        assert torch.allclose(found.norm(dim=1), torch.ones(len(found)), atol=1e-5)
    assert scorer.heads(np.zeros((1, 4))) is None and scorer.hears("anything") and not scorer.hears(" ")


def test_padding_changes_no_embedding(folder):
    scorer = load_clip(folder, "tiny", CPU)
    alone, together = scorer.text(["old"])[0], scorer.text(["old", "a young woman with a big nose"])[0]
    assert torch.allclose(alone, together, atol=1e-5)


@pytest.mark.parametrize("change", ["kind", "size", "tensor"])
def test_what_is_no_clip_model_is_refused(folder, change):
    config = json.loads((folder / "config.json").read_text())
    if change == "kind":
        config["model_type"] = "bert"
    elif change == "size":
        config["vision_config"]["hidden_size"] = 10**9
    else:
        tensors = read_tensors(folder / "model.safetensors")
        tensors.pop("text_projection.weight")
        write_tensors(folder / "model.safetensors", tensors, {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError):
        load_clip(folder, "tiny", CPU)


def test_a_model_of_the_hub_is_said_before_it_is_fetched_and_asked_for_only_by_name(hub, folder):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    repo = hub.add("org/clip-scorer", files)
    located = exhausted(find_bundle("embedded"))
    hub.requests.clear()
    exhausted(find_scorer("auto", located, 115, CPU))
    assert hub.requests == []
    events = list(find_scorer(f"org/clip-scorer@{repo.commit}", located, 115, CPU))
    assert any(isinstance(event, Notice) and "licence" in event.text for event in events)
    hub.requests.clear()
    scorer = exhausted(find_scorer(f"org/clip-scorer@{repo.commit}", located, 115, CPU))
    assert hub.requests == [] and scorer.text(["old"]).shape == (1, 16)


def test_weights_that_name_one_are_chosen_by_it_where_it_is_here_and_say_so_where_not(hub, folder):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    repo = hub.add("org/named-scorer", files)
    source = Source("org/named-scorer", repo.commit, "MIT", dict.fromkeys(FILES, ""))
    located = exhausted(find_bundle("embedded"))
    named = replace(located, info=replace(located.info, sources={"clip": source}, scorer="clip"))
    hub.requests.clear()
    texts = [event.text for event in find_scorer("auto", named, 115, CPU) if isinstance(event, Notice)]
    assert hub.requests == [] and f"org/named-scorer@{repo.commit}" in texts[0]
    exhausted(fetch(source))
    assert isinstance(exhausted(find_scorer("auto", named, 115, CPU)), ClipScorer)
