"""The morphable head follows every condition and is drawn as any other; a UNet begins by not looking at it."""

import shutil
from dataclasses import replace

import pytest
import torch
from rounding import same_but_for_rounding

from idto3d.bundle.layout import own_files
from idto3d.errors import UserError
from idto3d.files import read_tensors
from idto3d.guidance.cameras import angles_of, camera_codes
from idto3d.guidance.loading import load_bundle
from idto3d.guidance.networks.base import load_base, save_base, with_morphable
from idto3d.guidance.networks.morphable import BEARD_TONE, MorphableHead, outward
from idto3d.guidance.networks.tiny import TEST_SPEC, tiny_morphable
from idto3d.guidance.prediction import Guidance
from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import orbit, standard_cameras
from idto3d.render.draw import camera_normals, draw_surface

WIDTH, ID_DIM = TEST_SPEC.text_width, 6


@pytest.fixture
def head() -> MorphableHead:
    torch.manual_seed(0)
    return tiny_morphable(TEST_SPEC, ID_DIM)


def conditions(count: int = 2) -> tuple[torch.Tensor, ...]:
    random = torch.Generator().manual_seed(1)
    said = [torch.randn(count, width, generator=random) for width in (WIDTH, ID_DIM, WIDTH)]
    return *said, camera_codes(torch.tensor([0.0, 50.0]), torch.tensor([5.0, -3.0]))


def test_every_condition_moves_its_own_picture_alone(head):
    given = conditions()
    before = head("geometry", *given)
    assert before.shape == (2, 3, 32, 32) and before.min() >= 0 and before.max() <= 1
    assert not torch.allclose(before, head("albedo", *given), atol=1e-2)
    for index in range(4):
        changed = [one.clone() for one in given]
        changed[index][1] = changed[index][1].flip(-1)
        after = head("geometry", *changed)
        assert same_but_for_rounding(after[0], before[0]) and not torch.allclose(after[1], before[1], atol=1e-3)


def test_an_unknown_condition_is_one_of_no_strength(head):
    text, identity, expression, camera = conditions()
    silent = head("albedo", text, 0 * identity, expression, camera)
    assert same_but_for_rounding(silent, head("albedo", text, identity, expression, camera, (0.0, 1.0)))
    silent = head("albedo", text, identity, 0 * expression, camera)
    assert same_but_for_rounding(silent, head("albedo", text, identity, expression, camera, (1.0, 0.0)))


def test_before_an_unknown_camera_there_is_nothing(head):
    text, identity, expression, camera = conditions()
    seen = head("geometry", text, identity, expression, camera * torch.tensor([[1.0], [0.0]]))
    assert (seen[0] < 0.9).any() and (seen[1] == 1).all()


def test_a_style_is_worn_where_the_head_is_and_follows_its_shape(head):
    figures = head.figures(*conditions()[:3])
    bald = head.dressed(figures.__class__(**{**vars(figures), "style": torch.tensor([0, 0])}), 0)
    worn = head.dressed(figures.__class__(**{**vars(figures), "style": torch.tensor([1, 1])}), 0)
    assert len(bald[0]) == 6 and len(worn[0]) == 11 and len(worn[1]) == len(bald[1]) + 4
    assert torch.equal(worn[0][:6], bald[0])
    rest = head.mean + torch.einsum("k,kvc->vc", figures.shape[0], head.modes)  # its handles are its corners
    assert torch.allclose(worn[0][6:], rest[:5] + head.hair_offsets)
    assert worn[1].max() == 10 and torch.allclose(worn[2][6:], figures.hair[:1].clamp(0, 1).expand(5, -1))


