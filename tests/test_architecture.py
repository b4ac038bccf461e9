"""The rooms keep to their neighbours, heavy packages to their rooms, and devices to the two places that choose one."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "idto3d"
EVERYONE = {"checks", "config", "events", "errors", "expressions", "looks", "prompts"}
LEAVES = {"geometry", "fields", "guidance", "subject"}
MAY_IMPORT = {
    **{leaf: set() for leaf in LEAVES},
    "guidance": {"geometry", "render"},  # it draws its rig
    "render": {"geometry"},
    "stages": LEAVES | {"render"},
    "export": {"geometry", "render"},
    "training": {"render", "guidance", "geometry", "subject", "fields"},
    "pipeline": LEAVES | {"render", "stages", "export"},
    "jobs": {"pipeline"},
    "ui": {"jobs", "pipeline", "cli"},
    "cli": {"jobs", "pipeline", "training"},
    "__main__": {"cli"},
}
ONLY_IN = {
    "gradio": {"ui"},
    "diffusers": {"guidance", "training"},
    "peft": {"guidance", "training"},
    "accelerate": {"training"},
    "nvdiffrast": {"render"},
    "tinycudann": {"fields"},
    "argparse": {"cli", "training", "ui", "jobs", "render"},
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_only_its_neighbours(room):
    for path in (p for p in sources() if room_of(p) == room):
        ours = {name.split(".")[1] for name in imports_of(path) if name.startswith("idto3d.") and name.count(".")}
        extra = ours - EVERYONE - MAY_IMPORT[room] - {room, "__version__"}
        assert not extra, f"{path.relative_to(ROOT)} imports {sorted(extra)}"


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_a_heavy_package_stays_in_its_rooms(package):
    for path in sources():
        used = {name.split(".")[0] for name in imports_of(path)}
        assert package not in used or room_of(path) in ONLY_IN[package], path.relative_to(ROOT)


def test_front_doors_never_import_torch():
    for path in (p for p in sources() if room_of(p) in ("ui", "cli", "__main__")):
        assert "torch" not in {name.split(".")[0] for name in imports_of(path)}, path.relative_to(ROOT)


def test_a_cuda_device_is_named_only_where_devices_are_chosen():
    allowed = {"render/rasterizer.py", "guidance/device.py", "config.py"}
    for path in sources():
        constants = {n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)}
        assert "cuda" not in constants or str(path.relative_to(PACKAGE)) in allowed, path.relative_to(ROOT)


def test_files_stay_short():
    long = {str(p.relative_to(ROOT)): n for p in sources() if (n := len(p.read_text().splitlines())) > 300}
    assert not long


def test_importing_writes_nothing_and_needs_no_heavy_package(tmp_path):
    code = "import sys, idto3d.cli, idto3d.config; assert 'torch' not in sys.modules and 'gradio' not in sys.modules"
    subprocess.run([sys.executable, "-B", "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)
    assert not list(tmp_path.iterdir())
