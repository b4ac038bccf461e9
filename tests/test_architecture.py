"""The rooms keep to their neighbours, heavy packages to their rooms, and devices to the two places that choose one."""

import ast
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from idto3d.words.traits import BEARDS, HAIR_STYLES

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "idto3d"
FLOORS = (  # from the ground; a room imports rooms of floors below its own, and itself
    ("config", "options", "events", "determinism", "errors", "files", "device", "stop"),
    ("words", "moves"),
    ("checks", "geometry"),
    ("render",),
    ("subject", "bundle"),
    ("head",),
    ("fields", "guidance"),
    ("evidence",),
    ("stages",),
    ("export",),
    ("pipeline", "candidates", "animation"),
    ("training",),
    ("jobs",),
    ("ui",),
    ("cli",),
    ("__main__",),
)
GROUND = FLOORS[0]
LATER = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If  # what is below them may never be imported
ONLY_IN = {
    "gradio": {"ui"},
    "diffusers": {"guidance", "training"},
    "peft": {"guidance", "training"},
    "accelerate": {"training"},
    "nvdiffrast": {"render"},
    "ray": {"jobs"},
    "spaces": {"jobs"},
    "tinycudann": {"fields"},
    "spandrel": {"export"},
    "argparse": {"cli", "training", "ui", "jobs", "render"},
}

