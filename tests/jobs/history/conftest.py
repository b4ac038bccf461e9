import os
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from idto3d.config import EditOptions, HeadOptions, MaterialOptions, ShapeOptions
from idto3d.files import sha256_of
from idto3d.jobs import record
from idto3d.jobs.history.contents import contents
from idto3d.jobs.history.state import VERSIONS, folder_of
from idto3d.jobs.history.store import versions
from idto3d.jobs.produce import produce
from idto3d.jobs.record import read_job
from idto3d.jobs.run_folder import begin, claim, perform, reopen

JOBS = str(Path(__file__).parents[1])
TOY = partial(produce, pipeline="fake_pipeline")
SHORT = HeadOptions(prompt="young", shape=ShapeOptions(steps=2), material=MaterialOptions(steps=2))


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    """The toy pipeline of the jobs' tests, importable here and in worker processes."""
    monkeypatch.syspath_prepend(JOBS)
    monkeypatch.setenv("PYTHONPATH", JOBS)
    import fake_pipeline

    yield fake_pipeline
    sys.modules.pop("fake_pipeline", None)


@pytest.fixture
def head(tmp_path):
    """The run folder of a finished toy."""
    folder = tmp_path / "run"
    lock, job = begin(folder, [], SHORT)
    with lock:
        list(perform(folder, job, TOY))
    return folder


def edited(folder, prompt, name=""):
    """What an edit of a finished head reports."""
    lock, job = reopen(folder, record.EDIT, read_job(folder).options, (EditOptions(prompt=prompt, name=name),))
    with lock, closing(perform(folder, job, TOY)) as events:
        yield from events


@pytest.fixture
def edit():
    """Edits a head to the end, once for each of the prompts."""

    def make(folder, *prompts):
        for prompt in prompts:
            list(edited(folder, prompt))

    return make


@pytest.fixture
def edits():
    return edited


def bytes_of(folder):
    """What the head in a folder consists of, by name."""
    return {str(name): (folder / name).read_bytes() for name in contents(folder)}


@pytest.fixture
def kept():
    return bytes_of


@pytest.fixture
def whole():
    """Asserts that a history is in order, whatever happened: returns its versions by their ids."""

    def check(folder):
        claim(folder).release()
        found = {one.id: one for one in versions(folder)}
        (current,) = [one.id for one in found.values() if one.current]
        assert bytes_of(folder) == bytes_of(folder_of(folder, current))
        for name, one in found.items():
            assert sha256_of(folder_of(folder, name) / "head.glb") == one.sha256
            assert one.parent in found or name == "v000"
        assert {path.name for path in (folder / VERSIONS).iterdir()} == {*found, "state.json"}
        assert not [path for path in folder.rglob("*") if path.name.endswith(".part")]
        return found

    return check


CHANGES = ("replace", "rename", "link", "unlink", "mkdir", "rmdir")  # what changes names on a disk


def die_at(number, act):
    """Let a process of its own `act`, and end it at once before its change of that number; whether that came."""
    child = os.fork()
    if child == 0:
        left = [number]
        for name in CHANGES:
            setattr(os, name, _mortal(getattr(os, name), left))
        try:
            act()
        finally:
            os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 9


def _mortal(change, left):
    def changed(*words, **more):
        left[0] -= 1
        if left[0] == 0:
            os._exit(9)
        return change(*words, **more)

    return changed


@pytest.fixture
def deaths():
    """Copies a folder and lets an act on it die at its first change, then at its second, and so on to its end."""

    def each(folder, act):
        import shutil

        for number in range(1, 500):
            copy = folder.with_name(f"{folder.name}-{number}")
            shutil.copytree(folder, copy, copy_function=_linked)
            if not die_at(number, lambda copy=copy: act(copy)):
                assert number > 5
                return
            yield copy
            shutil.rmtree(copy)

    return each


def _linked(source, target):
    os.link(source, target)
