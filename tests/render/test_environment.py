"""Light: the file format, the filters, and what turning, tinting and dimming do."""

import math

import numpy as np
import pytest
import torch

from idto3d.errors import UserError
from idto3d.render.environment import (
    diffuse_light,
    environment_names,
    exposure,
    load_environment,
    load_environments,
    map_directions,
    prefilter,
    random_light,
    rotate,
    solid_angles,
    specular_light,
    tint,
)
from idto3d.render.panorama.hdr import read_hdr, write_hdr

LEFT, UP, FRONT = torch.eye(3)


def lamp(direction, size=(16, 32)):
    """A light from one direction on black."""
    return prefilter(((map_directions(*size) @ direction) > 0.9)[..., None].float().expand(*size, 3) * 10, "lamp")


def some_directions(count=200):
    return torch.nn.functional.normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(0)), dim=-1)


@pytest.fixture
def noise():
    return np.random.default_rng(0).lognormal(sigma=2.0, size=(5, 40, 3)).astype(np.float32)


def test_a_written_picture_reads_back_to_the_precision_of_the_format(tmp_path, noise):
    noise[1] = 0.0
    noise[2] = 3.0
    write_hdr(tmp_path / "a.hdr", noise)
    back = read_hdr(tmp_path / "a.hdr")
    assert np.all(np.abs(back - noise) <= noise.max(-1, keepdims=True) / 128)


def test_an_even_picture_is_written_small(tmp_path):
    write_hdr(tmp_path / "a.hdr", np.ones((32, 64, 3), np.float32))
    assert (tmp_path / "a.hdr").stat().st_size < 32 * 64


def test_plain_pixels_are_read_too(tmp_path):
    pixels = bytes([128, 64, 32, 129] * 6)
    (tmp_path / "a.hdr").write_bytes(b"#?RGBE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 3\n" + pixels)
    assert np.allclose(read_hdr(tmp_path / "a.hdr"), np.broadcast_to([1.0, 0.5, 0.25], (2, 3, 3)))


