"""One picture of a head of words: who could be chosen, who was, the head in clay, in colour, and what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from idto3d.guidance.scorer.clay import clay_of
from idto3d.stages.choice.picture import picture_of, portrait_of
from idto3d.training.measure.heads.sight import Sight

SIDE, GRID = 384, 3  # pixels of each picture; candidates along a side
SIDES_DEG = (0.0, 35.0, 90.0)
LINE, EDGE = 15, 8  # pixels of a line of text, and around it


@dataclass(frozen=True)
class Told:
    """A line of text, and whether it tells of something that is as it should be."""

    text: str
    right: bool = True


def sheet(sight: Sight, candidates: Sequence[np.ndarray], told: Sequence[Told]) -> Image.Image:
    """The pictures in a row, and below them what is `told`."""
    pictures = [_grid(candidates), _bare(sight), sight.head.picture(0.0, SIDE, "clay")]
    pictures += [sight.head.picture(side, SIDE) for side in SIDES_DEG]
    rows = -(-len(told) // 3)
    page = Image.new("RGB", (SIDE * len(pictures), SIDE + 2 * EDGE + LINE * (rows + 1)), "white")
    pen = ImageDraw.Draw(page)
    pen.text((EDGE, EDGE), sight.prompt, fill="black")
    for column, picture in enumerate(pictures):
        page.paste(Image.fromarray(picture), (SIDE * column, LINE + EDGE))
    for number, line in enumerate(told):
        column, row = divmod(number, rows)
        place = (EDGE + column * 2 * SIDE, SIDE + EDGE + LINE * (row + 1))
        pen.text(place, line.text, fill="black" if line.right else "red")
    return page


def _grid(candidates: Sequence[np.ndarray]) -> np.ndarray:
    """[SIDE, SIDE, 3] the candidates' pictures, the best first; white where there are none."""
    page, small = Image.new("RGB", (SIDE, SIDE), "white"), SIDE // GRID
    for number, picture in enumerate(candidates[: GRID * GRID]):
        row, column = divmod(number, GRID)
        page.paste(Image.fromarray(picture).resize((small, small)), (column * small, row * small))
    return np.asarray(page)


def _bare(sight: Sight) -> np.ndarray:
    """[SIDE, SIDE, 3] who was chosen, bare of hair."""
    template, start = sight.layout.template, sight.head.saved.start
    portrait = portrait_of(template, clay_of(template), sight.coefficients, start, sight.prompt)
    return picture_of(portrait, SIDE)
