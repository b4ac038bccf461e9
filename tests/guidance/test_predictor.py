"""The initial predictor: what it hears, what it does not, and a UNet that begins by not listening to it."""

import shutil

import pytest
import torch

from idto3d.errors import UserError
from idto3d.guidance.base import load_base, save_base, with_predictor
from idto3d.guidance.diffusion import Guidance
from idto3d.guidance.predictor import UNKNOWN, InitialPredictor, camera_codes, camera_offsets, view_of
from idto3d.guidance.tiny import TEST_SPEC
from idto3d.prompts import VIEWS, view_word
from idto3d.render.camera import orbit

WIDTH, ID_DIM = TEST_SPEC.text_width, 6


@pytest.fixture
def predictor() -> InitialPredictor:
    torch.manual_seed(0)
    predictor = InitialPredictor(4, 4, WIDTH, ID_DIM, rank=8)
    for table in (predictor.maps, predictor.centres):
        torch.nn.init.normal_(table)
    return predictor


def conditions(count: int = 2) -> tuple[torch.Tensor, ...]:
    random = torch.Generator().manual_seed(1)
    said = [torch.randn(count, width, generator=random) for width in (WIDTH, ID_DIM, WIDTH)]
    return *said, camera_codes(torch.tensor([0.0, 50.0]), torch.tensor([5.0, -3.0]))


def test_every_condition_counts_and_each_picture_has_its_own(predictor):
    given = conditions()
    before = predictor("geometry", *given)
    assert before.shape == (2, 4, 4, 4)
    assert not torch.allclose(before, predictor("albedo", *given), atol=1e-3)
    for index in range(4):
        changed = [one.clone() for one in given]
        changed[index][1] = changed[index][1].flip(-1)
        after = predictor("geometry", *changed)
        assert torch.allclose(after[0], before[0], atol=1e-6) and not torch.allclose(after[1], before[1], atol=1e-4)


def test_an_unknown_condition_is_one_of_no_strength(predictor):
    text, identity, expression, camera = conditions()
    silent = predictor("albedo", text, 0 * identity, expression, camera)
    assert torch.equal(silent, predictor("albedo", text, identity, expression, camera, (0.0, 1.0)))
    silent = predictor("albedo", text, identity, 0 * expression, camera)
    assert torch.equal(silent, predictor("albedo", text, identity, expression, camera, (1.0, 0.0)))


def test_of_nothing_at_all_it_expects_the_average(predictor):
    nothing = [torch.zeros_like(one) for one in conditions()]
    expected = predictor("geometry", *nothing)
    centre = predictor.patterns(predictor.centres[0, UNKNOWN]).view(4, 4, 4)
    assert torch.allclose(expected, centre.expand(2, -1, -1, -1))


def test_a_camera_has_a_direction_and_a_place_among_the_views():
    azimuth, elevation = torch.tensor([0.0, 95.0, -60.0, 180.0, -170.0]), torch.tensor([0.0, 10.0, -5.0, 0.0, 0.0])
    codes = camera_codes(azimuth, elevation)
    place = orbit(azimuth, elevation, target=(0.0, 0.0, 0.0))[:, :3, 3]
    assert torch.allclose(codes[:, :2], torch.nn.functional.normalize(place[:, [0, 2]], dim=-1), atol=1e-6)
    assert [VIEWS[view] for view in view_of(codes)] == [view_word(float(angle)) for angle in azimuth]
    assert torch.allclose(camera_offsets(codes)[:, 0] * 14, torch.tensor([0.0, 5.0, -15.0, 0.0, 10.0]), atol=1e-3)
    assert (camera_offsets(codes)[:, 1].sign() == elevation.sign()).all()
    unknown = torch.zeros(1, 3)
    assert view_of(unknown) == UNKNOWN and not camera_offsets(unknown).any()


def test_a_base_begins_by_not_listening_to_it(parts):
    noisy, steps, text = torch.randn(2, 4, 4, 4), torch.tensor([5, 900]), torch.randn(2, 5, WIDTH)
    with torch.no_grad():
        before = parts.unet(noisy, steps, text).sample
        parts = with_predictor(parts, ID_DIM)
        after = parts.unet(torch.cat([noisy, torch.randn(2, 4, 4, 4)], 1), steps, text).sample
    assert torch.allclose(before, after, atol=1e-6)


def test_it_is_saved_with_the_base_and_missed_without(parts, tmp_path):
    parts = with_predictor(parts, ID_DIM)
    torch.nn.init.normal_(parts.predictor.maps)
    save_base(parts, tmp_path, torch.float32)
    found, given = load_base(tmp_path), conditions()
    assert torch.equal(found.predictor("albedo", *given), parts.predictor("albedo", *given))
    assert not any(parameter.requires_grad for parameter in found.predictor.parameters())
    shutil.rmtree(tmp_path / "predictor")
    with pytest.raises(UserError, match="takes 8 channels where 4 are expected"):
        load_base(tmp_path)


def test_without_the_identity_branch_nobody_in_particular_is_expected(bundle):
    texts = ["a front view normal map"]
    one, other = torch.linspace(-1, 1, ID_DIM), torch.linspace(1, -1, ID_DIM)
    for strength, same in ((1.0, False), (0.0, True)):
        guidance = Guidance(bundle, lambda_id=strength)
        asked = (guidance.conditions(texts, "", who, ["a face"]) for who in (one, other))
        (first, silent), (second, also) = (guidance.expected("geometry", wanted) for wanted in asked)
        assert torch.equal(first, second) is same and torch.equal(silent, also)
