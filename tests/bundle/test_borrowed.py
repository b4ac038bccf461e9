"""Networks that a bundle borrows: the published ones bit for bit, once in memory, under their old names too."""

import json
from dataclasses import replace

import pytest
import torch
import twins
from safetensors import safe_open

from idto3d.bundle.asking import Asking, Beside
from idto3d.bundle.find import fetch_weights, find_bundle
from idto3d.bundle.sources import DomainSource
from idto3d.events import exhausted
from idto3d.guidance.loading import load_beside, load_refinement, load_weights
from idto3d.guidance.networks.layout import channels_last
from idto3d.guidance.networks.reading import load_unet
from idto3d.guidance.prediction import Guidance

CPU = torch.device("cpu")
TIMESTEPS = torch.tensor([40, 900])


@pytest.fixture
def weights(hub, tmp_path):
    """The twin of `community`, all of it here."""
    (tmp_path / "bundle.json").write_text(json.dumps(twins.community(hub, "borrowed")))
    return exhausted(fetch_weights(exhausted(find_bundle(tmp_path))))


def asked(guidance):
    identity = torch.nn.functional.normalize(torch.linspace(-1, 1, twins.DIMENSION), dim=0)
    return guidance.conditions(["a front", "a back"], "blurry", identity, ["smile", "frown"])


def with_info(weights, **changed):
    return replace(weights, info=replace(weights.info, **changed))


def answer(guidance, domain="geometry"):
    noisy = torch.randn(guidance.latent_shape(2), generator=torch.Generator().manual_seed(0))
    return guidance.predict(domain, noisy, TIMESTEPS, asked(guidance))


def plain_answer(guidance, unet):
    """What a UNet says of its own, without LoRA and identity."""
    noisy = torch.randn(guidance.latent_shape(2), generator=torch.Generator().manual_seed(0))
    text, _ = asked(guidance).both()
    with torch.no_grad():
        return unet(torch.cat([noisy, noisy]), TIMESTEPS.repeat(2), text).sample.chunk(2)


def test_without_identity_each_domain_is_the_published_model_bit_for_bit(weights):
    main = load_weights(weights, CPU, torch.float32)
    by_bundle = with_info(weights, asking={name: Asking(lambda_id=0.0) for name in ("geometry", "albedo")})
    for guidance in (Guidance(main, 0.0), Guidance(load_weights(by_bundle, CPU, torch.float32))):
        for domain, source in (("geometry", "normal"), ("albedo", "sd15")):
            unet = load_unet(weights.place(source), torch.float32, weights.variant(source))
            for found, wanted in zip(answer(guidance, domain), plain_answer(guidance, unet), strict=True):
                assert torch.equal(found, wanted)
    assert not torch.equal(answer(Guidance(main))[0], answer(Guidance(main, 0.0))[0])


def test_identity_without_its_lora_is_another_thing_than_both_and_than_neither(weights):
    main = load_weights(weights, CPU, torch.float32)
    bare = Guidance(replace(main, info=replace(main.info, asking={"geometry": Asking(lora=0.0, lambda_id=1.0)})))
    both, neither = Guidance(replace(main, info=replace(main.info, asking={}))), Guidance(main, 0.0)
    answers = [answer(guidance)[0] for guidance in (bare, both, neither)]
    assert not any(torch.allclose(answers[i], answers[j], atol=1e-3) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_what_several_guidances_ask_is_in_memory_once_and_each_answers_as_if_alone(weights):
    same, second = DomainSource("", "faceid"), replace(weights.info.refinement, base="sd15", asking=Asking())
    depth = Beside("geometry", "depth", "normal", "", "a {view} depth map of {subject}")
    bare = Beside("geometry", "normal", "sd15", "", "a {view} map of {subject}", 0.5, Asking(background="black"))
    domains = {"geometry": same, "albedo": same}
    weights = with_info(weights, domains=domains, refinement=second, beside=(depth, bare), asking={})
    main = load_weights(weights, CPU, torch.float32)
    refinement, beside = load_refinement(weights, CPU, main=main), load_beside(weights, main)
    assert main.unets["geometry"] is main.unets["albedo"] is refinement.parts.unet is beside[1][1].unets["geometry"]
    assert main.adapters["geometry"] is main.adapters["albedo"] is refinement.adapters["albedo"]
    assert len(main.parts.unet.peft_config) == 1
    assert [one for one, _ in beside] == [depth, bare] and all(found.parts is main.parts for _, found in beside)
    guides = [Guidance(main), *(Guidance(found) for _, found in beside)]
    for _ in range(2):
        whole, of_depth, of_bare = (answer(guidance) for guidance in guides)
        normal = load_unet(weights.place("normal"), torch.float32)
        base = load_unet(weights.place("sd15"), torch.float32, "fp16")
        assert torch.equal(of_depth[0], plain_answer(guides[1], normal)[0])
        assert torch.equal(of_bare[0], plain_answer(guides[2], base)[0])
        assert torch.equal(whole[0], answer(Guidance(main), "albedo")[0]) and not torch.equal(whole[0], of_bare[0])
        assert torch.equal(whole[0], answer(Guidance(refinement), "albedo")[0])
    assert guides[1].info.prompt("geometry", "front", "an elf") == "a front depth map of an elf"
    assert (guides[2].background("geometry"), guides[0].background("geometry")) == (0.0, 1.0)


def test_old_names_and_spelt_out_tokens_are_read_as_diffusers_reads_them(weights, tmp_path):
    parts = load_weights(weights, CPU, torch.float32).parts
    place = weights.place("sd15")
    with safe_open(place / "vae/diffusion_pytorch_model.fp16.safetensors", "pt") as file:
        assert any(name.endswith("attentions.0.proj_attn.weight") for name in file.keys())  # noqa: SIM118
    assert json.loads((place / "tokenizer/tokenizer_config.json").read_text())["bos_token"]["__type"] == "AddedToken"
    stock = twins.stock_pipeline(place, "fp16", tmp_path / "stock")
    images = torch.rand(1, 3, 32, 32) * 2 - 1
    theirs = channels_last(stock.vae).encode(images).latent_dist.mean
    assert torch.equal(parts.vae.encode(images).latent_dist.mean, theirs)
    texts = ["A front view, of a Face!", "", "elf " * 30]
    ours, theirs = (
        tokenizer(texts, padding="max_length", truncation=True).input_ids
        for tokenizer in (parts.tokenizer, stock.tokenizer)
    )
    assert ours == theirs
