"""Which scans a folder holds: NPHM's layout, or any folder of meshes.

    nphm     SUBJECT/EXPRESSION/scan.ply and registration.ply (or .obj, .glb), both folders numbered
    meshes   SUBJECT/EXPRESSION.glb (or .obj, .ply), or SUBJECT.glb alone, which is neutral

NPHM numbers its scans in the order they were taken, and no table of what each number shows is published; only the
neutral ones are listed (dataset/neutrals_closed.json in its repository). The rest must come from the table of
attributes. Folders that were renamed to words need neither.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from idto3d.errors import UserError
from idto3d.training.scans.table import SKIP, Attributes, expression_index, key

LAYOUTS = ("nphm", "meshes")
ENDINGS = (".ply", ".obj", ".glb")
MESHES = ("scan", "registration")


@dataclass(frozen=True)
class Scan:
    """One mesh file: `name` is for messages and seeds, `expression` an index into EXPRESSIONS."""

    path: Path
    name: str
    expression: int


@dataclass(frozen=True)
class ScannedPerson:
    """A subject with the words about them and their scans, neutral first."""

    name: str
    look: dict[str, str]
    scans: tuple[Scan, ...]


@dataclass(frozen=True)
class _MeshFile:
    """A mesh file before it is known what it shows; `named` is what the file's place says."""

    path: Path
    subject: str
    expression: str
    named: str


def find_people(
    folder: Path, layout: str, mesh: str, attributes: Attributes
) -> tuple[tuple[ScannedPerson, ...], list[str]]:
    """The people of `folder` in order of their names, and sentences about what is left out.

    mesh: of MESHES, which file of NPHM's layout is taken. Raises UserError when no scan is left.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}.", "Check the path of the scans.")
    files = _nphm_files(folder, mesh) if layout == "nphm" else _mesh_files(folder, attributes)
    if not files:
        raise UserError(f"{folder} holds no scans in the layout {layout}.", f"{_example(layout, mesh)}")
    scans, strange = {}, Counter()
    for file in files:
        shows = attributes.shows.get((file.subject, key(file.expression)), file.named)
        index = expression_index(shows)
        if index is None:
            strange["number" if shows.isdigit() else shows.casefold()] += 1
        else:
            name = f"{file.subject}/{file.expression}"
            scans.setdefault(file.subject, []).append(Scan(file.path, name, index))
    notices = [_left_out(shows, count) for shows, count in sorted(strange.items())]
    if not scans:
        raise UserError(f"No scan in {folder} shows a known expression. {notices[0]}", _remedy(layout))
    return tuple(_person(subject, scans[subject], attributes) for subject in sorted(scans, key=_natural)), notices


def _person(subject: str, scans: list[Scan], attributes: Attributes) -> ScannedPerson:
    ordered = tuple(sorted(scans, key=lambda scan: (scan.expression, _natural(scan.name))))
    return ScannedPerson(subject, attributes.looks.get(subject, {}), ordered)


def _natural(name: str) -> tuple:
    return (0, int(name), name) if name.isdigit() else (1, 0, name)


def _nphm_files(folder: Path, mesh: str) -> list[_MeshFile]:
    files = []
    for subject in _visible(folder):
        for expression in _visible(subject) if subject.is_dir() else ():
            paths = [path for ending in ENDINGS if (path := expression / (mesh + ending)).is_file()]
            if paths:
                files.append(_MeshFile(paths[0], key(subject.name), key(expression.name), expression.name))
    return files


def _mesh_files(folder: Path, attributes: Attributes) -> list[_MeshFile]:
    files = []
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if path.suffix.lower() not in ENDINGS or not path.is_file() or any(p.startswith(".") for p in place.parts):
            continue
        alone = len(place.parts) == 1
        subject, named = (path.stem, "neutral") if alone else (place.parent.as_posix(), path.stem)
        subject, shows = attributes.files.get(place.as_posix(), (subject, ""))
        files.append(_MeshFile(path, key(subject), key(path.stem), shows or named))
    return files


def _visible(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]


def _left_out(shows: str, count: int) -> str:
    scans = "1 scan is" if count == 1 else f"{count} scans are"
    if shows == SKIP:
        return f"{scans} left out, as the table of attributes says."
    if shows == "number":
        return f"{scans} left out: nothing says which expression a number means."
    return f"{scans} left out: '{shows}' is not one of the 13 expressions."


def _example(layout: str, mesh: str) -> str:
    if layout == "nphm":
        return f"Expected e.g. 017/000/{mesh}.ply in it; try --mesh, or --layout meshes for other folders."
    return "Expected e.g. anna/smile.glb or anna.glb in it."


def _remedy(layout: str) -> str:
    if layout == "nphm":
        return "Give NPHM's neutrals_closed.json as --neutrals, or say what scans show in --attributes."
    return "Name the files after expressions, or say what they show in --attributes."