def test_a_beard_stands_off_the_skin_and_has_the_colour_of_brows(head):
    figures = head.figures(*conditions()[:3])
    clean, bearded = (
        head.dressed(replace(figures, style=0 * figures.style, beard=torch.full((2,), beard)), 0) for beard in (0, 1)
    )
    assert torch.allclose(bearded[0], clean[0] + 0.2 * 0.5 * head.mean) and torch.equal(bearded[1], clean[1])
    head.beard_cover[1].fill_(1)
    covered = head.dressed(replace(figures, style=0 * figures.style, beard=torch.ones(2, dtype=torch.int64)), 0)[2]
    assert torch.allclose(covered, (BEARD_TONE * figures.brows[:1]).clamp(0, 1).expand(6, -1))


def test_a_vertex_follows_its_handles_by_its_shares(head):
    head.near[5, :2], head.pull[5, :2] = torch.tensor([1, 2], dtype=torch.int32), torch.tensor([0.25, 0.75])
    handles = torch.randn(6, 3)
    moved = head.followed(handles)
    assert torch.allclose(moved[5], 0.25 * handles[1] + 0.75 * handles[2]) and torch.equal(moved[:5], handles[:5])


def test_the_inside_of_an_open_shell_is_drawn_as_its_outside(head):
    vertices, faces = 0.05 * torch.tensor([[-1.0, -1, 0], [1, -1, 0], [0, 1, 0]]), torch.tensor([[0, 2, 1]])
    surface = draw_surface(vertices, faces, standard_cameras(0.0, 0.0), make_rasterizer("cpu"), 32)
    assert (camera_normals(surface)[:, 2] < -0.9).all() and (outward(surface)[:, 2] > 0.9).all()


def test_a_camera_code_tells_where_the_camera_is():
    azimuth, elevation = torch.tensor([0.0, 95.0, -60.0, 170.0]), torch.tensor([0.0, 10.0, -5.0, 0.0])
    codes = camera_codes(azimuth, elevation)
    place = orbit(azimuth, elevation, target=(0.0, 0.0, 0.0))[:, :3, 3]
    assert torch.allclose(codes[:, :2], torch.nn.functional.normalize(place[:, [0, 2]], dim=-1), atol=1e-6)
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(angles_of(codes), (azimuth, elevation), strict=True))


def test_a_base_begins_by_not_looking_at_it(parts, head):
    noisy, steps, text = torch.randn(2, 4, 4, 4), torch.tensor([5, 900]), torch.randn(2, 5, WIDTH)
    with torch.no_grad():
        before = parts.unet(noisy, steps, text).sample
        parts = with_morphable(parts, head)
        after = parts.unet(torch.cat([noisy, torch.randn(2, 4, 4, 4)], 1), steps, text).sample
    assert torch.allclose(before, after, atol=1e-6)


def test_it_is_saved_with_the_base_and_missed_without(parts, head, tmp_path):
    parts = with_morphable(parts, head)
    save_base(parts, tmp_path, torch.float32)
    found, given = load_base(tmp_path), conditions()
    assert same_but_for_rounding(found.morphable("albedo", *given), head("albedo", *given))
    assert not any(parameter.requires_grad for parameter in found.morphable.parameters())
    shutil.rmtree(tmp_path / "morphable")
    with pytest.raises(UserError, match="takes 8 channels where 4 are expected"):
        load_base(tmp_path)


def test_a_bundle_that_calls_it_as_before_is_refused_and_says_what_to_rename(bundle, folder):
    base = folder / "base"
    (base / "morphable").rename(base / "rig")
    before, now = ('"_class_name": "HeadRig"', '"_class_name": "MorphableHead"')
    config = base / "rig" / "config.json"
    config.write_text(config.read_text().replace(now, before))
    with pytest.raises(UserError, match="in a folder 'rig'.*Rename that folder to 'morphable'"):
        load_bundle(folder, torch.device("cpu"))
    with pytest.raises(UserError, match="in its config.json 'HeadRig' to 'MorphableHead'"):
        own_files(bundle.info, {"base/rig/config.json"})
    (base / "rig").rename(base / "morphable")
    config = base / "morphable" / "config.json"
    config.write_text(config.read_text().replace(before, now))
    assert load_bundle(folder, torch.device("cpu")).parts.morphable is not None


