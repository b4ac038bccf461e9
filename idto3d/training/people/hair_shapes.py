"""Hair as meshes: a shell over the scalp per style, hair that hangs from it, and what is tied behind it.

The shell lies at a style's thickness above the skin and dives under it at the hairline; its strands are ridges along
the style's flow on the flat map of the scalp (scalp.plan). Nothing here depends on the expression.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from idto3d.training.people.hair_tied import knot_mesh, tail_mesh
from idto3d.training.people.scalp import AZIMUTHS, CENTRE, RINGS, Scalp, along, grid_faces, ring_path, smooth
from idto3d.training.people.strands import bumps, combed, ringlets, tone
from idto3d.words.traits import STYLES, HairStyle

CEILING = (0.158, 0.169)  # hair rises freely to the first height, and never above the second, metres
PATH_AT_CROWN = float(ring_path()[0])
UNDER = 0.004  # how deep the shell's rim lies under the skin, metres
AROUND_HEAD = 0.085  # metres of arc per radian of azimuth


@dataclass(frozen=True)
class Hair:
    """A mesh in metres: `vertices` [H, 3], `faces` [F, 3], and the brightness of the strands `shade` [H], about 1."""

    vertices: np.ndarray
    faces: np.ndarray
    shade: np.ndarray


@dataclass(frozen=True)
class Fall:
    """Hair that hangs: its lower end and how far the ends tuck in and the middle swells (metres)."""

    end: float
    tuck: float = 0.0
    swell: float = 0.010
    wave: float = 0.0


def hair_mesh(style: str, vertices: np.ndarray, scalp: Scalp, random: np.random.Generator) -> Hair | None:
    """The hair of a head at rest, `vertices` [V, 3] metres; `style` is one of STYLES; None where nothing grows.

    A style that SHAPES lacks is a combed shell as thick as the table of traits says.
    """
    if not STYLES[style].grows:
        return None
    shape = SHAPES.get(style, partial(_combed_shell, STYLES[style]))
    return shape(scalp.on(vertices), _ear_reach(vertices), scalp, random)


def _ear_reach(vertices: np.ndarray) -> float:
    near = (np.abs(vertices[:, 1] - 0.01) < 0.04) & (np.abs(vertices[:, 2]) < 0.035)
    return float(np.abs(vertices[near, 0]).max(initial=0.07))


def _thickness(path, crown: float, side: float):
    return side + (crown - side) * (1 - smooth(path, 0.25, 0.85))


def _front(scalp: Scalp, low: float, high: float) -> np.ndarray:
    """[A] 1 in front, 0 beyond `high` degrees of azimuth."""
    return 1 - smooth(np.abs(np.degrees(scalp.azimuth)), low, high)


def _hairline(scalp: Scalp, random) -> np.ndarray:
    """[A] where this person's hairline lies, in units of the model's: higher at the temples or on the whole front."""
    turn = np.abs(np.degrees(scalp.azimuth))
    temples = random.uniform(-0.02, 0.09) * np.exp(-(((turn - 34) / 13) ** 2))
    peak = random.uniform(-0.02, 0.03) * np.exp(-((turn / 9) ** 2))
    return 1.0 - temples - random.uniform(0, 0.06) * _front(scalp, 30, 60) + peak


def _shell(skin, scalp: Scalp, thickness, end, dive: float = 0.86) -> np.ndarray:
    """[R, A, 3] a shell of `thickness` [R, A] that ends under the skin at `end` [A] of the way to the hairline."""
    share = np.linspace(0, 1, RINGS, dtype=np.float32)[:, None]
    path = PATH_AT_CROWN + (end - PATH_AT_CROWN) * share
    sunk = 1 - np.sqrt(np.clip(1 - np.clip((share - dive) / (1 - dive), 0, 1) ** 2, 0, 1))
    height = thickness * (1 - sunk) - UNDER * sunk
    return along(skin, path) + along(scalp.directions, path) * height[..., None]


def _finish(shell, shade, more: tuple[Hair, ...] = ()) -> Hair:
    """The shell [R, A, 3] and its shade as a mesh, joined with `more` meshes, below the ceiling."""
    shade = np.broadcast_to(shade, shell.shape[:2]).ravel()
    parts = (Hair(shell.reshape(-1, 3), grid_faces(len(shell), shell.shape[1]), shade), *more)
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)])
    vertices = np.concatenate([part.vertices for part in parts]).astype(np.float32)
    low, high = CEILING
    above = np.maximum(vertices[:, 1] - low, 0)
    vertices[:, 1] -= above - (high - low) * np.tanh(above / (high - low))
    return Hair(vertices, faces.astype(np.int32), np.concatenate([part.shade for part in parts]).astype(np.float32))


def _around(scalp: Scalp) -> np.ndarray:
    return np.broadcast_to(scalp.azimuth[None] * AROUND_HEAD, (RINGS, AZIMUTHS))


def _off_pole() -> np.ndarray:
    """[R, 1] fades ridges out where all azimuths meet."""
    return smooth(ring_path(), 0.03, 0.3)[:, None]


def _shaded(height, depth: float):
    """Valleys between strands are darker."""
    return 0.86 + 0.28 * np.clip(height / depth, 0, 1)


def _buzzcut(skin, ears, scalp, random) -> Hair:
    grain = bumps(skin, random, 0.005, 0.009)
    thickness = random.uniform(0.0025, 0.004) + 0.0003 * grain
    shell = _shell(skin, scalp, thickness, _hairline(scalp, random), dive=0.93)
    return _finish(shell, 1 + 0.12 * grain)


def _combed_shell(style: HairStyle, skin, ears, scalp, random) -> Hair:
    path, across = ring_path()[:, None], _around(scalp)
    strands = combed(across, path, random, 0.005, 0.0016) * _off_pole() * min(1.0, style.crown_m / 0.01)
    thickness = _thickness(path, style.crown_m, style.sides_m) * random.uniform(0.85, 1.15)
    shell = _shell(skin, scalp, thickness + strands, _hairline(scalp, random))
    return _finish(shell, tone(across, random) * _shaded(strands, 0.005))


def _short(skin, ears, scalp, random) -> Hair:
    path, sweep = ring_path()[:, None], random.uniform(-0.5, 0.5)
    across = _around(scalp) + 0.02 * sweep * np.sin(3 * path)
    strands = combed(across, path, random, random.uniform(0.004, 0.007), 0.0016) * _off_pole()
    quiff = random.uniform(-0.002, 0.012) * _front(scalp, 25, 60) * smooth(path, 0.3, 0.8)
    thickness = _thickness(path, random.uniform(0.012, 0.020), random.uniform(0.005, 0.009)) + quiff
    ragged = 0.025 * np.clip(combed(_around(scalp)[0], np.zeros(1), random, 1.0, 0.6), 0, 1.5)
    end = _hairline(scalp, random) + ragged - 0.02
    shell = _shell(skin, scalp, thickness + strands * (0.5 + thickness / 0.03), end, dive=0.76)
    return _finish(shell, tone(across, random) * _shaded(strands, 0.005))


def _parting(scalp: Scalp, offset: float, end: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance to a parting at x = `offset` that runs back to y = `end` on the plan, side (-1, 1), and across-strands.

    Strands leave the parting at right angles, and fan out around its end.
    """
    x, y = scalp.plan[..., 0] - offset, scalp.plan[..., 1] - end
    behind = np.minimum(y, 0)
    distance = np.sqrt(x**2 + behind**2)
    fan = np.arctan2(-behind, np.abs(x) + 1e-6) * 0.075
    return distance, np.sign(x), np.where(y > 0, y, -fan)


