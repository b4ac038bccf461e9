"""How many seconds each stage of a run is likely to take on a machine of some speed.

What a stage costs is counted in units: a photo, a view of so many pixels, a texel. Seconds a unit are of a machine of
two idle cores, measured on whole runs of preset draft; another machine takes the seconds of its finished runs, and
before there are any those of the two cores by how much faster it multiplies matrices (`speed`).
"""

from collections.abc import Mapping
from pathlib import Path

from idto3d.bundle.asking import StageDefaults
from idto3d.bundle.entries import FILE, parsed
from idto3d.config import NAMED, HeadOptions
from idto3d.errors import UserError
from idto3d.files import read_json

STAGES = ("subject", "fit", "shape", "carving", "texture", "material", "shine", "asset")
# Seconds a unit on two idle cores with the embedded weights.
USUAL: Mapping[str, float] = {
    "subject": 1.8,
    "fit": 8.3,
    "shape": 0.2,
    "carving": 0.25,
    "texture": 0.3,
    "material": 0.255,
    "shine": 2.0,
    "asset": 3.8,
}
PIXELS = 128.0 * 128.0  # of a view whose cost is one unit
LIT = 3.5  # times the cost of a step on an atlas's code that one on lit pictures has
PAINTED = 0.25  # units that a skin's relief costs at 1024 texels a side
ENLARGED = 0.15  # units that reading shine costs more for as many texels as 1024 a side have
GRID = 1.5  # units that a step costs more on a tetrahedral grid of 80 cells


def units(options: HeadOptions, photos: int) -> dict[str, float]:
    """How much each stage has to do, in the order in which they come; without photos none is read."""
    own = _own(options.weights)
    shape, carving, texture, material = options.shape, options.carving, options.texture, options.material
    sides = (shape.image_size or own.shape_image_size, material.image_size or own.material_image_size)
    seen = 1.0 + 0.8 * photos
    grid = (shape.resolution / 80.0) ** 2 if shape.carrier == "tets" else 0.0
    area = (options.export.painted_size / 1024.0) ** 2
    meshes = len(options.expressions) if shape.meshes == "each" and shape.carrier == "tets" else 1
    counted = {
        "subject": float(photos),
        "fit": seen + PAINTED * (area - 1.0),
        "shape": meshes * shape.steps * (_views(shape.views, sides[0]) + GRID * grid),
        "carving": carving.steps * _views(carving.views, carving.image_size or sides[1]),
        "texture": (texture.steps + LIT * texture.lit_steps) * _views(texture.views, sides[1]),
        "material": material.steps * _views(material.views, sides[1]),
        "shine": material.translate * (area if material.relief == "read" else min(area, 1.0) + ENLARGED * area),
        "asset": 1.0 + (options.export.texture_size / 1024.0) ** 2,
    }
    return {stage: amount for stage, amount in counted.items() if amount}


def _own(weights: str) -> StageDefaults:
    """What weights that are at hand say of the stages; of others nobody asks for it.

    That entry alone is read: what reads the whole takes half a second to load, and every worker begins here.
    """
    try:
        said = read_json(NAMED.get(weights, Path(weights)) / FILE)
        return parsed(StageDefaults, said.get("stages", {}), "stages")
    except UserError:  # who loads them says what is wrong
        return StageDefaults()


def _views(count: int, side: int) -> float:
    """Units of one step that looks at `count` pictures of `side` pixels: the guidance, and the drawing."""
    return count * side * side / PIXELS


def seconds(options: HeadOptions, photos: int, paces: Mapping[str, float], speed: float) -> dict[str, float]:
    """Seconds of each stage, by `paces`, seconds a unit as they were measured here; else by the machine's `speed`."""
    return {stage: amount * paces.get(stage, USUAL[stage] / speed) for stage, amount in units(options, photos).items()}
