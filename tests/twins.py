"""Tiny twins of published weights, in the layouts and with the oddities of the real files, as bytes."""

import io
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save
from tokenizers.pre_tokenizers import ByteLevel

from idto3d.guidance.networks.base import MODEL_INDEX, BaseParts
from idto3d.guidance.networks.tiny import TEST_SPEC, tiny_base

DIMENSION = 128
TOKENS = 4


@cache
def sd15(seed: int, variant: str = "fp16") -> dict[str, bytes]:
    """A StableDiffusionPipeline folder as it is published: split tokenizer, old names in text encoder and VAE, PNDM.

    Beside the weights of `variant` there are a safety checker and pickles, which nobody should fetch.
    """
    torch.manual_seed(seed)
    parts = tiny_base(TEST_SPEC, ["a"])
    vocabulary = _vocabulary()
    dot = f".{variant}" if variant else ""
    text = parts.text_encoder.config
    text.vocab_size, text.bos_token_id, text.eos_token_id, text.pad_token_id = len(vocabulary), 512, 513, 513
    encoder = type(parts.text_encoder)(text)
    unet = plain_unet(parts)
    states = {
        f"text_encoder/model{dot}.safetensors": {
            **{f"text_model.{key}": value for key, value in encoder.state_dict().items()},
            "text_model.embeddings.position_ids": torch.arange(TEST_SPEC.max_words)[None],
        },
        f"unet/diffusion_pytorch_model{dot}.safetensors": unet.state_dict(),
        f"vae/diffusion_pytorch_model{dot}.safetensors": {
            _old_name(key): value for key, value in parts.vae.state_dict().items()
        },
    }
    files = {name: save({key: _half(value) for key, value in state.items()}) for name, state in states.items()}
    files |= {f"{kind}/config.json": _config(part) for kind, part in _configured(encoder, unet, parts)}
    return files | {
        "tokenizer/vocab.json": json.dumps(vocabulary).encode(),
        "tokenizer/merges.txt": b"#version: 0.2\n",
        "tokenizer/special_tokens_map.json": json.dumps(_special({})).encode(),
        "tokenizer/tokenizer_config.json": json.dumps(
            {
                **_special({"__type": "AddedToken"}),
                "add_prefix_space": False,
                "do_lower_case": True,
                "errors": "replace",
                "model_max_length": TEST_SPEC.max_words,
                "name_or_path": "openai/clip-vit-large-patch14",
                "special_tokens_map_file": "./special_tokens_map.json",
                "tokenizer_class": "CLIPTokenizer",
            }
        ).encode(),
        "scheduler/scheduler_config.json": json.dumps(_PNDM).encode(),
        "safety_checker/model.safetensors": b"never fetched",
        "unet/diffusion_pytorch_model.bin": b"never fetched",
        "README.md": b"a card",
    }


_START, _END = "<|startoftext|>", "<|endoftext|>"
_OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}  # of a VAE's attention


def _old_name(key: str) -> str:
    """What a tensor of a VAE was called when Stable Diffusion 1.5 was published."""
    return next((key.replace(f".{now}.", f".{old}.") for now, old in _OLD.items() if f".{now}." in key), key)


def _special(kind: dict) -> dict:
    """The special tokens, with what is said of each beside them; the pad alone is a plain word."""
    plain = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
    named = {"bos_token": _START, "eos_token": _END, "unk_token": _END}
    return {name: {**kind, "content": word, **plain} for name, word in named.items()} | {"pad_token": _END}


_PNDM = {
    "_class_name": "PNDMScheduler",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "clip_sample": False,
}


def _vocabulary() -> dict[str, int]:
    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(f"{letter}</w>" for letter in letters), _START, _END]
    return {word: number for number, word in enumerate(words)}


def plain_unet(parts: BaseParts) -> UNet2DConditionModel:
    """The tiny base's UNet as Stable Diffusion has it: words enter by attention alone."""
    return UNet2DConditionModel.from_config({**parts.unet.config, "addition_embed_type": None})


