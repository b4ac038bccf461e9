"""What the stages are asked for, and the views and conditions they ask the guidance about."""

from dataclasses import dataclass

import torch
from torch import Tensor

from idto3d.bundle.info import Timesteps
from idto3d.guidance.cameras import camera_codes
from idto3d.guidance.distillation import Distillation, Term
from idto3d.guidance.prediction import Conditions, Guidance
from idto3d.render.camera import Camera, standard_cameras
from idto3d.words import expressions, prompts

# How often each of the eight views is drawn, in the order of prompts.VIEWS: the face matters most.
VIEW_CHANCE = (0.28, 0.16, 0.10, 0.06, 0.08, 0.06, 0.10, 0.16)
TURN_DEG = 20.0  # that the camera of previews goes on from one to the next
JITTER_DEG, ELEVATION_DEG = 15.0, (-8.0, 12.0)


@dataclass(frozen=True, eq=False)
class Wish:
    """Who is wanted. `guidances` with their weights; `identity` [D], zeros for nobody in particular.

    `refinement` is what is asked instead in the last steps of the texture; None where that is this wish itself.
    """

    guidances: tuple[tuple[Guidance, float], ...]
    identity: Tensor
    subject: str
    negative_prompt: str
    expressions: tuple[str, ...]
    form: str
    guidance_scale: float
    refinement: "Wish | None" = None

    def distillation(self) -> Distillation:
        """How predictions become a gradient."""
        return Distillation(self.form, self.guidance_scale)

    def timesteps(self) -> Timesteps:
        """The ranges at which the first guidance is asked of its own accord."""
        return self.guidances[0][0].info.timesteps

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
    return [Term(guidance, weight, conditions(guidance, wish, domain, views)) for guidance, weight in wish.guidances]


def conditions(guidance: Guidance, wish: Wish, domain: str, views: Views) -> Conditions:
    """Conditions of one guidance for `views`: words for the view, the camera itself, the expression's descriptor."""
    names = [wish.expressions[i] for i in views.expression_ids]
    words = [prompts.view_word(azimuth) for azimuth in views.azimuth_deg]
    descriptors = [guidance.info.expressions.get(name, expressions.expression(name).descriptor) for name in names]
    texts = [
        guidance.info.prompt(domain, view, wish.subject, descriptor)
        for view, descriptor in zip(words, descriptors, strict=True)
    ]
    codes = camera_codes(torch.tensor(views.azimuth_deg), torch.tensor(views.elevation_deg))
    return guidance.conditions(texts, wish.negative_prompt, wish.identity, descriptors, codes)


def as_pictures(image: Tensor) -> Tensor:
    """[B, H, W, C] as drawn to [B, C, H, W] as guided."""
    return image.permute(0, 3, 1, 2)
