"""Published weights: tiny twins of a Stable Diffusion folder, a fine-tuned UNet and a FaceID file, by the real code."""

import json
import re
from dataclasses import replace

import pytest
import torch
import twins
from huggingface_hub import constants

from idto3d.bundle import find as weights_module
from idto3d.bundle.find import fetch_weights, find_bundle
from idto3d.bundle.info import read_info
from idto3d.bundle.needed import needed
from idto3d.config import COMMUNITY, EMBEDDED
from idto3d.errors import UserError
from idto3d.events import Notice
from idto3d.guidance.distillation import Distillation, Term, distil
from idto3d.guidance.loading import load_bundle, load_refinement, load_weights
from idto3d.guidance.networks.branches import set_scales
from idto3d.guidance.prediction import Guidance

CPU = torch.device("cpu")
TIMESTEPS = torch.tensor([40, 900])


def told(generator):
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return events, end.value


def fetched(name, refine=True):
    """What is said, and the fetched weights."""
    first, found = told(find_bundle(name))
    second, weights = told(fetch_weights(found, refine))
    return [event.text for event in first + second if isinstance(event, Notice)], weights


@pytest.fixture
def community(hub, tmp_path, monkeypatch):
    """The twin of `community` in its place."""
    folder = tmp_path / "community"
    folder.mkdir()
    (folder / "bundle.json").write_text(json.dumps(twins.community(hub, "twin")))
    monkeypatch.setitem(weights_module.NAMED, "community", folder)
    return folder


def asked(guidance):
    prompts = ["a front", "a back"]
    identity = torch.nn.functional.normalize(torch.linspace(-1, 1, twins.DIMENSION), dim=0)
    return guidance.conditions(prompts, "blurry", identity, ["smile", "frown"])


def test_the_real_one_names_commits_and_non_commercial_licences():
    info = read_info(COMMUNITY)
    assert (info.identity_encoder.name, info.identity_encoder.dimension, info.lambda_exp) == ("insightface", 512, 0)
    assert info.sources["sd15"].variant == "fp16" and info.sources["photo"].variant is None
    assert any("non-commercial" in licence for licence in info.licences())
    assert needed(info, refine=False, beside=False) == ["sd15", "normal", "faceid"]
    assert needed(info, beside=False) == ["sd15", "normal", "faceid", "photo"]
    assert needed(info) == ["sd15", "normal", "depth", "faceid", "photo"]


def test_the_real_one_asks_as_its_models_were_trained():
    info = read_info(COMMUNITY)
    shape, colour, (depth,) = info.asking["geometry"], info.asking["albedo"], info.beside
    for one, prompt in ((shape, info.prompts["geometry"]), (depth.asking, depth.prompt)):
        assert (one.guidance_scale, one.background) == (50.0, "black")
        assert one.views == ("front", "left side", "back", "right side")
        picture = "depth map" if one is depth.asking else "normal map"
        assert prompt.endswith(f"black background, {picture}, only head, {{view}} view")
    assert (colour.guidance_scale, colour.background, info.refinement.guidance_scale) == (7.5, "white", 7.5)
    assert colour.negative_prompt and info.refinement.asking.negative_prompt
    assert (depth.picture, depth.weight, depth.domain) == ("depth", 1.0, "geometry")
    assert (info.stages.shape_image_size, info.stages.material_image_size) == (512, 512)
    assert (info.timesteps.shape_early, info.timesteps.shape_late) == ((20, 800), (20, 110))
    assert (depth.timesteps.shape_early, depth.timesteps.shape_late) == ((20, 800), (20, 210))
    assert all(one.identity_fades_deg[1] <= 120 for one in (shape, colour, info.refinement.asking))


def test_it_is_fetched_source_by_source_and_then_loads_without_a_request(community, hub):
    texts, weights = fetched("community")
    total, *each = texts
    assert len(each) == 5 and all("licence: " in text and "Fetching" in text for text in each)
    assert re.fullmatch(r"Fetching \d+\.\d MB in all, from 5 repositories\.", total)
    assert not [request for request in hub.requests if "safety_checker" in request or request.endswith("README.md")]
    hub.requests.clear()
    texts, weights = fetched("community")
    assert texts == [] and load_weights(weights, CPU).info.name == "community"
    assert hub.requests == []


