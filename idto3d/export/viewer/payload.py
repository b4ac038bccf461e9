"""A head as the page's viewer reads it: one compact file, made from what head.glb holds.

The file: the magic word, the length of the header (uint32, little-endian), the header (JSON), the pictures (JPEG and
PNG files, one after the other), and the numbers (one gzip stream). The header says where each picture lies and how
many numbers there are; the numbers follow in the order of `_numbers_of`, each array padded to 4 bytes.

What is rounded: positions to 1/65535 of the largest side of their part's box, texture coordinates likewise, normals
and tangents to an octahedron of 2^16 steps a side, what expressions move to 1/32767 and what they turn to 1/127 of the
largest in each. A head that fills 1024 pixels shows none of it.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from idto3d.export.gltf.load import Asset
from idto3d.export.gltf.mesh import PartMesh
from idto3d.export.viewer.pictures import Packed, material_files
from idto3d.export.viewer.rounding import gaps_of, rounded, rounded_directions, rounded_targets

MAGIC = b"IDV1"
GZIP_LEVEL = 6  # more takes twice the time for 2 % less
ALIGNMENT = 4


@dataclass(frozen=True)
class Target:
    """What one expression does to a part.

    moved: [N] vertices, moves: [N, 3] int16 to be multiplied by `step` (metres); turned: [M], turns: [M, 3] int8 to be
    multiplied by `turn`, what is added to unit normals.
    """

    moved: np.ndarray
    moves: np.ndarray
    step: float
    turned: np.ndarray
    turns: np.ndarray
    turn: float


def payload_bytes(asset: Asset) -> bytes:
    """The file for a head: all its parts and expressions, its textures with at most 1024 pixels a side."""
    pictures = {name: material_files(textures) for name, textures in asset.textures.items()}
    numbers, parts = [], []
    for part in asset.mesh.parts:
        header, arrays = _part(part)
        parts.append(header)
        numbers += arrays
    body = Packed()
    materials = {name: body.add_all(files) for name, files in pictures.items()}
    packed = gzip.compress(b"".join(_padded(array) for array in numbers), GZIP_LEVEL, mtime=0)
    header = {
        "names": list(asset.mesh.names),
        "parts": parts,
        "materials": materials,
        "blend": asset.blend,
        "numbers": body.add(packed),
    }
    return wrapped(MAGIC, header, body.content())


def wrapped(magic: bytes, header: Mapping, body: bytes) -> bytes:
    """A file of a magic word, a header and a body."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return magic + len(text).to_bytes(4, "little") + text + body


def _part(part: PartMesh) -> tuple[dict, list[np.ndarray]]:
    """The header of a part and its numbers."""
    wide = np.uint32 if len(part.positions) > np.iinfo(np.uint16).max else np.uint16
    places, corner, step = rounded(part.positions + part.pivot)
    uvs, uv_corner, uv_step = rounded(part.uvs)
    relief = bool(np.abs(part.tangents).any())
    targets = [_target(*pair) for pair in zip(part.displacements, part.normal_displacements, strict=True)]
    header = {
        "name": part.name,
        "material": part.material,
        "count": len(part.positions),
        "faces": len(part.faces),
        "corner": corner,
        "step": step,
        "uv_corner": uv_corner,
        "uv_step": uv_step,
        "pivot": part.pivot.tolist() if np.any(part.pivot) else None,
        "tangents": relief,
        "targets": [[len(one.moved), one.step, len(one.turned), one.turn] for one in targets],
    }
    return header, list(_numbers_of(part, places, uvs, relief, targets, wide))


def _numbers_of(part, places, uvs, relief, targets, wide) -> Iterator[np.ndarray]:
    yield places
    yield rounded_directions(part.normals)
    yield uvs
    if relief:
        yield rounded_directions(part.tangents[:, :3])
        yield np.where(part.tangents[:, 3] < 0, -1, 1).astype(np.int8)
    yield part.faces.astype(wide)
    for one in targets:
        yield gaps_of(one.moved).astype(wide)
        yield one.moves
        yield gaps_of(one.turned).astype(wide)
        yield one.turns


def _target(moves: np.ndarray, turns: np.ndarray) -> Target:
    """An expression's displacements and normal displacements [V, 3] where there are any."""
    moved, turned = (np.flatnonzero(values.any(1)) for values in (moves, turns))
    rounded_moves, step = rounded_targets(moves[moved], np.int16)
    rounded_turns, turn = rounded_targets(turns[turned], np.int8)
    return Target(moved, rounded_moves, step, turned, rounded_turns, turn)


def _padded(array: np.ndarray) -> bytes:
    content = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return content + bytes(-len(content) % ALIGNMENT)
