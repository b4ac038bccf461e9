"""The morphable head is fitted: its mesh is the model's, and it reads words, expressions and faces."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.spatial import cKDTree

from idto3d.errors import UserError
from idto3d.guidance.networks.tiny import TEST_SPEC, tiny_base
from idto3d.training import train
from idto3d.training.data.dataset import People
from idto3d.training.fit import morphable_mesh
from idto3d.training.fit.morphable import MorphableOptions, fit_morphable, known_phrases, said_of
from idto3d.training.fit.morphable_mesh import build_morphable, thinned, tones_of
from idto3d.training.fit.surface_modes import mirror_of, surface_modes
from idto3d.training.loop import make_accelerator
from idto3d.training.measure.heard import morphable_errors
from idto3d.training.model import encode_text
from idto3d.training.options import parse
from idto3d.training.people.ict import read_ict
from idto3d.training.people.person import draw_person
from idto3d.training.people.sculptor import SKIN
from idto3d.words.captions import PARTS, caption, described
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.prompts import DOMAINS
from idto3d.words.traits import BEARDS, TAUGHT_STYLES

QUICK = MorphableOptions(captions=1500, steps=500, altered=0.0, dropout=0.0, decay=0.0)


@pytest.fixture(autouse=True, scope="module")
def few_measured():
    """Hair and skin of few people in place of many: their means are not what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(morphable_mesh, "HAIR_SAMPLES", 2)
        patch.setattr(morphable_mesh, "PAINTED_PEOPLE", 30)
        yield


@pytest.fixture(scope="module")
def faces(small):
    """Ninety people whose embeddings are a linear function of the coefficients that move the stand-in."""
    people = small.made_up_people(count=90, views=1)
    coefficients = torch.from_numpy(np.stack([draw_person(seed).coefficients for seed in range(90)]))
    mixing = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    seen = torch.nn.functional.normalize(coefficients[:, :4] @ mixing + 3, dim=-1)
    return replace(people, coefficients=coefficients, embedding=seen[:, None].expand(-1, 2, -1))


@pytest.fixture(scope="module")
def fitted(small, small_ict, faces):
    spec = replace(TEST_SPEC, text_width=128, max_words=32)  # room for all words of a caption at once
    parts, model = tiny_base(spec, train.known_words()), read_ict(small_ict)
    return parts, model, fit_morphable(parts, faces, model, QUICK)


@torch.no_grad()
def figures(fitted, people: People, who: int, text: str = "", identity: bool = True, expression: int = 0):
    parts, _, head = fitted
    states, mood = encode_text(parts, [text])[0].mean(1), encode_text(parts, [EXPRESSIONS[expression].descriptor])[1]
    return head.figures(states * bool(text), people.embedding[who, :1] * identity, mood)


def test_a_face_alone_tells_its_shape(fitted, faces):
    _, model, head = fitted
    true = surface_modes(model).amounts(faces.coefficients.numpy())
    found = np.concatenate([figures(fitted, faces, who).shape.numpy() for who in range(90)])
    none = figures(fitted, faces, 0, identity=False).shape.numpy()
    assert np.square(found - true).sum() < 0.4 * np.square(true).sum()
    assert np.square(none).sum() < 0.3 * np.square(true).sum(1).mean()


def test_words_tell_hair_and_skin_and_an_expression_moves_by_itself(fitted, faces):
    for who in range(0, 90, 9):
        look = faces.looks[who]
        found = figures(fitted, faces, who, caption("front", "albedo", described(look)), expression=who % 13)
        assert TAUGHT_STYLES[int(found.style)] == look["hair_style"]
        tones = np.concatenate([found.skin[0].numpy(), found.hair[0].numpy(), found.brows[0].numpy()])
        told = 3 if look["hair_style"] == "bald" else 9  # nobody says what colour a bald head's hair would have
        assert np.abs(tones - tones_of(look))[:told].max() < 0.15
        assert BEARDS[int(found.beard)] == look["beard"]
        wanted = torch.eye(13)[who % 13]
        assert torch.allclose(found.moves[0], wanted, atol=1e-2)


