"""What an edit works on beside the head itself: the template of its layout, and the prior of its shape."""

from functools import lru_cache
from pathlib import Path

import torch

from idto3d.bundle.layout import PERSONAL_FILE, PRIOR_FILE, TEMPLATE_FILE
from idto3d.config import EMBEDDED, NAMED, ExportOptions
from idto3d.device import choose_device
from idto3d.head.ellipsoid import EllipsoidPrior
from idto3d.head.motion.personal_file import with_personal
from idto3d.head.prior import HeadPrior
from idto3d.head.prior_file import load_prior
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.render.backend import make_rasterizer
from idto3d.stages.edit.paint.place import place_of
from idto3d.stages.saved import FinishedHead


def load_ground(before: FinishedHead) -> tuple[Template, HeadPrior]:
    """The template of the head's weights where they are at hand, and the prior that the head began with.

    Heads of the template have expressions of their own where this head has.

    Of what its weights have not, or are not here with, the embedded bundle's is taken; nothing is fetched. Raises
    UserError where a file is damaged.
    """
    device = choose_device(before.options.device)
    own = NAMED.get(before.options.weights, Path(before.options.weights))
    template = known_template(_own_or_embedded(own, TEMPLATE_FILE), device)
    if before.options.rig.personal:
        template = known_motion(template, _own_or_embedded(own, PERSONAL_FILE))
    if isinstance(before.prior, EllipsoidPrior) or not before.prior.phrases:
        return template, load_prior(EMBEDDED / PRIOR_FILE, device)
    return template, before.prior


def load_ahead(device: torch.device) -> None:
    """Load what every edit on `device` needs, and have the rasteriser's kernels ready: the first one asks for both."""
    template = known_motion(known_template(EMBEDDED / TEMPLATE_FILE, device), EMBEDDED / PERSONAL_FILE)
    place_of(template, ExportOptions().texture_size)
    corners = torch.tensor([[[-1.0, -1.0, 0.0, 1.0], [1.0, -1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0]]], device=device)
    make_rasterizer(device).fragments(corners, torch.tensor([[0, 1, 2]], device=device), (8, 8))


def _own_or_embedded(folder: Path, name: str) -> Path:
    return folder / name if (folder / name).is_file() else EMBEDDED / name


@lru_cache(maxsize=1)
def known_template(path: Path, device: torch.device) -> Template:
    """The template of a file, read once: reading takes longer than the first look at an edit may."""
    return load_template(path, device)


@lru_cache(maxsize=1)
def known_motion(template: Template, path: Path) -> Template:
    """The same with its heads' own expressions from a file, read once."""
    return with_personal(template, path)
