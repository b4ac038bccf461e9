"""The viewer's file of a head, read back by a twin of the page's reader."""

import gzip
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from idto3d.config import ExportOptions
from idto3d.export.asset import write_asset
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.viewer.payload import MAGIC, payload_bytes
from idto3d.export.viewer.rounding import (
    gaps_of,
    indices_of,
    restored,
    restored_directions,
    rounded,
    rounded_directions,
)

MICRON = 1e-6


@pytest.fixture
def asset(portrait, painted, sample, tmp_path):
    options = ExportOptions(texture_size=64, turntable_frames=0, render_size=16)
    for _ in write_asset(portrait, sample, tmp_path, options, Provenance(), painted):
        pass
    return load_asset(tmp_path)


def opened(content):
    """The header, the pictures' bytes by material and kind, and a function that takes the next numbers."""
    length = int.from_bytes(content[4:8], "little")
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    start, size = header["numbers"]
    numbers, at = gzip.decompress(body[start : start + size]), 0

    def take(kind, *shape):
        nonlocal at
        count = int(np.prod(shape))
        values = np.frombuffer(numbers, kind, count, at).reshape(shape)
        at += -(-values.nbytes // 4) * 4
        return values

    pictures = {
        (name, kind): body[place[0] : sum(place)]
        for name, said in header["materials"].items()
        for kind, place in said.items()
        if isinstance(place, list)
    }
    return header, pictures, take, lambda: at == len(numbers)


def moved(take, count, vertices, step, kind, wide):
    """What an expression adds [V, 3]."""
    out, places = np.zeros((vertices, 3)), indices_of(take(wide, count))
    out[places] = take(kind, count, 3) * step
    return out


def test_a_head_comes_back_as_it_was_but_for_the_rounding(asset):
    content = payload_bytes(asset)
    header, _, take, at_end = opened(content)
    assert content[:4] == MAGIC and header["names"] == list(asset.mesh.names) and not header["blend"]
    for said, part in zip(header["parts"], asset.mesh.parts, strict=True):
        count = said["count"]
        places = restored(take(np.uint16, count, 3), said["corner"], said["step"])
        assert np.abs(places - (part.positions + part.pivot)).max() < 5 * MICRON
        normals = restored_directions(take(np.int16, count, 2))
        assert (np.einsum("vc,vc->v", normals, part.normals) > np.cos(np.radians(0.1))).all()
        assert np.abs(restored(take(np.uint16, count, 2), said["uv_corner"], said["uv_step"]) - part.uvs).max() < 2e-5
        if said["tangents"]:
            along, side = restored_directions(take(np.int16, count, 2)), take(np.int8, count)
            assert np.abs(along - part.tangents[:, :3]).max() < 1e-3 and (side == np.sign(part.tangents[:, 3])).all()
        assert (take(np.uint16, said["faces"], 3) == part.faces).all()
        for (moves, step, turns, turn), move, bend in zip(
            said["targets"], part.displacements, part.normal_displacements, strict=True
        ):
            assert np.abs(moved(take, moves, count, step, np.int16, np.uint16) - move).max() < 2 * MICRON
            assert np.abs(moved(take, turns, count, turn, np.int8, np.uint16) - bend).max() < 0.01
        assert (said["pivot"] is not None) == part.name.startswith("eye")
    assert at_end()


def test_textures_are_pictures_of_every_browser_and_what_is_even_is_a_number(asset):
    header, pictures, _, _ = opened(payload_bytes(asset))
    kinds = {one: Image.open(io.BytesIO(content)) for one, content in pictures.items()}
    assert {image.format for image in kinds.values()} <= {"JPEG", "PNG"}
    assert kinds["hair", "opacity"].format == "PNG" and kinds["hair", "opacity"].mode == "L"
    alpha = asset.textures["hair"].albedo[..., 3]
    assert (np.asarray(kinds["hair", "opacity"]) == alpha).all()
    assert ("skin", "normal") in kinds and ("eyes", "opacity") not in kinds
    assert header["materials"]["skin"]["metallic"] == 0.0 and header["materials"]["skin"]["specular"] == 1.0
    seen = np.asarray(kinds["skin", "albedo"]).astype(int)
    assert np.abs(seen - asset.textures["skin"].albedo[..., :3]).mean() < 3


def test_large_textures_are_reduced_for_the_viewer(asset):
    skin = asset.textures["skin"]
    large = replace(skin, albedo=np.tile(skin.albedo, (2048 // len(skin.albedo),) * 2 + (1,)))
    _, pictures, _, _ = opened(payload_bytes(replace(asset, textures={**asset.textures, "skin": large})))
    assert Image.open(io.BytesIO(pictures["skin", "albedo"])).size == (1024, 1024)


def test_the_same_head_gives_the_same_bytes(asset):
    assert payload_bytes(asset) == payload_bytes(asset)


def test_directions_and_places_are_rounded_by_less_than_is_seen():
    random = np.random.default_rng(0)
    ways = random.normal(size=(4000, 3))
    ways = np.concatenate([ways / np.linalg.norm(ways, axis=1, keepdims=True), np.eye(3), -np.eye(3)])
    angle = np.arccos(np.clip((restored_directions(rounded_directions(ways)) * ways).sum(1), -1, 1))
    assert np.degrees(angle).max() < 0.01
    places = random.uniform(-0.2, 0.3, (500, 3))
    assert np.abs(restored(*rounded(places)) - places).max() < 4.1 * MICRON
    assert rounded(np.zeros((3, 2)))[0].max() == 0


def test_indices_are_kept_as_gaps():
    indices = np.array([0, 1, 2, 9, 70000])
    assert (indices_of(gaps_of(indices)) == indices).all()
    assert indices_of(gaps_of(indices[:0])).shape == (0,)
