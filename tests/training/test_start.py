"""A training goes on from a bundle: what is taken from it, and what is not."""

import pytest
import torch

from idto3d.bundle.info import BundleInfo, EncoderInfo, write_info
from idto3d.errors import UserError
from idto3d.guidance.loading import EXP_FILE, ID_FILE
from idto3d.guidance.networks.base import save_base, with_morphable
from idto3d.guidance.networks.branches import new_branches, save_branch
from idto3d.guidance.networks.tiny import TEST_SPEC, tiny_base, tiny_morphable
from idto3d.training.model import encode_text, whiten
from idto3d.training.options import parse
from idto3d.training.start import same_layers, start_base, start_branches


@pytest.fixture
def bundle(tmp_path):
    """A bundle's base and branches of one domain, whose values are no fresh ones."""
    torch.manual_seed(5)
    parts = tiny_base(TEST_SPEC, ["jaw"])
    parts.vae.register_to_config(scaling_factor=0.5)
    save_base(parts, tmp_path / "base", torch.float32)
    branches = new_branches(parts.unet, 6, TEST_SPEC.text_width)
    for attention in branches.attention:
        attention.to_v_ip[0].weight.data.normal_()
    save_branch(branches, "identity", tmp_path / "geometry" / ID_FILE, torch.float32)
    save_branch(branches, "expression", tmp_path / "geometry" / EXP_FILE, torch.float32)
    prompts = {"geometry": "{view} {subject}", "albedo": "{view} {subject}"}
    write_info(BundleInfo("old", "MIT", 32, EncoderInfo("dlib", 6), {"neutral": "calm"}, prompts), tmp_path)
    return tmp_path, parts, branches


def test_the_denoiser_and_the_autoencoder_go_on_while_new_words_come(bundle):
    folder, old, _ = bundle
    torch.manual_seed(6)
    parts = tiny_base(TEST_SPEC, ["jaw", "tiara"])
    start_base(parts, folder)
    assert all(torch.equal(a, b) for a, b in zip(parts.unet.parameters(), old.unet.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in zip(parts.vae.parameters(), old.vae.parameters(), strict=True))
    assert parts.vae.config.scaling_factor == 0.5
    assert same_layers(parts, folder)
    parts.text_encoder.final_layer_norm.weight.data += 1
    assert not same_layers(parts, folder)


def test_a_morphable_head_goes_on_with_the_unet_that_listens_to_it(bundle):
    folder, old, _ = bundle
    assert start_base(tiny_base(TEST_SPEC, ["jaw"]), folder).morphable is None
    old = with_morphable(old, tiny_morphable(TEST_SPEC, 6))
    old.unet.conv_in.weight.data.normal_()
    save_base(old, folder / "base", torch.float32)
    parts = start_base(tiny_base(TEST_SPEC, ["jaw"]), folder)
    assert torch.equal(parts.unet.conv_in.weight, old.unet.conv_in.weight)
    mine, theirs = parts.morphable.state_dict(), old.morphable.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in mine.items()) and len(mine) == len(theirs)


def test_a_base_that_lacks_a_word_reads_the_form_that_it_knows():
    torch.manual_seed(5)
    parts = tiny_base(TEST_SPEC, ["a", "old", "person"])
    assert torch.equal(*(encode_text(parts, [f"{article} old person"])[0] for article in ("an", "a")))
    wider = tiny_base(TEST_SPEC, ["a", "an", "old", "person"])
    assert not torch.equal(*(encode_text(wider, [f"{article} old person"])[0] for article in ("an", "a")))


@pytest.mark.parametrize(("width", "fits"), [(6, True), (9, False)])
def test_branches_go_on_and_an_mlp_of_other_embeddings_starts_anew(bundle, width, fits):
    folder, parts, old = bundle
    torch.manual_seed(7)
    fresh = new_branches(parts.unet, width, TEST_SPEC.text_width)
    whiten(fresh, "identity", torch.randn(40, width))
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    start_branches(fresh, folder / "geometry", expression_mlp=False)
    for mine, theirs in zip(fresh.attention, old.attention, strict=True):
        assert torch.equal(mine.to_v_ip[0].weight, theirs.to_v_ip[0].weight)
    mine, theirs = (b.projection.image_projection_layers for b in (fresh, old))
    first = "projection.image_projection_layers.0.ff.net.0.proj.weight"
    assert torch.equal(mine[0].ff.net[0].proj.weight, theirs[0].ff.net[0].proj.weight if fits else before[first])
    second = "projection.image_projection_layers.1.ff.net.0.proj.weight"
    assert torch.equal(mine[1].ff.net[0].proj.weight, before[second])


def test_a_base_of_another_size_is_refused(bundle):
    folder, old, _ = bundle
    (folder / "base" / "unet" / "config.json").write_text(
        (folder / "base" / "unet" / "config.json").read_text().replace('"layers_per_block": 1', '"layers_per_block": 2')
    )
    with pytest.raises(UserError):
        start_base(old, folder)


def test_two_places_to_start_from_are_refused(tmp_path):
    with pytest.raises(UserError, match="two places"):
        parse(["--data", "d", "--work", "w", "--base", "b", "--init", "i", "--licence", "x", "--stages", "style"])
