"""What the page needs to know of a finished asset: its morph targets, and a ZIP of its files."""

import json
import struct
import zipfile
from pathlib import Path

from idto3d.files import atomic

FILES = ("head.glb", "head_lod1.glb", "head_lod2.glb", "head.obj", "head.mtl", "head.usdz")
FOLDERS = ("textures", "renders", "expressions")


def morph_names(glb: Path) -> tuple[str, ...]:
    """Names of the morph targets of a GLB, none if unreadable. glTF 2.0, 4.4: a 12-byte header, then a JSON chunk."""
    try:
        with open(glb, "rb") as file:
            magic, _, _, length, kind = struct.unpack("<4sIII4s", file.read(20))
            if (magic, kind) != (b"glTF", b"JSON"):
                return ()
            document = json.loads(file.read(length))
        names = [name for mesh in document["meshes"] for name in mesh.get("extras", {}).get("targetNames", ())]
    except (OSError, ValueError, KeyError, struct.error):
        return ()
    return tuple(dict.fromkeys(names))


def shape_key(name: str) -> str:
    """A name of an expression without case and blanks: `mouth stretch` is the morph target `mouthStretch`."""
    return name.replace(" ", "").lower()


def asset_files(folder: Path) -> list[Path]:
    """The files of a run folder that are the asset: no photos, crops, saved head, checkpoints, logs or previews."""
    files = [folder / name for name in FILES if (folder / name).is_file()]
    for name in FOLDERS:
        files += [path for path in (folder / name).rglob("*") if path.is_file()]
    return sorted(path for path in files if not path.name.startswith((".", "preview_")))


def write_zip(folder: Path, path: Path) -> Path:
    """ZIP the asset of a run folder into `path`, whole or not at all."""
    with atomic(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for file in asset_files(folder):
            archive.write(file, Path("head") / file.relative_to(folder))
    return path
