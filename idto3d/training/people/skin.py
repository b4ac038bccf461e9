"""Procedural skin, lips, brows, eyes and beard stubble as one linear albedo per ICT-FaceKit vertex."""

from dataclasses import dataclass

import numpy as np

from idto3d.head.skin import skin_colour
from idto3d.training.people.skin_regions import Regions, read_regions
from idto3d.training.people.strands import bumps
from idto3d.words.traits import COLOURS, FACIAL_HAIR, SMALL, STYLES, natural_colour

__all__ = ["IRISES", "Look", "Regions", "draw_extras", "paint", "read_regions"]

IRISES = {
    "brown": (0.10, 0.045, 0.02),
    "blue": (0.12, 0.24, 0.42),
    "green": (0.12, 0.22, 0.09),
    "grey": (0.25, 0.28, 0.3),
}
LIPSTICKS = ((0.42, 0.015, 0.03), (0.55, 0.10, 0.16), (0.30, 0.02, 0.08), (0.50, 0.12, 0.08))  # linear RGB
SHADOWS = ((0.06, 0.05, 0.06), (0.16, 0.07, 0.22), (0.05, 0.12, 0.30), (0.30, 0.12, 0.10), (0.05, 0.20, 0.16))
BROW_HALF = 0.0042  # half the height of a plain brow, metres
BROW_STRENGTH = {"baby": 0.30, "child": 0.70, "old": 0.65}
FRECKLES_CHANCE, MAKEUP_CHANCE, GLASSES_CHANCE = 0.14, 0.30, 0.12
FRAMES = {"black": (0.012, 0.012, 0.013), "brown": (0.10, 0.045, 0.02), "red": (0.40, 0.02, 0.02)}
FRAMES |= {"blue": (0.03, 0.08, 0.35), "gold": (0.55, 0.36, 0.10), "silver": (0.50, 0.51, 0.53)}


@dataclass(frozen=True)
class Look:
    """The painted attributes of one person; `melanin`, `redness`, `lips`, `blush` 0..1, `brows` about 1."""

    skin: str
    melanin: float
    redness: float
    iris: str
    hair_style: str
    hair_colour: str
    beard: str
    age: str = "young"
    gender: str = "female"
    ancestry: str = "caucasian"
    face: tuple[str, ...] = ()
    freckles: bool = False
    makeup: bool = False
    glasses: str = ""  # the frame's colour, one of FRAMES; "" for none
    brows: float = 1.0  # thickness against a plain brow's
    lips: float = 0.5  # how much redder than the skin
    blush: float = 0.0


def draw_extras(random: np.random.Generator, age: str, gender: str) -> dict:
    """The fields of Look after `face`, as likely as they are on people of that age and gender."""
    young = age in SMALL
    makeup = gender == "female" and not young and random.uniform() < MAKEUP_CHANCE
    glasses = age != "baby" and random.uniform() < GLASSES_CHANCE * (1.6 if age == "old" else 1.0)
    brows = random.normal(1.12 if gender == "male" else 0.92, 0.22)
    return {
        "freckles": bool(random.uniform() < FRECKLES_CHANCE),
        "makeup": bool(makeup),
        "glasses": str(random.choice(list(FRAMES))) if glasses else "",
        "brows": float(np.clip(brows, 0.5, 1.7)),
        "lips": float(random.uniform(0.2, 1.0)),
        "blush": float(random.uniform(0, 1) ** 2 if not makeup else random.uniform(0.4, 1)),
    }


