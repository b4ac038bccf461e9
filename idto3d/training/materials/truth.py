"""Skin of which both is known: its colour, and what made it so. The network of materials learns from it.

People are painted by the formulas that paint heads of words (head/paint), with dents, hair, make-up, freckles, moles
and paint in every mixture. Dents darken what lies in them and are rough and dull, hair is rough, lipstick shines, and
freckles, patches and paint change the colour alone: what is darker is not always deeper.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.evidence.completion import patches, plain_grain
from idto3d.evidence.skin import SkinMap
from idto3d.head.paint.age import aged
from idto3d.head.paint.pores import shaded, skin_dents
from idto3d.head.paint.usual_skin import facial_hair, grown_over, usual_skin
from idto3d.head.template_model import Template
from idto3d.stages.dressing import skin_roughness
from idto3d.stages.fit import skin_map
from idto3d.stages.materials.network import REGIONS
from idto3d.stages.materials.translated import CAVITY_DULL, SPECULAR_OF, region_shares, surroundings, usual_specular
from idto3d.words.traits import AGE_GROUPS, COLOURS, FACIAL_HAIR, SHAVEN, SKIN_TONES

HAIR_ROUGH, HAIR_SPECULAR = 0.60, 0.95
CAVITY_ROUGH = 0.8  # roughness gained per millimetre of a dent's depth
OLDER_ROUGH = 0.03
LIPSTICK, SHADOW = ((0.24, 0.50), 0.9), ((0.50, 0.66), 0.8)  # least and most roughness, specular
MOLE_MM = 0.15
FRECKLES, PAINTED, MADE_UP, SHAVED = 0.3, 0.3, 0.3, 0.4  # how often


@dataclass(frozen=True, eq=False)
class Skin:
    """Linear albedo [N, 3], and what is to be told of it [N]: roughness and specular 0..1, height millimetres."""

    albedo: np.ndarray
    roughness: np.ndarray
    specular: np.ndarray
    height: np.ndarray


@dataclass(frozen=True, eq=False)
class Ground:
    """What all skins of one size of texture share."""

    template: Template
    map: SkinMap

    @cached_property
    def about(self) -> np.ndarray:
        """[N, 1 + R] see `surroundings`."""
        texels = self.map.texels
        return texels.read(surroundings(self.template, len(texels.covered))).astype(np.float32)

    @cached_property
    def shares(self) -> dict[str, np.ndarray]:
        """[N] 0..1 of each of REGIONS."""
        found = self.map.texels.read(region_shares(self.template))
        return dict(zip(REGIONS, found.T, strict=True))

    @cached_property
    def specular(self) -> np.ndarray:
        """[N] of bare skin by region."""
        return self.map.texels.read(usual_specular(self.template)[:, None])[:, 0]

    @cached_property
    def rough(self) -> np.ndarray:
        """[N] roughness of bare skin by region."""
        return self.map.texels.read(skin_roughness(self.template)[:, None])[:, 0]


def ground_of(template: Template, size: int) -> Ground:
    """What skins of a texture of `size` pixels share."""
    return Ground(template, skin_map(template, size))


def drawn_skin(ground: Ground, seed: int, number: int) -> Skin:
    """The skin of one person; the same `seed` and `number` give the same."""
    random = np.random.default_rng([seed, number, 61])
    traits, own = drawn_traits(random), int(random.integers(2**31))
    texels, mean, space = ground.map.texels, ground.map.positions, ground.map.ground
    dents = random.uniform(0.5, 1.3) * skin_dents(ground.template, texels, traits["age"], own)
    logs = np.log(texels.read(usual_skin(mean, traits))) + random.lognormal(0, 0.35) * shaded(dents)
    logs += random.uniform(0.2, 1.1) * plain_grain(space, own) + random.uniform(0.3, 1.5) * patches(space, own)
    if (years := aged(mean, random.uniform(0, 1) if traits["age"] == "old" else 0.0, texels, own)) is not None:
        logs += years.shade[:, None]
    logs += random.normal(0, 0.12) + random.normal(0, 0.05, 3)
    bare = _spotted(ground, Skin(np.exp(logs), *_bare(ground, dents, traits)), random)
    return _softened(ground, _grown(ground, _made_up(ground, bare, random), traits, own, random), random)


def drawn_traits(random: np.random.Generator) -> dict[str, str]:
    """Words of a person for what is painted."""
    beard = SHAVEN if random.random() < SHAVED else str(random.choice(list(FACIAL_HAIR)))
    return {
        "skin": str(random.choice(list(SKIN_TONES))),
        "age": str(random.choice(list(AGE_GROUPS))),
        "gender": str(random.choice(["male", "female"])),
        "hair_colour": str(random.choice(list(COLOURS))),
        "beard": beard,
    }


def _bare(ground: Ground, dents: np.ndarray, traits: Mapping[str, str]) -> tuple[np.ndarray, ...]:
    """Roughness, specular and height [N] of skin with `dents` [N] millimetres deep."""
    rough = ground.rough + CAVITY_ROUGH * dents + OLDER_ROUGH * (traits["age"] == "old")
    return rough.clip(0.05, 0.9), ground.specular * np.exp(-CAVITY_DULL * dents), -dents


def _spotted(ground: Ground, skin: Skin, random: np.random.Generator) -> Skin:
    """Freckles and moles, of which the latter rise, and paint, which does neither."""
    albedo, height = skin.albedo, skin.height
    if random.random() < FRECKLES:
        albedo = albedo * np.exp(
            -_spots(ground, random, 1.6, 0.985)[:, None] * random.uniform(0.2, 0.6) * (0.7, 1, 1.2)
        )
    moles = _spots(ground, random, 4.0, 0.9996)
    albedo = albedo * np.exp(-moles[:, None] * (0.5, 0.9, 1.1))
    if random.random() < PAINTED:
        cover = (_spots(ground, random, random.uniform(4, 30), random.uniform(0.8, 0.97)) * random.uniform(0.4, 1))[
            :, None
        ]
        albedo = albedo * (1 - cover) + cover * random.uniform(0.01, 0.6, 3)
    return Skin(albedo, skin.roughness, skin.specular, height + MOLE_MM * moles)


def _spots(ground: Ground, random: np.random.Generator, size: float, quantile: float) -> np.ndarray:
    """[N] 0..1 soft spots of about `size` texels of a texture of 1024, above a quantile of a noise."""
    texels = ground.map.texels
    noise = gaussian_filter(
        random.standard_normal(texels.covered.shape, np.float32), size * len(texels.covered) / 1024
    )[texels.covered]
    border = np.quantile(noise[::16], quantile)
    return np.clip((noise - border) / (0.25 * noise.std()), 0, 1).astype(np.float64)


def _made_up(ground: Ground, skin: Skin, random: np.random.Generator) -> Skin:
    if random.random() >= MADE_UP:
        return skin
    for name, (range_, specular) in (("lips", LIPSTICK), ("lids", SHADOW)):
        cover = random.uniform(0.5, 0.95) * ground.shares[name]
        skin = _covered(skin, cover, random.uniform(0.02, 0.6, 3) ** 1.5, random.uniform(*range_), specular)
    return skin


def _grown(ground: Ground, skin: Skin, traits: Mapping[str, str], seed: int, random: np.random.Generator) -> Skin:
    """Brows, beard, and what hair there is on the scalp."""
    hair = facial_hair(ground.map.positions, traits, ground.map.texels, seed)
    scalp = random.choice([0.0, 0.6, 0.92]) * ground.shares["scalp"]
    cover = 1 - (1 - hair.brow) * (1 - hair.beard)
    albedo = grown_over(skin.albedo, hair)
    skin = _covered(Skin(albedo, skin.roughness, skin.specular, skin.height), cover, None, HAIR_ROUGH, HAIR_SPECULAR)
    return _covered(skin, scalp, np.array(hair.brow_rgb), HAIR_ROUGH, SPECULAR_OF["scalp"])


def _covered(skin: Skin, cover: np.ndarray, rgb: np.ndarray | None, rough: float, specular: float) -> Skin:
    """Skin under something of that colour (None: painted already), roughness and specular, as far as `cover` [N]."""
    albedo = skin.albedo if rgb is None else skin.albedo + cover[:, None] * (rgb - skin.albedo)
    return Skin(
        albedo,
        skin.roughness + cover * (rough - skin.roughness),
        skin.specular + cover * (specular - skin.specular),
        skin.height * (1 - 0.7 * cover),
    )


def _softened(ground: Ground, skin: Skin, random: np.random.Generator) -> Skin:
    """A third of all colours less sharp, as a guidance paints them."""
    if random.random() > 1 / 3:
        return skin
    texels, width = ground.map.texels, random.uniform(0.4, 1.1)
    page = texels.spread(skin.albedo)
    soft = np.stack([gaussian_filter(page[..., axis], width)[texels.covered] for axis in range(3)], 1)
    return Skin(soft, skin.roughness, skin.specular, skin.height)
