import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from idto3d.config import HeadOptions, MaterialOptions, ShapeOptions
from idto3d.jobs.desk import Desk


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    """The toy pipeline, importable here and in worker processes."""
    here = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(here)
    monkeypatch.setenv("PYTHONPATH", here)
    import fake_pipeline

    yield fake_pipeline
    sys.modules.pop("fake_pipeline", None)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "anna.png"
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(path)
    return path


@pytest.fixture
def options():
    """Makes the options of a short run from a prompt."""
    short = HeadOptions(shape=ShapeOptions(steps=6), material=MaterialOptions(steps=6))
    return lambda prompt="": replace(short, prompt=prompt)


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path / "runs", "fake_pipeline")
    yield desk
    for job_id in desk.ids():
        desk.delete(job_id)
    desk.engine.cool()
