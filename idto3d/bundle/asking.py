"""The entries of bundle.json that say how guidances are asked, and what the stages do where nobody says otherwise."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields

from idto3d.bundle.entries import expect
from idto3d.words.prompts import DOMAINS, VIEWS

BACKGROUNDS = {"white": 1.0, "black": 0.0}
GEOMETRY = "geometry"  # the domain that has further guidances: colours show in neither normals nor depth
PICTURES = ("normal", "depth")  # what a further guidance may be shown
LEVELS = 1000  # of noise, as Stable Diffusion has them; timesteps count them from 0
MOST_VIEWS = 64
MOST_STRENGTH = 1000
LEAST_SIDE, MOST_SIDE = 16, 2048  # pixels of a picture, as in config
Range = tuple[int, int]


@dataclass(frozen=True)
class Timesteps:
    """The lowest and the highest timestep, 0..999, at which a guidance is asked in each part of a run.

    The defaults are those of ID-to-3D (supplement). The shape begins at `shape_early` and is annealed to `shape_late`;
    the material has the phases albedo, joint and refine.
    """

    shape_early: Range = (200, 700)
    shape_late: Range = (50, 200)
    albedo: Range = (50, 900)
    joint: Range = (50, 500)
    refine: Range = (50, 100)

    def highest(self) -> int:
        """The highest timestep of all."""
        return max(getattr(self, part.name)[1] for part in fields(self))


@dataclass(frozen=True)
class Asking:
    """How one guidance is asked. What is None is as the bundle says for all of them.

    `views` are words for equal sectors of the circle around the head: the first is centred in front, the others follow
    towards the person's left. `background` is the colour behind the head. `negative_prompt` holds where the user gives
    none. `lambda_id` is the strength of the identity branch, `lora` the weight of the LoRA that comes with its adapter.
    The strength falls evenly to 0 between the two turns of `identity_fades_deg` from the front; with None it is the
    same all around.
    """

    guidance_scale: float | None = None
    negative_prompt: str = ""
    background: str = "white"
    views: tuple[str, ...] = VIEWS
    lambda_id: float | None = None
    lora: float = 1.0
    identity_fades_deg: tuple[float, float] | None = None


@dataclass(frozen=True)
class Beside:
    """One more guidance of a domain (only geometry may have some), beside the domain's own.

    `picture` is what it is shown: normal or depth. `unet` names a source, `adapter` one in the layout of
    IP-Adapter-FaceID, or is "". `prompt` has `{view}`, `{subject}` and perhaps `{expression}`; `weight` is that of its
    loss. It is asked at `timesteps`; with None at those of the bundle.
    """

    domain: str
    picture: str
    unet: str
    adapter: str
    prompt: str
    weight: float = 1.0
    asking: Asking = Asking()
    timesteps: Timesteps | None = None


@dataclass(frozen=True)
class StageDefaults:
    """Options of the stages which depend on what the guidance was trained on; see `config` for what each one means."""

    shape_image_size: int = 128
    shape_anchor: float = 30.0
    material_image_size: int = 128
    material_anchor: float = 4000.0


def expect_asking(asking: Mapping[str, Asking]) -> None:
    """Raise UserError unless each of `asking` is of a domain and can be asked for."""
    strange = next(iter(set(asking) - set(DOMAINS)), "")
    expect("", (not strange, f"'asking.{strange}' should be one of {', '.join(DOMAINS)}"))
    for domain, one in asking.items():
        expect_one(f"asking.{domain}", one)


def expect_one(name: str, one: Asking) -> None:
    """Raise UserError that begins with the dotted `name` of an entry unless a guidance can be asked like that."""
    strengths = {"guidance_scale": one.guidance_scale, "lambda_id": one.lambda_id, "lora": one.lora}
    begins, ends = one.identity_fades_deg or (0.0, 180.0)
    expect(
        f"'{name}.",
        *(
            (value is None or is_strength(value), f"{key}' should lie within 0..{MOST_STRENGTH}")
            for key, value in strengths.items()
        ),
        (one.background in BACKGROUNDS, f"background' should be one of {', '.join(BACKGROUNDS)}"),
        (0 < len(one.views) <= MOST_VIEWS, f"views' should be 1 to {MOST_VIEWS} words for a view"),
        (all(view.strip() for view in one.views), "views' has an empty word"),
        (0 <= begins <= ends <= 180, "identity_fades_deg' should be two turns of 0..180 degrees, the lesser one first"),
    )


def expect_beside(beside: tuple[Beside, ...], sources: Collection[str]) -> None:
    """Raise UserError unless every further guidance can be loaded from `sources`, names, and asked."""
    for place, one in enumerate(beside):
        expect(
            f"'beside.{place}.",
            (one.domain == GEOMETRY, f"domain' should be {GEOMETRY}"),
            (one.picture in PICTURES, f"picture' should be one of {', '.join(PICTURES)}"),
            (one.unet in sources, f"unet' names no entry of sources: '{one.unet}'"),
            (one.adapter in ("", *sources), f"adapter' names no entry of sources: '{one.adapter}'"),
            ("{view}" in one.prompt and "{subject}" in one.prompt, "prompt' should have {view} and {subject}"),
            (is_strength(one.weight), f"weight' should lie within 0..{MOST_STRENGTH}"),
        )
        expect_one(f"beside.{place}.asking", one.asking)
        expect_timesteps(f"beside.{place}.timesteps", one.timesteps or Timesteps())


def expect_timesteps(name: str, timesteps: Timesteps) -> None:
    """Raise UserError unless every range of the entry of the dotted `name` lies among the levels of noise."""
    for part, (low, high) in ((part.name, getattr(timesteps, part.name)) for part in fields(timesteps)):
        lies = 0 <= low <= high < LEVELS
        expect("", (lies, f"'{name}.{part}' should be two timesteps of 0..{LEVELS - 1}, the lower one first"))


def expect_stages(stages: StageDefaults) -> None:
    """Raise UserError unless the stages can work like that."""
    for stage, side, anchor in (
        ("shape", stages.shape_image_size, stages.shape_anchor),
        ("material", stages.material_image_size, stages.material_anchor),
    ):
        expect(
            f"'stages.{stage}_",
            (LEAST_SIDE <= side <= MOST_SIDE, f"image_size' should lie within {LEAST_SIDE}..{MOST_SIDE}"),
            (0 <= anchor < math.inf, "anchor' should be a number of at least 0"),
        )


def is_strength(value: float) -> bool:
    """Whether `value` is one that a guidance may be asked with."""
    return 0 <= value <= MOST_STRENGTH
