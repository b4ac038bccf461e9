"""Reading glTF 2.0 as the standard has it, whoever wrote the file. What is not understood is refused by its name."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import chain

import numpy as np

from idto3d.errors import UserError
from idto3d.export.gltf.container import unpacked

FLOAT = 5126
COMPONENTS = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32}
COMPONENTS |= {FLOAT: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
MOST_ROWS = 50_000_000  # of an accessor; one without a view claims memory that no byte of the file stands for
PLACES = "KHR_texture_transform"
WEBP = "EXT_texture_webp"
GLOSS = "KHR_materials_pbrSpecularGlossiness"
UNDERSTOOD = frozenset({"KHR_mesh_quantization", PLACES, WEBP})  # among what a file may require
# Whatever a file says of whether it requires them: without them its vertices are missing or elsewhere.
ELSEWHERE = {
    "KHR_draco_mesh_compression",
    "EXT_meshopt_compression",
    "KHR_meshopt_compression",
    "EXT_mesh_gpu_instancing",
}
TRIANGLES, STRIP, FAN = 4, 5, 6
Line = tuple[tuple[dict, np.ndarray], ...]  # nodes with their matrices in the world, outermost first


@dataclass(frozen=True, eq=False)
class Glb:
    """A GLB file: its name for messages, its header, its numbers."""

    name: str
    header: Mapping[str, object]
    binary: bytes

    def all(self, kind: str) -> list:
        """What the header lists of a kind ("meshes"), empty where it has none."""
        return self.header.get(kind, [])

    def one(self, kind: str, index: int) -> dict:
        """One of `all`. Raises IndexError where there is no such."""
        if index < 0:
            raise IndexError(index)
        return self.all(kind)[index]

    def view(self, index: int) -> memoryview:
        """The bytes of a buffer view. Raises ValueError where it leaves the file, UserError for another file's."""
        view = self.one("bufferViews", index)
        if view["buffer"] != 0 or "uri" in self.one("buffers", 0):
            raise UserError(f"'{self.name}' keeps its numbers in another file.", "Save it as one GLB file.")
        start = view.get("byteOffset", 0)
        if not 0 <= start <= start + view["byteLength"] <= len(self.binary):
            raise ValueError("a buffer view leaves the file")
        return memoryview(self.binary)[start : start + view["byteLength"]]

    def floats(self, index: int) -> np.ndarray:
        """The values [N] or [N, C] of an accessor as float32; normalised integers are 0..1, or -1..1 with a sign."""
        values = self.stored(index)
        plain = values.astype(np.float32)
        accessor = self.one("accessors", index)
        if not accessor.get("normalized", False) or accessor["componentType"] == FLOAT:
            return plain
        return np.maximum(plain / np.float32(np.iinfo(values.dtype).max), np.float32(-1.0))

    def directions(self, index: int) -> np.ndarray:
        """The same of an accessor of normals [V, 3]: what was rounded has length 1 again."""
        values = self.floats(index)
        if self.one("accessors", index)["componentType"] == FLOAT:
            return values
        return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), np.float32(1e-12))

    def stored(self, index: int) -> np.ndarray:
        """The values [N] or [N, C] of an accessor as they are stored, sparse ones filled in."""
        accessor = self.one("accessors", index)
        kind, width, count = COMPONENTS[accessor["componentType"]], WIDTHS[accessor["type"]], accessor["count"]
        if not 0 < count <= MOST_ROWS:
            raise ValueError(f"an accessor has {count} values")
        if "bufferView" in accessor:
            values = self._rows(accessor, count, width, kind)
        else:
            values = np.zeros((count, width), kind)
        if "sparse" in accessor:
            places, given = accessor["sparse"]["indices"], accessor["sparse"]["values"]
            some = accessor["sparse"]["count"]
            where = self._rows(places, some, 1, COMPONENTS[places["componentType"]])[:, 0]
            values[where] = self._rows(given, some, width, kind)
        return values[:, 0] if width == 1 else values

    def _rows(self, place: Mapping, count: int, width: int, kind: type) -> np.ndarray:
        """`count` rows [count, width] of what lies at a view and an offset, perhaps with other things between them."""
        dtype, offset = np.dtype(kind).newbyteorder("<"), place.get("byteOffset", 0)
        stride = self.one("bufferViews", place["bufferView"]).get("byteStride", dtype.itemsize * width)
        data = self.view(place["bufferView"])
        if offset < 0 or stride < 0 or offset + (count - 1) * stride + dtype.itemsize * width > len(data):
            raise ValueError("an accessor leaves its buffer view")
        return np.ndarray((count, width), dtype, data, offset, (stride, dtype.itemsize)).astype(kind)

    def image(self, texture: Mapping) -> dict:
        """The image that a `textureInfo` of a material names."""
        named = self.one("textures", texture["index"])
        others = named.get("extensions", {})
        source = named.get("source", others.get(WEBP, {}).get("source"))
        if source is None:
            raise refusal(self.name, set(others))
        return self.one("images", source)

    def faces(self, primitive: Mapping, count: int) -> np.ndarray:
        """The triangles [F, 3] int64 of a primitive of `count` vertices; none of points and lines."""
        order = self.stored(primitive["indices"]) if "indices" in primitive else np.arange(count)
        order, mode = order.astype(np.int64), primitive.get("mode", TRIANGLES)
        if len(order) and order.max() >= count:
            raise ValueError("a triangle has a corner that is no vertex")
        return _triangles(order, mode)

    def placed(self) -> Iterator[Line]:
        """Each node of the scene, below its ancestors, outermost first; each with its matrix [4, 4] in the world."""
        seen: set[int] = set()
        stack = [((), root) for root in reversed(self._roots())]
        while stack:
            above, index = stack.pop()
            if index in seen:
                raise ValueError("a node has two parents")
            seen.add(index)
            node = self.one("nodes", index)
            matrix = (above[-1][1] if above else np.eye(4)) @ local_matrix(node)
            line = (*above, (node, matrix))
            yield line
            stack += [(line, child) for child in reversed(node.get("children", []))]

    def _roots(self) -> list[int]:
        if self.all("scenes"):
            return self.one("scenes", self.header.get("scene", 0)).get("nodes", [])
        below = {child for node in self.all("nodes") for child in node.get("children", [])}
        return [index for index in range(len(self.all("nodes"))) if index not in below]


