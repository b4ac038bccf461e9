"""What takes long and is only read: made once for a run of the suite, by the worker that needs it first."""

import hashlib
import json
import math
import os
import pickle
import shutil
from pathlib import Path

import pytest
from PIL import Image
from skimage import data
from small_heads import everything, run, small

from benchmarks.tiny_bundle import write_tiny_bundle
from idto3d import pipeline
from idto3d.bundle.entries import FILE
from idto3d.bundle.layout import OPTIONAL
from idto3d.config import as_json
from idto3d.jobs.lock import FileLock, try_lock
from idto3d.stages import fit as fitting

READ_BY_A_FIT = ("device", "prompt", "seed", "expressions", "subject", "choice", "carving", "export")
ASKED_LATER = ("timesteps", "asking")  # of what weights say: no fit asks a guidance


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that the suite's workers have in common."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


def alone(path: Path) -> FileLock:
    """Wait until no other worker makes what goes there."""
    return try_lock(path.with_name(f"{path.name}.lock"), patience=math.inf)


@pytest.fixture(scope="session")
def made_once(shared):
    """made_once(name, make) is the folder that make(folder) fills. Nobody writes to it afterwards."""

    def made(name: str, make) -> Path:
        target, part = shared / name, shared / f"{name}.part"
        with alone(target):
            if not target.is_dir():
                shutil.rmtree(part, ignore_errors=True)  # of one that failed
                make(part)
                part.rename(target)
        return target

    return made


@pytest.fixture(scope="session")
def worked_out_once(shared):
    """worked_out_once(name, work) is what work() returns, to each caller a copy of their own."""

    def worked_out(name: str, work):
        path = shared / f"{name}.pickle"
        with alone(path):
            if not path.is_file():
                part = path.with_suffix(".part")
                part.write_bytes(pickle.dumps(work()))
                part.rename(path)
        return pickle.loads(path.read_bytes())

    return worked_out


@pytest.fixture(scope="session")
def fit_once(worked_out_once):
    """In place of `pipeline.fit_head`: the same photos, words and options are fitted once.

    For tests of what comes after the fit, which takes half of such a run; that it is the same each time is proven in
    tests/stages/test_fit_stage.py.
    """

    def fit(subject, start, models, options):
        name, work = fit_name(start, models, options), fitting.fit_head(subject, start, models, options)
        events, fitted = worked_out_once(f"fit-{name}", lambda: everything(work))
        yield from events
        return fitted

    return fit


def fit_name(start, models, options) -> str:
    """A name for the fit of these, of all that it reads."""
    told = {name: value for name, value in as_json(options).items() if name in READ_BY_A_FIT}
    told |= {"material": [options.material.translate, options.material.relief], "scored": models.scorer is not None}
    told |= {"face": None if start.embedding is None else start.embedding.tobytes().hex(), "words": start.words()}
    told["made"] = fitting.all_expressions(options.expressions)  # fewer within `few_expressions`
    told |= {"features": dict(start.features), "coefficients": start.coefficients.tolist()}
    told["weights"] = weights_digest(options.weights)
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def weights_digest(weights: str) -> list[str]:
    """What of a bundle a fit depends on: its description and the files that fit heads; a name stands for itself."""
    if not (Path(weights) / FILE).is_file():
        return [weights]
    card = json.loads((Path(weights) / FILE).read_text())
    kept = {name: value for name, value in card.items() if name not in ASKED_LATER}
    files = [path for name in OPTIONAL if (path := Path(weights) / name).is_file()]
    return [json.dumps(kept, sort_keys=True), *(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)]


@pytest.fixture(scope="session")
def tiny_bundle(made_once):
    """Folder of a bundle for dlib's embeddings and 32-pixel images, without a head prior."""
    return made_once("tiny", write_tiny_bundle)


@pytest.fixture
def no_asset(monkeypatch):
    """Heads are saved and no more: for tests of what is the same where the saved heads are."""

    def write(_finished, folder):
        yield from ()
        return folder / "head.glb"

    monkeypatch.setattr(pipeline, "write", write)


@pytest.fixture(scope="session")
def small_run(tiny_bundle, fit_once):
    """small_run(folder, photos) makes a small head there, of nobody in particular or of photos; returns the events."""

    def make(folder, photos=()):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipeline, "fit_head", fit_once)
            return list(run(small(tiny_bundle), folder, photos))

    return make


@pytest.fixture(scope="session")
def plain_head(made_once, small_run):
    """Folder of a small head of nobody in particular."""
    return made_once("plain", small_run)


@pytest.fixture(scope="session")
def photo_head(made_once, small_run):
    """Folder of a small head of the astronaut, whose photo is gone, and the events of its run."""

    def make(folder):
        folder.mkdir()
        Image.fromarray(data.astronaut()).save(photo := folder / "astronaut.png")
        (folder / "events").write_bytes(pickle.dumps(small_run(folder / "head", [photo])))
        photo.unlink()

    folder = made_once("photo", make)
    return folder / "head", pickle.loads((folder / "events").read_bytes())
