"""glTF buffers: arrays laid into one binary chunk, each with the accessor that describes it."""

import numpy as np
import pygltflib as gltf

COMPONENTS = {np.dtype(np.uint8): gltf.UNSIGNED_BYTE, np.dtype(np.uint16): gltf.UNSIGNED_SHORT}
COMPONENTS |= {np.dtype(np.uint32): gltf.UNSIGNED_INT, np.dtype(np.float32): gltf.FLOAT}
KINDS = {1: gltf.SCALAR, 2: gltf.VEC2, 3: gltf.VEC3, 4: gltf.VEC4, 16: gltf.MAT4}


class BufferWriter:
    """Collects the binary chunk of a GLB and adds views and accessors to its document."""

    def __init__(self, document: gltf.GLTF2):
        self.document = document
        self.content = bytearray()
        self._zeros: dict[int, int] = {}

    def view(self, content: bytes, target: int | None = None) -> int:
        """Append `content` at the next multiple of 4 bytes; the index of its buffer view."""
        self.content.extend(b"\0" * (-len(self.content) % 4))
        self.document.bufferViews.append(
            gltf.BufferView(buffer=0, byteOffset=len(self.content), byteLength=len(content), target=target)
        )
        self.content.extend(content)
        return len(self.document.bufferViews) - 1

    def array(self, values: np.ndarray, target: int | None = None) -> int:
        """Append `values` [N] or [N, C] (uint8, uint16, uint32 or float32); the index of its accessor."""
        accessor = _described(values)
        accessor.bufferView = self.view(np.ascontiguousarray(values).tobytes(), target)
        return self.add(accessor)

    def bounded_array(self, values: np.ndarray, target: int | None = None) -> int:
        """The same with the least and greatest of each column, which glTF asks for at positions and times."""
        index = self.array(values, target)
        self._bound(index, values)
        return index

    def mostly_zero(self, values: np.ndarray) -> int:
        """Append float32 `values` [N, 3] with the rows that are not zero alone, where that is shorter."""
        x, y, z = values.T != 0  # `any` of each row would take five times as long
        moved = np.flatnonzero(x | y | z).astype(np.uint16 if len(values) <= 65535 else np.uint32)
        if not len(moved):
            return self.zeros(len(values))
        if len(moved) * (moved.itemsize + 12) >= len(values) * 12:
            return self.bounded_array(values, gltf.ARRAY_BUFFER)
        accessor = _described(values)
        accessor.byteOffset = None  # glTF forbids one where there is no view: what sparse leaves out is zero
        accessor.sparse = self._sparse(moved, values[moved])
        index = self.add(accessor)
        self._bound(index, values)
        return index

    def zeros(self, count: int) -> int:
        """The accessor of `count` rows of three zeros, written out once and shared by all that ask for as many.

        An accessor without a view would be as good by the standard, but not every importer reads one.
        """
        if count not in self._zeros:
            self._zeros[count] = self.bounded_array(np.zeros((count, 3), np.float32), gltf.ARRAY_BUFFER)
        return self._zeros[count]

    def _sparse(self, rows: np.ndarray, values: np.ndarray) -> gltf.Sparse:
        places = gltf.AccessorSparseIndices(bufferView=self.view(rows.tobytes()), componentType=COMPONENTS[rows.dtype])
        content = gltf.AccessorSparseValues(bufferView=self.view(np.ascontiguousarray(values).tobytes()))
        return gltf.Sparse(count=len(rows), indices=places, values=content)

    def add(self, accessor: gltf.Accessor) -> int:
        """Append an accessor whose views are there; its index."""
        self.document.accessors.append(accessor)
        return len(self.document.accessors) - 1

    def _bound(self, index: int, values: np.ndarray) -> None:
        columns = values.reshape(len(values), -1)
        accessor = self.document.accessors[index]
        accessor.min, accessor.max = columns.min(0).tolist(), columns.max(0).tolist()


def _described(values: np.ndarray) -> gltf.Accessor:
    kind = KINDS[1 if values.ndim == 1 else values.shape[1]]
    return gltf.Accessor(componentType=COMPONENTS[values.dtype], count=len(values), type=kind)
