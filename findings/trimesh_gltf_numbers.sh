#!/bin/sh
# Not part of CI: it fetches trimesh and NumPy (about 20 MB). It needs Python 3.11 or newer.
#
# trimesh 5.2.0 reads two kinds of numbers in valid glTF 2.0 files as others than they are, and says nothing:
# - `normalized` integers, which mean 0..1 or -1..1, come out as they are stored. Core glTF has them for texture
#   coordinates; with KHR_mesh_quantization (required by the file, which trimesh does not mind) also for positions, so
#   that a triangle 1 m wide becomes 32,767 m wide.
# - sparse values over a base view are left out: the base is read as if there were no others.
#
# Exits with 0 where all of this is so, with 1 where something has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check trimesh==5.2.0 numpy==2.4.6
cat > "$folder/widths.py" << 'PYTHON'
import io
import json
import struct
import sys

import numpy as np
import trimesh

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)


def widest(accessor, *contents, stride=None, **more):
    """The greatest coordinate that trimesh finds in a triangle whose positions are `accessor` over these contents."""
    starts = np.cumsum([0, *(len(content) + -len(content) % 4 for content in contents)]).tolist()
    views = [{"buffer": 0, "byteOffset": s, "byteLength": len(c)} for s, c in zip(starts, contents)]
    views[0] |= {"byteStride": stride} if stride else {}
    binary = b"".join(content + b"\0" * (-len(content) % 4) for content in contents)
    header = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "count": 3, "type": "VEC3"} | accessor],
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    } | more
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I", len(text)) + b"JSON" + text + struct.pack("<I", len(binary)) + b"BIN\0" + binary
    data = b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks
    scene = trimesh.load_scene(io.BytesIO(data), file_type="glb", process=False)
    return float(max(mesh.vertices.max() for mesh in scene.geometry.values()))


rows = np.zeros((3, 4), np.int16)  # three numbers, and two bytes so that each row begins at a multiple of four
rows[:, :3] = CORNERS * 32767
quantised = {"extensionsUsed": ["KHR_mesh_quantization"], "extensionsRequired": ["KHR_mesh_quantization"]}
sparse = {
    "count": 1,
    "indices": {"bufferView": 1, "componentType": 5121},
    "values": {"bufferView": 2},
}
seen = {
    "version": trimesh.__version__,
    "plain": widest({"componentType": 5126}, CORNERS.tobytes()),
    "normalised": widest({"componentType": 5122, "normalized": True}, rows.tobytes(), stride=8, **quantised),
    "sparse over a base": widest(
        {"componentType": 5126, "sparse": sparse}, CORNERS.tobytes(), b"\1", np.float32([5, 0, 0]).tobytes()
    ),
}
print(seen, "where 1, 1 and 5 metres are meant")
sys.exit(seen != {"version": "5.2.0", "plain": 1.0, "normalised": 32767.0, "sparse over a base": 1.0})
PYTHON
"$folder/venv/bin/python" "$folder/widths.py"
