"""A really tiny bundle with random weights, built once for all guidance tests."""

import shutil
from pathlib import Path

import pytest
import torch

from idto3d.bundle.info import BundleInfo, EncoderInfo
from idto3d.guidance.loading import Bundle, load_bundle, save_bundle
from idto3d.guidance.networks.base import with_morphable
from idto3d.guidance.networks.branches import Branches, new_branches
from idto3d.guidance.networks.lora import add_lora, lora_parameters
from idto3d.guidance.networks.tiny import TEST_SPEC, tiny_base, tiny_morphable
from idto3d.guidance.prediction import Guidance
from idto3d.words import prompts
from idto3d.words.captions import caption
from idto3d.words.prompts import DOMAINS

ID_DIM = 6
VOCABULARY = sorted(set(prompts.words(" ".join(prompts.VIEWS) + caption("", "geometry") + "albedo jaw open")))


def _stirred(branches: Branches) -> Branches:
    """`branches` with random values in place of the zeros they start with."""
    with torch.no_grad():
        for attention in branches.attention:
            for to_v in attention.to_v_ip:
                to_v.weight.normal_(std=0.5)
    return branches


def _info() -> BundleInfo:
    return BundleInfo(
        name="tiny",
        licence="CC0-1.0",
        image_size=TEST_SPEC.image_size,
        identity_encoder=EncoderInfo("dlib", ID_DIM),
        expressions={"neutral": "a face", "jaw": "jaw open"},
        prompts={domain: prompts.template(domain) for domain in DOMAINS},
        lambda_exp=0.7,
        sampling_from=100,
        training={"scans": 3},
        vocabulary=tuple(VOCABULARY),
    )


@pytest.fixture(scope="session")
def pristine_folder(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    parts = with_morphable(tiny_base(TEST_SPEC, VOCABULARY), tiny_morphable(TEST_SPEC, ID_DIM))
    torch.nn.init.normal_(parts.unet.conv_in.weight, std=0.2)  # so that it listens
    branches = {domain: _stirred(new_branches(parts.unet, ID_DIM, TEST_SPEC.text_width)) for domain in DOMAINS}
    for domain in DOMAINS:
        add_lora(parts.unet, domain, rank_self=2, rank_cross=3)
        for parameter in lora_parameters(parts.unet, domain):
            torch.nn.init.normal_(parameter, std=0.2)
    folder = tmp_path_factory.mktemp("bundle")
    prior = tmp_path_factory.mktemp("prior") / "any.safetensors"
    prior.write_bytes(b"a head prior")
    save_bundle(folder, _info(), parts, branches, prior, torch.float32)
    return folder


@pytest.fixture
def folder(pristine_folder, tmp_path) -> Path:
    """A bundle that a test may damage."""
    return Path(shutil.copytree(pristine_folder, tmp_path / "bundle"))


@pytest.fixture(scope="session")
def bundle(pristine_folder) -> Bundle:
    return load_bundle(pristine_folder, torch.device("cpu"), torch.float32)


@pytest.fixture
def guidance(bundle) -> Guidance:
    return Guidance(bundle)


@pytest.fixture(scope="session")
def stirred():
    """A function that gives fresh branches random values in place of the zeros they start with."""
    return _stirred


@pytest.fixture(scope="session")
def info() -> BundleInfo:
    return _info()


@pytest.fixture
def parts():
    torch.manual_seed(0)
    return tiny_base(TEST_SPEC, VOCABULARY)
