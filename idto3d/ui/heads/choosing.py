"""Faces to choose from before a head is made of words alone. Knows no widgets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from idto3d.checks import checked
from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.jobs.choosing.chooser import Chooser, Proposals
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.ui.heads.request import Request, check, face_numbers, options_of
from idto3d.ui.heads.thumbs import cut_from_corner, webp_url
from idto3d.ui.photos import with_weights

COUNT = 9
ANYBODY = "a person"  # whose hair it is where there are no words
HAIR_SIDE = 128
SIDE = 192  # pixels of a picture
PICTURE = "data:image/webp;base64,"
LONGEST_PICTURE = 40_000  # letters


@dataclass(frozen=True)
class Found:
    """What a browser keeps of a choice: what was asked (`request`, `like`), pictures and coefficients of the faces.

    Nothing is kept of faces that are not `whole`, as others are still to come.
    """

    prompt: str = ""
    seed: int = 0
    like: tuple[tuple[float, ...], ...] = ()
    faces: tuple[tuple[str, tuple[float, ...]], ...] = ()
    notices: tuple[str, ...] = field(default=())
    whole: bool = True

    @property
    def waits(self) -> bool:
        """Whether an answer, or more of it, is still to come."""
        return bool(self.prompt) and not (self.faces and self.whole)

    def plain(self) -> dict:
        """The same as JSON types."""
        faces = [[picture, list(row)] for picture, row in self.faces]
        like, notices = [list(row) for row in self.like], list(self.notices)
        return {"prompt": self.prompt, "seed": self.seed, "like": like, "faces": faces, "notices": notices}


def found_of(data) -> Found:
    """What a browser kept; anything may be there, and what cannot be is nothing."""
    try:
        faces = tuple((_picture(picture), face_numbers(row)) for picture, row in data["faces"])
        like, notices = tuple(map(face_numbers, data["like"])), tuple(map(str, data["notices"]))
        return Found(str(data["prompt"]), int(data["seed"]), like, faces[:COUNT], notices)
    except (TypeError, KeyError, ValueError, UserError):
        return Found()


def chosen_of(data) -> tuple[float, ...]:
    """The coefficients of a face that a browser kept; what cannot be some is none."""
    try:
        return face_numbers(data or ())
    except UserError:
        return ()


def _picture(text) -> str:
    if not isinstance(text, str) or not text.startswith(PICTURE) or len(text) > LONGEST_PICTURE:
        raise ValueError("no picture of ours")
    return text


class Choosing:
    """Proposes faces and hair by `chooser`; `base` holds the options of the server: weights and device."""

    def __init__(self, limits: Limits = LOCAL, base: Mapping | None = None, chooser: Chooser | None = None):
        self.limits = limits
        self.base = dict(base or {})
        self.chooser = chooser or Chooser(limits)

    def nine(
        self, request: Request, like: Sequence[Sequence[float]] = (), visitor: str = "", count: int = COUNT
    ) -> Proposals:
        """Faces for the words of `request`, and `like` those of such coefficients.

        Raises UserError where there are no words, where there are photos, and as `Chooser.propose`.
        """
        asked = self._asked(request, like, count)
        return self.chooser.propose(*asked, visitor)

    def found(self, request: Request, like: Sequence[Sequence[float]], visitor: str = "") -> Iterator[Found]:
        """The same as a browser shows and keeps it: first what is there, then more, then all of it."""
        for given in self.chooser.proposed(*self._asked(request, like, COUNT), visitor):
            faces = tuple((webp_url(cut_from_corner(one.picture), SIDE), one.coefficients) for one in given.faces)
            yield Found(request.prompt, request.seed, tuple(map(tuple, like)), faces, given.notices, given.whole)

    def _asked(
        self, request: Request, like: Sequence[Sequence[float]], count: int
    ) -> tuple[HeadOptions, tuple[tuple[float, ...], ...], int]:
        """What the chooser is asked. Raises UserError."""
        if request.photos:
            raise UserError("The photos show the face.", "Remove them to choose one by words.")
        if not request.prompt.strip():
            raise UserError("Nothing is said of the person.", "Describe the person in words, then ask for faces.")
        if not isinstance(like, list | tuple):
            raise UserError("What the faces are to be like is no list.", "Give rows of coefficients of candidates.")
        if not 1 <= count <= COUNT or len(like) > COUNT:
            raise UserError(f"{count} faces like {len(like)} are no choice.", f"Ask for 1 to {COUNT}.")
        check(request, self.limits)
        options = options_of(replace(request, chosen=()))
        options = checked(with_weights(replace(options, **self.base), request.weights))
        return options, tuple(map(face_numbers, like)), count

    def hair(self, options: HeadOptions, visitor: str = "") -> dict[str, tuple[tuple[str, str], ...]]:
        """Hair styles and colours for the head of `options`, each with a picture as a data URL. Raises UserError."""
        given = self.chooser.hair(replace(options, prompt=options.prompt or ANYBODY), visitor)
        rows = {"styles": given.styles, "colours": given.colours}
        return {
            kind: tuple((name, webp_url(cut_from_corner(one), HAIR_SIDE)) for name, one in row)
            for kind, row in rows.items()
        }
