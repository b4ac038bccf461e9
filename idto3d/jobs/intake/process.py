"""What the process does that looks at photos before a head is made of them; see `clerk.process`.

It keeps what it saw of the last photos in memory, by their bytes, so that one photo more does not have all looked at
again; nothing is written. All of it goes with the process.
"""

from collections import OrderedDict
from pathlib import Path

from idto3d.config import EMBEDDED, SubjectOptions, from_json
from idto3d.files import sha256_of
from idto3d.jobs.clerk.process import Answer
from idto3d.subject.verdict.facts import Seen, as_plain
from idto3d.subject.verdict.look import Eyes, look_at, open_eyes

REMEMBERED = 64  # photos


class Looking:
    """Looks at photos with `eyes`."""

    def __init__(self, eyes: Eyes):
        self._eyes = eyes
        self._seen: OrderedDict[tuple, Seen] = OrderedDict()

    def answer(self, question: dict) -> tuple[dict, bytes]:
        """Answers `photo`, a path, and `options` with the `look`, and the bytes of the `crop` and of the thumbnail."""
        seen = self.see(Path(question["photo"]), from_json(SubjectOptions, question["options"]))
        return {"look": as_plain(seen.look), "crop": len(seen.crop)}, seen.crop + seen.thumbnail

    def see(self, photo: Path, options: SubjectOptions) -> Seen:
        """What the photo shows."""
        if not photo.is_file() or photo.stat().st_size > options.max_megabytes * 1e6:
            return look_at(photo, options, self._eyes)
        key = (sha256_of(photo), photo.name, options)
        if key not in self._seen:
            self._seen[key] = look_at(photo, options, self._eyes)
        self._seen.move_to_end(key)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return self._seen[key]


def looker(folder: str = str(EMBEDDED)) -> Answer:
    """Answers what photos show, with the networks of the weights in `folder`."""
    return Looking(open_eyes(Path(folder))).answer
