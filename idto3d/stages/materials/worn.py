"""The skin in the shine and the relief that its colour tells of."""

from collections.abc import Generator, Mapping
from dataclasses import replace

import numpy as np
import torch

from idto3d.events import Event
from idto3d.evidence.relief import raised
from idto3d.evidence.skin import SkinColour, SkinMap
from idto3d.head.paint.hollows import dulled, shine
from idto3d.head.paint.pores import widths
from idto3d.head.template_model import Template
from idto3d.stages.dressing import HAIR_ROUGHNESS, HAIR_SPECULAR, Worn, haired, skin_roughness
from idto3d.stages.materials.network import MaterialNet
from idto3d.stages.materials.translated import CAVITY_DULL, surroundings, translated, usual_specular

SKIN = "skin"


def with_materials(
    wear: Mapping[str, Worn], template: Template, skin: SkinMap, colour: SkinColour, net: MaterialNet, relief: bool
) -> Generator[Event, None, dict[str, Worn]]:
    """The textures `wear` with the skin as `net` reads it from its colour, as far as photos do not show it.

    Where they do, as colour.known says, roughness and reflectance are those of the regions, and relief is what there
    was. What makes skin rough besides, such as hair that grows on it, goes on doing so. relief: whether relief and
    reflectance are what it reads, too; else they are the regions', but for pores that were painted.
    """
    texels, worn, known = skin.texels, wear[SKIN], colour.known
    image = worn.map[texels.covered].cpu().double().numpy()
    found = yield from translated(net, image[:, :3], surroundings(template, len(texels.covered)), texels, relief)
    bare = texels.read(dulled(skin_roughness(template), skin.dry)[:, None])[:, 0]
    usual = texels.read((usual_specular(template) * shine(skin.dry))[:, None])[:, 0]
    bare = haired(bare[:, None], colour, HAIR_ROUGHNESS)[:, 0]  # brows are as rough as hair, whatever their colour says
    read = haired(dulled(found.roughness, texels.read(skin.dry[:, None])[:, 0])[:, None], colour, HAIR_ROUGHNESS)
    rough = image[:, 3] + (1 - known) * (read[:, 0] - bare)
    gloss = found.specular if relief else usual * np.exp(-CAVITY_DULL * (0 if colour.depth is None else colour.depth))
    specular = haired((usual + (1 - known) * (gloss - usual))[:, None], colour, HAIR_SPECULAR)[:, 0]
    map_ = worn.map.clone()
    map_[..., 3] = torch.from_numpy(texels.spread(rough.clip(0.05, 1)[:, None])[..., 0]).to(map_)
    shown = _bytes(texels.spread(known[:, None])[..., 0]) if (known > 0).any() else None
    dull = _bytes(texels.spread(specular[:, None])[..., 0])
    normal = worn.normal
    if relief:
        width = texels.read(widths(template)[:, None])[:, 0] / len(texels.covered)
        normal = raised(normal, texels.spread(((1 - known) * found.height / width)[:, None])[..., 0])
    return dict(wear) | {SKIN: replace(worn, map=map_, normal=normal, specular=dull, known=shown)}


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.round(255 * values.clip(0, 1)).astype(np.uint8)
