"""Whole fits with the embedded weights, each made once: of words, and of one photo."""

from dataclasses import replace

import pytest
from PIL import Image
from skimage import data

from idto3d import pipeline
from idto3d.bundle.find import find_bundle
from idto3d.config import ExportOptions, HeadOptions
from idto3d.events import exhausted
from idto3d.head.start import start_of
from idto3d.stages.fit import fit_head
from idto3d.stages.models import load_encoder, load_models

PROMPT = "old man with short grey hair"


@pytest.fixture(scope="session")
def asked():
    """Options of a head of words with small textures."""
    return HeadOptions(
        device="cpu", prompt=PROMPT, expressions=("neutral", "smile"), export=ExportOptions(texture_size=128)
    )


@pytest.fixture(scope="session")
def embedded(asked):
    """The models of the embedded weights."""
    weights = exhausted(find_bundle(asked.weights))
    return exhausted(load_models(asked, load_encoder(weights, "auto"), weights))


@pytest.fixture(scope="session")
def fit(embedded):
    """fit(options, subject) is the fit of a subject, None for words alone."""

    def fitted(options, subject=None):
        return exhausted(fit_head(subject, start_of(subject, options, embedded.prior), embedded, options))

    return fitted


@pytest.fixture(scope="session")
def old_man(fit, asked, worked_out_once):
    """The fit of PROMPT."""
    return worked_out_once("old-man", lambda: fit(asked))


@pytest.fixture(scope="session")
def of_photo(asked):
    """Options of a head of a photo."""
    return replace(asked, prompt="", export=ExportOptions(texture_size=256))


@pytest.fixture(scope="session")
def somebody(of_photo, tmp_path_factory, worked_out_once):
    """The Subject of scikit-image's astronaut."""
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    weights = exhausted(find_bundle(of_photo.weights))
    return worked_out_once("somebody", lambda: exhausted(pipeline.meet([path], of_photo, weights))[0])


@pytest.fixture(scope="session")
def her(fit, of_photo, somebody, worked_out_once):
    """The fit of that photo."""
    return worked_out_once("her", lambda: fit(of_photo, somebody))
