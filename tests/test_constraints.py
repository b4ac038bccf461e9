"""constraints.txt pins what the requirement files ask for, by public versions alone."""

import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks import constraints
from benchmarks.constraints import FILE, NEEDED, ROOT, missing, pulled_in, requirements


def pins():
    lines = (ROOT / FILE).read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_every_requirement_is_pinned_within_its_range():
    assert not list(missing(pins()))


def test_optional_requirements_are_pinned_within_their_range_where_they_are():
    held = pins()
    for wanted in (wanted for file in sorted(ROOT.glob("requirements*.txt")) for wanted in requirements(file)):
        if version := held.get(canonicalize_name(wanted.name)):
            assert wanted.specifier.contains(version), wanted


def test_pins_are_public_versions_without_a_place():
    lines = [line for line in (ROOT / FILE).read_text().splitlines() if not line.startswith("#")]
    names = [line.partition("==")[0] for line in lines]
    assert names == sorted(set(names)) and len(names) > 40
    assert not [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==\d[a-z0-9.]*", line)]


def test_a_pin_out_of_range_or_missing_is_named(tmp_path):
    for name in NEEDED:
        (tmp_path / name).write_text("torch>=2.10,<2.14  # tensors\nnumpy>=2.0\n")
    told = list(missing({"torch": "2.14.0"}, tmp_path))
    assert len(told) == 4 and "here 2.14.0" in told[0] and "not installed" in told[1]


def test_what_a_package_needs_is_pulled_in_with_its_extras_and_without_its_local_suffix(monkeypatch):
    class Shelf:
        def __init__(self, version, requires=()):
            self.version, self.requires = version, requires

    shelf = {
        "A": Shelf("1.0+cpu", ["b_c>=1", "d; extra == 'x'", "e; extra == 'y'", "f; python_version < '3'"]),
        "b_c": Shelf("2.1", ["A"]),
        **{name: Shelf("3") for name in "def"},
    }

    def distribution(name):
        if name not in shelf:
            raise metadata.PackageNotFoundError(name)
        return shelf[name]

    monkeypatch.setattr(constraints.metadata, "distribution", distribution)
    roots = [Requirement("A[x]"), Requirement("unknown>=1")]
    assert pulled_in(roots) == {"a": "1.0", "b-c": "2.1", "d": "3"}


@pytest.mark.parametrize("name", NEEDED)
def test_requirement_files_can_be_read(name):
    assert len(requirements(ROOT / name)) >= 7
