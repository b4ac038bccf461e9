"""Hair by text: which styles and colours go with words, as DreamFace chooses them (section 4.3), and how they look.

A style or a colour that the words name wins; among the others the scorer tells, by what it saw people wear.
"""

from collections.abc import Mapping

import numpy as np

from idto3d.guidance.scorer.clay import FINER, View, seen_from
from idto3d.guidance.scorer.scorer import OwnScorer, Scorer
from idto3d.head.hair.dye import dyed
from idto3d.head.hair.part import HairPart, hair_of_words
from idto3d.head.hair.scalp import Skin
from idto3d.head.paint.bytes import linear_of
from idto3d.head.start import DEFAULT, Start
from idto3d.head.template import MOUTH_SOCKET
from idto3d.head.template_model import Template
from idto3d.render.backends.kernel import QUARTERS, holes_of
from idto3d.stages.choice.picture import Portrait, developed, picture_of
from idto3d.words.traits import COLOURS, HAIR_STYLES, STYLES, TAUGHT_COLOURS, USUAL_STYLE

SAID = 2.0  # score of what words name, more than any cosine
USUAL_COLOUR = "brown"
TEXTURE = 256  # texels of the hair's square in a small picture
AGED = {"middle-aged": 1, "old": 2}  # which of a colour's chances is theirs; of all others the first
LIKELY = 0.5  # what a colour's chance among people counts beside a cosine: few dressed people taught the scorer
WHOLE, TURNED_DEG = View((0.0, 0.015, 0.0), 1.2, 17.0), 50.0  # all of the hair, a bun and a ponytail too
OPAQUE = 128  # from which a texel is hair, of 255


def said_by(start: Start) -> dict[str, str]:
    """The traits of a start that somebody says: what is usual where nobody does is none of them."""
    return {name: trait.word for name, trait in start.traits.items() if trait.source != DEFAULT}


def ranked_hair(scorer: Scorer | None, prompt: str, traits: Mapping[str, str]) -> tuple[dict, dict]:
    """Scores of all hair styles and of all colours, the best first; traits: what words say of hair.

    A scorer of others has no pictures of hair to compare: then the usual style and colour come first.
    """
    styles, colours = dict.fromkeys(HAIR_STYLES, 0.0), dict.fromkeys(COLOURS, 0.0)
    if isinstance(scorer, OwnScorer):
        by_style, by_colour = scorer.hair(prompt)
        styles |= {name: by_style.get(row.heard_as or name, 0.0) for name, row in STYLES.items()}
        styles |= {name: styles[name] - 1 for name, row in STYLES.items() if row.heard_as}  # unless it is said
        likely = {name: LIKELY * row.chances[AGED.get(traits.get("age", ""), 0)] for name, row in COLOURS.items()}
        colours |= {name: likely[name] + by_colour.get(row.heard_as or name, 0.0) for name, row in COLOURS.items()}
        colours |= {name: colours[name] - 1 for name, row in COLOURS.items() if row.dyed}  # nobody's unless it is said
    else:
        styles[USUAL_STYLE], colours[USUAL_COLOUR] = 1.0, 1.0
    for scores, said in ((styles, traits.get("hair_style")), (colours, traits.get("hair_colour"))):
        if said in scores:
            scores[said] = SAID
    return _sorted(styles), _sorted(colours)


def _sorted(scores: Mapping[str, float]) -> dict[str, float]:
    order = {name: place for place, name in enumerate((*TAUGHT_COLOURS, *scores))}
    return dict(sorted(scores.items(), key=lambda item: (-item[1], order.get(item[0], 0))))


def grown_hair(template: Template, portrait: Portrait, style: str, colour: str, seed: int) -> HairPart | None:
    """Hair on a portrait's head, for a small picture; None where none grows."""
    end, skin = MOUTH_SOCKET.start, template.part("skin")
    faces = skin.faces[(skin.faces < end).all(1)].cpu().numpy()
    mean = template.neutral[:end].cpu().double().numpy()
    scalp = Skin(portrait.vertices[:end].astype(np.float64), mean, faces)
    return hair_of_words(scalp, style, colour, TEXTURE, seed, np.zeros((1, end, 3)))


def in_colour(hair: HairPart | None, colour: str) -> np.ndarray | None:
    """[S, S, 4] the hair's texture in another colour."""
    return None if hair is None else dyed(hair.albedo, COLOURS[colour].rgb)


def hair_picture(portrait: Portrait, hair: HairPart | None, albedo: np.ndarray | None, size: int) -> np.ndarray:
    """[size, size, 3] uint8 sRGB: the portrait's head half from its left with `hair` that wears `albedo` [S, S, 4]."""
    if hair is None:
        return picture_of(portrait, size, WHOLE, TURNED_DEG)
    corners = hair.part.faces.cpu().numpy().ravel()
    vertices = np.concatenate([portrait.vertices, hair.part.vertices.cpu().numpy()[corners]])
    normals = np.concatenate([portrait.normals, hair.normals.cpu().numpy()[corners]])
    bare, uvs = len(portrait.vertices), hair.part.uvs.reshape(-1, 2).cpu().numpy()
    colours = np.concatenate([with_roots(portrait.colours, hair, albedo), np.zeros((len(corners), 3), np.float32)])
    places = np.concatenate([np.full((bare, 2), -1.0), uvs])
    faces = np.concatenate([portrait.faces, bare + np.arange(len(corners)).reshape(-1, 3)]).astype(np.int32)
    page = np.repeat([-1, 0], [len(portrait.faces), len(hair.part.faces)])
    holes = holes_of(places.clip(0), page, [np.ascontiguousarray(albedo[..., 3])], QUARTERS)
    values = np.concatenate([normals, colours, places], 1).astype(np.float32)
    seen, covered = seen_from(vertices.astype(np.float32), values, faces, TURNED_DEG, size * FINER, holes, WHOLE)
    on_hair = covered[..., 0] & (seen[..., 6] >= 0)
    column, row = (np.clip(seen[..., 6:] * len(albedo), 0, len(albedo) - 1).astype(int)).transpose(2, 0, 1)
    worn = linear_of(albedo[..., :3])[row, column]
    return developed(seen[..., :3], np.where(on_hair[..., None], worn, seen[..., 3:6]), covered)


def with_roots(colours: np.ndarray, hair: HairPart, albedo: np.ndarray) -> np.ndarray:
    """[V, 3] linear colours of a head on whose scalp hair that wears `albedo` [S, S, 4] shows."""
    opaque = albedo[..., 3] > OPAQUE
    mixed, cover = colours.copy(), hair.scalp_cover.cpu().numpy()[:, None]
    mixed[: len(cover)] += cover * (linear_of(albedo[..., :3])[opaque].mean(0) - mixed[: len(cover)])
    return mixed
