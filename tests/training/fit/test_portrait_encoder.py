"""The portrait network learns from a dataset's portraits: faces are found once, varied like photos, and told apart."""

import json
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from idto3d.errors import UserError
from idto3d.subject.identity.identity_file import load_identity
from idto3d.subject.identity.portrait_net import SIDE, PortraitSize
from idto3d.training.data import embedding, faces
from idto3d.training.data.augment import augmented
from idto3d.training.data.faces import CROP_SCALE, WIDE, head_mask, read_known
from idto3d.training.fit import portrait_encoder, portrait_targets
from idto3d.training.measure.portrait_scores import compared, readings_of
from idto3d.training.people.ict import read_ict
from idto3d.training.people.person import draw_person

PEOPLE, PORTRAITS, C = 6, 3, 100


@pytest.fixture(autouse=True)
def tiny_network(monkeypatch):
    """A network that learns in moments."""
    size = partial(PortraitSize, widths=(8, 16, 16, 16), blocks=(0, 1, 0, 0), hidden=32)
    monkeypatch.setattr(portrait_targets, "PortraitSize", size)


@pytest.fixture
def dataset(tmp_path):
    """Two shards of people whose crop is a patch as bright as their first coefficient; one has no face."""
    random = np.random.default_rng(0)
    for shard in range(2):
        coefficients = random.normal(size=(PEOPLE, C)).astype(np.float32)
        crop = np.full((PEOPLE, PORTRAITS, WIDE, WIDE, 4), 255, np.uint8)
        crop[..., :3] = (128 + 50 * coefficients[:, 0].clip(-2, 2))[:, None, None, None, None]
        known = random.normal(size=(PEOPLE, PORTRAITS, 128)).astype(np.float32)
        known /= np.linalg.norm(known, axis=-1, keepdims=True)
        known[0, 0] = 0
        marks = np.tile(np.float32([[42, 50], [66, 50], [54, 69], [37, 50], [71, 50]]), (PEOPLE, PORTRAITS, 1, 1))
        found = {"crop": crop, "landmarks": marks, "embedding": known}
        save_file(found, tmp_path / f"{shard:04}.faces.safetensors", {"scale": CROP_SCALE})
        arrays = {"coefficients": coefficients, "portraits": np.zeros((PEOPLE * PORTRAITS, 8, 8, 3), np.uint8)}
        save_file(arrays, tmp_path / f"{shard:04}.safetensors")
        looks = [asdict(draw_person(seed).look) for seed in range(PEOPLE)]
        words = {"people": [{"look": look, "subject": "person"} for look in looks]}
        (tmp_path / f"{shard:04}.json").write_text(json.dumps(words))
    return tmp_path


@pytest.fixture
def options(dataset, small_ict):
    told = {"data": dataset, "ict": small_ict, "out": dataset / "out" / "identity.safetensors"}
    return portrait_encoder.EncoderOptions(**told, minutes=0.03, batch=4, warmup=2)


def trained(told):
    learn, held = portrait_encoder.people(told)
    net = portrait_encoder.begin(learn, told)
    return portrait_encoder.train(net, portrait_encoder.lessons_of(net, learn, told), held, told)


