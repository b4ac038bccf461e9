"""The two decoupled cross-attentions: the formula, the switch at zero, the files, and training."""

import pytest
import torch
from diffusers import StableDiffusionPipeline
from rounding import same_but_for_rounding
from safetensors.torch import load_file, save_file

from idto3d.errors import UserError
from idto3d.guidance.networks.base import save_base
from idto3d.guidance.networks.branches import (
    attach,
    cross_attentions,
    detach,
    load_branches,
    new_branches,
    save_branch,
    set_scales,
)
from idto3d.guidance.networks.tiny import TEST_SPEC

ID_DIM, EXP_DIM = 6, TEST_SPEC.text_width


def inputs():
    generator = torch.Generator().manual_seed(2)
    draw = lambda *shape: torch.randn(*shape, generator=generator)  # noqa: E731
    embeds = {"image_embeds": [draw(3, 1, ID_DIM), draw(3, 1, EXP_DIM)]}
    return draw(3, 4, 4, 4), torch.tensor([1, 400, 999]), draw(3, 5, EXP_DIM), embeds


def prediction(unet, with_branches: bool = True) -> torch.Tensor:
    latents, timesteps, text, embeds = inputs()
    with torch.no_grad():
        return unet(latents, timesteps, text, added_cond_kwargs=embeds if with_branches else None).sample


def attended(query, keys, values, heads):
    """softmax(Q K^T / sqrt(d)) V, written out head by head."""
    split = lambda x: x.unflatten(-1, (heads, -1)).transpose(1, 2)  # noqa: E731
    query, keys, values = split(query), split(keys), split(values)
    weights = (query @ keys.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(-1)
    return (weights @ values).transpose(1, 2).flatten(2)


def test_attention_is_text_plus_weighted_identity_plus_weighted_expression(parts, stirred):
    branches = stirred(new_branches(parts.unet, ID_DIM, EXP_DIM))
    attach(parts.unet, branches)
    set_scales(parts.unet, 0.8, 0.3)
    attn = parts.unet.get_submodule(cross_attentions(parts.unet)[0].removesuffix(".processor"))
    _, _, text, embeds = inputs()
    hidden = torch.randn(3, 7, attn.to_q.in_features)
    tokens = branches.projection(embeds["image_embeds"])
    expected = attended(attn.to_q(hidden), attn.to_k(text), attn.to_v(text), attn.heads)
    for index, scale in enumerate((0.8, 0.3)):
        own = tokens[index].flatten(1, 2)
        keys, values = branches.attention[0].to_k_ip[index](own), branches.attention[0].to_v_ip[index](own)
        expected = expected + scale * attended(attn.to_q(hidden), keys, values, attn.heads)
    found = attn(hidden, encoder_hidden_states=(text, tokens))
    assert torch.allclose(found, attn.to_out[0](expected), atol=1e-6)
    assert not torch.allclose(found, attn(hidden, encoder_hidden_states=(text, [t * 2 for t in tokens])))


def test_at_scale_zero_the_base_answers_bit_for_bit(parts, stirred):
    base = prediction(parts.unet, with_branches=False)
    attach(parts.unet, stirred(new_branches(parts.unet, ID_DIM, EXP_DIM)))
    assert not same_but_for_rounding(prediction(parts.unet), base)
    set_scales(parts.unet, 0, 0)
    assert same_but_for_rounding(prediction(parts.unet), base)
    detach(parts.unet)
    assert same_but_for_rounding(prediction(parts.unet, with_branches=False), base)


def test_each_scale_moves_its_own_branch_only(parts, stirred):
    attach(parts.unet, stirred(new_branches(parts.unet, ID_DIM, EXP_DIM)))
    set_scales(parts.unet, 1, 0)
    latents, timesteps, text, embeds = inputs()
    embeds["image_embeds"][1] = embeds["image_embeds"][1] + 1
    with torch.no_grad():
        other = parts.unet(latents, timesteps, text, added_cond_kwargs=embeds).sample
    assert same_but_for_rounding(prediction(parts.unet), other)
    set_scales(parts.unet, 1, 1)
    assert not same_but_for_rounding(prediction(parts.unet), other)


def test_fresh_branches_leave_the_prediction_alone(parts):
    base = prediction(parts.unet, with_branches=False)
    attach(parts.unet, new_branches(parts.unet, ID_DIM, EXP_DIM))
    assert torch.allclose(prediction(parts.unet), base, atol=1e-6)


def test_training_reaches_the_unet_and_every_branch_parameter_in_bf16(parts, stirred):
    branches = stirred(new_branches(parts.unet, ID_DIM, EXP_DIM))
    attach(parts.unet, branches)
    latents, timesteps, text, embeds = inputs()
    with torch.autocast("cpu", torch.bfloat16):
        predicted = parts.unet(latents, timesteps, text, added_cond_kwargs=embeds).sample
    predicted.float().square().mean().backward()
    for name, parameter in [*branches.named_parameters(), ("conv_in", parts.unet.conv_in.weight)]:
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    own = branches.branch_parameters("identity") + branches.branch_parameters("expression")
    assert {id(p) for p in own} == {id(p) for p in branches.parameters()}


def test_saved_branches_predict_the_same(parts, stirred, tmp_path):
    branches = stirred(new_branches(parts.unet, ID_DIM, EXP_DIM, tokens=(4, 2)))
    attach(parts.unet, branches)
    before = prediction(parts.unet)
    for branch in ("identity", "expression"):
        save_branch(branches, branch, tmp_path / f"{branch}.safetensors", torch.float32)
    loaded = load_branches(parts.unet, tmp_path / "identity.safetensors", tmp_path / "expression.safetensors")
    detach(parts.unet)
    attach(parts.unet, loaded)
    assert same_but_for_rounding(prediction(parts.unet), before)


def test_the_stock_loader_reads_our_files(parts, stirred, tmp_path):
    branches = stirred(new_branches(parts.unet, ID_DIM, EXP_DIM))
    save_base(parts, tmp_path, torch.float32)
    files = ["identity.safetensors", "expression.safetensors"]
    for name in files:
        save_branch(branches, name.removesuffix(".safetensors"), tmp_path / name, torch.float32)
    attach(parts.unet, branches)
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path, safety_checker=None, local_files_only=True)
    pipeline.load_ip_adapter([str(tmp_path)] * 2, subfolder=["", ""], weight_name=files, image_encoder_folder=None)
    assert same_but_for_rounding(prediction(pipeline.unet), prediction(parts.unet))


def test_a_branch_of_another_base_is_refused(parts, tmp_path):
    branches = new_branches(parts.unet, ID_DIM, EXP_DIM)
    path = tmp_path / "id.safetensors"
    save_branch(branches, "identity", path)
    state = load_file(path)
    state["ip_adapter.3.to_k_ip.weight"] = torch.zeros(5, 5)
    save_file(state, path)
    with pytest.raises(UserError, match="ip_adapter.3.to_k_ip.weight"):
        load_branches(parts.unet, path, path)


@pytest.mark.parametrize("content", [b"", b"not a tensor file", b"\x80\x02}q\x00."])
def test_damaged_files_are_refused(parts, tmp_path, content):
    path = tmp_path / "id.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="could not be read"):
        load_branches(parts.unet, path, path)


def test_only_safetensors_are_read(parts, tmp_path):
    path = tmp_path / "id.bin"
    torch.save({"image_proj": {}}, path)
    with pytest.raises(UserError, match="not a safetensors file"):
        load_branches(parts.unet, path, path)
    with pytest.raises(UserError, match="missing"):
        load_branches(parts.unet, tmp_path / "none.safetensors", path)
