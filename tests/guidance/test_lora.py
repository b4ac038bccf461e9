"""Two adapters on one UNet: fresh ones change nothing, and the domains never leak into each other."""

import pytest
import torch
from rounding import same_but_for_rounding
from safetensors.torch import load_file

from idto3d.errors import UserError
from idto3d.guidance.networks.branches import new_branches
from idto3d.guidance.networks.lora import add_lora, load_lora, lora_parameters, save_lora, use_domain
from idto3d.guidance.networks.tiny import TEST_SPEC, BaseSpec, tiny_base

LATENTS = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(3))
EMBEDS = [torch.ones(2, 1, 6), torch.ones(2, 1, TEST_SPEC.text_width)]


def prediction(unet, branches: bool = False) -> torch.Tensor:
    text = torch.ones(2, 5, TEST_SPEC.text_width)
    added = {"image_embeds": EMBEDS} if branches else None
    with torch.no_grad():
        return unet(LATENTS, torch.tensor([5, 700]), text, added_cond_kwargs=added).sample


def add_random(unet, name: str) -> None:
    for parameter in add_lora(unet, name, rank_self=2, rank_cross=3):
        torch.nn.init.normal_(parameter, std=0.3)


def test_a_fresh_adapter_changes_nothing_and_can_be_trained(parts):
    base = prediction(parts.unet)
    parameters = add_lora(parts.unet, "geometry")
    assert torch.allclose(prediction(parts.unet), base, atol=1e-6)
    assert parameters and all(p.requires_grad and p.dtype == torch.float32 for p in parameters)


def test_cross_attention_has_twice_the_rank(parts):
    add_lora(parts.unet, "geometry")
    ranks = {
        (".attn2." in name): parameter.shape[0]
        for name, parameter in parts.unet.named_parameters()
        if ".lora_A." in name
    }
    assert ranks == {False: 16, True: 32}


def test_domains_switch_back_and_forth_without_leaking(parts, stirred):
    unet = parts.unet
    branches = {domain: stirred(new_branches(unet, 6, TEST_SPEC.text_width)) for domain in ("geometry", "albedo")}
    add_random(unet, "geometry")
    use_domain(unet, "geometry", branches["geometry"])
    alone = prediction(unet, branches=True)
    add_random(unet, "albedo")
    use_domain(unet, "albedo", branches["albedo"])
    other = prediction(unet, branches=True)
    use_domain(unet, "geometry", branches["geometry"])
    assert same_but_for_rounding(prediction(unet, branches=True), alone)
    assert not torch.allclose(other, alone)
    assert not any(p.requires_grad for p in unet.parameters())


def test_a_domain_without_adapter_is_an_error(parts):
    with pytest.raises(ValueError, match="albedo"):
        use_domain(parts.unet, "albedo", new_branches(parts.unet, 6, TEST_SPEC.text_width))


def test_a_saved_adapter_predicts_the_same(parts, tmp_path):
    add_random(parts.unet, "geometry")
    before = prediction(parts.unet)
    save_lora(parts.unet, "geometry", tmp_path / "lora.safetensors", torch.float32)
    assert all(key.startswith("unet.") for key in load_file(tmp_path / "lora.safetensors"))
    torch.manual_seed(0)
    other = tiny_base(TEST_SPEC, ["a"])
    other.unet.load_state_dict(
        {k.replace(".base_layer", ""): v for k, v in parts.unet.state_dict().items()}, strict=False
    )
    load_lora(other.unet, "geometry", tmp_path / "lora.safetensors")
    assert same_but_for_rounding(prediction(other.unet), before)
    assert not any(p.requires_grad for p in lora_parameters(other.unet, "geometry"))


def test_an_adapter_of_another_unet_is_refused(parts, tmp_path):
    add_random(parts.unet, "geometry")
    path = tmp_path / "lora.safetensors"
    save_lora(parts.unet, "geometry", path)
    wider = BaseSpec(**{**vars(TEST_SPEC), "unet_channels": (16, 32)})
    with pytest.raises(UserError, match="does not fit"):
        load_lora(tiny_base(wider, ["a"]).unet, "geometry", path)
    shallower = BaseSpec(**{**vars(TEST_SPEC), "unet_channels": (8,)})
    with pytest.raises(UserError, match="does not fit"):
        load_lora(tiny_base(shallower, ["a"]).unet, "geometry", path)
