"""The toy pipeline of the jobs' tests, in place of ours in this process."""

import signal
import sys
from pathlib import Path

import pytest

JOBS = Path(__file__).parent / "jobs"


@pytest.fixture
def fake(monkeypatch):
    """The toy pipeline in place of ours."""
    monkeypatch.syspath_prepend(str(JOBS))
    import fake_pipeline

    import idto3d

    monkeypatch.setitem(sys.modules, "idto3d.pipeline", fake_pipeline)
    monkeypatch.setattr(idto3d, "pipeline", fake_pipeline, raising=False)
    yield fake_pipeline
    sys.modules.pop("fake_pipeline", None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
