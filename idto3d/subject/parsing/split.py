"""A person's pixels told apart: skin, hair, clothing, beard. Place, colour and grain in turn teach each other."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab

from idto3d.subject.parsing.frame import LOWER_LIP, NOSE_BASE, Frame
from idto3d.subject.parsing.palette import Palette, sort_colours, under_other_light
from idto3d.subject.parsing.priors import Hints, beard_zone, place_priors, ramp
from idto3d.subject.parsing.walker import spread_shares

SKIN, HAIR, CLOTHING, BEARD = range(4)
ROUNDS = 4
LIT, LIT_GREY = 0.2, 0.02  # share of skin's colours that are what it would be in other light; in black and white
COLOUR_WEIGHT, GREY_WEIGHT = 0.8, 0.3  # neighbouring pixels tell the same, so less than each alone would
SURE, OWN = 0.85, 0.7  # matte of what is surely the person; share from which a pixel teaches its region's colours
TRUST, LEAST_TRUST = 0.25, 0.001  # in what place and colour say of one pixel, against its neighbours
FARTHEST = (0.7, 1.0)  # face heights beside the face, above the chin: there another person starts
ALIKE = np.array([12.0, 5.0, 5.0])  # CIE L*a*b* between two places on one skin
APART = 0.3  # face heights beside the face from which hair that is not joined to its own is another person's
GRAIN = 5  # pixels of the window in which grain is measured


@dataclass(frozen=True, eq=False)
class Scene:
    """A head on a coarse grid: `lab` [H, W, 3] CIE L*a*b*, `person` [H, W] matte, `palette` and `frame` of that grid.

    rgb: [H, W, 3] sRGB 0..1. core: [H, W] bool, what is surely skin: cheeks and nose.
    """

    rgb: np.ndarray
    lab: np.ndarray
    grain: np.ndarray
    person: np.ndarray
    palette: Palette
    frame: Frame
    core: np.ndarray
    forehead: np.ndarray

    @property
    def grey(self) -> bool:
        """Whether the photo is black and white, as far as the skin tells."""
        return bool(self.core.any() and np.median(np.abs(self.lab[self.core][:, 1:])) < 2)

    @property
    def sure(self) -> np.ndarray:
        return (self.person > SURE).astype(np.float64)


def set_scene(picture: np.ndarray, person: np.ndarray, frame: Frame) -> Scene:
    """The Scene of `picture` [2H, 2W, 3] sRGB 0..1 and its matte [2H, 2W]; `frame` is of the grid half as fine."""
    lab = rgb2lab(picture).astype(np.float32)
    light = lab[..., 0]
    mean = ndimage.uniform_filter(light, GRAIN)
    grain = np.sqrt(np.maximum(ndimage.uniform_filter(light * light, GRAIN) - mean * mean, 0))
    coarse, rough = _halve(lab), _halve(grain)
    inner = frame.oval & (frame.outside < -0.06) & ~frame.features
    core = inner & (frame.below_chin > frame.brow_line) & (frame.below_chin < frame.level(NOSE_BASE) + 0.02)
    forehead = _bare_forehead(coarse, rough, core, inner & (frame.below_chin < frame.brow_line - 0.03))
    palette = sort_colours(coarse, rough)
    reach = 1 - ramp(-frame.below_chin, -0.05, 0.2) * ramp(frame.outside, *FARTHEST)
    return Scene(_halve(picture), coarse, rough, _halve(person) * reach, palette, frame, core, forehead)


def split_person(scene: Scene) -> np.ndarray:
    """[H, W, 4], sums to 1: what each pixel is, given that it shows the person: SKIN, HAIR, CLOTHING, BEARD."""
    lit, share = under_other_light(scene.rgb[scene.core]), LIT_GREY if scene.grey else LIT
    taught = 4.0 * scene.core + 1.0 * scene.forehead
    skin = scene.palette.likelihood(taught, lit, share)
    hints, likelihoods = _first_look(scene, skin)
    priors, contrast = place_priors(scene.frame, hints), _contrast(scene)
    for _ in range(ROUNDS):
        shares = _relaxed(scene, priors, likelihoods, contrast)
        likelihoods = _taught(scene, shares, taught, lit, share)
    return shares


def others_hair(scene: Scene, shares: np.ndarray) -> np.ndarray:
    """[H, W], 0..1: hair in `shares` [H, W, 4] that lies apart from the head, above the shoulders: another person's."""
    hair, rim = shares[..., HAIR] * scene.person > 0.4, max(round(0.05 * scene.frame.height), 1)
    cores, count = ndimage.label(ndimage.binary_erosion(hair, iterations=rim))
    if count < 2:
        return np.zeros(hair.shape)
    numbers = np.arange(1, count + 1)
    away = ndimage.minimum(scene.frame.outside, cores, numbers)
    level = ndimage.mean(scene.frame.below_chin, cores, numbers)
    other = np.concatenate([[False], (away > APART) & (level < 0)])
    rows, columns = ndimage.distance_transform_edt(cores == 0, return_distances=False, return_indices=True)
    return hair * other[cores[rows, columns]] * shares[..., HAIR]


