"""The materials of an OBJ file: which texture each has, however its MTL file spells it."""

import re
from dataclasses import dataclass
from pathlib import Path

from idto3d.errors import UserError
from idto3d.training.scans.surfaces import MeshLimits, beside, read_beside

OPTIONS = {  # of a map line: the most values that follow
    **dict.fromkeys(("-blendu", "-blendv", "-boost", "-texres", "-clamp", "-bm", "-imfchan", "-type", "-cc"), 1),
    **dict.fromkeys(("-o", "-s", "-t"), 3),
    "-mm": 2,
}
NUMBERS = ("-o", "-s", "-t", "-mm")
UNCHANGED = {"-mm": (0.0, 1.0), "-t": (0.0, 0.0, 0.0)}  # of options that change colours in ways that are not followed


@dataclass(frozen=True)
class Map:
    """A texture file and how texture coordinates lead into it: times `scale`, plus `offset`."""

    file: Path
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Materials:
    """The materials that an OBJ file uses: `text` is an MTL file of them without maps, `maps` are these by name.

    missing: names of files and materials that are not there.
    """

    text: bytes
    maps: dict[str, Map]
    missing: tuple[str, ...]


def read_materials(data: bytes, folder: Path, name: str, limits: MeshLimits) -> Materials:
    """The materials of the OBJ file `name` in `folder`, which holds `data`. Raises UserError."""
    blocks, missing = {}, []
    for named in _all(rb"mtllib", data):
        libraries = _libraries(folder, named)
        missing += [] if libraries else [named]
        for library in libraries:
            blocks |= _blocks(_decoded(read_beside(library, name, limits)))
    text, maps = [], {}
    for used in dict.fromkeys(_all(rb"usemtl", data)):
        spelled = used if used in blocks else next((one for one in blocks if one.casefold() == used.casefold()), None)
        missing += [used] if spelled is None and blocks else []
        text += [f"newmtl {used}", *(line for line in blocks.get(spelled, []) if not _is_map(line))]
        for line in filter(_is_map, blocks.get(spelled, [])):
            named, where = _map(line, folder, name)
            missing += [named] if where is None else []
            maps |= {} if where is None else {used: where}
    return Materials("\n".join(text).encode(), maps, tuple(missing))


def _all(key: bytes, data: bytes) -> list[str]:
    """What follows `key` on each line that begins with it."""
    return [_decoded(found) for found in re.findall(rb"(?mi)^[ \t]*" + key + rb"[ \t]+([^\r\n]*?)[ \t]*\r?$", data)]


def _libraries(folder: Path, named: str) -> list[Path]:
    """The files of a `mtllib` line: one whose name may have spaces, or several."""
    whole = beside(folder, named)
    several = [whole] if whole else [beside(folder, one) for one in named.split()]
    return [path for path in several if path]


def _blocks(text: str) -> dict[str, list[str]]:
    """The lines of each material of an MTL file."""
    blocks: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        key, rest = _parted(line)
        if key.lower() == "newmtl":
            lines = blocks.setdefault(rest, [])
        elif key and not key.startswith("#"):
            lines.append(line.strip())
    return blocks


def _is_map(line: str) -> bool:
    return line.split()[0].lower() == "map_kd"


def _parted(text: str) -> tuple[str, str]:
    """The first word of `text`, and the rest without the space around it."""
    first, rest = [*text.split(None, 1), "", ""][:2]
    return first, rest.strip()


def _map(line: str, folder: Path, name: str) -> tuple[str, Map | None]:
    """The file that a `map_Kd` line names, and the map, None where there is no such file.

    Raises UserError for an option that changes the colours in a way that is not followed.
    """
    _, rest = _parted(line)
    options: dict[str, tuple] = {}
    while (key := _parted(rest)[0].lower()) in OPTIONS:
        options[key], rest = _values(_parted(rest)[1], OPTIONS[key], key in NUMBERS)
    for key, plain in UNCHANGED.items():
        if options.get(key, plain) != plain[: len(options.get(key, plain))]:
            raise UserError(f"'{name}' has a texture with the option {key}, which is not read.", "Save it without.")
    path = beside(folder, rest)
    scale, offset = (_pair(options.get(key, ()), rested) for key, rested in (("-s", 1.0), ("-o", 0.0)))
    return rest, None if path is None else Map(path, scale, offset)


def _pair(values: tuple[float, ...], rested: float) -> tuple[float, float]:
    """The first two values; those that are not said are `rested`."""
    across, up = (*values, rested, rested)[:2]
    return across, up


def _values(rest: str, most: int, numbers: bool) -> tuple[tuple, str]:
    """The values of an option, and what is behind them. Of numbers there may be fewer than `most`."""
    values: list = []
    while len(values) < most and rest:
        first, others = _parted(rest)
        value = _number(first) if numbers else first
        if value is None:
            break
        values.append(value)
        rest = others
    return tuple(values), rest


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError:
        return text.decode("latin-1")  # of older programs; every byte is a letter there
