from dataclasses import replace

import pytest
from fake_spaces import FakeSpaces
from sliced import SECONDS, Counted

from idto3d.config import ShapeOptions
from idto3d.jobs.desk import Desk
from idto3d.jobs.engine import LocalEngine
from idto3d.jobs.space import slices
from idto3d.jobs.space.engine import SpaceEngine


@pytest.fixture
def spaces():
    return FakeSpaces()


@pytest.fixture
def long(options):
    """Options of a job whose shape takes more than one such slice, and what follows less."""
    return lambda prompt: replace(options(prompt), shape=ShapeOptions(steps=40))


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(slices, "Bounds", Counted)


@pytest.fixture
def beside():
    engine = LocalEngine(1, "fake_pipeline")
    yield engine
    engine.cool()


@pytest.fixture
def desk(tmp_path, spaces, beside):
    desk = Desk(tmp_path / "runs", engine=SpaceEngine(spaces.GPU, beside, "fake_pipeline", SECONDS))
    yield desk
    for job_id in desk.ids():
        desk.delete(job_id)
