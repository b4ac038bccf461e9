"""`python -m idto3d train`: a bundle from a dataset and a base, what it writes on the way, and what it refuses."""

import json
import math
import shutil

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from idto3d.errors import UserError
from idto3d.guidance.loading import load_bundle
from idto3d.guidance.networks.base import save_base
from idto3d.training import train
from idto3d.training.data.embedding import title
from idto3d.training.options import parse

ONE_STEP = ("--most-steps", "1", "--batch", "2", "--guidance-scale", "1")
WATCHED = ("--evaluate-steps", "1", "--sample-minutes", "1e-9", "--save-seconds", "0", "--precision", "no")

pytestmark = pytest.mark.usefixtures("own_accelerator")


@pytest.fixture(scope="module")
def given(small, tmp_path_factory):
    """The words of a command that trains a tiny base on made-up people, and its work folder."""
    folder = tmp_path_factory.mktemp("train")
    save_base(small.tiny_parts(), folder / "base", torch.float32)
    data = small.write_dataset(folder / "people", small.made_up_people())
    small.write_dataset(folder / "others", small.made_up_people())
    return [
        "--data",
        str(data),
        "--base",
        str(folder / "base"),
        "--out",
        str(folder / "bundle"),
        "--licence",
        "mit",
    ], folder


def lines(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "work" / "log.jsonl").read_text().splitlines()]


def test_a_bundle_is_trained_watched_and_not_trained_twice(given):
    words, folder = given
    words = [*words, "--work", str(folder / "work"), "--held-out", str(folder / "others"), *ONE_STEP, *WATCHED]
    assert train.main(words) == 0
    stages = [line["stage"] for line in lines(folder)]
    assert stages == ["style-geometry", "style-albedo", "expression-geometry", "expression-albedo"]
    for gap in ("identity_gap", "expression_gap", "words_gap"):
        assert all(f"{line['stage'].split('-')[1]}_{gap}" in line for line in lines(folder))
    picture = Image.open(folder / "work" / "samples" / "style-albedo-000001.png")
    assert picture.size == (6 * 32, 2 * 32)
    assert (folder / "work" / "loss.svg").exists()
    bundle = load_bundle(folder / "bundle", torch.device("cpu"))
    assert bundle.info.licence == "mit"
    assert bundle.info.image_size == 32 and bundle.info.identity_encoder.dimension == 8
    assert train.main(words) == 0
    assert len(lines(folder)) == 4
    assert train.main([*words, "--again", "--stages", "style"]) == 0
    assert [line["stage"] for line in lines(folder)[4:]] == ["style-geometry", "style-albedo"]


def test_a_stage_is_not_built_on_nothing(given, tmp_path):
    words, _ = given
    with pytest.raises(UserError, match="Train the stage 'style' first"):
        train.main([*words, "--work", str(tmp_path), "--stages", "expression", *ONE_STEP])
    with pytest.raises(UserError, match="no autoencoder"):
        train.main([*words[:2], "--work", str(tmp_path), "--stages", "base", *ONE_STEP])
    with pytest.raises(UserError, match="to refine"):
        train.main([*words[:2], "--work", str(tmp_path), "--stages", "vae", "--decoder-only"])


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        (["--stages", "style,hair"], "no stage 'hair'"),
        (["--stages", "base"], "no stage 'base' with --base"),
        (["--encoder", "portrait"], "comes with its network"),
        (["--identity", "x.safetensors"], "comes with its network"),
        (["--faces", "people"], "read by the morphable head"),
        (["--early-stop", "3"], "never trained on"),
        (["--paper"], "never trained on"),
        (["--batch", "0"], "below 1"),
        (["--licence", ""], "carries their terms"),
        (["--prior", "nowhere.safetensors"], "no head prior at"),
        (["--precision", "fp16"], "needs a GPU"),
        (["--decoder-only"], "about the autoencoder"),
        (["--data", "nowhere"], "no folder nowhere, which --data names"),
        (["--held-out", "nowhere"], "no folder nowhere, which --held-out names"),
        (["--base", "nowhere"], "no folder nowhere, which --base names"),
    ],
)
def test_options_that_cannot_be_are_refused(given, tmp_path, extra, why):
    words, _ = given
    if torch.cuda.is_available() and "fp16" in extra:
        pytest.skip("there is a GPU")
    with pytest.raises(UserError, match=why):
        train.main([*words, "--work", str(tmp_path), *extra])


def test_a_bundle_to_start_from_that_is_nowhere_is_missed_at_once(tmp_path):
    with pytest.raises(UserError, match="no folder nowhere, which --init names"):
        parse(["--data", str(tmp_path), "--work", "w", "--init", "nowhere"])


def test_the_people_trained_on_are_not_held_out(given):
    words, folder = given
    with pytest.raises(UserError, match="nobody would be held out"):
        parse([*words, "--work", "w", "--held-out", str(folder / "others" / ".." / "people")])


def test_the_paper_preset_and_what_is_said_beside_it(tmp_path):
    data, others = tmp_path / "d", tmp_path / "h"
    data.mkdir(), others.mkdir()
    usual = parse(["--data", str(data), "--work", "w"])
    assert usual.base_minutes == 360 and usual.denoiser.condition_rate == 1.2e-3
    assert usual.stages == ("vae", "morphable", "base", "style", "expression", "bundle")
    paper = parse(["--data", str(data), "--work", "w", "--held-out", str(others), "--paper", "--batch", "4"])
    told = paper.denoiser
    assert (told.learning_rate, told.condition_rate, told.most_steps, told.batch) == (1e-4, 1e-4, 200_000, 4)
    assert (told.face, told.twins, told.late) == (1, 0, 1)  # the plain loss
    assert told.early_stop and told.rate(150_000, 0.75) == 1 and paper.style_minutes == math.inf


def test_faces_that_are_nowhere_are_missed_at_once(tmp_path):
    words = ["--data", str(tmp_path), "--work", "w", "--ict", str(tmp_path), "--faces"]
    with pytest.raises(UserError, match="no folder .*nowhere"):
        parse([*words, str(tmp_path / "nowhere")])
    assert parse([*words, str(tmp_path)]).faces == tmp_path


def test_a_bundle_names_the_encoder_its_people_were_embedded_with_and_takes_its_network_along(given, tmp_path):
    words, folder = given
    network = tmp_path / "net.safetensors"
    network.write_bytes(b"a network")
    encoder = ["--encoder", "portrait", "--identity", str(network), "--work", str(tmp_path), *ONE_STEP]
    with pytest.raises(UserError, match="embedded by dlib"):
        train.main([*words, *encoder])
    faces = shutil.copytree(folder / "people", tmp_path / "faces")
    for path in (folder / "people").glob("*.identity.safetensors"):
        save_file(load_file(path), path, {"encoder": title("portrait", network)})
    told = parse([*words[:2], *encoder[:4], "--work", str(tmp_path), "--ict", str(network), "--faces", str(faces)])
    with pytest.raises(UserError, match="faces are embedded by dlib"):
        train.check_encoder_of(told)
    assert train.main([*words, *encoder, "--out", str(tmp_path / "bundle")]) == 0
    bundle = load_bundle(tmp_path / "bundle", torch.device("cpu"))
    assert bundle.info.identity_encoder.name == "portrait" and bundle.identity_path.read_bytes() == b"a network"