def test_half_precision_keeps_its_places_and_says_nothing_of_where_it_was(parts, head, tmp_path):
    save_base(with_morphable(parts, head), tmp_path)
    found = load_base(tmp_path).morphable
    again = load_base(tmp_path)
    save_base(again, tmp_path / "copy")
    assert torch.equal(found.faces, head.faces) and found.mean.dtype == torch.float32
    assert read_tensors(tmp_path / "morphable" / "diffusion_pytorch_model.safetensors")["faces"].dtype == torch.int16
    assert found.faces.dtype == found.hair_faces.dtype == torch.int32
    assert str(tmp_path) not in (tmp_path / "copy" / "morphable" / "config.json").read_text()


def test_autocast_does_not_make_steps_in_it(head):
    given = conditions()
    with torch.autocast("cpu", torch.bfloat16):
        coarse = head("geometry", *given)
    assert coarse.dtype == torch.float32 and same_but_for_rounding(coarse, head("geometry", *given))


def test_a_domain_that_it_does_not_know_is_refused(head):
    with pytest.raises(ValueError, match="expected one of"):
        head("roughness", *conditions())


def test_a_picture_is_drawn_once_for_all_steps_of_a_sample(bundle, monkeypatch):
    guidance, drawn = Guidance(bundle), []
    draw = guidance.morphable_pictures
    monkeypatch.setattr(guidance, "morphable_pictures", lambda *asked: drawn.append(asked[0]) or draw(*asked))
    camera = camera_codes(torch.zeros(1), torch.zeros(1))
    asked = [guidance.conditions(["a"], "", torch.ones(ID_DIM), ["a face"], camera * sign) for sign in (1, -1)]
    fresh = [guidance.morphable_latents(domain, one)[0] for one in asked for domain in ("geometry", "albedo")]
    assert drawn == ["geometry", "albedo"] * 2 and len({float(one.sum()) for one in fresh}) == 4
    guidance.sample("albedo", asked[1], 3, torch.Generator().manual_seed(0))
    assert len(drawn) == 4


def test_a_sample_keeps_what_does_not_fit_into_latents(bundle, monkeypatch):
    guidance, camera = Guidance(bundle), camera_codes(torch.zeros(1), torch.zeros(1))
    asked = guidance.conditions(["a"], "", torch.ones(ID_DIM), ["a face"], camera)
    latents, picture = guidance.morphable_latents("geometry", asked)[0], guidance.morphable_pictures("geometry", asked)
    lost = picture - guidance.decode(latents)
    monkeypatch.setattr(guidance, "predict", lambda domain, noisy, *_: (noisy * 0, noisy * 0))
    random = torch.Generator().manual_seed(0)
    found = guidance.sample("geometry", asked, 1, random)
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    first = torch.tensor([bundle.info.sampling_from - 1])
    noisy = guidance.add_noise(latents, noise, first)
    wanted = guidance.decode(noisy / guidance.alpha_bar(first).sqrt()) + lost
    assert lost.abs().max() > 0.05 and torch.allclose(found, wanted.clamp(0, 1), atol=1e-5)


def test_without_the_identity_branch_nobody_in_particular_is_drawn(bundle):
    texts, camera = ["a front view normal map"], camera_codes(torch.zeros(1), torch.zeros(1))
    one, other = torch.linspace(-1, 1, ID_DIM), torch.linspace(1, -1, ID_DIM)
    for strength, same in ((1.0, False), (0.0, True)):
        guidance = Guidance(bundle, lambda_id=strength)
        asked = (guidance.conditions(texts, "", who, ["a face"], camera) for who in (one, other))
        (first, silent), (second, also) = (guidance.morphable_latents("geometry", wanted) for wanted in asked)
        assert same_but_for_rounding(first, second) is same and torch.equal(silent, also)
