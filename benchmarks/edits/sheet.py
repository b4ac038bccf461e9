"""A contact sheet of edits: a row for each head, first as it was, then after each request. No photo is in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

TITLE = 22  # pixels above each picture


def write_sheet(path: Path, rows: Mapping[str, Sequence[np.ndarray | None]], titles: Sequence[str]) -> None:
    """Write pictures [S, S, 3] uint8 of each head under `titles`; None, where there is none, stays white."""
    side = next(len(one) for row in rows.values() for one in row if one is not None)
    sheet = Image.new("RGB", (side * len(titles), (side + TITLE) * len(rows)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (name, row) in enumerate(rows.items()):
        top = number * (side + TITLE)
        for column, (title, one) in enumerate(zip(titles, row, strict=True)):
            draw.text((column * side + 4, top + 5), title if column else name, fill="black")
            if one is not None:
                sheet.paste(Image.fromarray(one), (column * side, top + TITLE))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
