"""A bundle with random weights, small enough for a whole head in seconds: for tests, gates and timings."""

from pathlib import Path

import torch

from idto3d.bundle.info import BundleInfo, EncoderInfo
from idto3d.guidance.loading import save_bundle
from idto3d.guidance.networks.base import with_morphable
from idto3d.guidance.networks.branches import attach, new_branches
from idto3d.guidance.networks.lora import add_lora
from idto3d.guidance.networks.tiny import TEST_SPEC, tiny_base, tiny_morphable
from idto3d.words.captions import caption
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import DOMAINS, template, words

DIMENSION = 128  # of dlib's embeddings


def write_tiny_bundle(folder: Path) -> Path:
    """Write a bundle for dlib's embeddings and 32-pixel images, without a head prior; the same at every call."""
    torch.manual_seed(0)
    texts = [caption("front left side back right", "geometry"), "albedo short green hair", *words("with as")]
    vocabulary = [word for text in (*texts, *(e.descriptor for e in EXPRESSIONS)) for word in words(text)]
    parts = with_morphable(tiny_base(TEST_SPEC, vocabulary), tiny_morphable(TEST_SPEC, DIMENSION))
    branches = {name: new_branches(parts.unet, DIMENSION, TEST_SPEC.text_width) for name in DOMAINS}
    for name in DOMAINS:
        for attention in branches[name].attention:
            for value in attention.to_v_ip:
                torch.nn.init.normal_(value.weight, std=0.2)
        add_lora(parts.unet, name)
    attach(parts.unet, branches["geometry"])
    info = BundleInfo(
        name="tiny",
        licence="CC0",
        image_size=TEST_SPEC.image_size,
        identity_encoder=EncoderInfo("dlib", DIMENSION),
        expressions={expression.name: expression.descriptor for expression in EXPRESSIONS},
        prompts={name: template(name) for name in DOMAINS},
        vocabulary=tuple(dict.fromkeys(vocabulary)),
    )
    save_bundle(folder, info, parts, branches)
    return folder
