"""The fifteen requests, what each may change, and by what it is judged."""

from dataclasses import dataclass

from benchmarks.edits import checks
from benchmarks.edits.outside import Where
from idto3d.config import EditOptions

SCALP = (("skin", ("scalp",)),)
DYED = Where((), ("hair",), SCALP, under=("hair",))  # skin shows between the strands


@dataclass(frozen=True)
class Asked:
    """A request. same_face: whether the face must stay alike. mask: the side of a view that may change alone."""

    options: EditOptions
    where: Where
    checks: tuple[checks.Check, ...]
    same_face: bool = False
    half: bool = False

    @property
    def name(self) -> str:
        """The prompt, with what restricts it."""
        return self.options.prompt + (", left half, geometry kept" if self.half else "")


def _asked(prompt: str, where: Where, *judged: checks.Check, same_face: bool = False) -> Asked:
    return Asked(EditOptions(prompt=prompt), where, judged, same_face)


WHOLE = Where(whole=True)
CUT = Where(("hair",), ("hair",), SCALP, under=("hair",))
BEARD = Where(("beard",), ("beard",), (("skin", ("beard", "goatee", "moustache")),), under=("beard",))
SKIN = Where(regions=(("skin", ("face", "neck", "ears", "scalp")),))
REQUESTS = (
    _asked("green hair", DYED, checks.hair_hue(75, 165), same_face=True),
    _asked("blonde hair", DYED, checks.hair_hue(22, 58), same_face=True),
    _asked("as a cute baby", WHOLE, checks.shifted("baby")),
    _asked("as a male", WHOLE, checks.shifted("male")),
    _asked("as a female", WHOLE, checks.shifted("female")),
    _asked("older", WHOLE, checks.shifted("old")),
    _asked("more wrinkles", SKIN, checks.more_marks("face")),
    _asked("with short buzzcut hairstyle", CUT, checks.hair_halved, same_face=True),
    _asked("shaved", BEARD, checks.shaven),
    _asked("a goatee", BEARD, checks.bearded),
    _asked("freckles", SKIN, checks.more_marks("cheeks"), same_face=True),
    _asked("red lipstick", Where(regions=(("skin", ("lips",)),)), checks.redder_lips),
    _asked("blue eyes", Where(regions=(("eyes", ("iris",)),)), checks.iris_hue(190, 250), same_face=True),
    _asked("glasses", Where(("glasses", "lenses"), ("glasses", "lenses")), checks.has_glasses),
    Asked(EditOptions("freckles and wrinkles", "geometry"), SKIN, (checks.left_half_alone,), half=True),
)


def chosen(prompts: list[str]) -> tuple[Asked, ...]:
    """Those whose prompts hold one of these words; all without any."""
    return tuple(one for one in REQUESTS if not prompts or any(word in one.name for word in prompts))
