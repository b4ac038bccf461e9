"""In which order tests run, and no way to the real Hub. What they share is in shared_fixtures.py.

huggingface_hub reads its settings when it is imported, so they are made here, before anything else.
"""

import gc
import os
import tempfile
from pathlib import Path

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

HERE = Path(__file__).parent
LONGEST = (
    *("ui/test_choices.py", "training/test_many_processes.py", "stages/test_saved.py", "gates/test_clients.py"),
    *("test_presets.py", "ui/test_browser.py", "stages/test_texture_stage.py", "gates/test_flood.py"),
    *("training/test_train_command.py", "test_edit_head.py", "test_pipeline.py", "gates/test_batch.py"),
    *("test_two_devices.py", "gates/test_soak.py", "gates/test_abuse.py", "training/test_training_loop.py"),
    *("stages/test_fit_stage.py", "training/fit/test_morphable.py", "test_gpu_check.py", "test_edits_benchmark.py"),
)
FIXTURES = ("guidance_fixtures", "shared_fixtures", "toy_fixtures")


def pytest_configure(config):
    """Fixtures take seconds to load, which a process that hands tests out to others need not do before it begins."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        for name in FIXTURES:
            config.pluginmanager.import_plugin(name)


def pytest_collection_modifyitems(items):
    """The longest files come first, so that no worker is left alone with one in the end."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.relative_to(HERE).as_posix(), len(place)))


def pytest_collection_finish():
    """What is loaded now stays: the collector of garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture
def astronaut(tmp_path):
    """A photo of somebody, from scikit-image."""
    path = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return path
