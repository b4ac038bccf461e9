"""A FaceID file on the topology of Stable Diffusion 1.5, against attention written out beside it."""

import pytest
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file

from idto3d.guidance.networks.branches import load_branches, set_scales
from idto3d.guidance.networks.lora import load_faceid_lora, use_domain

WIDTHS, CROSS, EMBEDDING, HIDDEN, TOKENS, RANK = (32, 64, 128, 128), 48, 512, 1024, 4, 4
TIMESTEPS = torch.tensor([10, 980])


def random(*shape):
    return 0.2 * torch.randn(*shape)


@pytest.fixture(scope="module")
def unet():
    """Stable Diffusion 1.5's blocks, layers and heads, on a tenth of its channels."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8, block_out_channels=WIDTHS, cross_attention_dim=CROSS, attention_head_dim=8
    ).requires_grad_(False)


@pytest.fixture(scope="module")
def tensors(unet):
    """What the file holds: places count all attentions, down blocks first, the middle last."""
    torch.manual_seed(1)
    found = {
        "image_proj.proj.0.weight": 0.2 * random(HIDDEN, EMBEDDING),
        "image_proj.proj.0.bias": random(HIDDEN),
        "image_proj.proj.2.weight": 0.2 * random(TOKENS * CROSS, HIDDEN),
        "image_proj.proj.2.bias": random(TOKENS * CROSS),
        "image_proj.norm.weight": random(CROSS),
        "image_proj.norm.bias": random(CROSS),
    }
    for place, name in enumerate(unet.attn_processors):
        attention = unet.get_submodule(name.removesuffix(".processor"))
        layers = {"q": attention.to_q, "k": attention.to_k, "v": attention.to_v, "out": attention.to_out[0]}
        for kind, layer in layers.items():
            high, low = layer.weight.shape
            found[f"ip_adapter.{place}.to_{kind}_lora.down.weight"] = random(RANK, low)
            found[f"ip_adapter.{place}.to_{kind}_lora.up.weight"] = random(high, RANK)
        if place % 2:
            found[f"ip_adapter.{place}.to_k_ip.weight"] = random(*attention.to_k.weight.shape)
            found[f"ip_adapter.{place}.to_v_ip.weight"] = random(*attention.to_v.weight.shape)
    return found


class WrittenOut:
    """One attention with its LoRA and, across to words, with the identity's tokens [B, 4, C] beside them."""

    def __init__(self, place: int, tensors: dict, tokens: torch.Tensor, strength, weight: float):
        self.own = {key.split(".", 2)[2]: value for key, value in tensors.items() if key.split(".")[1] == str(place)}
        self.tokens, self.strength, self.weight = tokens, strength, weight

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None):
        words = hidden_states if encoder_hidden_states is None else encoder_hidden_states

        def linear(layer, kind, given):
            low = F.linear(given, self.own[f"to_{kind}_lora.down.weight"])
            return layer(given) + F.linear(low, self.own[f"to_{kind}_lora.up.weight"]) * self.weight

        def heads(given):
            return given.unflatten(-1, (attn.heads, -1)).transpose(1, 2)

        def attended(query, key, value):
            return F.scaled_dot_product_attention(query, heads(key), heads(value)).transpose(1, 2).flatten(2)

        query = heads(linear(attn.to_q, "q", hidden_states))
        out = attended(query, linear(attn.to_k, "k", words), linear(attn.to_v, "v", words))
        if encoder_hidden_states is not None:
            key, value = (F.linear(self.tokens, self.own[f"to_{kind}_ip.weight"]) for kind in "kv")
            out = out + self.strength * attended(query, key, value)
        return linear(attn.to_out[0], "out", out)


def identity_tokens(tensors, identity):
    """The two-layer network over an embedding [B, 512], as IP-Adapter-FaceID has it."""
    own = {key.removeprefix("image_proj."): value for key, value in tensors.items()}
    hidden = F.gelu(F.linear(identity, own["proj.0.weight"], own["proj.0.bias"]))
    tokens = F.linear(hidden, own["proj.2.weight"], own["proj.2.bias"]).reshape(len(identity), TOKENS, CROSS)
    return F.layer_norm(tokens, (CROSS,), own["norm.weight"], own["norm.bias"])


@pytest.fixture(scope="module")
def asked():
    """Noisy latents, text states and unit identities of two pictures."""
    torch.manual_seed(2)
    return torch.randn(2, 4, 8, 8), torch.randn(2, 7, CROSS), F.normalize(torch.randn(2, EMBEDDING), dim=-1)


def by_hand(unet, tensors, asked, strength, weight):
    noisy, text, identity = asked
    tokens, before = identity_tokens(tensors, identity), dict(unet.attn_processors)
    written = {
        name: WrittenOut(place, tensors, tokens, strength, weight) for place, name in enumerate(unet.attn_processors)
    }
    unet.set_attn_processor(written)
    answer = unet(noisy, TIMESTEPS, text).sample
    unet.set_attn_processor(before)
    return answer


def test_the_topology_is_that_of_stable_diffusion(unet):
    names = list(unet.attn_processors)
    assert (
        len(names) == 32
        and [name.split(".")[0] for name in names] == ["down_blocks"] * 12 + ["up_blocks"] * 18 + ["mid_block"] * 2
    )
    assert all(("attn2" in name) == bool(place % 2) for place, name in enumerate(names))


def test_it_answers_as_attention_written_out(unet, tensors, asked, tmp_path):
    noisy, text, identity = asked
    plain = unet(noisy, TIMESTEPS, text).sample
    settings = [(1.0, 1.0), (0.5, 0.25), (0.7, 0.0)]
    expected = [by_hand(unet, tensors, asked, *setting) for setting in settings]
    fading = torch.tensor([1.0, 0.25])[:, None, None]
    faded = by_hand(unet, tensors, asked, 0.8 * fading, 1.0)

    save_file(tensors, tmp_path / "faceid.safetensors")
    load_faceid_lora(unet, "faceid", tmp_path / "faceid.safetensors")
    branches = load_branches(unet, tmp_path / "faceid.safetensors", None).requires_grad_(False)

    def answer(strength, weight, masks=None):
        use_domain(unet, "faceid", branches, weight)
        set_scales(unet, strength, 0.0)
        given = None if masks is None else {"ip_adapter_masks": [masks]}
        embeds = {"image_embeds": [identity[:, None]]}
        return unet(noisy, TIMESTEPS, text, added_cond_kwargs=embeds, cross_attention_kwargs=given).sample

    for setting, wanted in zip(settings, expected, strict=True):
        assert (answer(*setting) - wanted).abs().max() == 0 and not torch.allclose(wanted, plain, atol=1e-3)
    assert torch.equal(answer(0.0, 0.0), plain)
    assert torch.allclose(answer(0.8, 1.0, fading[..., None]), faded, atol=1e-6)
    assert torch.equal(answer(1.0, 1.0), expected[0])
