"""How far a face in a photo can be believed: its light, its colours, its sharpness, measured on the skin itself."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from idto3d.subject.align import aligned_crop
from idto3d.subject.face import Face
from idto3d.subject.landmarks import Landmarks, square_around
from idto3d.subject.square import Square, cut_square

# Points of forehead, cheeks, bridge of the nose and chin: skin, away from eyes, brows, nostrils and lips.
SKIN = (10, 151, 9, 67, 297, 109, 338, 69, 299, 50, 280, 117, 346, 205, 425, 187, 411, 36, 266, 101, 330, 5, 195, 197)
SKIN += (420, 48, 278, 199, 175, 200, 18, 32, 262, 211, 431, 204, 424, 192, 416, 147, 376, 123, 352, 203, 423, 206, 426)
LEFT = (67, 109, 69, 50, 117, 205, 187, 36, 101, 48, 32, 211, 204, 192, 147, 203, 206)  # of them, on the photo's left
RIGHT = (297, 338, 299, 280, 346, 425, 411, 266, 330, 278, 262, 431, 424, 416, 376, 423, 426)  # their mirror images
FACE_SIDE, HEAD_SIDE = 128, 64  # of the pictures that are measured, pixels
HEAD = 1.3  # side of the square around the head, in sides of that around the face
BLURRED = 50.0  # variance of the Laplacian of a crop, grey levels squared; below it a face is called blurred
# Measured on seven faces, drawn darker, lighter and tinted: below 0.12 words for colours change, faces at a quarter of
# their light have 0.17; with half of the skin clipped pale skin and blonde hair fade.
DARK_SKIN, DARK_HEAD = 0.015, 0.12  # linear luminance
CLIPPED, MUCH = 250, 0.5  # level at which a channel has no more to say; share of the skin
# Lab chroma and hue of skin, brought to the same exposure: seven faces have 21 to 37 and 61 to 78 degrees, drawn people
# with freely tinted lamps 12 to 37 and 12 to 73.
CHROMA, HUE_DEG, EXPOSED = (10.0, 46.0), (12.0, 95.0), 0.6
ONE_TINT = 0.005  # spread of a head's chromaticities across their main direction; in colour 0.011 and more, toned 0.002
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # IEC 61966-2-1
LEAST = 1e-3  # luminance that is told from black
LUMINANCE, WHITE = TO_XYZ[1], TO_XYZ.sum(1)


@dataclass(frozen=True)
class Quality:
    """What a photo's face is like.

    luminance: mean of the skin, linear, 0..1. highest: that of the 99th percentile around the head. clipped: share of
    the skin, 0..1, where a channel is at its end. chroma, hue_deg: of the skin in CIELAB, exposure evened out. tints:
    how freely colours vary around the head, 0 where black and white or toned. sharpness: of the aligned crop, grey
    levels squared. stops: by how much one half of the face is lighter than the other, binary logarithm of luminances,
    positive where the one on the photo's left is.
    """

    luminance: float
    highest: float
    clipped: float
    chroma: float
    hue_deg: float
    tints: float
    sharpness: float
    stops: float

    @property
    def dark(self) -> bool:
        return self.luminance < DARK_SKIN or self.highest < DARK_HEAD

    @property
    def overexposed(self) -> bool:
        return self.clipped > MUCH

    @property
    def colourless(self) -> bool:
        return self.tints < ONE_TINT

    @property
    def cast(self) -> bool:
        """Whether the skin has a colour that skin has under no usual light."""
        inside = CHROMA[0] <= self.chroma <= CHROMA[1] and HUE_DEG[0] <= self.hue_deg <= HUE_DEG[1]
        return not (inside or self.colourless or self.dark or self.overexposed)

    @property
    def blurred(self) -> bool:
        return self.sharpness < BLURRED and not self.dark  # what is dark has no contrast either

    @property
    def true_colours(self) -> bool:
        """Whether skin and hair may be said to have the colours that the photo shows."""
        return not (self.dark or self.overexposed or self.colourless or self.cast)

    def told(self, name: str) -> Iterator[str]:
        """For the user: what is wrong with the photo called `name`, and what would help."""
        unsaid = "so the colours of skin and hair are not read from it"
        if self.dark:
            yield f"The face in '{name}' is too dark, {unsaid}; a brighter photo would help."
        elif self.overexposed:
            yield f"The face in '{name}' is overexposed, {unsaid}; a darker photo would help."
        if self.colourless and not self.dark:
            yield f"'{name}' seems to have no colours of its own, {unsaid}; one in colour would help."
        elif self.cast:
            yield f"The light in '{name}' tints the face, {unsaid}; a photo in daylight would help."
        if self.blurred:
            yield f"'{name}' looks blurred; a sharper photo would help."


def measure(pixels: np.ndarray, face: Face, landmarks: Landmarks) -> Quality:
    """The quality of a `face` in `pixels` [H, W, 3] uint8 sRGB."""
    square = square_around(landmarks.points)
    skin = _skin(pixels, square, landmarks.points)
    light, colour = linear(skin), np.median(linear(skin), 0)
    head = linear(cut_square(pixels, Square(square.centre, square.across * HEAD), HEAD_SIDE)).reshape(-1, 3)
    _, a, b = lab(colour / max(float(colour.max()), 1e-6) * EXPOSED)
    return Quality(
        luminance=float((light @ LUMINANCE).mean()),
        highest=float(np.percentile(head @ LUMINANCE, 99)),
        clipped=float((skin.max(1) >= CLIPPED).mean()),
        chroma=float(np.hypot(a, b)),
        hue_deg=float(np.degrees(np.arctan2(b, a))),
        tints=_tints(head),
        sharpness=sharpness(aligned_crop(pixels, face.landmarks)),
        stops=_stops(light @ LUMINANCE),
    )


def _stops(luminance: np.ndarray) -> float:
    """How much lighter the face is on the photo's left, in stops, from the luminance [n] at each of SKIN."""
    left, right = (float(np.median(luminance[[SKIN.index(n) for n in side]])) for side in (LEFT, RIGHT))
    return float(np.log2(max(left, LEAST) / max(right, LEAST)))


