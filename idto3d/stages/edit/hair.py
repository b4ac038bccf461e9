"""The hair of a head in another style: grown anew on this head's scalp, in the colour that it has or that is asked for.

The scalp goes with it: what the old hair painted on the skin is made bare, and what the new one shows of its roots is
painted.
"""

from dataclasses import replace

import numpy as np
import torch

from idto3d.evidence.completion import DARKEST, vertex_means
from idto3d.evidence.skin import SkinColour
from idto3d.head.hair.atlas import BAND
from idto3d.head.hair.part import NAME, HairPart, styled_hair
from idto3d.head.hair.scalp import Skin, smoothstep
from idto3d.head.hair_volumes import HIDING
from idto3d.head.parts import Head, Part
from idto3d.head.start import WORDS
from idto3d.head.template import MOUTH_SOCKET
from idto3d.render.color import linear_from_srgb
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.dressing import hair_worn, painted
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.remembered import remembered, telling
from idto3d.stages.edit.skin_page import SkinPage, bared, own_tone, roughened, skin_page, with_skin
from idto3d.stages.edit.work import Work
from idto3d.stages.hair import LEAST_SIZE, TILED, USUAL_COLOUR, scalp_skin, widened, with_scalp
from idto3d.stages.saved import FinishedHead
from idto3d.words.traits import COLOURS, STYLES

STYLE, COLOUR = "hair_style", "hair_colour"
NEAR = (-0.030, -0.014)  # metres above the usual hairline between which the skin may be hair's
HAIRLINE = (-0.012, 0.0)  # and between which it surely is where there was hair
LIKE_HAIR = (0.08, 0.35)  # of the way from the skin's colour to the hair's, from which a texel is hair
APART = 0.4  # least distance of both colours' logarithms at which texels can be told apart
DENSE = 0.9  # opacity from which a texel of hair shows its colour


def restyled(work: Work) -> Work:
    """The head with hair of the style that the request asks for; the same where it asks for none.

    Hair that would hide ears that have become pointed is combed behind them.
    """
    style = work.request.traits.get(STYLE)
    if style is None or not work.options.strength:
        return tucked(work)
    if reason := _kept(work):
        return telling(work, f"The hair keeps its style, because {reason}.")
    rgb, page = hair_rgb(work), skin_page(work)
    hair = _grown(work, style, rgb)
    scalp = _scalp(work, page, hair)
    work = roughened(with_skin(work, page, *scalp), page, hair, scalp[1])
    head = with_part(work.head, NAME, None if hair is None else (_part(hair), painted({NAME: hair_worn(hair)})[NAME]))
    return replace(work, head=remembered(head, _words(work, style)))


def tucked(work: Work) -> Work:
    """The head whose hair of words lies behind its ears where these have become pointed; the same otherwise."""
    style, own = (
        work.head.start.traits.get(STYLE),
        [one.name for one in work.head.head.parts if kind_of(one.name) == NAME],
    )
    if own != [NAME] or style is None or style.source != WORDS or STYLES[style.word].sides_m < HIDING:
        return work
    before, now = (scalp_skin(one.head, work.template) for one in (work.before, work.head))
    if before.pointed_ears or not now.pointed_ears or _kept(work):
        return work
    hair = _grown(work, style.word, hair_rgb(work))
    return replace(work, head=with_part(work.head, NAME, (_part(hair), painted({NAME: hair_worn(hair)})[NAME])))


def _kept(work: Work) -> str:
    """Why the hair may not change; "" where it may."""
    allowed = work.allowed.vertices.get(NAME)
    if work.options.keep:
        return f"{work.options.keep} is to be kept"
    if "hair" in work.options.locks:
        return "hair is locked"
    return "the mask leaves it out" if allowed is not None and not (allowed > 0).any() else ""


def hair_rgb(work: Work) -> tuple[float, float, float]:
    """Linear, of the new hair: as the request asks, else as the hair is now, else as the head's words say."""
    if asked := work.request.traits.get(COLOUR):
        return COLOURS[asked].rgb
    if (worn := work.head.painted.get(NAME)) is not None:
        return worn_rgb(worn)
    words = work.head.start.words()
    return COLOURS[words.get(COLOUR, USUAL_COLOUR)].rgb