def test_the_mesh_is_the_models_and_moves_as_it_does(fitted):
    _, model, head = fitted
    assert head.size.faces < len(model.faces) and head.mean.abs().max() < 0.2
    jaw = [e.name for e in EXPRESSIONS].index("mouth stretch")
    wanted = np.tensordot(model.weights(EXPRESSIONS[jaw]), model.expression, 1)
    moved = head.followed(head.moves[jaw])
    assert moved.abs().max() == pytest.approx(np.abs(wanted).max(), rel=0.05)
    assert not head.moves[0].any()
    corners = head.mean[head.faces.long()]
    outward = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((outward * (corners.mean(1) - head.mean.mean(0))).sum(-1) > 0).float().mean() > 0.95


def test_vertices_follow_handles_as_the_model_moves_them(small_ict):
    model, random = read_ict(small_ict), np.random.default_rng(0)
    shapes, (kept, _) = surface_modes(model), thinned(model)
    rest = model.neutral + np.tensordot(shapes.mean, model.identity, 1)
    head = build_morphable(model, shapes, (8, 8, 3), 32)
    amounts = random.normal(size=len(shapes.modes)) * shapes.deviation
    wanted = np.tensordot(amounts @ shapes.modes, model.identity[:, kept], 1)
    found = head.followed(torch.einsum("k,khc->hc", torch.from_numpy(amounts).float(), head.modes)).numpy()
    assert head.size.handles < len(kept) and np.allclose(head.mean.numpy(), rest[kept], atol=1e-6)
    assert np.square(found - wanted).sum() < 0.01 * np.square(wanted).sum()


def test_beards_lie_on_the_lower_face_and_point_outward(small_ict):
    model = read_ict(small_ict)
    head = build_morphable(model, surface_modes(model), (8, 8, 3), 32)
    full = BEARDS.index("beard")
    assert not head.beard_cover[BEARDS.index("clean")].any() and not head.beard_depth[: BEARDS.index("moustache")].any()
    assert 0.005 < head.beard_depth[full] < 0.010
    where = head.beard_cover[full] > 0.5
    assert where.any() and head.mean[where, 1].max() < 0.02
    assert 0 < head.beard_cover[BEARDS.index("moustache")].sum() < 0.5 * head.beard_cover[full].sum()


def test_only_what_a_caption_says_is_said(faces):
    phrases = known_phrases(("round face",))
    look = {**faces.looks[0], "hair_style": "bald", "beard": "clean", "face": ("round face",), "age": "old"}
    said = dict(zip(phrases, said_of(look, phrases, ("hair", "age", "beard")), strict=True))
    assert said["hair_style", "bald"] and said["age", "old"]
    assert not any(said["hair_colour", word] for name, word in phrases if name == "hair_colour")
    assert not said["beard", "clean"] and not said["face", "round face"] and not said["skin", look["skin"]]
    assert sum(said_of(look, phrases, PARTS)) == 4  # skin, hair, age, face


