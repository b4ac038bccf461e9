"""A folder of scans becomes a dataset: NPHM's layout, folders of meshes, and what is left out with words."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from training.scans.scanned import BlindEncoder, two_coloured

from idto3d import cli
from idto3d.guidance.networks.branches import new_branches
from idto3d.guidance.networks.tiny import TEST_SPEC, tiny_base
from idto3d.training import train
from idto3d.training.data.dataset import read_people, said_words
from idto3d.training.denoiser import Data, DenoiserOptions
from idto3d.training.loop import Stage, make_accelerator, train_denoiser
from idto3d.training.model import Model, named_tensors
from idto3d.training.vae import cache_latents
from idto3d.training.watch import Watch
from idto3d.words.expressions import NAMES
from idto3d.words.prompts import DOMAINS

SMALL = ("--size", "32", "--views", "6", "--portraits", "2", "--workers", "1")
Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # our y becomes the file's z, our z its -y


@pytest.fixture(autouse=True, scope="module")
def blind():
    """No face detector in this file: scans are placed by their bounds, portraits are embedded as zeros."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("idto3d.subject.encoders.make_encoder", lambda name, weights=None: BlindEncoder())
        yield


@pytest.fixture(scope="module")
def nphm(tmp_path_factory):
    """Two subjects in NPHM's layout and units; 021's scan 004 shows something that nobody tells."""
    folder = tmp_path_factory.mktemp("nphm")
    for scan in ("017/000", "017/001", "021/000", "021/001", "021/004"):
        (folder / scan).mkdir(parents=True)
        two_coloured(scale=0.25).export(folder / scan / "scan.obj")
    (folder / "neutrals_closed.json").write_text('{"17": 0, "21": 1, "99": -1}')
    (folder / "words.csv").write_text(
        "subject;expression;shows;gender;age;ancestry;hair_style;hair_colour\n"
        "17;1;Smile;female;young;Asian;short;black\n"
        "21;0;lips_rolled;;;;;\n"
    )
    return folder


def told(folder: Path, out: Path) -> list[str]:
    tables = ("--neutrals", folder / "neutrals_closed.json", "--attributes", folder / "words.csv")
    return ["scans", str(folder), "--out", str(out), "--layout", "nphm", *map(str, tables), *SMALL]


@pytest.fixture(scope="module")
def dataset(nphm, tmp_path_factory):
    out = tmp_path_factory.mktemp("dataset")
    assert cli.main(told(nphm, out)) == 0
    return out


def test_nphm_scans_become_a_dataset_that_is_read_like_any_other(dataset):
    people = read_people(dataset)
    assert people.normal.shape == people.albedo.shape == (24, 32, 32, 3)
    assert people.person.tolist() == [0] * 12 + [1] * 12
    shown = [NAMES[i] for i in people.expression.tolist()]
    assert shown == ["neutral"] * 6 + ["smile"] * 6 + ["neutral"] * 6 + ["lip roll"] * 6
    assert people.embedding.shape == (2, 2, 8) and torch.isnan(people.coefficients).all()
    assert "research only" in people.licence


def test_captions_say_what_the_table_says(dataset):
    first, second = json.loads((dataset / "0000.json").read_text())["people"]
    assert first["subject"] == "young asian female with short black hair" and second["subject"] == "person"
    assert first["captions"][0][0].endswith(
        "normal map face portrait of a young asian female with short black hair on a white background"
    )
    assert set(said_words(dataset)) == {"young", "asian", "female", "with", "short", "black", "hair", "person"}


def test_the_left_half_is_red_on_the_persons_left(dataset):
    people = read_people(dataset)
    front = people.azimuth_deg.abs() < 20
    assert front.any()
    for image in people.albedo[front].numpy().astype(int):
        red = np.nonzero((image[..., 0] > 180) & (image[..., 2] < 60))[1]
        blue = np.nonzero((image[..., 2] > 180) & (image[..., 0] < 60))[1]
        assert len(red) > 40 and len(blue) > 40 and red.min() >= blue.max() - 6 and red.mean() > blue.mean() + 4
    normals = people.normal[front].numpy().astype(int)
    assert (normals[:, 16, 16, 2] > 230).all()  # the middle faces the camera


def test_a_scan_that_nobody_explains_is_left_out_and_said(nphm, tmp_path, capsys):
    assert cli.main([*told(nphm, tmp_path), "--first", "1", "--people", "1", "--views", "1"]) == 0
    printed = capsys.readouterr().out
    assert "1 scan is left out: nothing says which expression a number means." in printed
    assert "1 people with 2 scans" in printed


