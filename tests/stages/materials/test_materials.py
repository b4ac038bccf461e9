"""A skin's shine and relief as a network reads them from its colour, where no photo shows it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from small_heads import everything

from idto3d.config import CarvingOptions
from idto3d.errors import UserError
from idto3d.events import StepDone, exhausted
from idto3d.files import read_metadata
from idto3d.head.paint.hollows import DULLED
from idto3d.stages.materials import translated as translating
from idto3d.stages.materials.network import INPUTS, KEY, MaterialNet, MaterialSize, load_materials, save_materials
from idto3d.stages.materials.translated import surroundings, translated, usual_specular
from idto3d.stages.materials.worn import with_materials


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return MaterialNet(MaterialSize((4, 6, 8))).eval()


def worn_by(fitted, known, net, relief):
    """The skin of a fit of which photos know `known` [N]."""
    colour = replace(fitted.colour, known=known)
    return exhausted(with_materials(fitted.wear, fitted.template, fitted.skin, colour, net, relief))["skin"]


def plain_of(fitted):
    """[N] bool: texels of a fit that neither hair nor a hollow dulls."""
    return (fitted.colour.hairs == 0) & (fitted.skin.dry[fitted.skin.texels.corners] < DULLED[0]).all(1)


@pytest.fixture
def skin(old_man):
    """The skin map, its albedo and what photos know of it (half of the texels)."""
    texels = old_man.skin.texels
    return old_man.skin, old_man.colour.albedo, (texels.uvs[:, 0] < 0.5).astype(float)


def test_a_network_is_saved_in_half_precision_and_read_back(net, tmp_path):
    path = tmp_path / "materials.safetensors"
    save_materials(net, path, {"seed": 0})
    again, page = load_materials(path), torch.randn(1, INPUTS, 16, 16)
    for told, known in zip(again(page), net(page), strict=True):
        torch.testing.assert_close(told, known, atol=2e-3, rtol=2e-2)
    assert path.stat().st_size < 20_000 and not any(value.requires_grad for value in again.parameters())


@pytest.mark.parametrize("change", [{"version": 9}, {"regions": ["face"]}, {"size": {"channels": [0, 4]}}])
def test_a_network_of_another_kind_is_refused(net, tmp_path, change):
    path = tmp_path / "materials.safetensors"
    save_materials(net, path, {})
    about = json.loads(read_metadata(path)[KEY]) | change
    save_file(load_file(path), path, {KEY: json.dumps(about)})
    with pytest.raises(UserError, match="network of materials"):
        load_materials(path)


def test_tiles_tell_what_the_whole_page_does(net, old_man, skin, monkeypatch):
    own, albedo, _ = skin
    about = surroundings(old_man.template, len(own.texels.covered))
    whole = exhausted(translated(net, albedo, about, own.texels))
    monkeypatch.setattr(translating, "TILE", 48)
    tiles = exhausted(translated(net, albedo, about, own.texels))
    for name in ("roughness", "specular", "height"):
        np.testing.assert_allclose(getattr(tiles, name), getattr(whole, name), atol=1e-5)


def test_a_large_texture_is_read_as_a_small_one_and_tells_how_far_it_is(embedded, old_man, skin, monkeypatch):
    own, albedo, _ = skin
    asked = (embedded.materials, albedo, surroundings(old_man.template, 128), own.texels)
    monkeypatch.setattr(translating, "TILE", 32)
    whole = exhausted(translated(*asked))
    monkeypatch.setattr(translating, "SIDE", 64)
    events, coarse = everything(translated(*asked, finest=False))
    assert [event.step for event in events if isinstance(event, StepDone)] == [1, 2, 3, 4]
    assert np.abs(coarse.roughness - whole.roughness).mean() < 0.02
    assert np.corrcoef(coarse.roughness, whole.roughness)[0, 1] > 0.95


def test_what_photos_show_keeps_its_roughness_and_relief(net, old_man, skin):
    own, _, known = skin
    before = old_man.wear["skin"]
    after = worn_by(old_man, known, net, relief=True)
    seen = np.zeros(own.texels.covered.shape, bool)
    seen[own.texels.covered] = known > 0
    inner = seen.copy()
    inner[1:] &= seen[:-1] & own.texels.covered[:-1]
    inner[:-1] &= seen[1:] & own.texels.covered[1:]
    inner[:, 1:] &= seen[:, :-1]
    inner[:, :-1] &= seen[:, 1:]
    torch.testing.assert_close(after.map[seen][:, 3], before.map[seen][:, 3].clip(0.05, 1))
    assert torch.equal(after.map[..., :3], before.map[..., :3]) and torch.equal(after.map[..., 4], before.map[..., 4])
    assert np.abs(after.normal[inner].astype(int) - before.normal[inner]).max() <= 1
    assert (after.known[seen] == 255).all() and after.normal.dtype == after.specular.dtype == np.uint8
    usual = own.texels.read(usual_specular(old_man.template)[:, None])[:, 0]
    plain = plain_of(old_man) & (known > 0)
    assert plain.sum() > 2000 and np.abs(after.specular[own.texels.covered] / 255 - usual)[plain].max() < 0.003


def test_brows_and_nostrils_do_not_shine(net, old_man):
    own = old_man.skin
    after = worn_by(old_man, np.zeros(len(own.texels.uvs)), net, relief=False)
    gloss, rough = after.specular[own.texels.covered] / 255, after.map[own.texels.covered][:, 3].numpy()
    brows, deep = old_man.colour.hairs > 0.6, own.texels.read(own.dry[:, None])[:, 0] > 0.85
    assert brows.any() and gloss[brows].max() < 0.6 and rough[brows].mean() > 0.7
    assert deep.any() and gloss[deep].max() < 0.25 and rough[deep].min() > 0.8


def test_what_no_photo_shows_is_as_the_network_says(net, old_man, skin):
    own, albedo, _ = skin
    none = np.zeros(len(albedo))
    after = worn_by(old_man, none, net, relief=True)
    image = old_man.wear["skin"].map[own.texels.covered].double().numpy()
    told = exhausted(translated(net, image[:, :3], surroundings(old_man.template, 128), own.texels))
    assert after.known is None
    bare = old_man.colour.hairs == 0
    assert np.abs(after.specular[own.texels.covered] / 255 - told.specular)[bare].max() < 0.003
    assert (after.normal != old_man.wear["skin"].normal).any()
    plain = worn_by(old_man, none, net, relief=False)
    assert plain.normal is old_man.wear["skin"].normal and torch.equal(plain.map, after.map)
    dull, usual = plain.specular[own.texels.covered] / 255, own.texels.read(usual_specular(old_man.template)[:, None])
    deep = old_man.colour.depth > np.quantile(old_man.colour.depth, 0.98)
    assert (dull <= usual[:, 0] + 0.003).all() and (usual[:, 0] - dull)[deep].mean() > 2 * (usual[:, 0] - dull).mean()


def test_pores_that_were_painted_are_in_the_relief_unless_it_is_to_be_read(fit, asked, old_man):
    even = replace(asked, carving=CarvingOptions(relief=0.0))  # what is uneven otherwise is so in both
    pair = fit(even), fit(replace(even, material=replace(even.material, relief="read")))
    bare, texels = pair[1], old_man.skin.texels
    slopes = [np.abs(one.wear["skin"].normal[texels.covered][:, :2].astype(int) - 128) for one in pair]
    deep = old_man.colour.depth > np.quantile(old_man.colour.depth, 0.98)
    assert slopes[0][deep].mean() > 3 * slopes[1][deep].mean()
    assert np.array_equal(bare.colour.albedo, old_man.colour.albedo)


def test_the_embedded_network_knows_lips_pores_and_brows(embedded, old_man):
    """Lips shine more than cheeks, brows less, and a dark spot of skin lies deeper than the skin around it."""
    texels = old_man.skin.texels
    albedo = np.full((len(texels.uvs), 3), (0.35, 0.2, 0.14))
    about = surroundings(old_man.template, len(texels.covered))
    found = exhausted(translated(embedded.materials, albedo, about, texels))
    share = dict(zip(translating.REGIONS, texels.read(translating.region_shares(old_man.template)).T, strict=True))
    lips, cheeks = share["lips"] > 0.9, share["cheeks"] > 0.5
    assert found.roughness[lips].mean() < found.roughness[cheeks].mean() - 0.1
    assert np.abs(found.height[cheeks]).mean() < 0.02  # of one colour nothing rises
    dark = replace(old_man.colour, albedo=albedo * 0.1).albedo
    hair = exhausted(translated(embedded.materials, np.where(cheeks[:, None], dark, albedo), about, texels))
    assert hair.roughness[cheeks].mean() > found.roughness[cheeks].mean() - 0.02
