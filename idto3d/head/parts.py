"""A head is a list of parts: skin, eyes, teeth, hair. Each has its own surface, expressions and material."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals

NEEDED = ("vertices", "faces", "displacements")
OPTIONAL = ("uvs", "pivot", "normals")  # tensors that a part may lack


@dataclass(frozen=True, eq=False)
class Part:
    """One surface of a head.

    vertices [V, 3] metres in the canonical pose (lips slightly parted); faces [F, 3] int64, counter-clockwise seen from
    outside; displacements [E, V, 3] metres, from `vertices` to the part in each of the head's E expressions; `material`
    is the name of what it is made of. uvs [F, 3, 2] are texture coordinates of the faces' corners, u to the right and v
    down, 0..1, None where the part has none yet. Parts of one material share its textures. pivot [3] metres is what the
    part turns about by itself, an eye's centre, as the origin of its own node; None where it is the head's origin.
    normals [V, 3] unit are to shade by in place of the surface's own, in all expressions: cards of hair are thin, and
    look like the volume that they cover.
    """

    name: str
    vertices: Tensor
    faces: Tensor
    displacements: Tensor
    material: str
    uvs: Tensor | None = None
    pivot: Tensor | None = None
    normals: Tensor | None = None

    def __post_init__(self):
        if self.displacements.shape[1:] != self.vertices.shape:
            expected = ["E", *self.vertices.shape]
            raise ValueError(f"{self.name}: displacements must be {expected}, not {list(self.displacements.shape)}")
        if self.normals is not None and self.normals.shape != self.vertices.shape:
            raise ValueError(
                f"{self.name}: normals must be {list(self.vertices.shape)}, not {list(self.normals.shape)}"
            )
        if self.pivot is not None and self.pivot.shape != (3,):
            raise ValueError(f"{self.name}: a pivot must be [3], not {list(self.pivot.shape)}")
        if self.uvs is not None and self.uvs.shape != (len(self.faces), 3, 2):
            raise ValueError(f"{self.name}: uvs must be {[len(self.faces), 3, 2]}, not {list(self.uvs.shape)}")

    def positions(self) -> Tensor:
        """[E, V, 3] metres, the vertices in every expression."""
        return self.vertices + self.displacements

    def on(self, device: torch.device) -> "Part":
        """The part with its tensors on `device`."""
        tensors = {name: getattr(self, name) for name in (*NEEDED, *OPTIONAL)}
        return replace(self, **{name: value.to(device) for name, value in tensors.items() if value is not None})

    def shading(self) -> Tensor:
        """[E, V, 3] unit normals in every expression, to shade by."""
        if self.normals is not None:
            return self.normals.expand(len(self.displacements), -1, -1)
        return vertex_normals(self.positions(), self.faces)


@dataclass(frozen=True, eq=False)
class Head:
    """Parts that share the expressions called `expressions`, on one device.

    Raises ValueError where they do not fit together.
    """

    expressions: tuple[str, ...]
    parts: tuple[Part, ...]

    def __post_init__(self):
        names = [part.name for part in self.parts]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"a head needs parts of different names, not {names}")
        if len({part.vertices.device for part in self.parts}) > 1:
            raise ValueError(f"the parts {names} are not on one device")
        for part in self.parts:
            if len(part.displacements) != len(self.expressions):
                count = len(part.displacements)
                raise ValueError(f"{part.name} has {count} expressions where the head has {len(self.expressions)}")

    def joined(self) -> "Joined":
        """All parts as one mesh, in their order, to draw them together."""
        starts = torch.tensor([0, *(len(part.vertices) for part in self.parts)]).cumsum(0).tolist()
        return Joined(
            torch.cat([part.vertices for part in self.parts]),
            torch.cat([part.faces + start for part, start in zip(self.parts, starts, strict=False)]),
            torch.cat([part.positions() for part in self.parts], 1),
        )

    def wearing(self, *others: Part) -> "Head":
        """The head with further parts, which are brought to its device: hair and glasses are made on the CPU."""
        device = self.parts[0].vertices.device
        return Head(self.expressions, (*self.parts, *(part.on(device) for part in others)))

    def first(self, count: int) -> "Head":
        """The head in the first `count` of its expressions alone."""
        parts = [replace(part, displacements=part.displacements[:count]) for part in self.parts]
        return Head(self.expressions[:count], tuple(parts))

    def normals(self) -> Tensor:
        """[E, V, 3] unit normals of all parts as `joined` has them, to shade by."""
        return torch.cat([part.shading() for part in self.parts], 1)


@dataclass(frozen=True, eq=False)
class Joined:
    """One mesh of all parts: canonical [V, 3] metres, faces [F, 3] int64, positions [E, V, 3] metres."""

    canonical: Tensor
    faces: Tensor
    positions: Tensor


def head_tensors(head: Head) -> dict[str, Tensor]:
    """A head as tensors, to be saved; the inverse of `head_from` together with `head_names`."""
    tensors = {}
    for number, part in enumerate(head.parts):
        for name in (*NEEDED, *OPTIONAL):
            if (value := getattr(part, name)) is not None:
                tensors[f"head.{number}.{name}"] = value
    return tensors


def head_names(head: Head) -> dict:
    """What `head_tensors` leaves out, as plain JSON."""
    parts = [{"name": part.name, "material": part.material} for part in head.parts]
    return {"expressions": list(head.expressions), "parts": parts}


def head_from(tensors: Mapping[str, Tensor], names: Mapping, device: torch.device | str = "cpu") -> Head:
    """The head that was saved as `head_tensors` and `head_names`. Raises KeyError or ValueError where they are none."""
    parts = []
    for number, entry in enumerate(names["parts"]):
        own = {name: tensors[f"head.{number}.{name}"].to(device) for name in NEEDED}
        known = {name: tensors.get(f"head.{number}.{name}") for name in OPTIONAL}
        own |= {name: value.to(device) for name, value in known.items() if value is not None}
        parts.append(Part(entry["name"], **own, material=entry["material"]))
    return Head(tuple(names["expressions"]), tuple(parts))
