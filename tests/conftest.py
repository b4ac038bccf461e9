"""A bundle with random weights, small enough for a whole head in seconds, and no way to the real Hub.

huggingface_hub reads its settings when it is imported, so they are made here, before anything else.
"""

import os
import tempfile

from fake_hub import FakeHub

from idto3d.determinism import repeatable

repeatable()  # as the program's own doors do
if "PYTEST_XDIST_WORKER" in os.environ:  # they run side by side: each computes on one core
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
from PIL import Image
from skimage import data

from benchmarks.tiny_bundle import write_tiny_bundle

pytest_plugins = ["guidance_fixtures", "toy_fixtures"]


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk():
    """What is written is whole or absent for who reads it; that it outlives a power cut is not tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _handle: None)
        yield


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
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture
def astronaut(tmp_path):
    """A photo of somebody, from scikit-image."""
    path = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path
