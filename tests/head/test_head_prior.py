"""The head prior without its fit: what its formulas, its file and its codes promise."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from idto3d.config import EMBEDDED
from idto3d.head.hair_volumes import hair_distances
from idto3d.head.prior import BOX, POINTS_AT_ONCE, HeadPrior, PriorSize
from idto3d.head.prior_file import load_prior, read_description, save_prior
from idto3d.words.expressions import NAMES
from idto3d.words.traits import HAIR_STYLES, STYLES

COMMITTED = Path(EMBEDDED) / "head_prior.safetensors"
SMALL = PriorSize(modes=3, embedding=5, coarse=0.03, fine=0.02, motion_width=16, colour_width=8)


def some_points(count: int = 20) -> torch.Tensor:
    return (torch.rand(count, 3, generator=torch.Generator().manual_seed(3)) - 0.5) * 0.3


def covering(points: list, bald: list) -> list[set]:
    """For each point, the styles whose hair volume holds it."""
    distances = hair_distances(torch.tensor(points), torch.tensor(bald))
    return [{style for style, d in zip(HAIR_STYLES, row, strict=True) if d < 0} for row in distances]


def test_the_basis_the_warp_and_the_albedo_have_a_row_for_each_point():
    prior, points = HeadPrior(SMALL), some_points()
    basis = prior.basis(points)
    assert basis.mean.shape == (20,) and basis.modes.shape == (20, 3) and basis.hair.shape == (20, len(HAIR_STYLES))
    assert prior.warp(points).shape == (20, len(NAMES), 3)
    albedo = prior.albedo(points)
    assert albedo.shape == (20, 3) and albedo.min() >= 0 and albedo.max() <= 1


def test_many_points_in_chunks_give_what_they_give_at_once():
    prior, points = HeadPrior(SMALL), some_points(POINTS_AT_ONCE + 7)
    with torch.no_grad():
        chunked = prior.basis(points).modes
    assert torch.allclose(chunked, prior.basis(points).modes, atol=1e-7)


def test_distances_can_be_differentiated_in_the_points():
    points = some_points().requires_grad_(True)
    prior = HeadPrior(SMALL)
    prior.basis(points).mean.sum().backward()
    step = torch.zeros_like(points).index_fill_(1, torch.tensor([1]), 1e-3)
    with torch.no_grad():
        change = (prior.basis(points + step).mean - prior.basis(points - step).mean) / 2e-3
    assert torch.allclose(points.grad[:, 1], change, atol=1e-3, rtol=0.05)


def test_behind_the_skull_thicker_styles_reach_further_and_none_reaches_the_top_of_the_box():
    skull = [[0.0, 0.10, -0.08], [0.0, 0.10, -0.09], [0.0, 0.10, -0.11], [0.0, 0.10, -0.14], [0.0, 0.168, 0.0]]
    on_scalp, within, thick, far, above = covering(skull, [0.002, 0.010, 0.025, 0.055, 0.023])
    assert on_scalp == set(HAIR_STYLES) - {"bald"}
    assert within >= {"short", "long", "curly", "side-parted", "afro", "bob"} and "buzzcut" not in within
    assert thick == {"curly", "afro"}
    assert far == set() and above == set()


def test_thin_hair_leaves_the_ears_free_and_thick_hair_hides_them():
    (beside_the_ear,) = covering([[0.090, 0.045, -0.010]], [0.003])
    assert beside_the_ear >= {"curly", "afro", "long", "bob"} and not beside_the_ear & {"short", "buzzcut", "bun"}


def test_no_hair_grows_on_the_face_and_only_what_is_long_hangs_behind_the_neck():
    nose, behind_neck, before_neck = [0.0, 0.0, 0.132], [0.0, -0.09, -0.08], [0.0, -0.09, 0.06]
    hanging = {style.name: style.ends_m for style in STYLES.values() if style.ends_m is not None}
    long, longer = ({name for name, end in hanging.items() if end < lowest} for lowest in (-0.065, -0.09))
    assert covering([nose, behind_neck, before_neck], [0.002, 0.03, 0.01]) == [set(), longer, set()] and longer
    jaw = [[0.0, -0.065, -0.085], [0.0, -0.06, -0.114]]
    assert covering(jaw, [0.03, 0.05]) == [long, {"ponytail"}]


def test_an_afro_is_round_and_a_bun_stands_on_top():
    beside, top_behind = [0.115, 0.06, -0.01], [0.0, 0.14, -0.085]
    assert covering([beside, top_behind], [0.035, 0.03]) == [{"afro"}, {"bun"}]


@pytest.mark.parametrize("style", HAIR_STYLES[1:])
def test_a_volume_is_a_distance_near_its_surface_and_ends_inside_the_box(style):
    low, high = torch.tensor(BOX)
    points = low + (high - low) * torch.rand(4000, 3, generator=torch.Generator().manual_seed(0))
    points.requires_grad_(True)
    bald = ((points - torch.tensor([0.0, 0.04, 0.0])) / torch.tensor([0.8, 1.1, 1.0])).norm(dim=1) * 0.9 - 0.09
    distance = hair_distances(points, bald)[:, HAIR_STYLES.index(style)]
    (slope,) = torch.autograd.grad(distance.sum(), points)
    near = distance.abs() < 0.006
    assert torch.isfinite(slope).all() and slope[near].norm(dim=1).median() == pytest.approx(1.0, abs=0.2)
    rim = ((points - low).minimum(high - points) < 0.002).any(1)
    assert (distance[rim] > 0).all()


def test_curly_hair_has_a_round_top_inside_the_box():
    lines = [[x, 0.13 + 0.0005 * step, 0.0] for x in (0.0, 0.03, 0.06) for step in range(80)]
    inside = hair_distances(torch.tensor(lines), torch.full((240,), 0.01))[:, HAIR_STYLES.index("curly")] < 0
    crown, beside, far = (0.13 + 0.0005 * inside.view(3, 80).sum(1)).tolist()
    assert crown < BOX[1][1]
    assert crown - beside > 0.003 and beside - far > crown - beside


@pytest.mark.skipif(not COMMITTED.is_file(), reason="the embedded head prior is not here")
def test_the_embedded_prior_shuts_its_eyes_from_above():
    upper, lower = (
        [[side, 0.0425, 0.095] for side in (-0.032, 0.032)],
        [[side, 0.029, 0.095] for side in (-0.032, 0.032)],
    )
    lift = load_prior(COMMITTED).warp(torch.tensor(upper + lower))[:, NAMES.index("eyes closed"), 1]
    assert (lift[:2] < -0.005).all() and (lift[2:].abs() < 0.002).all()


def test_displacement_is_linear_in_the_expression_code():
    prior, points = HeadPrior(SMALL), some_points()
    first, second = prior.codes[1:2], prior.codes[3:4]
    mixed = prior.displacement(points, 0.25 * first + 0.75 * second)
    parts = 0.25 * prior.displacement(points, first) + 0.75 * prior.displacement(points, second)
    assert torch.allclose(mixed, parts, atol=1e-7)


def test_the_average_head_lies_on_the_mean_head_and_others_are_carried_back_before_the_warp():
    prior, points = HeadPrior(SMALL), some_points()
    assert torch.equal(prior.to_mean(points, torch.zeros(3)), points)
    z = torch.tensor([1.0, -2.0, 0.5])
    assert not torch.equal(prior.to_mean(points, z), points)
    assert torch.allclose(prior.warp(points, z), prior.warp(prior.to_mean(points, z)))


def test_an_unfitted_regression_says_the_average_and_refuses_another_encoders_embedding():
    prior = HeadPrior(SMALL)
    assert torch.equal(prior.shape_code(torch.ones(5)), torch.zeros(3))
    assert torch.equal(prior.hair_style(torch.ones(5)), torch.zeros(len(HAIR_STYLES)))
    with pytest.raises(ValueError, match="5 values, got 7"):
        prior.shape_code(torch.ones(7))


def test_a_saved_prior_comes_back_the_same_and_frozen(tmp_path):
    prior, points = HeadPrior(SMALL), some_points()
    with torch.no_grad():
        prior.codes.add_(1.0)
        prior.shape_map.normal_(generator=torch.Generator().manual_seed(0))
    save_prior(prior, tmp_path / "prior.safetensors", {"source": "a test"})
    again = load_prior(tmp_path / "prior.safetensors")
    assert torch.equal(again.basis(points).modes, prior.basis(points).modes)
    assert torch.equal(again.warp(points), prior.warp(points))
    assert torch.equal(again.shape_code(torch.ones(5)), prior.shape_code(torch.ones(5)))
    assert not any(parameter.requires_grad for parameter in again.parameters())


def test_a_prior_of_fewer_styles_keeps_them_and_has_the_hair_volumes_of_all(tmp_path):
    older = HeadPrior(SMALL, HAIR_STYLES[:5])
    save_prior(older, tmp_path / "prior.safetensors", {})
    again = load_prior(tmp_path / "prior.safetensors")
    assert again.styles == ("bald", "buzzcut", "short", "long", "curly")
    assert again.hair_style(torch.ones(5)).shape == (5,)
    assert again.basis(some_points()).hair.shape == (20, len(HAIR_STYLES))


def test_a_file_that_is_no_head_prior_is_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, str(tmp_path / "other.safetensors"))
    with pytest.raises(ValueError, match="not a head prior"):
        load_prior(tmp_path / "other.safetensors")


def test_a_prior_with_words_shifts_the_start_and_its_file_keeps_them(tmp_path):
    prior = HeadPrior(replace(SMALL, coefficients=104, words=("baby", "male", "round face")))
    prior.word_codes.copy_(torch.eye(3))
    save_prior(prior, tmp_path / "prior.safetensors", {})
    again = load_prior(tmp_path / "prior.safetensors")
    assert again.size == prior.size and again.coefficient_map.shape == (104, 3)
    assert again.word_shift(["baby"]).tolist() == [1, 0, 0]
    assert again.word_shift({"male", "round face"}).tolist() == [0, 1, 1]
    assert again.word_shift(["old"]).tolist() == again.word_shift(()).tolist() == [0, 0, 0]


def test_a_file_from_before_the_words_still_loads(tmp_path):
    prior = HeadPrior(SMALL)
    prior.coefficient_map.copy_(torch.eye(100)[:, :3] / 0.9)
    path = tmp_path / "prior.safetensors"
    save_prior(prior, path, {})
    description = read_description(path)
    description["size"] = {k: v for k, v in description["size"].items() if k not in ("coefficients", "words")}
    tensors = {name: value for name, value in load_file(path).items() if name not in ("expected_map", "word_codes")}
    save_file(tensors, path, metadata={"head_prior": json.dumps(description)})
    old = load_prior(path)
    assert old.word_shift(["baby"]).tolist() == [0, 0, 0]
    assert torch.allclose(old.expected_coefficients(torch.tensor([1.0, 0, 0]))[:3], torch.tensor([0.9, 0, 0]))


def test_points_are_carried_as_the_whole_flow_says():
    random, prior = torch.Generator().manual_seed(3), HeadPrior(PriorSize(modes=4))
    points, z = 0.1 * torch.randn(50, 3, generator=random), torch.randn(4, generator=random)
    whole = points - torch.einsum("nkc,k->nc", prior._flow(points), z)
    assert torch.allclose(prior.to_mean(points, z), whole, atol=1e-6)
    given = [points.clone().requires_grad_() for _ in range(2)]
    prior.to_mean(given[0], z).sin().sum().backward()
    (given[1] - torch.einsum("nkc,k->nc", prior._flow(given[1]), z)).sin().sum().backward()
    assert torch.allclose(given[0].grad, given[1].grad, atol=1e-4)
