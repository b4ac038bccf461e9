"""Hair of photos: drawn from hair of words on a bald round head, whose masks and cameras are known."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from head.round_head import round_head, still
from scipy.ndimage import binary_fill_holes, gaussian_filter
from scipy.spatial import cKDTree

from idto3d.head.hair.atlas import BAND
from idto3d.head.hair.comb import Parting
from idto3d.head.hair.part import hair_of_words
from idto3d.head.hair.scalp import MeanSpace
from idto3d.head.hair.seen.colours import evened, undyed
from idto3d.head.hair.seen.combed import likeliest_comb, read_grain
from idto3d.head.hair.seen.grow import hair_of_photos
from idto3d.head.hair.seen.surface import Evidence
from idto3d.head.hair.seen.trim import longest_run, trimmed
from idto3d.head.hair.seen.view import HairView, view_of
from idto3d.head.hair.seen.volume import volume_of_views
from idto3d.head.hair.strands import Guides
from idto3d.render.backends.kernel import holes_of
from idto3d.render.backends.numba_raster import NumbaRasterizer
from idto3d.render.camera import FOV_Y_DEG, clip_positions, standard_cameras
from idto3d.render.color import linear_from_srgb
from idto3d.words.traits import COLOURS

SIZE = 256
FOCAL = SIZE / 2 / math.tan(math.radians(FOV_Y_DEG) / 2)


def drawn(hair, azimuth: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the standard camera sees: whether a pixel is hair, whether it is head, [S, S], and its colour [S, S, 3]."""
    skin = round_head()
    points, solid = torch.from_numpy(skin.vertices).float(), torch.from_numpy(skin.faces)
    vertices = points if hair is None else torch.cat([points, hair.part.vertices])
    clip = clip_positions(vertices, standard_cameras(azimuth, 0.0))
    fragments = NumbaRasterizer().fragments(clip, solid, (SIZE, SIZE))
    colour = np.where(fragments.covered[0].numpy()[..., None], [0.5, 0.3, 0.2], 0.8)
    if hair is None:
        return np.zeros((SIZE, SIZE)), fragments.covered[0].numpy() * 1.0, colour
    uvs = np.zeros((len(vertices), 2), np.float32)
    uvs[len(points) + hair.part.faces.reshape(-1)] = hair.part.uvs.reshape(-1, 2)
    page = np.repeat([-1, 0], [len(solid), len(hair.part.faces)])
    holes = holes_of(uvs, page, [np.ascontiguousarray(hair.albedo[..., 3])], np.full((2, 2), 0.5, np.float32))
    faces = torch.cat([solid, hair.part.faces + len(points)])
    fragments = NumbaRasterizer(holes).fragments(clip, faces, (SIZE, SIZE))
    face = fragments.face[0]
    is_hair = face >= len(solid)
    corners = hair.part.uvs[face[is_hair] - len(solid)]
    uvs = (corners * fragments.barycentric[0][is_hair][..., None]).sum(1)
    texels = linear_from_srgb(torch.from_numpy(hair.albedo[..., :3].copy()).float() / 255).permute(2, 0, 1)[None]
    colour[is_hair.numpy()] = F.grid_sample(texels, uvs.view(1, 1, -1, 2) * 2 - 1, align_corners=False)[0, :, 0].T
    return is_hair.numpy() * 1.0, (face >= 0).numpy() * 1.0, colour


def seen_from(hair, azimuth: float) -> HairView:
    mask, head, colour = drawn(hair, azimuth)
    c2w = standard_cameras(azimuth, 0.0).c2w[0].double().numpy()
    return HairView(colour, mask, head, c2w, FOCAL, (SIZE / 2, SIZE / 2))


@pytest.fixture(scope="module", params=["short", "bob"])
def pair(request):
    """Hair of words, its view from the front, and the hair of that view."""
    told = hair_of_words(round_head(), request.param, "red", SIZE, 0, still())
    view = seen_from(told, 0.0)
    return told, view, hair_of_photos(round_head(), [view], SIZE, 0, still())


def test_the_outline_is_that_of_the_photo(pair):
    _, view, hair = pair
    mask, wanted = drawn(hair, 0.0)[0] > 0.5, view.hair > 0.5
    assert (mask & wanted).sum() / (mask | wanted).sum() > 0.83  # single hairs at the border are not copied one by one


@pytest.mark.parametrize("azimuth", [90.0, 180.0, -90.0])
def test_it_is_a_closed_mass(pair, azimuth):
    mask = drawn(pair[2], azimuth)[0] > 0.5
    assert (binary_fill_holes(mask) & ~mask).sum() < 0.005 * mask.sum()  # where tips of the hem cross


