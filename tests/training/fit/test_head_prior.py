"""Fitting the head prior, on a ball with eyes instead of a head."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from idto3d.head.prior import HAIR_STYLES, HeadPrior, PriorSize
from idto3d.head.prior_file import load_prior, save_prior
from idto3d.training.fit.head_prior import (
    FitOptions,
    fit,
    main,
    make_targets,
    sample_surface,
    shape_modes,
    surface_error,
)
from idto3d.training.fit.prior_regression import Faces, fit_regression, read_faces
from idto3d.training.fit.prior_solid import NOSTRIL, Solid, rounded, winding_number
from idto3d.words.expressions import NAMES

RADIUS = 0.09
SIZE = PriorSize(modes=2, embedding=6, coarse=0.012, fine=0.006, motion_width=24, colour_width=8)
QUICK = FitOptions(points=6000, heads=12, head_points=150, motion_steps=80, colour_steps=40, batch=1024)


def ball(rings: int = 24, columns: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A closed sphere of RADIUS, outward: vertices [V, 3] and faces [F, 3]."""
    polar, around = np.meshgrid(np.linspace(0, np.pi, rings), np.arange(columns) * 2 * np.pi / columns, indexing="ij")
    vertices = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], -1)
    a = (np.arange(rings - 1)[:, None] * columns + np.arange(columns)).ravel()
    b = (np.arange(rings - 1)[:, None] * columns + (np.arange(columns) + 1) % columns).ravel()
    faces = np.concatenate([np.stack([a, a + columns, b], 1), np.stack([b, a + columns, b + columns], 1)])
    return (RADIUS * vertices.reshape(-1, 3)).astype(np.float32), faces.astype(np.int32)


def ball_head() -> Solid:
    """A ball that may grow and may stretch upwards; the second expression lifts its front."""
    skin, faces = ball()
    eyes = np.array([[0.03, 0.036, 0.072], [-0.03, 0.036, 0.072]], np.float32)
    vertices = np.concatenate([skin, eyes + [0, 0, 0.0166]]).astype(np.float32)
    eyeball = np.arange(len(vertices)) >= len(skin)
    identity = np.zeros((100, len(vertices), 3), np.float32)
    identity[0], identity[1, :, 1] = vertices * 0.05, vertices[:, 1] * 0.06
    motion = np.zeros((len(NAMES), len(vertices), 3), np.float32)
    motion[1, :, 1] = 0.1 * np.maximum(vertices[:, 2], 0)
    albedo = np.where(eyeball[:, None], 0.8, 0.3).astype(np.float32).repeat(3, 1)
    return Solid(vertices, identity, motion, faces, np.zeros(len(faces), bool), eyeball, eyes, albedo)


@pytest.fixture(scope="module")
def fitted() -> HeadPrior:
    return fit(ball_head(), SIZE, QUICK)


def test_a_closed_surface_winds_once_around_what_it_holds():
    vertices, faces = ball()
    points = np.random.default_rng(0).uniform(-0.12, 0.12, (500, 3))
    radius = np.linalg.norm(points, axis=1)
    points, radius = points[np.abs(radius - RADIUS) > 0.002], radius[np.abs(radius - RADIUS) > 0.002]
    assert np.array_equal(winding_number(points, vertices, faces), radius < RADIUS)
    inner = np.concatenate([faces, faces + len(vertices)])
    both = np.concatenate([vertices, vertices * 0.5])
    assert winding_number(np.array([[0.01, 0.0, 0.02]]), both, inner).tolist() == [2]


def test_samples_lie_on_the_surface_of_whichever_head_reads_them():
    solid = ball_head()
    samples = sample_surface(solid, 600, np.random.default_rng(0))
    on_skin = ~solid.eyeball[samples.corners[:, 0]]
    larger = samples.read(solid.base + 2 * solid.identity[0])[on_skin]
    assert on_skin.sum() == 550
    assert np.abs(np.linalg.norm(larger, axis=1) - RADIUS * 1.1).max() < 0.001


def test_targets_are_signed_distances_and_the_movement_with_z():
    solid = ball_head()
    spread = 0.81 * np.eye(100)
    coefficient_map = shape_modes(solid, spread, 2)
    targets = make_targets(solid, (spread @ coefficient_map).astype(np.float32), QUICK)
    away = targets.points[:, 2] < 0.02
    radius = targets.points[away].norm(dim=1)
    assert (targets.sdf[away] - (radius - RADIUS)).abs().mean() < 0.001
    # Growing by one coefficient moves the ball's surface outward by 5 %.
    z = torch.from_numpy(coefficient_map[0])
    near = away & (targets.sdf.abs() < 0.004)
    moved = torch.einsum("nkc,k->nc", targets.flow[near], z)
    assert (moved - 0.05 * targets.points[near]).norm(dim=1).mean() < 0.0005


def test_a_short_fit_knows_unseen_heads_better_than_the_mean_does(fitted):
    errors = surface_error(fitted, ball_head(), heads=5)
    assert errors["linear"] < 0.5 * errors["mean_head"]
    assert errors["carried"] < 0.5 * errors["mean_head"]


def test_a_short_fit_moves_the_front_up_and_leaves_the_back(fitted):
    points = torch.tensor([[0.0, 0.0, RADIUS], [0.0, 0.0, -RADIUS]])
    lift = fitted.warp(points)[:, 1, 1]
    assert abs(lift[0] - 0.009) < 0.002 and abs(lift[1]) < 0.002