def worn_rgb(worn: PaintedMaterial) -> tuple[float, float, float]:
    """Linear, the middle colour of hair by its texture's cards, as far as they are opaque."""
    cards = worn.albedo[: int(len(worn.albedo) * BAND)]
    shown = cards[cards[..., 3] >= 255 * DENSE] if cards.shape[-1] == 4 else cards
    pixels = shown[:, :3] if len(shown) else worn.albedo[..., :3].reshape(-1, 3)
    return tuple(linear_from_srgb(torch.from_numpy(pixels).float() / 255).mean(0).tolist())


def _grown(work: Work, style: str, rgb: tuple[float, float, float]) -> HairPart | None:
    options = work.head.options
    size = max(options.export.texture_size // TILED * TILED, LEAST_SIZE)
    skin = scalp_skin(work.head.head, work.template)
    moves = work.head.head.parts[0].displacements[:, : MOUTH_SOCKET.start].cpu().double().numpy()
    return styled_hair(skin, style, rgb, size, work.options.seed or options.seed, moves)


def _part(hair: HairPart) -> Part:
    return replace(hair.part, normals=hair.normals)


def _words(work: Work, style: str) -> dict[str, str]:
    return {STYLE: style, **{name: word for name, word in work.request.traits.items() if name == COLOUR}}


def with_part(head: FinishedHead, name: str, worn: tuple[Part, PaintedMaterial] | None) -> FinishedHead:
    """The head with a part called `name` and made of `name`, in the place of one that it has; None: without."""
    kept = Head(head.head.expressions, tuple(part for part in head.head.parts if part.name != name))
    materials = {material: one for material, one in head.painted.items() if material != name}
    if worn is not None:
        kept, materials = kept.wearing(worn[0]), {**materials, name: worn[1]}
    return replace(head, head=kept, painted=materials)


def _scalp(work: Work, page: SkinPage, hair: HairPart | None) -> tuple[np.ndarray, np.ndarray]:
    """The skin's linear albedo [N, 3] below the new hair, and how far each texel changes, [N]."""
    skin = scalp_skin(work.head.head, work.template)
    hidden = _hidden(work, page, skin)
    albedo = bared(page, hidden, work.options.seed)
    albedo = with_scalp(SkinColour(albedo, np.zeros(len(albedo))), hair, page.map).albedo
    share = page.map.texels.read(hidden[:, None])[:, 0]
    if hair is not None:
        covered = np.zeros((page.map.vertices, 1))
        covered[: len(hair.scalp_cover), 0] = hair.scalp_cover.cpu().numpy() > 0
        share = np.maximum(share, page.map.texels.read(covered)[:, 0] > 0)
    return albedo, share


def _hidden(work: Work, page: SkinPage, skin: Skin) -> np.ndarray:
    """[V] 0..1 where the skin bears the colour of hair: the scalp, and beside it what looks like the scalp.

    Nowhere where no hair grows and the scalp is as bare as the face.
    """
    logs, texels = np.log(np.maximum(page.albedo, DARKEST)), page.map.texels
    count, outer = page.map.vertices, len(skin.mean)
    scalp, near = np.zeros(count), np.zeros(count)
    scalp[:outer] = smoothstep(skin.above, *HAIRLINE) * (1 - skin.ears)
    near[:outer] = smoothstep(skin.above, *NEAR)  # single hairs reach the ears
    inside = texels.read(scalp[:, None])[:, 0] > 0.99
    bare = own_tone(page, (texels.read(near[:, None])[:, 0] == 0).astype(np.float64))
    way = np.median(logs[inside], 0) - bare
    apart = np.linalg.norm(way) > APART
    if not apart:  # blonde hair on fair skin, or no hair
        return scalp if NAME in work.head.painted else np.zeros(count)
    like = smoothstep((logs - bare) @ way / (way @ way), *LIKE_HAIR)
    found, _ = vertex_means(texels, like[:, None], np.ones(len(like)), count)
    return np.maximum(scalp, near * widened(widened(found[:, 0], page.map.faces), page.map.faces))