@pytest.mark.parametrize("azimuth", [0.0, 90.0, 180.0])
def test_no_hair_is_black_nor_in_the_colour_of_what_is_behind_it(pair, azimuth):
    _, view, hair = pair
    mask, _, colour = drawn(hair, azimuth)
    usual = view.colour[view.to_hair < -3].mean(0)
    assert (colour[mask > 0.5].mean(1) > 0.3 * usual.mean()).mean() > 0.995
    tint = colour[mask > 0.5] / colour[mask > 0.5].sum(1, keepdims=True)
    assert np.abs(tint - usual / usual.sum()).max(1).mean() < 0.08


def test_from_the_side_it_is_about_as_thick_as_it_was(pair):
    told, _, hair = pair
    first, second = (drawn(h, 90.0)[0] > 0.5 for h in (told, hair))
    assert (first & second).sum() / (first | second).sum() > 0.6


def test_it_has_the_colour_of_the_photo(pair):
    _, view, hair = pair
    mask, _, colour = drawn(hair, 0.0)
    both = (mask > 0.5) & (view.to_hair < -3)
    assert np.abs(colour[both].mean(0) / view.colour[both].mean(0) - 1).max() < 0.25


def test_no_hair_in_the_mask_is_no_hair():
    assert hair_of_photos(round_head(), [seen_from(None, 0.0)], SIZE, 0, still()) is None


def test_the_same_photos_give_the_same_bytes(pair):
    _, view, hair = pair
    again = hair_of_photos(round_head(), [view], SIZE, 0, still())
    assert again.part.vertices.numpy().tobytes() == hair.part.vertices.numpy().tobytes()
    assert again.albedo.tobytes() == hair.albedo.tobytes()


def test_hair_on_one_side_stays_there():
    told = hair_of_words(round_head(), "bob", "brown", SIZE, 0, still())
    view = seen_from(told, 0.0)
    left = np.arange(SIZE) > SIZE / 2
    low = np.arange(SIZE)[:, None] > SIZE * 0.45
    view = HairView(view.colour, view.hair * ~(left & low), view.head, view.c2w, view.focal, view.centre)
    volume = volume_of_views(round_head(), [view.on(round_head())], MeanSpace(round_head()))
    at = np.array([[-0.085, -0.03, 0.0], [0.085, -0.03, 0.0]])
    right, other = volume.hair.at(at)
    assert right < 0 < other


def test_strands_of_the_photo_are_found():
    stripes = 0.5 + 0.4 * np.sin(np.add.outer(np.arange(SIZE), np.arange(SIZE)) / 2)
    ones = np.ones((SIZE, SIZE))
    c2w = standard_cameras(0.0, 0.0).c2w[0].double().numpy()
    mask = np.pad(ones[40:-40, 40:-40], 40)
    view = HairView(np.repeat(stripes[..., None], 3, -1), mask, ones, c2w, FOCAL, (SIZE / 2, SIZE / 2))
    way, sure = read_grain(view).ways(np.array([[0.0, -0.017, 0.05]]))
    assert sure[0] > 0.8 and abs(abs(way[0] @ [1, 1, 0]) / 2**0.5 - 1) < 0.05


def test_the_parting_is_found_on_its_side():
    told = hair_of_words(round_head(), "side-parted", "blonde", 1024, 0, still())
    view = seen_from(told, 0.0).on(round_head())
    space = MeanSpace(round_head())
    comb = likeliest_comb(volume_of_views(round_head(), [view], space), (read_grain(view),), space)
    assert getattr(comb, "offset", 0.0) > 0


def test_a_photo_is_cut_to_its_masks():
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[20:30, 40:50] = 255
    view = view_of(pixels, (30.0, 10.0, 40.0), np.ones((8, 8)), np.ones((8, 8)), np.eye(4), (100.0, 40.0, 30.0))
    scale = view.size / 40
    assert view.focal == pytest.approx(100 * scale) and view.centre == pytest.approx((10 * scale, 20 * scale))
    assert view.colour[int(15 * scale), int(15 * scale)].min() > 0.95
    assert view.colour[int(5 * scale), int(15 * scale)].max() < 0.05


