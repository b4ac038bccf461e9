"""What the stages are asked for, and the views and conditions they ask the guidance about."""

from dataclasses import dataclass

import torch
from torch import Tensor

from idto3d.bundle.info import Timesteps
from idto3d.guidance.asked import likeness_at
from idto3d.guidance.cameras import camera_codes
from idto3d.guidance.conditions import Conditions
from idto3d.guidance.distillation import Distillation, Term
from idto3d.guidance.prediction import Guidance
from idto3d.render.camera import Camera, standard_cameras
from idto3d.words import expressions, prompts

# How often each of the eight views is drawn, in the order of prompts.VIEWS: the face matters most.
VIEW_CHANCE = (0.28, 0.16, 0.10, 0.06, 0.08, 0.06, 0.10, 0.16)
TURN_DEG = 20.0  # that the camera of previews goes on from one to the next
JITTER_DEG, ELEVATION_DEG = 15.0, (-8.0, 12.0)


@dataclass(frozen=True, eq=False)
class Companion:
    """A guidance that is asked about one domain beside the others, and how much its loss weighs.

    It is shown a `picture` of its own: normal or depth.
    """

    guidance: Guidance
    domain: str
    picture: str
    weight: float


@dataclass(frozen=True, eq=False)
class Wish:
    """Who is wanted. `guidances` with their weights; `identity` [D], zeros for nobody in particular.

    Without a `negative_prompt` ("") or a `guidance_scale` (None) each guidance has its own. `refinement` is what is
    asked instead in the last steps of the texture; None where that is this wish itself. `beside` are asked as well.
    `words` is a factor on every scale.
    """

    guidances: tuple[tuple[Guidance, float], ...]
    identity: Tensor
    subject: str
    negative_prompt: str
    expressions: tuple[str, ...]
    form: str
    guidance_scale: float | None
    refinement: "Wish | None" = None
    beside: tuple[Companion, ...] = ()
    words: float = 1.0

    def distillation(self) -> Distillation:
        """How predictions become a gradient; each term has its own scale."""
        return Distillation(self.form)

    def timesteps(self) -> Timesteps:
        """The ranges at which the first guidance is asked of its own accord."""
        return self.guidances[0][0].info.timesteps

    def background(self, domain: str) -> float:
        """What is behind the head in pictures of `domain` for the first guidance, in each channel, 0..1."""
        return self.guidances[0][0].background(domain)

    def device(self) -> torch.device:
        """Where the guidance computes."""
        return self.guidances[0][0].device


@dataclass(frozen=True, eq=False)
class Views:
    """B cameras with their directions in degrees, and the expression (place in the wish's list) each one looks at."""

    camera: Camera
    azimuth_deg: tuple[float, ...]
    elevation_deg: tuple[float, ...]
    expression_ids: tuple[int, ...]


def draw_views(wish: Wish, count: int, generator: torch.Generator) -> Views:
    """`count` random views: near the centre of a view word, as the guidance was trained, each with an expression."""
    chances = torch.tensor(VIEW_CHANCE)
    sector = torch.multinomial(chances, count, replacement=True, generator=generator)
    azimuth = sector * 45.0 + (2 * torch.rand(count, generator=generator) - 1) * JITTER_DEG
    low, high = ELEVATION_DEG
    elevation = low + (high - low) * torch.rand(count, generator=generator)
    ids = torch.randperm(len(wish.expressions), generator=generator).repeat(count)[:count]
    camera = standard_cameras(azimuth.to(wish.device()), elevation.to(wish.device()))
    return Views(camera, tuple(azimuth.tolist()), tuple(elevation.tolist()), tuple(ids.tolist()))


def turned_deg(count: int) -> float:
    """Where the camera of previews stands after `count` of them, -180..180: it turns steadily, from the front."""
    return (TURN_DEG * count + 180.0) % 360.0 - 180.0


def terms(wish: Wish, domain: str, views: Views) -> list[Term]:
    """What each guidance is asked about `views`."""
    return [term(guidance, weight, wish, domain, views) for guidance, weight in wish.guidances]


def term(guidance: Guidance, weight: float, wish: Wish, domain: str, views: Views) -> Term:
    """What one guidance is asked about `views`, on the pictures that all are shown."""
    own = guidance.asking(domain).guidance_scale
    scale = own if wish.guidance_scale is None else wish.guidance_scale
    return Term(guidance, weight, conditions(guidance, wish, domain, views), wish.words * scale)


def conditions(guidance: Guidance, wish: Wish, domain: str, views: Views) -> Conditions:
    """Conditions of one guidance for `views`: words for the view, the camera itself, the expression's descriptor."""
    asking, names = guidance.asking(domain), [wish.expressions[i] for i in views.expression_ids]
    words = [prompts.view_word(azimuth, asking.views) for azimuth in views.azimuth_deg]
    descriptors = [guidance.info.expressions.get(name, expressions.expression(name).descriptor) for name in names]
    texts = [
        guidance.info.prompt(domain, view, wish.subject, descriptor)
        for view, descriptor in zip(words, descriptors, strict=True)
    ]
    codes = camera_codes(torch.tensor(views.azimuth_deg), torch.tensor(views.elevation_deg))
    likeness = [likeness_at(asking, azimuth) for azimuth in views.azimuth_deg]
    negative = wish.negative_prompt or asking.negative_prompt
    return guidance.conditions(texts, negative, wish.identity, descriptors, codes, likeness)


def as_pictures(image: Tensor) -> Tensor:
    """[B, H, W, C] as drawn to [B, C, H, W] as guided."""
    return image.permute(0, 3, 1, 2)
