"""Sixty lights by name: what hangs where. Radiances are relative; `make_hdri` sets the exposure.

Azimuth 0 is in front of the face, positive towards the person's left; elevation positive is above. Degrees.
"""

from dataclasses import dataclass

import numpy as np

from idto3d.render.sky import blackbody, clear_sky, overcast_sky

GREY = (1.0, 1.0, 1.0)
ADAPTATION = 0.6


@dataclass(frozen=True)
class Lamp:
    """A glowing patch: a rectangle, an ellipse, or with a hole (share of its size) a ring.

    color: kelvin, or linear RGB. Kelvins are pulled towards white, as eyes and cameras adapt to a lamp.
    """

    azimuth_deg: float
    elevation_deg: float
    width_deg: float
    height_deg: float
    strength: float
    color: float | tuple[float, float, float] = 6500.0
    round: bool = False
    hole: float = 0.0


@dataclass(frozen=True)
class Room:
    """Dim surroundings: linear colours of ceiling, walls and floor, blended by elevation."""

    ceiling: tuple[float, float, float]
    walls: tuple[float, float, float]
    floor: tuple[float, float, float]


@dataclass(frozen=True)
class Sky:
    """The open air. sun_share: energy of the sun's disc over that of the sky; 0 with overcast for a grey sky."""

    azimuth_deg: float = 0.0
    elevation_deg: float = 45.0
    turbidity: float = 3.0
    sun_share: float = 2.0
    ground: tuple[float, float, float] = (0.25, 0.24, 0.22)
    overcast: bool = False


@dataclass(frozen=True)
class Light:
    """Surroundings and lamps."""

    around: Room | Sky
    lamps: tuple[Lamp, ...] = ()


def radiance(light: Light, directions: np.ndarray) -> np.ndarray:
    """Linear radiance [..., 3] arriving from unit `directions` [..., 3]."""
    around = light.around
    total = _sky(around, directions) if isinstance(around, Sky) else _room(around, directions)
    return total + sum(_lamp(lamp, directions) for lamp in light.lamps)


def direction(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """Unit vector [3] towards a place on the sphere."""
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    return np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])


def _lamp(lamp: Lamp, directions: np.ndarray) -> np.ndarray:
    forward = direction(lamp.azimuth_deg, lamp.elevation_deg)
    right = direction(lamp.azimuth_deg + 90, 0.0)
    up = np.cross(forward, right)
    x = np.degrees(np.arctan2(directions @ right, directions @ forward)) / (lamp.width_deg / 2)
    y = np.degrees(np.arcsin(np.clip(directions @ up, -1, 1))) / (lamp.height_deg / 2)
    reach = np.hypot(x, y) if lamp.round else np.maximum(abs(x), abs(y))
    edge = 8.0 / min(lamp.width_deg, lamp.height_deg)
    shape = np.clip((1 - reach) / edge + 0.5, 0, 1) * np.clip((reach - lamp.hole) / edge + 0.5, 0, 1)
    color = blackbody(lamp.color) ** ADAPTATION if isinstance(lamp.color, int | float) else np.array(lamp.color)
    return (shape * (abs(x) * lamp.width_deg < 180))[..., None] * lamp.strength * color


def _room(room: Room, directions: np.ndarray) -> np.ndarray:
    height = directions[..., 1:2]
    above, below = np.clip(height * 1.5, 0, 1), np.clip(-height * 1.5, 0, 1)
    walls = np.array(room.walls)
    return walls + above * (np.array(room.ceiling) - walls) + below * (np.array(room.floor) - walls)


def _sky(sky: Sky, directions: np.ndarray) -> np.ndarray:
    sun = direction(sky.azimuth_deg, sky.elevation_deg)
    above = np.clip(directions[..., 1:2] * 12 + 0.5, 0, 1)
    dome = overcast_sky(directions) * np.array(GREY) if sky.overcast else clear_sky(directions, sun, sky.turbidity)
    weight = np.sqrt(np.clip(1 - directions[..., 1:2] ** 2, 0, 1)) * above
    mean = (dome * weight).sum((0, 1)) / weight.sum()
    disc = np.exp((directions @ sun - 1) / 0.004)[..., None]
    sunlight = blackbody(2000 + 3600 * np.sin(np.radians(max(sky.elevation_deg, 1))) ** 0.6) * mean.mean()
    shine = disc * sunlight * sky.sun_share / 0.004 * above
    bounced = np.array(sky.ground) * (mean + sky.sun_share * sunlight * max(sun[1], 0.05))
    return dome * above + bounced * (1 - above) + shine


