"""ICT-FaceKit as arrays: reading, identities, expressions, and the conversion from its OBJ files.

The model (MIT licence, github.com/ICT-VGL/ICT-FaceKit) is in centimetres, +Y up, the face to +Z. Everything that
leaves this file is in metres.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from idto3d.errors import UserError
from idto3d.head.template import CENTIMETRE, DRAWN
from idto3d.words.expressions import Expression


@dataclass(frozen=True)
class IctModel:
    """The morphable head: `neutral` [V, 3], `identity` [100 + M, V, 3] and `expression` [57, V, 3] deltas, metres.

    The last M identity modes have `words`, see makehuman.py; the plain model has none.
    """

    neutral: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    expression_names: tuple[str, ...]
    faces: np.ndarray  # [F, 3] int32 triangles of the drawn materials
    material: np.ndarray  # [F] index into DRAWN
    words: tuple[str, ...] = ()

    def weights(self, expression: Expression, strength: float = 1.0) -> np.ndarray:
        """[57] blendshape weights of one of our expressions; a recipe name without a side stands for both sides."""
        weights = np.zeros(len(self.expression_names), np.float32)
        for shape, amount in expression.recipe.items():
            indices = [i for i, name in enumerate(self.expression_names) if name in (shape, f"{shape}_L", f"{shape}_R")]
            if not indices:
                raise ValueError(f"expression '{expression.name}' names shape '{shape}', which the model lacks")
            weights[indices] = amount * strength
        return weights

    def vertices(self, coefficients: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """[V, 3] metres for identity `coefficients` [100 + M] and blendshape `weights` [57]."""
        shape = self.neutral + np.tensordot(coefficients.astype(np.float32), self.identity, 1)
        used = np.flatnonzero(weights)
        return shape + np.tensordot(weights[used].astype(np.float32), self.expression[used], 1)


def read_ict(path: str | Path) -> IctModel:
    """The model from a packed .npz, or from a checkout of ICT-FaceKit (its folder of OBJ files).

    Raises UserError when neither is found at `path`.
    """
    return _from_arrays(packed_arrays(path))


def packed_arrays(path: str | Path) -> dict:
    """The arrays of a packed .npz, or of a checkout as convert_checkout packs it; centimetres. Raises UserError."""
    path = Path(path).expanduser()
    if path.is_dir():
        return convert_checkout(path)
    if not path.is_file():
        raise UserError(f"There is no ICT-FaceKit model at {path}.", "Give a packed .npz or a checkout's folder.")
    with np.load(path, allow_pickle=False) as data:
        return {name: data[name] for name in data.files}


def _from_arrays(data: dict) -> IctModel:
    kept = np.isin(data["face_material"], DRAWN)
    quads = data["quads"][kept]
    material = np.array([DRAWN.index(name) for name in data["face_material"][kept]], np.int32)
    second = quads[:, 3] >= 0
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[second][:, [0, 2, 3]]]).astype(np.int32)
    return IctModel(
        neutral=data["neutral"].astype(np.float32) * CENTIMETRE,
        identity=data["identity"].astype(np.float32) * CENTIMETRE,
        expression=data["expression"].astype(np.float32) * CENTIMETRE,
        expression_names=tuple(str(name) for name in data["expression_names"]),
        faces=faces,
        material=np.concatenate([material, material[second]]),
        words=tuple(str(word) for word in data.get("word_names", ())),
    )


def convert_checkout(folder: Path) -> dict:
    """The packed arrays from a checkout: generic_neutral_mesh.obj, identityNNN.obj and the expression OBJ files."""
    models = next((p for p in (folder / "FaceXModel", folder) if (p / "generic_neutral_mesh.obj").is_file()), None)
    if models is None:
        raise UserError(f"{folder} holds no generic_neutral_mesh.obj.", "Give the folder of an ICT-FaceKit checkout.")
    neutral = _read_obj(models / "generic_neutral_mesh.obj")
    identities = sorted(models.glob("identity*.obj"))
    others = [p for p in sorted(models.glob("*.obj")) if p not in identities and p.stem != "generic_neutral_mesh"]
    return {
        "neutral": neutral["vertices"],
        "uv": neutral["uv"],
        "quads": neutral["quads"],
        "quads_uv": neutral["quads_uv"],
        "face_material": neutral["material"],
        "identity": np.stack([_read_obj(p)["vertices"] - neutral["vertices"] for p in identities]),
        "expression": np.stack([_read_obj(p)["vertices"] - neutral["vertices"] for p in others]),
        "expression_names": np.array([p.stem for p in others]),
    }


def _read_obj(path: Path) -> dict:
    vertices, uv, quads, quads_uv, material, current = [], [], [], [], [], ""
    for line in path.read_text().splitlines():
        parts = line.split()
        if not parts:
            continue
        if parts[0] == "v":
            vertices.append([float(x) for x in parts[1:4]])
        elif parts[0] == "vt":
            uv.append([float(x) for x in parts[1:3]])
        elif parts[0] == "usemtl":
            current = parts[1]
        elif parts[0] == "f":
            corners = [p.split("/") for p in parts[1:5]]
            quads.append([int(c[0]) - 1 for c in corners] + [-1] * (4 - len(corners)))
            quads_uv.append([int(c[1]) - 1 if len(c) > 1 and c[1] else -1 for c in corners] + [-1] * (4 - len(corners)))
            material.append(current)
    return {
        "vertices": np.array(vertices, np.float32),
        "uv": np.array(uv, np.float32).reshape(-1, 2),
        "quads": np.array(quads, np.int32),
        "quads_uv": np.array(quads_uv, np.int32),
        "material": np.array(material),
    }