HEADER = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n"
BROKEN = {
    "no such file": None,
    "empty": b"",
    "a png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "no size": HEADER,
    "upside down": HEADER + b"+Y 8 +X 16\n" + bytes(512),
    "enormous": HEADER + b"-Y 100000 +X 100000\n" + bytes(512),
    "negative": HEADER + b"-Y -8 +X 16\n" + bytes(512),
    "no pixels": HEADER + b"-Y 8 +X 16\n",
    "cut short": HEADER + b"-Y 8 +X 16\n" + bytes([2, 2, 0, 16, 144]),
    "a run too long": HEADER + b"-Y 1 +X 16\n" + bytes([2, 2, 0, 16] + [255, 1] * 40),
    "an empty run": HEADER + b"-Y 1 +X 16\n" + bytes([2, 2, 0, 16] + [0, 1] * 40),
    "lines of another length": HEADER + b"-Y 1 +X 16\n" + bytes([2, 2, 0, 17] + [144, 1] * 40),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_is_refused_with_a_remedy(tmp_path, fault):
    path = tmp_path / "a.hdr"
    if BROKEN[fault] is not None:
        path.write_bytes(BROKEN[fault])
    with pytest.raises(UserError) as refusal:
        read_hdr(path)
    assert "a.hdr" in refusal.value.what and ".hdr" in refusal.value.remedy


def test_a_folder_without_lights_is_refused(tmp_path):
    with pytest.raises(UserError):
        environment_names(tmp_path)


def test_lights_of_a_folder_come_sorted_with_their_names(tmp_path):
    for name in ("dusk", "dawn"):
        write_hdr(tmp_path / f"{name}.hdr", np.ones((4, 8, 3), np.float32))
    assert (
        [light.name for light in load_environments(tmp_path)] == ["dawn", "dusk"] == list(environment_names(tmp_path))
    )


def test_solid_angles_cover_the_sphere_and_directions_are_unit():
    assert math.isclose(float(solid_angles(12, 24).sum()) * 24, 4 * math.pi, rel_tol=1e-5)
    assert torch.allclose(map_directions(6, 12).norm(dim=-1), torch.ones(6, 12))


def test_the_middle_of_a_map_is_in_front_and_its_left_half_to_the_persons_left():
    directions = map_directions(3, 8)
    assert directions[1, 3:5, 2].min() > 0.9 and directions[1, 1:3, 0].min() > 0.9 and directions[0, :, 1].min() > 0.5


def test_even_light_stays_even_for_every_roughness():
    light = prefilter(torch.full((16, 32, 3), 0.7))
    directions = some_directions()
    assert torch.allclose(diffuse_light(light, directions), torch.tensor(0.7), atol=1e-4)
    for roughness in (0.0, 0.1, 0.6, 1.0):
        rough = torch.full((len(directions), 1), roughness)
        assert torch.allclose(specular_light(light, directions, rough), torch.tensor(0.7), atol=1e-4)


def test_a_mirror_sees_the_map_itself_and_roughness_blurs_it():
    light = lamp(LEFT, (32, 64))
    mirror, glossy, matt = (specular_light(light, LEFT[None], torch.tensor([[r]]))[0, 0] for r in (0.0, 0.5, 1.0))
    assert torch.isclose(mirror, torch.tensor(10.0)) and mirror > glossy > matt > 0
    away = specular_light(light, -LEFT[None], torch.tensor([[0.5]]))
    assert away.max() < 0.01 * glossy


def test_diffuse_light_equals_the_cosine_integral():
    size = (24, 48)
    radiance = 1 + map_directions(*size) @ torch.tensor([[0.3, 0.0, 0.5], [0.2, 0.4, 0.0], [0.0, 0.3, 0.2]])
    normals = some_directions(20)
    cosine = torch.einsum("nc,hwc->nhw", normals, map_directions(*size)).clamp(min=0)
    expected = torch.einsum("nhw,hwc->nc", cosine * solid_angles(*size), radiance) / math.pi
    assert torch.allclose(diffuse_light(prefilter(radiance), normals), expected, atol=0.01)


def test_a_light_from_the_left_lights_the_left_and_turns_with_positive_angles_from_the_front():
    from_front = lamp(FRONT)
    from_left = rotate(from_front, math.pi / 2)
    for lookup in (diffuse_light, lambda light, d: specular_light(light, d, torch.full_like(d[:, :1], 0.5))):
        left, right = lookup(from_left, torch.stack([LEFT, -LEFT]))
        assert left.min() > 1.0 and right.max() < 0.3
        assert torch.allclose(lookup(from_left, LEFT[None]), lookup(from_front, FRONT[None]), rtol=0.02)
        assert torch.allclose(lookup(from_left, LEFT[None]), lookup(lamp(LEFT), LEFT[None]), rtol=0.05)


def test_a_full_turn_changes_nothing_and_two_turns_add():
    light, directions, rough = lamp(LEFT), some_directions(), torch.full((200, 1), 0.3)
    whole = rotate(light, 2 * math.pi)
    assert torch.allclose(specular_light(light, directions, rough), specular_light(whole, directions, rough), atol=1e-3)
    assert torch.allclose(diffuse_light(light, directions), diffuse_light(whole, directions), atol=1e-4)
    twice, once = rotate(rotate(light, 0.3), 0.5), rotate(light, 0.8)
    assert torch.allclose(diffuse_light(twice, directions), diffuse_light(once, directions), atol=1e-5)


def test_the_seam_behind_the_head_is_closed():
    light = prefilter(torch.rand(16, 32, 3, generator=torch.Generator().manual_seed(0)))
    sides = torch.tensor([[1e-4, 0.2, -1.0], [-1e-4, 0.2, -1.0]])
    one, other = specular_light(light, sides, torch.zeros(2, 1))
    assert torch.allclose(one, other, atol=1e-3)


def test_tint_and_exposure_scale_the_light_and_leave_the_original_alone():
    light = lamp(UP)
    changed = exposure(tint(light, torch.tensor([1.0, 0.5, 0.25])), 3.0)
    assert torch.allclose(
        diffuse_light(changed, UP[None]), diffuse_light(light, UP[None]) * torch.tensor([3, 1.5, 0.75])
    )
    assert torch.equal(light.gain, torch.ones(3))


def test_lookups_have_finite_gradients_even_at_the_poles():
    directions = torch.stack([UP, -UP, LEFT]).requires_grad_()
    roughness = torch.tensor([[0.0], [1.0], [0.4]]).requires_grad_()
    light = lamp(torch.nn.functional.normalize(LEFT + UP, dim=0))
    (specular_light(light, directions, roughness).sum() + diffuse_light(light, directions).sum()).backward()
    assert directions.grad.isfinite().all() and roughness.grad.isfinite().all() and roughness.grad[2] != 0


def test_random_lights_follow_their_generator():
    lights = (lamp(LEFT), lamp(UP))
    first, again = (random_light(lights, torch.Generator().manual_seed(5)) for _ in range(2))
    other = random_light(lights, torch.Generator().manual_seed(6))
    assert first.rotation == again.rotation != other.rotation and torch.equal(first.gain, again.gain)
    assert first.gain.min() > 0.5 and first.gain.max() < 1.7


def test_large_maps_are_reduced(tmp_path):
    write_hdr(tmp_path / "a.hdr", np.ones((256, 512, 3), np.float32))
    assert load_environment(tmp_path / "a.hdr").levels.shape == (3, 5, 64, 130)