def test_the_flow_finds_the_place_on_the_mean_head(fitted):
    solid = ball_head()
    coefficients = torch.zeros(100)
    coefficients[0] = 1.0
    points = torch.from_numpy(solid.base[200:400])
    found = fitted.to_mean(points * 1.05, coefficients @ fitted.coefficient_map)
    assert (found - points).norm(dim=1).mean() < 0.6 * 0.05 * RADIUS  # a flow that does nothing is 1.0 off


def plate(centre: tuple, shape: tuple, size: tuple, spacing: float = 0.002) -> tuple[np.ndarray, np.ndarray]:
    """Distance [D, H, W] and points [D, H, W, 3] of a box of half `size` about `centre`, metres."""
    points = np.stack(np.meshgrid(*(spacing * (np.arange(n) - n // 2) for n in shape), indexing="ij"), -1)[..., ::-1]
    outside = np.abs(points) - size
    distance = np.linalg.norm(np.maximum(outside, 0), axis=-1) + np.minimum(outside.max(-1), 0)
    return distance, points + centre


def test_the_ear_grows_thicker_and_the_skull_does_not():
    for x, least, most in ((0.080, 0.0005, 0.002), (0.03, -0.0002, 0.0002)):
        distances, points = plate((x, 0.02, 0.0), (21, 21, 21), (0.004, 0.05, 0.05))
        grown = distances - rounded(distances, points, 0.002)
        assert least < grown[10, 10, 12] < most


def test_a_nostril_is_closed_and_the_nose_keeps_its_outside():
    pit, points = plate(NOSTRIL, (31, 31, 31), (0.003, 0.05, 0.003))
    assert pit[15, 15, 15] < 0
    assert rounded(-pit, points, 0.002)[15, 15, 15] < 0
    solid, points = plate(NOSTRIL, (31, 31, 31), (0.02, 0.008, 0.02))
    assert np.abs(rounded(solid, points, 0.002) - solid)[15, 15 + 4, 15] < 0.0005


def people(count: int, noise: float) -> Faces:
    """Embeddings that tell the first two coefficients, and the hair style by the third."""
    random = np.random.default_rng(4)
    coefficients = random.standard_normal((count, 100)).astype(np.float32)
    hair = (coefficients[:, 2] > 0).astype(np.int64)
    told = np.column_stack([coefficients[:, :2], 2.0 * hair - 1, np.zeros((count, 3))])
    embedding = 0.3 + told + noise * random.standard_normal(told.shape)
    return Faces(embedding.astype(np.float32), coefficients, hair)


def test_regression_reads_shape_and_hair_from_embeddings(fitted):
    data = people(200, 0.01)
    shares = fit_regression(fitted, data)
    assert shares["shape"] > 0.95 and shares["style"] > 0.95
    z = fitted.shape_code(torch.from_numpy(data.embedding[0]))
    truth = torch.from_numpy(data.coefficients[0]) @ fitted.coefficient_map
    assert torch.allclose(z, truth, atol=0.15)
    assert (
        HAIR_STYLES[int(fitted.hair_style(torch.from_numpy(data.embedding[0])).argmax())] == HAIR_STYLES[data.hair[0]]
    )


def test_regression_from_noise_stays_close_to_the_average(fitted):
    data = people(60, 100.0)
    shares = fit_regression(fitted, data)
    assert shares["shape"] < 0.1
    assert fitted.shape_code(torch.from_numpy(data.embedding[0])).norm() < 0.7


def test_two_portraits_of_one_person_never_judge_each_other(fitted):
    # Embeddings that say who, not how they look: repeated rows would be recognised if a fold split a person.
    data = people(40, 0.0)
    said = np.random.default_rng(1).standard_normal((40, 60)).astype(np.float32)
    parts = (said, data.coefficients, data.hair)
    twice = Faces(*(np.concatenate([value, value[::-1]]) for value in parts))
    assert fit_regression(fitted, twice)["shape"] < 0.2


def test_only_the_regression_is_refitted_from_a_dataset_by_the_command_line(fitted, small, tmp_path):
    save_prior(fitted, tmp_path / "prior.safetensors", {"source": "a ball"})
    made_up = small.made_up_people(count=20, views=1)
    coefficients = torch.randn(20, 100, generator=torch.Generator().manual_seed(0))
    dataset = small.write_dataset(tmp_path / "people", replace(made_up, coefficients=coefficients))
    out = tmp_path / "again.safetensors"
    main(["--refit-regression", str(tmp_path / "prior.safetensors"), "--people", str(dataset), "--out", str(out)])
    before, again, points = load_prior(tmp_path / "prior.safetensors"), load_prior(out), torch.zeros(4, 3)
    assert torch.equal(again.basis(points).modes, before.basis(points).modes)
    assert again.shape_map.shape[0] == 8 and again.shape_map.abs().sum() > 0


def test_faces_are_read_from_one_from_some_and_from_all_portraits(small, tmp_path):
    made_up = small.made_up_people(count=4, views=1)
    embedding = made_up.embedding.clone()
    embedding[0, 0] = 0  # no face was found in this portrait
    faces = read_faces(small.write_dataset(tmp_path / "people", replace(made_up, embedding=embedding)))
    assert len(faces.embedding) == len(faces.hair) == len(faces.coefficients) == 3 + 4 + 4 + 4 + 4
    assert np.allclose(np.linalg.norm(faces.embedding, axis=1), 1, atol=1e-5)