SLOW = ("torch", "diffusers", "peft", "transformers", "pandas", "scipy", "numba")
PATTERNS = "idto3d.words.plain"  # half a second of patterns, which only who reads prompts needs
DOORS = {  # what none of them loads before somebody asks for it, directly or by others
    "app": (*SLOW, "gradio", "gradio_client"),
    "idto3d.__main__": (*SLOW, PATTERNS),
    "idto3d.cli": (*SLOW, PATTERNS),
    "idto3d.ui.server": SLOW,
    "idto3d.jobs.worker": (*SLOW, PATTERNS),
    "idto3d.jobs.clerk.process": (*SLOW, PATTERNS),
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a source file; many tests look at all files."""
    return tuple(ast.walk(ast.parse(path.read_text())))


@cache
def imports_of(path: Path) -> set[str]:
    return imports_in(tree(path))


def imports_in(nodes: Iterable[ast.AST]) -> set[str]:
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@cache
def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def below(room: str) -> set[str]:
    """The rooms that `room` may import: those of lower floors; on the ground, all there."""
    if room in GROUND:
        return set(GROUND)
    floor = next(number for number, rooms in enumerate(FLOORS) if room in rooms)
    return {lower for rooms in FLOORS[:floor] for lower in rooms} | {room}


@pytest.mark.parametrize("room", sorted({room_of(path) for path in sources()} - {"__init__"}))
def test_a_room_imports_only_floors_below(room):
    for path in (p for p in sources() if room_of(p) == room):
        ours = {name.split(".")[1] for name in imports_of(path) if name.startswith("idto3d.") and name.count(".")}
        extra = ours - below(room) - {"__version__"}
        assert not extra, f"{path.relative_to(ROOT)} imports {sorted(extra)}"


def test_the_picture_of_the_house_shows_its_floors():
    picture = (ROOT / "docs" / "architecture.md").read_text().split("```")[1].strip("\n").splitlines()
    assert [set(line[:64].split()) for line in reversed(picture)] == [set(floor) for floor in FLOORS]


def test_only_the_command_line_knows_the_training_room():
    for path in (p for p in sources() if room_of(p) not in ("training", "cli")):
        assert not any(name.startswith("idto3d.training") for name in imports_of(path)), path.relative_to(ROOT)


def test_no_module_imports_itself_by_a_detour():
    modules = {module_of(path): path for path in sources()}
    arrows = {
        name: {to for wanted in imports_of(path) if (to := owner(wanted, modules))} for name, path in modules.items()
    }
    circles = [name for name in modules if name in reached(name, arrows)]
    assert not circles


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def owner(wanted: str, modules: dict[str, Path]) -> str | None:
    """The module that `wanted`, a module or something in one, lies in; None where it is not ours."""
    return next((name for name in (wanted, wanted.rpartition(".")[0]) if name in modules), None)


def reached(start: str, arrows: dict[str, set[str]]) -> set[str]:
    """Everything that `start` imports, directly or by others."""
    found, waiting = set(), list(arrows[start] - {start})
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += arrows[name]
    return found


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_a_heavy_package_stays_in_its_rooms(package):
    for path in sources():
        used = {name.split(".")[0] for name in imports_of(path)}
        assert package not in used or room_of(path) in ONLY_IN[package], path.relative_to(ROOT)


def test_only_the_start_of_a_head_and_training_read_prompts():
    readers = {"head/start.py", "stages/notices.py"}
    for path in (p for p in sources() if room_of(p) not in ("words", "training")):
        reads = any(name.startswith("idto3d.words.reading") for name in imports_of(path))
        assert not reads or str(path.relative_to(PACKAGE)) in readers, path.relative_to(ROOT)


def test_no_pattern_is_laid_over_a_prompt_outside_words():
    for path in (p for p in sources() if room_of(p) != "words"):
        for call in (node for node in tree(path) if isinstance(node, ast.Call)):
            function, given = ast.unparse(call.func), " ".join(map(ast.unparse, call.args))
            matched = function.startswith("re.") or function.split(".")[-1] in ("findall", "fullmatch", "finditer")
            assert not (matched and "prompt" in given), f"{path.relative_to(ROOT)}: {ast.unparse(call)}"


def test_words_for_traits_are_named_only_in_their_table_and_where_they_are_grown():
    table = {word for words in (HAIR_STYLES, BEARDS) for word in words}
    grown = {"head/hair_volumes.py", "head/hair/styles.py", "head/beards.py", "stages/hair.py"}
    grown |= {"head/features/face_masks.py", "head/paint/usual_skin.py", "head/features/regions.py"}
    for path in (p for p in sources() if room_of(p) in ("head", "fields", "stages", "guidance", "render", "subject")):
        named = {node.value for node in tree(path) if isinstance(node, ast.Constant)} & table
        assert not named - {"beard"} or str(path.relative_to(PACKAGE)) in grown, f"{path.relative_to(ROOT)}: {named}"


def test_words_need_no_heavy_package():
    code = "import sys, idto3d.words.captions; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-B", "-c", code], cwd=ROOT, check=True)


def test_front_doors_never_import_torch():
    for path in (p for p in sources() if room_of(p) in ("ui", "cli", "__main__")):
        assert "torch" not in {name.split(".")[0] for name in imports_of(path)}, path.relative_to(ROOT)


@pytest.mark.parametrize(("door", "kept_out"), DOORS.items())
def test_what_a_front_door_loads_loads_nothing_slow(door, kept_out):
    modules = {module_of(path): path for path in (*sources(), ROOT / "app.py")}
    loaded = {name: loaded_by(path) for name, path in modules.items()}
    arrows = {name: {to for wanted in found if (to := owner(wanted, modules))} for name, found in loaded.items()}
    for name in {door, *reached(door, arrows)}:
        slow = {one for one in loaded[name] for package in kept_out if f"{one}.".startswith(f"{package}.")}
        assert not slow, f"{name} imports {sorted(slow)} when {door} is loaded"


@cache
def loaded_by(path: Path) -> set[str]:
    """What a module imports while it is loaded itself: nothing that its functions or checkers of types import."""
    body = ast.Module([node for node in ast.parse(path.read_text()).body if not isinstance(node, LATER)], [])
    return imports_in(ast.walk(body))


def test_a_cuda_device_is_named_only_where_devices_are_chosen():
    allowed = {"render/backend.py", "device.py", "config/head.py"}
    for path in sources():
        constants = {n.value for n in tree(path) if isinstance(n, ast.Constant)}
        assert "cuda" not in constants or str(path.relative_to(PACKAGE)) in allowed, path.relative_to(ROOT)


def test_folders_stay_small():
    folders = {path.parent for path in sources()}
    counts = {str(f.relative_to(ROOT)): sum(p.name != "__init__.py" for p in f.glob("*.py")) for f in folders}
    assert not {name: count for name, count in counts.items() if count > 14}


def test_files_stay_short():
    files = [*sources(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    long = {str(p.relative_to(ROOT)): n for p in files if (n := len(p.read_text().splitlines())) > 300}
    assert not long


def test_the_pipeline_stays_a_story():
    text = (PACKAGE / "pipeline.py").read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert len(text.splitlines()) < 200 and max(len(function.args.args) for function in functions) <= 4


def test_importing_writes_nothing_and_needs_no_heavy_package(tmp_path):
    code = "import sys, idto3d.cli, idto3d.config; assert 'torch' not in sys.modules and 'gradio' not in sys.modules"
    subprocess.run([sys.executable, "-B", "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)
    assert not list(tmp_path.iterdir())


def test_weights_are_looked_up_and_a_worker_begins_without_torch():
    code = (
        "import sys, idto3d.jobs.worker\n"
        "from idto3d.bundle.offer import at_hand\n"
        "from idto3d.config import HeadOptions\n"
        "from idto3d.jobs.pace.expected import units\n"
        "assert at_hand('community').side == 512 and units(HeadOptions(), 1)['shape'] > 0\n"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