def open_glb(content: bytes, name: str, understood: Set[str] = UNDERSTOOD) -> Glb:
    """The GLB file in `content`, called `name` in messages; it may require the extensions `understood`.

    Raises ValueError (or what missing and odd entries of the header raise) for no such file, UserError for one whose
    numbers or places are another extension's business.
    """
    header, binary = unpacked(content)
    glb = Glb(name, header, binary)
    primitives = (primitive for mesh in glb.all("meshes") for primitive in mesh["primitives"])
    holders = chain(glb.all("buffers"), glb.all("bufferViews"), glb.all("accessors"), glb.all("nodes"), primitives)
    used = {extension for holder in holders for extension in holder.get("extensions", {})}
    unknown = (used & ELSEWHERE) | (set(header.get("extensionsRequired", [])) - understood)
    if unknown:
        raise refusal(name, unknown)
    return glb


def refusal(name: str, extensions: set[str]) -> UserError:
    """That a file cannot be read without `extensions`."""
    shown = ", ".join(sorted("".join(c for c in one[:40] if c.isprintable()) for one in extensions))
    what = f"'{name}' needs {shown}, which is not read here." if shown else f"'{name}' has a texture without a picture."
    return UserError(what, "Save it anew as plain glTF 2.0, uncompressed, with PNG or JPEG textures.")


def local_matrix(node: Mapping) -> np.ndarray:
    """[4, 4] what a node does to what is below it."""
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    matrix = np.eye(4)
    matrix[:3, :3] = _rotation(node.get("rotation", (0, 0, 0, 1))) * np.array(node.get("scale", (1, 1, 1)), float)
    matrix[:3, 3] = node.get("translation", (0, 0, 0))
    return matrix


def _rotation(quaternion: tuple[float, float, float, float]) -> np.ndarray:
    """[3, 3] of a unit quaternion x, y, z, w."""
    x, y, z, w = quaternion
    crossed = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]], float)
    return np.eye(3) + 2 * w * crossed + 2 * crossed @ crossed


def _triangles(order: np.ndarray, mode: int) -> np.ndarray:
    if mode == TRIANGLES:
        return order[: len(order) // 3 * 3].reshape(-1, 3)
    if mode == FAN:
        spokes = np.stack([order[1:-1], order[2:]], 1)
        return np.concatenate([spokes, np.broadcast_to(order[:1, None], (len(spokes), 1))], 1)
    if mode == STRIP:
        triples = np.stack([order[:-2], order[1:-1], order[2:]], 1)
        triples[1::2] = triples[1::2][:, [1, 0, 2]]  # every second one is the other way round
        return triples
    return np.zeros((0, 3), np.int64)


def texture_places(texture: Mapping) -> tuple[int, np.ndarray]:
    """Which texture coordinates a `textureInfo` of a material uses, and the matrix [2, 3] that is applied to them."""
    change = texture.get("extensions", {}).get(PLACES, {})
    turn = change.get("rotation", 0.0)
    # The other way round than the extension's own listing, which forgets that v points down; as every viewer has it.
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    scaled = turned * np.array(change.get("scale", (1, 1)), float)
    offset = np.array(change.get("offset", (0, 0)), float).reshape(2, 1)
    return change.get("texCoord", texture.get("texCoord", 0)), np.concatenate([scaled, offset], 1)


def uvs_for(glb: Glb, primitive: Mapping, texture: Mapping) -> np.ndarray:
    """[V, 2] where the vertices of a primitive lie in a texture, v down. Raises KeyError where it does not say."""
    number, matrix = texture_places(texture)
    uvs = glb.floats(primitive["attributes"][f"TEXCOORD_{number}"])
    plain = np.array_equal(matrix, np.eye(2, 3))
    return uvs if plain else (uvs @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
