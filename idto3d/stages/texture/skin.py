"""The fitted head with its skin's atlas painted by a diffusion model of atlases, where there is one and it is asked."""

from collections.abc import Generator
from dataclasses import replace

import numpy as np

from idto3d.config import HeadOptions
from idto3d.events import Event, Notice
from idto3d.guidance.atlas import AtlasGuidance
from idto3d.guidance.networks.atlas import has_atlas, load_atlas
from idto3d.render.color import linear_from_srgb
from idto3d.stages.dressing import dressed_head, repainted
from idto3d.stages.fit import Fitted
from idto3d.stages.material import Canvas
from idto3d.stages.models import Models
from idto3d.stages.optimise import Checkpoints
from idto3d.stages.texture.code import skin_atlas
from idto3d.stages.texture.paint import make_board, paint_atlas
from idto3d.stages.wish import Wish


def with_atlas(
    wish: Wish, fitted: Fitted, canvas: Canvas, models: Models, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, tuple[Fitted, Canvas]]:
    """The head and its canvas with the skin's atlas painted; as they were where that is not asked for.

    Weights without a model of atlases leave them too, and it is said.
    """
    if not options.texture.steps + options.texture.lit_steps:
        return fitted, canvas
    bundle = models.guidance.bundle
    if not has_atlas(bundle.folder):
        yield Notice(f"The weights '{bundle.info.name}' have no model of atlases; the skin is painted without one.")
        return fitted, canvas
    guidance = AtlasGuidance(load_atlas(bundle.folder, bundle.parts, bundle.dtype), bundle.parts, bundle.info.heard)
    worn, texels = fitted.wear["skin"], fitted.skin.texels
    atlas = skin_atlas(worn.map.to(models.device), texels.covered, _hidden(fitted), guidance.size)
    picture = yield from paint_atlas(
        wish, make_board(wish, canvas, atlas, worn.normal, guidance, options), options, checkpoints
    )
    share = atlas.open[0, 0].cpu().numpy()[texels.covered]
    new = linear_from_srgb(picture[0].permute(1, 2, 0)).cpu().numpy()[texels.covered]
    albedo = np.where(share[:, None] > 0, new, fitted.colour.albedo)
    wear = repainted(fitted.wear, fitted.skin, albedo)
    fitted = replace(fitted, colour=replace(fitted.colour, albedo=albedo), wear=wear)
    return fitted, replace(canvas, dressed=dressed_head(fitted.rest.head, wear, models.device))


def _hidden(fitted: Fitted) -> np.ndarray:
    """[S, S] 0..1 where hair hides the skin, whose colour there is the hair's."""
    cover = np.zeros((fitted.skin.vertices, 1))
    if fitted.hair is not None:
        cover[: len(fitted.hair.scalp_cover), 0] = fitted.hair.scalp_cover.cpu().numpy()
    return fitted.skin.texels.spread(fitted.skin.texels.read(cover))[..., 0]