def test_light_on_hair_is_taken_out_and_strands_stay():
    """Shade as broad as a lock, half as bright and redder, over strands of a millimetre."""
    across, down = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    strands = np.exp(0.2 * np.sign(np.sin(across * np.pi / 2)))
    shade = gaussian_filter((np.hypot(across - 90, down - 128) < 20) * 1.0, 6)[..., None]
    plain = np.array([0.3, 0.2, 0.1]) * strands[..., None]
    shown = plain * np.exp(shade * np.log([0.5, 0.4, 0.3]))
    ones, c2w = np.ones((SIZE, SIZE)), standard_cameras(0.0, 0.0).c2w[0].double().numpy()
    even = np.log(evened(HairView(shown, ones, ones, c2w, FOCAL, (SIZE / 2, SIZE / 2)), (0.3, 0.2, 0.1)))
    shaded, free = even[118:138, 80:100].reshape(-1, 3), even[118:138, 180:200].reshape(-1, 3)
    assert np.abs(shaded.mean(0) - free.mean(0)).max() < 0.3
    assert shaded.mean(1).std() > 0.7 * 0.2


def test_of_a_patch_of_light_as_wide_as_a_thumb_a_third_stays():
    ones, c2w = np.ones((SIZE, SIZE)), np.eye(4)
    c2w[2, 3] = 0.6
    rows, columns = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    plain = np.broadcast_to(np.array([0.3, 0.2, 0.1]), (SIZE, SIZE, 3))
    empty = HairView(plain, ones, ones, c2w, FOCAL, (SIZE / 2, SIZE / 2))
    wide = 0.006 / empty.metres_per_pixel()
    light = 0.5 * np.exp(-(rows**2 + columns**2) / (2 * wide**2))
    lit = plain * np.exp(light)[..., None]
    even = np.log(evened(HairView(lit, ones, ones, c2w, FOCAL, (SIZE / 2, SIZE / 2)), (0.3, 0.2, 0.1))).mean(-1)
    assert even[SIZE // 2, SIZE // 2] - even[8, 8] < 0.5 / 3


@pytest.mark.parametrize("name", [name for name, colour in COLOURS.items() if not colour.dyed])
def test_hair_without_dye_keeps_its_colour_and_olive_hair_becomes_blonde(name):
    assert undyed(np.array(COLOURS[name].rgb)) == pytest.approx(COLOURS[name].rgb, rel=0.02)
    olive = np.array([0.30, 0.22, 0.08])
    turned = np.array(undyed(olive))
    assert np.log(turned[0] / turned[1]) == pytest.approx(np.log(0.30 / 0.08) / 3)
    assert turned.mean() == pytest.approx(olive.mean()) and turned[0] / turned[2] == pytest.approx(0.30 / 0.08)
    green = np.array(COLOURS["green"].rgb)
    assert undyed(green) == pytest.approx(green)


def test_strands_end_where_the_photo_shows_something_else(pair):
    """Strands that run down the forehead, half a centimetre off it, to the chin: they are cut at the hair's outline."""
    head, view = round_head(), pair[1].on(round_head())
    space = MeanSpace(head)
    evidence = Evidence([view], [view.colour], Parting(), space, volume_of_views(head, [view], space), False)
    down, across = np.linspace(1.1, -0.6, 12), np.linspace(-0.3, 0.3, 7)[:, None]
    out = np.stack([np.sin(across) * np.cos(down), np.sin(down) + 0 * across, np.cos(across) * np.cos(down)], -1)
    hit = head.vertices[cKDTree(head.vertices / np.linalg.norm(head.vertices, axis=1)[:, None]).query(out)[1]]
    points = out * (np.linalg.norm(hit, axis=-1, keepdims=True) + 0.005)
    guides = Guides(points, out, np.ones(7), np.arange(7))
    cut = trimmed(guides, 0.002, evidence, np.random.default_rng(0))
    tips = view.read(view.to_hair, view.project(cut.points[:, -1])[0])
    before = view.read(view.to_hair, view.project(points[:, -1])[0])
    assert len(cut) == 7 and (before > 20).all() and (np.abs(tips) < 8).all()
    assert np.allclose(cut.points[:, 0], points[:, 0])


def test_the_longest_run_of_a_strand_is_kept():
    kept = np.array([[1, 1, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]) > 0
    assert longest_run(kept).tolist() == [[3, 0, 0], [5, 0, 0]]


def test_around_the_cap_its_texture_goes_on(pair):
    """What viewers read between the cap's last texels and the next, and cards beyond it, is hair as well."""
    colour = pair[2].albedo[int(SIZE * BAND) + 2 :, :, :3].reshape(-1, 3)
    alpha = pair[2].albedo[int(SIZE * BAND) + 2 :, :, 3]
    assert (colour.mean(1) > 0).all() and alpha[-1].min() < 255  # without, all below the cap's end is solid
