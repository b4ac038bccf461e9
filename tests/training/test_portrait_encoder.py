"""The portrait network learns from a dataset's portraits: faces are found once, varied like photos, and told apart."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from idto3d.errors import UserError
from idto3d.fields.head_prior import HeadPrior, PriorSize
from idto3d.subject.identity_file import load_identity
from idto3d.subject.looks_net import LooksNet, LooksSize
from idto3d.training import embedding, portrait_encoder, portrait_targets, shape_fit, synthesize
from idto3d.training.augment import augmented
from idto3d.training.faces import WIDE, head_mask, read_known
from idto3d.training.people import draw_person

PEOPLE, PORTRAITS, C = 6, 3, 7


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
        marks = np.tile(np.float32([[50, 60], [78, 60], [64, 82], [44, 60], [84, 60]]), (PEOPLE, PORTRAITS, 1, 1))
        save_file({"crop": crop, "landmarks": marks, "embedding": known}, tmp_path / f"{shard:04}.faces.safetensors")
        arrays = {"coefficients": coefficients, "portraits": np.zeros((PEOPLE * PORTRAITS, 8, 8, 3), np.uint8)}
        save_file(arrays, tmp_path / f"{shard:04}.safetensors")
        looks = [dataclasses.asdict(draw_person(seed).look) for seed in range(PEOPLE)]
        words = {"people": [{"look": look, "subject": "person"} for look in looks]}
        (tmp_path / f"{shard:04}.json").write_text(json.dumps(words))
    return tmp_path


def options(dataset, **changed):
    told = {"data": dataset, "out": dataset / "out" / "identity.safetensors", "minutes": 0.03, "batch": 4, "warmup": 2}
    return portrait_encoder.EncoderOptions(**told | changed)


def trained(told):
    learn, held = portrait_encoder.people(told)
    reader, net = portrait_encoder.begin(learn, told)
    words = portrait_targets.classes(learn.looks, net.size.attributes)
    return portrait_encoder.train(net, portrait_encoder.Lessons(learn, words, reader, {}), held, told)


def test_shape_and_words_are_learned_measured_written_and_gone_on_from(dataset, capsys):
    told = options(dataset)
    assert portrait_encoder.main(["--data", str(dataset), "--out", str(told.out), "--minutes", "0.02"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"people": PEOPLE, "held_out": PEOPLE}
    assert "portraits_5" in lines[1]["shape"] and "right_of_50" in lines[1]["shape"]["photo_like_1"]
    assert 0 <= lines[2]["words"]["beard"] <= 1
    reader, net = load_identity(told.out)
    assert reader.embedding_scale > 0
    assert not list(told.out.parent.glob("*.state.*"))
    _, again = portrait_encoder.begin(portrait_encoder.people(told)[0], options(dataset, init=told.out))
    for name, value in net.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_an_interrupted_training_goes_on(dataset, monkeypatch):
    told, step = options(dataset, save_seconds=0.0, minutes=5.0), portrait_encoder._step

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


def test_the_reader_finds_the_shape_that_shows_in_the_crops():
    random, count = np.random.default_rng(2), 40
    brightness, marks = random.uniform(0, 1, count), np.zeros((count, 5, 2), np.float32)
    crops = np.zeros((count, 64, 64, 3), np.uint8)
    for crop, share in zip(crops, brightness, strict=True):
        crop[:, : 8 + int(48 * share)] = 200  # an edge whose place is the only coefficient that shows
    known = np.tile(np.float32([1, *[0] * 127]), (count, 1)) + random.normal(0, 0.01, (count, 128)).astype(np.float32)
    coefficients = np.stack([brightness, random.normal(size=count)], 1).astype(np.float32)
    meaning = portrait_targets.code_meaning(coefficients, None)
    inputs = (shape_fit.edges(crops), marks, known)
    reader = shape_fit.measured_out(inputs, meaning, shape_fit.ReaderSize(), torch.Generator().manual_seed(0))
    truth = reader.whitened(torch.from_numpy(coefficients))
    kernels, inner = reader.kernels(reader.features(*inputs)).double(), reader.kernels(reader.centres).double()
    shape_fit.solve(reader, kernels[::2], inner, truth[::2], 0.01)
    guess = kernels[1::2].float() @ reader.weights + reader.bias
    place = (guess * reader.code_std + reader.code_mean) @ torch.linalg.pinv(reader.coefficient_map)
    wanted = coefficients[1::2, 0]
    assert np.corrcoef(place[:, 0], wanted)[0, 1] > 0.9


def test_the_loss_falls(dataset):
    learn, _ = portrait_encoder.people(options(dataset))
    torch.manual_seed(0)
    net = LooksNet(LooksSize(attributes=portrait_targets.vocabularies(learn.looks)))
    told = portrait_encoder.Lessons(learn, portrait_targets.classes(learn.looks, net.size.attributes), None, {})
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3)
    losses = [portrait_encoder._step(net, optimiser, told, options(dataset, batch=8), step) for step in range(25)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_faces_that_were_not_found_are_never_drawn(dataset):
    faces = read_known(dataset)
    assert faces.found().sum() == 2 * (PEOPLE * PORTRAITS - 1)
    some = faces.some(np.arange(2 * PEOPLE) >= PEOPLE)
    assert len(some.looks) == PEOPLE and np.array_equal(some.place[:, 0], np.ones(PEOPLE))
    people, crops, marks = portrait_encoder.draw(some, 5, torch.Generator().manual_seed(0))
    assert crops.shape == (5, 3, 64, 64) and marks.shape == (5, 5, 2) and people.max() < PEOPLE


def test_a_prior_of_other_heads_is_refused_and_a_fitting_one_gives_its_code(dataset):
    learn, _ = portrait_encoder.people(options(dataset))
    with pytest.raises(UserError, match="100 coefficients"):
        portrait_targets.code_meaning(learn.coefficients, HeadPrior(PriorSize(modes=4)))
    prior = HeadPrior(PriorSize(modes=4))
    prior.coefficient_map.normal_()
    prior.coarse.copy_(torch.linspace(-0.1, 0.1, len(prior.coarse))[:, None, None])
    prior.fine.copy_(torch.linspace(-0.01, 0.01, len(prior.fine))[:, None, None])
    coefficients = np.random.default_rng(1).normal(size=(30, 100)).astype(np.float32)
    meaning = portrait_targets.code_meaning(coefficients, prior)
    assert np.allclose(meaning["coefficient_map"], prior.coefficient_map)
    truth = (coefficients @ meaning["coefficient_map"] - meaning["code_mean"]) / meaning["code_std"]
    assert np.allclose(truth.std(0), 1, atol=1e-3) and meaning["code_share"].sum() == pytest.approx(1)


def test_variations_differ_repeat_and_keep_the_landmarks_on_the_face():
    crops = torch.full((9, WIDE, WIDE, 4), 120, dtype=torch.uint8)
    crops[:, 34:39, 34:39, :3] = 255
    marks = torch.full((9, 5, 2), 36.5)
    first, second = (augmented(crops, marks, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first[0], second[0]) and first[0].min() >= 0 and first[0].max() <= 1
    assert (first[0][0] - first[0][1]).abs().mean() > 0.02
    from idto3d.training.augment import moved

    pictures = crops.permute(0, 3, 1, 2).float() / 255
    images, placed = moved(pictures, marks, torch.Generator().manual_seed(1))
    bright = images[:, 0] > 0.7
    rows, columns = torch.meshgrid(torch.arange(64.0) + 0.5, torch.arange(64.0) + 0.5, indexing="ij")
    for mask, place in zip(bright, placed.mean(1), strict=True):
        assert torch.stack([columns[mask].mean(), rows[mask].mean()]) == pytest.approx(place, abs=1.5)


def test_the_head_is_told_from_a_plain_background():
    picture = np.full((64, 64, 3), 40, np.uint8)
    picture += (np.arange(64)[:, None, None] // 4).astype(np.uint8)
    picture[16:, 20:44] = (200, 150, 120)
    mask = head_mask(picture)
    assert mask[30:, 24:40].min() > 250 and mask[:, :14].max() == 0 and mask[:10].max() == 0


def test_portraits_are_embedded_anew_when_the_network_changes(dataset, tmp_path):
    told = options(dataset)
    network = told.out
    trained(told)
    told = synthesize.SynthesisOptions(ict=tmp_path, out=dataset, encoder="portrait", identity=network)
    name = embedding.title("portrait", network)
    assert not embedding.is_embedded(dataset, 0, name)
    embedding.embed_portraits(dataset, 0, PORTRAITS, "portrait", network)
    assert embedding.is_embedded(dataset, 0, name) and not embedding.is_embedded(dataset, 0, "dlib")
    found = load_file(dataset / "0000.identity.safetensors")["embedding"]
    assert found.shape == (PEOPLE, PORTRAITS, 128 + PEOPLE) and not found[0, 0].any()
    assert np.linalg.norm(found[1], axis=-1) == pytest.approx(1, abs=1e-5)
    with pytest.raises(UserError, match="--identity"):
        embedding.title("portrait", None)
    embedding.embed_portraits(dataset, 0, PORTRAITS, "dlib")
    assert embedding.is_embedded(dataset, 0, "dlib")