def _groove(distance, scalp: Scalp, end: float, width: float) -> np.ndarray:
    return np.exp(-((distance / width) ** 2)) * smooth(scalp.plan[..., 1], end, end + 0.03)


def _side_parted(skin, ears, scalp, random) -> Hair:
    side, end, path = random.choice((-1, 1)), -0.035, ring_path()[:, None]
    offset = side * random.uniform(0.035, 0.047)
    distance, where, across = _parting(scalp, offset, end)
    across = across + 0.22 * distance + 0.4 * (where > 0)
    strands = combed(across, distance / 0.15, random, 0.0050, 0.0014) * smooth(distance, 0.0, 0.012)
    heavy = np.where(where == -side, 1.0, 0.15) * _front(scalp, 70, 120)
    swoop = random.uniform(0.010, 0.018) * heavy * np.exp(-(((distance - 0.035) / 0.03) ** 2))
    thickness = _thickness(path, random.uniform(0.013, 0.018), random.uniform(0.006, 0.009)) + swoop
    thickness = thickness * (1 - 0.85 * _groove(distance, scalp, end, 0.006))
    shell = _shell(skin, scalp, thickness + strands, _hairline(scalp, random), dive=0.88)
    return _finish(shell, tone(across, random) * _shaded(strands, 0.004) * (0.7 + 0.3 * smooth(distance, 0, 0.02)))


