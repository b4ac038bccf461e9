"""What a version holds of a run folder: the saved head and its asset, and nothing of the run itself."""

from collections.abc import Sequence
from pathlib import Path

from idto3d.files import remove
from idto3d.jobs.run_folder import GLB, HEAD, SAVED
from idto3d.moves import link_or_copy

FILES = (GLB, "head_lod1.glb", "head_lod2.glb", "head.obj", "head.mtl", "head.usdz")
FOLDERS = ("textures", "renders", "expressions")
OF_THE_RUN = (".", "preview_")  # how names begin of what an unfinished write, or a run on its way, leaves there


def asset_of(folder: Path) -> list[Path]:
    """The files of the asset in `folder`, relative to it, head.glb last: whoever sees that one sees all of them."""
    found = [folder / name for name in FILES if (folder / name).is_file()]
    for name in FOLDERS:
        found += [path for path in (folder / name).rglob("*") if path.is_file()]
    names = [path.relative_to(folder) for path in found if not path.name.startswith(OF_THE_RUN)]
    return sorted(names, key=lambda name: (str(name) == GLB, str(name)))


def contents(folder: Path) -> list[Path]:
    """The files of the head in `folder`, relative to it: what it is saved in, head.safetensors last, then its asset."""
    if not (folder / HEAD).is_file():
        return asset_of(folder)
    named = sorted(Path(SAVED) / path.name for path in (folder / SAVED).glob("*.safetensors"))
    return [*named, Path(HEAD), *asset_of(folder)]


def lay(source: Path, target: Path, names: Sequence[Path]) -> None:
    """Put the files `names` of the folder `source` into `target`, each whole or not at all, in that order."""
    for name in names:
        link_or_copy(source / name, target / name)


def show(source: Path, folder: Path) -> None:
    """Make the head in `folder` that of `source`; what it had, and that one has not, is removed before head.glb."""
    names, stale = contents(source), set(contents(folder)) - set(contents(source))
    lay(source, folder, names[:-1])
    for name in sorted(stale):
        remove(folder / name)
    lay(source, folder, names[-1:])
