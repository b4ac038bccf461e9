"""Says how far each shape key of a finished head moves chin, upper lids, brows and the back of its skin, as JSON.

    python -m benchmarks.check_shape_keys HEAD_FOLDER

Exit code 1 when one does not do what its name says, or moves the back of the head. The parts are boxes in the head's
own frame (metres, y up, face to +z), wide enough for any person.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from idto3d.export.gltf.load import load_asset

BACK_STAYS = 0.0005  # metres that the back of the head may move in any expression
# part, share of its vertices (by height moved) that is reported, and box: |x|, y, z from..to
PARTS = {
    "chin": (0.5, (0.0, 0.022), (-0.095, -0.062), (0.075, 0.15)),
    "upper lids": (0.1, (0.018, 0.044), (0.034, 0.046), (0.075, 0.12)),
    "brows": (0.5, (0.015, 0.050), (0.052, 0.070), (0.07, 0.13)),
}
# expression, part, and how far its middle must move up (metres; negative is down)
WANTED = (("mouth stretch", "chin", -0.005), ("eyes closed", "upper lids", -0.004), ("brow raised", "brows", 0.002))


def part_of(positions: np.ndarray, box: tuple) -> np.ndarray:
    """Which vertices [V] of `positions` [V, 3] lie in a box of |x|, y and z."""
    places = np.abs(positions * [1, 0, 0]) + positions * [0, 1, 1]
    return np.all([(low <= places[:, i]) & (places[:, i] <= high) for i, (low, high) in enumerate(box)], axis=0)


def heights(positions: np.ndarray, displacement: np.ndarray) -> dict[str, float]:
    """Metres that each part moves up; of the lids the tenth that moves down most, since below it lies the eye."""
    return {
        name: float(np.quantile(displacement[part_of(positions, box), 1], share))
        for name, (share, *box) in PARTS.items()
    }


def faults(moved: dict[str, dict[str, float]]) -> list[str]:
    """What is not as its name says, in words."""
    found = []
    for expression, part, least in WANTED:
        if expression in moved and moved[expression][part] / least < 1:
            found.append(f"{expression} moves the {part} {1000 * moved[expression][part]:.1f} mm up")
    return found + [f"{name} moves the back" for name, by in moved.items() if by["back"] > BACK_STAYS]


def main() -> int:
    """Check one head."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    mesh = load_asset(parser.parse_args().folder).mesh
    skin = [part for part in mesh.parts if part.material == "skin"]
    positions = np.concatenate([part.positions for part in skin])
    back = positions[:, 2] < -0.02
    moved = {}
    for name, displacement in zip(mesh.names, np.concatenate([part.displacements for part in skin], 1), strict=True):
        farthest = float(np.linalg.norm(displacement[back], axis=1).max())
        moved[name] = heights(positions, displacement) | {"back": farthest}
    found = faults(moved)
    shown = {name: {part: round(value, 5) for part, value in parts.items()} for name, parts in moved.items()}
    print(json.dumps({"metres": shown, "faults": found}, indent=1))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
