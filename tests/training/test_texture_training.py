"""A tiny model of atlases learns, goes on where it stopped, and lies in a bundle in the end."""

import json

import numpy as np
import pytest
import torch

from idto3d.bundle.info import read_info
from idto3d.bundle.layout import ATLAS_FILES, own_files
from idto3d.config import EMBEDDED
from idto3d.errors import UserError
from idto3d.files import read_tensors
from idto3d.guidance.networks.atlas import LIT, UNLIT, load_atlas
from idto3d.guidance.networks.base import load_base
from idto3d.head.template_file import load_template
from idto3d.training import train
from idto3d.training.people.person import draw_person
from idto3d.training.texture import command, learn
from idto3d.training.texture.atlases import draw_atlases, open_board
from idto3d.training.texture.dataset import read_encoded
from idto3d.training.texture.measure import kernel_distance


@pytest.fixture(scope="module")
def board():
    return open_board(load_template(EMBEDDED / "template.safetensors"), 96)


@pytest.fixture(scope="module")
def drawn(pristine_folder, tmp_path_factory):
    """A work folder with the atlases of five people and three others."""
    work = tmp_path_factory.mktemp("texture")
    asked = ["--people", "5", "--held-out", "3", "--workers", "1", "--stages", "atlases"]
    assert command.main(arguments(pristine_folder, work, *asked)) == 0
    return work


def arguments(bundle, work, *more):
    return ["--bundle", str(bundle), "--work", str(work), "--sizes", "test", "--device", "cpu", *more]


def test_the_same_seed_gives_the_same_atlases_and_another_one_others(board):
    first, again, other = draw_atlases(board, 3), draw_atlases(board, 3), draw_atlases(board, 4)
    assert np.array_equal(first.worn, again.worn) and np.array_equal(first.lit, again.lit)
    assert not np.array_equal(first.clean, other.clean)


def test_a_clean_atlas_shows_the_skin_that_is_said(board):
    seeds = {draw_person(seed, board.template.words).look.skin: seed for seed in range(40)}
    tone = {word: draw_atlases(board, seeds[word]).clean[20:60, 30:60].mean() for word in ("pale", "tan", "dark")}
    assert tone["dark"] < tone["tan"] < tone["pale"]


def test_what_is_no_face_lies_outside_of_the_mask(board):
    changed = 0
    for seed in range(6):
        one = draw_atlases(board, seed)
        apart = np.abs(one.worn.astype(int) - one.clean).max(-1)
        assert apart[one.worn_mask == 1].max() < apart.max() or apart.max() == 0
        changed += int((one.worn_mask == 0).any())
    assert changed > 2


def test_atlases_lie_on_white(board):
    one = draw_atlases(board, 2)
    outside = ~board.texels.covered
    assert (one.clean[outside] == 255).all() and (one.lit[outside & (one.lit_mask == 1)] == 255).all()


def test_the_light_on_a_lit_atlas_follows_the_shape(board):
    one, smooth = draw_atlases(board, 1), board.texels.covered & (np.arange(96) < 80)
    light = np.log1p(one.lit.mean(-1)) - np.log1p(one.clean.mean(-1))
    assert light[smooth].std() > 0.15
    depth = board.texels.spread(board.texels.read(board.mean))[..., 2]
    assert abs(np.corrcoef(light[smooth], depth[smooth])[0, 1]) > 0.2


def test_training_goes_on_as_if_it_had_never_stopped(pristine_folder, drawn, tmp_path):
    parts = load_base(pristine_folder / read_info(pristine_folder).base)
    data = read_encoded(parts.vae, drawn / "people")
    results = []
    for steps in ((4,), (2, 4)):
        work = tmp_path / str(len(steps))
        work.mkdir()
        for number, most in enumerate(steps):
            model = command.new_model(parts, data, command.parse(arguments(pristine_folder, work)))
            asked = learn.LearnOptions(minutes=30, batch=2, warmup=1, most_steps=4, save_seconds=0.0)
            stopped = Stop(most) if number + 1 < len(steps) else Stop(99)
            try:
                learn.learn(model, parts, data, asked, work, stopped)
            except InterruptedError:
                continue
        results.append(read_tensors(work / learn.CHECKPOINT))
    assert all(torch.equal(results[0][name], value) for name, value in results[1].items())


class Stop:
    """Reports until a step, and then ends the process, as it were."""

    def __init__(self, step):
        self.step = step

    def __call__(self, step, _seconds, _loss):
        if step > self.step:
            raise InterruptedError


def test_a_model_learns_which_domain_is_which_and_lands_in_the_bundle(folder, drawn, tmp_path, capsys):
    (tmp_path / "work").symlink_to(drawn)
    asked = arguments(
        folder, tmp_path / "work", "--most-steps", "24", "--batch", "4", "--warmup", "2", "--samples", "2"
    )
    assert (
        train.main(["--domain", "texture", *asked, "--learning-rate", "0.01", "--stages", "learn,measure,bundle"]) == 0
    )
    figures = json.loads(capsys.readouterr().out)
    assert figures["error"] < 1.5 * figures["usual_error"]
    assert json.loads((drawn / "log.jsonl").read_text().splitlines()[-1])["step"] == 20
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert set(ATLAS_FILES) <= set(own_files(read_info(folder), present))
    parts = load_base(folder / read_info(folder).base)
    model = load_atlas(folder, parts)
    assert not torch.equal(model.words[UNLIT], model.words[LIT])
    (folder / ATLAS_FILES[0]).unlink()
    with pytest.raises(UserError):
        load_atlas(folder, parts)


def test_pictures_of_one_kind_lie_nearer_to_each_other_than_to_others():
    random = torch.Generator().manual_seed(0)
    one, same = (torch.randn(40, 16, generator=random) for _ in range(2))
    assert kernel_distance(one, same) < 0.2 * kernel_distance(one, same + 2)


def test_what_is_not_there_is_said(tmp_path, pristine_folder):
    with pytest.raises(UserError, match="no atlases"):
        command.main(arguments(pristine_folder, tmp_path, "--stages", "learn"))
    with pytest.raises(UserError, match="no stage 'paint'"):
        command.parse(arguments(pristine_folder, tmp_path, "--stages", "paint"))
