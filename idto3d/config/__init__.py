"""Every option of a run, as frozen dataclasses; presets are instances. Imports no torch.

Lengths are metres, angles degrees (`_deg`), timesteps integers of 1000.
"""

from idto3d.config.carving import CarvingOptions
from idto3d.config.choice import ChoiceOptions
from idto3d.config.declared import option
from idto3d.config.edit import REGIONS, EditOptions
from idto3d.config.export import ExportOptions
from idto3d.config.guidance import COMPILE, GuidanceOptions
from idto3d.config.head import PRESETS, HeadOptions, preset, run_options
from idto3d.config.material import MaterialOptions, TextureOptions
from idto3d.config.motion import AnimateOptions, RigOptions
from idto3d.config.places import COMMUNITY, EMBEDDED, HDRI, LANDMARKS_FILE, MATTE_FILE, NAMED, ROOT
from idto3d.config.render import MODES, RenderOptions
from idto3d.config.saved import as_json, from_json
from idto3d.config.shape import HashGridOptions, ShapeOptions
from idto3d.config.subject import AUTO, CHOICES, FREE, SubjectOptions

__all__ = [
    "AUTO",
    "AnimateOptions",
    "CHOICES",
    "COMMUNITY",
    "COMPILE",
    "CarvingOptions",
    "ChoiceOptions",
    "EMBEDDED",
    "EditOptions",
    "ExportOptions",
    "FREE",
    "GuidanceOptions",
    "HDRI",
    "HashGridOptions",
    "HeadOptions",
    "LANDMARKS_FILE",
    "MATTE_FILE",
    "MODES",
    "MaterialOptions",
    "NAMED",
    "PRESETS",
    "REGIONS",
    "ROOT",
    "RenderOptions",
    "RigOptions",
    "ShapeOptions",
    "SubjectOptions",
    "TextureOptions",
    "as_json",
    "from_json",
    "option",
    "preset",
    "run_options",
]
