"""The options of a whole run, and its presets."""

from dataclasses import dataclass

from idto3d.config.carving import CarvingOptions
from idto3d.config.choice import ChoiceOptions
from idto3d.config.declared import option
from idto3d.config.export import ExportOptions
from idto3d.config.guidance import GuidanceOptions
from idto3d.config.material import MaterialOptions, TextureOptions
from idto3d.config.motion import RigOptions
from idto3d.config.saved import from_json
from idto3d.config.shape import HashGridOptions, ShapeOptions
from idto3d.config.subject import SubjectOptions
from idto3d.errors import UserError


@dataclass(frozen=True)
class HeadOptions:
    """A whole run."""

    preset: str = option("draft", "named set of options", choices=("draft", "standard", "paper"))
    seed: int = option(0, "seed of every random draw", least=0, most=2**63 - 2)
    expressions: tuple[str, ...] = option(("neutral", "mouth stretch", "eyes closed", "brow raised"), "expressions")
    prompt: str = option("", "words about the person")
    negative_prompt: str = option("", "words to keep away from")
    weights: str = option("embedded", "embedded, community, a folder, or ORG/REPO[@REV]")
    device: str = option("auto", "where to compute", choices=("auto", "cpu", "cuda"))
    preview_every: int = option(10, "steps between previews", least=1)
    preview_size: int = option(256, "side of a preview, pixels", least=16, most=1024)
    checkpoint_seconds: float = option(30.0, "seconds between checkpoints", least=0)
    subject: SubjectOptions = SubjectOptions()
    choice: ChoiceOptions = ChoiceOptions()
    guidance: GuidanceOptions = GuidanceOptions()
    shape: ShapeOptions = ShapeOptions()
    carving: CarvingOptions = CarvingOptions()
    material: MaterialOptions = MaterialOptions()
    texture: TextureOptions = TextureOptions()
    rig: RigOptions = RigOptions()
    export: ExportOptions = ExportOptions()


# They say how long and how fine; how weights are asked, and how large their pictures are, is for these to say.
PRESETS = {
    "draft": HeadOptions(),
    "standard": HeadOptions(
        preset="standard",
        shape=ShapeOptions(resolution=112, steps=200, views=4),
        material=MaterialOptions(steps=240, refine_steps=20, views=4),
        export=ExportOptions(faces=40000, texture_size=2048),
    ),
    "paper": HeadOptions(
        preset="paper",
        shape=ShapeOptions(
            carrier="tets",
            resolution=256,
            steps=6000,
            learning_rate=1e-4,
            latent_rate=1e-3,
            laplacian=0.3,  # the paper's 5000 on edges of 2 / 256 of its box, in our measure free of units
            sds=10.0,
            hash_grid=HashGridOptions(16, 2, 19, 16, 1.3819),
        ),
        material=MaterialOptions(
            steps=2000,
            refine_steps=20,
            learning_rate=1e-2,
            hash_grid=HashGridOptions(16, 2, 19, 16, 1.4473),
        ),
        export=ExportOptions(faces=80000, texture_size=2048),
    ),
}


OFF: dict[str, dict] = {  # what changes a head, in the words of options that do not know it yet
    "rig": {"personal": False},
    "choice": {"candidates": 0},
    "carving": {"relief": 0.0},
    "material": {"translate": False},
}


def run_options(data: dict) -> HeadOptions:
    """The options of a run from its JSON, see `as_json`; what it does not know yet stays off: it gives that head.

    Raises ValueError for an unknown option.
    """
    return from_json(HeadOptions, {**OFF, **data, "material": OFF["material"] | data.get("material", {})})


def preset(name: str) -> HeadOptions:
    """The preset called `name`. Raises UserError when there is none."""
    if name not in PRESETS:
        raise UserError(f"There is no preset named '{name}'.", f"Choose from: {', '.join(PRESETS)}.")
    return PRESETS[name]