def _first_look(scene: Scene, skin: np.ndarray) -> tuple[Hints, np.ndarray]:
    """Hints, and first likelihoods [H, W, 4], from what lies around the face and does not look like its skin."""
    frame, v = scene.frame, scene.frame.below_chin
    typical = float(np.median(skin[scene.core])) if scene.core.any() else 1.0
    unlike = scene.sure * np.clip(1 - skin / (0.25 * typical), 0, 1)
    around = (frame.outside > 0.02) & (frame.outside < 0.4) & (v < -0.45)
    zone = beard_zone(frame) > 0.5
    zone &= frame.oval & ~frame.features
    hair = scene.palette.likelihood(unlike * around + 1e-6)
    clothing = scene.palette.likelihood(unlike * ramp(v, 0.1, 0.4) + 1e-6)
    stubble = _stubble(scene)
    beard = scene.palette.likelihood(scene.sure * zone * (stubble > 0) + 1e-6)
    hints = Hints(
        _long_hair(scene, hair / (hair + clothing + skin)),
        _bald(scene),
        _bearded(stubble, zone, frame) * ramp(stubble, -0.2, 0.3),
    )
    return hints, np.stack([skin, hair, clothing, beard], -1)


def _relaxed(scene: Scene, priors: np.ndarray, likelihoods: np.ndarray, contrast: float) -> np.ndarray:
    """Shares [H, W, 4] from place and colour, spread within even colour; what neither tells, its surroundings do."""
    own = priors * likelihoods ** (GREY_WEIGHT if scene.grey else COLOUR_WEIGHT)
    own /= own.sum(-1, keepdims=True)
    ordered = np.sort(own, -1)
    known = np.clip(likelihoods.max(-1) / 3, 0.05, 1)  # a colour that no region knows tells nothing
    trust = LEAST_TRUST + TRUST * ((ordered[..., -1] - ordered[..., -2]) * known) ** 2
    trust[scene.frame.features & (scene.frame.outside < -0.03)] = LEAST_TRUST  # eyes, brows, lips: no skin's colour
    own[scene.core], trust[scene.core] = np.eye(4)[SKIN], 1.0
    shares = np.clip(spread_shares(scene.lab, own, trust, scene.person, contrast), 1e-4, 1)
    return shares / shares.sum(-1, keepdims=True)


def _taught(scene: Scene, shares: np.ndarray, taught: np.ndarray, lit, share: float) -> np.ndarray:
    """Likelihoods [H, W, 4] learned from the pixels that each region holds."""
    owned = scene.sure[..., None] * np.where(shares > OWN, shares, 0)
    skin = scene.palette.likelihood(taught + owned[..., SKIN] * ~scene.frame.features, lit, share)
    others = [scene.palette.likelihood(owned[..., region] + 1e-6) for region in (HAIR, CLOTHING, BEARD)]
    return np.stack([skin, *others], -1)


