"""Opens a GLB with the Khronos validator (node) and with Blender (bpy) and says what they make of it, as JSON.

    python -m benchmarks.check_glb HEAD.glb [--blender-python PYTHON] [--render PICTURE.png]

The validator: `npm install --prefix DIR gltf-validator`, then the environment variable GLTF_VALIDATOR=DIR. Blender:
`pip install bpy==4.5.15` into a Python 3.11 environment of its own (bpy is GPL and large, so it is never a
dependency) whose interpreter --blender-python names. What is not installed is reported as null.
Exit code 1 when the validator has an error or warning, or Blender finds other parts, shape keys, sizes or tangents.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests" / "export"


def document_of(glb: Path) -> dict:
    """The JSON chunk of a GLB."""
    content = glb.read_bytes()
    return json.loads(content[20 : 20 + int.from_bytes(content[12:16], "little")])


def has_validator() -> bool:
    """Whether node and the validator are there."""
    home = Path(os.environ.get("GLTF_VALIDATOR", "."))
    return bool(shutil.which("node")) and (home / "node_modules" / "gltf-validator").is_dir()


def validated(glb: Path) -> dict | None:
    """The validator's report, or None where node or the validator is missing."""
    if not has_validator():
        return None
    done = subprocess.run(["node", TESTS / "validate_glb.mjs", glb], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def in_blender(glb: Path, python: str, picture: Path | None) -> dict | None:
    """What Blender imports, or None where bpy is not installed for that interpreter."""
    if subprocess.run([python, "-c", "import bpy"], capture_output=True).returncode:
        return None
    script = Path(__file__).with_name("check_glb_blender.py")
    command = [python, script, glb, *([picture] if picture else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def faults(glb: Path, report: dict | None, blender: dict | None) -> list[str]:
    """Each thing that is not as it should be, in words."""
    found = []
    if report and (report["issues"]["numErrors"] or report["issues"]["numWarnings"]):
        found.append(f"validator: {report['issues']['messages']}")
    if blender is None:
        return found
    document = document_of(glb)
    names = [mesh["name"] for mesh in document["meshes"]]
    if sorted(blender["parts"]) != sorted(names):
        return [*found, f"blender: parts {sorted(blender['parts'])}, not {sorted(names)}"]
    for mesh in document["meshes"]:
        wrong = part_faults(document, mesh, blender["parts"][mesh["name"]])
        found += [f"blender: {mesh['name']}: {fault}" for fault in wrong]
    return found


def part_faults(document: dict, mesh: dict, imported: dict) -> list[str]:
    """What Blender understood otherwise of one mesh of the GLB."""
    found = []
    wanted = mesh.get("extras", {}).get("targetNames", [])
    if imported["shape_keys"] != (["Basis", *wanted] if wanted else []):
        found.append(f"shape keys {imported['shape_keys']}, not {wanted}")
    position = document["accessors"][mesh["primitives"][0]["attributes"]["POSITION"]]
    low, high = (position[side] for side in ("min", "max"))
    upright = [high[0] - low[0], high[2] - low[2], high[1] - low[1]]  # Blender's up is Z and its front is -Y
    if any(abs(is_ - should) > 1e-4 for is_, should in zip(imported["size"], upright, strict=True)):
        found.append(f"size {imported['size']}, not {upright}")
    if imported["tangent_degrees"] > 2.0:
        found.append(f"tangents {imported['tangent_degrees']} degrees from MikkTSpace")
    if missing := {"Base Color", "Roughness", "Metallic", "Normal"} - set(imported["sockets"]):
        found.append(f"no texture on {sorted(missing)}")
    return found


def main() -> int:
    """Check one file, print the findings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("glb", type=Path)
    parser.add_argument("--blender-python", default=sys.executable, help="an interpreter that has bpy")
    parser.add_argument("--render", type=Path, help="also render the head with Cycles into this PNG")
    arguments = parser.parse_args()
    report = validated(arguments.glb)
    blender = in_blender(arguments.glb, arguments.blender_python, arguments.render)
    found = faults(arguments.glb, report, blender)
    print(json.dumps({"validator": report, "blender": blender, "faults": found}, indent=1))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