def test_the_same_scans_give_the_same_bytes_and_finished_shards_stay(nphm, dataset, tmp_path):
    assert cli.main(told(nphm, tmp_path)) == 0
    names = ("0000.safetensors", "0000.json", "0000.identity.safetensors")
    assert all((tmp_path / name).read_bytes() == (dataset / name).read_bytes() for name in names)
    (tmp_path / names[0]).write_bytes(b"left alone")
    assert cli.main(told(nphm, tmp_path)) == 0
    assert (tmp_path / names[0]).read_bytes() == b"left alone"


def test_numbers_alone_are_refused_with_what_to_do(nphm, tmp_path, capsys):
    assert cli.main(["scans", str(nphm), "--out", str(tmp_path), "--layout", "nphm"]) == 2
    assert "--neutrals" in capsys.readouterr().err


def test_a_folder_of_meshes_needs_only_names_axes_and_perhaps_a_table(tmp_path, capsys):
    folder, out = tmp_path / "meshes", tmp_path / "out"
    for name in ("anna/neutral", "anna/3_brow_raiser", "anna/jaw_left", "bert", "late"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        two_coloured(scale=0.001, turn=Z_UP).export(folder / f"{name}.glb")
    (folder / "broken.glb").write_bytes(b"glTF and nothing else")
    (folder / "words.csv").write_text("subject,file,shows,beard,hair_style\nbert,late.glb,grin,beard,bald\n")
    table = ("--attributes", str(folder / "words.csv"))
    assert cli.main(["scans", str(folder), "--out", str(out), "--up", "z", "--face=-y", *table, *SMALL]) == 0
    printed = capsys.readouterr().out
    assert "'jaw_left' is not one of the 13 expressions" in printed
    assert "broken/broken is left out. 'meshes/broken.glb' cannot be read as a mesh." in printed
    people = read_people(out)
    assert people.person.bincount().tolist() == [12, 12]
    shown = [NAMES[i] for i in people.expression.tolist()]
    assert shown == ["neutral"] * 6 + ["brow raised"] * 6 + ["neutral"] * 6 + ["grin"] * 6
    words = json.loads((out / "0000.json").read_text())
    assert [one["subject"] for one in words["people"]] == ["person", "person with bald head and a beard"]
    assert (people.albedo[..., 0].amax((1, 2)) > 180).all() and words["left_out"]


def test_scans_without_colours_are_left_out_or_grey(tmp_path, capsys):
    folder = tmp_path / "meshes"
    folder.mkdir()
    plain = two_coloured()
    plain.visual = type(plain.visual)()
    plain.export(folder / "anna.ply")
    asked = ["scans", str(folder), "--out", str(tmp_path / "out"), *SMALL]
    assert cli.main(asked) == 2
    assert "no colours" in capsys.readouterr().out
    assert cli.main([*asked, "--grey"]) == 0  # nothing of the failed run is in the way
    assert len(read_people(tmp_path / "out").normal) == 6


def test_a_mesh_far_from_the_told_size_is_left_out(tmp_path, capsys):
    two_coloured().export(tmp_path / "anna.glb")
    assert cli.main(["scans", str(tmp_path), "--out", str(tmp_path / "out"), "--scale", "0.001", *SMALL]) == 2
    assert "hardly seen from the front" in capsys.readouterr().out


def test_a_tiny_model_trains_a_step_on_scans(dataset, tmp_path):
    torch.manual_seed(0)
    people = read_people(dataset)
    vocabulary = train.known_words(said_words(dataset))
    assert {"asian", "young"} <= set(vocabulary) and vocabulary[: len(train.known_words())] == train.known_words()
    parts = tiny_base(TEST_SPEC, vocabulary)
    model = Model(parts, {name: new_branches(parts.unet, 8, TEST_SPEC.text_width) for name in DOMAINS})
    latents = {k: v.float() for k, v in cache_latents(parts.vae, people, tmp_path / "l.safetensors").items()}
    model.requires_grad_(False)
    for parameter in model.branches["albedo"].branch_parameters("expression"):
        parameter.requires_grad_(True)
    before = {name: value.detach().clone() for name, value in named_tensors(model).items()}
    stage = Stage("step", ("albedo",), DenoiserOptions(batch=4, most_steps=1), tmp_path / "step.safetensors")
    train_denoiser(make_accelerator("auto"), model, stage, Data(people, latents), None, Watch(tmp_path))
    after = named_tensors(model)
    assert any(not torch.equal(after[name], value) for name, value in before.items()) and stage.checkpoint.exists()
    assert all(value.isfinite().all() for value in after.values())