def test_shape_and_words_are_learned_measured_written_and_gone_on_from(dataset, options, capsys):
    asked = ["--data", str(dataset), "--ict", str(options.ict), "--out", str(options.out), "--minutes", "0.02"]
    assert portrait_encoder.main([*asked, "--batch", "4"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"people": PEOPLE, "held_out": PEOPLE}
    assert "portraits_5" in lines[-1]["shape"] and "right_head" in lines[-1]["shape"]["photo_like_1"]
    assert 0 <= lines[-1]["words"]["beard"] <= 1
    net = load_identity(options.out)
    assert net.embedding_scale > 0
    assert not list(options.out.parent.glob("*.state.*"))
    told = replace(options, init=options.out)
    again = portrait_encoder.begin(portrait_encoder.people(told)[0], told)
    for name, value in net.named_parameters():
        assert torch.equal(value, again.state_dict()[name])
    with pytest.raises(UserError, match="finished already"):
        portrait_encoder.check_begin(options)


def test_an_interrupted_training_goes_on(options, monkeypatch):
    told, step = replace(options, save_seconds=0.0, minutes=5.0), portrait_encoder._step

    def breaks_off(net, optimiser, lessons, options, number):
        if number == 3:
            raise KeyboardInterrupt
        return step(net, optimiser, lessons, options, number)

    monkeypatch.setattr(portrait_encoder, "_step", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        trained(told)
    numbers = []

    def noted(net, optimiser, lessons, options, number):
        numbers.append(number)
        if len(numbers) == 2:
            raise KeyboardInterrupt
        return step(net, optimiser, lessons, options, number)

    monkeypatch.setattr(portrait_encoder, "_step", noted)
    with pytest.raises(KeyboardInterrupt):
        trained(told)
    assert numbers == [3, 4]


def test_the_shape_that_shows_in_the_crops_is_found(options):
    learn, _ = portrait_encoder.people(options)
    told = replace(options, batch=16)
    torch.manual_seed(0)
    net = portrait_encoder.begin(learn, told)
    lessons = portrait_encoder.lessons_of(net, learn, told)
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3)
    for step in range(80):
        portrait_encoder._step(net, optimiser, lessons, told, step)
    net.mirror.copy_(torch.eye(net.size.modes))  # a patch mirrored is as bright, so it is of the same head
    codes = readings_of(net.eval(), learn).codes.nanmean(1)
    right, wrong = ((codes - truth).square()[:, :4].sum() for truth in (lessons.codes, lessons.codes.roll(1, 0)))
    assert right < 0.5 * wrong


def test_knowing_everything_and_knowing_nothing_are_told_apart(options):
    learn, _ = portrait_encoder.people(options)
    net = portrait_encoder.begin(learn, options)
    truth = net.whitened(torch.from_numpy(learn.coefficients))
    assert net.code_share.sum() == pytest.approx(1)
    assert net.code_share[:4].sum() == pytest.approx(1)  # the stand-in has four shapes
    assert compared(net, truth, truth)["explained_surface"] == pytest.approx(1)
    assert compared(net, 0 * truth, truth)["explained_surface"] == pytest.approx(0, abs=1e-5)
    assert compared(net, truth.roll(1, 0), truth)["right_head"] == 0


def test_faces_that_were_not_found_are_never_drawn(dataset):
    known = read_known(dataset)
    assert known.found().sum() == 2 * (PEOPLE * PORTRAITS - 1)
    some = known.some(np.arange(2 * PEOPLE) >= PEOPLE)
    assert len(some.looks) == PEOPLE and np.array_equal(some.place[:, 0], np.ones(PEOPLE))
    people, crops, marks = portrait_encoder.draw(some, 5, torch.Generator().manual_seed(0))
    assert crops.shape == (5, 3, SIDE, SIDE) and marks.shape == (5, 5, 2) and people.max() < PEOPLE


def test_people_of_another_model_are_refused(options, small_ict):
    learn, _ = portrait_encoder.people(options)
    model = read_ict(small_ict)
    with pytest.raises(UserError, match="100 coefficients, the model 4"):
        portrait_targets.fresh_net(learn, replace(model, identity=model.identity[:4]))


def test_weights_go_on_only_where_they_mean_the_same(options):
    learn, _ = portrait_encoder.people(options)
    net, other = portrait_encoder.begin(learn, options), portrait_encoder.begin(learn, options)
    other.code_std.mul_(2)
    portrait_encoder._take(net, other)
    assert torch.allclose(net.head.weight[:64], 2 * other.head.weight[:64])
    assert torch.equal(net.head.weight[64:], other.head.weight[64:])
    before, other.coefficient_map[0, 0] = net.head.weight.clone(), 9.0
    torch.nn.init.normal_(other.head.weight)
    portrait_encoder._take(net, other)
    assert torch.equal(net.head.weight, before) and torch.equal(net.places.weight, other.places.weight)


def test_what_cannot_be_learned_from_is_refused_before_the_training(dataset, options):
    with pytest.raises(UserError, match="half varied"):
        portrait_encoder.check_begin(replace(options, batch=1))
    learn, _ = portrait_encoder.people(options)
    blank = replace(learn, embedding=np.zeros_like(learn.embedding))
    with pytest.raises(UserError, match="No portrait shows a face"):
        portrait_encoder.check_faces(learn, blank)


def test_faces_cut_at_another_scale_are_cut_anew(dataset, monkeypatch):
    cut = []
    monkeypatch.setattr(faces, "find_faces", lambda folder, shard, finder: cut.append(shard) or {"crop": np.zeros(1)})
    monkeypatch.setattr(faces, "DlibEncoder", lambda: None)
    monkeypatch.setattr(faces, "Faces", lambda **arrays: arrays)
    faces.read_faces(dataset, 0)
    assert cut == []
    save_file({"crop": np.zeros(1)}, dataset / "0000.faces.safetensors")
    faces.read_faces(dataset, 0)
    faces.read_faces(dataset, 0)
    assert cut == [0]


def test_a_portrait_is_shifted_with_its_landmarks():
    crops, marks = torch.zeros((2, WIDE, WIDE, 4), dtype=torch.uint8), torch.tensor([[[50.0, 40.0]] * 5] * 2)
    crops[:, 40, 50] = 255
    pictures, placed = portrait_encoder.shifted(crops, marks, torch.Generator().manual_seed(3))
    x, y = placed[0, 0].int().tolist()
    assert pictures.shape == (2, 3, SIDE, SIDE) and (x, y) != (50, 40) and pictures[0, 0, y, x] == 1


def test_variations_differ_repeat_and_keep_the_landmarks_on_the_face():
    crops = torch.full((9, WIDE, WIDE, 4), 120, dtype=torch.uint8)
    crops[:, 51:57, 51:57, :3] = 255
    marks = torch.full((9, 5, 2), 54.0)
    first, second = (augmented(crops, marks, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first[0], second[0]) and first[0].min() >= 0 and first[0].max() <= 1
    assert (first[0][0] - first[0][1]).abs().mean() > 0.02
    from idto3d.training.data.augment import moved

    pictures = crops.permute(0, 3, 1, 2).float() / 255
    images, placed = moved(pictures, marks, torch.Generator().manual_seed(1))
    bright = images[:, 0] > 0.7
    rows, columns = torch.meshgrid(torch.arange(SIDE) + 0.5, torch.arange(SIDE) + 0.5, indexing="ij")
    for mask, place in zip(bright, placed.mean(1), strict=True):
        assert torch.stack([columns[mask].mean(), rows[mask].mean()]) == pytest.approx(place, abs=1.5)


def test_the_head_is_told_from_a_plain_background():
    picture = np.full((64, 64, 3), 40, np.uint8)
    picture += (np.arange(64)[:, None, None] // 4).astype(np.uint8)
    picture[16:, 20:44] = (200, 150, 120)
    mask = head_mask(picture)
    assert mask[30:, 24:40].min() > 250 and mask[:, :14].max() == 0 and mask[:10].max() == 0


def test_portraits_are_embedded_anew_when_the_network_changes(dataset, options):
    network = options.out
    trained(options)
    name = embedding.title("portrait", network)
    assert not embedding.is_embedded(dataset, 0, name)
    embedding.embed_portraits(dataset, 0, PORTRAITS, "portrait", network)
    assert embedding.is_embedded(dataset, 0, name) and not embedding.is_embedded(dataset, 0, "dlib")
    found = load_file(dataset / "0000.identity.safetensors")["embedding"]
    assert found.shape == (PEOPLE, PORTRAITS, 128 + 64) and not found[0, 0].any()
    assert np.linalg.norm(found[1], axis=-1) == pytest.approx(1, abs=1e-5)
    with pytest.raises(UserError, match="--identity"):
        embedding.title("portrait", None)
    save_file({"embedding": found}, dataset / "0000.identity.safetensors", {"encoder": name.replace(" 10 glances", "")})
    assert "10 glances" in name and not embedding.is_embedded(dataset, 0, name)  # of single glances
    embedding.embed_portraits(dataset, 0, PORTRAITS, "dlib")
    assert embedding.is_embedded(dataset, 0, "dlib")