def test_it_answers_as_diffusers_own_pipeline_and_adapter_loader(community, tmp_path):
    _, weights = fetched("community")
    guidance = Guidance(load_weights(weights, CPU, torch.float32))
    wanted, noisy = asked(guidance), torch.randn(guidance.latent_shape(2), generator=torch.Generator().manual_seed(0))
    found, without = guidance.predict("albedo", noisy, TIMESTEPS, wanted)

    stock = twins.stock_pipeline(weights.place("sd15"), "fp16", tmp_path / "stock")
    stock.load_ip_adapter(
        str(weights.file("faceid").parent), subfolder="", weight_name=weights.file("faceid").name,
        image_encoder_folder=None,
    )  # fmt: skip
    for parameter in stock.unet.parameters():
        parameter.data = parameter.data.float()  # its loader leaves the LoRA in the file's precision
    assert list(stock.unet.peft_config) == ["faceid_0"]  # the LoRA that the file brings along
    text = stock.encode_prompt(["a front", "a back"], CPU, 1, True, ["blurry"] * 2)
    for expected, states, identity in ((found, text[0], wanted.identity), (without, text[1], 0 * wanted.identity)):
        with torch.no_grad():
            embeds = {"image_embeds": [identity[:, None]]}
            answer = stock.unet(noisy, TIMESTEPS, states, added_cond_kwargs=embeds).sample
        assert torch.allclose(answer, expected, atol=1e-5)


def test_geometry_has_the_fine_tuned_unet_and_albedo_the_bases(community):
    bundle = load_bundle("community", CPU, torch.float32)
    assert bundle.unets["albedo"] is bundle.parts.unet and bundle.unets["geometry"] is not bundle.parts.unet
    guidance = Guidance(bundle)
    noisy = torch.randn(guidance.latent_shape(2))
    answers = {domain: guidance.predict(domain, noisy, TIMESTEPS, asked(guidance))[0] for domain in bundle.unets}
    assert not torch.allclose(answers["geometry"], answers["albedo"], atol=1e-3)
    again, _ = guidance.predict("geometry", noisy, TIMESTEPS, asked(guidance))
    assert torch.equal(again, answers["geometry"])
    assert not any(p.requires_grad for unet in bundle.unets.values() for p in unet.parameters())


def test_identity_enters_and_expressions_are_words(community):
    bundle = load_bundle("community", CPU, torch.float32)
    guidance = Guidance(bundle)
    assert bundle.branches["albedo"].names() == ("identity",)
    noisy, wanted = torch.randn(guidance.latent_shape(2)), asked(guidance)
    before, _ = guidance.predict("albedo", noisy, TIMESTEPS, wanted)
    after, _ = guidance.predict("albedo", noisy, TIMESTEPS, asked_of(wanted, -wanted.identity))
    assert not torch.allclose(before, after, atol=1e-3)
    assert "jaw dropped" in bundle.info.prompt("geometry", "front", "person", "jaw dropped")
    with pytest.raises(UserError, match="no expression branch"):
        Guidance(bundle, lambda_exp=0.5)
    set_scales(bundle.unets["albedo"], 1.0, 1.0)  # an absent branch has no scale to set


def asked_of(wanted, identity):
    return replace(wanted, identity=identity)


def test_the_refinement_is_a_model_of_its_own_with_its_own_words(community):
    _, weights = fetched("community")
    main, second = Guidance(load_weights(weights, CPU)), Guidance(load_refinement(weights, CPU))
    assert second.info.prompts.keys() == {"albedo"} and "photo" in second.info.prompts["albedo"]
    assert second.info.guidance_scale == 7.5 and second.bundle.parts.vae is not main.bundle.parts.vae
    images = torch.rand(2, 3, 32, 32, requires_grad=True)
    terms = [Term(main, 1.0, asked(main)), Term(second, 0.5, asked(second))]
    distil(terms, "albedo", images, TIMESTEPS, torch.Generator().manual_seed(0), Distillation("sds")).backward()
    assert torch.isfinite(images.grad).all() and images.grad.abs().sum() > 0


def test_a_refinement_without_an_adapter_is_asked_by_words_alone(community):
    data = json.loads((community / "bundle.json").read_text())
    data["refinement"]["adapter"] = ""
    (community / "bundle.json").write_text(json.dumps(data))
    second = Guidance(load_refinement(fetched("community")[1], CPU))
    noisy, wanted = torch.randn(second.latent_shape(2)), asked(second)
    before, _ = second.predict("albedo", noisy, TIMESTEPS, wanted)
    assert torch.equal(before, second.predict("albedo", noisy, TIMESTEPS, asked_of(wanted, -wanted.identity))[0])


