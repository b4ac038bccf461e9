"""Reading MakeHuman's base mesh and targets (CC0) from a checkout of makehumancommunity/makehuman, or packed.

The packed arrays, in MakeHuman's decimetres: `vertices` [N, 3]; `quads` [F, 4] indices of vertices, -1 last in a
triangle; `quad_group` [F] the group of each, of which "body" is the skin; `target_names` [T], such as
"head/head-round"; and their sparse changes one after the other: target k moves the vertices `target_indices`[o[k] to
o[k + 1]] by `target_deltas` [.., 3] there, o being `target_offsets` [T + 1].
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from idto3d.errors import UserError

MESH, TARGETS = "3dobjs/base.obj", "targets"
LOWEST_MOVED_DM = 5.0  # height in decimetres above which a vertex moves: it belongs to head, neck or shoulders
REMEDY = "Give a checkout of makehumancommunity/makehuman, or a packed .npz."


def makehuman_arrays(path: str | Path, targets: Iterable[str]) -> dict[str, np.ndarray]:
    """The packed arrays with at least the `targets`, from a checkout's folder or from a packed .npz.

    Raises UserError where neither is at `path`, or a target is missing.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        return convert_makehuman(path, targets)
    if not path.is_file():
        raise UserError(f"There is no MakeHuman at {path}.", REMEDY)
    with np.load(path, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    if missing := sorted(set(targets) - set(arrays["target_names"].tolist())):
        raise UserError(f"{path} lacks the target {missing[0]}.", REMEDY)
    return arrays


def convert_makehuman(folder: Path, targets: Iterable[str]) -> dict[str, np.ndarray]:
    """The packed arrays of the base mesh and of `targets` alone, from a checkout.

    Raises UserError for a missing file.
    """
    places = (folder / "makehuman" / "data", folder / "data", folder)
    data = next((place for place in places if (place / MESH).is_file()), None)
    if data is None:
        raise UserError(f"{folder} holds no {MESH}.", REMEDY)
    names, mesh = sorted(set(targets)), _read_mesh(data / MESH)
    moving = mesh["vertices"][:, 1] > LOWEST_MOVED_DM
    changes = [_read_target(data / TARGETS / f"{name}.target", moving) for name in names]
    moved = np.concatenate(changes)
    return mesh | {
        "target_names": np.array(names),
        "target_offsets": np.cumsum([0, *map(len, changes)]),
        "target_indices": moved[:, 0].astype(np.int64),
        "target_deltas": moved[:, 1:].astype(np.float32),
    }


def _read_target(path: Path, head: np.ndarray) -> np.ndarray:
    """[n, 4] of a file's lines, a vertex and how it moves, of those that are in `head` [N]."""
    if not path.is_file():
        raise UserError(f"The target {path} is missing.", REMEDY)
    lines = np.loadtxt(path, comments="#", ndmin=2).reshape(-1, 4)
    return lines[head[lines[:, 0].astype(np.int64)]]


def _read_mesh(path: Path) -> dict[str, np.ndarray]:
    vertices, quads, groups, group = [], [], [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, *rest = line.split() or [""]
        if kind == "v":
            vertices.append([float(number) for number in rest[:3]])
        elif kind == "g":
            group = rest[0]
        elif kind == "f":
            corners = [int(corner.split("/")[0]) - 1 for corner in rest]
            quads.append([*corners, -1][:4])
            groups.append(group)
    return {
        "vertices": np.array(vertices, np.float32),
        "quads": np.array(quads, np.int32),
        "quad_group": np.array(groups),
    }