def paint(look: Look, regions: Regions, neutral: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """[V, 3] linear albedo of a person; the same look gives the same colours up to its mottling."""
    mottle = bumps(neutral, random, 0.007, 0.03)
    albedo = skin_colour(*_pigments(look, regions, neutral, mottle, random))
    albedo = albedo * (1 + 0.035 * random.standard_normal(len(neutral)).astype(np.float32))[:, None]  # pores
    if look.makeup:
        albedo = _make_up(albedo, regions, random)
    albedo = _grow(albedo, look, regions, neutral, random)
    return _insides(albedo, look, regions).astype(np.float32)


def _pigments(look: Look, regions: Regions, neutral, mottle, random) -> tuple[np.ndarray, np.ndarray]:
    """Melanin and redness [V]: blood in lips, cheeks, nose and ears; less melanin in lips; freckles and spots."""
    melanin = look.melanin + 0.028 * mottle * (0.4 + look.melanin)
    patches = bumps(neutral, random, 0.012, 0.05)
    redness = look.redness * (0.8 + 0.15 * patches) + 0.06 * mottle
    redness = redness + (0.25 + 0.45 * look.redness + 0.9 * look.blush) * regions.cheeks + 0.6 * regions.flush
    redness = redness + (0.7 + 1.3 * look.lips) * regions.lips
    melanin = melanin * (1 - 0.25 * regions.lips) + 0.06 * regions.lips + 0.08 * regions.lids
    if look.freckles:
        melanin = melanin + _freckles(neutral, regions, random)
    if look.age == "old":
        melanin = melanin + 0.18 * np.clip(bumps(neutral, random, 0.010, 0.03) - 0.75, 0, 0.5) * 2
    return melanin, np.maximum(redness, 0)


def _freckles(neutral, regions: Regions, random) -> np.ndarray:
    """More melanin in spots over the nose and the cheeks, fewer elsewhere on the face."""
    where = np.exp(-(((neutral[:, 1] - 0.004) / 0.024) ** 2)) * (neutral[:, 2] > 0.055)
    spots = random.uniform(size=len(neutral)) < 0.16 * where
    return 0.34 * spots * random.uniform(0.5, 1.0, len(neutral)) * regions.face * (1 - regions.lips)


def _make_up(albedo, regions: Regions, random) -> np.ndarray:
    lipstick, shadow = LIPSTICKS[random.integers(len(LIPSTICKS))], SHADOWS[random.integers(len(SHADOWS))]
    albedo = _mix(albedo, lipstick, random.uniform(0.65, 0.9) * regions.lips)
    return _mix(albedo, np.array(shadow), random.uniform(0.7, 0.95) * regions.lids)


def _grow(albedo, look: Look, regions: Regions, neutral, random) -> np.ndarray:
    """Brows, beard and the hair's ground on the skin."""
    hair, natural = (np.array(c.rgb, np.float32) for c in (COLOURS[look.hair_colour], natural_colour(look.hair_colour)))
    streak = (1 + 0.22 * bumps(neutral, random, 0.006, 0.015))[:, None]
    strength = BROW_STRENGTH.get(look.age, 0.85)
    albedo = _mix(albedo, natural * 0.75 * streak, strength * brow_mask(look, regions))
    if FACIAL_HAIR[look.beard].cover:
        cover = FACIAL_HAIR[look.beard].cover * regions_of_beard(look.beard, regions)
        albedo = _mix(albedo, natural * 0.9 * streak, cover)
    return _mix(albedo, hair * 0.85, STYLES[look.hair_style].scalp_cover * regions.scalp)


def brow_mask(look: Look, regions: Regions) -> np.ndarray:
    """[V] 0..1 the brows, as thick as the look says, thinner at their outer ends."""
    half = BROW_HALF * look.brows * (1 - 0.35 * np.clip(regions.brow_along, 0, 1))
    return np.clip((1.3 * half - regions.brow_gap) / (0.7 * half), 0, 1)


def regions_of_beard(beard: str, regions: Regions) -> np.ndarray:
    """[V] 0..1 where that one of FACIAL_HAIR grows: where a full one does, unless it has a place of its own."""
    if not FACIAL_HAIR[beard].cover:
        return np.zeros_like(regions.beard)
    return {"moustache": regions.moustache, "goatee": regions.goatee}.get(beard, regions.beard)


def _insides(albedo, look: Look, regions: Regions) -> np.ndarray:
    albedo = _mix(albedo, np.array([0.72, 0.68, 0.66]), regions.eyes)
    albedo = _mix(albedo, np.array(IRISES[look.iris]), regions.iris)
    albedo = _mix(albedo, np.array([0.005, 0.005, 0.005]), regions.pupil)
    albedo = _mix(albedo, np.array([0.70, 0.66, 0.55]), regions.teeth)
    return _mix(albedo, np.array([0.25, 0.07, 0.06]), regions.mouth)


def _mix(base, colour, amount):
    return base * (1 - amount[:, None]) + np.asarray(colour, np.float32) * amount[:, None]