def _afro(skin, ears, scalp, random) -> Hair:
    radius, centre = random.uniform(0.118, 0.128), np.array([0.0, 0.042, -0.008], np.float32)
    directions = scalp.directions
    lift = CENTRE - centre
    toward = directions @ lift
    ball = -toward + np.sqrt(np.maximum(toward**2 - lift @ lift + radius**2, 0))
    depth = np.maximum(ball - np.linalg.norm(skin - CENTRE, axis=-1), 0.014)
    grain = bumps(directions * radius, random, 0.008, 0.016)
    thickness = depth + random.uniform(0.0015, 0.0024) * grain
    shell = _shell(skin, scalp, thickness, 1.03 * _hairline(scalp, random), dive=0.72)
    sag = smooth(ring_path(), 0.6, 0.95)[:, None] * (1 - _front(scalp, 50, 100))[None] * 0.014
    shell[..., 1] -= sag * smooth(np.linalg.norm(shell - skin, axis=-1), 0.0, 0.02)
    return _finish(shell, 1 + 0.16 * grain)


def _hang(skin, ears, scalp: Scalp, thickness, line, fall: Fall, share: float = 0.55) -> np.ndarray:
    """[R, A, 3] the first `share` of the rings cover the scalp; beside and behind the face the rest falls."""
    turn = np.abs(np.degrees(scalp.azimuth))
    falls = smooth(turn, 60, 70)[None]
    progress = np.linspace(0, 1, RINGS, dtype=np.float32)[:, None]
    on_head = np.minimum(progress / share, 1)
    path = PATH_AT_CROWN + (line - PATH_AT_CROWN) * on_head
    sunk = smooth(on_head, 0.88, 1.0) * (1 - falls)
    height = along(thickness[..., None], path)[..., 0] * (1 - sunk) - UNDER * sunk
    shell = along(skin, path) + along(scalp.directions, path) * height[..., None]
    drop = np.clip((progress - share) / (0.94 - share), 0, 1) * falls
    flat = np.linalg.norm(shell[..., [0, 2]], axis=-1)
    least = (ears + 0.009) * np.exp(-(((turn - 88) / 34) ** 2))[None] * smooth(on_head, 0.3, 1.0)
    wide = np.maximum(flat, least)
    level = shell[..., 1] * (1 - drop) + np.minimum(shell[..., 1], fall.end) * drop
    inward = np.clip((progress - 0.94) / 0.06, 0, 1) * falls  # the last rings fold in: a thick, clean edge
    wide = wide + fall.swell * np.sin(np.pi * drop).clip(0) ** 1.4 - fall.tuck * smooth(drop, 0.6, 1.0) - 0.014 * inward
    wide = wide + fall.wave * np.sin(level / 0.011 + 2 * scalp.azimuth[None]) * drop
    scale = wide / np.maximum(flat, 1e-4)
    return np.stack([shell[..., 0] * scale, level, shell[..., 2] * scale - 0.004 * drop], -1)


def _hanging(skin, ears, scalp, random, fall: Fall, parted: float) -> Hair:
    path, offset, end = ring_path()[:, None], parted, -0.06
    distance, where, on_top = _parting(scalp, offset, end)
    across = on_top + 0.4 * (where > 0)
    lower = _around(scalp)
    blend = smooth(path, 0.62, 0.98)
    thickness = _thickness(path, random.uniform(0.013, 0.019), random.uniform(0.013, 0.017))
    thickness = thickness * (1 - 0.7 * _groove(distance, scalp, end, 0.0055))
    top = combed(across, distance / 0.15, random, 0.0035, 0.0012) * smooth(distance, 0, 0.012) * (1 - blend)
    shell = _hang(skin, ears, scalp, thickness + top, np.minimum(_hairline(scalp, random), 1.0), fall)
    progress = np.linspace(0, 1, RINGS, dtype=np.float32)[:, None]
    hanging = smooth(progress, 0.38, 0.55) * smooth(np.abs(np.degrees(scalp.azimuth)), 60, 74)
    locks = combed(lower, 1.5 * progress, random, random.uniform(0.004, 0.008), 0.0016) * hanging
    shell = shell + scalp.directions * [1, 0, 1] * locks[..., None]
    roots = 0.72 + 0.28 * smooth(distance, 0, 0.03)
    return _finish(shell, tone(lower, random) * roots * _shaded(locks + top, 0.006))


