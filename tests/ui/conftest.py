import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from browsing import a_tab
from PIL import Image

JOBS = str(Path(__file__).parents[1] / "jobs")


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    """The toy pipeline of the jobs' tests, importable here and in worker processes; Gradio's settings put back."""
    monkeypatch.syspath_prepend(JOBS)
    monkeypatch.setenv("PYTHONPATH", JOBS)
    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED"):
        monkeypatch.setenv(name, "")
    for name in ("GRADIO_ANALYTICS_MAX_EVENTS", "GRADIO_ANALYTICS_CACHE_FREQUENCY"):
        monkeypatch.setenv(name, "1")
    import fake_pipeline

    yield fake_pipeline
    sys.modules.pop("fake_pipeline", None)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "anna.png"
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(path)
    return path


@pytest.fixture
def page(tmp_path, fake):
    """The page over the toy pipeline, not yet served, and what it does."""
    from idto3d.jobs.choosing.chooser import Chooser, proposing
    from idto3d.ui.server import make_page

    chooser = Chooser(work=proposing("fake_pipeline"))
    blocks, does = make_page(tmp_path / "runs", {}, "fake_pipeline", fake.render_view, chooser=chooser)
    yield blocks, does
    for job_id in does.desk.ids():
        does.desk.delete(job_id)
    chooser.rest(0.0)


@pytest.fixture
def address(page):
    """The address of the served page."""
    from idto3d.ui.door.access import Access
    from idto3d.ui.server import open_page

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield open_page(*page, Access(), port, wait=False)
    page[0].close()


@pytest.fixture
def until():
    """Waits until a condition holds and returns what it gave."""

    def wait(condition, seconds=300.0):
        deadline = time.monotonic() + seconds
        while not (answer := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        return answer

    return wait


@pytest.fixture
def tab():
    """A tab of a real browser."""
    with a_tab() as opened:
        yield opened
