"""The small base: words in, latents of an eighth, and files that diffusers itself reads."""

import torch
from diffusers import StableDiffusionPipeline
from rounding import same_but_for_rounding

from idto3d.guidance.networks.base import load_base, save_base
from idto3d.guidance.networks.branches import attach, new_branches
from idto3d.guidance.networks.lora import add_lora, lora_parameters
from idto3d.guidance.networks.tiny import EMBEDDED_SPEC, TEST_SPEC, tiny_base, word_tokenizer


def plain_prediction(unet) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(2, 4, 4, 4, generator=generator)
    text = torch.randn(2, 5, TEST_SPEC.text_width, generator=generator)
    with torch.no_grad():
        return unet(latents, torch.tensor([10, 500]), text).sample


def test_a_prompt_becomes_one_token_per_word_and_unknown_words_are_marked():
    tokenizer = word_tokenizer(["normal", "map", "Face"], 8)
    ids = tokenizer("NORMAL-map, of 2 faces: face!", padding="max_length", truncation=True).input_ids
    unknown, pad = tokenizer.unk_token_id, tokenizer.pad_token_id
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    assert ids == [start, *tokenizer.convert_tokens_to_ids(["normal", "map"]), unknown, unknown, 6, end, pad]
    assert tokenizer.convert_ids_to_tokens(6) == "face"


def test_a_long_prompt_is_cut_but_still_ends():
    ids = word_tokenizer(["a"], 6)("a " * 50, padding="max_length", truncation=True).input_ids
    assert len(ids) == 6 and ids[-1] == 3


def test_the_pooled_text_differs_with_the_last_word(parts):
    ids = parts.tokenizer(["jaw open", "jaw"], padding="max_length", return_tensors="pt").input_ids
    pooled = parts.text_encoder(ids).pooler_output
    assert not torch.allclose(pooled[0], pooled[1])


def test_images_shrink_by_eight(parts):
    latents = parts.vae.encode(torch.zeros(1, 3, 32, 32)).latent_dist.mean
    assert latents.shape == (1, 4, 4, 4)
    assert TEST_SPEC.latent_size == 4 and EMBEDDED_SPEC.latent_size == 16


def test_the_embedded_base_fits_into_its_file_budget():
    with torch.device("meta"):
        parts = tiny_base(EMBEDDED_SPEC, ["a"])
    count = {
        name: sum(p.numel() for p in getattr(parts, name).parameters()) for name in ("unet", "vae", "text_encoder")
    }
    assert 15e6 < count["unet"] < 20e6
    assert count["vae"] < 4e6
    assert 2 * sum(count.values()) < 50e6


def test_a_saved_base_predicts_the_same_whatever_was_attached(parts, tmp_path):
    before = plain_prediction(parts.unet)
    add_lora(parts.unet, "geometry")
    for parameter in lora_parameters(parts.unet, "geometry"):
        torch.nn.init.normal_(parameter)
    attach(parts.unet, new_branches(parts.unet, 6, TEST_SPEC.text_width))
    save_base(parts, tmp_path, torch.float32)
    assert same_but_for_rounding(plain_prediction(load_base(tmp_path).unet), before)


def test_half_precision_is_written_and_full_precision_read(parts, tmp_path):
    save_base(parts, tmp_path)
    loaded = load_base(tmp_path, torch.bfloat16)
    assert (tmp_path / "unet/diffusion_pytorch_model.safetensors").stat().st_size < 2.5 * sum(
        p.numel() for p in parts.unet.parameters()
    )
    assert parts.unet.dtype == torch.float32
    assert {p.dtype for p in loaded.unet.parameters()} == {torch.bfloat16}
    assert {p.dtype for p in loaded.text_encoder.parameters()} == {torch.float32}
    assert not any(p.requires_grad for p in loaded.unet.parameters())


def test_diffusers_reads_the_folder_as_a_pipeline(parts, tmp_path):
    save_base(parts, tmp_path, torch.float32)
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path, safety_checker=None, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("a face", num_inference_steps=2, guidance_scale=2.0, height=32, width=32, output_type="np")
    assert picture.images.shape == (1, 32, 32, 3)
    assert same_but_for_rounding(plain_prediction(pipeline.unet), plain_prediction(parts.unet))


def test_further_words_leave_the_old_ones_as_they_were():
    def said(vocabulary: list[str], seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        parts = tiny_base(TEST_SPEC, vocabulary)
        ids = parts.tokenizer(["jaw open"], padding="max_length", return_tensors="pt").input_ids
        return parts.text_encoder(ids).last_hidden_state

    assert same_but_for_rounding(said(["jaw", "open"], 0), said(["tiara", "open", "jaw"], 1))
    assert not torch.allclose(said(["jaw", "open"], 0), said(["jaw"], 0), atol=0.1)
