"""Pictures of a finished head that lie beside its GLB: from four sides, and a sheet of its expressions."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from idto3d.config import RenderOptions
from idto3d.events import exhausted
from idto3d.export.gltf.load import Asset, load_asset
from idto3d.export.gltf.mesh import posed
from idto3d.export.gltf.provenance import notes_of
from idto3d.export.images import png_bytes
from idto3d.export.view import find_light, picture
from idto3d.words.expressions import NAMES

SIDES = {"front": 0.0, "left": 90.0, "back": 180.0, "right": -90.0}  # azimuth in degrees, the person's own sides
FRONT, *OTHERS = (Path("renders") / f"{side}.png" for side in SIDES)
SHEET = Path("expressions") / "contact_sheet.png"
PICTURES = (FRONT, *OTHERS, SHEET)  # in the order in which they are wanted
USUAL_SIZE = 384  # pixels; of a GLB that does not say


def drawn(asset: Asset, name: Path, size: int) -> np.ndarray:
    """One of PICTURES, [H, W, 3] uint8 sRGB, whose renders have `size` pixels a side."""
    return exhausted(_drawn(asset, name, size))


def _drawn(asset: Asset, name: Path, size: int) -> Generator[None, None, np.ndarray]:
    """The same, yielding between the pictures that a sheet is made of."""
    if name != SHEET:
        return _picture(asset, size, SIDES[name.stem])
    shown, pictures = _on_sheet(asset), []
    for expression in shown:
        pictures.append(_picture(asset, size * 2 // 3, expression=expression))
        yield
    return contact_sheet(pictures, shown)


def _on_sheet(asset: Asset) -> list[str]:
    """The named expressions; single movements, as ARKit's, are left to sliders."""
    known = ("neutral", *asset.mesh.names)
    named = [name for name in known if name in NAMES]
    return named if len(named) > 1 else list(known)


def remaining(folder: Path) -> Iterator[tuple[Path, bytes] | None]:
    """The PICTURES that the head in `folder` is without, drawn from its head.glb, each as the file that it is to be.

    None comes in between, for who may want to stop. Raises UserError where there is no head.
    """
    missing = [name for name in PICTURES if not (folder / name).is_file()]
    if not missing or not (folder / "head.glb").is_file():
        return
    asset = load_asset(folder)
    size = _size(asset.provenance)
    yield None
    for name in missing:
        image = yield from _drawn(asset, name, size)
        yield name, png_bytes(image, notes_of(asset.provenance))


def _size(provenance: Mapping) -> int:
    """Pixels of renders, as the options within a GLB say."""
    options = provenance.get("options")
    export = options.get("export") if isinstance(options, Mapping) else None
    size = export.get("render_size") if isinstance(export, Mapping) else None
    return size if isinstance(size, int) and 0 < size <= 4096 else USUAL_SIZE


def _picture(asset: Asset, size: int, azimuth_deg: float = 0.0, expression: str = "neutral") -> np.ndarray:
    view = RenderOptions(size=size, azimuth_deg=azimuth_deg)
    return picture(asset, posed(asset.mesh, {expression: 1.0}), view, find_light(view.light))


def contact_sheet(images: Sequence[np.ndarray], labels: Sequence[str], columns: int | None = None) -> np.ndarray:
    """Images of one size (uint8 [H, W, 3] each) in a grid, each over its label -> uint8 [H', W', 3], white ground."""
    columns = columns or int(np.ceil(np.sqrt(len(images))))
    height, width = images[0].shape[:2]
    strip = max(14, height // 12)
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * width, rows * (height + strip)), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=int(strip * 0.7))
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        left, top = number % columns * width, number // columns * (height + strip)
        sheet.paste(Image.fromarray(image), (left, top))
        pen.text((left + width / 2, top + height + strip / 2), label, fill="black", font=font, anchor="mm")
    return np.asarray(sheet)