def _configured(encoder, unet, parts) -> tuple:
    return (("text_encoder", encoder), ("unet", unet), ("vae", parts.vae))


def _config(part) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        (part.config.save_pretrained if hasattr(part.config, "save_pretrained") else part.save_config)(scratch)
        return (Path(scratch) / "config.json").read_bytes()


def _half(value: torch.Tensor) -> torch.Tensor:
    return value.half().contiguous() if value.is_floating_point() else value.contiguous()


def pickled(state: dict) -> bytes:
    """`state` as torch pickles it."""
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


@cache
def unet_alone(seed: int) -> dict[str, bytes]:
    """A published fine-tune of the UNet, its weights pickled in full precision."""
    torch.manual_seed(seed)
    unet = plain_unet(tiny_base(TEST_SPEC, ["a"]))
    return {
        "unet/config.json": _config(unet),
        "unet/diffusion_pytorch_model.bin": pickled(unet.state_dict()),
        "model_index.json": b"{}",
    }


@cache
def faceid(seed: int, rank: int = 3) -> dict[str, bytes]:
    """The layout of ip-adapter-faceid_sd15.bin: a dict of two dicts, identity branch and LoRA, half precision."""
    torch.manual_seed(seed)
    unet = plain_unet(tiny_base(TEST_SPEC, ["a"]))
    width = TEST_SPEC.text_width
    draw = lambda *shape: (0.2 * torch.randn(*shape)).half()  # noqa: E731
    projection = {
        "proj.0.weight": draw(2 * DIMENSION, DIMENSION),
        "proj.0.bias": draw(2 * DIMENSION),
        "proj.2.weight": draw(TOKENS * width, 2 * DIMENSION),
        "proj.2.bias": draw(TOKENS * width),
        "norm.weight": draw(width),
        "norm.bias": draw(width),
    }
    adapter = {}
    for place, name in enumerate(unet.attn_processors):
        attention = unet.get_submodule(name.removesuffix(".processor"))
        if "attn2" in name:
            adapter[f"{place}.to_k_ip.weight"] = draw(*attention.to_k.weight.shape)
            adapter[f"{place}.to_v_ip.weight"] = draw(*attention.to_v.weight.shape)
        layers = {"q": attention.to_q, "k": attention.to_k, "v": attention.to_v, "out": attention.to_out[0]}
        for kind, layer in layers.items():
            high, low = layer.weight.shape
            adapter[f"{place}.to_{kind}_lora.down.weight"] = draw(rank, low)
            adapter[f"{place}.to_{kind}_lora.up.weight"] = draw(high, rank)
    return {"ip-adapter-faceid_sd15.bin": pickled({"image_proj": projection, "ip_adapter": adapter})}


def community(hub, prefix: str) -> dict:
    """bundle.json of a twin of `community` whose sources are repositories PREFIX/... of the stand-in `hub`."""
    files = {
        "sd15": sd15(1),
        "normal": unet_alone(2),
        "depth": unet_alone(5),
        "faceid": faceid(3),
        "photo": sd15(4, ""),
    }
    real = json.loads((Path(__file__).parent.parent / "weights/community/bundle.json").read_text())
    for name, content in files.items():
        repo = hub.add(f"{prefix}/{name}", content)
        entry = real["sources"][name]
        entry |= {"repo": f"{prefix}/{name}", "revision": repo.commit, "files": dict.fromkeys(entry["files"], "")}
    encoder = {"name": "dlib", "dimension": DIMENSION}
    return real | {"identity_encoder": encoder, "image_size": TEST_SPEC.image_size}


def stock_pipeline(folder: Path, variant: str | None, scratch: Path) -> StableDiffusionPipeline:
    """What diffusers itself makes of such a folder, copied to `scratch` with the index that we do not fetch."""
    shutil.copytree(folder, scratch)
    index = json.dumps(MODEL_INDEX | {"tokenizer": ["transformers", "CLIPTokenizer"]})
    (scratch / "model_index.json").write_text(index)
    return StableDiffusionPipeline.from_pretrained(
        scratch, variant=variant, dtype=torch.float32, safety_checker=None, local_files_only=True
    )
