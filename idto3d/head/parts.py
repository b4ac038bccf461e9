"""A head is a list of parts: skin, eyes, teeth, hair. Each has its own surface, expressions and material."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Part:
    """One surface of a head.

    vertices [V, 3] metres in the canonical pose (lips slightly parted); faces [F, 3] int64, counter-clockwise seen from
    outside; displacements [E, V, 3] metres, from `vertices` to the part in each of the head's E expressions; `material`
    is the name of what it is made of. uvs [F, 3, 2] are texture coordinates of the faces' corners, u to the right and v
    down, 0..1, None where the part has none yet. Parts of one material share its textures.
    """

    name: str
    vertices: Tensor
    faces: Tensor
    displacements: Tensor
    material: str
    uvs: Tensor | None = None

    def __post_init__(self):
        if self.displacements.shape[1:] != self.vertices.shape:
            expected = ["E", *self.vertices.shape]
            raise ValueError(f"{self.name}: displacements must be {expected}, not {list(self.displacements.shape)}")
        if self.uvs is not None and self.uvs.shape != (len(self.faces), 3, 2):
            raise ValueError(f"{self.name}: uvs must be {[len(self.faces), 3, 2]}, not {list(self.uvs.shape)}")

    def positions(self) -> Tensor:
        """[E, V, 3] metres, the vertices in every expression."""
        return self.vertices + self.displacements


@dataclass(frozen=True, eq=False)
class Head:
    """Parts that share the expressions called `expressions`. Raises ValueError where they do not fit together."""

    expressions: tuple[str, ...]
    parts: tuple[Part, ...]

    def __post_init__(self):
        names = [part.name for part in self.parts]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"a head needs parts of different names, not {names}")
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
        for name in ("vertices", "faces", "displacements", "uvs"):
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
        own = {name: tensors[f"head.{number}.{name}"].to(device) for name in ("vertices", "faces", "displacements")}
        uvs = tensors.get(f"head.{number}.uvs")
        parts.append(
            Part(entry["name"], **own, material=entry["material"], uvs=None if uvs is None else uvs.to(device))
        )
    return Head(tuple(names["expressions"]), tuple(parts))
