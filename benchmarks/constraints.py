"""constraints.txt anew from what is installed here: `python -m benchmarks.constraints`, after the tests passed.

It holds the exact public version of everything that the requirement files pull in, for who wants the same install:
`python -m pip install -r requirements.txt -c constraints.txt`. Of optional requirements only those that are installed.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from idto3d.files import write_atomic

ROOT = Path(__file__).parents[1]
FILE = "constraints.txt"
NEEDED = ("requirements.txt", "requirements-dev.txt")
HEAD = """\
# The versions that the tests last passed with, for the same install: -c constraints.txt
# Made by python -m benchmarks.constraints; not to be changed by hand.
"""


def requirements(path: Path) -> list[Requirement]:
    """The requirements that a file names by version."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and " @ " not in line]


def pulled_in(roots: Iterable[Requirement]) -> dict[str, str]:
    """Name and installed public version of the `roots`, where they are installed, and of all that they need here."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(root, "") for root in roots]
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        try:
            distribution = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = Version(distribution.version).public
        for asked in ("", *wanted.extras):
            if (name, asked) not in seen:
                seen.add((name, asked))
                waiting += [(Requirement(text), asked) for text in distribution.requires or ()]
    return found


def missing(versions: Mapping[str, str], root: Path = ROOT) -> Iterator[str]:
    """The requirements of a run and of the tests that no version here satisfies."""
    for wanted in (wanted for name in NEEDED for wanted in requirements(root / name)):
        version = versions.get(canonicalize_name(wanted.name))
        if version is None or not wanted.specifier.contains(version, prereleases=True):
            yield f"{wanted}, here {version or 'not installed'}"


def main() -> int:
    """Write constraints.txt; returns the exit code."""
    files = sorted(ROOT.glob("requirements*.txt"))
    versions = pulled_in(wanted for file in files for wanted in requirements(file))
    if wrong := list(missing(versions)):
        print("Not written, for this environment does not fit:", *wrong, sep="\n  ", file=sys.stderr)
        return 2
    lines = (f"{name}=={version}\n" for name, version in sorted(versions.items()))
    write_atomic(ROOT / FILE, (HEAD + "".join(lines)).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
