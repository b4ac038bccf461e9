"""A clip as its pictures, one after the other; none is kept."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from idto3d.config import AnimateOptions
from idto3d.errors import UserError, shown
from idto3d.subject.clip.decoder import arguments, clip_container, decoding

LONG_SIDE = 960  # pixels of the pictures that are looked at
SLACK_S = 1.0  # how much longer than its packets say a clip may be
FIRST_PICTURE = ["-frames:v", "1", "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "pipe:1"]  # begins with a line of facts
ONLY_COUNTED = ["-c", "copy", "-f", "null", "-progress", "pipe:1", "-"]
FACTS = re.compile(rb"YUV4MPEG2 W(\d+) H(\d+) F(\d+):(\d+)(?: I\S+)?(?: A(\d+):(\d+))?")
WIDEST = 4.0  # times as wide as high, or as high as wide, a pixel may be; else what a clip says of it is not believed
UNTIL = re.compile(rb"out_time_us=(\d+)")


@dataclass(frozen=True)
class Film:
    """A clip that can be read: pictures of `width` by `height` pixels, upright, `fps` of them a second.

    seconds: about how long it is, as packets are not in the order of pictures. most: pictures that are read of it.
    """

    path: Path
    container: str
    width: int
    height: int
    fps: float
    seconds: float
    most: int
    max_pixels: int

    @property
    def frames(self) -> int:
        """About how many pictures it has."""
        return max(round(self.seconds * self.fps), 1)

    def pictures(self) -> Iterator[np.ndarray]:
        """Each as [height, width, 3] uint8 sRGB. Raises UserError where not one can be decoded."""
        # pass: a clip that lasts less than half of a picture's time has one all the same.
        shape = f"fps={self.fps:.6f}:eof_action=pass,scale={self.width}:{self.height}:flags=area"
        wanted = ["-vf", shape, "-frames:v", str(self.most), "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1"]
        size, number = self.width * self.height * 3, 0
        with decoding(self.path, arguments(self.container, self.max_pixels, wanted)) as decoder:
            while len(data := decoder.read(size)) == size:
                number += 1
                yield np.frombuffer(data, np.uint8).reshape(self.height, self.width, 3)
        if not number:
            raise damaged(self.path)


def open_film(path: Path, options: AnimateOptions) -> Film:
    """The clip in file `path`. Raises UserError where it is missing, damaged, no clip, or beyond the `options`."""
    container, max_pixels = clip_container(path, options.max_megabytes), int(options.max_megapixels * 1e6)
    with decoding(path, arguments(container, max_pixels, FIRST_PICTURE)) as decoder:
        facts = FACTS.match(decoder.line())
    if not facts or int(facts[4]) == 0:
        what = (
            f"No picture of '{shown(path.name)}' can be decoded, or it has over {options.max_megapixels:g} megapixels."
        )
        raise UserError(what, "Save it anew as MP4 (H.264), smaller.")
    width, height, above, below = map(int, facts.groups()[:4])
    width *= _wide(*(int(one or 0) for one in facts.groups()[4:]))
    seconds = _seconds(path, container, max_pixels)
    if seconds > options.max_seconds:
        what = f"'{shown(path.name)}' lasts {seconds:.1f} seconds; at most {options.max_seconds:g} are read."
        raise UserError(what, "Cut it.")
    scale = min(1.0, LONG_SIDE / max(width, height))
    width, height = (max(round(side * scale), 1) for side in (width, height))
    fps = min(above / below, options.fps)
    most = math.ceil((options.max_seconds + SLACK_S) * fps)
    return Film(path, container, width, height, fps, seconds, most, max_pixels)


def _wide(across: int, down: int) -> float:
    """How much wider than high the pixels of a clip are; 1 where it does not say."""
    wide = across / down if across and down else 1.0
    return wide if 1 / WIDEST <= wide <= WIDEST else 1.0


def _seconds(path: Path, container: str, max_pixels: int) -> float:
    """How long a clip is by its own packets, of which none is decoded. Raises UserError where it has none."""
    with decoding(path, arguments(container, max_pixels, ONLY_COUNTED)) as decoder:
        told = UNTIL.findall(decoder.read())
    if not told or int(told[-1]) == 0:
        raise damaged(path)
    return int(told[-1]) / 1e6


def damaged(path: Path) -> UserError:
    """That a clip cannot be read."""
    return UserError(f"'{shown(path.name)}' is damaged or cut short.", "Copy it again, or save it anew as MP4 (H.264).")
