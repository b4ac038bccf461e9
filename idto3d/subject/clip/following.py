"""One face followed through a clip: it is searched where it is not known, and else looked for where it was."""

from collections.abc import Callable

import numpy as np

from idto3d.subject.face import IdentityEncoder
from idto3d.subject.finding import CONFIRMED, confirmed
from idto3d.subject.landmarks import LandmarkReader, Landmarks

HELD = 0.5  # presence below which a face that was followed is lost; MediaPipe's own least confidence of tracking
SELDOM_S = 0.25  # seconds between two searches of a face lost for long; one takes as long as following it twice


class Follower:
    """Tells the landmarks of the largest face in picture after picture of one clip.

    find: makes the encoder that searches faces, which is done once it is needed. fps: pictures a second. others: how
    many more faces a picture showed in which was searched, at most.
    """

    def __init__(self, reader: LandmarkReader, find: Callable[[], IdentityEncoder], fps: float):
        self._reader, self._find, self.others = reader, find, 0
        self._seldom = int(SELDOM_S * fps)
        self._encoder: IdentityEncoder | None = None
        self._last: Landmarks | None = None
        self._seen = False
        self._pause, self._next = 0, 0  # pictures from a search in vain to the next one, and those left of them

    def read(self, pixels: np.ndarray) -> Landmarks | None:
        """The landmarks in the next picture [H, W, 3] uint8 sRGB; None where no face is seen."""
        now = self._looked(pixels) or self._searched(pixels)
        self._seen, self._last = now is not None, now or self._last
        return now

    def _looked(self, pixels: np.ndarray) -> Landmarks | None:
        """The face where it was in the last picture that showed it."""
        if self._last is None:
            return None
        now = self._reader.follow(pixels, self._last)
        return now if now.presence >= (HELD if self._seen else CONFIRMED) else None

    def _searched(self, pixels: np.ndarray) -> Landmarks | None:
        if self._seen:
            self._pause, self._next = 0, 0
        self._next -= 1
        if self._next >= 0:
            return None
        self._encoder = self._encoder or self._find()
        found = confirmed(pixels, self._encoder.embed(pixels, once=True), self._reader)
        self._pause = min(2 * self._pause + 1, self._seldom)
        self._next = self._pause
        if found is None:
            return None
        self.others = max(self.others, len(found.others))
        return found.landmarks
