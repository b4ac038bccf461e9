"""The neutral head as Wavefront OBJ with its MTL: a group per part, textures beside it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from idto3d.export.gltf.mesh import HeadMesh, PartMesh
from idto3d.export.gltf.provenance import GENERATOR
from idto3d.export.images import write_png
from idto3d.export.textures import Textures, unbroken
from idto3d.files import write_atomic

# With the extensions for PBR.
MAPS = {"albedo": "map_Kd", "roughness": "map_Pr", "normal": "norm", "opacity": "map_d"}


def write_obj(mesh: HeadMesh, textures: Mapping[str, Textures], folder: Path) -> Path:
    """Write head.obj and head.mtl into `folder`; returns the path of head.obj.

    They name the textures that lie in `folder`/textures; roughness and opacity, of which MTL wants a grey picture each,
    are written there. Metres, Y up, the face to +Z. OBJ knows no morph targets.
    """
    lines = [f"# {GENERATOR}, metres, AI generated", "mtllib head.mtl"]
    start = 1
    for part in mesh.parts:
        lines += _part(part, start)
        start += len(part.positions)
    materials = [_material(name, one, folder) for name, one in textures.items()]
    write_atomic(folder / "head.mtl", ("\n".join([f"# {GENERATOR}", *materials]) + "\n").encode())
    return write_atomic(folder / "head.obj", ("\n".join(lines) + "\n").encode())


def _part(part: PartMesh, start: int) -> list[str]:
    """The lines of a part whose first vertex is number `start`; every vertex has one uv and one normal."""
    up = part.uvs * [1, -1] + [0, 1]  # OBJ counts v upwards
    name = unbroken(part.name)
    lines = [f"o {name}", f"g {name}", f"usemtl {unbroken(part.material)}"]
    lines += _rows("v {:.6f} {:.6f} {:.6f}", part.positions + part.pivot)
    lines += _rows("vt {:.6f} {:.6f}", up)
    lines += _rows("vn {:.5f} {:.5f} {:.5f}", part.normals)
    return lines + _rows("f {0}/{0}/{0} {1}/{1}/{1} {2}/{2}/{2}", part.faces + start)


def _rows(form: str, values: np.ndarray) -> list[str]:
    return [form.format(*row) for row in values.tolist()]


def _material(name: str, textures: Textures, folder: Path) -> str:
    """The lines of a material, whose grey maps are written."""
    name = unbroken(name)
    write_png(folder / "textures" / f"{name}_roughness.png", textures.metallic_roughness[..., 1])
    kinds = ["albedo", "roughness"] if textures.normal is None else ["albedo", "roughness", "normal"]
    if textures.see_through:
        write_png(folder / "textures" / f"{name}_opacity.png", textures.albedo[..., 3])
        kinds.append("opacity")
    maps = [f"{MAPS[kind]} textures/{name}_{kind}.png" for kind in kinds]
    return "\n".join([f"newmtl {name}", "Kd 1 1 1", "Ks 0.04 0.04 0.04", "Pm 0", "illum 2", *maps])