def test_it_is_fitted_once_and_read_by_what_builds_on_it(small, small_ict, faces, tmp_path, capsys, monkeypatch):
    quick = replace(QUICK, captions=50, steps=3)
    monkeypatch.setattr(train, "fit_morphable", lambda *given: fit_morphable(*given[:3], quick))
    data = str(small.write_dataset(tmp_path / "people", faces))
    words = ["--data", data, "--work", str(tmp_path), "--stages"]
    one = make_accelerator("auto")
    assert train.run_morphable(one, small.tiny_parts(), parse([*words, "base"])).morphable is None
    assert "learns without one" in capsys.readouterr().err
    with pytest.raises(UserError, match="no morphable head in"):
        train.run_morphable(one, small.tiny_parts(), parse([*words, "base", "--ict", str(small_ict)]))
    (tmp_path / "rig").mkdir()
    with pytest.raises(UserError, match="Rename that folder to 'morphable'"):  # as the stage called it before
        train.run_morphable(one, small.tiny_parts(), parse([*words, "base"]))
    (tmp_path / "rig").rmdir()
    with pytest.raises(UserError, match="made of a morphable model"):
        parse([*words, "morphable"])
    parts = train.run_morphable(one, small.tiny_parts(), parse([*words, "morphable", "--ict", str(small_ict)]))
    again = train.run_morphable(one, small.tiny_parts(), parse([*words, "base"]))
    assert all(torch.equal(a, again.morphable.state_dict()[name]) for name, a in parts.morphable.state_dict().items())
    assert parts.unet.config.in_channels == 2 * parts.unet.config.out_channels
    model, found = train.prepare(again, parse([*words, "base"]))
    others = replace(faces, embedding=faces.embedding.flip(0))
    told = [*words, "morphable", "--ict", str(small_ict), "--again", "--faces"]
    more = small.write_dataset(tmp_path / "more", others)
    for path in more.glob("[0-9]???.safetensors"):  # portraits alone
        save_file({"coefficients": load_file(path)["coefficients"]}, path)
    other = train.run_morphable(one, small.tiny_parts(), parse([*told, str(more)]))
    # it was read from other people's portraits
    assert not torch.equal(other.morphable.plain.weight, parts.morphable.plain.weight)
    assert set(found.latents) == set(DOMAINS) and model.morphable is again.morphable


def test_the_mirror_of_a_shape_is_that_of_its_vertices(small_ict):
    model = read_ict(small_ict)
    shapes = surface_modes(model)
    mirror = mirror_of(model, shapes)
    flip = np.array([-1, 1, 1], np.float32)
    moved = np.tensordot(shapes.modes, model.identity[:, :SKIN], 1)
    some = np.random.default_rng(0).choice(SKIN, 40, replace=False)
    away = np.linalg.norm(model.neutral[:SKIN] - (model.neutral[some] * flip)[:, None], axis=-1)
    pairs = cKDTree(model.neutral[:SKIN]).query(model.neutral[:SKIN] * flip)[1]
    assert np.array_equal(pairs[some], away.argmin(1))
    for k in range(3):  # what the mirrored mode has of each mode, vertex by vertex
        assert np.allclose(mirror[:, k], (moved * (moved[k, pairs] * flip)).sum((1, 2)), atol=1e-4)


@pytest.mark.parametrize(
    ("given", "why"), [(lambda c: c * float("nan"), "no coefficients"), (lambda c: c[:, :7], "have 7 coefficients")]
)
def test_scans_and_people_of_another_model_are_refused(small, small_ict, faces, given, why):
    others = replace(faces, coefficients=given(faces.coefficients))
    with pytest.raises(UserError, match=why):
        fit_morphable(small.tiny_parts(), others, read_ict(small_ict), QUICK)


def test_a_fit_is_its_seeds_alone_and_leaves_the_dice_as_they_are(small, small_ict, faces):
    told, fits = replace(QUICK, captions=50, steps=3), []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        fits.append(fit_morphable(small.tiny_parts(), faces, read_ict(small_ict), told).state_dict())
        torch.manual_seed(seed)
        assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(value, fits[1][name]) for name, value in fits[0].items())


def test_the_morphable_heads_error_is_that_of_its_latents(small):
    model, data = small.tiny_model(), small.tiny_data()
    found = morphable_errors(model, data)
    assert set(found) == {"morphable_geometry_error", "morphable_albedo_error"}
    assert 0 < morphable_errors(model, data, most=3)["morphable_albedo_error"] != found["morphable_albedo_error"]


def test_a_morphable_head_of_other_embeddings_is_refused(small, fitted, faces, tmp_path):
    other = replace(faces, embedding=faces.embedding[..., :5])
    data = str(small.write_dataset(tmp_path / "people", other))
    parts = small.tiny_parts()
    parts = train.with_morphable(parts, fitted[2])
    with pytest.raises(UserError, match="reads 8 numbers of a face, and the portraits have 5"):
        train.prepare(parts, parse(["--data", data, "--work", str(tmp_path), "--stages", "base"]))