DARK = Room((0.04, 0.04, 0.04), (0.06, 0.06, 0.06), (0.03, 0.03, 0.03))
BOUNCING = Room((0.04, 0.04, 0.04), (0.07, 0.07, 0.07), (0.4, 0.39, 0.37))  # a pale floor fills what faces down
DIM = Room((0.16, 0.16, 0.16), (0.2, 0.2, 0.2), (0.12, 0.12, 0.12))
LIT = Room((0.6, 0.6, 0.6), (0.5, 0.5, 0.5), (0.35, 0.34, 0.33))
WHITE = Room((1.6, 1.6, 1.6), (1.5, 1.5, 1.5), (1.2, 1.2, 1.2))
NIGHT = Room((0.004, 0.006, 0.014), (0.03, 0.03, 0.045), (0.02, 0.02, 0.022))
WARM = Room((0.34, 0.27, 0.18), (0.3, 0.21, 0.13), (0.12, 0.075, 0.045))


def _key(azimuth_deg: float, elevation_deg: float) -> Light:
    return Light(DIM, (Lamp(azimuth_deg, elevation_deg, 50, 50, 12.0, round=True),))


def _softboxes(*lamps: tuple, around: Room = DARK) -> Light:
    """Rectangles given as (azimuth, elevation, width, height, strength[, kelvin])."""
    return Light(around, tuple(Lamp(*lamp) for lamp in lamps))


def _spots(*lamps: tuple, around: Room = NIGHT) -> Light:
    """Small round lamps given as (azimuth, elevation, size, strength, color)."""
    return Light(around, tuple(Lamp(a, e, s, s, strength, color, round=True) for a, e, s, strength, color in lamps))


def _window(azimuth_deg: float, kelvin: float, around: Room = DIM, strength: float = 9.0) -> Light:
    """Two tall panes with a bar between them."""
    left, right = (Lamp(azimuth_deg + side, 12, 22, 55, strength, kelvin) for side in (-14, 14))
    return Light(around, (left, right))


PINK, CYAN, PURPLE, RED = (1.0, 0.12, 0.55), (0.08, 0.75, 1.0), (0.5, 0.15, 1.0), (1.0, 0.08, 0.05)
GREEN, BLUE, ORANGE = (0.1, 1.0, 0.35), (0.12, 0.25, 1.0), (1.0, 0.45, 0.1)

