"""What lies on a skin: freckles and wrinkles, more of them or fewer, and what years leave or had left."""

from dataclasses import replace

from idto3d.head.paint.age import years_of
from idto3d.stages.edit.paint.gender import Change, with_brow_hairs, with_gender
from idto3d.stages.edit.paint.lines import FOLDS, YOUNG, smoothed, with_lines, with_years
from idto3d.stages.edit.paint.place import place_of
from idto3d.stages.edit.paint.spots import with_freckles
from idto3d.stages.edit.who import held, words_after
from idto3d.stages.edit.work import Work
from idto3d.words.paints import BROWS_MARK
from idto3d.words.traits import SMALL

OTHER = {"male": "female", "female": "male"}
STEP = 0.7  # of the lines of an old face that one step of "older" adds
LEAST = 0.05  # years that leave nothing
LEANING = 0.25  # of the shape of a gender that a face of photos has: most have little of it
UNLIKE = 0.25  # of a gender that a face is without, from which on it is not taken for one of that gender
DEEP = "Folds that are part of the head's shape stay: only what is painted on the skin can be smoothed."


def marked(work: Work) -> Work:
    """The head with the marks that are asked for, and what a change of age does to the skin, by `options.strength`."""
    painted, strength, seed = dict(work.head.painted), work.options.strength, work.options.seed
    marks, years = work.request.marks, strength * years_more(work)
    place = place_of(work.template, len(painted["skin"].albedo))
    if years > LEAST:
        painted = with_years(painted, place, min(years, 1.0), seed, spots=True)
    elif years < -LEAST:
        small = work.request.traits.get("age") in SMALL
        painted = smoothed(painted, place, min(-years, 1.0), YOUNG if small else FOLDS)
    if missing := strength * missing_gender(work):
        painted = with_gender(painted, place, _change(work), missing, work.before.options.seed)
    if amount := strength * marks.get("wrinkles", 0.0):
        painted = with_lines(painted, place, amount, seed)
    if amount := strength * marks.get("freckles", 0.0):
        painted = with_freckles(painted, place, amount, seed)
    if amount := strength * marks.get(BROWS_MARK, 0.0):
        painted = with_brow_hairs(painted, place, words_after(work), amount, work.before.options.seed)
    told = (DEEP,) if any(amount < 0 for name, amount in marks.items() if name != BROWS_MARK) else ()
    return replace(work, head=replace(work.head, painted=painted), told=(*work.told, *told))


def _change(work: Work) -> Change:
    """Who somebody was and shall be. Whose words did not say a gender was of the other one, in part."""
    was, now = work.before.start.words(), words_after(work)
    drawn = "gender" in was and not work.before.photos
    return Change(was if "gender" in was else was | {"gender": OTHER[now["gender"]]}, now, drawn)


def missing_gender(work: Work) -> float:
    """0..1 how much of the gender that is asked for the skin of a grown-up is without.

    Of a head of whose gender words said nothing, as of photos, its shape tells: it may be named, and not changed.
    """
    gender, was = work.request.traits.get("gender", ""), work.before.start.words()
    if not gender or work.request.traits.get("age", was.get("age")) in SMALL:
        return 0.0
    if "gender" in was:
        return float(was["gender"] != gender)
    missing = min(max(0.5 - held(work.before, work.template, work.prior)[gender] / (2 * LEANING), 0.0), 1.0)
    return missing if missing >= UNLIKE else 0.0


def years_more(work: Work) -> float:
    """-1..1 how much older than before the skin shall be, 1 being from a young face to an old one."""
    more, traits = STEP * work.request.years, work.request.traits
    if traits.get("age") in SMALL:
        return -1.0
    return more + (years_of(traits) - years_of(work.before.start.words()) if "age" in traits else 0.0)
