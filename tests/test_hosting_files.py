"""What a host installs agrees: README.md's head (a Space), the Dockerfile, the requirement files and pyproject.toml."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from benchmarks.constraints import requirements
from idto3d.ui.start.asked import parse

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
NEEDED = ("app.py", "idto3d/pipeline.py", "assets/hdri", "weights/embedded/base/unet", "weights/community/README.md")


def front_matter():
    head = (ROOT / "README.md").read_text().split("---\n")[1]
    return dict(line.replace('"', "").split(": ", 1) for line in head.splitlines())


def pinned(name):
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)[name]


def test_a_space_is_given_the_gradio_that_the_tests_passed_with():
    head = front_matter()
    assert head["sdk"] == "gradio" and head["sdk_version"] == pinned("gradio")
    (gradio,) = (one for one in requirements(ROOT / "requirements.txt") if one.name == "gradio")
    assert gradio.specifier.contains(head["sdk_version"]) and (ROOT / head["app_file"]).is_file()


def test_space_and_container_run_one_python_that_the_package_allows():
    python = front_matter()["python_version"]
    assert re.search(rf"^FROM python:{re.escape(python)}-slim$", DOCKERFILE, re.MULTILINE)
    allowed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert SpecifierSet(allowed).contains(python)


def test_the_container_names_no_version_of_its_own():
    assert "-r requirements.txt -c constraints.txt" in DOCKERFILE and "xargs -a packages.txt" in DOCKERFILE
    assert "==" not in DOCKERFILE and "apt-get install ffmpeg" not in DOCKERFILE


def test_the_container_serves_everybody_on_its_volume_and_not_as_root(monkeypatch):
    for name, value in re.findall(r"(IDTO3D_\w+)=(\S+)", DOCKERFILE):
        monkeypatch.setenv(name, value)
    asked = parse([])
    assert (asked.host, str(asked.runs), asked.public, asked.port) == ("0.0.0.0", "/runs", True, 7860)
    assert re.search(r"^USER page$", DOCKERFILE, re.MULTILINE) and DOCKERFILE.rstrip().endswith('["python", "app.py"]')


def test_the_image_has_what_the_page_needs_and_no_more():
    ignored = [line.strip("/") for line in (ROOT / ".dockerignore").read_text().splitlines()]
    for path in NEEDED:
        parts = [str(parent) for parent in (Path(path), *Path(path).parents)]
        assert not [rule for rule in ignored for part in parts if fnmatch(part, rule)], path
    assert {"tests", "runs", "head", ".git"} <= set(ignored)


def test_what_a_host_without_a_compiler_installs_has_wheels():
    lines = [line.partition("#")[0].strip() for line in (ROOT / "requirements-gpu.txt").read_text().splitlines()]
    assert not [line for line in lines if "@" in line or "git+" in line]
    plain = {canonicalize_name(one.name) for one in requirements(ROOT / "requirements-gpu.txt")}
    assert plain and not plain & {"nvdiffrast", "tinycudann"}  # what compiles stands in the file beside


def test_what_compiles_is_pinned_to_commits():
    lines = [line for line in (ROOT / "requirements-gpu-build.txt").read_text().splitlines() if " @ git+" in line]
    assert len(lines) == 2 and all(re.search(r"@[0-9a-f]{40}", line) for line in lines)