def _long(skin, ears, scalp, random) -> Hair:
    wave = random.choice((0.0, random.uniform(0.002, 0.005)))
    fall = Fall(random.uniform(-0.185, -0.150), swell=random.uniform(0.006, 0.012), wave=wave)
    return _hanging(skin, ears, scalp, random, fall, random.choice((0.0, -0.03, 0.03)))


def _bob(skin, ears, scalp, random) -> Hair:
    fall = Fall(random.uniform(-0.088, -0.062), tuck=random.uniform(0.004, 0.014), swell=random.uniform(0.012, 0.018))
    return _hanging(skin, ears, scalp, random, fall, random.choice((0.0, -0.025, 0.025)))


def _curly(skin, ears, scalp, random) -> Hair:
    path = ring_path()[:, None]
    length = np.linalg.norm(scalp.plan, axis=-1)
    locks = ringlets(scalp.azimuth[None], length, random, random.uniform(0.007, 0.009)) * _off_pole()
    curls = bumps(skin, random, 0.016, 0.026) * 0.004 * (1 - smooth(path, 0.1, 0.5))
    thickness = _thickness(path, random.uniform(0.018, 0.026), random.uniform(0.022, 0.030)) + curls
    fall = Fall(random.uniform(-0.075, -0.025), tuck=0.006, swell=0.008)
    shell = _hang(skin, ears, scalp, thickness, _hairline(scalp, random), fall, share=0.68)
    progress = np.linspace(0, 1, RINGS, dtype=np.float32)[:, None]
    on_front = 1 - smooth(progress, 0.60, 0.67) * _front(scalp, 60, 70)[None]
    spread = ringlets(scalp.azimuth[None], 0.27 * progress + 0 * length, random, 0.008) * _off_pole() * on_front
    shell = shell + scalp.directions * spread[..., None]
    return _finish(shell, _shaded(spread, 0.007) * (1 + 0.1 * np.sign(locks)))


def _drawn_back(skin, scalp, random, knot: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A close shell combed towards `knot` on the plan, its shade, and where the knot sits (vertex of the shell)."""
    gap = scalp.plan - knot
    distance = np.linalg.norm(gap, axis=-1)
    across = np.arctan2(gap[..., 0], gap[..., 1]) * 0.075
    strands = combed(across, distance / 0.2, random, 0.0026, 0.0012) * smooth(distance, 0.008, 0.035)
    thickness = random.uniform(0.004, 0.006) + 0.006 * np.exp(-((distance / 0.05) ** 2))
    shell = _shell(skin, scalp, thickness + strands, _hairline(scalp, random), dive=0.72)
    row, column = np.unravel_index(distance.argmin(), distance.shape)
    roots = 0.78 + 0.22 * smooth(ring_path(), 1.0, 0.8)[:, None]
    return shell, tone(across, random) * _shaded(strands, 0.0028) * roots, shell[row, column]


def _ponytail(skin, ears, scalp, random) -> Hair:
    shell, shade, knot = _drawn_back(skin, scalp, random, np.array([0.0, random.uniform(-0.135, -0.105)]))
    outward = (knot - CENTRE) / np.linalg.norm(knot - CENTRE)
    swing = random.choice((-1, 1)) * random.uniform(0.05, 0.115)
    end = np.array([swing, random.uniform(-0.15, -0.10), -0.105])
    return _finish(shell, shade, (Hair(*tail_mesh(knot, outward, end, random)),))


def _bun(skin, ears, scalp, random) -> Hair:
    shell, shade, knot = _drawn_back(skin, scalp, random, np.array([0.0, random.uniform(-0.085, -0.045)]))
    outward = (knot - CENTRE) / np.linalg.norm(knot - CENTRE)
    radius = random.uniform(0.027, 0.034)
    return _finish(shell, shade, (Hair(*knot_mesh(knot + 0.55 * radius * outward, outward, radius, random)),))


SHAPES: Mapping[str, Callable[..., Hair]] = {
    "buzzcut": _buzzcut,
    "short": _short,
    "side-parted": _side_parted,
    "curly": _curly,
    "afro": _afro,
    "bob": _bob,
    "long": _long,
    "ponytail": _ponytail,
    "bun": _bun,
}
