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
else:  # those that are started from here keep memory that was freed: else each large array is cleared page by page
    os.environ |= {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "1000000000"}  # bytes

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
    "jobs/history/test_crashes.py",  # it forks hundreds of times, which is quicker while a process is small
    *("stages/test_saved.py", "training/test_many_processes.py", "ui/test_choices.py", "stages/edit/test_features.py"),
    *("stages/test_fit_stage.py", "ui/test_browser.py", "test_pipeline.py", "test_two_devices.py", "ui/test_page.py"),
    *("test_edit_head.py", "jobs/test_engine.py", "jobs/test_desk.py", "gates/test_clients.py"),
    *("head/test_hair_part.py", "jobs/batch/test_batch.py", "training/measure/test_heads.py"),
    *("test_albedo_benchmark.py", "gates/test_flood.py", "test_gpu_check.py", "stages/test_edit_parts.py"),
    *("test_presets.py", "training/test_train_command.py", "ui/door/test_served.py", "gates/test_weights.py"),
    *("stages/materials/test_materials.py", "training/fit/test_morphable.py", "training/fit/test_portrait_encoder.py"),
    *("gates/test_abuse.py", "jobs/test_intake.py", "gates/test_cancel.py", "stages/test_carving.py"),
    *("jobs/test_edits.py", "gates/test_soak.py", "training/test_training_loop.py", "stages/test_texture_stage.py"),
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
