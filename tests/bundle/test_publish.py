"""Uploading a bundle: what it must hold, what must not go along, and that it can be used from where it lies then."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from idto3d import cli
from idto3d.bundle.layout import ATLAS_FILES, OPTIONAL, own_files
from idto3d.bundle.publish import publish_bundle
from idto3d.errors import UserError
from idto3d.guidance.loading import load_bundle
from idto3d.guidance.networks.atlas import TEST_ATLAS, has_atlas, load_atlas, new_atlas_model, save_atlas

CPU = torch.device("cpu")


@pytest.fixture
def folder(folder):
    """A bundle that a test may publish."""
    save_file({"z": torch.zeros(1)}, folder / "head_prior.safetensors")
    return folder


def test_publishing_uploads_the_bundle_with_its_card_and_it_can_be_used(hub, folder, monkeypatch, info):
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    (folder / "README.md").write_text("# Tiny\n\nNobody should use it.\n")
    (folder / ".hidden").write_text("mine")
    (folder / "NOTICE.md").write_text("By others.")
    reference = publish_bundle(folder, "me/tiny")
    files = hub.repos["me/tiny"].files
    assert b"license: cc0-1.0" in files["README.md"] and b"Nobody should use it" in files["README.md"]
    assert ".hidden" not in files and {"geometry/lora.safetensors", "NOTICE.md"} < set(files)
    assert load_bundle(reference, CPU).info == info


def test_a_model_of_atlases_is_published_and_fetched_with_its_bundle(hub, folder, parts, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    (folder / "README.md").write_text("# Tiny")
    shape, width = (parts.vae.config.latent_channels, 8, 8), parts.text_encoder.config.hidden_size
    sizes = {"words": (2, 2, width), "mean": shape, "deviation": (shape[0], 1, 1), "basis": (3, *shape)}
    sizes |= {"rest": (1,), **dict.fromkeys(("reading", "spread"), (1 + 2 * width + 16, 3))}
    model = new_atlas_model(TEST_ATLAS, parts, {name: torch.rand(size) for name, size in sizes.items()})
    save_atlas(model, folder)
    bundle = load_bundle(publish_bundle(folder, "me/painted"), CPU)
    assert has_atlas(bundle.folder) and bundle.folder != folder
    assert torch.equal(load_atlas(bundle.folder, bundle.parts).words, model.words)
    (folder / ATLAS_FILES[1]).unlink()
    with pytest.raises(UserError, match="is missing"):
        publish_bundle(folder, "me/painted")


def test_the_command_publishes_and_prints_what_to_give_to_weights(hub, folder, monkeypatch, info, capsys):
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    (folder / "README.md").write_text("# Tiny")
    (folder / "LICENSE").write_text("Do what you like.")
    assert cli.main(["publish", str(folder), "me/by-command", "--private"]) == 0
    reference = capsys.readouterr().out.strip()
    assert reference == f"me/by-command@{hub.repos['me/by-command'].commit}"
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(hub.repos["me/by-command"].files) == present
    assert cli.main(["publish", str(folder / "base"), "me/by-command"]) == 2
    assert "There is no bundle.json" in capsys.readouterr().err


def test_what_cannot_be_published_is_refused_before_anything_is_sent(hub, folder, monkeypatch):
    def refused(said):
        with pytest.raises(UserError, match=said):
            publish_bundle(folder, "me/tiny")
        assert not hub.requests

    refused("no model card")
    (folder / "README.md").write_text("# Tiny")
    refused("Nobody is logged in")
    (folder / "old.ckpt").write_bytes(b"")
    refused("old.ckpt does not belong")
    (folder / "old.ckpt").unlink()
    for stray in ("base-geometry.state.safetensors", "base/unet/notes.txt", "identity.safetensors", "log.json"):
        (folder / stray).write_bytes(b"")
        refused(f"{stray} does not belong")
        (folder / stray).unlink()
    for name in ("albedo/expression.safetensors", "base/tokenizer/tokenizer.json", "base/morphable/config.json"):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        refused(f"incomplete: {name} is missing")
        (folder / name).write_bytes(content)
    (folder / "albedo/id.safetensors").write_bytes(b"cut")
    refused("could not be read")
    with pytest.raises(UserError, match="no name of a repository"):
        publish_bundle(folder, "tiny")


def test_a_repository_of_somebody_else_is_not_written(hub, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    (folder / "README.md").write_text("# Tiny")
    hub.forbidden = True
    with pytest.raises(UserError, match="does not let you write"):
        publish_bundle(folder, "they/tiny")


def test_the_layout_is_what_is_written_and_what_is_loaded(pristine_folder, info):
    present = {path.relative_to(pristine_folder).as_posix() for path in pristine_folder.rglob("*") if path.is_file()}
    assert set(own_files(info, present)) == present
    assert {"landmarks.safetensors", "matte.safetensors"} < set(own_files(info, present | set(OPTIONAL)))
    optional = {"head_prior.safetensors", "base/model_index.json"}
    optional |= {name for name in present if name.startswith("base/morphable/")}
    assert set(own_files(info, ())) == present - optional
    assert set(ATLAS_FILES) < set(own_files(info, {ATLAS_FILES[1]})) and not set(ATLAS_FILES) & set(own_files(info, ()))
    split = present - {"base/tokenizer/tokenizer.json"} | {"base/tokenizer/vocab.json"}
    assert "base/tokenizer/merges.txt" in own_files(info, split)
    elsewhere = replace(info, base="sd15", sources={"sd15": None})
    assert not [name for name in own_files(elsewhere, ()) if name.startswith(("base/", "sd15/"))]
