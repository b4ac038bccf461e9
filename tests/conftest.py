"""A bundle with random weights, small enough for a whole head in seconds, and no way to the real Hub.

huggingface_hub reads its settings when it is imported, so they are made here, before anything else.
"""

import os
import tempfile

from fake_hub import FakeHub

from idto3d.determinism import repeatable

repeatable()  # as the program's own doors do
if "PYTEST_XDIST_WORKER" in os.environ:  # a core for each of the processes that run tests side by side
    os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

HUB = FakeHub()
HOME = tempfile.TemporaryDirectory(prefix="idto3d-hub-")
os.environ |= {
    "HF_ENDPOINT": HUB.url,
    "HF_HOME": HOME.name,
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "NO_PROXY": "127.0.0.1,localhost",
}
os.environ.pop("HF_HUB_OFFLINE", None)
os.environ.pop("HF_TOKEN", None)

# ruff: noqa: E402
import pytest
import torch
from PIL import Image
from skimage import data
from tiny_morphable import tiny_morphable

from idto3d.bundle.info import BundleInfo, EncoderInfo
from idto3d.guidance.loading import save_bundle
from idto3d.guidance.networks.base import with_morphable
from idto3d.guidance.networks.branches import attach, new_branches
from idto3d.guidance.networks.lora import add_lora
from idto3d.guidance.networks.tiny import TEST_SPEC, tiny_base
from idto3d.words.captions import caption
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import DOMAINS, template, words

pytest_plugins = ["guidance_fixtures"]


@pytest.fixture
def hub():
    """The stand-in of the Hub, empty, with no request noted."""
    HUB.repos.clear()
    HUB.requests.clear()
    HUB.forbidden = False
    return HUB


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    """Folder of a bundle for dlib's embeddings and 32-pixel images, without a head prior."""
    torch.manual_seed(0)
    texts = [caption("front left side back right", "geometry"), "albedo short green hair", *words("with as")]
    vocabulary = [word for text in (*texts, *(e.descriptor for e in EXPRESSIONS)) for word in words(text)]
    parts = with_morphable(tiny_base(TEST_SPEC, vocabulary), tiny_morphable(TEST_SPEC, 128))
    branches = {name: new_branches(parts.unet, 128, TEST_SPEC.text_width) for name in DOMAINS}
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
        identity_encoder=EncoderInfo("dlib", 128),
        expressions={expression.name: expression.descriptor for expression in EXPRESSIONS},
        prompts={name: template(name) for name in DOMAINS},
        vocabulary=tuple(dict.fromkeys(vocabulary)),
    )
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    save_bundle(folder, info, parts, branches)
    return folder


@pytest.fixture
def astronaut(tmp_path):
    """A photo of somebody, from scikit-image."""
    path = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path