def test_an_adapter_for_other_embeddings_is_refused(community):
    data = json.loads((community / "bundle.json").read_text())
    data["identity_encoder"]["dimension"] = 512
    (community / "bundle.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match="128 numbers where 512"):
        load_bundle("community", CPU)


def published(hub, pristine_folder, name):
    files = {str(p.relative_to(pristine_folder)): p.read_bytes() for p in pristine_folder.rglob("*") if p.is_file()}
    return hub.add(name, files | {"notes.json": b"{}", "optimizer.safetensors": b"x"})


def test_a_bundle_of_the_hub_is_the_bundle_that_was_uploaded(hub, pristine_folder, bundle):
    repo = published(hub, pristine_folder, "org/bundle")
    texts, weights = fetched(f"org/bundle@{repo.commit}")
    assert len(texts) == 1 and "licence: CC0-1.0" in texts[0]
    assert weights.title == f"tiny (org/bundle@{repo.commit})"
    assert not [request for request in hub.requests if "notes.json" in request or "optimizer" in request]
    hub.requests.clear()
    loaded = Guidance(load_bundle(f"org/bundle@{repo.commit}", CPU, torch.float32))
    assert hub.requests == []
    noisy = torch.randn(loaded.latent_shape(1))
    answers = []
    for guidance in (loaded, Guidance(bundle)):
        wanted = guidance.conditions(["a face"], "", torch.ones(6), ["jaw open"])
        answers.append(guidance.predict("geometry", noisy, TIMESTEPS[:1], wanted)[0])
    assert torch.equal(*answers)


def test_without_a_commit_the_newest_is_used_and_named_and_offline_the_one_that_is_here(
    hub, pristine_folder, monkeypatch
):
    repo = published(hub, pristine_folder, "org/moving")
    texts, weights = fetched("org/moving")
    assert f"write org/moving@{repo.commit} to stay" in texts[0]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    texts, again = fetched("org/moving")
    assert again.folder == weights.folder and f"the commit {repo.commit} of org/moving that is on" in texts[0]
    with pytest.raises(UserError, match="HF_HUB_OFFLINE forbids"):
        fetched("org/never-seen")


def test_a_repository_that_is_no_bundle_is_refused(hub):
    hub.add("org/nothing", {"README.md": b"hello"})
    with pytest.raises(UserError, match="has no file bundle.json"):
        fetched("org/nothing")
    with pytest.raises(UserError, match="no repository org/absent"):
        fetched("org/absent")


def test_of_a_bundle_on_the_hub_what_reads_photos_comes_before_anything_large(hub, pristine_folder, tmp_path):
    data = json.loads((pristine_folder / "bundle.json").read_text())
    data["identity_encoder"]["name"] = "portrait"
    files = {
        "bundle.json": json.dumps(data).encode(),
        "identity.safetensors": b"net",
        "landmarks.safetensors": b"points",
        "base/unet.safetensors": b"x" * 99,
    }
    hub.add("org/portrait", files)
    _, found = told(find_bundle("org/portrait"))
    assert found.identity_path().read_bytes() == b"net" and found.landmarks_path().read_bytes() == b"points"
    assert found.matte_path() == EMBEDDED / "matte.safetensors"  # this bundle has none of its own
    taken = [request for request in hub.requests if request.startswith("GET") and "/resolve/" in request]
    assert not any("unet" in request for request in taken)
    assert {"identity.safetensors", "landmarks.safetensors"} < set(found.origin.files)


@pytest.mark.parametrize("name", ["identity.safetensors", "bundle.json"])
def test_what_is_read_before_the_rest_is_checked_before_it_is_read(hub, pristine_folder, name):
    data = json.loads((pristine_folder / "bundle.json").read_text())
    data["identity_encoder"]["name"] = "portrait"
    files = {"bundle.json": json.dumps(data).encode(), "identity.safetensors": name.encode()}
    hub.add(f"org/altered-{name[:6]}", files).altered.add(name)
    with pytest.raises(UserError, match=f"{name} of .* is not the file that was published"):
        told(find_bundle(f"org/altered-{name[:6]}"))
