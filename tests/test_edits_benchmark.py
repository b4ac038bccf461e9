"""The benchmark of edits: what it counts and judges, and a whole measurement of a small head."""

import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from idto3d.errors import UserError
from idto3d.head.parts import Head, Part
from idto3d.render.painted import PaintedMaterial
from idto3d.training.measure.heads.finished import Layout
from idto3d.training.measure.heads.looks import hair_volume

ROOT = Path(__file__).parents[1]
SIZE = 64


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """The benchmarks can be imported; they are no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture(scope="module")
def layout():
    return Layout()


@dataclass
class Head64:
    """A head of skin, with a plane of hair above it, in textures of 64 texels."""

    head: Head
    painted: dict = field(default_factory=dict)

    @property
    def saved(self):
        return SimpleNamespace(head=self.head, painted=self.painted)

    def part(self, name):
        return next((part for part in self.head.parts if part.name == name), None)

    def albedo(self, material):
        return self.painted[material].albedo[..., :3].astype(np.float32) / 255


def plain(colour):
    return PaintedMaterial(np.full((SIZE, SIZE, 3), colour, np.uint8), np.full((SIZE, SIZE), 128, np.uint8))


@pytest.fixture
def head(layout):
    own = layout.template.part("skin")
    vertices = layout.template.neutral[own.vertices]
    skin = Part("skin", vertices, own.faces, torch.zeros(1, len(vertices), 3), "skin", own.uvs)
    return Head64(Head(("neutral",), (skin, hair(vertices, 0.02))), {name: plain(150) for name in ("skin", "eyes")})


def hair(skin, height):
    """Hair that stands `height` metres over the top of a head."""
    points = skin[skin[:, 1] > 0.1] + torch.tensor([0.0, height, 0.0])
    faces = torch.arange(3)[None]
    return Part("hair", points, faces, torch.zeros(1, len(points), 3), "hair", torch.zeros(1, 3, 2))


def pair(layout, before, after):
    from benchmarks.edits.pair import Pair

    return Pair(before, after, layout)


def painted(head, material, texels, colour):
    """The head with `texels` [S, S] bool of a material in a colour."""
    albedo = head.painted[material].albedo.copy()
    albedo[texels] = colour
    return replace(head, painted=head.painted | {material: replace(head.painted[material], albedo=albedo)})


def test_texels_and_vertices_outside_are_counted_by_their_bits(layout, head):
    from benchmarks.edits.outside import Outside, Where, outside

    lips = layout.shares("skin", "lips", SIZE) > 0.9
    brow = np.zeros_like(lips)
    brow[2, 30] = True
    asked = Where(regions=(("skin", ("lips",)),))
    red = painted(head, "skin", lips, (200, 20, 30))
    assert lips.any() and outside(pair(layout, head, red), asked) == Outside(0, 0)
    assert outside(pair(layout, head, painted(red, "skin", brow, 0)), asked) == Outside(1, 0)
    assert outside(pair(layout, head, painted(red, "skin", brow, 0)), Where(whole=True)) == Outside(0, 0)
    skin, grown = head.head.parts
    vertices = skin.vertices.clone()
    vertices[7, 0] = torch.nextafter(vertices[7, 0], torch.tensor(1.0))
    bent = replace(head, head=Head(("neutral",), (replace(skin, vertices=vertices), grown)))
    assert outside(pair(layout, head, bent), asked) == Outside(0, 1)
    bald = replace(head, head=Head(("neutral",), (skin,)))
    assert outside(pair(layout, head, bald), asked) == Outside(0, len(grown.vertices))
    assert outside(pair(layout, head, bald), Where(parts=("hair",))) == Outside(0, 0)


def test_irises_are_painted_inside_of_what_counts_as_the_iris(layout):
    from idto3d.stages.edit.paint.eyes import irises

    for size in (128, 512):
        painted = irises(layout.template, size)[0].max(-1) > 0
        assert not (painted & ~layout.texels("eyes", ("iris",), size, 0)).any()


def test_directions_are_told(layout, head):
    from benchmarks.edits import checks

    lips = layout.shares("skin", "lips", SIZE) > 0
    red, grey = (painted(head, "skin", lips, colour) for colour in ((200, 20, 30), (100, 100, 100)))
    assert [checks.redder_lips(pair(layout, head, one))[0].right for one in (red, grey)] == [True, False]
    skin = head.head.parts[0]
    short, none = (
        replace(head, head=Head(("neutral",), (skin, *more))) for more in ((hair(skin.vertices, 0.004),), ())
    )
    assert [checks.hair_halved(pair(layout, head, one))[0].right for one in (short, head, none)] == [True, False, False]
    assert hair_volume(head) > 2 * hair_volume(short) > 0
    iris = layout.shares("eyes", "iris", SIZE) > 0
    blue, brown = (painted(head, "eyes", iris, colour) for colour in ((60, 90, 160), (90, 60, 30)))
    assert [checks.iris_hue(190, 250)(pair(layout, head, one))[0].right for one in (blue, brown)] == [True, False]
    spots = np.random.default_rng(0).random((SIZE, SIZE)) < 0.1
    assert checks.more_marks("cheeks")(pair(layout, head, painted(head, "skin", spots, 110)))[0].right


def test_who_is_asked_for_what_they_are_may_stay(layout, head):
    from benchmarks.edits import checks
    from idto3d.config import EMBEDDED
    from idto3d.head.prior_file import load_prior

    prior = load_prior(EMBEDDED / "head_prior.safetensors", "cpu")
    for word, right in (("female", True), ("male", False)):
        said = SimpleNamespace(words=lambda word=word: {"gender": word})
        saved = SimpleNamespace(head=head.head, painted=head.painted, prior=prior, start=said)
        one = SimpleNamespace(saved=saved, part=head.part)
        found = checks.shifted("female")(pair(layout, one, one))
        assert all(each.right for each in found) == right


def test_what_was_measured_so_far_is_a_table(layout):
    from benchmarks.edits.table import table

    measured = {
        "found": [{"what": "hair of that hue", "value": 0.5, "right": False}],
        "outside": {"texels": 2, "vertices": 1},
        "first_picture_s": 2.0,
        "seconds": 19.0,
    }
    found = {"a": {"green hair": measured, "older": measured}, "b": {"green hair": measured}}
    lines = table(found, ["green hair", "older", "glasses"]).splitlines()
    assert len(lines) == 4 and lines[2].count("**hair of that hue 0.50**") == 2 and " 6 | 2.0 s | 19.0 s |" in lines[2]
    assert lines[3].startswith("| older | **hair") and "|  | 3 |" in lines[3]


def test_the_halves_of_a_face_are_told_apart(layout, head):
    from benchmarks.edits import checks
    from idto3d.head.paint.atlas import texels_of_parts

    texels = texels_of_parts(layout.template, ("skin",), SIZE)
    across = texels.spread(texels.read(head.head.parts[0].vertices.numpy()))[..., 0]
    left, every = (painted(head, "skin", where, 90) for where in (across > 0, across < 1))
    found = checks.left_half_alone(pair(layout, head, left))
    assert found[0].right and found[1].value > 500
    assert not checks.left_half_alone(pair(layout, head, every))[0].right


def test_the_words_of_requests_choose_them():
    from benchmarks.edits.requests import REQUESTS, chosen

    assert len(REQUESTS) == len({one.name for one in REQUESTS}) == 15 and chosen([]) == REQUESTS
    assert [one.name for one in chosen(["eyes", "glasses"])] == ["blue eyes", "glasses"]


def test_a_small_head_is_edited_and_measured(tmp_path, plain_head, capsys, monkeypatch):
    from benchmarks.edits import run as edits
    from benchmarks.edits.__main__ import main

    monkeypatch.setattr(edits, "FACE_SIDES_DEG", ())  # nobody knows its face
    shutil.copytree(plain_head, tmp_path / "small head")
    files = ["--sheet", str(tmp_path / "sheet.png"), "--table", str(tmp_path / "table.md")]
    code = main([str(tmp_path / "small head"), "--requests", "lipstick", "--steps", "0", *files])
    found = json.loads(capsys.readouterr().out)["heads"]["small_head"]["red lipstick"]
    right = {one["what"]: one["right"] for one in found["found"]}
    assert right["lips redder (a*)"] and right["rig and names kept"] and right["vertices outside"]
    assert found["outside"] == {"texels": 0, "vertices": 0} and found["seconds"] >= found["first_picture_s"] > 0
    assert code == (0 if found["right"] else 1)
    assert Image.open(tmp_path / "sheet.png").size == (400, 222)
    assert (tmp_path / "table.md").read_text().splitlines()[2].startswith("| red lipstick | lips redder")
    with pytest.raises(UserError, match="No request holds"):
        main([str(tmp_path / "small head"), "--requests", "sticker"])