def sharpness(crop: np.ndarray) -> float:
    """Variance of the 4-neighbour Laplacian of `crop` [H, W, 3] uint8, in grey levels squared; low when blurred."""
    grey = crop.astype(np.float32).mean(-1)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var())


def linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB levels [..., 3] in 0..255 as linear light in 0..1, float64. IEC 61966-2-1."""
    share = np.asarray(srgb, np.float64) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(colour: np.ndarray) -> np.ndarray:
    """CIELAB under sRGB's white of a linear `colour` [..., 3] in 0..1."""
    x, y, z = np.moveaxis((f := np.asarray(colour) @ TO_XYZ.T / WHITE), -1, 0)
    x, y, z = (np.where(v > (6 / 29) ** 3, np.cbrt(v), v * (29 / 6) ** 2 / 3 + 4 / 29) for v in (x, y, z))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1).reshape(f.shape)


def _skin(pixels: np.ndarray, square: Square, points: np.ndarray) -> np.ndarray:
    """sRGB levels [n, 3] of skin, smoothed over three pixels."""
    picture = Image.fromarray(cut_square(pixels, square, FACE_SIDE)).filter(ImageFilter.BoxBlur(1))
    places = (square.from_photo(points[list(SKIN), :2]) * FACE_SIDE).astype(int).clip(0, FACE_SIDE - 1)
    return np.asarray(picture)[places[:, 1], places[:, 0]]


def _tints(head: np.ndarray) -> float:
    """The smaller of the two spreads of the chromaticities of `head` [n, 3], linear, where it is not dark."""
    light = head @ LUMINANCE
    lit = head[light > max(0.3 * float(np.median(light)), 1e-5)]
    if len(lit) < 3:
        return 0.0
    shares = (lit / lit.sum(1, keepdims=True))[:, [0, 2]]
    return float(np.sqrt(max(np.linalg.eigvalsh(np.cov(shares.T))[0], 0.0)))
