"""The template's file: small, whole or refused, and every vertex knows its number in ICT-FaceKit."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from idto3d.bundle.find import Weights
from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.errors import UserError
from idto3d.files import read_metadata
from idto3d.head import template
from idto3d.head.template_file import KEY, load_template

FILE = EMBEDDED / TEMPLATE_FILE


def test_the_file_is_small_and_so_is_the_model(ict):
    assert FILE.stat().st_size < 13e6
    moves = (ict.moves.shape, ict.moves.vertex, ict.moves.offset)
    assert sum(part.numel() * part.element_size() for part in (ict.neutral, ict.identity, *moves)) < 45e6


def test_it_has_the_modes_shapes_and_parts_that_artists_and_words_ask_for(ict):
    assert len(ict.identity) == 100 + len(ict.words) and {"baby", "old", "female"} <= set(ict.words)
    assert ict.shapes == template.EXPRESSIONS
    names = [(part.name, part.material) for part in ict.parts]
    eyes, rest = [("eye_left", "eyes"), ("eye_right", "eyes")], [("teeth", "teeth"), ("gums_tongue", "mouth")]
    assert names == [("skin", "skin"), *eyes, *rest, ("lashes", "lashes")]


def test_the_numbers_in_ict_facekit_can_be_had_back(ict):
    skin = ict.part("skin").vertices
    assert ict.original[skin].tolist() == [*range(template.EYE_SOCKETS.stop), *[-1] * (ict.base.stop - ict.base.start)]
    for name, own in (("teeth", template.TEETH), ("gums_tongue", template.GUMS_TONGUE), ("lashes", template.LASHES)):
        assert ict.original[ict.part(name).vertices].tolist() == list(range(own.start, own.stop))
    eyes = torch.cat([ict.original[ict.part(name).vertices] for name in ("eye_left", "eye_right")])
    assert (
        len(eyes.unique()) == len(eyes) and template.EYEBALLS.start == eyes.min() < eyes.max() < template.EYEBALLS.stop
    )


def test_numbers_of_the_file_skip_the_base(ict):
    listed = np.array([0, template.EYE_SOCKETS.stop - 1, template.EYE_SOCKETS.stop])
    eye = ict.part("eye_left").vertices.start
    assert ict.numbered(listed).tolist() == [0, ict.base.start - 1, eye] and eye == ict.base.stop


def test_the_skin_is_one_surface_that_comes_first(ict):
    skin = ict.part("skin")
    assert skin.vertices.start == 0 and len(skin.faces.unique()) == skin.vertices.stop
    assert torch.equal(ict.faces[: len(skin.faces)], skin.faces) and int(ict.faces.max()) == len(ict.neutral) - 1


def test_a_damaged_file_is_refused_in_plain_words(tmp_path):
    cut = tmp_path / TEMPLATE_FILE
    cut.write_bytes(FILE.read_bytes()[:-1000])
    with pytest.raises(UserError, match="could not be read"):
        load_template(cut)
    with pytest.raises(UserError, match="missing"):
        load_template(tmp_path / "none.safetensors")


@pytest.mark.parametrize("name", ["faces", "moves.vertex", "original", "lid_rims", "uv.faces"])
def test_numbers_that_point_nowhere_are_refused(tmp_path, name):
    tensors = load_file(FILE)
    tensors[name].view(-1)[0] = -7
    save_file(tensors, tmp_path / TEMPLATE_FILE, read_metadata(FILE))
    with pytest.raises(UserError, match="damaged"):
        load_template(tmp_path / TEMPLATE_FILE)


def test_another_version_is_refused(tmp_path):
    description = json.loads(read_metadata(FILE)[KEY]) | {"version": 99}
    save_file(load_file(FILE), tmp_path / TEMPLATE_FILE, {KEY: json.dumps(description)})
    with pytest.raises(UserError, match="version"):
        load_template(tmp_path / TEMPLATE_FILE)


def test_a_bundle_without_a_template_takes_the_embedded_one(tmp_path):
    weights = Weights(None, tmp_path, {}, "")
    assert weights.own_or_embedded(TEMPLATE_FILE) == FILE
    shutil.copyfile(FILE, tmp_path / TEMPLATE_FILE)
    assert weights.own_or_embedded(TEMPLATE_FILE) == tmp_path / TEMPLATE_FILE
