"""GLB files as other programs write them: numbers anywhere in the buffer, in any type that glTF allows."""

import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from idto3d.export.gltf.container import packed

CODES = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


@dataclass
class Foreign:
    """A GLB that is being put together."""

    header: dict = field(default_factory=lambda: {"asset": {"version": "2.0"}, "bufferViews": [], "accessors": []})
    binary: bytearray = field(default_factory=bytearray)

    def view(self, content: bytes, **more) -> int:
        """Append `content`; the index of its view."""
        self.binary.extend(b"\xee" * (-len(self.binary) % 4 + 4))  # what nobody reads is no zero
        self.header["bufferViews"].append(
            {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(content)} | more
        )
        self.binary.extend(content)
        return len(self.header["bufferViews"]) - 1

    def accessor(self, values: np.ndarray, **more) -> int:
        """An accessor of `values` [N] or [N, C] in a view of its own, unless `more` names another."""
        told = {"componentType": CODES[str(values.dtype)], "count": len(values)}
        told["type"] = KINDS[1 if values.ndim == 1 else values.shape[1]]
        if "bufferView" not in more and "sparse" not in more:
            more["bufferView"] = self.view(np.ascontiguousarray(values).tobytes())
        self.header["accessors"].append(told | more)
        return len(self.header["accessors"]) - 1

    def interleaved(self, *arrays: np.ndarray) -> list[int]:
        """Accessors of several arrays of as many rows, which lie in one view row by row."""
        rows = np.concatenate([np.ascontiguousarray(one).view(np.uint8).reshape(len(one), -1) for one in arrays], 1)
        view = self.view(rows.tobytes(), byteStride=rows.shape[1])
        starts = np.cumsum([0, *(one.dtype.itemsize * one.shape[1] for one in arrays)]).tolist()
        return [self.accessor(one, bufferView=view, byteOffset=at) for one, at in zip(arrays, starts, strict=False)]

    def sparse(self, rows: np.ndarray, values: np.ndarray, skipped: bytes = b"") -> dict:
        """The sparse part of an accessor; both of its views begin with `skipped`."""
        places = {"bufferView": self.view(skipped + rows.tobytes()), "componentType": CODES[str(rows.dtype)]}
        given = {"bufferView": self.view(skipped + np.ascontiguousarray(values).tobytes())}
        offset = {"byteOffset": len(skipped)} if skipped else {}
        return {"count": len(rows), "indices": places | offset, "values": given | offset}

    def picture(self, pixels: np.ndarray) -> int:
        """The index of a texture with `pixels`."""
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        images, textures = (self.header.setdefault(kind, []) for kind in ("images", "textures"))
        images.append({"mimeType": "image/png", "bufferView": self.view(stream.getvalue())})
        textures.append({"source": len(images) - 1})
        return len(textures) - 1

    def mesh(self, attributes: dict, material: dict | None = None, node: dict | None = None, **primitive) -> "Foreign":
        """Add a mesh of one primitive at a node of its own; itself."""
        meshes, nodes = (self.header.setdefault(kind, []) for kind in ("meshes", "nodes"))
        if material is not None:
            self.header.setdefault("materials", []).append(material)
            primitive["material"] = len(self.header["materials"]) - 1
        meshes.append({"primitives": [{"attributes": attributes} | primitive]})
        nodes.append({"mesh": len(meshes) - 1} | (node or {}))
        return self

    def content(self) -> bytes:
        """The file."""
        self.header["buffers"] = [{"byteLength": len(self.binary)}]
        return packed(self.header, bytes(self.binary))


def rounded(values: np.ndarray, kind: type) -> np.ndarray:
    """`values` -1..1 (0..1 without a sign) as normalised integers of `kind`."""
    return np.rint(values * np.iinfo(kind).max).astype(kind)
