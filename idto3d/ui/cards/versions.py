"""The strip of a head's versions: one column for each change in a row, one row for each branch."""

from collections.abc import Callable, Sequence
from html import escape

from idto3d.jobs.history.version import Version

FIRST = "As made"
FOLLOW = """
let shown = '';
const follow = () => {
  const [strip, now] = ['.versions', '.version.now'].map(one => element.querySelector(one));
  const pick = now ? now.querySelector('.show').dataset.pick : '';
  if (!strip || !now || pick === shown) return;
  shown = pick;
  const [whole, seen] = [strip.getBoundingClientRect(), now.getBoundingClientRect()];
  strip.scrollLeft += Math.max(0, seen.right - whole.right) + Math.min(0, seen.left - whole.left);
};
new MutationObserver(follow).observe(element, {attributeFilter: ['class'], childList: true, subtree: true});
follow();
"""  # the version that is shown is seen in the strip, however narrow that is


def strip(versions: Sequence[Version], picture: Callable[[Version], str], other: str = "") -> str:
    """The versions as a tree that is pressed; `picture` gives the data URL of one, `other` is compared with."""
    if not versions:
        return ""
    places = placed(versions)
    cells = "".join(_cell(version, *places[version.id], picture(version), other) for version in versions)
    return f'<div class="versions" role="group" aria-label="Versions of this head">{cells}</div>'


def placed(versions: Sequence[Version]) -> dict[str, tuple[int, int]]:
    """Row and column of each version, both from 1: a first child goes on in its parent's row, another begins one."""
    children: dict[str, list[str]] = {}
    known = {version.id for version in versions}
    for version in versions:
        children.setdefault(version.parent if version.parent in known else "", []).append(version.id)
    places, rows = {}, 0
    waiting = [(one, 0, 1) for one in reversed(children.get("", ()))]
    while waiting:
        one, row, column = waiting.pop()
        if not row:
            rows += 1
            row = rows
        places[one] = (row, column)
        first, *others = children.get(one, [""])
        waiting += [(child, 0, column + 1) for child in reversed(others)]
        waiting += [(first, row, column + 1)] if first else []
    return places


def title(version: Version) -> str:
    """What a version is called."""
    return version.name or FIRST


def _cell(version: Version, row: int, column: int, url: str, other: str) -> str:
    name = escape(title(version))
    state = " now" if version.current else ""
    state += " other" if version.id == other else ""
    picture = f'<img alt="" src="{url}">' if url else '<span class="blank"></span>'
    show = (
        f'<button type="button" class="show" data-pick="show {version.id}" title="{name}"'
        f' aria-pressed="{str(version.current).lower()}">{picture}<span>{name}</span></button>'
    )
    small = "" if version.current else _small(version, name)
    return f'<div class="version{state}" style="grid-area: {row} / {column}">{show}{small}</div>'


def _small(version: Version, name: str) -> str:
    """The small buttons of a version that is not shown."""
    compare = f'<button type="button" data-pick="compare {version.id}" aria-label="Compare with {name}">⇆</button>'
    asks = 'data-ask="Delete?"'  # it is gone for good
    drop = (
        f'<button type="button" data-pick="drop {version.id}" {asks} aria-label="Delete the version {name}">×</button>'
    )
    return f'<span class="small">{compare}{drop}</span>'
