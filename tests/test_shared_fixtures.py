"""What tests share is made anew where it is another, and where its making failed."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from shared_fixtures import fit_name
from small_heads import small

from idto3d.bundle.entries import FILE
from idto3d.head.start import WORDS, Start, Trait


def test_a_fit_is_another_where_anything_differs_that_it_reads(tmp_path):
    (tmp_path / FILE).write_text(json.dumps({"name": "tiny", "timesteps": 1}))
    start, models, options = Start(None, {}, "a man", torch.zeros(2)), SimpleNamespace(scorer=None), small(tmp_path)
    first = fit_name(start, models, options)
    starts = (
        replace(start, coefficients=torch.tensor([0.0, 1.0])),
        replace(start, traits={"beard": Trait("goatee", WORDS)}),
        replace(start, features={"hooked nose": 1.0}),
        replace(start, embedding=np.ones(2, np.float32)),
    )
    others = {fit_name(one, models, options) for one in starts}
    others.add(fit_name(start, models, replace(options, subject=replace(options.subject, beard="goatee"))))
    (tmp_path / FILE).write_text(json.dumps({"name": "tiny", "timesteps": 2}))
    assert fit_name(start, models, options) == first
    (tmp_path / FILE).write_text(json.dumps({"name": "another", "timesteps": 1}))
    others.add(fit_name(start, models, options))
    (tmp_path / "template.safetensors").write_bytes(b"another")
    others.add(fit_name(start, models, options))
    assert len(others) == 7 and first not in others


def test_what_failed_is_made_again_from_nothing(made_once):
    def fails(folder):
        folder.mkdir()
        (folder / "half").touch()
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        made_once("failing", fails)
    made = made_once("failing", lambda folder: folder.mkdir())
    assert made.is_dir() and not list(made.iterdir())