KEYS = {
    "light_front": _key(0, 10),
    "light_left": _key(90, 10),
    "light_right": _key(-90, 10),
    "light_back": _key(180, 20),
    "light_top": _key(0, 85),
    "light_below": _key(0, -60),
    "light_front_left": _key(45, 20),
    "light_front_right": _key(-45, 20),
}
STUDIOS = {
    "studio_soft": _softboxes((-40, 25, 60, 60, 4), (40, 25, 60, 60, 4), around=LIT),
    "studio_key_left": _softboxes((45, 35, 45, 45, 14), (-60, 10, 60, 60, 1.2)),
    "studio_key_right": _softboxes((-45, 35, 45, 45, 14), (60, 10, 60, 60, 1.2)),
    "studio_rembrandt_left": _softboxes((60, 45, 30, 30, 28), (-70, 0, 60, 60, 0.6)),
    "studio_rembrandt_right": _softboxes((-60, 45, 30, 30, 28), (70, 0, 60, 60, 0.6)),
    "studio_butterfly": _softboxes((0, 55, 35, 30, 22), (0, -40, 50, 20, 1.5)),
    "studio_clamshell": _softboxes((0, 45, 70, 30, 9), (0, -40, 70, 25, 5)),
    "studio_split_left": _softboxes((92, 5, 40, 70, 14)),
    "studio_split_right": _softboxes((-92, 5, 40, 70, 14)),
    "studio_rim_pair": _softboxes((140, 20, 25, 80, 16), (-140, 20, 25, 80, 16), (0, 20, 60, 40, 1.2)),
    "studio_strip_pair": _softboxes((65, 5, 15, 110, 14), (-65, 5, 15, 110, 14)),
    "studio_high_key": _softboxes((0, 30, 90, 50, 4), (180, 10, 120, 90, 3), around=WHITE),
    "studio_low_key": _softboxes((70, 30, 20, 40, 20), (-150, 30, 15, 60, 8), around=NIGHT),
    "studio_three_point": _softboxes(
        (40, 35, 35, 35, 16), (-50, 10, 50, 50, 2.5), (160, 40, 30, 30, 14), around=BOUNCING
    ),
    "studio_warm_cool": _softboxes((60, 20, 45, 70, 9, 2700), (-60, 20, 45, 70, 9, 12000)),
}
RINGS = {
    "ring_light": Light(DARK, (Lamp(0, 0, 50, 50, 16.0, 5600.0, round=True, hole=0.6),)),
    "ring_light_warm": Light(DIM, (Lamp(0, 5, 60, 60, 12.0, 3200.0, round=True, hole=0.7),)),
}
WINDOWS = {
    "window_left": _window(75, 6500),
    "window_right": _window(-75, 6500),
    "window_front": _window(0, 6500),
    "window_north": _window(50, 10000, Room((0.2, 0.22, 0.26), (0.2, 0.22, 0.25), (0.1, 0.1, 0.11))),
    "window_morning": _window(65, 4300, WARM, 13.0),
    "window_evening": _window(-65, 2900, WARM, 11.0),
}
CLOUDS = {
    "overcast_bright": Light(Sky(overcast=True, sun_share=0.0)),
    "overcast_dark": Light(Sky(overcast=True, sun_share=0.0, ground=(0.08, 0.08, 0.08))),
    "overcast_snow": Light(Sky(overcast=True, sun_share=0.0, ground=(0.85, 0.88, 0.92))),
    "fog": Light(Room((1.1, 1.12, 1.15), (1.0, 1.0, 1.0), (0.6, 0.6, 0.58))),
}
SUNS = {
    "sunny_morning_left": Light(Sky(70, 25, 2.5, 2.0)),
    "sunny_noon": Light(Sky(20, 75, 2.2, 2.5)),
    "sunny_afternoon_right": Light(Sky(-60, 40, 3.0, 2.2)),
    "sunny_front": Light(Sky(0, 40, 3.0, 2.0)),
    "sunny_backlit": Light(Sky(170, 35, 3.0, 2.5)),
    "sunny_hazy": Light(Sky(40, 45, 7.0, 0.8)),
    "sunny_meadow": Light(Sky(-35, 50, 3.0, 2.0, ground=(0.12, 0.24, 0.06))),
    "sunny_beach": Light(Sky(50, 60, 2.5, 2.2, ground=(0.55, 0.46, 0.33))),
}
SUNSETS = {
    "sunset_left": Light(Sky(80, 4, 5.0, 1.8)),
    "sunset_right": Light(Sky(-80, 4, 5.0, 1.8)),
    "sunset_front": Light(Sky(5, 6, 4.5, 1.5)),
    "sunset_back": Light(Sky(175, 4, 5.0, 2.2)),
    "dusk_blue": Light(
        Room((0.35, 0.5, 1.0), (0.6, 0.55, 0.75), (0.08, 0.08, 0.1)), (Lamp(-100, 3, 90, 14, 3.0, ORANGE),)
    ),
}
NIGHTS = {
    "night_street": _spots(
        (30, 50, 14, 40, 2200), (-70, 35, 10, 40, 2200), (150, 30, 10, 40, 2200), (-140, 5, 25, 3, 4e3)
    ),
    "night_neon_pink_cyan": _spots((65, 10, 30, 22, PINK), (-65, 10, 30, 22, CYAN), (180, 20, 30, 5, PURPLE)),
    "night_neon_alley": _spots(
        (40, 30, 16, 30, RED), (-100, 15, 24, 22, BLUE), (110, 0, 20, 20, GREEN), (-20, 40, 12, 20, 3500)
    ),
    "night_car": _spots((25, -8, 12, 30, 4300), (-25, -8, 12, 30, 4300), (170, 0, 20, 12, RED), (60, 60, 12, 12, 2200)),
    "night_campfire": _spots((0, -35, 45, 14, 1900), (0, -20, 20, 20, 2300)),
    "night_moon": _spots(
        (50, 45, 16, 40, 7500), around=Room((0.1, 0.14, 0.26), (0.08, 0.1, 0.17), (0.03, 0.035, 0.05))
    ),
}
ROOMS = {
    "room_warm": _spots((55, 30, 22, 20, 2700), (-120, 20, 22, 16, 2700), (-20, 80, 25, 8, 3000), around=WARM),
    "room_office": _softboxes((0, 60, 90, 14, 7, 4200), (180, 60, 90, 14, 7, 4200), around=LIT),
    "room_corridor": _softboxes((0, 35, 12, 60, 12, 3800), (180, 35, 12, 60, 12, 3800), around=DIM),
    "room_candle": _spots((35, -10, 14, 45, 1900), (-50, -5, 10, 30, 1900), around=NIGHT),
    "room_gallery": _spots((30, 60, 16, 25, 4000), (-30, 60, 16, 25, 4000), (120, 55, 14, 16, 4000), around=LIT),
    "room_screen": _softboxes((0, -10, 50, 30, 9, 9000), (-110, 30, 20, 20, 3, 2700), around=NIGHT),
}
LIGHTS = {**KEYS, **STUDIOS, **RINGS, **WINDOWS, **CLOUDS, **SUNS, **SUNSETS, **NIGHTS, **ROOMS}