def _long_hair(scene: Scene, hair: np.ndarray) -> np.ndarray:
    """[H, W], 0..1: how much of the person there is beside the jaw, on either side: short hair ends above it."""
    frame = scene.frame
    beside = (frame.below_chin > -0.32) & (frame.below_chin < -0.06) & (frame.outside > 0.03) & (frame.outside < 0.2)
    known, filled = scene.person * ramp(hair, 0.2, 0.45), np.zeros_like(scene.person)
    for side in (frame.across < 0, frame.across >= 0):
        band = beside & side
        filled[side] = ramp(known[band].mean() if band.any() else 0.0, 0.12, 0.35)
    return ndimage.gaussian_filter(filled, 0.05 * frame.height)


def _bald(scene: Scene) -> float:
    """0..1: how alike the crown's colour and grain are to the forehead's."""
    frame = scene.frame
    crown = (frame.outside > 0.04) & (frame.outside < 0.22) & (frame.below_chin < -0.95) & (scene.person > SURE)
    forehead = frame.oval & (frame.outside < -0.05) & (frame.below_chin < frame.brow_line - 0.05) & ~frame.features
    if not (crown.any() and forehead.any() and scene.core.any()):
        return 0.0
    apart = np.median(scene.lab[crown], 0) - np.median(scene.lab[forehead], 0)
    fringe = max(np.median(scene.lab[scene.core][:, 0]) - np.median(scene.lab[forehead][:, 0]) - 8, 0) / 24
    smooth = min(np.median(scene.grain[place]) for place in (forehead, scene.core))
    grainier = np.log2((np.median(scene.grain[crown]) + 0.1) / (smooth + 0.1))
    return float(ramp(-np.linalg.norm(apart / ALIKE) - 2 * max(grainier, 0) - fringe, -1.6, -0.9))


def _stubble(scene: Scene) -> np.ndarray:
    """[H, W]: how much a pixel looks like a beard on this skin, above 0 where it does.

    Shadow makes skin darker and redder; hair makes it darker and not redder, or paler, greyer and grainier.
    """
    if not scene.core.any():
        return np.full(scene.person.shape, -1.0)
    linear = np.maximum(scene.rgb, 0.01) ** 2.2
    light, red = np.log(linear.mean(-1)), np.log(linear[..., 0] / linear[..., 1])
    darker = np.median(light[scene.core]) - light - (0.9 if scene.grey else 0.45)  # in grey darkness alone must tell
    redder = red - np.median(red[scene.core])
    grain = ndimage.gaussian_filter(scene.grain, 0.02 * scene.frame.height)
    greyer = np.where(grain > 1.2 * np.median(grain[scene.core]), -2.5 * redder - 0.5, -1.0)
    return np.maximum(darker - 2.2 * np.maximum(redder, 0), greyer)


def _bearded(stubble: np.ndarray, zone: np.ndarray, frame: Frame) -> float:
    """0..1: whether most of the upper lip or of the chin looks like a beard."""
    aside, lip = np.abs(frame.across) / frame.half_width, frame.below_chin < frame.level(LOWER_LIP)
    parts = [zone & lip & (aside < 0.35), zone & ~lip & (aside < 0.6)]
    return max(float(ramp(np.median(stubble[part]), 0.05, 0.2)) if part.any() else 0.0 for part in parts)


def _bare_forehead(lab: np.ndarray, grain: np.ndarray, core: np.ndarray, forehead: np.ndarray) -> np.ndarray:
    """[H, W] bool: pixels of the `forehead` that are no darker and little grainier than the `core`, so not a fringe."""
    if not core.any():
        return core
    even = grain < np.percentile(grain[core], 75) + 1
    return forehead & even & (lab[..., 0] > np.percentile(lab[core][:, 0], 25) - 4)


def _contrast(scene: Scene) -> float:
    """The usual difference between neighbours within the person, CIE L*a*b*, within bounds."""
    apart = (np.diff(scene.lab, axis=1) ** 2).sum(-1)
    inner = (scene.sure[:, 1:] * scene.sure[:, :-1]) > 0
    return float(np.clip(np.sqrt(apart[inner].mean()), 3, 8)) if inner.any() else 5.0


def _halve(image: np.ndarray) -> np.ndarray:
    """Means over 2 x 2 pixels of `image` [2H, 2W, ...]."""
    return (image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]) / 4
